//! Scripts around a run on a named EP: waited for, stopped, and not lost with what dies meanwhile.

use std::{fs, path::PathBuf, time::Duration};

use jackfield_protocol::{
    event::{Fact, Hook, RunState},
    id::RunId,
    verdict::{Cause, DecidedBy, Outcome, TestState, Verdict},
};
use jackfield_tests::{Bench, wait};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);
const SHORT: &str = "[eps]\nheartbeat = \"300ms\"\nsilence = \"1500ms\"\ngrace = \"3s\"\n";

/// A project with one test on EP-1, which needs what the pre script left there.
fn project(head: &str) -> String {
    format!(
        "<Root>{head}<TestSuite><tsName>all</tsName><ID>s</ID><EpNames>EP-1;</EpNames>\
         <TestCase><tcName>reads.sh</tcName><ID>t</ID></TestCase></TestSuite></Root>"
    )
}

/// A lab with this pre script, which finds its mark's path in `$mark`, and the mark.
fn bench(pre: &str) -> (Bench, PathBuf) {
    let bench = Bench::start(SHORT).unwrap();
    let mark = bench.path().join("mark");
    let shell = |text: &str| format!("#!/bin/sh\nmark={}\n{text}\n", mark.display());
    bench.write("tests/hooks/pre.sh", &shell(pre)).unwrap();
    bench.write("tests/hooks/post.sh", &shell("echo $JACKFIELD_HOOK of $JACKFIELD_USER >> $mark")).unwrap();
    bench.write("tests/reads.sh", &shell("grep -q prepared $mark")).unwrap();
    (bench, mark)
}

fn ended(bench: &Bench, run: RunId, wanted: Hook) -> Option<(Outcome, String)> {
    bench.api.events(run).unwrap().into_iter().find_map(|event| match event.fact {
        Fact::HookEnded { hook, outcome, output } if hook == wanted => Some((outcome, output)),
        _ => None,
    })
}

fn wait_for_mark(mark: &std::path::Path) -> String {
    let read = || Ok(fs::read_to_string(mark).ok().filter(|text| text.ends_with('\n')));
    wait::until(LIMIT, "the script to begin", read).unwrap()
}

const PRE: &str = "<ScriptPre ep=\"EP-1\">hooks/pre.sh</ScriptPre>";
const MUST: &str = "<PrePostMandatory>true</PrePostMandatory>";

#[test]
fn what_a_script_on_an_ep_prepared_is_there_for_the_tests() {
    let (mut bench, mark) = bench("echo prepared on $JACKFIELD_EP > $mark; echo all is ready");
    bench.start_ep("EP-1", "").unwrap();
    let head = format!("{PRE}<ScriptPost ep=\"EP-1\">hooks/post.sh</ScriptPost>");
    let run = bench.api.submit("scripted", &project(&head)).unwrap();
    let summary = bench.api.wait(run, LIMIT).unwrap();
    assert_eq!(summary.state, RunState::Completed);
    let row = bench.api.tests(run).unwrap().remove(0);
    assert_eq!(row.state, TestState::Ended(Verdict::Pass), "{}", row.reason);
    assert_eq!(fs::read_to_string(&mark).unwrap(), "prepared on EP-1\npost of admin\n");
    assert_eq!(
        ended(&bench, run, Hook::Pre),
        Some((Outcome::pass(DecidedBy::ExitStatus { status: 0 }), "all is ready\n".to_owned()))
    );
    assert_eq!(
        ended(&bench, run, Hook::Post),
        Some((Outcome::pass(DecidedBy::ExitStatus { status: 0 }), String::new()))
    );
}

#[test]
fn a_mandatory_script_on_an_ep_that_fails_cancels_the_run() {
    let (mut bench, _) = bench("echo no licence; exit 3");
    bench.start_ep("EP-1", "").unwrap();
    let run = bench.api.submit("scripted", &project(&format!("{MUST}{PRE}"))).unwrap();
    let summary = bench.api.wait(run, LIMIT).unwrap();
    assert_eq!(summary.state, RunState::Stopped);
    let (outcome, output) = ended(&bench, run, Hook::Pre).unwrap();
    assert_eq!((outcome.verdict, outcome.cause), (Verdict::Fail, Some(Cause::Test)));
    assert_eq!(output, "no licence\n");
    let row = bench.api.tests(run).unwrap().remove(0);
    assert_eq!(row.state, TestState::Ended(Verdict::NotExecuted));
    assert!(row.reason.contains("the pre script hooks/pre.sh ended with exit code 3"), "{}", row.reason);
    // One that is not mandatory does not.
    let run = bench.api.submit("scripted", &project(PRE)).unwrap();
    assert_eq!(bench.api.wait(run, LIMIT).unwrap().state, RunState::Completed);
}

