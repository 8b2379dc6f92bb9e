//! Persons at consoles: a device that no test uses, a session that a test is using, and what they read when an EP or the engine goes away.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    time::Duration,
};

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::{
    Bench,
    api::Api,
    process::{Process, jackfield},
    wait,
};
use serde_json::{Value, json};

use crate::{beside, cleanup, people::join};

const LIMIT: Duration = Duration::from_secs(60);

/// Asks the router again and again, until a person says that it is enough.
const LONG: &str = r#"
import pathlib, time
from jackfield import session

router = session("/lab/router")
pathlib.Path("@FOLDER@/open").touch()
asked = 0
while not pathlib.Path("@FOLDER@/enough").exists():
    assert "uptime" in router.command("show version"), asked
    asked += 1
    time.sleep(0.02)
"#;

const SHORT: &str =
    "from jackfield import session\nassert 'uptime' in session('/lab/router').command('show version')\n";

/// Somebody's `jackfield console`, with input from a pipe and output in a file.
pub(crate) struct Sitting {
    child: Child,
    input: Option<ChildStdin>,
    output: PathBuf,
}

impl Sitting {
    pub(crate) fn begin(bench: &Bench, api: &Api, name: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(jackfield());
        command.arg("console").args(arguments);
        command.env("JACKFIELD_ENGINE", &api.url).env("JACKFIELD_API_TOKEN", &api.token);
        Self::run(&bench.path().join(format!("log/{name}.log")), &mut command)
    }

    /// Somebody in front of a command; what they see is in `output`.
    pub(crate) fn run(output: &Path, command: &mut Command) -> Self {
        let out = File::create(output).unwrap();
        command.stdin(Stdio::piped()).stdout(out.try_clone().unwrap()).stderr(out);
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        Self { child, input, output: output.to_owned() }
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn reads(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap()).into_owned()
    }

    pub(crate) fn awaits(&self, text: &str) {
        let seen = || Ok(self.reads().contains(text).then_some(()));
        wait::until(LIMIT, text, seen).unwrap_or_else(|error| panic!("{error}; it read:\n{}", self.reads()));
    }

    pub(crate) fn goes(&mut self) {
        self.input = None;
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let ended = wait::until(LIMIT, "a console to end", || Ok(child.try_wait()?));
        ended.unwrap_or_else(|error| panic!("{error}; it read:\n{}", self.reads()))
    }
}

