//! Tests in control groups of the kernel: nothing of theirs outlives them, wherever it hid, and what cannot be kept is told.

use std::{fs, path::Path, time::Duration};

use jackfield_protocol::{
    api::EpState,
    verdict::{TestState, Verdict},
};
use jackfield_tests::{Bench, cgroup::ControlGroup, guest, process::lives, users::Users, wait};
use serde_json::Value;

use crate::run_as;

const LIMIT: Duration = Duration::from_secs(120);
/// Every instruction of the guest is computed, and of what is not optimised there are many.
const GUEST_LIMIT: Duration = Duration::from_secs(600);
const REST: &str = "[interpreters]\npython = \"/usr/bin/python3\"\n";

/// Hides a process from everything but the kernel: another session, no parent, and nothing in its environment; and says who it is.
const HIDE_SHELL: &str = "#!/bin/sh\n\
    env -i setsid sh -c 'setsid sleep 3600 </dev/null >/dev/null 2>&1 & echo $! > HERE/hidden'\n\
    cat /proc/self/cgroup | grep '^0::'\n";

const HIDE_PYTHON: &str = r#"
import os, subprocess
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(3):
            os.close(fd)
        os.execve("/bin/sleep", ["sleep", "3600"], {})
    os._exit(0)
os.wait()
pids = [name for name in os.listdir("/proc") if name.isdigit()]
def is_mine(pid):
    try:
        return open(f"/proc/{pid}/cmdline").read() == "sleep\x003600\x00" and open(f"/proc/{pid}/cgroup").read() == open("/proc/self/cgroup").read()
    except OSError:
        return False
hidden = []
while not hidden:
    hidden = [pid for pid in os.listdir("/proc") if pid.isdigit() and is_mine(pid)]
open("HERE/hidden", "w").write(hidden[0])
print([line for line in open("/proc/self/cgroup").read().splitlines() if line.startswith("0::")][0])
"#;

fn settings(group: &ControlGroup, wanted: &str, more: &str) -> String {
    format!("{more}\n[cgroup]\nuse = \"{wanted}\"\nparent = {:?}\n{REST}", group.folder())
}

fn hidden(bench: &Bench) -> String {
    fs::read_to_string(bench.path().join("shared/hidden")).unwrap()
}

#[test]
fn nothing_of_a_test_outlives_it_however_it_hides() {
    let Some(group) = ControlGroup::new().unwrap() else { return };
    let mut bench = Bench::start("").unwrap();
    let here = run_as::shared(&bench).display().to_string();
    bench.write("tests/hide.sh", &HIDE_SHELL.replace("HERE", &here)).unwrap();
    bench.write("tests/hide.py", &HIDE_PYTHON.replace("HERE", &here)).unwrap();
    bench.write("tests/gone", "no first line\n").unwrap();
    bench.start_ep("EP-1", &settings(&group, "require", "")).unwrap();
    for file in ["hide.sh", "hide.py"] {
        let rows = bench.api.pass_files(&[file], LIMIT).unwrap();
        let attempt = rows.first().and_then(|row| row.attempt).unwrap();
        let log = bench.api.log(attempt, "cli").unwrap();
        let name = group.folder().file_name().unwrap().to_string_lossy().into_owned();
        assert!(log.contains(&name) && log.trim_end().ends_with(&attempt.to_string()), "{log}");
        assert!(!lives(&hidden(&bench)), "{file}");
        let said = bench.api.log(attempt, "ep").unwrap();
        assert!(said.contains("left running by the test, and ended after it: s"), "{said}");
    }
    // What cannot be started is told as without groups.
    let rows = bench.api.run_files(&["gone"], LIMIT).unwrap();
    assert!(rows.iter().all(|row| row.state == TestState::Ended(Verdict::Invalid)), "{rows:?}");
    let left: Vec<_> =
        group.below().into_iter().filter(|folder| folder.parent() != Some(group.folder())).collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}

/// A program with which a session talks: it hides one of its own, as a device's agent might.
const HIDE_SESSION: &str = r#"
import pathlib
from jackfield.session import open_session
session = open_session(connect={"protocol": "process", "command": ["sh"]}, name="here")
session.command("env -i setsid sh -c 'setsid sleep 3600 </dev/null >/dev/null 2>&1 & echo $! > HERE/hidden'")
print(session.command("cat /proc/self/cgroup | grep ^0::"))
assert pathlib.Path("HERE/hidden").read_text()
"#;

