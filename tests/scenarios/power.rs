//! A person switches the mains of a device from their desk: who may, what they read, and what others see of it.

use std::{path::Path, process::Command, time::Duration};

use jackfield_protocol::{
    console::ConsoleRow,
    event::RunState,
    id::RunId,
    verdict::{TestState, Verdict},
};
use jackfield_tests::{Bench, api::Api, process::jackfield, wait};
use serde_json::{Value, json};

use crate::{cleanup, console::Sitting, people::join};

const LIMIT: Duration = Duration::from_secs(60);

/// Asks the router until a file says that it is enough.
const LONG: &str = r#"
import pathlib, time
from jackfield import session

router = session("/lab/router")
pathlib.Path("@FOLDER@/open").touch()
while not pathlib.Path("@FOLDER@/enough").exists():
    router.command("show version")
    time.sleep(0.02)
"#;

const WAIT: &str = "#!/bin/sh\ntouch @FOLDER@/open\nuntil test -e @FOLDER@/enough; do sleep 0.05; done\n";

/// An outlet whose state is the last line of a file.
fn outlet(trace: &Path) -> Value {
    let relay = |word: &str| json!(["sh", "-c", format!("echo {word} >> {}", trace.display())]);
    let status = json!(["tail", "-n1", trace]);
    json!({"command": {"on": relay("on"), "off": relay("off"), "status": status}, "off_millis": 10})
}

/// What `jackfield resource power` said and how it ended.
fn power(api: &Api, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(jackfield());
    command.args(["resource", "power"]).args(arguments);
    command.env("JACKFIELD_ENGINE", &api.url).env("JACKFIELD_API_TOKEN", &api.token);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
}

fn notes(api: &Api, run: RunId) -> String {
    api.get::<Value>(&format!("/runs/{run}/events?limit=1000")).unwrap().to_string()
}

fn audit(bench: &Bench) -> String {
    bench.api.get::<Value>("/audit?limit=100").unwrap().to_string()
}

#[test]
fn an_outlet_is_switched_from_a_desk() {
    let mut bench = Bench::start("").unwrap();
    let trace = bench.path().join("relay");
    std::fs::write(&trace, "on\n").unwrap();
    let slow = json!({"command": {"on": ["sleep", "600"], "off": ["sh", "-c", "echo no relay >&2; exit 3"]}});
    let words = json!({"command": {"status": ["echo", "half way"]}});
    bench.api.set_resource("/", "lab", &json!({})).unwrap();
    for (name, properties) in [
        ("router", json!({"power": outlet(&trace)})),
        ("slow", json!({ "power": slow })),
        ("odd", json!({ "power": words })),
        ("wrong", json!({"power": {"relay": 3}})),
        ("bare", json!({})),
    ] {
        bench.api.set_resource("/lab", name, &properties).unwrap();
    }
    let admin = bench.api.clone();
    let (code, said) = power(&admin, &["/lab/router", "status"]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("no EP is connected") && said.contains("capability `power`"), "{said}");
    bench.start_ep("EP-1", "").unwrap();
    for (action, state) in [("status", "on"), ("off", "off"), ("status", "off"), ("cycle", "on")] {
        let (code, said) = power(&admin, &["/lab/router", action]);
        assert_eq!((code, said.trim()), (0, format!("/lab/router: {state} (through EP-1)").as_str()));
    }
    assert_eq!(std::fs::read_to_string(&trace).unwrap(), "on\noff\noff\non\n");
    let (code, said) = power(&admin, &["/lab/router", "status", "--json", "--ep", "EP-1"]);
    let expect =
        json!({"resource": "/lab/router", "action": "status", "state": "on", "said": "on", "ep": "EP-1"});
    assert_eq!((code, serde_json::from_str::<Value>(&said).unwrap()), (0, expect));
    for (arguments, expect, words) in [
        (["/lab/odd", "status"], 0, "/lab/odd: unknown (through EP-1): it said \"half way\""),
        (["/lab/slow", "off"], 4, "no relay"),
        (["/lab/slow", "status"], 2, "does not say how to do `status`"),
        (["/lab/wrong", "on"], 2, "unknown field `relay`"),
        (["/lab/bare", "on"], 2, "/lab/bare has no property `power`"),
        (["/lab/nowhere", "on"], 2, "/lab/nowhere"),
        (["/lab/router", "reboot"], 2, "on, off, cycle, status"),
    ] {
        let (code, said) = power(&admin, &arguments);
        assert!(code == expect && said.contains(words), "{arguments:?}: {code} {said}");
    }
    let (code, said) = power(&admin, &["/lab/slow", "on", "--limit", "1"]);
    assert!(code == 4 && said.contains("within 1s"), "{code} {said}");
    let eve = join(&bench, "eve", &["VIEW_REPORTS"]).unwrap();
    let (code, said) = power(&eve, &["/lab/router", "off"]);
    assert!(code == 2 && said.contains("needs the role RUN_TESTS or CHANGE_TESTBED"), "{code} {said}");
    // To ask an outlet runs a program of the lab.
    let (code, said) = power(&eve, &["/lab/router", "status"]);
    assert!(code == 2 && said.contains("needs the role RUN_TESTS or CHANGE_TESTBED"), "{code} {said}");
    let audit = audit(&bench);
    for words in ["resource.power", "cycle through EP-1: on", "on through EP-1: failed: power of `/lab/slow`"]
    {
        assert!(audit.contains(words), "{words}: {audit}");
    }
    assert!(!audit.contains("status through"), "{audit}");
}

