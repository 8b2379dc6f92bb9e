use std::collections::BTreeMap;

use jackfield_protocol::{
    event::{Fact, RunEvent, RunState},
    id::{LeaseId, RunId, SuiteIndex, TestIndex},
    time::Time,
    verdict::{DecidedBy, Outcome, TestState, Verdict},
};
use jackfield_resource_allocator::{
    ResourceId,
    book::{Ended, Fitness, Health, Holder, Lease, Leased, Set, Spot, State},
};
use jackfield_scheduler::{
    effect::{AttemptState, EpRow, PartRow, Row, StopCause},
    event::EpOffer,
};

use super::{both::both, fixture::*};
use crate::store::{
    self, Batch, Store, StoreError, attempt::Artifact, audit::Deed, ep::EpSeen, run::Filter,
    submission::Submission,
};

const RUN: RunId = RunId(1);

fn ep() -> EpRow {
    let offer = EpOffer {
        labels: BTreeMap::from([("site".into(), "lab2".into())]),
        capabilities: vec!["python".into()],
        lanes: 2,
        pool: Some("ana".into()),
    };
    EpRow {
        ep: "EP-1".into(),
        epoch: jackfield_protocol::id::Epoch(7),
        offer,
        drained: true,
        drained_by: Some("ana".into()),
        gone: Some(Time(5)),
    }
}

fn lease(number: u64, what: Leased) -> Lease {
    Lease::of_run(LeaseId(number), RUN, what, None, Time(2))
}

fn ended(lease: Lease) -> Lease {
    Lease { state: State::Ended { at: Time(9), how: Ended::RunEnd }, ..lease }
}

#[tokio::test]
async fn who_had_what_is_kept_and_numbers_go_on() {
    for fresh in both().await {
        let store = &fresh.store;
        let set = |sut: &str| Leased::Set(Set { suts: [sut.into()].into(), nodes: Vec::new() });
        let person = |number, sut| Lease { holder: Holder::Person("ana".into()), ..lease(number, set(sut)) };
        let rows = vec![
            Row::Lease(Box::new(ended(person(3, "a.system")))),
            Row::Lease(Box::new(person(7, "b.system"))),
        ];
        store.commit(Batch { rows, ..Batch::default() }).await.unwrap();
        let mut conn = store.read().await.unwrap();
        assert_eq!(store::lease::open(&mut conn).await.unwrap(), [person(7, "b.system")]);
        assert_eq!(store::lease::ended(&mut conn, 9).await.unwrap(), [ended(person(3, "a.system"))]);
        let found = store::lease::find(&mut conn, LeaseId(3)).await.unwrap();
        assert_eq!(found, Some(ended(person(3, "a.system"))));
        assert_eq!(store::lease::last(&mut conn).await.unwrap(), LeaseId(7));
    }
}

#[tokio::test]
async fn a_restarted_engine_reads_what_it_wrote() {
    for fresh in both().await {
        let store = &fresh.store;
        let plan = plan("demo", 5);
        let mut run = run_row(RUN, RunState::Stopping);
        run.stopped = Some(StopCause {
            by: Some("bob".into()),
            reason: "wrong build".to_owned(),
            at: Time(3),
            at_once: Some("ana".into()),
        });
        run.pre = Some(Outcome::pass(DecidedBy::Declared));
        run.seq = u64::try_from(i64::MAX).unwrap();
        let part = PartRow {
            run: RUN,
            part: 0,
            suites: vec![SuiteIndex(0)],
            place: Some(("EP-1".into(), 1)),
            ended: false,
        };
        let unplaced = PartRow { part: 1, place: None, ended: true, ..part.clone() };
        let lane = lease(1, Leased::Lane("EP-1".into(), 1));
        let set = Set { suts: ["bench.system".into()].into(), nodes: Vec::new() };
        let sut = lease(2, Leased::Set(set));
        let returned = attempt(RUN, 2, 1, AttemptState::Returned);
        let rows = vec![
            Row::Ep(ep()),
            Row::Plan { run: RUN, plan },
            Row::Run(run),
            Row::Queued { run: RUN, first: TestIndex(5), tests: vec![planned(5), planned(6)] },
            Row::Part(part),
            Row::Part(unplaced),
            Row::Attempt(Box::new(passed(RUN, 0))),
            Row::Attempt(Box::new(failed(RUN, 1))),
            Row::Attempt(Box::new(returned)),
            Row::Attempt(Box::new(attempt(RUN, 2, 2, AttemptState::Started))),
            Row::Lease(Box::new(lane)),
            Row::Lease(Box::new(sut)),
            Row::Health(Box::new(out_of_service())),
        ];
        store.commit(Batch { rows: rows.clone(), ..Batch::default() }).await.unwrap();
        assert_eq!(store.load().await.unwrap().rows, rows);
        let again = Store::open(&fresh.url, Time(9)).await.unwrap();
        assert_eq!(again.load().await.unwrap().rows, rows);
        assert_eq!(
            again.plan(RUN).await.unwrap().unwrap().tests.len(),
            7,
            "queued tests are part of the plan"
        );
    }
}

