//! A right is taken away while it is in use: what goes on with it ends, and what was queued with it does not begin.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use jackfield_protocol::{
    api::EpState,
    event::RunState,
    id::RunId,
    verdict::{TestState, Verdict},
};
use jackfield_tests::{Bench, api::Api, process::Process, wait};
use serde_json::{Value, json};

use crate::{cleanup, console::Sitting, people::join};

const LIMIT: Duration = Duration::from_secs(60);
/// Well below the time after which a look without a word would have found it.
const SOON: Duration = Duration::from_secs(10);
const ROLES: [&str; 2] = ["RUN_TESTS", "VIEW_REPORTS"];

fn lab() -> (Bench, Process) {
    let mut bench = Bench::start("").unwrap();
    let simulator = cleanup::router(&mut bench);
    let wait = format!(
        "#!/bin/sh\ntouch {0}/begun\nwhile [ ! -e {0}/enough ]; do sleep 0.05; done\n",
        bench.path().display()
    );
    bench.write("tests/wait.sh", &wait).unwrap();
    (bench, simulator)
}

/// Something that somebody reads as long as it is sent.
struct Reading(TcpStream);

impl Reading {
    fn begin(bench: &Bench, api: &Api, path: &str) -> Self {
        let mut stream = TcpStream::connect(bench.address().unwrap()).unwrap();
        let token = &api.token;
        let request =
            format!("GET /api/v1{path} HTTP/1.1\r\nHost: engine\r\nAuthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(String::from_utf8_lossy(&head), "HTTP/1.1 200");
        Self(stream)
    }

    /// Reads on until nothing more can come.
    fn ends(mut self) {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
    }
}

fn project(files: &[&str]) -> String {
    let cases: String =
        files.iter().map(|file| format!("<TestCase><tcName>{file}</tcName></TestCase>")).collect();
    format!("<Root><TestSuite><tsName>a</tsName><EpId>EP-1</EpId>{cases}</TestSuite></Root>")
}

fn begun(bench: &Bench) {
    let file = bench.path().join("begun");
    wait::until(LIMIT, "a test to begin", || Ok(file.try_exists()?.then_some(()))).unwrap();
}

fn stopped_with(bench: &Bench, run: RunId, why: &str) {
    let summary = bench.api.wait(run, LIMIT).unwrap();
    assert_eq!(summary.state, RunState::Stopped);
    let detail: Value = bench.api.get(&format!("/runs/{run}")).unwrap();
    assert_eq!(detail.pointer("/stopped/reason"), Some(&json!(why)), "{detail}");
}

#[test]
fn a_role_that_is_taken_away_takes_consoles_pages_and_queued_runs_with_it() {
    let (bench, _simulator) = lab();
    let ana = join(&bench, "ana", &ROLES).unwrap();
    let bob = join(&bench, "bob", &ROLES).unwrap();
    bench.wait_for_ep("EP-1", |state| state != EpState::Offline).unwrap();
    let first = ana.submit("first", &project(&["wait.sh", "wait.sh"])).unwrap();
    begun(&bench);
    let queued = ana.submit("queued", &project(&["wait.sh"])).unwrap();
    let his = bob.submit("his", &project(&["wait.sh"])).unwrap();
    let mut console = Sitting::begin(&bench, &ana, "ana", &["/lab/router", "--quiet", "300"]);
    console.types("show version\n");
    console.awaits("uptime");
    let follows = Reading::begin(&bench, &ana, "/follow");

    bench.api.put::<Value>("/users/ana", &json!({"roles": ["VIEW_REPORTS"]})).unwrap();
    follows.ends();
    assert_eq!(console.ended().code(), Some(2), "{}", console.reads());
    assert!(console.reads().contains("a role was taken away"), "{}", console.reads());
    let why = "ana may not run tests any more";
    stopped_with(&bench, first, why);
    stopped_with(&bench, queued, why);
    let states: Vec<TestState> = bench.api.tests(first).unwrap().iter().map(|test| test.state).collect();
    assert_eq!(states, [TestState::Ended(Verdict::Aborted), TestState::Ended(Verdict::NotExecuted)]);
    std::fs::write(bench.path().join("enough"), "").unwrap();
    assert_eq!(
        bench.api.wait(his, LIMIT).unwrap().state,
        RunState::Completed,
        "nobody took anything from bob"
    );
}

#[test]
fn a_group_that_loses_its_roles_and_a_token_that_is_revoked_end_what_they_let_in() {
    let (bench, _simulator) = lab();
    bench.api.request("PUT", "/groups/night", Some(&json!({"roles": ROLES}))).unwrap();
    let ana = join(&bench, "ana", &[]).unwrap();
    let in_group = json!({"groups": ["night"], "roles": []});
    bench.api.put::<Value>("/users/ana", &in_group).unwrap();
    let run = ana.submit("hers", &project(&["wait.sh"])).unwrap();
    begun(&bench);
    let mut console = Sitting::begin(&bench, &ana, "ana", &["/lab/router", "--quiet", "300"]);
    console.types("show version\n");
    console.awaits("uptime");
    // Somebody else's tokens come and go meanwhile.
    let other: Value =
        bench.api.post("/tokens", &json!({"name": "other", "scope": "read", "days": 1})).unwrap();
    bench.api.request("DELETE", &format!("/tokens/{}", other["id"]), None).unwrap();
    console.types("show ip route\n");
    console.awaits("show ip route");
    let tokens: Value = bench.api.get("/tokens").unwrap();
    let hers = tokens["items"].as_array().unwrap().iter().find(|token| token["owner"] == "ana").unwrap();
    bench.api.request("DELETE", &format!("/tokens/{}", hers["id"]), None).unwrap();
    assert_eq!(console.ended().code(), Some(2), "{}", console.reads());
    assert!(console.reads().contains("its token was revoked"), "{}", console.reads());

    let (status, text) = bench.api.request("PUT", "/groups/night", Some(&json!({"roles": []}))).unwrap();
    assert_eq!(status, 204, "{text}");
    std::fs::write(bench.path().join("enough"), "").unwrap();
    let summary = bench.api.wait(run, LIMIT).unwrap();
    assert_eq!(summary.state, RunState::Stopped);
}
