//! Persons and runs share a lab: who has a device, who waits for it, and what becomes of both when somebody dies.

use std::{process::Command, time::Duration};

use jackfield_protocol::{
    event::RunState,
    lease::{LeaseState, LeaseView},
    time::Time,
};
use jackfield_tests::{Bench, api::Api, process::jackfield, wait};
use serde_json::{Value, json};

use crate::{
    cleanup,
    console::Sitting,
    people::{ROLES, join},
};

const LIMIT: Duration = Duration::from_secs(60);
const HOUR: u64 = 3_600_000;

/// What `jackfield lease` said and how it ended.
fn lease(api: &Api, arguments: &[&str]) -> (i32, String) {
    api.typed(&mut line(api, arguments)).unwrap()
}

fn line(api: &Api, arguments: &[&str]) -> Command {
    let mut command = Command::new(jackfield());
    command.arg("lease").args(arguments);
    command.env("JACKFIELD_ENGINE", &api.url).env("JACKFIELD_API_TOKEN", &api.token);
    command
}

#[track_caller]
fn done(api: &Api, arguments: &[&str]) -> String {
    let (code, said) = lease(api, arguments);
    assert_eq!(code, 0, "{arguments:?}: {said}");
    said
}

#[track_caller]
fn refused(api: &Api, arguments: &[&str], why: &str) {
    let (code, said) = lease(api, arguments);
    assert_eq!(code, 2, "{arguments:?}: {said}");
    assert!(said.contains(why), "{arguments:?}: {said}");
}

fn view(api: &Api, lease: u64) -> LeaseView {
    api.get(&format!("/leases/{lease}")).unwrap()
}

/// Of a lease that may not be there yet.
fn await_state(api: &Api, lease: u64, wanted: LeaseState) {
    let seen = || {
        let found = api.get::<LeaseView>(&format!("/leases/{lease}"));
        Ok(found.is_ok_and(|lease| lease.state == wanted).then_some(()))
    };
    wait::until(LIMIT, &format!("lease {lease} to be {wanted:?}"), seen).unwrap();
}

/// A bed with two routers, and a SUT that links to the first.
fn lab(bench: &Bench) {
    for (parent, name) in [("/", "tb1"), ("/tb1", "router1"), ("/tb1", "router2")] {
        bench.api.set_resource(parent, name, &json!({})).unwrap();
    }
    bench.api.set_sut("core.system", "router", "/tb1/router1").unwrap();
}

fn project(sut: &str) -> String {
    format!(
        "<Root><TestSuite><tsName>a</tsName><SutName>{sut}</SutName><TestCase><tcName>a.sh</tcName></TestCase></TestSuite></Root>"
    )
}

#[test]
fn a_run_waits_for_a_person_says_so_and_goes_on_when_they_give_back() {
    let mut bench = Bench::start("").unwrap();
    lab(&bench);
    bench.write("tests/a.sh", "#!/bin/sh\nexit 0\n").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let ana = join(&bench, "ana", &ROLES).unwrap();
    let bob = join(&bench, "bob", &ROLES).unwrap();
    let said = done(&ana, &["take", "/tb1", "--for", "2h", "--reason", "bug 1234"]);
    assert!(said.starts_with("lease 1 of /tb1 (ana) is active until 20"), "{said}");
    let run = bob.submit("night", &project("core.system")).unwrap();
    let why = || {
        let waiting: Value = bob.get(&format!("/runs/{run}/why"))?;
        let told = waiting.to_string();
        Ok(told.contains("ana has /tb1 until 20").then_some(told))
    };
    let told = wait::until(LIMIT, "the run to say for whom it waits", why).unwrap();
    assert!(told.contains("SUT core.system") && told.contains("(bug 1234)"), "{told}");
    assert_eq!(bob.run(run).unwrap().state, RunState::Queued);
    // Nor does it go before a person who asked earlier.
    let (code, said) = lease(&bob, &["take", "/tb1/router1"]);
    assert_eq!(code, 2);
    assert!(said.contains("ana has /tb1 until 20") && said.contains("(bug 1234)"), "{said}");
    done(&ana, &["release", "/tb1"]);
    let ended = bob.wait(run, Duration::from_secs(20)).unwrap();
    assert_eq!(ended.state, RunState::Completed);
    let all: Value = bob.get("/leases?ended=true").unwrap();
    let of_run = all["items"].as_array().unwrap().iter().find(|lease| lease["run"] == json!(run)).unwrap();
    assert_eq!(of_run["ended"]["how"], "run_end", "{all}");
    assert_eq!(of_run["resources"], json!(["/tb1/router1"]), "{all}");
    // A run that is started in a lease goes into it, and does not wait for its own device.
    bench.write("projects/inside.xml", &project("core.system")).unwrap();
    let program = jackfield().display().to_string();
    let said = done(&bob, &["take", "/tb1/router1", "--", &program, "run", "inside"]);
    assert!(said.contains("1 PASS of 1 test"), "{said}");
    done(&bob, &["take", "/tb1/router1"]);
    let (code, said) = {
        let mut command = Command::new(jackfield());
        command.args(["run", "inside", "--lease", "1"]);
        command.env("JACKFIELD_ENGINE", &ana.url).env("JACKFIELD_API_TOKEN", &ana.token);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("lease 1 is over, or not yours"), "{said}");
}

