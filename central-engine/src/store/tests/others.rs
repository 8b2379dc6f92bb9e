use std::collections::BTreeSet;

use jackfield_protocol::{
    event::Hook,
    id::{RunId, UserName},
    time::Time,
};
use jackfield_resource_allocator::{ResourceId, Tree};
use jackfield_scheduler::effect::Job;
use serde_json::json;

use super::{both::both, fixture::edit_row};
use crate::{
    limits,
    store::{
        self, Batch, Conn,
        account::Account,
        job::{JobCounts, Kind, Work},
        report_view::{Shown, ViewRow},
        saved::Saved,
        share::ShareRow,
        sut::SutRow,
        token::{Joined, TokenRow},
    },
};

fn ana() -> UserName {
    "ana".into()
}

async fn owner(conn: &mut store::Conn, hash: &str, now: Time) -> Option<jackfield_protocol::id::UserName> {
    store::session::find(conn, hash, now).await.unwrap().map(|session| session.owner)
}

#[tokio::test]
async fn jobs_stay_until_they_are_done() {
    for fresh in both().await {
        let store = &fresh.store;
        let run = RunId(4);
        let hook = Job::RunHook { run, hook: Hook::Pre, path: "pre.sh".into() };
        let jobs: Vec<Work> = [hook, Job::FinishRun { run }].map(Work::from).into();
        store.commit(Batch { now: Time(10), jobs: jobs.clone(), ..Batch::default() }).await.unwrap();
        let mut conn = store.write().await.unwrap();
        let all = store::job::of_run(&mut conn, run).await.unwrap();
        assert_eq!(all.iter().map(|job| job.work.clone()).collect::<Vec<_>>(), jobs);
        let due =
            async |conn: &mut Conn, now| store::job::due(conn, Kind::Hook, Time(now), 10).await.unwrap();
        assert!(due(&mut conn, 9).await.is_empty());
        assert_eq!(due(&mut conn, 10).await, all[..1], "of its kind only");
        let (hook, finish) = (&all[0], &all[1]);
        let due_again = Some(Time(50));
        let failed = store::job::failed(&mut conn, hook.id, &hook.work, 1, due_again, "no answer").await;
        assert!(failed.unwrap());
        let again = store::job::failed(&mut conn, hook.id, &hook.work, 1, due_again, "no answer").await;
        assert!(!again.unwrap(), "the first answer was lost, and it comes twice");
        store::job::failed(&mut conn, finish.id, &finish.work, 1, None, "hopeless").await.unwrap();
        assert!(due(&mut conn, 49).await.is_empty());
        assert_eq!(store::job::next_due(&mut conn, Time(10)).await.unwrap(), Some(Time(50)));
        let left = store::job::counts(&mut conn).await.unwrap();
        assert_eq!(left, JobCounts { waiting: 1, given_up: 1 });
        let again = &store::job::of_run(&mut conn, run).await.unwrap()[0];
        assert_eq!((again.tries, again.error.as_str()), (1, "no answer"));
        store::job::hurry(&mut conn, hook.id, Time(3)).await.unwrap();
        assert_eq!(due(&mut conn, 3).await.len(), 1, "it waits no more");
        store::job::try_again(&mut conn, finish.id, Time(4)).await.unwrap();
        let given_up = store::job::find(&mut conn, finish.id).await.unwrap().unwrap();
        assert_eq!(given_up.due, Some(Time(4)), "what was given up is tried again");
        store::job::failed(&mut conn, finish.id, &finish.work, 2, None, "hopeless").await.unwrap();
        assert!(store::job::done(&mut conn, hook.id).await.unwrap());
        assert!(!store::job::done(&mut conn, hook.id).await.unwrap());
        assert_eq!(store::job::next_due(&mut conn, Time(10)).await.unwrap(), None);
        assert_eq!(store::job::of_run(&mut conn, run).await.unwrap().len(), 1, "given up, but not forgotten");
        let mail = Work::MailRun { run, to: vec!["bob@x.example".to_owned()] };
        store::job::enqueue(&mut conn, Time(60), std::slice::from_ref(&mail)).await.unwrap();
        let list = store::job::list(&mut conn, None, 10).await.unwrap();
        assert_eq!(list[0].work, mail);
        assert_eq!(store::job::list(&mut conn, Some(list[0].id), 10).await.unwrap(), list[1..]);
        let numbers: BTreeSet<u64> = list.iter().map(|job| job.id).collect();
        assert!(!numbers.contains(&all[0].id), "numbers are not used again");
    }
}