#[test]
fn an_ep_that_dies_under_it_is_named() {
    let mut bench = Bench::start("").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let begun = bench.path().join("begun");
    let begin = format!("touch {}; exec sleep 600", begun.display());
    let outlet = json!({"command": {"off": ["sh", "-c", begin]}});
    bench.api.set_resource("/", "router", &json!({ "power": outlet })).unwrap();
    let admin = bench.api.clone();
    let switching = std::thread::spawn(move || power(&admin, &["/router", "off"]));
    wait::until(LIMIT, "the outlet to be switched", || Ok(begun.try_exists()?.then_some(()))).unwrap();
    bench.kill_ep("EP-1");
    let (code, said) = switching.join().unwrap();
    assert!(code == 4 && said.contains("EP EP-1 went away before it answered"), "{code} {said}");
    assert!(said.contains("ask its status"), "{said}");
    assert!(audit(&bench).contains("off through EP-1: failed"), "{}", audit(&bench));
}

#[test]
fn a_device_that_somebody_uses_is_not_switched_under_them() {
    let mut bench = Bench::start("").unwrap();
    let _simulator = cleanup::router(&mut bench);
    let trace = bench.path().join("relay");
    bench.api.set_resource("/lab", "router", &json!({"power": outlet(&trace)})).unwrap();
    bench.api.set_resource("/lab/router", "card", &json!({"power": outlet(&trace)})).unwrap();
    let ana = join(&bench, "ana", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    let bob = join(&bench, "bob", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    let refused = |api: &Api, device: &str, words: &[&str]| {
        let (code, said) = power(api, &[device, "off"]);
        assert_eq!(code, 2, "{said}");
        words.iter().for_each(|words| assert!(said.contains(words), "{words}: {said}"));
    };
    // On a console.
    let mut hers = Sitting::begin(&bench, &ana, "ana", &["/lab/router"]);
    hers.awaits("you type");
    refused(
        &bob,
        "/lab/router",
        &["ana has /lab/router on a console since 20", "who has the role CHANGE_TESTBED"],
    );
    refused(
        &bench.api,
        "/lab/router/card",
        &["ana has /lab/router", "you can switch it all the same with --force"],
    );
    let (code, said) = power(&bob, &["/lab/router", "off", "--force"]);
    assert!(code == 2 && said.contains("over the heads of others"), "{code} {said}");
    assert_eq!(power(&bench.api, &["/lab/router", "off", "--force"]).0, 0);
    assert_eq!(power(&ana, &["/lab/router", "on"]).0, 0, "it is hers");
    hers.goes();
    assert!(hers.ended().success(), "{}", hers.reads());
    // In a session of a test, and in a SUT that a run has leased.
    let flags = tempfile::tempdir().unwrap();
    let fill = |text: &str| text.replace("@FOLDER@", &flags.path().display().to_string());
    bench.write("tests/long.py", &fill(LONG)).unwrap();
    bench.write("tests/wait.sh", &fill(WAIT)).unwrap();
    bench.api.set_sut("bench.system", "dut", "/lab/router").unwrap();
    for (file, sut, words) in [
        ("long.py", "", "has session `/lab/router` open with /lab/router on EP-1"),
        (
            "wait.sh",
            "<SutName>/bench.system</SutName>",
            "has leased SUT bench.system, which has /lab/router in it, since 20",
        ),
    ] {
        let xml = format!(
            "<Root><TestSuite><tsName>a</tsName>{sut}<TestCase><tcName>{file}</tcName></TestCase></TestSuite></Root>"
        );
        let run = ana.submit("long", &xml).unwrap();
        let open = flags.path().join("open");
        wait::until(LIMIT, "the test to use the device", || Ok(open.try_exists()?.then_some(()))).unwrap();
        refused(&bob, "/lab/router", &[&format!("ana's run {run}"), words]);
        assert_eq!(power(&ana, &["/lab/router", "on"]).0, 0, "it is hers");
        assert_eq!(power(&bench.api, &["/lab/router", "cycle", "--force"]).0, 0);
        let notes = notes(&ana, run);
        assert!(notes.contains("admin switches the power of /lab/router: cycle"), "{notes}");
        std::fs::write(flags.path().join("enough"), "").unwrap();
        assert_eq!(ana.wait(run, LIMIT).unwrap().state, RunState::Completed);
        let test = ana.tests(run).unwrap().remove(0);
        assert_eq!(test.state, TestState::Ended(Verdict::Pass), "{}", test.reason);
        for flag in ["open", "enough"] {
            std::fs::remove_file(flags.path().join(flag)).unwrap();
        }
    }
    assert_eq!(power(&bob, &["/lab/router", "on"]).0, 0, "nobody uses it now");
}

#[test]
fn who_sits_at_consoles_is_listed() {
    let mut bench = Bench::start("").unwrap();
    let _simulator = cleanup::router(&mut bench);
    let ana = join(&bench, "ana", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    let list = |api: &Api, json: bool| {
        let mut command = Command::new(jackfield());
        command.args(["console", "list"]).args(json.then_some("--json"));
        command.env("JACKFIELD_ENGINE", &api.url).env("JACKFIELD_API_TOKEN", &api.token);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let rows = || serde_json::from_str::<Vec<ConsoleRow>>(&list(&ana, true)).unwrap();
    assert!(rows().is_empty());
    let mut hers = Sitting::begin(&bench, &ana, "ana", &["/lab/router"]);
    hers.awaits("you type");
    let mut watcher = Sitting::begin(&bench, &bench.api, "watch", &["/lab/router", "--watch"]);
    watcher.awaits("ana types");
    wait::until(LIMIT, "ana to be seen typing", || {
        Ok(rows().iter().any(|row| row.types_since.is_some()).then_some(()))
    })
    .unwrap();
    let seen: Vec<_> =
        rows().into_iter().map(|row| (row.user.to_string(), row.types_since.is_some())).collect();
    assert_eq!(seen, [("ana".to_owned(), true), ("admin".to_owned(), false)]);
    let table = list(&ana, false);
    for words in ["/lab/router", "EP-1", "the device", "somebody's console", "types since 20", "watches"] {
        assert!(table.contains(words), "{words}: {table}");
    }
    hers.goes();
    assert!(hers.ended().success() && watcher.ended().success());
    wait::until(LIMIT, "the list to be empty", || Ok(rows().is_empty().then_some(()))).unwrap();
}