/// A router that ana has taken out of service.
fn out_of_service() -> Health {
    let node = ResourceId::from_number(7);
    let spot = Spot { node, path: "/tb1/r1".to_owned(), above: vec![ResourceId::root()] };
    let fitness = Fitness::Out { why: "no answer".to_owned(), by: Some("ana".into()) };
    Health { spot, fitness, since: Time(7), spoiled: 2 }
}

#[tokio::test]
async fn what_is_sound_again_has_no_row() {
    for fresh in both().await {
        let store = &fresh.store;
        let known = async || store.load().await.unwrap().rows;
        let row = |health: Health| Batch { rows: vec![Row::Health(Box::new(health))], ..Batch::default() };
        store.commit(row(out_of_service())).await.unwrap();
        let spoiled = Health { fitness: Fitness::Fit, ..out_of_service() };
        store.commit(row(spoiled.clone())).await.unwrap();
        assert_eq!(
            known().await,
            [Row::Health(Box::new(spoiled.clone()))],
            "how often it was spoiled is kept"
        );
        store.commit(row(Health { spoiled: 0, ..spoiled })).await.unwrap();
        assert_eq!(known().await, []);
    }
}

#[tokio::test]
async fn the_last_write_of_a_key_wins_and_ended_runs_are_left_out() {
    for fresh in both().await {
        let store = &fresh.store;
        store.commit(begun(RUN, &plan("demo", 3), RunState::Running)).await.unwrap();
        let lane = |number| lease(number, Leased::Lane("EP-1".into(), 0));
        let mut batch = attempts([attempt(RUN, 0, 1, AttemptState::Assigned), passed(RUN, 0)]);
        batch.rows.extend([
            Row::Lease(Box::new(lane(1))),
            Row::Lease(Box::new(ended(lane(1)))),
            Row::Lease(Box::new(lane(2))),
        ]);
        store.commit(batch).await.unwrap();
        store.commit(attempts([failed(RUN, 0)])).await.unwrap();
        let rows = store.load().await.unwrap().rows;
        let kept: Vec<_> = rows.iter().filter(|row| matches!(row, Row::Attempt(_) | Row::Lease(_))).collect();
        assert_eq!(kept.len(), 2);
        assert_eq!(kept[0], &Row::Attempt(Box::new(failed(RUN, 0))));
        let end = vec![Row::Run(run_row(RUN, RunState::Completed)), Row::Lease(Box::new(ended(lane(2))))];
        store.commit(Batch { rows: end, ..Batch::default() }).await.unwrap();
        assert_eq!(store.load().await.unwrap().rows, []);
        assert_eq!(store.load().await.unwrap().last_lease, LeaseId(2), "no number is given twice");
        assert_eq!(store::lease::find(&mut store.read().await.unwrap(), LeaseId(2)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_batch_is_written_whole_or_not_at_all() {
    for fresh in both().await {
        let store = &fresh.store;
        store.commit(begun(RUN, &plan("demo", 1), RunState::Running)).await.unwrap();
        // The event is there already: the attempt beside it must not stay.
        let refused = store.commit(Batch { events: vec![note(RUN, 1)], ..attempts([passed(RUN, 0)]) }).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))));
        let mut conn = store.read().await.unwrap();
        assert!(store::attempt::of_tests(&mut conn, RUN, 0..9).await.unwrap().is_empty());
        // A run without a plan is refused, too.
        drop(conn);
        let rows = vec![Row::Run(run_row(RunId(9), RunState::Running))];
        assert!(store.commit(Batch { rows, ..Batch::default() }).await.is_err());
    }
}

