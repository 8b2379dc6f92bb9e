use std::collections::BTreeMap;

use actix_web::{http::Method, test::TestRequest};
use jackfield_protocol::{
    api::{Page, RunSnapshot, RunSummary, TestRow},
    error::ErrorCode,
    event::{Fact, RunEvent, RunState},
    id::{AttemptId, RunId, TestIndex},
    log::Stream,
    time::Time,
    verdict::{TestState, Verdict},
};
use jackfield_scheduler::effect::{AttemptState, Row};
use serde_json::{Value, json};

use super::lab::Lab;
use crate::{
    auth::Scope,
    store::{self, Batch, job::Work, tests::fixture::*},
};

const RUN: RunId = RunId(1);

/// A run that has ended: one test passed, one failed.
async fn ended(lab: &Lab) {
    lab.app.store.commit(begun(RUN, &plan("demo", 2), RunState::Running)).await.unwrap();
    let counts = BTreeMap::from([(Verdict::Pass, 1), (Verdict::Fail, 1)]);
    let fact = Fact::Ended { state: RunState::Completed, counts };
    let end = RunEvent { run: RUN, seq: 3, at: Time(9_000), fact };
    let mut batch = attempts([passed(RUN, 0), failed(RUN, 1)]);
    let mut row = run_row(RUN, RunState::Completed);
    row.seq = 3;
    batch.rows.push(Row::Run(row));
    batch.events = vec![note(RUN, 2), end];
    lab.app.store.commit(batch).await.unwrap();
}

#[actix_web::test]
async fn an_outline_has_every_test_in_brief() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    ended(&lab).await;
    let outline: Value = lab.get(&token, "/runs/1/outline").await.expect(200).json();
    assert_eq!((&outline["seq"], &outline["tests"], &outline["first"]), (&json!(3), &json!(2), &json!(0)));
    assert_eq!(outline["suites"], json!([{"name": "Suite 1"}]));
    assert_eq!(outline["state"], json!(["PASS", "FAIL"]));
    let word = |column: &str, test: usize| {
        let place = usize::try_from(outline[column][test].as_u64().unwrap()).unwrap();
        outline["words"][place].as_str().unwrap().to_owned()
    };
    assert_eq!((word("name", 1), word("file", 1)), ("t1.py".to_owned(), "tests/t1.py".to_owned()));
    let test: TestRow = lab.get(&token, "/runs/1/tests/1").await.expect(200).json();
    assert_eq!(word("reason", 1), test.reason);
    assert_eq!(word("ep", 1), test.ep.unwrap().to_string());
    assert_eq!(outline["elapsed"][1], json!(test.elapsed_millis));
    assert_eq!(outline["started"][1], json!(test.started.unwrap().0));
    let rest: Value = lab.get(&token, "/runs/1/outline?from=1").await.expect(200).json();
    assert_eq!((&rest["first"], &rest["state"]), (&json!(1), &json!(["FAIL"])));
    lab.get(&token, "/runs/77/outline").await.expect(404);
    // What needs a look first, before all of it.
    let first: Value = lab.get(&token, "/runs/1/outline?foremost=1").await.expect(200).json();
    assert_eq!((&first["test"], &first["state"]), (&json!([1]), &json!(["FAIL"])));
    assert_eq!((&first["tests"], &first["seq"]), (&json!(2), &json!(3)));
    let first: Value = lab.get(&token, "/runs/1/outline?foremost=9").await.expect(200).json();
    assert_eq!((&first["test"], &first["state"]), (&json!([1, 0]), &json!(["FAIL", "PASS"])));
    lab.get(&token, "/runs/77/outline?foremost=9").await.expect(404);
}

fn attempt_id(test: u32) -> AttemptId {
    AttemptId { run: RUN, test: TestIndex(test), attempt: 1 }
}

