//! What does not work is given to nobody, and is looked at before the next has it.

use std::{fs, time::Duration};

use jackfield_protocol::{
    api::Page,
    event::RunState,
    health::{HealthState, ResourceHealth},
    verdict::Cause,
};
use jackfield_tests::{Bench, api::Api, wait};
use serde_json::{Value, json};

use crate::{
    need::await_why,
    people::{ROLES, join},
    typing::{done, follow, refused},
};

const LIMIT: Duration = Duration::from_secs(60);
const CARE: &str = "[health]\ncheck = \"check.xml\"\nspoiled = 2\n";

/// Two routers, the first of which is in a SUT and answers nobody.
fn lab(bench: &Bench) {
    bench.api.set_resource("/", "tb1", &json!({})).unwrap();
    let nowhere = json!({"kind": "router", "protocol": "telnet", "host": "127.0.0.1", "port": 1});
    bench.api.set_resource("/tb1", "r1", &nowhere).unwrap();
    bench.api.set_resource("/tb1", "r2", &json!({"kind": "router"})).unwrap();
    bench.api.set_sut("core.system", "router", "/tb1/r1").unwrap();
}

/// A project of this test on `core.system`.
pub(crate) fn on_sut(test: &str) -> String {
    format!(
        "<Root><TestSuite><tsName>a</tsName><SutName>core.system</SutName><TestCase><tcName>{test}</tcName></TestCase></TestSuite></Root>"
    )
}

fn check(bench: &Bench, script: &str) {
    let project = "<Root><TestSuite><tsName>health</tsName><TestCase><tcName>check.sh</tcName></TestCase></TestSuite></Root>";
    bench.write("projects/check.xml", project).unwrap();
    bench.write("tests/check.sh", script).unwrap();
}

fn health(api: &Api, path: &str) -> Option<ResourceHealth> {
    let page: Page<ResourceHealth> = api.get("/resources/health").unwrap();
    page.items.into_iter().find(|health| health.resource == path)
}

fn await_health(api: &Api, path: &str, wanted: HealthState) -> Option<ResourceHealth> {
    let seen = || {
        let found = health(api, path);
        let state = found.as_ref().map_or(HealthState::Fit, |found| found.health);
        Ok((state == wanted).then_some(found))
    };
    wait::until(LIMIT, &format!("{path} to be {wanted:?}"), seen).unwrap()
}

#[test]
fn the_page_about_health_does_what_it_says() {
    let mut bench = Bench::start(CARE).unwrap();
    for name in ["r1", "r2"] {
        bench.api.set_resource("/", "tb1", &json!({})).unwrap();
        bench.api.set_resource("/tb1", name, &json!({"kind": "router"})).unwrap();
    }
    assert_eq!(follow(&bench, "health.md"), (7, Vec::new()));
    let paths = |health: &str| {
        done(&bench, &bench.api, &format!("jackfield resource find kind=router --paths --health {health}"))
    };
    // Its check may have begun already.
    assert_eq!((paths("unfit").trim(), paths("fit").trim()), ("/tb1/r2", "/tb1/r1"));
    assert!(paths("out-of-service").contains("no resource is kind=router"));
    bench.start_ep("EP-1", "").unwrap();
    await_health(&bench.api, "/tb1/r2", HealthState::Fit);
    assert!(done(&bench, &bench.api, "jackfield runs logs 1.0").contains("looking at /tb1/r2"));
    assert!(
        done(&bench, &bench.api, "jackfield audit").contains("resource.health"),
        "what people say is written down"
    );
}

