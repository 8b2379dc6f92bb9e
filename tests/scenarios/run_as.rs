//! Tests that run as another user than their EP: what they find of it, of each other, and what is left of them.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, time::Duration};

use jackfield_protocol::{
    api::{EpState, TestRow},
    verdict::{TestState, Verdict},
};
use jackfield_tests::{Bench, process::jackfield, users::Users, wait};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(120);

/// The interpreter of the machine: another may stand where users of tests do not come.
const REST: &str = "[limits]\nstop_grace = \"500ms\"\n[interpreters]\npython = \"/usr/bin/python3\"\n[runners.\"junit.sh\"]\nkind = \"command\"\ncommand = [\"sh\"]\nresults = \"out.xml\"\n";

/// What a hostile test tries; each try that succeeds is a line, and so is who it is.
const PRY: &str = r#"
import os, pwd, signal, subprocess, sys
import jackfield
from jackfield.session import open_session
print("as", open("/proc/self/environ").read().count("\0") > 0 and os.getuid(), os.getgroups() == [os.getgid()])
work = os.environ["JACKFIELD_WORK_DIR"]
ep = os.path.dirname(os.path.dirname(work))
print("home", os.environ["HOME"] == os.environ.get("TMPDIR") == work, os.environ["USER"], oct(os.umask(0o22)))
def tried(what, deed):
    try:
        deed()
    except OSError:
        return
    print("GOT", what)
def shown(path):
    return lambda: open(path, "rb").read(1)
for name in ("instance", "engine-life", "lock", "known_hosts"):
    if os.path.lexists(f"{ep}/{name}"):
        tried(name, shown(f"{ep}/{name}"))
tried("ep.toml", shown(os.path.dirname(ep) + "/ep.toml"))
for name in ("", "reports", "logs", "cache", "outbox", "staging", "recordings", "captures", "trash", "runs", "work"):
    tried(f"list of {name}", lambda: os.listdir(f"{ep}/{name}"))
    tried(f"a file in {name}", lambda: open(f"{ep}/{name}/planted", "w"))
tried("own file", lambda: open(__file__, "a"))
def command_of(name):
    try:
        return open(f"/proc/{name}/cmdline", "rb").read()
    except OSError:
        return b""
for name in os.listdir("/proc"):
    if name.isdigit() and b"jackfield\0ep\0" in command_of(name):
        tried("environment of an EP", shown(f"/proc/{name}/environ"))
        tried("memory of an EP", lambda: open(f"/proc/{name}/mem", "rb"))
        tried("signals to an EP", lambda: os.kill(int(name), signal.SIGCONT))
open("mine", "w").write("mine")
os.mkdir("closed", 0o700)
open("closed/kept", "w").write("kept")
jackfield.artifact("closed/kept", "kept.txt")
jackfield.artifact(os.path.dirname(ep) + "/ep.toml", "token.txt")
os.symlink(os.path.dirname(ep) + "/ep.toml", "link")
jackfield.artifact("link", "link.txt")
print("program", subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip())
session = open_session(connect={"protocol": "process", "command": ["sh"]}, name="here")
print("session", session.command("id -un").strip(), "token", "JACKFIELD_EP_TOKEN" in session.command("env"))
for bad in ({"key": ep + "/instance"}, {"known_hosts": "/root/.ssh/authorized_keys"}):
    try:
        open_session(connect={"protocol": "ssh", "host": "127.0.0.1", **bad}, timeout=1)
    except jackfield.JackfieldError as error:
        print("refused", "may not name the file" in str(error))
"#;

/// Leaves what it can.
const LEAVE: &str = r#"#!/bin/sh
mkdir -p deep/er; touch deep/er/file; chmod 000 deep/er; chmod 500 deep
touch /tmp/left-by-$(id -un)
env -i setsid sh -c 'exec sleep 3600' </dev/null >/dev/null 2>&1 &
sleep 3600 &
until [ "$(grep -l sleep /proc/[0-9]*/comm 2>/dev/null | while read f; do [ "$(stat -c %u "${f%/comm}" 2>/dev/null)" = "$(id -u)" ] && echo x; done | wc -l)" = 2 ]; do :; done
echo left
"#;

/// Looks for what the one before left.
const LOOK: &str = r#"#!/bin/sh
for p in /proc/[0-9]*; do
  [ "$(stat -c %u $p 2>/dev/null)" = "$(id -u)" ] && case "$(cat $p/comm 2>/dev/null)" in sleep|python*) grep -q "^State:.Z" $p/status || echo "FOUND $p";; esac