#[tokio::test]
async fn many_rows_at_once() {
    for fresh in both().await {
        let store = &fresh.store;
        // Not a multiple of any number of rows per statement.
        let count = 1_000 + 256 + 16 + 3;
        store.commit(begun(RUN, &plan("big", count), RunState::Running)).await.unwrap();
        let events = (2..5_000).map(|seq| note(RUN, seq)).collect();
        let rows = (0..count).map(|test| if test % 3 == 0 { failed(RUN, test) } else { passed(RUN, test) });
        store.commit(Batch { events, ..attempts(rows) }).await.unwrap();
        let mut conn = store.read().await.unwrap();
        let all = store::attempt::of_tests(&mut conn, RUN, 0..u32::MAX).await.unwrap();
        assert_eq!(all.len(), usize::try_from(count).unwrap());
        assert_eq!(all[3], failed(RUN, 3));
        let summary = store::run::summary(&mut conn, RUN).await.unwrap().unwrap();
        assert_eq!(summary.counts, BTreeMap::from([(Verdict::Pass, 850), (Verdict::Fail, 425)]));
        let first = store::attempt::foremost(&mut conn, RUN, 427).await.unwrap();
        let first: Vec<_> = first.iter().map(|brief| brief.test.0).collect();
        assert_eq!((first[..2].to_vec(), first[424..].to_vec()), (vec![0, 3], vec![1_272, 1, 2]));
        let events = store::event::after(&mut conn, RUN, 4_990, 100).await.unwrap();
        assert_eq!(
            events.iter().map(|event| event.seq).collect::<Vec<_>>(),
            (4_991..5_000).collect::<Vec<_>>()
        );
        assert_eq!(events[0], note(RUN, 4_991));
        assert_eq!(store::event::after(&mut conn, RUN, 0, 7).await.unwrap().len(), 7);
        let told = store::event::of_facts(&mut conn, RUN, 4_990, 7, &["paused", "note"]).await.unwrap();
        assert_eq!(told.len(), 7);
        for nothing in ["", "not", "n%", "paused"] {
            let told = store::event::of_facts(&mut conn, RUN, 0, 7, &[nothing]).await.unwrap();
            assert!(told.is_empty(), "{nothing}");
        }
    }
}