#[test]
fn a_run_waits_for_the_ep_of_its_script_and_is_stopped_with_it() {
    let (mut bench, mark) =
        bench("echo begun > $mark; trap 'echo ended >> $mark; exit 1' TERM; sleep 600 & wait");
    bench.start_ep("EP-1", "").unwrap();
    let there = PRE.replace("EP-1", "EP-2");
    let run = bench.api.submit("scripted", &project(&format!("<OnEpLost>wait</OnEpLost>{there}"))).unwrap();
    let why = || {
        let output = bench.jackfield(&["runs", "why", &run.to_string()]).unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    wait::until(LIMIT, "the run to wait", || {
        Ok(why().contains("EP-2, which is not connected, and its pre script there").then_some(()))
    })
    .unwrap();
    bench.start_ep("EP-2", "").unwrap();
    assert_eq!(wait_for_mark(&mark), "begun\n");
    bench.api.post::<Value>(&format!("/runs/{run}/stop"), &json!({"reason": "enough"})).unwrap();
    assert_eq!(bench.api.wait(run, LIMIT).unwrap().state, RunState::Stopped);
    let (outcome, _) = ended(&bench, run, Hook::Pre).unwrap();
    assert_eq!((outcome.verdict, outcome.cause), (Verdict::Aborted, Some(Cause::Person)));
    assert_eq!(outcome.reason, "stopped by admin: enough");
    assert_eq!(fs::read_to_string(&mark).unwrap(), "begun\nended\n");
}

#[test]
fn a_script_is_run_once_whatever_dies_meanwhile() {
    let (mut bench, mark) = bench("echo prepared >> $mark; sleep 3");
    bench.start_ep("EP-1", "").unwrap();
    let run = bench.api.submit("scripted", &project(&format!("{MUST}{PRE}"))).unwrap();
    wait_for_mark(&mark);
    bench.kill_engine();
    bench.start_engine().unwrap();
    assert_eq!(bench.api.wait(run, LIMIT).unwrap().state, RunState::Completed);
    assert_eq!(
        ended(&bench, run, Hook::Pre),
        Some((Outcome::pass(DecidedBy::ExitStatus { status: 0 }), String::new()))
    );
    assert_eq!(fs::read_to_string(&mark).unwrap(), "prepared\n", "it ran once");
    // With its EP it dies, and that is told when the EP is back.
    fs::remove_file(&mark).unwrap();
    let run = bench.api.submit("scripted", &project(&format!("{MUST}{PRE}"))).unwrap();
    wait_for_mark(&mark);
    bench.kill_ep("EP-1");
    bench.start_ep("EP-1", "").unwrap();
    assert_eq!(bench.api.wait(run, LIMIT).unwrap().state, RunState::Stopped);
    let (outcome, _) = ended(&bench, run, Hook::Pre).unwrap();
    assert_eq!((outcome.verdict, outcome.cause), (Verdict::Aborted, Some(Cause::Lab)));
    assert!(outcome.reason.contains("its execution process died"), "{}", outcome.reason);
    assert_eq!(fs::read_to_string(&mark).unwrap(), "prepared\n", "it ran once");
    // An EP that does not come back in time is given up.
    fs::remove_file(&mark).unwrap();
    let run = bench.api.submit("scripted", &project(&format!("{MUST}{PRE}"))).unwrap();
    wait_for_mark(&mark);
    bench.kill_ep("EP-1");
    bench.api.wait(run, LIMIT).unwrap();
    let (outcome, _) = ended(&bench, run, Hook::Pre).unwrap();
    assert_eq!(outcome.reason, "EP-1 was lost: it was not heard for too long");
    assert_eq!(bench.api.tests(run).unwrap()[0].state, TestState::Ended(Verdict::NotExecuted));
}

#[test]
fn no_project_has_a_program_started_that_is_no_file_of_the_lab() {
    let mut bench = Bench::start("").unwrap();
    let db = "<root><db_config><url>sqlite:results.db</url></db_config><insert_section>\
        <field ID=\"Who\" Type=\"UserScript\" Level=\"Project\"/>\
        <sql_statement>INSERT INTO r (name, who) VALUES ('$twister_tc_name', '$Who')</sql_statement></insert_section></root>";
    bench.write("db.xml", db).unwrap();
    let results = bench.lab().join("results.db");
    let sqlite = |text: &str| {
        let code = format!(
            "import sqlite3; c = sqlite3.connect({results:?}); print(c.execute({text:?}).fetchall()); c.commit()"
        );
        let done = std::process::Command::new("python3").args(["-c", &code]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    sqlite("CREATE TABLE r (name TEXT, who TEXT)");
    let trace = bench.path().join("trace");
    let outside = bench.path().join("outside.sh");
    let script = format!("#!/bin/sh\ntouch {}\necho somebody\n", trace.display());
    std::fs::write(&outside, &script).unwrap();
    std::fs::set_permissions(&outside, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    bench.write("tests/who.sh", "#!/bin/sh\necho somebody\n").unwrap();
    std::os::unix::fs::symlink(&outside, bench.lab().join("tests/link.sh")).unwrap();
    bench.write("tests/ok.sh", "#!/bin/sh\nexit 0\n").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let project = "<Root><dbautosave>save</dbautosave><TestSuite><tsName>s</tsName><TestCase><tcName>ok.sh</tcName></TestCase></TestSuite></Root>";
    let run = |who: &str| {
        let body = json!({"project": "p", "xml": project, "fields": {"Who": who}});
        let started: Value = bench.api.post("/runs", &body).unwrap();
        let run = jackfield_protocol::id::RunId(started["run"].as_u64().unwrap());
        bench.api.wait(run, LIMIT).unwrap();
        wait::until(LIMIT, "the rows of a run", || {
            let jobs: Value = bench.api.get(&format!("/runs/{run}/jobs"))?;
            let detail: Value = bench.api.get(&format!("/runs/{run}"))?;
            let said = jobs.to_string();
            let is_over = detail["database"] == "saved" || said.contains("field Who");
            Ok(is_over.then_some(said))
        })
        .unwrap()
    };
    for outside in [
        outside.display().to_string().as_str(),
        "/bin/hostname",
        "../outside.sh",
        "link.sh",
        "tests/../../outside.sh",
    ] {
        let said = run(outside);
        assert!(said.contains("of field Who is ") && !said.contains("somebody"), "{outside}: {said}");
    }
    assert!(!trace.try_exists().unwrap(), "it was run");
    run("who.sh");
    assert_eq!(sqlite("SELECT * FROM r"), "[('ok.sh', 'somebody')]\n");
}