done
ls /tmp | grep "left-by-$(id -un)"
ls "$JACKFIELD_WORK_DIR/.." 2>/dev/null
echo looked
"#;

fn log_of(bench: &Bench, row: &TestRow) -> String {
    bench.api.log(row.attempt.unwrap(), "cli").unwrap()
}

/// An EP that is root, or that is not and has root's helper.
pub(crate) fn start(bench: &mut Bench, users: &Users, user: Option<&str>, settings: &str) {
    let opened = bench.path().to_owned();
    bench
        .launch_ep_with("EP-1", settings, |folder| {
            for place in [opened.as_path(), &opened.join("eps"), folder] {
                fs::set_permissions(place, fs::Permissions::from_mode(0o711))?;
            }
            fs::set_permissions(folder.join("ep.toml"), fs::Permissions::from_mode(0o600))?;
            if let Some(user) = user {
                users.give(folder, user)?;
            }
            Ok(users.command(&jackfield(), user))
        })
        .unwrap();
}

fn is_there(bench: &Bench) {
    bench.wait_for_ep("EP-1", |state| state != EpState::Offline).unwrap();
}

/// The same story for both kinds of EP.
fn a_test_reads_nothing_and_leaves_nothing(users: &Users, user: Option<&str>, settings: &str) {
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/pry.py", PRY).unwrap();
    bench.write("tests/leave.sh", LEAVE).unwrap();
    bench.write("tests/look.sh", LOOK).unwrap();
    bench.write("tests/cases.tap", "#!/bin/sh\necho 1..1; echo ok 1 - $(id -un)\n").unwrap();
    let results = "<testsuite><testcase name=\"inner\"/></testsuite>";
    bench.write("tests/r.junit.sh", &format!("umask 077\necho '{results}' > out.xml\n")).unwrap();
    bench.write("tests/l.junit.sh", "ln -s \"$JACKFIELD_WORK_DIR/../../../ep.toml\" out.xml\n").unwrap();
    start(&mut bench, users, user, settings);
    is_there(&bench);
    let rows =
        bench.api.pass_files(&["pry.py", "leave.sh", "look.sh", "cases.tap", "pry.py"], LIMIT).unwrap();
    let [first, left, looked, printed, last] = rows.as_slice() else { panic!("{rows:?}") };
    let tester = users.uid("tester");
    let expected = format!(
        "as {tester} True\nhome True tester 0o22\nprogram tester\nsession tester token False\nrefused True\nrefused True\n"
    );
    for row in [first, last] {
        assert_eq!(log_of(&bench, row), expected);
        let said = bench.api.log(row.attempt.unwrap(), "ep").unwrap();
        for refused in ["token.txt", "link.txt"] {
            assert!(said.contains(&format!("artifact `{refused}` is not kept")), "{said}");
        }
        assert!(said.contains("Permission denied") && !said.contains("kept.txt"), "{said}");
        let about: Value = bench.api.get(&format!("/attempts/{}", row.attempt.unwrap())).unwrap();
        let hash = about
            .pointer("/artifacts/kept.txt/hash")
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{about}"));
        assert_eq!(bench.api.blob(hash).unwrap(), b"kept");
    }
    let rows = bench.api.run_files(&["r.junit.sh", "l.junit.sh"], LIMIT).unwrap();
    let [written, linked] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(written.state, TestState::Ended(Verdict::Pass), "{}", written.reason);
    assert_ne!(linked.state, TestState::Ended(Verdict::Pass));
    assert!(linked.reason.contains("Permission denied"), "{}", linked.reason);
    assert_eq!(log_of(&bench, left), "left\n");
    assert_eq!(log_of(&bench, looked), "looked\n");
    assert_eq!(log_of(&bench, printed), "1..1\nok 1 - tester\n");
    a_test_that_does_not_end_is_ended(&bench);
}

/// Ends only when it is killed, as does what it started; and wants something done after it.
const HANG: &str = r#"
import os, signal, time
import jackfield
signal.signal(signal.SIGTERM, signal.SIG_IGN)
jackfield.cleanup("who", ["sh", "-c", "id -un; pwd; umask"])
if os.fork() == 0:
    os.setsid()
while True:
    time.sleep(1)
"#;