#[tokio::test]
async fn runs_are_listed_newest_first_in_pages() {
    for fresh in both().await {
        let store = &fresh.store;
        for (number, project) in [(1, "demo"), (2, "night"), (3, "demo"), (4, "demo")] {
            let state = if number < 3 { RunState::Completed } else { RunState::Running };
            store.commit(begun(RunId(number), &plan(project, 2), state)).await.unwrap();
        }
        let counts = BTreeMap::from([(Verdict::Pass, 2)]);
        let fact = Fact::Ended { state: RunState::Completed, counts: counts.clone() };
        let end = RunEvent { run: RunId(1), seq: 2, at: Time(9_000), fact };
        store.commit(Batch { events: vec![end], ..Batch::default() }).await.unwrap();
        let mut conn = store.read().await.unwrap();
        let mut list = async |filter: Filter, after: Option<u64>, limit| {
            let page = store::run::list(&mut conn, &filter, after.map(RunId), limit).await.unwrap();
            (page.items.iter().map(|run| run.id.0).collect::<Vec<_>>(), page.next)
        };
        assert_eq!(list(Filter::default(), None, 3).await, (vec![4, 3, 2], Some("2".to_owned())));
        assert_eq!(list(Filter::default(), Some(2), 3).await, (vec![1], None));
        let demo = Filter { project: Some("demo".to_owned()), open: Some(true), ..Filter::default() };
        assert_eq!(list(demo, None, 10).await.0, [4, 3]);
        let bob = Filter { owner: Some("bob".into()), ..Filter::default() };
        assert!(list(bob, None, 10).await.0.is_empty());
        let text = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
        assert_eq!(list(text("DEM"), None, 10).await.0, [4, 3, 1]);
        assert_eq!(list(text("3"), None, 10).await.0, [3]);
        assert!(list(text("d%o"), None, 10).await.0.is_empty(), "what is typed is no pattern");
        let failed = Filter { failed: true, ..Filter::default() };
        assert!(list(failed.clone(), None, 10).await.0.is_empty());
        let newest = store::run::newest_of_each(&mut conn, None, 2).await.unwrap();
        let newest: Vec<_> = newest.iter().map(|run| (run.project.as_str(), run.id.0)).collect();
        assert_eq!(newest, [("demo", 4), ("demo", 3), ("night", 2)]);
        let bobs = store::run::newest_of_each(&mut conn, Some(&"bob".into()), 2).await.unwrap();
        assert!(bobs.is_empty());
        let one = store::run::summary(&mut conn, RunId(1)).await.unwrap().unwrap();
        assert_eq!((one.project.as_str(), one.user.as_str(), one.tests), ("demo", "ana", 2));
        assert_eq!((one.counts, one.ended), (counts, Some(Time(9_000))));
        assert!(store::run::summary(&mut conn, RunId(77)).await.unwrap().is_none());
        assert_eq!(
            store::run::row(&mut conn, RunId(3)).await.unwrap(),
            Some(run_row(RunId(3), RunState::Running))
        );
        drop(conn);
        let counts = BTreeMap::from([(Verdict::Pass, 1), (Verdict::NotExecuted, 1)]);
        let fact = Fact::Ended { state: RunState::Stopped, counts };
        let end = RunEvent { run: RunId(2), seq: 2, at: Time(9_000), fact };
        store.commit(Batch { events: vec![end], ..Batch::default() }).await.unwrap();
        let page = store::run::list(&mut store.read().await.unwrap(), &failed, None, 10).await.unwrap();
        assert_eq!(page.items.iter().map(|run| run.id.0).collect::<Vec<_>>(), [2]);
    }
}

