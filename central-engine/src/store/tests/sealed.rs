//! What has secrets in it cannot be read without the key, however the key changes.

use std::collections::BTreeMap;

use jackfield_protocol::{
    event::RunState,
    id::{RunId, TestIndex},
    plan::RunPlan,
    time::Time,
};
use jackfield_resource_allocator::Tree;
use jackfield_scheduler::effect::Row;
use serde_json::json;

use super::{
    both::both,
    fixture::{edit_row, plan, planned, run_row},
};
use crate::store::{self, Batch, Seal, Store, StoreError, sut::SutRow};

/// In every value that is stored here.
const PLANTED: &str = "hunter2-planted";
/// Where those values are.
const COLUMNS: [&str; 6] = [
    "SELECT body FROM resource",
    "SELECT body FROM edit",
    "SELECT body FROM sut",
    "SELECT value FROM global",
    "SELECT body FROM plan",
    "SELECT body FROM queued",
];

async fn fill(store: &Store) {
    let tree = json!({"version": 1, "children": {"lab": {"id": "0000000007", "meta": {"password": PLANTED}, "children": {}}}});
    let tree = Tree::from_json(tree).unwrap();
    let mut conn = store.write().await.unwrap();
    let rows: Vec<_> = tree.rows().cloned().collect();
    store::resource::edit(&mut conn, 1, &rows, &[]).await.unwrap();
    store::edit::add(&mut conn, &[edit_row(1, "resource.set", PLANTED)]).await.unwrap();
    let sut =
        SutRow { name: "bench.system".into(), version: 1, body: json!({"meta": {"password": PLANTED}}) };
    store::sut::put(&mut conn, &sut).await.unwrap();
    store::global::put(&mut conn, &"ana".into(), "/lab/password", &json!(PLANTED)).await.unwrap();
    conn.commit().await.unwrap();
    let run = RunId(1);
    let mut queued = planned(1);
    queued.properties = BTreeMap::from([("password".into(), PLANTED.into())]);
    let whole = RunPlan { project: PLANTED.to_owned(), ..(*plan("demo", 1)).clone() };
    let rows = vec![
        Row::Plan { run, plan: whole.into() },
        Row::Run(run_row(run, RunState::Running)),
        Row::Queued { run, first: TestIndex(1), tests: vec![queued] },
    ];
    store.commit(Batch { rows, ..Batch::default() }).await.unwrap();
}

/// Everything is there and says what it said.
async fn check(store: &Store) {
    let mut conn = store.read().await.unwrap();
    let (_, rows) = store::resource::load(&mut conn).await.unwrap().unwrap();
    assert!(serde_json::to_string(&rows).unwrap().contains(PLANTED));
    assert_eq!(store::edit::find(&mut conn, 1).await.unwrap(), Some(edit_row(1, "resource.set", PLANTED)));
    let sut = store::sut::fetch(&mut conn, &"bench.system".into()).await.unwrap().unwrap();
    assert_eq!(sut.body, json!({"meta": {"password": PLANTED}}));
    let global = store::global::fetch(&mut conn, &"ana".into(), "/lab/password").await.unwrap();
    assert_eq!(global, Some(json!(PLANTED)));
    drop(conn);
    let plan = store.plan(RunId(1)).await.unwrap().unwrap();
    assert_eq!((plan.project.as_str(), plan.tests.len()), (PLANTED, 2));
}

/// The columns as somebody sees them who has the database alone.
async fn stolen(store: &Store) -> Vec<Vec<u8>> {
    let mut conn = store.read().await.unwrap();
    let mut found = Vec::new();
    for sql in COLUMNS {
        let lines = conn.rows(sql, vec![]).await.unwrap();
        assert!(!lines.is_empty(), "{sql}");
        for line in &lines {
            found.push(line.text(0).map(String::into_bytes).or_else(|_| line.bytes(0)).unwrap());
        }
    }
    found
}

#[tokio::test]
async fn no_value_can_be_read_without_the_key() {
    for fresh in both().await {
        fill(&fresh.store).await;
        check(&fresh.store).await;
        for value in stolen(&fresh.store).await {
            let text = String::from_utf8_lossy(&value).into_owned();
            assert!(text.starts_with("sealed:") || text.starts_with("JFS1"), "{text}");
        }
        let strange = Store::open_sealed(&fresh.url, Seal::random().unwrap(), Time(2)).await.unwrap();
        let refused = strange.check_seal().await.unwrap_err();
        assert!(matches!(refused, StoreError::Key(_)), "{refused}");
        assert!(strange.seal_all().await.is_err(), "what cannot be opened is not sealed anew");
        check(&fresh.store).await;
    }
}

#[tokio::test]
async fn another_key_takes_the_place_of_the_old_one_wherever_it_is_cut_off() {
    for fresh in both().await {
        fill(&fresh.store).await;
        let both_keys = Seal::fixed().with_new_key().unwrap();
        let rotating = Store::open_sealed(&fresh.url, both_keys.clone(), Time(2)).await.unwrap();
        rotating.check_seal().await.unwrap();
        let mut cut = 0;
        // Each round comes one step further than the one before.
        loop {
            rotating.faults().cut_off_after(cut);
            let done = rotating.seal_all().await;
            rotating.faults().end();
            if done.is_ok() {
                break;
            }
            cut += 1;
            assert!(cut < 500, "it never ends");
            let restarted = Store::open_sealed(&fresh.url, both_keys.clone(), Time(3)).await.unwrap();
            restarted.check_seal().await.unwrap();
            check(&restarted).await;
            restarted.close().await;
        }
        assert!(cut > 10, "it was cut off {cut} times");
        let alone = Store::open_sealed(&fresh.url, both_keys.newest_alone(), Time(4)).await.unwrap();
        alone.check_seal().await.unwrap();
        assert!(!alone.seal_all().await.unwrap(), "nothing is left to do");
        check(&alone).await;
    }
}
