//! Several people on one engine: whose work an EP takes, and what somebody is told who may not do a thing.

use std::time::Duration;

use anyhow::Result;
use jackfield_protocol::{
    api::{EpRow, Waiting},
    error::Problem,
    event::RunState,
    verdict::TestState,
};
use jackfield_tests::{Bench, api::Api, wait};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);
const PROJECT: &str = "<Root><TestSuite><tsName>all</tsName><ID>s</ID><EpNames></EpNames>\
    <TestCase><tcName>a.sh</tcName><ID>t</ID></TestCase></TestSuite></Root>";

/// Of somebody who runs tests and takes leases.
pub(crate) const ROLES: [&str; 4] = ["RUN_TESTS", "VIEW_REPORTS", "LOCK_TESTBED", "LOCK_SUT"];

/// A user with these roles, logged in: what a script of theirs would use.
pub(crate) fn join(bench: &Bench, name: &str, roles: &[&str]) -> Result<Api> {
    let password = format!("{name} likes switches");
    let body = json!({"name": name, "password": password, "roles": roles});
    bench.api.post::<Value>("/users", &body)?;
    let mut api = Api::new(&bench.api.url);
    let made: Value = api.post("/login", &json!({"user": name, "password": password, "token": "scripts"}))?;
    made.get("token").and_then(Value::as_str).unwrap().clone_into(&mut api.token);
    Ok(api)
}

fn refused(api: &Api, method: &str, path: &str, body: &Value) -> Problem {
    let (status, text) = api.request(method, path, Some(body)).unwrap();
    assert_eq!(status, 403, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn an_ep_of_anas_pool_takes_no_work_of_bob() {
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/a.sh", "#!/bin/sh\nexit 0\n").unwrap();
    let ana = join(&bench, "ana", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    let bob = join(&bench, "bob", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    bench.start_ep("EP-1", "pool = \"ana\"\n").unwrap();
    let row: EpRow = bob.get("/eps/EP-1").unwrap();
    assert_eq!(row.pool.unwrap().as_str(), "ana");
    let his = bob.submit("his", PROJECT).unwrap();
    let hers = ana.submit("hers", PROJECT).unwrap();
    let summary = ana.wait(hers, LIMIT).unwrap();
    assert_eq!(summary.state, RunState::Completed);
    assert_eq!(bob.tests(his).unwrap()[0].state, TestState::Pending);
    let why: Vec<Waiting> = bob.get(&format!("/runs/{his}/why")).unwrap();
    assert_eq!(why[0].waits_for, "a free EP for bob: EP-1 takes only work of ana");
    let told = bench.jackfield(&["runs", "why", &his.to_string()]).unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("takes only work of ana"), "{told}");
    bench.start_ep("EP-2", "").unwrap();
    bob.wait(his, LIMIT).unwrap();
    assert_eq!(bob.tests(his).unwrap()[0].ep.as_ref().unwrap().as_str(), "EP-2");
}

#[test]
fn a_token_of_bob_offers_no_ep_to_ana() {
    let mut bench = Bench::start("").unwrap();
    let admin = bench.api.clone();
    join(&bench, "ana", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    let operator = ["RUN_TESTS", "VIEW_REPORTS", "CHANGE_SERVICES"];
    bench.api = join(&bench, "bob", &operator).unwrap();
    // As long as he operates the engine, he may; his tokens outlive that.
    bench.start_ep("EP-1", "pool = \"ana\"\n").unwrap();
    bench.start_ep("EP-2", "pool = \"bob\"\n").unwrap();
    bench.kill_ep("EP-1");
    bench.kill_ep("EP-2");
    let less = json!({"roles": ["RUN_TESTS", "VIEW_REPORTS"]});
    admin.put::<Value>("/users/bob", &less).unwrap();
    bench.start_ep("EP-2", "").unwrap();
    bench.launch_ep("EP-1", "").unwrap();
    let status = wait::until(LIMIT, "the EP to end", || Ok(bench.ep("EP-1").ended())).unwrap();
    assert_eq!(status.code(), Some(2));
    let told = bench.ep_log("EP-1");
    assert!(told.contains("wants to take the work of ana, but its token is one of bob"), "{told}");
    assert!(told.contains("set pool = \"bob\" in ep.toml"), "{told}");
}

#[test]
fn somebody_who_may_not_is_told_what_is_lacking_them_or_their_token() {
    let bench = Bench::start("").unwrap();
    let eve = join(&bench, "eve", &["VIEW_REPORTS"]).unwrap();
    let submit = json!({"project": "p.xml", "xml": PROJECT});
    let told = refused(&eve, "POST", "/runs", &submit).title;
    assert_eq!(told, "eve may not do this; it needs the role RUN_TESTS");
    let made: Value =
        bench.api.post("/tokens", &json!({"name": "looks on", "scope": "read", "days": 1})).unwrap();
    let mut reader = bench.api.clone();
    made["token"].as_str().unwrap().clone_into(&mut reader.token);
    let told = refused(&reader, "POST", "/runs", &submit).title;
    assert!(told.starts_with("a `read` token is not enough for this; it needs the role RUN_TESTS"), "{told}");
}