impl Drop for Sitting {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn project(file: &str) -> String {
    format!(
        "<Root><TestSuite><tsName>a</tsName><TestCase><tcName>{file}</tcName></TestCase></TestSuite></Root>"
    )
}

/// The inputs and marks of a recording, in their order.
fn typed(recording: &[u8]) -> Vec<String> {
    let text = String::from_utf8(recording.to_vec()).unwrap();
    let events = text.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_person = events.filter(|event| event[1] == "i" || event[1] == "m");
    of_person.map(|event| event.get(2).and_then(Value::as_str).unwrap().to_owned()).collect()
}

fn lab() -> (Bench, Process) {
    let mut bench = Bench::start("").unwrap();
    let simulator = cleanup::router(&mut bench);
    bench.write("tests/short.py", SHORT).unwrap();
    (bench, simulator)
}

#[test]
fn a_device_that_no_test_uses_is_one_persons_at_a_time() {
    let (bench, _simulator) = lab();
    let ana = join(&bench, "ana", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    let bob = join(&bench, "bob", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    let eve = join(&bench, "eve", &["VIEW_REPORTS"]).unwrap();
    let mut alien = Sitting::begin(&bench, &eve, "eve", &["/lab/router"]);
    assert_eq!(alien.ended().code(), Some(2), "{}", alien.reads());
    assert!(alien.reads().contains("needs the role RUN_TESTS or CHANGE_TESTBED"), "{}", alien.reads());
    let mut hers = Sitting::begin(&bench, &ana, "ana", &["/lab/router", "--quiet", "300"]);
    hers.types("show version\n");
    hers.awaits("uptime");
    let mut his = Sitting::begin(&bench, &bob, "bob", &["/lab/router"]);
    assert_eq!(his.ended().code(), Some(2), "{}", his.reads());
    assert!(his.reads().contains("ana has /lab/router on a console since 20"), "{}", his.reads());
    let mut watcher = Sitting::begin(&bench, &bob, "watch", &["/lab/router", "--watch"]);
    watcher.awaits("ana types");
    hers.types("show ip route\n");
    watcher.awaits("show ip route");
    // A test waits for her.
    let run = bob.submit("short", &project("short.py")).unwrap();
    wait::until(LIMIT, "the test to start", || {
        Ok(bob.tests(run)?.iter().any(|test| test.state == TestState::Working).then_some(()))
    })
    .unwrap();
    hers.goes();
    assert!(hers.ended().success(), "{}", hers.reads());
    assert!(watcher.ended().success(), "{}", watcher.reads());
    bob.wait(run, LIMIT).unwrap();
    let test = bob.tests(run).unwrap().remove(0);
    assert_eq!(test.state, TestState::Ended(Verdict::Pass), "{}", test.reason);
    let said = hers.reads();
    let hash = said.split("/api/v1/blobs/").nth(1).unwrap().trim();
    let recorded = typed(&ana.blob(hash).unwrap());
    let expect = ["console: ana opens", "show version\r", "show ip route\r", "console: ana lets go"];
    let from = recorded.iter().position(|event| event == "console: ana opens").unwrap();
    assert_eq!(recorded.get(from..from + 4).unwrap(), expect, "{recorded:?}");
    assert!(recorded.iter().take(from).any(|event| event.starts_with("********")), "the login: {recorded:?}");
    let audit: Value = bench.api.get("/audit?limit=100").unwrap();
    let audit = audit.to_string();
    for part in ["console.open", "console.close", hash] {
        assert!(audit.contains(part), "{part}: {audit}");
    }
}

#[test]
fn a_device_over_ssh_is_opened_for_a_person() {
    let far = tempfile::tempdir().unwrap();
    let port = beside::serve(far.path());
    let mut bench = Bench::start("").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let set = |name: &str, parent: &str, properties: Value| {
        let body = json!({"parent": parent, "name": name, "properties": properties});
        bench.api.put::<Value>("/resources", &body).unwrap();
    };
    set("lab", "/", json!({}));
    let host = json!({
        "host": "127.0.0.1", "port": port, "user": "root", "profile": "linux", "key": far.path().join("id"),
        "host_key": "accept-new",
    });
    set("host", "/lab", host);
    let admin = bench.api.clone();
    let mut sitting = Sitting::begin(&bench, &admin, "host", &["/lab/host", "--quiet", "300"]);
    sitting.types("echo $((40 + 2))-$(whoami)\n");
    sitting.goes();
    assert!(sitting.ended().success(), "{}", sitting.reads());
    assert!(sitting.reads().contains("42-root"), "{}", sitting.reads());
}

#[test]
fn a_session_of_a_test_is_watched_by_two_and_taken_over_by_one() {
    let (bench, _simulator) = lab();
    let ana = join(&bench, "ana", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    let bob = join(&bench, "bob", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    let flags = tempfile::tempdir().unwrap();
    bench.write("tests/long.py", &LONG.replace("@FOLDER@", &flags.path().display().to_string())).unwrap();
    let run = ana.submit("long", &project("long.py")).unwrap();
    let open = flags.path().join("open");
    wait::until(LIMIT, "the session to be open", || Ok(open.try_exists()?.then_some(()))).unwrap();
    let mut watchers: Vec<Sitting> = [&ana, &bob]
        .into_iter()
        .zip(["first", "second"])
        .map(|(api, name)| Sitting::begin(&bench, api, name, &["/lab/router", "--watch"]))
        .collect();
    watchers.iter().for_each(|watcher| watcher.awaits("uptime"));
    let mut refused = Sitting::begin(&bench, &bob, "refused", &["/lab/router", "--take"]);
    assert_eq!(refused.ended().code(), Some(2), "{}", refused.reads());
    assert!(refused.reads().contains(&format!("ana started run {run}")), "{}", refused.reads());
    let mut hers = Sitting::begin(&bench, &ana, "hers", &["/lab/router", "--take", "--quiet", "300"]);
    hers.types("show ip route\n");
    watchers.iter().for_each(|watcher| watcher.awaits("ana types"));
    watchers.iter().for_each(|watcher| watcher.awaits("show ip route"));
    hers.goes();
    assert!(hers.ended().success(), "{}", hers.reads());
    watchers.iter().for_each(|watcher| watcher.awaits("nobody types; tests go on"));
    fs::write(flags.path().join("enough"), "").unwrap();
    ana.wait(run, LIMIT).unwrap();
    let test = ana.tests(run).unwrap().remove(0);
    assert_eq!(test.state, TestState::Ended(Verdict::Pass), "{}", test.reason);
    for watcher in &mut watchers {
        assert!(watcher.ended().success(), "{}", watcher.reads());
        assert!(watcher.reads().contains("the session was closed"), "{}", watcher.reads());
    }
    let attempt: Value = ana.get(&format!("/attempts/{}", test.attempt.unwrap())).unwrap();
    let artifacts = attempt["artifacts"].as_object().unwrap();
    let (_, kept) = artifacts.iter().find(|(name, _)| name.ends_with("router.cast")).unwrap();
    let hash = &kept["hash"];
    let recorded = typed(&ana.blob(hash.as_str().unwrap()).unwrap());
    let from = recorded.iter().position(|event| event == "console: ana takes over").unwrap();
    let expect = ["console: ana takes over", "show ip route\r", "console: ana lets go"];
    assert_eq!(recorded.get(from..from + 3).unwrap(), expect);
    assert!(recorded.len() > from + 3, "the test went on after her");
}

#[test]
fn a_step_test_is_watched_and_ends_a_step_before_it_is_taken_over() {
    let (bench, _simulator) = lab();
    let admin = bench.api.clone();
    let run = admin.submit("hang", &project("hang.steps.toml")).unwrap();
    cleanup::wait_until_it_hangs(&bench, run);
    let watcher = Sitting::begin(&bench, &admin, "watcher", &["/lab/router", "--watch"]);
    // It came late and sees what was said before.
    watcher.awaits("10.80.0.0");
    let mut taker = Sitting::begin(&bench, &admin, "taker", &["/lab/router", "--take"]);
    taker.awaits("you type as soon as what the test does now is done");
    bench
        .api
        .put::<Value>(
            "/resources",
            &json!({"parent": "/lab", "name": "router", "properties": {"console": "off"}}),
        )
        .unwrap();
    let mut off = Sitting::begin(&bench, &admin, "off", &["/lab/router", "--watch"]);
    assert_eq!(off.ended().code(), Some(2), "{}", off.reads());
    assert!(off.reads().contains("/lab/router has console = off"), "{}", off.reads());
    admin.post::<Value>(&format!("/runs/{run}/stop"), &json!({})).unwrap();
    admin.wait(run, LIMIT).unwrap();
    taker.ended();
    assert!(taker.reads().contains("the session was closed"), "{}", taker.reads());
}

/// Asks the router for about two seconds.
const STEPS: &str = r#"
title = "asks again and again"
[sessions.router]
resource = "/lab/router"
[[steps]]
repeat = 100
[[steps.steps]]
command = "show version"
check = { contains = "uptime" }
[[steps.steps]]
pause = "60ms"
"#;

#[test]
fn the_time_limit_of_a_test_stands_still_while_a_person_has_its_session() {
    let (bench, _simulator) = lab();
    let ana = join(&bench, "ana", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    let flags = tempfile::tempdir().unwrap();
    bench.write("tests/long.py", &LONG.replace("@FOLDER@", &flags.path().display().to_string())).unwrap();
    bench.write("tests/long.steps.toml", STEPS).unwrap();
    for (file, session) in [("long.py", "/lab/router"), ("long.steps.toml", "router@0.1")] {
        let xml = format!(
            "<Root><TestSuite><tsName>a</tsName><TestCase><tcName>{file}</tcName><Timeout>10</Timeout></TestCase></TestSuite></Root>"
        );
        let run = ana.submit("long", &xml).unwrap();
        wait::until(LIMIT, "the test to talk to the router", || {
            let attempt = ana.tests(run)?.first().and_then(|test| test.attempt);
            let log = attempt.and_then(|attempt| ana.log(attempt, "cli").ok()).unwrap_or_default();
            let open = file == "long.py" && flags.path().join("open").try_exists()?;
            // The third step: the session is open, and was talked to.
            Ok((open || log.matches("## ").count() > 2).then_some(()))
        })
        .unwrap();
        let mut hers = Sitting::begin(&bench, &ana, file, &["/lab/router", "--take", "--quiet", "4000"]);
        hers.types("show ip route\nshow ip route\n");
        hers.goes();
        hers.awaits("you type");
        let has = wait::until(LIMIT, "the run to say who types", || {
            let events = ana.get::<Value>(&format!("/runs/{run}/events?limit=1000"))?.to_string();
            Ok(events.contains(&format!("ana took over session `{session}` on EP-1")).then_some(()))
        });
        has.unwrap();
        assert!(hers.ended().success(), "{}", hers.reads());
        assert!(
            hers.reads().contains("10.0.0.0") || hers.reads().contains("show ip route"),
            "{}",
            hers.reads()
        );
        fs::write(flags.path().join("enough"), "").unwrap();
        ana.wait(run, LIMIT).unwrap();
        let test = ana.tests(run).unwrap().remove(0);
        assert_eq!(test.state, TestState::Ended(Verdict::Pass), "{}", test.reason);
        assert!(test.elapsed_millis > 10_000, "{test:?}");
        let log = ana.log(test.attempt.unwrap(), "ep").unwrap();
        let stands = format!("its time limit stands still: ana has session `{session}`");
        let told: Vec<_> = [stands.as_str(), "its time limit goes on"].map(|words| log.find(words)).into();
        assert!(told.iter().all(Option::is_some) && told.is_sorted(), "{log}");
    }
}

#[test]
fn a_test_goes_on_when_the_engine_dies_under_the_one_who_took_over() {
    let (mut bench, _simulator) = lab();
    let admin = bench.api.clone();
    let flags = tempfile::tempdir().unwrap();
    bench.write("tests/long.py", &LONG.replace("@FOLDER@", &flags.path().display().to_string())).unwrap();
    let run = admin.submit("long", &project("long.py")).unwrap();
    let open = flags.path().join("open");
    wait::until(LIMIT, "the session to be open", || Ok(open.try_exists()?.then_some(()))).unwrap();
    let mut hers = Sitting::begin(&bench, &admin, "hers", &["/lab/router", "--take"]);
    hers.awaits("you type");
    bench.kill_engine();
    assert_eq!(hers.ended().code(), Some(3), "{}", hers.reads());
    fs::write(flags.path().join("enough"), "").unwrap();
    bench.start_engine().unwrap();
    admin.wait(run, LIMIT).unwrap();
    let test = admin.tests(run).unwrap().remove(0);
    assert_eq!(test.state, TestState::Ended(Verdict::Pass), "{}", test.reason);
}

#[test]
fn a_person_reads_why_a_console_ended() {
    let (mut bench, _simulator) = lab();
    let admin = bench.api.clone();
    let sit = |bench: &Bench, name: &str| {
        let sitting = Sitting::begin(bench, &admin, name, &["/lab/router"]);
        sitting.awaits("you type");
        sitting
    };
    let mut with_ep = sit(&bench, "with-ep");
    bench.kill_ep("EP-1");
    assert_eq!(with_ep.ended().code(), Some(4), "{}", with_ep.reads());
    assert!(with_ep.reads().contains("the connection to EP EP-1 broke"), "{}", with_ep.reads());
    bench.start_ep("EP-1", "").unwrap();
    let mut with_engine = sit(&bench, "with-engine");
    assert!(bench.engine().terminate().unwrap().success());
    assert_eq!(with_engine.ended().code(), Some(4), "{}", with_engine.reads());
    assert!(with_engine.reads().contains("the engine is going down"), "{}", with_engine.reads());
    bench.start_engine().unwrap();
    bench.start_ep("EP-2", "[limits]\nconsole_idle = \"1s\"\n").unwrap();
    bench.kill_ep("EP-1");
    let mut idle = sit(&bench, "idle");
    assert_eq!(idle.ended().code(), Some(2), "{}", idle.reads());
    assert!(idle.reads().contains("nothing was typed for 1 s"), "{}", idle.reads());
    let mut killed = sit(&bench, "killed");
    bench.kill_engine();
    assert_eq!(killed.ended().code(), Some(3), "{}", killed.reads());
    assert!(killed.reads().contains("the console's connection broke"), "{}", killed.reads());
}

#[test]
fn a_terminal_is_raw_for_a_while_and_then_as_it_was() {
    let (bench, _simulator) = lab();
    let script = format!("'{}' console /lab/router; echo left with $?; stty -a", jackfield().display());
    let file = bench.path().join("person.sh");
    fs::write(&file, script).unwrap();
    let mut socat = Command::new("socat");
    socat.arg("-").arg(format!("EXEC:sh {},pty,setsid,ctty,stderr,sane", file.display()));
    socat.env("JACKFIELD_ENGINE", &bench.api.url).env("JACKFIELD_API_TOKEN", &bench.api.token);
    let mut person = Sitting::run(&bench.path().join("log/terminal.log"), &mut socat);
    person.awaits("Ctrl-] then: q leaves");
    person.awaits("you type");
    person.types("show version\r");
    person.awaits("uptime");
    person.types("\u{1d}?");
    person.types("\u{1d}q");
    person.awaits("left with 0");
    person.awaits("icanon");
    assert!(!person.reads().contains("-icanon"), "{}", person.reads());
}
