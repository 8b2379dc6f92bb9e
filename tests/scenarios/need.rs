//! Persons and projects that say what they need and not which device.

use std::{process::Command, time::Duration};

use jackfield_protocol::{event::RunState, id::RunId, lease::LeaseView};
use jackfield_tests::{Bench, api::Api, process::jackfield, wait};
use serde_json::{Value, json};

use crate::people::{ROLES, join};

const LIMIT: Duration = Duration::from_secs(60);

/// What a command said and how it ended.
fn typed(api: &Api, arguments: &[&str]) -> (i32, String) {
    api.typed(Command::new(jackfield()).args(arguments)).unwrap()
}

#[track_caller]
fn done(api: &Api, arguments: &[&str]) -> String {
    let (code, said) = typed(api, arguments);
    assert_eq!(code, 0, "{arguments:?}: {said}");
    said
}

#[track_caller]
fn refused(api: &Api, arguments: &[&str], why: &str) {
    let (code, said) = typed(api, arguments);
    assert_eq!(code, 2, "{arguments:?}: {said}");
    assert!(said.contains(why), "{arguments:?}: {said}");
}

/// Two beds: a large router and two phones, a small router and a phone.
fn lab(bench: &Bench) {
    for (parent, name, properties) in [
        ("/", "tb1", json!({})),
        ("/tb1", "r1", json!({"kind": "router", "ports": 8})),
        ("/tb1", "ph1", json!({"kind": "phone"})),
        ("/tb1", "ph2", json!({"kind": "phone", "password": "hunter2"})),
        ("/", "tb2", json!({})),
        ("/tb2", "r2", json!({"kind": "router", "ports": 2})),
        ("/tb2", "ph3", json!({"kind": "phone"})),
    ] {
        bench.api.set_resource(parent, name, &properties).unwrap();
    }
}

fn given(api: &Api, lease: u64) -> Value {
    json!(api.get::<LeaseView>(&format!("/leases/{lease}")).unwrap().given)
}

/// Until a run waits for something that contains this.
pub(crate) fn await_why(api: &Api, run: RunId, text: &str) -> String {
    let why = || {
        let told = api.get::<Value>(&format!("/runs/{run}/why"))?.to_string();
        Ok(told.contains(text).then_some(told))
    };
    wait::until(LIMIT, &format!("run {run} to wait for {text}"), why).unwrap()
}

#[test]
fn resources_are_found_by_what_they_are() {
    let bench = Bench::start("").unwrap();
    lab(&bench);
    let ana = join(&bench, "ana", &ROLES).unwrap();
    let eve = join(&bench, "eve", &["VIEW_REPORTS"]).unwrap();
    assert_eq!(done(&ana, &["resource", "find", "kind=router, ports>=4", "--paths"]), "/tb1/r1\n");
    assert_eq!(done(&ana, &["resource", "find", "kind=phone", "--below", "/tb2"]), "/tb2/ph3  kind=phone\n");
    assert_eq!(done(&ana, &["resource", "find", "kind=foo"]), "no resource is kind=foo\n");
    let found: Value =
        serde_json::from_str(&done(&ana, &["--json", "resource", "find", "kind", "--limit", "3"])).unwrap();
    let paths: Vec<_> = found.as_array().unwrap().iter().map(|node| node["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/tb1/ph1", "/tb1/ph2", "/tb1/r1"]);
    let pages: Value = ana.get("/resources/find?selector=kind&limit=3&after=/tb1/r1").unwrap();
    assert_eq!((pages["items"][0]["path"].as_str(), pages["next"].as_str()), (Some("/tb2/ph3"), None));
    refused(
        &ana,
        &["resource", "find", "kind=router and ports>=4"],
        "`and` cannot follow here at character 13",
    );
    refused(&ana, &["resource", "find", "kind=a", "--below", "/tb9"], "there is no resource `/tb9`");
    // Who may not see secrets can neither read nor try them.
    assert_eq!(done(&ana, &["resource", "find", "password=hunter2", "--paths"]), "/tb1/ph2\n");
    let (status, told) = eve.request("GET", "/resources/find?selector=password~h*", None).unwrap();
    assert_eq!(status, 403, "{told}");
    let (status, told) = eve.request("GET", "/resources/find?selector=kind%3Dphone", None).unwrap();
    assert!(status == 200 && !told.contains("hunter2"), "{status} {told}");
}