#[actix_web::test]
async fn runs_and_their_tests_are_listed_and_shown() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    ended(&lab).await;
    let runs: Page<RunSummary> = lab.get(&token, "/runs").await.expect(200).json();
    assert_eq!((runs.items.len(), runs.items[0].counts[&Verdict::Fail]), (1, 1));
    assert!(lab.get(&token, "/runs?open=true").await.json::<Page<RunSummary>>().items.is_empty());
    let run: Value = lab.get(&token, "/runs/1").await.expect(200).json();
    assert_eq!(
        (&run["state"], &run["seq"], &run["project"]),
        (&json!("completed"), &json!(3), &json!("demo"))
    );
    let tests: Page<TestRow> = lab.get(&token, "/runs/1/tests?state=fail").await.expect(200).json();
    assert_eq!(tests.items[0].state, TestState::Ended(Verdict::Fail));
    assert_eq!(
        lab.get(&token, "/runs/1/tests?limit=1").await.json::<Page<TestRow>>().next.as_deref(),
        Some("1")
    );
    let one: TestRow = lab.get(&token, "/runs/1/tests/1").await.expect(200).json();
    assert_eq!(one.attempt, Some(attempt_id(1)));
    let attempt: Value = lab.get(&token, "/attempts/1.1.1").await.expect(200).json();
    assert_eq!((&attempt["exit_code"], &attempt["outcome"]["verdict"]), (&json!(1), &json!("FAIL")));
    assert_eq!(attempt["variables"], json!({"build": "7.2"}));
    let events: Page<RunEvent> = lab.get(&token, "/runs/1/events?limit=2").await.expect(200).json();
    assert_eq!((events.items.len(), events.next.as_deref()), (2, Some("2")));
    assert_eq!(
        lab.get(&token, "/runs/1/events?after=3").await.json::<Page<RunEvent>>(),
        Page { items: vec![], next: None }
    );
    assert_eq!(lab.get(&token, "/runs/1/why").await.expect(200).json::<Value>(), json!([]));
    assert_eq!(lab.get(&token, "/runs/1/questions").await.expect(200).json::<Value>(), json!([]));
    assert_eq!(lab.get(&token, "/runs/1/plan").await.expect(200).json::<Value>()["project"], json!("demo"));
}

#[actix_web::test]
async fn what_is_not_there_or_not_right_is_a_problem_document() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    ended(&lab).await;
    for path in [
        "/runs/9",
        "/runs/9/tests",
        "/runs/9/events",
        "/runs/9/live",
        "/runs/9/why",
        "/runs/x",
        "/runs/1/tests/7",
        "/attempts/1.1.9",
        "/attempts/1",
        "/attempts/1.1.1/logs/err",
        "/eps/EP-9",
        "/suts/none.system",
        "/nothing",
        "/runs/9/junit.xml",
    ] {
        assert_eq!(lab.get(&token, path).await.expect(404).problem(), ErrorCode::NotFound, "{path}");
    }
    for path in ["/runs?limit=many", "/runs?after=x", "/runs/1/tests?state=great"] {
        assert_eq!(lab.get(&token, path).await.expect(400).problem(), ErrorCode::BadRequest, "{path}");
    }
    for body in [json!({}), json!({"project": 7}), json!("x")] {
        assert_eq!(lab.post(&token, "/runs", body).await.expect(400).problem(), ErrorCode::BadRequest);
    }
    assert_eq!(
        lab.post(&token, "/runs", json!({"project": "none"})).await.expect(404).problem(),
        ErrorCode::NotFound
    );
    let not_json =
        TestRequest::post().uri("/api/v1/runs").insert_header(("Authorization", format!("Bearer {token}")));
    lab.send(not_json.set_payload("x")).await.expect(400);
    // It has ended: there is nothing left to control.
    for what in ["pause", "resume", "stop"] {
        let refused = lab.post(&token, &format!("/runs/1/{what}"), json!({})).await;
        assert!(
            matches!(refused.problem(), ErrorCode::WrongState | ErrorCode::NotFound),
            "{what}: {}",
            refused.text()
        );
    }
}

