//! What is left when a part dies in the middle of a run: nothing lost, nothing twice, and the person is told.

use std::{collections::BTreeMap, fs, time::Duration};

use jackfield_protocol::{
    api::{EpRow, TestRow},
    event::{Fact, RunEvent, RunState},
    id::{RunId, TestIndex},
    verdict::{Cause, TestState, Verdict},
};
use jackfield_tests::{Bench, full_disk::SmallDisk, proxy::Cable, wait};

/// Short limits, so that a vanished EP is given up while we watch.
pub(crate) const SHORT: &str = "[eps]\nheartbeat = \"300ms\"\nsilence = \"1500ms\"\ngrace = \"60s\"\n";

/// A project of this many tests, each of which writes a line and takes its time.
fn project(tests: usize, on_ep_lost: &str) -> String {
    let cases: String = (0..tests)
        .map(|test| {
            format!(
                "<TestCase><tcName>step.sh</tcName><ID>t{test}</ID>\
                 <Property><propName>param</propName><propValue>{test}</propValue></Property></TestCase>\n"
            )
        })
        .collect();
    format!(
        "<Root><OnEpLost>{on_ep_lost}</OnEpLost>\n<TestSuite><tsName>steps</tsName><ID>s</ID>\n{cases}</TestSuite></Root>"
    )
}

/// A lab whose test appends its number to a file outside: how often each was really run.
fn bench(seconds: &str) -> Bench {
    let bench = Bench::start(SHORT).unwrap();
    let ran = bench.path().join("ran");
    let text =
        format!("#!/bin/sh\necho $1 >> {}\necho begin $1\nsleep {seconds}\necho end $1\n", ran.display());
    bench.write("tests/step.sh", &text).unwrap();
    bench
}

fn ran(bench: &Bench) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for line in fs::read_to_string(bench.path().join("ran")).unwrap_or_default().lines() {
        *times.entry(line.to_owned()).or_default() += 1;
    }
    times
}

fn wait_until_some_ended(bench: &Bench, run: RunId, count: usize) {
    wait::until(Duration::from_secs(60), "some tests to end", || {
        let tests = bench.api.tests(run)?;
        let ended = tests.iter().filter(|test| matches!(test.state, TestState::Ended(_))).count();
        Ok((ended >= count).then_some(()))
    })
    .unwrap();
}

/// Every test has exactly one verdict in the events, and it is the one that is listed.
pub(crate) fn check_verdicts(events: &[RunEvent], tests: &[TestRow]) {
    let mut verdicts: BTreeMap<TestIndex, Vec<Verdict>> = BTreeMap::new();
    for event in events {
        match &event.fact {
            Fact::TestEnded(ended) => verdicts.entry(ended.test).or_default().push(ended.end.outcome.verdict),
            Fact::TestsEnded { tests, outcome } => {
                for test in tests.iter().flat_map(|(from, to)| *from..*to) {
                    verdicts.entry(TestIndex(test)).or_default().push(outcome.verdict);
                }
            }
            _ => {}
        }
    }
    for test in tests {
        let told = verdicts.get(&test.test).cloned().unwrap_or_default();
        assert_eq!(
            vec![test.state],
            told.into_iter().map(TestState::Ended).collect::<Vec<_>>(),
            "{}",
            test.test
        );
    }
}

#[test]
fn the_engine_is_killed_in_mid_run_and_nothing_is_lost_or_doubled() {
    let mut bench = bench("0.05");
    bench.start_ep("EP-1", "").unwrap();
    let run = bench.api.submit("steps", &project(60, "wait_then_abort")).unwrap();
    for kill in 1..=3 {
        wait_until_some_ended(&bench, run, kill * 12);
        bench.kill_engine();
        bench.start_engine().unwrap();
    }
    let summary = bench.api.wait(run, Duration::from_secs(90)).unwrap();
    assert_eq!(summary.state, RunState::Completed);
    assert_eq!(summary.counts, BTreeMap::from([(Verdict::Pass, 60)]));
    let tests = bench.api.tests(run).unwrap();
    check_verdicts(&bench.api.events(run).unwrap(), &tests);
    assert!(ran(&bench).values().all(|times| *times == 1), "each test ran once: {:?}", ran(&bench));
    for test in tests {
        let number = test.test;
        let log = bench.api.log(test.attempt.unwrap(), "cli").unwrap();
        assert_eq!(log, format!("begin {number}\nend {number}\n"));
    }
}