#[test]
fn persons_take_whatever_fits_and_wait_for_it_in_the_same_queue() {
    let bench = Bench::start("").unwrap();
    lab(&bench);
    let ana = join(&bench, "ana", &ROLES).unwrap();
    let bob = join(&bench, "bob", &ROLES).unwrap();
    let needs = "dut: kind=router; phone: 2x kind=phone; same bench";
    let said = done(&ana, &["lease", "take", "--needs", needs, "--reason", "bug 1234"]);
    assert!(said.starts_with("lease 1 of /tb1/ph1, /tb1/ph2, /tb1/r1 (ana) is active until 20"), "{said}");
    assert_eq!(given(&ana, 1), json!({"dut": ["/tb1/r1"], "phone": ["/tb1/ph1", "/tb1/ph2"]}));
    let said = done(&bob, &["lease", "take", "--needs", "kind=router"]);
    assert!(said.contains("lease 2 of /tb2/r2 (bob)"), "{said}");
    refused(
        &bob,
        &["lease", "take", "--needs", "kind=router, ports>=4"],
        "0 of 1 that fit `kind=router, ports>=4` are free: ana has /tb1/",
    );
    let said = done(&bob, &["lease", "take", "--needs", "kind=router, ports>=4", "--dry-run"]);
    assert!(
        said.starts_with("free at 20")
            && said.contains("after this: ana has")
            && said.ends_with(": /tb1/r1\n"),
        "{said}"
    );
    assert!(
        done(&bob, &["lease", "take", "--needs", "kind=phone", "--dry-run"])
            .starts_with("free now: /tb2/ph3")
    );
    // What can never be is told at once, and never waited for.
    refused(
        &bob,
        &["lease", "take", "--needs", "9x kind=router", "--wait", "1h"],
        "only /tb1/r1, /tb2/r2 fit",
    );
    refused(
        &bob,
        &["lease", "take", "--needs", "kind=router; same floor", "--wait", "1h"],
        "nobody says of which floor",
    );
    refused(&bob, &["lease", "take", "--needs", "password=hunter2"], "whose name is that of a secret");
    refused(&bob, &["lease", "take", "--needs", "kind=router; kind=router"], "two needs are named `router`");
    let said = done(
        &bob,
        &["lease", "take", "--needs", "large: ports>=4 else kind=switch", "--wait", "1h", "--offer", "9m"],
    );
    assert!(said.contains("is waiting for: 0 of 1 that fit `ports>=4` are free"), "{said}");
    // A switch comes, and is as good.
    bench.api.set_resource("/tb2", "s1", &json!({"kind": "switch"})).unwrap();
    let offered = || Ok((given(&bob, 3) == json!({"large": ["/tb2/s1"]})).then_some(()));
    wait::until(LIMIT, "the switch to be offered", offered).unwrap();
    assert!(done(&bob, &["lease", "accept", "3"]).contains("lease 3 of /tb2/s1 (bob) is active"));
    // A command finds what was given.
    let command = [
        "lease",
        "take",
        "--needs",
        "other: kind=phone",
        "--",
        "sh",
        "-c",
        "echo it is $JACKFIELD_NEED_OTHER",
    ];
    assert!(done(&bob, &command).contains("it is /tb2/ph3"));
    // What is out of service is given to nobody who asks so.
    bench.api.set_resource("/tb2", "ph3", &json!({"out_of_service": "the display is dead"})).unwrap();
    refused(
        &bob,
        &["lease", "take", "--needs", "3x kind=phone"],
        "/tb2/ph3 is out of service (the display is dead)",
    );
    refused(&bob, &["lease", "take", "/tb2/ph3"], "/tb2/ph3 is out of service (the display is dead)");
    // And what somebody has is not deleted under their hands.
    refused(&bench.api, &["resource", "delete", "/tb1"], "ana has /tb1/");
    done(&bench.api, &["lease", "take", "/tb2/ph3"]);
    done(&bench.api, &["resource", "delete", "/tb2/ph3"]);
}

const PROJECT: &str = "<Root><Needs>dut: kind=router, ports>=4</Needs><TestSuite><tsName>calls</tsName>\
    <Needs>phone: 2x kind=phone; same bench</Needs><TestCase><tcName>a.sh</tcName></TestCase></TestSuite></Root>";