#[actix_web::test]
async fn a_live_page_shows_everything_and_ends_with_the_run() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    ended(&lab).await;
    let got = lab.get(&token, "/runs/1/live").await.expect(200);
    assert_eq!(got.header("content-type"), "text/event-stream");
    let text = got.text();
    let snapshot = text.strip_prefix("id: 3\nevent: snapshot\ndata: ").unwrap().split('\n').next().unwrap();
    let snapshot: RunSnapshot = serde_json::from_str(snapshot).unwrap();
    assert_eq!((snapshot.seq, snapshot.run.state), (3, RunState::Completed));
    let all = lab.get(&token, "/runs/1/live?after=0").await.expect(200).text();
    let data: Vec<RunEvent> = all
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert_eq!(data.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3]);
    let resumed = TestRequest::get()
        .uri("/api/v1/runs/1/live?after=0")
        .insert_header(("Authorization", format!("Bearer {token}")))
        .insert_header(("Last-Event-ID", "2"));
    let rest = lab.send(resumed).await.expect(200).text();
    assert!(rest.starts_with("id: 3\nevent: run\n"), "{rest}");
}

#[actix_web::test]
async fn logs_are_read_by_range_and_followed_to_their_end() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    ended(&lab).await;
    let bytes = b"show ip route\nC 10.0.0.0/8\n<script>\xff".to_vec();
    lab.app.logs.write(attempt_id(1), Stream::Cli, 0, bytes.clone()).await.unwrap();
    let path = "/attempts/1.1.1/logs/cli";
    let got = lab.get(&token, path).await.expect(200);
    assert_eq!(got.body, bytes);
    assert_eq!(
        (got.header("content-type"), got.header("x-content-type-options")),
        ("text/plain; charset=utf-8", "nosniff")
    );
    let range = |range: &str| {
        let request = TestRequest::get()
            .uri(&format!("/api/v1{path}"))
            .insert_header(("Authorization", format!("Bearer {token}")));
        lab.send(request.insert_header(("Range", range.to_owned())))
    };
    let got = range("bytes=5-6").await.expect(206);
    assert_eq!((got.text().as_str(), got.header("content-range")), ("ip", "bytes 5-6/36"));
    assert_eq!(range("bytes=-1").await.expect(206).body, b"\xff");
    assert_eq!(range("bytes=36-").await.expect(416).header("content-range"), "bytes */36");
    assert_eq!(lab.get(&token, &format!("{path}?follow=true&from=14")).await.expect(200).body, bytes[14..]);
    assert!(lab.get(&token, "/attempts/1.0.1/logs/cli").await.expect(200).body.is_empty());
    let attempt: Value = lab.get(&token, "/attempts/1.1.1").await.json();
    assert_eq!(attempt["logs"], json!({"cli": 36}));
    lab.app.logs.pack(RUN).await.unwrap();
    assert_eq!(lab.get(&token, path).await.expect(200).body, bytes);
}

#[actix_web::test]
async fn a_log_says_how_much_of_it_is_still_to_come() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    lab.app.store.commit(begun(RUN, &plan("demo", 2), RunState::Running)).await.unwrap();
    let log_bytes = BTreeMap::from([(Stream::Cli, 14)]);
    let mut ended = passed(RUN, 1);
    ended.end.as_mut().unwrap().log_bytes = log_bytes;
    let running = attempt(RUN, 0, 1, AttemptState::Started);
    lab.app.store.commit(attempts([ended, running])).await.unwrap();
    let path = "/attempts/1.1.1/logs/cli";
    let header = |path: &'static str, name: &'static str| {
        let got = lab.get(&token, path);
        async move { got.await.expect(200).header(name).to_owned() }
    };
    lab.app.logs.write(attempt_id(1), Stream::Cli, 0, b"first, ".to_vec()).await.unwrap();
    assert_eq!(header(path, "jackfield-log-stored").await, "7");
    assert_eq!(header(path, "jackfield-log-expected").await, "14");
    let detail: Value = lab.get(&token, "/attempts/1.1.1").await.json();
    assert_eq!((&detail["logs"], &detail["logs_expected"]), (&json!({"cli": 7}), &json!({"cli": 14})));
    let running: Value = lab.get(&token, "/attempts/1.0.1").await.json();
    assert_eq!(running.get("logs_expected"), None);
    // Who follows it gets the rest, although its test has ended.
    let rest = async {
        while lab.app.logs.followers() == 0 {
            tokio::task::yield_now().await;
        }
        lab.app.logs.write(attempt_id(1), Stream::Cli, 7, b"then\n".to_vec()).await.unwrap();
        lab.app.logs.write(attempt_id(1), Stream::Cli, 12, b"..".to_vec()).await.unwrap();
    };
    let (log, ()) = futures_util::future::join(lab.get(&token, &format!("{path}?follow=true")), rest).await;
    assert_eq!(log.expect(200).text(), "first, then\n..");
    assert_eq!(header(path, "jackfield-log-expected").await, "14");
}

