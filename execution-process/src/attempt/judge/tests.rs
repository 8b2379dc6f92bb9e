use std::path::Path;

use super::{super::story::Said, *};
use crate::results::{self, Habits};

fn shown(outcome: &Outcome) -> String {
    let cause = outcome.cause.map_or("-", Cause::as_str);
    format!("{} {cause} {}{}", outcome.verdict, outcome.reason, if outcome.crashed { " crashed" } else { "" })
}

fn judged(story: &Story, exit: &Exit) -> String {
    let evidence = Evidence { story, expected: &Expected::Nothing, cases: None, exit, last_words: "" };
    shown(&judge(evidence))
}

/// The verdict of a test whose tool left this file and this status, and printed this last.
fn told(tool: RunnerKind, file: Option<&str>, code: i32, last_words: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.xml");
    if let Some(text) = file {
        std::fs::write(&path, text).unwrap();
    }
    let cases = results::read_file(Path::new(&path), Habits::default());
    let expected = Expected::File(tool, "r.xml".to_owned());
    let (story, exit) = (Story::default(), Exit::Code(code));
    let outcome = judge(Evidence {
        story: &story,
        expected: &expected,
        cases: cases.map(|cases| cases.in_file("r.xml")).as_ref(),
        exit: &exit,
        last_words,
    });
    let rule = outcome.decided_by.as_ref().map_or_else(String::new, ToString::to_string);
    format!("{}; decided by {rule}", shown(&outcome))
}

#[test]
fn the_exit_status_speaks_where_nothing_else_does() {
    for (exit, expect) in [
        (Exit::Code(0), "PASS - "),
        (Exit::Code(77), "SKIPPED test it skipped itself (exit status 77)"),
        (Exit::Code(1), "FAIL product exit status 1"),
        (Exit::Signal(11), "FAIL test it was ended by signal 11 (SEGV) crashed"),
        (Exit::Lost("gone".to_owned()), "ABORTED lab gone"),
    ] {
        assert_eq!(judged(&Story::default(), &exit), expect);
    }
}

#[test]
fn what_a_test_said_goes_before_how_it_exited_unless_that_is_worse_than_its_pass() {
    let declared = |verdict| {
        let mut story = Story::default();
        story.take(Said::Result { verdict, reason: "so".to_owned(), by: DecidedBy::Declared }).unwrap();
        story
    };
    for (verdict, exit, expect) in [
        (Verdict::Fail, Exit::Code(0), "FAIL product so"),
        (Verdict::Fail, Exit::Lost("gone".to_owned()), "ABORTED lab gone"),
        (Verdict::Skipped, Exit::Code(1), "SKIPPED test so"),
        (Verdict::Pass, Exit::Code(0), "PASS - so"),
        (Verdict::Pass, Exit::Code(3), "FAIL product exit status 3"),
        (Verdict::Pass, Exit::Signal(9), "FAIL test it was ended by signal 9 (KILL) crashed"),
        (Verdict::Pass, Exit::None, "PASS - so"),
    ] {
        assert_eq!(judged(&declared(verdict), &exit), expect);
    }
}

#[test]
fn an_exit_status_after_a_refusal_says_what_was_refused() {
    let mut story = Story::default();
    story.take(Said::Refused { title: "no router".to_owned(), cause: Cause::Lab }).unwrap();
    for (exit, expect) in [
        (Exit::Code(0), "PASS - "),
        (Exit::Code(1), "FAIL lab exit status 1; refused before: no router"),
        (Exit::Code(77), "SKIPPED test it skipped itself (exit status 77)"),
    ] {
        assert_eq!(judged(&story, &exit), expect);
    }
}

#[test]
fn what_a_test_declared_survives_an_end_from_outside() {
    let mut story = Story::default();
    let late = Outcome::not_pass(
        Verdict::Timeout,
        Cause::Time,
        DecidedBy::TestLimit { millis: 3_000 },
        "it ran longer than its limit of 3s",
    );
    assert_eq!(with_declared(late.clone(), &story), late);
    story
        .take(Said::Result {
            verdict: Verdict::Fail,
            reason: "no neighbour".to_owned(),
            by: DecidedBy::Declared,
        })
        .unwrap();
    let expect =
        "TIMEOUT time it ran longer than its limit of 3s; before that it had said FAIL: no neighbour";
    assert_eq!(shown(&with_declared(late, &story)), expect);
}

#[test]
fn what_a_tool_says_by_its_status_is_told_and_blames_whom_it_should() {
    use RunnerKind::{Command, Java, Pytest, Robot};
    let (none, passed) = ("<testsuite tests='0'/>", "<testsuite><testcase name='a'/></testsuite>");
    let skipped = "<testsuite><testcase name='a'><skipped message='no lab'/></testcase></testsuite>";
    let lines: Vec<String> = [
        (Pytest, None, 1, "/usr/bin/python3: No module named pytest"),
        (Pytest, None, 4, "ERROR: file or directory not found: x"),
        (Pytest, None, 3, "INTERNALERROR> KeyError: 1"),
        (Pytest, None, 0, ""),
        (Pytest, Some(none), 5, ""),
        (Pytest, Some(none), 2, "KeyboardInterrupt"),
        (Pytest, Some(skipped), 5, ""),
        (Pytest, Some(skipped), 1, ""),
        (Pytest, Some(passed), 1, "FAIL Required test coverage of 90% not reached"),
        (Robot, None, 1, "/usr/bin/python3: No module named robot.__main__"),
        (Robot, None, 252, "[ ERROR ] Suite 'A' contains no tests."),
        (Robot, None, 253, "Execution stopped by user."),
        (Command, None, 0, ""),
        (Command, None, 3, "no licence"),
        (Command, None, 77, ""),
        (Command, Some(none), 0, ""),
        (Command, Some(passed), 0, ""),
        (Java, None, 0, ""),
        (Java, Some("<testsuite><testcase name='a'/>"), 0, ""),
    ]
    .into_iter()
    .map(|(tool, file, code, last)| format!("{} {code} {}", tool.as_str(), told(tool, file, code, last)))
    .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_last_line_that_tells_why_becomes_part_of_the_reason() {
    for (last_words, expect) in [
        ("", None),
        ("checking\n42\n\n----\n", Some("42")),
        ("t: 3: frobnicate: not found\nresult 5\ndone\n", Some("t: 3: frobnicate: not found")),
        ("Error: first\nError: second\n", Some("Error: second")),
    ] {
        assert_eq!(telling_line(last_words), expect);
    }
    let exit = |code, said: &str| shown(&by_exit(&Exit::Code(code), said));
    assert_eq!(
        exit(2, "t: 2: NOPE: parameter not set\n"),
        "FAIL test exit status 2: a variable in it is not set; it said: t: 2: NOPE: parameter not set"
    );
    assert_eq!(exit(1, "no route to host\n"), "FAIL product exit status 1; it said: no route to host");
    assert_eq!(
        exit(127, "t: 1: x: not found\n"),
        "FAIL test exit status 127: a program in it was not found; it said: t: 1: x: not found"
    );
    assert_eq!(
        exit(2, "t: 9: Syntax error: end of file unexpected\n"),
        "FAIL test exit status 2: it cannot be read to its end; it said: t: 9: Syntax error: end of file unexpected"
    );
}