#[test]
fn what_a_run_had_trouble_with_is_checked_before_the_next_has_it() {
    let mut bench = Bench::start(CARE).unwrap();
    lab(&bench);
    let enough = bench.path().join("enough");
    check(
        &bench,
        &format!(
            "#!/bin/sh\necho $JACKFIELD_NEED_DEVICE\nuntil test -e {}; do sleep 0.05; done\n",
            enough.display()
        ),
    );
    bench.write("tests/talk.py", "import jackfield\njackfield.session('/tb1/r1')\n").unwrap();
    bench.write("tests/a.sh", "#!/bin/sh\nexit 0\n").unwrap();
    bench.start_ep("EP-1", "lanes = 3\n").unwrap();
    let bob = join(&bench, "bob", &ROLES).unwrap();
    let first = bob.submit("talk", &on_sut("talk.py")).unwrap();
    bob.wait(first, LIMIT).unwrap();
    let tests = bob.tests(first).unwrap();
    assert_eq!(tests.first().and_then(|test| test.cause), Some(Cause::Lab), "{tests:?}");
    let found = await_health(&bench.api, "/tb1/r1", HealthState::UnderCheck).unwrap();
    assert!(found.reason.starts_with(&format!("run {first} had trouble with it: ")), "{found:?}");
    assert_eq!((found.spoiled, found.check.as_deref()), (1, Some("check.xml")));
    let checking = found.run.unwrap();
    // The next run, a person and whoever takes what fits: nobody has it meanwhile.
    let second = bob.submit("night", &on_sut("a.sh")).unwrap();
    let started = || Ok((bob.run(checking)?.state == RunState::Running).then_some(()));
    wait::until(LIMIT, "the check to begin", started).unwrap();
    await_why(&bob, second, &format!("which run {checking} holds"));
    refused(&bench, &bob, "jackfield lease take /tb1/r1", &format!("run {checking} has /tb1/r1"));
    let said = done(&bench, &bob, "jackfield lease take --needs kind=router --for 1h");
    assert!(said.contains("lease") && said.contains("/tb1/r2 (bob)"), "{said}");
    // It is known after the engine was killed, too.
    bench.kill_engine();
    bench.start_engine().unwrap();
    assert_eq!(health(&bench.api, "/tb1/r1").unwrap().run, Some(checking));
    assert_eq!(bob.run(second).unwrap().state, RunState::Queued);
    fs::write(&enough, "").unwrap();
    bob.wait(second, LIMIT).unwrap();
    assert_eq!(health(&bench.api, "/tb1/r1"), None, "a verdict of the second run ends the row");
    // A device that fails everybody in spite of its check is taken out.
    let third = bob.submit("talk", &on_sut("talk.py")).unwrap();
    bob.wait(third, LIMIT).unwrap();
    let spoiled = await_health(&bench.api, "/tb1/r1", HealthState::Fit).map(|found| found.spoiled);
    assert_eq!(spoiled, Some(1), "that the check passes does not end it");
    let fourth = bob.submit("talk", &on_sut("talk.py")).unwrap();
    bob.wait(fourth, LIMIT).unwrap();
    let found = await_health(&bench.api, "/tb1/r1", HealthState::OutOfService).unwrap();
    assert!(found.reason.contains("the lab spoiled 2 uses in a row"), "{found:?}");
    let notices: Value = bob.get("/notices").unwrap();
    assert_eq!(notices.pointer("/items/0/code"), Some(&json!("resource_out")), "{notices}");
    assert!(bench.engine_log().contains("/tb1/r1 was taken out of service at "));
    let fifth = bob.submit("night", &on_sut("a.sh")).unwrap();
    await_why(&bob, fifth, "SUT core.system: /tb1/r1 was taken out of service at ");
    refused(&bench, &bob, "jackfield lease take /tb1/r1", "the lab spoiled 2 uses in a row");
    refused(&bench, &bob, "jackfield resource health /tb1/r1 --fit", "CHANGE_TESTBED");
    done(&bench, &bench.api, "jackfield resource health /tb1/r1 --fit");
    bob.wait(fifth, LIMIT).unwrap();
}

#[test]
fn a_check_that_fails_or_cannot_begin_keeps_the_device_and_says_so() {
    let mut bench = Bench::start(CARE).unwrap();
    lab(&bench);
    bench.write("tests/a.sh", "#!/bin/sh\nexit 0\n").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let bob = join(&bench, "bob", &ROLES).unwrap();
    // There is no such project yet.
    done(&bench, &bench.api, "jackfield resource health /tb1/r1 --dirty 'new firmware'");
    let told = || Ok(health(&bench.api, "/tb1/r1").and_then(|found| found.trouble));
    let trouble = wait::until(LIMIT, "the trouble of the check", told).unwrap();
    assert!(trouble.contains("check.xml"), "{trouble}");
    let notices: Value = bob.get("/notices").unwrap();
    assert_eq!(notices.pointer("/items/0/code"), Some(&json!("health_check")), "{notices}");
    let run = bob.submit("night", &on_sut("a.sh")).unwrap();
    await_why(&bob, run, "SUT core.system: /tb1/r1 is dirty since ");
    check(&bench, "#!/bin/sh\nexit 1\n");
    // Whoever says it again has it looked at at once.
    done(&bench, &bench.api, "jackfield resource health /tb1/r1 --dirty 'new firmware'");
    let found = await_health(&bench.api, "/tb1/r1", HealthState::OutOfService).unwrap();
    assert!(found.reason.contains("its health check failed in run "), "{found:?}");
    // Who repairs it has it, and is told how it is; then it is checked again.
    let said = done(&bench, &bench.api, "jackfield lease take /tb1/r1 --for 1h");
    assert!(said.contains("; but /tb1/r1 was taken out of service at "), "{said}");
    check(&bench, "#!/bin/sh\nexit 0\n");
    done(&bench, &bench.api, "jackfield resource health /tb1/r1 --dirty repaired");
    assert_eq!(health(&bench.api, "/tb1/r1").unwrap().health, HealthState::Dirty, "somebody has it");
    done(&bench, &bench.api, "jackfield lease release /tb1/r1");
    bob.wait(run, LIMIT).unwrap();
    // A lease that was taken away leaves it dirty, too; and a property keeps it from runs.
    done(&bench, &bob, "jackfield lease take /tb1/r1 --for 1h");
    done(&bench, &bench.api, "jackfield lease force /tb1/r1 --reason 'the rack moves'");
    await_health(&bench.api, "/tb1/r1", HealthState::Fit);
    done(&bench, &bench.api, "jackfield resource set /tb1 out_of_service='the rack moves'");
    let run = bob.submit("night", &on_sut("a.sh")).unwrap();
    await_why(&bob, run, "SUT core.system: /tb1 is out of service (the rack moves)");
    refused(
        &bench,
        &bench.api,
        "jackfield resource health /tb1/r1 --fit",
        "the property `out_of_service` of /tb1 says",
    );
    done(&bench, &bench.api, "jackfield resource set /tb1 out_of_service=");
    bob.wait(run, LIMIT).unwrap();
}