#[test]
fn an_ep_is_killed_in_mid_test_and_the_rest_is_run_when_it_returns() {
    let mut bench = bench("0.2");
    bench.start_ep("EP-1", "").unwrap();
    let run = bench.api.submit("steps", &project(12, "wait")).unwrap();
    wait_until_some_ended(&bench, run, 3);
    bench.kill_ep("EP-1");
    bench.start_ep("EP-1", "").unwrap();
    bench.api.wait(run, Duration::from_secs(60)).unwrap();
    let tests = bench.api.tests(run).unwrap();
    check_verdicts(&bench.api.events(run).unwrap(), &tests);
    let aborted: Vec<&TestRow> =
        tests.iter().filter(|test| test.state == TestState::Ended(Verdict::Aborted)).collect();
    let passed = tests.iter().filter(|test| test.state == TestState::Ended(Verdict::Pass)).count();
    assert!(aborted.len() <= 1, "at most the test that ran is lost: {aborted:?}");
    assert_eq!(aborted.len() + passed, 12);
    for test in aborted {
        assert_eq!(test.cause, Some(Cause::Lab), "{}", test.reason);
        assert!(!test.reason.is_empty());
    }
    assert!(ran(&bench).values().all(|times| *times == 1), "no test ran twice: {:?}", ran(&bench));
}

#[test]
fn an_ep_that_never_returns_is_told_of_and_its_part_goes_to_another() {
    let mut bench =
        Bench::start("[eps]\nheartbeat = \"300ms\"\nsilence = \"1500ms\"\ngrace = \"2s\"\n").unwrap();
    let text = "#!/bin/sh\necho $1\nsleep 0.2\n";
    bench.write("tests/step.sh", text).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let run = bench.api.submit("steps", &project(10, "reassign")).unwrap();
    wait_until_some_ended(&bench, run, 2);
    bench.start_ep("EP-2", "").unwrap();
    bench.kill_ep("EP-1");
    bench.api.wait(run, Duration::from_secs(60)).unwrap();
    let (events, tests) = (bench.api.events(run).unwrap(), bench.api.tests(run).unwrap());
    check_verdicts(&events, &tests);
    assert!(events.iter().any(|event| matches!(&event.fact, Fact::EpLost { ep } if ep.as_str() == "EP-1")));
    let on_the_other =
        tests.iter().filter(|test| test.ep.as_ref().is_some_and(|ep| ep.as_str() == "EP-2")).count();
    assert!(on_the_other >= 1, "{tests:?}");
    let passed = tests.iter().filter(|test| test.state == TestState::Ended(Verdict::Pass)).count();
    assert!(passed >= 9, "{tests:?}");
}

#[test]
fn a_cable_is_pulled_and_plugged_again_and_the_test_simply_goes_on() {
    let mut bench = bench("3");
    let target = bench.api.url.trim_start_matches("http://").parse().unwrap();
    let cable = Cable::to(target).unwrap();
    bench.launch_ep("EP-1", &format!("engine = \"http://{}\"\n", cable.address)).unwrap();
    bench.wait_for_ep("EP-1", |state| state != jackfield_protocol::api::EpState::Offline).unwrap();
    let run = bench.api.submit("steps", &project(3, "wait_then_abort")).unwrap();
    wait::until(Duration::from_secs(30), "the first test to start", || {
        Ok(bench.api.tests(run)?.iter().any(|test| test.state == TestState::Working).then_some(()))
    })
    .unwrap();
    cable.pull();
    wait::until(Duration::from_secs(30), "the engine to notice", || {
        let silent = |event: &RunEvent| matches!(event.fact, Fact::EpSilent { .. });
        Ok(bench.api.events(run)?.iter().any(silent).then_some(()))
    })
    .unwrap();
    cable.plug();
    let summary = bench.api.wait(run, Duration::from_secs(60)).unwrap();
    assert_eq!(summary.counts, BTreeMap::from([(Verdict::Pass, 3)]));
    let events = bench.api.events(run).unwrap();
    check_verdicts(&events, &bench.api.tests(run).unwrap());
    assert!(events.iter().any(|event| matches!(event.fact, Fact::EpReturned { .. })));
    assert!(ran(&bench).values().all(|times| *times == 1), "no test ran twice: {:?}", ran(&bench));
}

