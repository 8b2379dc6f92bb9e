//! A cable is pulled while a test talks to a device, and put back: who is to blame, and what is the answer to what.

use std::{os::unix::fs::PermissionsExt, time::Duration};

use jackfield_protocol::verdict::{Cause, TestState, Verdict};
use jackfield_tests::{Bench, node::Node, present::left_out, wait};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);

/// The cable is out when `pulled` is there, and in again when `back` is. What the host repeats arrives then, and is answered late.
const GOES_ON: &str = r#"
import os, time
from jackfield import JackfieldError, session

def wait_for(name):
    open("FOLDER/" + name + ".wanted", "w").close()
    while not os.path.exists("FOLDER/" + name):
        time.sleep(0.02)

host = session("/host")
assert host.command("echo one") == "one"
wait_for("pulled")
try:
    raise AssertionError(host.command("echo two", timeout=2))
except JackfieldError as error:
    assert error.code == "unavailable" and "never acknowledged" in str(error), error
wait_for("back")
for word in ("three", "four"):
    answer = host.command("echo " + word, timeout=20)
    assert answer == word, answer
"#;

const DIES: &str = r#"
import os, time
from jackfield import session

host = session("/host")
host.command("true")
open("FOLDER/again.wanted", "w").close()
while not os.path.exists("FOLDER/again"):
    time.sleep(0.02)
host.command("true", timeout=2)
"#;

#[test]
fn a_cable_that_is_pulled_is_the_labs_fault_and_mixes_no_answers() {
    if left_out("inetutils-telnetd", "/usr/sbin/telnetd") {
        return;
    }
    let mut node = Node::start().unwrap();
    let shell = node.folder().join("shell");
    std::fs::write(&shell, "#!/bin/sh\nexec env PS1='host# ' bash --norc --noprofile -i\n").unwrap();
    std::fs::set_permissions(&shell, std::fs::Permissions::from_mode(0o755)).unwrap();
    node.serve_telnet(&shell).unwrap();
    let mut bench = Bench::start("").unwrap();
    let folder = bench.path().join("signs");
    std::fs::create_dir(&folder).unwrap();
    for (file, text) in [("goes_on.py", GOES_ON), ("dies.py", DIES)] {
        bench.write(&format!("tests/{file}"), &text.replace("FOLDER", &folder.to_string_lossy())).unwrap();
    }
    bench
        .api
        .set_resource("/", "host", &json!({"protocol": "telnet", "host": node.address, "profile": "linux"}))
        .unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let project = "<Root><TestSuite><tsName>s</tsName><TestCase><tcName>goes_on.py</tcName></TestCase>\
                   <TestCase><tcName>dies.py</tcName></TestCase></TestSuite></Root>";
    let run = bench.api.submit("cable", project).unwrap();
    for (sign, state) in [("pulled", "down"), ("back", "up"), ("again", "down")] {
        let wanted = folder.join(format!("{sign}.wanted"));
        wait::until(LIMIT, sign, || Ok(wanted.try_exists()?.then_some(()))).unwrap();
        node.sh(&format!("ip link set mgmt0 {state}")).unwrap();
        std::fs::write(folder.join(sign), "").unwrap();
    }
    bench.api.wait(run, LIMIT).unwrap();
    let rows = bench.api.tests(run).unwrap();
    assert_eq!(rows[0].state, TestState::Ended(Verdict::Pass), "{}", rows[0].reason);
    assert_eq!(
        (rows[1].state, rows[1].cause),
        (TestState::Ended(Verdict::Fail), Some(Cause::Lab)),
        "{}",
        rows[1].reason
    );
    assert!(rows[1].reason.contains("the network to it is cut"), "{}", rows[1].reason);
}