#[tokio::test]
async fn accounts_sessions_and_tokens() {
    for fresh in both().await {
        let mut conn = fresh.store.write().await.unwrap();
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let account = Account {
            name: ana(),
            password: "$argon2id$…".to_owned(),
            groups: set(&["tester"]),
            roles: set(&["*"]),
            disabled: false,
            idle_millis: Some(900_000),
            created: Time(1),
        };
        store::account::put(&mut conn, &account).await.unwrap();
        let changed = Account { disabled: true, ..account.clone() };
        store::account::put(&mut conn, &changed).await.unwrap();
        assert_eq!(store::account::fetch(&mut conn, &ana()).await.unwrap(), Some(changed.clone()));
        assert_eq!(store::account::list(&mut conn).await.unwrap(), [changed]);
        store::account::put_group(&mut conn, "tester", &set(&["RUN_TESTS"])).await.unwrap();
        assert_eq!(store::account::groups(&mut conn).await.unwrap()["tester"], set(&["RUN_TESTS"]));
        assert!(store::account::delete_group(&mut conn, "tester").await.unwrap());
        assert!(!store::account::delete_group(&mut conn, "tester").await.unwrap());

        store::session::open(&mut conn, "hash-1", &ana(), Time(0), Time(100)).await.unwrap();
        assert_eq!(owner(&mut conn, "hash-1", Time(99)).await, Some(ana()));
        assert_eq!(owner(&mut conn, "hash-1", Time(100)).await, None, "it is over");
        store::session::open(&mut conn, "hash-2", &ana(), Time(0), Time(100)).await.unwrap();
        store::session::close(&mut conn, "hash-2").await.unwrap();
        assert_eq!(owner(&mut conn, "hash-2", Time(1)).await, None);
        store::session::close_all(&mut conn, &ana()).await.unwrap();
        assert_eq!(owner(&mut conn, "hash-1", Time(1)).await, None);

        let mut token = TokenRow {
            id: 0,
            owner: ana(),
            name: "ci".to_owned(),
            scope: "run".to_owned(),
            created: Time(1),
            expires: Some(Time(50)),
            used: None,
            joined: Joined::Any,
        };
        token.id = store::token::insert(&mut conn, "hash-3", &token).await.unwrap();
        let other = TokenRow { owner: "bob".into(), expires: None, ..token.clone() };
        store::token::insert(&mut conn, "hash-4", &other).await.unwrap();
        store::token::touch(&mut conn, token.id, Time(7)).await.unwrap();
        token.used = Some(Time(7));
        assert_eq!(store::token::find(&mut conn, "hash-3", Time(49)).await.unwrap(), Some(token.clone()));
        assert_eq!(store::token::find(&mut conn, "hash-3", Time(50)).await.unwrap(), None, "it has expired");
        assert!(store::token::find(&mut conn, "hash-4", Time(i64::MAX)).await.unwrap().is_some());
        assert_eq!(store::token::list(&mut conn, Some(&ana())).await.unwrap(), std::slice::from_ref(&token));
        let one = TokenRow { owner: "bob".into(), joined: Joined::Nobody, ..token.clone() };
        let one = store::token::insert(&mut conn, "hash-5", &one).await.unwrap();
        let ep = "lab 2, rack 3".into();
        assert!(!store::token::join(&mut conn, token.id, &ep, "one").await.unwrap(), "it is for any EP");
        assert!(store::token::join(&mut conn, one, &ep, "one").await.unwrap());
        assert!(!store::token::join(&mut conn, one, &ep, "two").await.unwrap(), "it is taken");
        let by = Joined::By { ep, instance: "one".to_owned() };
        assert_eq!(store::token::joined(&mut conn, token.id).await.unwrap(), Some(Joined::Any));
        assert_eq!(store::token::joined(&mut conn, one).await.unwrap().as_ref(), Some(&by));
        assert_eq!(store::token::find(&mut conn, "hash-5", Time(1)).await.unwrap().unwrap().joined, by);
        assert_eq!(store::token::list(&mut conn, None).await.unwrap().len(), 3);
        assert!(store::account::delete(&mut conn, &ana()).await.unwrap());
        assert!(!store::token::delete(&mut conn, token.id).await.unwrap(), "it went with its owner");
        assert_eq!(store::token::joined(&mut conn, token.id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn links_to_reports_end_and_views_are_kept_by_name() {
    for fresh in both().await {
        let mut conn = fresh.store.write().await.unwrap();
        let share = |owner: UserName, expires| ShareRow {
            id: 0,
            owner,
            report: "All".to_owned(),
            given: [("Run".to_owned(), "it's 1".to_owned())].into(),
            created: Time(10),
            expires: Time(expires),
            used: None,
        };
        let mut first = share(ana(), 50);
        first.id = store::share::insert(&mut conn, "hash-1", &first).await.unwrap();
        store::share::insert(&mut conn, "hash-2", &share("bob".into(), 90)).await.unwrap();
        store::share::touch(&mut conn, first.id, Time(20)).await.unwrap();
        first.used = Some(Time(20));
        assert_eq!(store::share::find(&mut conn, "hash-1", Time(49)).await.unwrap(), Some(first.clone()));
        assert_eq!(store::share::find(&mut conn, "hash-1", Time(50)).await.unwrap(), None, "it has ended");
        assert_eq!(store::share::find(&mut conn, "hash-9", Time(1)).await.unwrap(), None);
        let list = async |conn: &mut Conn, owner: Option<UserName>, now| {
            store::share::list(conn, owner.as_ref(), Time(now)).await.unwrap().len()
        };
        assert_eq!(list(&mut conn, None, 49).await, 2);
        assert_eq!(list(&mut conn, Some(ana()), 49).await, 1);
        assert_eq!(list(&mut conn, None, 50).await, 1);
        let third = ShareRow { created: Time(60), ..share(ana(), 99) };
        let third = store::share::insert(&mut conn, "hash-3", &third).await.unwrap();
        assert_eq!(list(&mut conn, None, 1).await, 2, "what has ended is forgotten when another is made");
        assert!(third > first.id);
        assert!(store::share::delete(&mut conn, third).await.unwrap());
        assert!(!store::share::delete(&mut conn, third).await.unwrap());
    }
}

#[tokio::test]
async fn links_and_views_go_with_their_owner() {
    for fresh in both().await {
        let mut conn = fresh.store.write().await.unwrap();
        let view = |owner: UserName, report: &str| ViewRow {
            owner,
            name: "slow".to_owned(),
            shown: Shown {
                report: report.to_owned(),
                query: [("sort".to_owned(), "-2".to_owned())].into(),
                everybody: false,
            },
        };
        for view in [view(ana(), "One"), view("bob".into(), "Two"), view(ana(), "Three")] {
            store::report_view::put(&mut conn, &view).await.unwrap();
        }
        let kept = store::report_view::list(&mut conn).await.unwrap();
        assert_eq!(kept, [view(ana(), "Three"), view("bob".into(), "Two")]);
        assert!(!store::report_view::delete(&mut conn, &ana(), "fast").await.unwrap());
        let account = Account {
            name: ana(),
            password: String::new(),
            groups: BTreeSet::new(),
            roles: BTreeSet::new(),
            disabled: false,
            idle_millis: None,
            created: Time(1),
        };
        store::account::put(&mut conn, &account).await.unwrap();
        let share = ShareRow {
            id: 0,
            owner: ana(),
            report: "All".to_owned(),
            given: Default::default(),
            created: Time(1),
            expires: Time(9),
            used: None,
        };
        store::share::insert(&mut conn, "hash-4", &share).await.unwrap();
        assert!(store::account::delete(&mut conn, &ana()).await.unwrap());
        assert_eq!(store::share::list(&mut conn, None, Time(1)).await.unwrap(), []);
        assert_eq!(store::report_view::list(&mut conn).await.unwrap(), [view("bob".into(), "Two")]);
        assert!(store::report_view::delete(&mut conn, &"bob".into(), "slow").await.unwrap());
    }
}

#[tokio::test]
async fn the_audit_log_only_grows() {
    for fresh in both().await {
        let mut conn = fresh.store.write().await.unwrap();
        for number in 1..=5 {
            store::audit::add(&mut conn, Time(number), "ana", ("run.stop", "41"), "").await.unwrap();
        }
        let ids = |rows: Vec<store::audit::AuditRow>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(
            ids(store::audit::list(&mut conn, &store::audit::Filter::default(), None, 3).await.unwrap()),
            [5, 4, 3]
        );
        let rest =
            store::audit::list(&mut conn, &store::audit::Filter::default(), Some(3), 10).await.unwrap();
        assert_eq!((rest[0].at, rest[0].who.as_str(), rest[0].action.as_str()), (Time(2), "ana", "run.stop"));
        assert_eq!(ids(rest), [2, 1]);
        store::audit::add_all(&mut conn, Time(9), &[("bob", "a", "x", ""), ("bob", "b", "y", "z")])
            .await
            .unwrap();
        assert_eq!(
            ids(store::audit::list(&mut conn, &store::audit::Filter::default(), None, 3).await.unwrap()),
            [7, 6, 5]
        );
    }
}

#[tokio::test]
async fn edits_of_the_tree_are_remembered_and_the_oldest_forgotten() {
    for fresh in both().await {
        let mut conn = fresh.store.write().await.unwrap();
        let rows = [
            edit_row(1, "resource.set", "a"),
            edit_row(2, "resource.set", "b"),
            edit_row(3, "resource.undo", "c"),
        ];
        store::edit::add(&mut conn, &rows).await.unwrap();
        store::edit::undone(&mut conn, 2, 3).await.unwrap();
        let versions = async |conn: &mut _, before| {
            let rows = store::edit::list(conn, before, 2).await.unwrap();
            rows.iter().map(|row| (row.version, row.undone)).collect::<Vec<_>>()
        };
        assert_eq!(versions(&mut conn, None).await, [(3, None), (2, Some(3))]);
        assert_eq!(versions(&mut conn, Some(2)).await, [(1, None)]);
        assert_eq!(store::edit::find(&mut conn, 1).await.unwrap(), Some(rows[0].clone()));
        assert_eq!(store::edit::find(&mut conn, 9).await.unwrap(), None);
        // What is taken back, or takes something back, is not what somebody did last.
        assert_eq!(store::edit::newest_of(&mut conn, "ana").await.unwrap(), Some(rows[0].clone()));
        assert_eq!(store::edit::newest_of(&mut conn, "bob").await.unwrap(), None);
        let large = "x".repeat(limits::EDIT_BYTES_LARGE);
        let many: Vec<_> = (4..4 + u64::from(limits::LARGE_EDITS_KEPT_MAX) + 3)
            .map(|version| edit_row(version, "resource.set", &large))
            .collect();
        store::edit::add(&mut conn, &many).await.unwrap();
        assert_eq!(
            store::edit::find(&mut conn, 6).await.unwrap(),
            None,
            "of the large ones the newest are kept"
        );
        assert!(store::edit::find(&mut conn, 7).await.unwrap().is_some());
        assert!(store::edit::find(&mut conn, 1).await.unwrap().is_some());
        let huge = edit_row(200, "resource.apply", &"x".repeat(limits::EDIT_BYTES_MAX));
        store::edit::add(&mut conn, &[huge]).await.unwrap();
        assert_eq!(store::edit::find(&mut conn, 200).await.unwrap().unwrap().edit.undo, None);
        let big = "x".repeat(limits::EDIT_BYTES_MAX / 3 * 2);
        let two = [edit_row(201, "resource.set", &big), edit_row(202, "resource.set", &big)];
        store::edit::add(&mut conn, &two).await.unwrap();
        assert_eq!(versions(&mut conn, None).await, [(202, None)], "both are too much at once");
        assert_eq!(versions(&mut conn, Some(202)).await, [(201, None), (200, None)]);
        store::edit::add(&mut conn, &[edit_row(limits::EDITS_KEPT_MAX + 2, "resource.set", "z")])
            .await
            .unwrap();
        assert_eq!(store::edit::find(&mut conn, 1).await.unwrap(), None);
        assert!(store::edit::find(&mut conn, 3).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn resources_suts_and_globals() {
    for fresh in both().await {
        let mut conn = fresh.store.write().await.unwrap();
        assert!(store::resource::load(&mut conn).await.unwrap().is_none());
        let mut tree = Tree::new();
        let id = ResourceId::from_number(7);
        tree.set("tb1", "/", [("ip".to_owned(), json!("10.0.0.1"))].into(), id.clone()).unwrap();
        let rows: Vec<_> = tree.rows().cloned().collect();
        store::resource::edit(&mut conn, tree.version(), &rows, &[]).await.unwrap();
        let (version, loaded) = store::resource::load(&mut conn).await.unwrap().unwrap();
        assert_eq!(Tree::from_rows(version, loaded).unwrap(), tree);
        store::resource::edit(&mut conn, 9, &[], &[id.to_string()]).await.unwrap();
        let (version, loaded) = store::resource::load(&mut conn).await.unwrap().unwrap();
        assert_eq!((version, loaded.len()), (9, 1));

        let sut = SutRow { name: "bench.ana".into(), version: 3, body: json!({"meta": {}}) };
        store::sut::put(&mut conn, &sut).await.unwrap();
        let newer = SutRow { version: 4, ..sut };
        store::sut::put(&mut conn, &newer).await.unwrap();
        assert_eq!(store::sut::fetch(&mut conn, &newer.name).await.unwrap(), Some(newer.clone()));
        assert_eq!(store::sut::list(&mut conn).await.unwrap(), std::slice::from_ref(&newer));
        assert!(store::sut::delete(&mut conn, &newer.name).await.unwrap());
        assert!(!store::sut::delete(&mut conn, &newer.name).await.unwrap());

        store::global::put(&mut conn, &ana(), "a/b", &json!(1)).await.unwrap();
        store::global::put(&mut conn, &ana(), "a/b", &json!([2])).await.unwrap();
        assert_eq!(store::global::fetch(&mut conn, &ana(), "a/b").await.unwrap(), Some(json!([2])));
        assert_eq!(store::global::fetch(&mut conn, &"bob".into(), "a/b").await.unwrap(), None);
        assert_eq!(store::global::list(&mut conn, &ana()).await.unwrap(), [("a/b".to_owned(), json!([2]))]);
    }
}

#[tokio::test]
async fn inserts_are_remembered() {
    for fresh in both().await {
        let mut conn = fresh.store.write().await.unwrap();
        let run = RunId(1);
        assert_eq!(store::saved::state(&mut conn, run).await.unwrap(), None);
        store::saved::begin(&mut conn, run, Time(1)).await.unwrap();
        assert_eq!(store::saved::state(&mut conn, run).await.unwrap(), Some(Saved::Begun));
        let part = store::saved::Progress::default();
        store::saved::put_part(&mut conn, run, 2, &part).await.unwrap();
        store::saved::put_part(&mut conn, run, 2, &part).await.unwrap();
        assert_eq!(store::saved::parts(&mut conn, run).await.unwrap(), [(2, part)].into());
        store::saved::undone(&mut conn, run).await.unwrap();
        assert!(store::saved::parts(&mut conn, run).await.unwrap().is_empty());
        assert_eq!(store::saved::state(&mut conn, run).await.unwrap(), None);
        store::saved::begin(&mut conn, run, Time(2)).await.unwrap();
        store::saved::done(&mut conn, run, Time(3)).await.unwrap();
        assert!(store::saved::is_saved(&mut conn, run).await.unwrap());
    }
}

#[tokio::test]
async fn readers_do_not_wait_for_a_writer() {
    for fresh in both().await {
        let mut writer = fresh.store.write().await.unwrap();
        store::global::put(&mut writer, &ana(), "x", &json!(1)).await.unwrap();
        let mut reader = fresh.store.read().await.unwrap();
        assert_eq!(store::global::fetch(&mut reader, &ana(), "x").await.unwrap(), None, "not committed");
        drop(reader);
        drop(writer);
        let mut reader = fresh.store.read().await.unwrap();
        assert_eq!(store::global::fetch(&mut reader, &ana(), "x").await.unwrap(), None, "dropped is undone");
        fresh.store.ping().await.unwrap();
    }
}

#[tokio::test]
async fn lives_follow_each_other_each_with_the_runs_it_gave_out() {
    for fresh in both().await {
        let mut conn = fresh.store.write().await.unwrap();
        assert_eq!(
            store::life::begin(&mut conn, "one", Time(1)).await.unwrap(),
            [("one".to_owned(), None)].into()
        );
        store::counter::raise(&mut conn, store::counter::RUN, 4).await.unwrap();
        store::life::begin(&mut conn, "two", Time(2)).await.unwrap();
        let lives = store::life::begin(&mut conn, "three", Time(3)).await.unwrap();
        let run = Some(RunId(4));
        let expected = [("one".to_owned(), run), ("two".to_owned(), run), ("three".to_owned(), None)];
        assert_eq!(lives, expected.into());
    }
}