#[test]
fn the_engines_disk_is_full_for_a_while_and_nothing_is_lost() {
    let mut bench =
        Bench::start_in(SHORT, |bench| SmallDisk::mount(&bench.lab().join(".jackfield"), 24).map(Some))
            .unwrap();
    let ran = bench.path().join("ran");
    let text = format!("#!/bin/sh\necho $1 >> {}\nsleep 0.1\n", ran.display());
    bench.write("tests/step.sh", &text).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let run = bench.api.submit("steps", &project(40, "wait")).unwrap();
    wait_until_some_ended(&bench, run, 3);
    bench.disk().fill().unwrap();
    wait::until(Duration::from_secs(30), "the engine to say that its disk is full", || {
        Ok(bench.engine_log().contains("the store refused a commit").then_some(()))
    })
    .unwrap();
    let refused = bench.api.request(
        "POST",
        "/runs",
        Some(&serde_json::json!({"project": "p", "xml": project(1, "wait")})),
    );
    if let Ok((status, text)) = refused {
        assert!(status >= 500, "{status} {text}");
    }
    bench.disk().make_room().unwrap();
    let summary = bench.api.wait(run, Duration::from_secs(90)).unwrap();
    assert_eq!(summary.counts, BTreeMap::from([(Verdict::Pass, 40)]));
    check_verdicts(&bench.api.events(run).unwrap(), &bench.api.tests(run).unwrap());
    assert!(
        self::ran(&bench).values().all(|times| *times == 1),
        "no test ran twice: {:?}",
        self::ran(&bench)
    );
}

#[test]
fn an_eps_disk_is_full_for_a_while_and_nothing_is_lost() {
    let mut bench = bench("0.1");
    let disk = SmallDisk::mount(&bench.path().join("small"), 8).unwrap();
    let work = bench.path().join("small/work");
    bench.start_ep("EP-1", &format!("work = {work:?}\n")).unwrap();
    let run = bench.api.submit("steps", &project(30, "wait")).unwrap();
    wait_until_some_ended(&bench, run, 3);
    disk.fill().unwrap();
    wait::until(Duration::from_secs(30), "the EP to say that its disk is full", || {
        Ok(bench.ep_log("EP-1").to_lowercase().contains("no space").then_some(()))
    })
    .unwrap();
    let notice = |over: bool| {
        wait::until(Duration::from_secs(30), "the run to tell of the disk", || {
            Ok(bench.api.events(run)?.iter().find_map(|event| match &event.fact {
                Fact::EpNotice { ep, notice, over: is } if *is == over => Some((ep.clone(), notice.clone())),
                _ => None,
            }))
        })
        .unwrap()
    };
    let (ep, told) = notice(false);
    assert_eq!(ep.as_str(), "EP-1");
    assert!(told.text.contains("No space left") && told.text.contains("free disk space"), "{}", told.text);
    let row: EpRow = bench.api.get("/eps/EP-1").unwrap();
    assert!(!row.notices.is_empty());
    let shown =
        |command: &[&str]| String::from_utf8_lossy(&bench.jackfield(command).unwrap().stdout).into_owned();
    assert!(shown(&["eps", "show", "EP-1"]).contains("No space left"), "{}", shown(&["eps", "show", "EP-1"]));
    assert!(shown(&["eps", "list"]).contains("_spool"), "{}", shown(&["eps", "list"]));
    let why = shown(&["runs", "why", &run.to_string()]);
    assert!(why.contains("No space left"), "{why}");
    disk.make_room().unwrap();
    notice(true);
    let summary = bench.api.wait(run, Duration::from_secs(90)).unwrap();
    let row: EpRow = bench.api.get("/eps/EP-1").unwrap();
    assert_eq!(row.notices, []);
    assert_eq!(summary.state, RunState::Completed);
    check_verdicts(&bench.api.events(run).unwrap(), &bench.api.tests(run).unwrap());
    assert_eq!(summary.counts, BTreeMap::from([(Verdict::Pass, 30)]));
    assert!(ran(&bench).values().all(|times| *times == 1), "no test ran twice: {:?}", ran(&bench));
    drop(bench);
}