fn a_test_that_does_not_end_is_ended(bench: &Bench) {
    bench.write("tests/hang.py", HANG).unwrap();
    let case = |file: &str, limit: &str| format!("<TestCase><tcName>{file}</tcName>{limit}</TestCase>");
    let cases = [case("hang.py", "<Timeout>2</Timeout>"), case("look.sh", "")].concat();
    let xml = format!("<Root><TestSuite><tsName>story</tsName>{cases}</TestSuite></Root>");
    let run = bench.api.submit("story", &xml).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let rows = bench.api.tests(run).unwrap();
    let [hung, looked] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(hung.state, TestState::Ended(Verdict::Timeout), "{}", hung.reason);
    let said = bench.api.log(hung.attempt.unwrap(), "ep").unwrap();
    assert!(said.contains("tester\n") && said.contains("/work/") && said.contains("0022"), "{said}");
    assert_eq!(log_of(bench, looked), "looked\n");
}

#[test]
fn a_test_of_an_ep_that_is_root_reads_nothing_of_it_and_leaves_nothing() {
    let users = Users::new(&["tester"]).unwrap();
    a_test_reads_nothing_and_leaves_nothing(&users, None, &format!("run_as = \"tester\"\n{REST}"));
}

#[test]
fn a_test_of_an_ep_that_is_not_root_reads_nothing_of_it_and_leaves_nothing() {
    let users = Users::new(&["tester", "labep"]).unwrap();
    users.permit("labep: tester\n").unwrap();
    let helper = users.helper().unwrap();
    let settings = format!("run_as = \"tester\"\nrun_as_helper = {helper:?}\n{REST}");
    a_test_reads_nothing_and_leaves_nothing(&users, Some("labep"), &settings);
}

/// Files to and from a device, of the test's own, and of the EP.
const MOVE: &str = r#"
import os
import jackfield
ep = os.path.dirname(os.path.dirname(os.environ["JACKFIELD_WORK_DIR"]))
with jackfield.session("/lab/host") as host:
    open("mine", "w").write("mine")
    print("put", host.put("mine", FAR + "/mine"))
    print("get", host.get(FAR + "/mine", "back"), open("back").read(), os.stat("back").st_uid == os.getuid())
    os.symlink(ep + "/instance", "link")
    for deed in (
        lambda: host.put(ep + "/instance", FAR + "/stolen"),
        lambda: host.put("link", FAR + "/stolen"),
        lambda: host.get(FAR + "/mine", ep + "/planted"),
        lambda: host.command_to_file("echo x", ep + "/planted"),
        lambda: host.put(".", FAR + "/folder"),
    ):
        try:
            deed()
            print("GOT")
        except jackfield.JackfieldError as error:
            print("refused", "ermission denied" in str(error) or "is a folder" in str(error) or error)
    host.command_to_file("echo kept", "answer.txt", artifact=True)
    print(open("answer.txt").read(), end="")
"#;

const STEPS: &str = r#"
title = "files of a step test"
[sessions.host]
resource = "/lab/host"
[[steps]]
get = "FAR/mine"
to = "mine"
[[steps]]
put = "mine"
to = "FAR/again"
[[steps]]
PUT
"#;

#[test]
fn files_to_and_from_devices_are_opened_with_the_rights_of_the_test() {
    let far = tempfile::tempdir().unwrap();
    let port = crate::beside::serve(far.path());
    let key = fs::read_to_string(far.path().join("id")).unwrap();
    let users = Users::new(&["tester", "labep"]).unwrap();
    users.permit("labep: tester\n").unwrap();
    let helper = users.helper().unwrap();
    for user in [None, Some("labep")] {
        let mut bench = Bench::start("").unwrap();
        let there = far.path().display().to_string();
        let step = |put: &str| STEPS.replace("PUT", put).replace("FAR", &there);
        let ep = bench.path().join("eps/EP-1/ep.toml").display().to_string();
        bench.write("tests/move.py", &format!("FAR = {there:?}\n{MOVE}")).unwrap();
        bench.write("tests/own.steps.toml", &step("command = \"true\"")).unwrap();
        bench.write("tests/stolen.steps.toml", &step(&format!("put = {ep:?}\nto = \"FAR/stolen\""))).unwrap();
        bench.write("tests/planted.steps.toml", &step("get = \"FAR/mine\"\nto = \"../planted\"")).unwrap();
        bench.api.set_resource("/", "lab", &json!({})).unwrap();
        let host = json!({
            "host": "127.0.0.1", "port": port, "user": "root", "profile": "linux", "key": key, "host_key": "accept-new",
        });
        bench.api.set_resource("/lab", "host", &host).unwrap();
        let settings = format!("run_as = \"tester\"\nrun_as_helper = {helper:?}\n{REST}");
        start(&mut bench, &users, user, &settings);
        is_there(&bench);
        let rows = bench
            .api
            .run_files(&["move.py", "own.steps.toml", "stolen.steps.toml", "planted.steps.toml"], LIMIT)
            .unwrap();
        let [moved, own, stolen, planted] = rows.as_slice() else { panic!("{rows:?}") };
        let refused = "refused True\n".repeat(5);
        let expected = format!("put 4\nget 4 mine True\n{refused}kept\n");
        assert_eq!(log_of(&bench, moved), expected, "{}", moved.reason);
        for (row, verdict, word) in [
            (moved, Verdict::Pass, ""),
            (own, Verdict::Pass, ""),
            (stolen, Verdict::Invalid, "Permission denied"),
            (planted, Verdict::Invalid, "leads elsewhere"),
        ] {
            assert_eq!(row.state, TestState::Ended(verdict), "{}: {}", row.name, row.reason);
            assert!(row.reason.contains(word), "{}: {}", row.name, row.reason);
        }
        assert!(!far.path().join("stolen").is_file());
    }
}