#[test]
fn a_project_says_what_it_needs_and_its_tests_are_told_what_they_were_given() {
    let mut bench = Bench::start("").unwrap();
    lab(&bench);
    let flag = bench.path().join("enough");
    let script = format!(
        "#!/bin/sh\necho \"$JACKFIELD_NEED_DUT and $JACKFIELD_NEEDS\"\nuntil test -e {}; do sleep 0.05; done\n",
        flag.display()
    );
    bench.write("tests/a.sh", &script).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let ana = join(&bench, "ana", &ROLES).unwrap();
    let bob = join(&bench, "bob", &ROLES).unwrap();
    done(&ana, &["lease", "take", "/tb1/ph2", "--reason", "bug 1234"]);
    let run = bob.submit("calls", PROJECT).unwrap();
    let told = await_why(&bob, run, "cannot be given together");
    assert!(told.contains("ana has /tb1/ph2 until 20"), "{told}");
    // The engine dies while a run waits; afterwards it knows what fits.
    bench.kill_engine();
    bench.start_engine().unwrap();
    await_why(&bob, run, "cannot be given together");
    done(&ana, &["lease", "release", "/tb1/ph2"]);
    let running = || Ok((bob.run(run)?.state == RunState::Running).then_some(()));
    wait::until(LIMIT, "the run to begin", running).unwrap();
    refused(&ana, &["lease", "take", "--needs", "kind=router, ports>=4"], &format!("run {run} has /tb1/r1"));
    // Nor does it lose them when the engine dies again.
    bench.kill_engine();
    bench.start_engine().unwrap();
    refused(&ana, &["lease", "take", "/tb1/ph1"], &format!("run {run} has /tb1/ph1, /tb1/ph2"));
    std::fs::write(&flag, "").unwrap();
    assert_eq!(bob.wait(run, LIMIT).unwrap().state, RunState::Completed);
    let log = done(&bob, &["runs", "logs", &format!("{run}.0")]);
    assert!(
        log.contains("/tb1/r1 and {\"dut\":[\"/tb1/r1\"],\"phone\":[\"/tb1/ph1\",\"/tb1/ph2\"]}"),
        "{log}"
    );
    assert!(done(&ana, &["lease", "list"]).contains("nobody has"));
}

#[test]
fn what_can_never_be_met_is_told_before_the_run_starts() {
    let bench = Bench::start("").unwrap();
    lab(&bench);
    bench.write("tests/a.sh", "#!/bin/sh\n").unwrap();
    let wrong = PROJECT.replace("ports>=4", "ports>=48").replace("same bench", "same bench; phone: x");
    bench.write("projects/wrong.xml", &wrong).unwrap();
    refused(&bench.api, &["run", "wrong"], "none of the 2 with kind=router has ports>=48");
    refused(&bench.api, &["run", "wrong"], "<Needs>: two needs are named `phone`");
    // Both together would need the only large router twice.
    let twice = PROJECT.replace("phone: 2x kind=phone; same bench", "other: ports>=4");
    bench.write("projects/twice.xml", &twice).unwrap();
    refused(
        &bench.api,
        &["run", "twice"],
        "cannot give it together: the same resource would have to be given twice",
    );
    let names = PROJECT.replace("phone: 2x", "dut: 2x");
    bench.write("projects/names.xml", &names).unwrap();
    refused(&bench.api, &["run", "names"], "both need something named `dut`");
    let inner = PROJECT
        .replace("<TestSuite><tsName>calls", "<TestSuite><tsName>o</tsName><TestSuite><tsName>calls")
        .replace("</TestSuite>", "</TestSuite></TestSuite>");
    bench.write("projects/inner.xml", &inner).unwrap();
    refused(&bench.api, &["run", "inner"], "inner.xml:1:");
    refused(&bench.api, &["run", "inner"], "<Needs> of an inner suite");
}

/// A step test opens what it was given, and says so where it was given none.
const STEPS: &str = r#"
title = "whatever router there is"
[sessions.router]
resource = "${need.dut}"
[[steps]]
command = "show version"
check = { contains = "uptime" }
"#;

#[test]
fn a_step_test_opens_what_it_needs_by_its_name() {
    let mut bench = Bench::start("").unwrap();
    let _simulator = crate::cleanup::router(&mut bench);
    bench.api.set_resource("/lab", "router", &json!({"kind": "router"})).unwrap();
    bench.write("tests/any.steps.toml", STEPS).unwrap();
    bench.write("tests/second.steps.toml", &STEPS.replace("need.dut", "need.dut.2")).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let suite = |needs: &str, test: &str| {
        format!(
            "<TestSuite><tsName>s</tsName>{needs}<TestCase><tcName>{test}.steps.toml</tcName></TestCase></TestSuite>"
        )
    };
    let needs = "<Needs>dut: kind=router</Needs>";
    let run = |suite: String| {
        let run = bench.api.submit("steps", &format!("<Root>{suite}</Root>")).unwrap();
        bench.api.wait(run, LIMIT).unwrap();
        bench.api.tests(run).unwrap().remove(0)
    };
    let given = run(suite(needs, "any"));
    assert_eq!(given.state.to_string(), "PASS", "{given:?}");
    for (needs, test, name) in [(needs, "second", "need.dut.2"), ("", "any", "need.dut")] {
        let lacks = run(suite(needs, test));
        assert_ne!(lacks.state.to_string(), "PASS", "{lacks:?}");
        let told = lacks.reason.clone();
        assert!(told.contains(name), "{test}: {told:?}");
    }
}
