//! Tests in control groups of the kernel: nothing of theirs outlives them, wherever it hid, and what cannot be kept is told.

use std::{fs, path::Path, time::Duration};

use jackfield_protocol::{
    api::EpState,
    verdict::{TestState, Verdict},
};
use jackfield_tests::{Bench, cgroup::ControlGroup, process::lives, users::Users, wait};
use serde_json::Value;

use crate::run_as;

const LIMIT: Duration = Duration::from_secs(120);
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