#[test]
fn two_suts_with_the_same_device_are_not_given_to_two_runs() {
    let mut bench = Bench::start("").unwrap();
    lab(&bench);
    let first: Value = bench.api.get("/suts/core.system").unwrap();
    let mut other = first.to_string().replace("0000000a0", "0000000b0").replace("core.system", "edge.system");
    other = other.replace("\"version\"", "\"was\"");
    bench.api.put::<Value>("/suts/edge.system", &serde_json::from_str::<Value>(&other).unwrap()).unwrap();
    let flag = bench.path().join("enough");
    let wait = format!("#!/bin/sh\nuntil test -e {}; do sleep 0.05; done\n", flag.display());
    bench.write("tests/a.sh", &wait).unwrap();
    bench.start_ep("EP-1", "lanes = 2\n").unwrap();
    let one = bench.api.submit("one", &project("core.system")).unwrap();
    let running = || Ok((bench.api.run(one)?.state == RunState::Running).then_some(()));
    wait::until(LIMIT, "the first run to begin", running).unwrap();
    let two = bench.api.submit("two", &project("edge.system")).unwrap();
    let why = || {
        let told = bench.api.get::<Value>(&format!("/runs/{two}/why"))?.to_string();
        Ok(told.contains(&format!("which run {one} holds")).then_some(told))
    };
    let told = wait::until(LIMIT, "the second to wait", why).unwrap();
    assert!(told.contains("SUT edge.system, which has devices of SUT core.system in it"), "{told}");
    std::fs::write(&flag, "").unwrap();
    assert_eq!(bench.api.wait(two, LIMIT).unwrap().state, RunState::Completed);
}

#[test]
fn a_lease_lives_as_long_as_its_command_and_outlives_the_engine() {
    let mut bench = Bench::start("").unwrap();
    lab(&bench);
    let ana = join(&bench, "ana", &ROLES).unwrap();
    let bob = join(&bench, "bob", &ROLES).unwrap();
    let (code, said) =
        lease(&ana, &["take", "/tb1/router1", "--", "sh", "-c", "echo it is $JACKFIELD_LEASE; exit 7"]);
    assert_eq!(code, 7, "{said}");
    assert!(said.contains("it is 1"), "{said}");
    await_state(&ana, 1, LeaseState::Ended);
    let logs = bench.path().join("log");
    let out = |name: &str| logs.join(name);
    // Ana's shell is killed without a word; her device goes to bob, who waits for it.
    let shell = format!("{} lease take /tb1/router1 -- sleep 600; true", jackfield().display());
    let mut command = Command::new("sh");
    command.args(["-c", &shell]).env("JACKFIELD_ENGINE", &ana.url).env("JACKFIELD_API_TOKEN", &ana.token);
    let hers = Sitting::run(&out("hers"), &mut command);
    await_state(&ana, 2, LeaseState::Active);
    let mut his = Sitting::run(
        &out("his"),
        &mut line(&bob, &["take", "/tb1/router1", "--wait", "5m", "--", "echo", "bob is in"]),
    );
    his.awaits("ana has /tb1/router1 since 20");
    drop(hers);
    assert!(his.ended().success(), "{}", his.reads());
    assert!(his.reads().contains("bob is in"), "{}", his.reads());
    // The engine is killed: what was answered is there, and numbers go on.
    done(&ana, &["take", "/tb1/router1", "--for", "1h"]);
    bench.kill_engine();
    bench.start_engine().unwrap();
    let (code, said) = lease(&bob, &["take", "/tb1/router1"]);
    assert_eq!(code, 2);
    assert!(said.contains("ana has /tb1/router1 until 20"), "{said}");
    let said = done(&bob, &["take", "/tb1/router2"]);
    assert!(said.starts_with("lease 5 of"), "{said}");
    // It is taken away from a command that runs.
    let mut long = Sitting::run(
        &out("long"),
        &mut line(&ana, &["take", "/tb1/router2", "--wait", "1m", "--", "sleep", "600"]),
    );
    long.awaits("lease 6 waits, number 1 in the queue: bob has /tb1/router2 until 20");
    done(&bob, &["release", "/tb1/router2"]);
    long.awaits("(ana) is active");
    let (code, said) = lease(&bob, &["force", "6", "--reason", "mine"]);
    assert_eq!(code, 2);
    assert!(said.contains("CHANGE_TESTBED"), "{said}");
    done(&bench.api, &["force", "6", "--reason", "the rack moves"]);
    assert_eq!(long.ended().code(), Some(4), "{}", long.reads());
    assert!(
        long.reads().contains("admin took it away: the rack moves; the command is ended"),
        "{}",
        long.reads()
    );
}

