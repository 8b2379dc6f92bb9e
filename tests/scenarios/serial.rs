//! A console on a serial line, once plugged into the EP and once behind a terminal server: logged in to, set to another speed, given a
//! break, pulled out and put back, by a test that only names its resource.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::{Bench, process::Process, wait};
use serde_json::json;

pub(crate) const GETTY: &str = r#"#!/bin/sh
while :; do
  printf 'box login: '; read user; [ "$user" ] || continue
  stty -echo; printf 'Password: '; read word; stty echo; echo
  [ "$user:$word" = ana:secret ] && break
  echo 'Login incorrect'
done
PS1='box# ' exec /bin/sh -i
"#;

/// Speeds are read where they arrive: at the line itself.
const PYTHON: &str = r#"
import subprocess
from jackfield import JackfieldError, session

def speed():
    return subprocess.run(["stty", "-F", "@LINE@", "speed"], capture_output=True, text=True).stdout.strip()

with session("/lab/box") as box:
    assert box.command("echo $((40 + 2))") == "42"
    assert speed() == "115200", speed()
    box.set_line(38400)
    assert speed() == "38400", speed()
    box.send_break(0.01)
    # The pair of terminals has no modem lines; a terminal server tells them as off.
    if "@PROTOCOL@" == "rfc2217":
        assert box.modem_lines() == {"cts": False, "dsr": False, "ri": False, "cd": False}
    else:
        for ask in [box.modem_lines, lambda: box.set_line(dtr=False), lambda: box.set_line(rts=True)]:
            try:
                ask()
                raise AssertionError("modem lines that are not there")
            except JackfieldError as error:
                assert "it has no modem lines" in str(error), error
    assert box.command("echo on") == "on"
    assert len(box.command("seq 1 2000").splitlines()) == 2000
"#;

const PROJECT: &str = r#"<Root>
  <TestSuite><tsName>console</tsName><ID>s1</ID>
    <TestCase><tcName>console.py</tcName><ID>t1</ID></TestCase>
  </TestSuite>
</Root>"#;

/// A line whose far end asks for a login.
pub(crate) fn plug_in(folder: &Path) -> Process {
    let (line, getty) = (folder.join("tty"), folder.join("getty"));
    fs::write(&getty, GETTY).unwrap();
    fs::set_permissions(&getty, PermissionsExt::from_mode(0o755)).unwrap();
    let near = format!("PTY,link={},raw,echo=0", line.display());
    let far = format!("EXEC:{},pty,stderr,setsid,ctty,sane", getty.display());
    let mut socat = Command::new("socat");
    socat.args([&near, &far]).stdin(Stdio::null());
    let running = Process::start("socat", &mut socat, &folder.join("log")).unwrap();
    wait::until(Duration::from_secs(10), "the line", || Ok(line.try_exists()?.then_some(()))).unwrap();
    running
}

/// ser2net in front of the line. It cannot say which port it was given, so it is given one that was free a moment ago.
fn terminal_server(folder: &Path) -> (Process, u16) {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let config = folder.join("ser2net.yaml");
    let text = format!(
        "connection: &c\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n  connector: serialdev,{}/tty,9600n81,local\n  options:\n    mdns: false\n",
        folder.display()
    );
    fs::write(&config, text).unwrap();
    let mut ser2net = Command::new("/usr/sbin/ser2net");
    ser2net.args(["-n", "-u", "-c"]).arg(&config).stdin(Stdio::null());
    let running = Process::start("ser2net", &mut ser2net, &folder.join("log")).unwrap();
    let there = || Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(drop));
    wait::until(Duration::from_secs(10), "ser2net", there).unwrap();
    (running, port)
}

#[test]
fn a_console_is_driven_over_its_serial_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::start("").unwrap();
    let line = folder.path().join("tty").display().to_string();
    bench.start_ep("EP-1", "").unwrap();
    let set = |name: &str, parent: &str, properties: serde_json::Value| {
        let body = json!({"parent": parent, "name": name, "properties": properties});
        bench.api.put::<serde_json::Value>("/resources", &body).unwrap();
    };
    set("lab", "/", json!({}));
    for protocol in ["serial", "rfc2217"] {
        let text = PYTHON.replace("@LINE@", &line).replace("@PROTOCOL@", protocol);
        bench.write("tests/console.py", &text).unwrap();
        let _line = plug_in(folder.path());
        let server = (protocol == "rfc2217").then(|| terminal_server(folder.path()));
        let port = server.as_ref().map(|(_, port)| *port);
        set(
            "box",
            "/lab",
            json!({
                "protocol": protocol, "device": line, "host": "127.0.0.1", "port": port.unwrap_or(1), "speed": 115_200,
                "profile": "linux", "user": "ana", "password": "secret",
            }),
        );
        let run = bench.api.submit("console", PROJECT).unwrap();
        bench.api.wait(run, Duration::from_secs(60)).unwrap();
        for test in bench.api.tests(run).unwrap() {
            let log = bench.api.log(test.attempt.unwrap(), "cli").unwrap_or_default();
            let state = TestState::Ended(Verdict::Pass);
            assert_eq!(test.state, state, "{protocol}: {}: {}\n{log}", test.name, test.reason);
        }
    }
}
