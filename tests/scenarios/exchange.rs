//! A real Asterisk: its command line in a terminal, its manager interface over TCP, calls that sipp places, and what is charged for them.
//! Debian 12 has no Asterisk: this story is told where it is asked for.

use std::time::Duration;

use jackfield_tests::{
    Bench,
    asterisk::{Exchange, NAME},
    present::asked_for,
};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(90);
const HOW: &str = "it needs mmdebstrap and sip-tester, and fetches 350 MB once";

/// The manager interface greets, and then only answers.
const MANAGER: &str = r"
name = 'manager'
prompt = 'Asterisk Call Manager/[\d.]+\s*$'
line_ending = '\r\n'
[login]
confirm = false
";

const CALLS: &str = r#"
import os, signal, subprocess, threading
from jackfield import JackfieldError, session

ADDRESS = "@ADDRESS@"
with session("/lab/pbx") as pbx, session("/lab/manager") as manager:
    assert pbx.command("core show version").startswith("Asterisk "), "no version"
    for number in range(30):
        assert f"No such command 'bogus {number}'" in pbx.command(f"bogus {number}", check=False), number
    counted = "0 active channels\n0 active calls\n0 calls processed"
    for _ in range(30):
        assert pbx.command("core show channels count") == counted
    functions = pbx.command("core show functions")
    assert functions.endswith("custom functions installed.") and "*CLI>" not in functions, functions

    # Held up for far longer than a prompt is waited for: its command line draws the prompt all the same.
    for _ in range(3):
        os.kill(@PID@, signal.SIGSTOP)
        threading.Timer(0.4, os.kill, (@PID@, signal.SIGCONT)).start()
        assert pbx.command("core show channels count") == counted
    os.kill(@PID@, signal.SIGSTOP)
    threading.Timer(0.4, os.kill, (@PID@, signal.SIGCONT)).start()
    assert pbx.command("core show functions") == functions

    # A call within the exchange, begun on its command line.
    pbx.command("channel originate Local/600@default application Wait 30")
    shown = pbx.command("core show channels concise")
    assert shown.count("!Up!") == 2 and "!600!" in shown, shown

    def ask(number, action, **fields):
        wanted = {"Action": action, "ActionID": number, **fields}
        manager.send("".join(f"{key}: {value}\r\n" for key, value in wanted.items()))
        return manager.expect(rf"Response: (\w+)\r\nActionID: {number}\r\n([\s\S]*?)\r\n\r\n", timeout=10)

    assert ask(1, "Login", Username="tester", Secret="wrong").groups[0] == "Error"
with session("/lab/manager") as manager:
    assert ask(2, "Login", Username="tester", Secret="geheim").groups[0] == "Success"
    assert ask(3, "CoreShowChannels").groups[0] == "Success"
    manager.expect(r"Event: CoreShowChannelsComplete[\s\S]*?ListItems: 2\r\n", timeout=10)
    with session("/lab/pbx") as pbx:
        assert "Requested Hangup" in pbx.command("channel request hangup all")
    manager.expect(r"Event: Hangup\r\n", timeout=10)

    # Calls from outside, each answered for a second.
    with session("/lab/pbx") as pbx:
        call = ["sipp", "-sn", "uac", f"{ADDRESS}:5060", "-s", "100", "-m", "3", "-r", "10", "-d", "500", "-nostdin"]
        sipp = subprocess.Popen(call, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        manager.expect(r"Event: Newexten\r\n[\s\S]*?Exten: 100\r\n", timeout=10)
        assert sipp.wait(30) == 0, sipp.returncode
        assert "0 active calls" in pbx.command("core show channels count")

with session("/lab/shell") as shell:
    rows = shell.command("cat /var/log/asterisk/cdr-csv/Master.csv").splitlines()
    calls = [row for row in rows if '"100"' in row and '"ANSWERED"' in row]
    assert len(calls) == 3, rows
"#;

#[test]
fn calls_are_placed_and_charged() {
    if !asked_for(NAME, HOW) {
        return;
    }
    let exchange = Exchange::start().unwrap();
    let mut bench = Bench::start("").unwrap();
    bench.write("profiles/manager.toml", &MANAGER.replace("'\\r\\n'", "\"\\r\\n\"")).unwrap();
    bench
        .write(
            "tests/calls.py",
            &CALLS.replace("@ADDRESS@", &exchange.address).replace("@PID@", &exchange.pid().to_string()),
        )
        .unwrap();
    bench.start_ep("EP-1", "").unwrap();
    bench.api.set_resource("/", "lab", &json!({})).unwrap();
    let set = |name: &str, way| bench.api.set_resource("/lab", name, &way).unwrap();
    set("pbx", json!({"command": exchange.inside("asterisk -r"), "profile": "asterisk"}));
    set("shell", json!({"command": exchange.inside("sh"), "profile": "linux"}));
    set("manager", json!({"protocol": "tcp", "host": exchange.address, "port": 5038, "profile": "manager"}));
    bench.api.pass_files(&["calls.py"], LIMIT).unwrap();
}