#[test]
fn what_a_session_started_ends_with_it_however_it_hides() {
    let Some(group) = ControlGroup::new().unwrap() else { return };
    let mut bench = Bench::start("").unwrap();
    let here = run_as::shared(&bench).display().to_string();
    bench.write("tests/hide.py", &HIDE_SESSION.replace("HERE", &here)).unwrap();
    bench.start_ep("EP-1", &settings(&group, "require", "")).unwrap();
    let rows = bench.api.pass_files(&["hide.py"], LIMIT).unwrap();
    let log = bench.api.log(rows.first().and_then(|row| row.attempt).unwrap(), "cli").unwrap();
    assert!(log.contains("/program-"), "it has a group of its own: {log}");
    // The session is the run's, and ends with that.
    let pid = hidden(&bench);
    wait::until(LIMIT, "the hidden process to end", || Ok((!lives(&pid)).then_some(()))).unwrap();
    let left =
        || group.below().into_iter().filter(|folder| folder.display().to_string().contains("program-"));
    wait::until(LIMIT, "its group to go", || Ok(left().next().is_none().then_some(()))).unwrap();
}

#[test]
fn what_an_ep_that_was_killed_left_hidden_is_ended_by_its_next_life() {
    let Some(group) = ControlGroup::new().unwrap() else { return };
    let mut bench = Bench::start("").unwrap();
    let here = run_as::shared(&bench).display().to_string();
    let text = format!("{}sleep 3600\n", HIDE_SHELL.replace("HERE", &here));
    bench.write("tests/hide.sh", &text).unwrap();
    let settings = settings(&group, "require", "");
    bench.start_ep("EP-1", &settings).unwrap();
    let xml =
        "<Root><TestSuite><tsName>s</tsName><TestCase><tcName>hide.sh</tcName></TestCase></TestSuite></Root>";
    bench.api.submit("hidden", xml).unwrap();
    let pid = wait::until(LIMIT, "a hidden process", || {
        Ok(fs::read_to_string(Path::new(&here).join("hidden")).ok().filter(|text| text.ends_with('\n')))
    })
    .unwrap();
    bench.kill_ep("EP-1");
    assert!(lives(&pid));
    bench.start_ep("EP-1", &settings).unwrap();
    assert!(!lives(&pid));
}

#[test]
fn tests_of_other_users_have_groups_too() {
    let Some(group) = ControlGroup::new().unwrap() else { return };
    let users = Users::new(&["tester"]).unwrap();
    let mut bench = Bench::start("").unwrap();
    let here = run_as::shared(&bench).display().to_string();
    bench.write("tests/hide.sh", &HIDE_SHELL.replace("HERE", &here)).unwrap();
    bench.write("tests/hide.py", &HIDE_PYTHON.replace("HERE", &here)).unwrap();
    // It may not leave.
    let leave = format!("#!/bin/sh\necho 0 > {}/cgroup.procs && echo LEFT\ntrue\n", group.folder().display());
    bench.write("tests/leave.sh", &leave).unwrap();
    run_as::start(&mut bench, &users, None, &settings(&group, "require", "run_as = \"tester\""));
    bench.wait_for_ep("EP-1", |state| state != EpState::Offline).unwrap();
    for file in ["hide.sh", "hide.py", "leave.sh"] {
        let rows = bench.api.pass_files(&[file], LIMIT).unwrap();
        let log = bench.api.log(rows.first().and_then(|row| row.attempt).unwrap(), "cli").unwrap();
        assert!(!log.contains("LEFT"), "{log}");
        assert!(file == "leave.sh" || log.contains("/jackfield-"), "{log}");
        assert!(!lives(&hidden(&bench)), "{file}");
    }
}