/// Opens a session that stays open for the next test of the run, with a device that writes down its process.
fn opener(pid: &std::path::Path) -> String {
    let device = format!("echo $$ > {}; exec env PS1='box> ' sh -i", pid.display());
    format!(
        "import jackfield\njackfield.session(name='kept', connect={{'protocol': 'process', 'command': ['sh', '-c', {device:?}]}})\n"
    )
}

#[test]
fn a_run_that_ended_while_its_ep_was_away_leaves_no_session_open_there() {
    let mut bench = bench("0.1");
    let (pid, gate) = (bench.path().join("pid"), bench.path().join("gate"));
    bench.write("tests/opens.py", &opener(&pid)).unwrap();
    bench
        .write("tests/waits.sh", &format!("#!/bin/sh\nuntil [ -e {} ]; do sleep 0.1; done\n", gate.display()))
        .unwrap();
    let target = bench.api.url.trim_start_matches("http://").parse().unwrap();
    let cable = Cable::to(target).unwrap();
    bench.launch_ep("EP-1", &format!("engine = \"http://{}\"\n", cable.address)).unwrap();
    bench.wait_for_ep("EP-1", |state| state != jackfield_protocol::api::EpState::Offline).unwrap();
    bench.start_ep("EP-2", "").unwrap();
    let case =
        |file: &str, more: &str| format!("<TestCase><tcName>{file}</tcName><ID>{file}</ID>{more}</TestCase>");
    let suite = |ep: &str, cases: &str| {
        format!("<TestSuite><tsName>{ep}</tsName><ID>{ep}</ID><EpNames>{ep};</EpNames>{cases}</TestSuite>")
    };
    let first = case("opens.py", "") + &case("step.sh", "<Dependency>waits.sh:any</Dependency>");
    let suites = suite("EP-1", &first) + &suite("EP-2", &case("waits.sh", ""));
    let run = bench.api.submit("away", &format!("<Root><OnEpLost>abort</OnEpLost>{suites}</Root>")).unwrap();
    wait_until_some_ended(&bench, run, 1);
    let device = fs::read_to_string(&pid).unwrap();
    let lives = || fs::exists(format!("/proc/{}", device.trim())).unwrap();
    assert!(lives(), "{:?}", bench.api.tests(run));
    cable.pull();
    wait::until(Duration::from_secs(30), "EP-1 to be given up", || {
        let lost = |event: &RunEvent| matches!(event.fact, Fact::EpLost { .. });
        Ok(bench.api.events(run)?.iter().any(lost).then_some(()))
    })
    .unwrap();
    fs::write(&gate, "").unwrap();
    bench.api.wait(run, Duration::from_secs(60)).unwrap();
    assert!(lives(), "nobody can have told EP-1 yet");
    cable.plug();
    wait::until(Duration::from_secs(30), "the session to be closed", || Ok((!lives()).then_some(())))
        .unwrap();
}

/// Leaves a file; the first of them waits for a sign.
const KEEPS: &str = r#"
cd "$(mktemp -d)"
echo "made by $1" > made.txt
jf_artifact "$PWD/made.txt"
touch "FOLDER/began-$1"
[ "$1" != 0 ] || while [ ! -e "FOLDER/go" ]; do sleep 0.05; done
"#;