#[actix_web::test]
async fn what_happens_while_one_watches_is_shown_at_once() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    lab.app.store.commit(begun(RUN, &plan("demo", 1), RunState::Running)).await.unwrap();
    let started = attempt(RUN, 0, 1, AttemptState::Started);
    lab.app.store.commit(attempts([started])).await.unwrap();
    let write = async |offset: u64, bytes: &'static [u8]| {
        lab.app.logs.write(attempt_id(0), Stream::Cli, offset, bytes).await.unwrap();
    };
    write(0, b"first ").await;
    let happen = async {
        // Both readers are at the end of what there is before anything happens.
        while lab.app.live.watchers() == 0 || lab.app.logs.followers() == 0 {
            tokio::task::yield_now().await;
        }
        write(6, b"second").await;
        let fact = Fact::Ended { state: RunState::Completed, counts: BTreeMap::new() };
        let events = vec![note(RUN, 2), RunEvent { run: RUN, seq: 3, at: Time(9), fact }];
        let mut batch = attempts([passed(RUN, 0)]);
        batch.rows.push(Row::Run(jackfield_scheduler::effect::RunRow {
            seq: 3,
            ..run_row(RUN, RunState::Completed)
        }));
        batch.events = events.clone();
        lab.app.store.commit(batch).await.unwrap();
        lab.app.live.publish(&events);
    };
    let live = lab.get(&token, "/runs/1/live?after=1");
    let log = lab.get(&token, "/attempts/1.0.1/logs/cli?follow=true");
    let (live, log, ()) = futures_util::future::join3(live, log, happen).await;
    let seqs: Vec<_> =
        live.text().lines().filter_map(|line| line.strip_prefix("id: ").map(str::to_owned)).collect();
    assert_eq!(seqs, ["2", "3"]);
    assert_eq!(log.text(), "first second");
    assert_eq!(lab.app.live.watchers(), 0);
}

#[actix_web::test]
async fn reports_are_made_on_demand() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    ended(&lab).await;
    lab.app.logs.write(attempt_id(1), Stream::Cli, 0, b"what the router said".to_vec()).await.unwrap();
    let junit = lab.get(&token, "/runs/1/junit.xml").await.expect(200);
    assert!(
        junit.text().contains("failures=\"1\"") && junit.text().contains("what the router said"),
        "{}",
        junit.text()
    );
    let html = lab.get(&token, "/runs/1/report.html").await.expect(200).text();
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("t1.py"));
    assert!(lab.get(&token, "/runs/1/summary.txt").await.expect(200).text().contains("FAIL"));
    let csv = lab.get(&token, "/runs/1/report.csv").await.expect(200).text();
    assert!(csv.starts_with("test,suite,name,") && csv.contains("t1.py,"), "{csv}");
    let whole: Value = lab.get(&token, "/runs/1/report.json").await.expect(200).json();
    assert_eq!(whole.pointer("/tests/1/state"), Some(&json!("FAIL")), "{whole}");
    let tap = lab.get(&token, "/runs/1/report.tap").await.expect(200).text();
    assert!(tap.starts_with("TAP version 14\n1..2\nok 1 - ") && tap.contains("\nnot ok 2 - "), "{tap}");
}