/// An engine and an EP with limits, and a run of tests that want more.
const IN_GUEST: &str = r#"
jackfield engine --lab /lab --port 8000 --ready /ready >/engine.log 2>&1 &
while ! grep -q admin_password /ready 2>/dev/null; do sleep 0.2; done
password=$(sed 's/.*"admin_password": *"\([^"]*\)".*/\1/' /ready | tr -d '\n')
export JACKFIELD_ENGINE=http://127.0.0.1:8000
echo "$password" | jackfield login admin
token=$(jackfield token create ep --scope ep)
printf 'name = "EP-1"\nengine = "http://127.0.0.1:8000"\ntoken = "%s"\nwork = "/ep"\n[cgroup]\nuse = "require"\nmemory = "64MB"\nprocesses = 12\ncpu = 0.5\n' "$token" > /ep.toml
chmod 600 /ep.toml
jackfield ep --config /ep.toml >/ep.log 2>&1 &
while ! jackfield eps show EP-1 2>/dev/null | grep -q idle; do
  kill -0 $! || { cat /ep.log; break; }
  sleep 0.5
done
jackfield run /lab/projects/p.xml >/out 2>&1
cat /out
jackfield runs why 1 1
jackfield runs why 1 2
jackfield runs logs 1.0
"#;

/// Processes that stay, a piece of memory that is written to, and the group's own word for what it may have of a processor.
const GREEDY: [(&str, &str); 3] = [
    (
        "lab/tests/fits.sh",
        "#!/bin/sh\nd=/sys/fs/cgroup$(sed 's/^0:://' /proc/self/cgroup)\necho cpu $(cat $d/cpu.max) memory $(cat $d/memory.max) pids $(cat $d/pids.max)\n",
    ),
    ("lab/tests/memory.sh", "#!/bin/sh\ndd if=/dev/zero of=/dev/null bs=150M count=1\necho got it\n"),
    (
        "lab/tests/processes.sh",
        "#!/bin/sh\nn=0\nwhile [ $n -lt 30 ]; do sleep 60 & n=$((n+1)); done\necho got them\n",
    ),
];

#[test]
fn limits_are_kept_where_the_kernel_has_the_controllers() {
    if guest::is_left_out() {
        return;
    }
    let cases: String = ["fits.sh", "memory.sh", "processes.sh"]
        .map(|file| format!("<TestCase><tcName>{file}</tcName></TestCase>"))
        .concat();
    let project = format!("<Root><TestSuite><tsName>s</tsName>{cases}</TestSuite></Root>");
    let files: Vec<(&str, &str)> =
        GREEDY.into_iter().chain([("lab/projects/p.xml", project.as_str())]).collect();
    let said = guest::run(IN_GUEST, &files, GUEST_LIMIT).unwrap();
    for wanted in [
        "PASS         s / fits.sh",
        "cpu 50000 100000 memory 67108864 pids 12",
        "FAIL         s / memory.sh",
        "cgroup.memory",
        "FAIL         s / processes.sh",
        "cgroup.processes",
    ] {
        assert!(said.contains(wanted), "no `{wanted}` in:\n{said}");
    }
}

#[test]
fn a_limit_that_cannot_be_kept_is_told_or_the_ep_does_not_start() {
    let Some(group) = ControlGroup::new().unwrap() else { return };
    let controllers = fs::read_to_string(group.folder().join("cgroup.controllers")).unwrap();
    if controllers.contains("memory") {
        // This machine can keep it.
        return;
    }
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/ok.sh", "#!/bin/sh\nexit 0\n").unwrap();
    let memory = |wanted| {
        format!("{}[limits]\nstop_grace = \"1s\"\n", settings(&group, wanted, ""))
            .replace("parent =", "memory = \"64MB\"\nparent =")
    };
    bench.start_ep("EP-1", &memory("try")).unwrap();
    bench.api.pass_files(&["ok.sh"], LIMIT).unwrap();
    let eps: Value = bench.api.get("/eps").unwrap();
    let told = eps.to_string();
    assert!(told.contains("`memory` of [cgroup] in ep.toml cannot be kept"), "{told}");
    assert!(bench.ep_log("EP-1").contains("no controller `memory` there"), "{}", bench.ep_log("EP-1"));
    bench.launch_ep("EP-2", &memory("require")).unwrap();
    let status = wait::until(LIMIT, "an EP to end", || Ok(bench.ep("EP-2").ended())).unwrap();
    assert_eq!(status.code(), Some(2), "{}", bench.ep_log("EP-2"));
    assert!(bench.ep_log("EP-2").contains("Delegate=yes"), "{}", bench.ep_log("EP-2"));
}