#[test]
fn files_of_tests_wait_for_an_engine_that_is_away_and_hold_no_test_up() {
    let mut bench =
        Bench::start("[eps]\nheartbeat = \"300ms\"\nsilence = \"60s\"\ngrace = \"60s\"\n").unwrap();
    let folder = bench.path().join("signs");
    fs::create_dir(&folder).unwrap();
    bench.write("tests/step.sh", &KEEPS.replace("FOLDER", &folder.to_string_lossy())).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let run = bench.api.submit("keeps", &project(2, "wait_then_abort")).unwrap();
    let sign = |name: &str| {
        let file = folder.join(name);
        wait::until(Duration::from_secs(20), name, || Ok(file.try_exists()?.then_some(()))).unwrap();
    };
    sign("began-0");
    bench.kill_engine();
    fs::write(folder.join("go"), "").unwrap();
    // The second begins although the first has left a file that nobody takes.
    sign("began-1");
    let outbox = bench.path().join("eps/EP-1/work/outbox");
    assert!(fs::read_dir(&outbox).unwrap().count() > 0);
    bench.kill_ep("EP-1");
    bench.start_engine().unwrap();
    bench.launch_ep("EP-1", "").unwrap();
    bench.api.wait(run, Duration::from_secs(60)).unwrap();
    let first = bench.api.tests(run).unwrap().remove(0);
    assert_eq!(first.state, TestState::Ended(Verdict::Pass), "{}", first.reason);
    let test = first.attempt.unwrap().to_string();
    let made = wait::until(Duration::from_secs(30), "the file", || {
        let made = bench.jackfield(&["runs", "artifacts", &test, "made.txt", "--to", "-"])?;
        Ok(made.status.success().then_some(made.stdout))
    });
    assert_eq!(made.unwrap(), b"made by 0\n");
    wait::until(Duration::from_secs(30), "the outbox to be empty", || {
        Ok((fs::read_dir(&outbox)?.count() == 0).then_some(()))
    })
    .unwrap();
}

/// Puts nonsense over the second half of a file's pages.
fn damage(file: &std::path::Path) {
    use std::os::unix::fs::FileExt as _;
    let length = fs::metadata(file).unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    let half = length / 2 / 4096 * 4096;
    for page in (half.max(4096)..length).step_by(4096) {
        file.write_all_at(&[0x5a; 4096], page).unwrap();
    }
}

#[test]
fn a_store_that_is_damaged_in_the_middle_ends_the_engine_in_words() {
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/step.sh", "#!/bin/sh\nexit 0\n").unwrap();
    for _ in 0..40 {
        bench.api.submit("steps", &project(20, "wait")).unwrap();
    }
    let store = bench.lab().join(".jackfield/engine.sqlite");
    bench.engine().terminate().unwrap();
    let names =
        ["engine.sqlite", "engine.sqlite-wal", "engine.sqlite-shm"].map(|name| store.with_file_name(name));
    let whole = names.clone().map(|name| fs::read(name).ok());
    let restore = || {
        for (name, bytes) in names.iter().zip(&whole) {
            drop(fs::remove_file(name));
            bytes.iter().for_each(|bytes| fs::write(name, bytes).unwrap());
        }
    };
    names.iter().filter(|name| name.is_file()).for_each(|name| damage(name));
    let told = match bench.start_engine() {
        Err(error) => error.to_string(),
        // What is damaged may be read later only: each run that is started reads and writes.
        Ok(()) => until_it_ends(&mut bench),
    };
    assert!(told.contains("the file of the store is damaged"), "{told}");
    assert!(told.matches("cannot restore").count() < 3, "it tried again and again: {told}");
    restore();
    bench.start_engine().unwrap();
    assert_eq!(bench.api.tests("1".parse().unwrap()).unwrap().len(), 20, "the backup has it all");
}

/// Asks for this and that until the engine has ended; what it said.
fn until_it_ends(bench: &mut Bench) -> String {
    wait::until(Duration::from_secs(60), "the engine to end", || {
        drop(bench.api.submit("steps", &project(2, "wait")));
        drop(bench.api.get::<serde_json::Value>("/runs?limit=100"));
        Ok(bench.engine().ended())
    })
    .unwrap();
    bench.engine_log()
}