/// Hides something, tells where, and waits until somebody has tried to get at it.
const HIDE: &str = r#"
import os, time
open("secret", "w").write("secret")
shared = SHARED
open(shared + "/told.part", "w").write(f"{os.getcwd()} {os.getpid()} {__file__}")
os.rename(shared + "/told.part", shared + "/told")
while not os.path.exists(shared + "/tried"):
    time.sleep(0.01)
"#;

const SEEK: &str = r#"
import os, time
while not os.path.exists(SHARED + "/told"):
    time.sleep(0.01)
folder, pid, file = open(SHARED + "/told").read().split()
print("other", os.stat(f"/proc/{pid}").st_uid != os.getuid())
for path in (folder + "/secret", f"/proc/{pid}/environ", f"/proc/{pid}/mem", file):
    try:
        open(path, "rb").read(1)
        print("GOT", path)
    except OSError:
        pass
try:
    os.kill(int(pid), 18)
    print("GOT its process")
except OSError:
    pass
open(SHARED + "/tried", "w")
"#;

/// A folder in which everybody may write.
pub(crate) fn shared(bench: &Bench) -> PathBuf {
    let folder = bench.path().join("shared");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

#[test]
fn tests_of_two_lanes_read_nothing_of_each_other() {
    let users = Users::new(&["lab0", "lab1", "lab2"]).unwrap();
    let mut bench = Bench::start("").unwrap();
    let shared = shared(&bench);
    for (name, text) in [("hide.py", HIDE), ("seek.py", SEEK)] {
        bench.write(&format!("tests/{name}"), &format!("SHARED = {shared:?}\n{text}")).unwrap();
    }
    bench.write("tests/hooks/pre.sh", "#!/bin/sh\nid -un\n").unwrap();
    start(&mut bench, &users, None, &format!("run_as = \"lab{{lane}}\"\nlanes = 2\n{REST}"));
    is_there(&bench);
    let suite = |name: &str, file: &str| {
        format!("<TestSuite><tsName>{name}</tsName><TestCase><tcName>{file}</tcName></TestCase></TestSuite>")
    };
    // Two runs: of one, the files are the same person's.
    let one = format!("<Root>{}</Root>", suite("one", "hide.py"));
    let two =
        format!("<Root><ScriptPre ep=\"EP-1\">hooks/pre.sh</ScriptPre>{}</Root>", suite("two", "seek.py"));
    let runs = [bench.api.submit("one", &one).unwrap(), bench.api.submit("two", &two).unwrap()];
    for run in runs {
        bench.api.wait(run, LIMIT).unwrap();
        let row = bench.api.tests(run).unwrap().remove(0);
        assert_eq!(row.state, TestState::Ended(Verdict::Pass), "{}", row.reason);
    }
    let row = bench.api.tests(runs[1]).unwrap().remove(0);
    assert_eq!(log_of(&bench, &row), "other True\n");
    let events = format!("{:?}", bench.api.events(runs[1]).unwrap());
    assert!(events.contains("lab0\\n"), "{events}");
}

/// Goes on until somebody says that it is enough.
const OUTLAST: &str = r#"
import os, time
open(SHARED + "/begun", "w")
while not os.path.exists(SHARED + "/enough"):
    time.sleep(0.01)
"#;

#[test]
fn a_script_that_ends_leaves_a_test_of_the_same_user_alone() {
    let users = Users::new(&["tester"]).unwrap();
    let mut bench = Bench::start("").unwrap();
    let shared = shared(&bench);
    bench.write("tests/outlast.py", &format!("SHARED = {shared:?}\n{OUTLAST}")).unwrap();
    bench.write("tests/hooks/pre.sh", "#!/bin/sh\nid -un\n").unwrap();
    start(&mut bench, &users, None, &format!("run_as = \"tester\"\n{REST}"));
    is_there(&bench);
    // A script begins with the first test of its run, which another EP has.
    bench.start_ep("EP-2", "").unwrap();
    let suite = |ep: &str| {
        format!(
            "<TestSuite><tsName>story</tsName><EpId>{ep}</EpId><TestCase><tcName>outlast.py</tcName></TestCase></TestSuite>"
        )
    };
    let one = bench.api.submit("one", &format!("<Root>{}</Root>", suite("EP-1"))).unwrap();
    wait::until(LIMIT, "the test to begin", || Ok(shared.join("begun").is_file().then_some(()))).unwrap();
    let script = "<ScriptPre ep=\"EP-1\">hooks/pre.sh</ScriptPre>";
    let two = bench.api.submit("two", &format!("<Root>{script}{}</Root>", suite("EP-2"))).unwrap();
    wait::until(LIMIT, "the script to end", || {
        Ok(format!("{:?}", bench.api.events(two)?).contains("tester\\n").then_some(()))
    })
    .unwrap();
    fs::write(shared.join("enough"), "").unwrap();
    for run in [one, two] {
        bench.api.wait(run, LIMIT).unwrap();
        let row = bench.api.tests(run).unwrap().remove(0);
        assert_eq!(row.state, TestState::Ended(Verdict::Pass), "{}", row.reason);
    }
}

#[test]
fn what_cannot_be_is_told_before_the_first_test() {
    let users = Users::new(&["tester", "labep", "lab0", "lab1"]).unwrap();
    users.permit("labep: tester\n").unwrap();
    let helper = users.helper().unwrap();
    let bench = Bench::start("").unwrap();
    let file = bench.path().join("other.toml");
    for (settings, good, words) in [
        ("", "ok", "the EP's own user"),
        ("run_as = \"tester\"\n", "ok", "tester"),
        ("run_as = \"nobody-here\"\n", "missing", "useradd"),
    ] {
        fs::write(&file, settings).unwrap();
        let mut doctor = users.command(&jackfield(), None);
        let said = doctor.args(["doctor", "--config"]).arg(&file).env("COLUMNS", "400").output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let line = said.lines().find(|line| line.contains("tests run as")).unwrap_or(&said);
        assert!(line.contains(good) && line.contains(words), "{settings}: {line}");
    }
    let with_helper = |run_as: &str| format!("run_as = {run_as:?}\nrun_as_helper = {helper:?}\n");
    let cases: [(Option<&str>, String, &[&str]); 8] = [
        (None, "run_as = \"nobody-here\"\n".to_owned(), &["no user `nobody-here`", "useradd --system"]),
        (None, "run_as = \"root\"\n".to_owned(), &["run_as", "never root"]),
        (None, "run_as = \"tester\"\nlanes = 2\n".to_owned(), &["`tester{lane}`", "lanes = 1"]),
        (None, "run_as = \"lab{lane}\"\nlanes = 2\n".to_owned(), &["no user `lab2`"]),
        (Some("labep"), with_helper("labep"), &["the user of this EP itself"]),
        (Some("labep"), with_helper("lab1"), &["labep: lab1", "/etc/jackfield/run-as"]),
        (
            Some("labep"),
            "run_as = \"tester\"\nrun_as_helper = \"/nowhere/run-as\"\n".to_owned(),
            &["/nowhere/run-as", "-m 4755"],
        ),
        (None, "run_as = \"tester\"\nwork = \"/root/jackfield-closed\"\n".to_owned(), &["/root", "closed"]),
    ];
    for (user, settings, words) in cases {
        let mut bench = Bench::start("").unwrap();
        start(&mut bench, &users, user, &settings);
        let told = wait::until(LIMIT, "the EP to refuse", || {
            Ok(bench.ep("EP-1").ended().map(|status| (status, bench.ep_log("EP-1"))))
        });
        let (status, said) = told.unwrap();
        assert!(!status.success(), "{said}");
        for word in words {
            assert!(said.contains(word), "{settings}: {word}: {said}");
        }
    }
    drop(fs::remove_dir_all("/root/jackfield-closed"));
}