#[tokio::test]
async fn tests_are_listed_by_place_and_by_state() {
    for fresh in both().await {
        let store = &fresh.store;
        store.commit(begun(RUN, &plan("demo", 8), RunState::Running)).await.unwrap();
        let stopped = attempt(RUN, 5, 1, AttemptState::Returned);
        let decided = jackfield_scheduler::effect::AttemptRow {
            end: passed(RUN, 5).end,
            ..attempt(RUN, 5, 0, AttemptState::Ended)
        };
        let rows = [
            passed(RUN, 0),
            failed(RUN, 1),
            attempt(RUN, 2, 1, AttemptState::Returned),
            attempt(RUN, 2, 2, AttemptState::Started),
            attempt(RUN, 3, 1, AttemptState::Assigned),
            stopped,
            decided,
        ];
        store.commit(attempts(rows)).await.unwrap();
        let list = async |from: u32, limit, state| {
            let page = store::test::page(store, RUN, TestIndex(from), limit, state).await.unwrap().unwrap();
            (page.items.iter().map(|row| row.test.0).collect::<Vec<_>>(), page.next)
        };
        assert_eq!(list(0, 5, None).await, (vec![0, 1, 2, 3, 4], Some("5".to_owned())));
        assert_eq!(list(5, 5, None).await, (vec![5, 6, 7], None));
        let ended = |verdict| Some(TestState::Ended(verdict));
        assert_eq!(list(0, 5, ended(Verdict::Pass)).await.0, [0, 5]);
        assert_eq!(list(0, 1, ended(Verdict::Pass)).await, (vec![0], Some("1".to_owned())));
        assert_eq!(list(1, 1, ended(Verdict::Pass)).await.0, [5]);
        assert_eq!(list(0, 9, Some(TestState::Working)).await.0, [2]);
        assert_eq!(list(0, 3, Some(TestState::Pending)).await, (vec![3, 4, 6], Some("7".to_owned())));
        let page = store::test::page(store, RUN, TestIndex(0), 9, None).await.unwrap().unwrap();
        let (one, two, five) = (&page.items[1], &page.items[2], &page.items[5]);
        assert_eq!(one.state, TestState::Ended(Verdict::Fail));
        assert_eq!((one.suite.as_slice(), one.elapsed_millis), (["Suite 1".to_owned()].as_slice(), 345));
        assert_eq!((two.state, two.attempt.unwrap().attempt), (TestState::Working, 2));
        assert_eq!((five.state, five.attempt), (TestState::Ended(Verdict::Pass), None));
        assert!(store::test::page(store, RunId(9), TestIndex(0), 9, None).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn run_numbers_are_never_given_twice() {
    for fresh in both().await {
        assert_eq!((fresh.store.next_run(), fresh.store.next_run()), (RunId(1), RunId(2)));
        fresh.store.commit(begun(RunId(2), &plan("demo", 1), RunState::Completed)).await.unwrap();
        let again = Store::open(&fresh.url, Time(9)).await.unwrap();
        assert_eq!(again.next_run(), RunId(3));
    }
}

#[tokio::test]
async fn eps_keep_what_each_side_knows_of_them() {
    for fresh in both().await {
        let store = &fresh.store;
        let name = ep().ep;
        let host = jackfield_protocol::link::Host { name: "bench7".to_owned(), ..Default::default() };
        let seen = EpSeen { ep: name.clone(), at: Time(4), host, software: "jackfield 0.1".to_owned() };
        let batch = Batch { rows: vec![Row::Ep(ep())], seen: vec![seen.clone()], ..Batch::default() };
        store.commit(batch).await.unwrap();
        // The scheduler's row changes nothing of the rest.
        let changed = EpRow { drained: false, drained_by: None, gone: None, ..ep() };
        store.commit(Batch { rows: vec![Row::Ep(changed.clone())], ..Batch::default() }).await.unwrap();
        let mut conn = store.read().await.unwrap();
        assert_eq!(store::ep::list(&mut conn).await.unwrap(), [changed]);
        assert_eq!(store::ep::seen(&mut conn).await.unwrap(), BTreeMap::from([(name, seen)]));
    }
}

#[tokio::test]
async fn artifacts_and_client_keys_come_back() {
    for fresh in both().await {
        let store = &fresh.store;
        let attempt = passed(RUN, 0).attempt;
        let left =
            Artifact { attempt, name: "trace.pcap".into(), hash: jackfield_protocol::id::BlobHash([7; 32]) };
        let key = Submission { owner: "ana".into(), key: "ci-123".to_owned(), run: RUN };
        let batch = Batch {
            artifacts: vec![left.clone(), left.clone()],
            submissions: vec![key.clone()],
            ..Batch::default()
        };
        store.commit(batch).await.unwrap();
        let again = store.commit(Batch { submissions: vec![key], ..Batch::default() }).await;
        assert!(again.is_err(), "a key starts one run");
        let mut conn = store.read().await.unwrap();
        assert_eq!(store::attempt::artifacts(&mut conn, attempt).await.unwrap(), [left]);
        assert_eq!(store::submission::find(&mut conn, &"ana".into(), "ci-123").await.unwrap(), Some(RUN));
        assert_eq!(store::submission::find(&mut conn, &"bob".into(), "ci-123").await.unwrap(), None);
        assert_eq!(store::attempt::fetch(&mut conn, attempt).await.unwrap(), None);
    }
}

#[tokio::test]
async fn questions_are_found_among_other_events() {
    for fresh in both().await {
        let attempt = passed(RUN, 0).attempt;
        let interact = jackfield_protocol::link::Interact {
            kind: jackfield_protocol::link::InteractKind::Decide,
            message: "go on?".to_owned(),
            options: Vec::new(),
            default: serde_json::json!(false),
            timeout_millis: 1,
        };
        let asked = RunEvent { fact: Fact::Asked { attempt, question: 2, interact }, ..note(RUN, 2) };
        let fact = Fact::Answered { question: 2, by: None, answer: serde_json::json!(true) };
        let answered = RunEvent { fact, ..note(RUN, 3) };
        let events = vec![note(RUN, 1), asked.clone(), answered.clone(), note(RUN, 4)];
        fresh.store.commit(Batch { events, ..Batch::default() }).await.unwrap();
        let found = store::event::dialogue(&mut fresh.store.read().await.unwrap(), RUN).await.unwrap();
        assert_eq!(found, [asked, answered]);
    }
}

#[tokio::test]
async fn a_store_of_a_later_build_is_refused() {
    for fresh in both().await {
        let mut conn = fresh.store.write().await.unwrap();
        conn.run("INSERT INTO migration (step, applied) VALUES (99, 0)", vec![]).await.unwrap();
        conn.commit().await.unwrap();
        let refused = Store::open(&fresh.url, Time(9)).await.unwrap_err();
        assert!(matches!(refused, StoreError::Newer { store: 99, .. }), "{refused}");
    }
    assert!(matches!(Store::open("oracle://x", Time(0)).await, Err(StoreError::Url(_))));
}

#[tokio::test]
async fn a_run_that_has_ended_may_still_be_told_of() {
    for fresh in both().await {
        let store = &fresh.store;
        let fact = || Fact::Note { text: "the mail was refused".to_owned() };
        store.commit(begun(RUN, &plan("demo", 1), RunState::Running)).await.unwrap();
        let mut conn = store.write().await.unwrap();
        let open = store::event::append(&mut conn, RUN, Time(5), fact()).await.unwrap();
        assert_eq!(open, None, "the loop numbers the events of a run that goes on");
        drop(conn);
        let rows = vec![Row::Run(run_row(RUN, RunState::Completed))];
        store.commit(Batch { rows, ..Batch::default() }).await.unwrap();
        let mut conn = store.write().await.unwrap();
        let told = store::event::append(&mut conn, RUN, Time(5), fact()).await.unwrap().unwrap();
        assert_eq!((told.seq, told.at), (2, Time(5)));
        assert_eq!(store::event::after(&mut conn, RUN, 1, 9).await.unwrap(), [told]);
        assert_eq!(store::run::row(&mut conn, RUN).await.unwrap().unwrap().seq, 2);
    }
}

#[tokio::test]
async fn a_deed_and_its_line_of_the_audit_log_are_one() {
    for fresh in both().await {
        let store = &fresh.store;
        let submission = || Submission { owner: "ana".into(), key: "ci-1".to_owned(), run: RUN };
        let deed = |detail: &str| Deed::new(&"ana".into(), "run.start", RUN, detail);
        let batch = |detail| Batch {
            now: Time(4),
            audit: vec![deed(detail)],
            submissions: vec![submission()],
            ..Batch::default()
        };
        store.commit(batch("first")).await.unwrap();
        let refused = store.commit(batch("second")).await.unwrap_err();
        assert!(matches!(refused, StoreError::Conflict(_)), "{refused}");
        let lines =
            store::audit::list(&mut store.read().await.unwrap(), &store::audit::Filter::default(), None, 9)
                .await
                .unwrap();
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        let told = (line.who.as_str(), line.action.as_str(), line.target.as_str(), line.detail.as_str());
        assert_eq!((told, line.at), (("ana", "run.start", "1", "first"), Time(4)));
    }
}