/// An instant as it is written in a command.
fn instant(after: Time, millis: u64) -> String {
    after.plus_millis(millis).to_string()
}

#[test]
fn every_command_of_the_page_does_what_it_says() {
    let bench = Bench::start("").unwrap();
    lab(&bench);
    let (ana, bob) = (join(&bench, "ana", &ROLES).unwrap(), join(&bench, "bob", &ROLES).unwrap());
    done(&ana, &["take", "/tb1/router1", "--note", "port 3 is loose", "--context", "build=417"]);
    let hers = view(&ana, 1);
    let since = hers.since.unwrap();
    assert_eq!(hers.until.unwrap().millis_since(since), 2 * HOUR, "two hours without --for");
    for person in [&ana, &bob] {
        let said = done(person, &["show", "/tb1/router1"]);
        assert!(said.contains("note: port 3 is loose") && said.contains("context: build=417"), "{said}");
    }
    // It is offered to bob, who did not stay, and handed over.
    let said = done(&bob, &["take", "/tb1/router1", "--wait", "4h", "--offer", "10m"]);
    assert!(said.starts_with("lease 2 of /tb1/router1 (bob) is waiting for: ana has /tb1/router1"), "{said}");
    refused(&ana, &["force", "/tb1", "--reason", "mine"], "role CHANGE_TESTBED");
    done(&ana, &["release", "/tb1/router1"]);
    await_state(&bob, 2, LeaseState::Offered);
    let said = done(&bob, &["accept", "2"]);
    assert!(said.starts_with("lease 2 of /tb1/router1 (bob) is active until 20"), "{said}");
    refused(&ana, &["release", "/tb1/router1"], "you have no lease on /tb1/router1");
    refused(&bob, &["force", "/tb1/router1", "--reason", "x"], "nobody but you has a lease on /tb1/router1");
    let said = done(&bob, &["transfer", "/tb1/router1", "ana"]);
    assert!(said.starts_with("lease 3 of /tb1/router1 (ana) is active until 20"), "{said}");
    assert_eq!(view(&bob, 2).state, LeaseState::Ended);
    // A lease may be kept until a booking begins, and no longer.
    let begin = instant(since, 3 * HOUR);
    let said = done(&bob, &["take", "/tb1/router2", "--begin", &begin, "--for", "2h"]);
    assert!(said.starts_with("lease 4 of /tb1/router2 (bob) is booked from 20"), "{said}");
    done(&ana, &["take", "/tb1/router2", "--for", "1h"]);
    done(&ana, &["extend", "/tb1/router2", "--for", "2h"]);
    done(&ana, &["extend", "/tb1/router2", "--until", &begin]);
    let beyond = instant(since, 3 * HOUR + 1);
    refused(&ana, &["extend", "/tb1/router2", "--until", &beyond], "bob has booked /tb1/router2 from 20");
    // Two share a device, and nobody else has it beside them.
    done(&ana, &["release", "3"]);
    done(&ana, &["take", "/tb1/router1", "--shared"]);
    done(&bob, &["take", "/tb1/router1", "--shared"]);
    assert_eq!((view(&ana, 6).state, view(&bob, 7).state), (LeaseState::Active, LeaseState::Active));
    refused(&bench.api, &["take", "/tb1/router1"], "has /tb1/router1 until 20");
    let told = done(&bob, &["list"]);
    for word in ["booked", "active", "/tb1/router2", "ana", "bob"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let told = done(&bob, &["list", "--owner", "ana", "--resource", "/tb1/router1"]);
    assert!(told.contains("ana") && !told.contains("bob") && !told.contains("/tb1/router2"), "{told}");
    assert!(done(&bob, &["list", "--ended"]).contains("ended"));
    // A guest, a booking that is cancelled, and a rack that moves.
    done(&ana, &["allow", "5", "bob"]);
    assert!(done(&ana, &["show", "5"]).contains("guests: bob"));
    done(&ana, &["allow", "5", "bob", "--not"]);
    assert!(!done(&ana, &["show", "5"]).contains("guests"));
    done(&bob, &["release", "4"]);
    let said = done(&bench.api, &["force", "5", "--reason", "the rack moves", "--grace", "5m"]);
    assert!(said.contains("is ending until 20"), "{said}");
    assert!(said.contains("admin took it away: the rack moves"), "{said}");
}

#[test]
fn who_has_enough_of_waiting_leaves_the_queue() {
    let bench = Bench::start("").unwrap();
    lab(&bench);
    let (ana, bob) = (join(&bench, "ana", &ROLES).unwrap(), join(&bench, "bob", &ROLES).unwrap());
    done(&ana, &["take", "/tb1/router1"]);
    let mut waits = line(&bob, &["take", "/tb1/router1", "--wait", "5m"]).spawn().unwrap();
    await_state(&bob, 2, LeaseState::Waiting);
    let interrupt = format!("kill -INT {}", waits.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    let ended = wait::until(LIMIT, "the command to end", || Ok(waits.try_wait()?)).unwrap();
    assert_eq!(ended.code(), Some(130), "as `docs/cli.md` says");
    await_state(&bob, 2, LeaseState::Ended);
    // One whose time is over says so otherwise.
    let (code, said) = lease(&bob, &["take", "/tb1/router1", "--wait", "1s"]);
    assert_eq!(code, 6, "{said}");
}

#[test]
fn a_console_on_a_leased_device_is_refused_by_name_and_the_guest_gets_in() {
    let mut bench = Bench::start("").unwrap();
    let _simulator = cleanup::router(&mut bench);
    let ana = join(&bench, "ana", &ROLES).unwrap();
    let bob = join(&bench, "bob", &ROLES).unwrap();
    done(&ana, &["take", "/lab/router", "--for", "2h", "--reason", "bug 1234"]);
    let mut his = Sitting::begin(&bench, &bob, "his", &["/lab/router"]);
    assert_eq!(his.ended().code(), Some(2), "{}", his.reads());
    let refused = his.reads();
    assert!(refused.contains("ana has /lab/router until 20") && refused.contains("(bug 1234)"), "{refused}");
    assert!(refused.contains("`jackfield lease allow 1 bob`"), "{refused}");
    done(&ana, &["allow", "1", "bob"]);
    let mut guest = Sitting::begin(&bench, &bob, "guest", &["/lab/router", "--quiet", "300"]);
    guest.types("show version\n");
    guest.awaits("uptime");
    let uses: Value = ana.get("/resources/uses").unwrap();
    let told = uses.to_string();
    assert!(told.contains(r#""kind":"lease""#) && told.contains(r#""user":"ana""#), "{told}");
    // With the lease ends the console that it let in.
    done(&ana, &["release", "1"]);
    guest.awaits("the lease that let you use /lab/router was given back");
    guest.ended();
    // Who shares a device may type at it, and not both at once.
    done(&ana, &["take", "/lab/router", "--shared"]);
    done(&bob, &["take", "/lab/router", "--shared"]);
    let mut hers = Sitting::begin(&bench, &ana, "hers", &["/lab/router", "--quiet", "300"]);
    hers.types("show version\n");
    hers.awaits("uptime");
    // Who has a lease and a console of their own on one device means the lease by its path.
    let told = done(&ana, &["show", "/lab/router"]);
    assert!(told.contains("shared: yes") && !told.contains("console"), "{told}");
    let mut his = Sitting::begin(&bench, &bob, "shared", &["/lab/router"]);
    assert!(!his.ended().success());
    assert!(his.reads().contains("ana has /lab/router on a console"), "{}", his.reads());
}