#[actix_web::test]
async fn what_did_not_pass_is_run_again() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Run).await;
    ended(&lab).await;
    // The number of the next run was taken when the store was opened; the fixture did not ask for one.
    lab.app.store.next_run();
    let again: Value = lab.post(&token, "/runs/1/retry", json!({})).await.expect(201).json();
    let retry = again["run"].clone();
    let of = async |path: String| lab.get(&token, &path).await.expect(200).json::<Value>();
    assert_eq!(of("/runs/1".to_owned()).await["retried_by"], json!([retry]));
    assert_eq!(of(format!("/runs/{retry}")).await["retry_of"], json!(1));
    assert_eq!(of("/runs".to_owned()).await["items"][0]["retry_of"], json!(1));
    let run = &again["run"];
    let tests: Page<TestRow> = lab.get(&token, &format!("/runs/{run}/tests")).await.expect(200).json();
    assert_eq!(tests.items.iter().map(|test| test.name.as_str()).collect::<Vec<_>>(), ["t1.py"]);
    let summary: RunSummary = lab.get(&token, &format!("/runs/{run}")).await.expect(200).json();
    assert_eq!((summary.user.as_str(), summary.tests), ("admin", 1));
    let refused = lab.post(&token, &format!("/runs/{run}/retry"), json!({})).await.expect(409);
    assert_eq!(refused.problem(), ErrorCode::WrongState);
    lab.post(&token, &format!("/runs/{run}/stop"), json!({"reason": "enough"})).await.expect(204);
    let events: Page<RunEvent> = lab.get(&token, &format!("/runs/{run}/events")).await.expect(200).json();
    assert!(
        events
            .items
            .iter()
            .any(|event| matches!(&event.fact, Fact::Stopping { reason, .. } if reason == "enough"))
    );
}

#[actix_web::test]
async fn others_cannot_control_ones_run() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    // Ana's run.
    let begun = Batch { rows: begun(RUN, &plan("demo", 2), RunState::Running).rows, ..Batch::default() };
    lab.app.store.commit(begun).await.unwrap();
    lab.post(&admin, "/users", json!({"name": "bob", "password": "correct horse", "groups": ["tester"]}))
        .await
        .expect(201);
    let body = json!({"user": "bob", "password": "correct horse", "token": "x"});
    let got = lab.send(TestRequest::post().uri("/api/v1/login").set_json(body)).await.expect(200);
    let bob = got.json::<Value>()["token"].as_str().unwrap().to_owned();
    for what in ["pause", "resume", "stop", "queue", "dequeue", "save", "questions/1"] {
        let body = json!({"tests": [], "files": [], "answer": null});
        let refused = lab.post(&bob, &format!("/runs/1/{what}"), body).await.expect(403);
        assert!(refused.text().contains("run 1 is ana's"), "{what}: {}", refused.text());
    }
}

#[actix_web::test]
async fn a_run_is_deleted_with_all_that_is_known_of_it() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    ended(&lab).await;
    lab.app.logs.write(attempt_id(0), Stream::Cli, 0, b"said".to_vec()).await.unwrap();
    let mut conn = lab.app.store.write().await.unwrap();
    store::job::enqueue(&mut conn, Time(1), &[Work::SaveRun { run: RUN }]).await.unwrap();
    conn.commit().await.unwrap();
    let delete = async |status| lab.with(&token, Method::DELETE, "/runs/1", None).await.expect(status);
    assert_eq!(delete(409).await.problem(), ErrorCode::WrongState, "something is still to be done for it");
    let mut conn = lab.app.store.write().await.unwrap();
    let job = store::job::of_run(&mut conn, RUN).await.unwrap().remove(0);
    store::job::failed(&mut conn, job.id, &job.work, 1, None, "hopeless").await.unwrap();
    conn.commit().await.unwrap();
    delete(204).await;
    for path in ["/runs/1", "/runs/1/tests", "/runs/1/plan", "/attempts/1.0.1", "/runs/1/jobs"] {
        lab.get(&token, path).await.expect(404);
    }
    assert!(lab.get(&token, "/runs").await.json::<Page<RunSummary>>().items.is_empty());
    assert!(lab.app.logs.list(attempt_id(0)).await.unwrap().is_empty());
    delete(404).await;
    lab.app.store.commit(begun(RunId(2), &plan("demo", 1), RunState::Running)).await.unwrap();
    let going = lab.with(&token, Method::DELETE, "/runs/2", None).await.expect(409);
    assert_eq!(going.problem(), ErrorCode::WrongState);
}
