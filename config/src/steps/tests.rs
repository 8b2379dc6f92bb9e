//! A step test that is right, and ones that are wrong.

use super::*;

fn problems(text: &str) -> String {
    let problems = StepTest::parse("t.steps.toml", text).unwrap_err();
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_test_is_read() {
    let test = StepTest::parse(
        "t.steps.toml",
        r#"
title = "t"
timeout = "5s"
variables = { n = 3 }
[sessions.r]
resource = "/lab/r"
[[steps]]
command = "show ${n}"
capture = 'v (?<v>\d+) ${n}'
check = [{ above = 3 }, { value = "${v}", at_most = "20 ms", matches = '^\d' }]
[[steps]]
repeat = 2
[[steps.steps]]
expect = ["a|b", { exact = "c*" }]
timeout = "100ms"
go_on = true
"#,
    )
    .unwrap();
    assert_eq!(test.variables["n"], "3");
    let [first, second] = test.steps.as_slice() else { panic!("{:?}", test.steps) };
    assert_eq!((first.session.as_str(), first.name.as_str(), first.line), ("r", "command `show ${n}`", 7));
    let limits: Vec<_> = first.checks.iter().map(|check| (check.relation, check.limit.as_str())).collect();
    assert_eq!(limits, [(Relation::Above, "3"), (Relation::Matches, r"^\d"), (Relation::AtMost, "20 ms")]);
    let Action::Repeat { times: 2, steps } = &second.action else { panic!("{second:?}") };
    let awaited = vec![Awaited::Pattern("a|b".to_owned()), Awaited::Exact("c*".to_owned())];
    assert_eq!(steps[0].action, Action::Expect { patterns: awaited });
    assert!(steps[0].go_on && steps[0].timeout == Some(Duration::from_millis(100)));
}

#[test]
fn every_problem_is_told_at_once() {
    let text = r#"
titel = "t"
[sessions.router]
resource = "/lab/router"
[sessions.empty]
[[steps]]
comand = "x"
session = "router"
[[steps]]
command = "x"
session = "ruoter"
[[steps]]
command = "x"
expect = "y"
session = "router"
[[steps]]
session = "router"
wait_until = "x"
every = "often"
[[steps]]
session = "router"
expect = 'a('
[[steps]]
session = "router"
command = 5
check = { contians = "x" }
[[steps]]
repeat = -1
"#;
    insta::assert_snapshot!(problems(text), @r#"
    t.steps.toml:1:1: error: the file has no `title`; add `title = "…"`
    t.steps.toml:2:1: error: the file has no key `titel`; did you mean `title`?
    t.steps.toml:5:1: error: a session has neither `resource` nor `connect`; add resource = "/path" or connect = { protocol = "telnet", host = "…" }
    t.steps.toml:6:1: error: a step does nothing; give it one of: send, expect, command, unasked, config, level, reboot, power, press, screen, wait_until, execute, put, get, set_line, modem_lines, send_break, wait_break, repeat, pause, set, capture, check
    t.steps.toml:7:1: error: a step has no key `comand`; did you mean `command`?
    t.steps.toml:11:11: error: there is no session `ruoter`; did you mean `router`?
    t.steps.toml:13:11: error: a step has both `expect` and `command`; make two steps of it
    t.steps.toml:16:1: error: `wait_until` has no `check`; say what is awaited: check = { contains = "…" }
    t.steps.toml:19:9: error: `every` is "often"; write a time such as 90, 500ms, 5m or 2h
    t.steps.toml:22:10: error: `expect`: `a(` is no regular expression: unclosed group
    t.steps.toml:25:11: error: `command` is 5; write a text in quotes
    t.steps.toml:26:9: error: a check checks nothing; give it one of: contains, not_contains, matches, not_matches, equals, not_equals, above, below, at_least, at_most
    t.steps.toml:26:11: error: a check has no key `contians`; did you mean `contains`?
    t.steps.toml:28:10: error: `repeat` is -1; write a whole number from 0 to 1000000
    "#);
}

#[test]
fn a_test_needs_something_to_do() {
    insta::assert_snapshot!(problems("title = 't'"), @"t.steps.toml:1:1: error: the test has no steps; add [[steps]] with a `command`, `expect` or another action");
    insta::assert_snapshot!(problems("title = 't'\n[[steps]]\ncommand = 'x'"), @"t.steps.toml:2:1: error: the test has no sessions; add [sessions.NAME] with a `resource` or `connect`");
    let with_session = |step: &str| {
        let told = problems(&format!("title = 't'\n[sessions.r]\nresource = '/r'\n[[steps]]\n{step}"));
        told.split_once("error: ").unwrap().1.to_owned()
    };
    insta::assert_snapshot!(with_session("power = 'of'"), @r#"`of` is nothing to do with power: on, off, cycle or status; write power = "cycle""#);
    insta::assert_snapshot!(with_session("reboot = false"), @"`reboot = false` does nothing; leave the step out");
    insta::assert_snapshot!(with_session("wait_break = false"), @"`wait_break = false` does nothing; leave the step out");
    insta::assert_snapshot!(with_session("put = 'a'"), @r#"`put` does not say where to; add to = "the name on the device""#);
    insta::assert_snapshot!(with_session("get = 'a'\nway = 'stp'"), @"`stp` is no way to move a file; did you mean `sftp`?");
    insta::assert_snapshot!(with_session("set_line = { sped = 9600 }"), @"a serial line has no `sped`; did you mean `speed`?");
    insta::assert_snapshot!(with_session("set_line = {}"), @"`set_line` sets nothing; give it one of: speed, framing, flow, dtr, rts");
    insta::assert_snapshot!(with_session("send_break = 'long'"), @r#"`send_break` is "long"; write a time such as 90, 500ms, 5m or 2h"#);
    insta::assert_snapshot!(with_session("command = 'x'\nsecret = true"), @"a step has no key `secret`");
    insta::assert_snapshot!(with_session("command = 'x'\nanswers = [{ answer = 'y' }]"), @r#"an answer does not say to what; add asks = "a regular expression for the question""#);
    insta::assert_snapshot!(with_session("command = 'x'\nanswers = [{ asks = '(' }]"), @"`asks`: `(` is no regular expression: unclosed group");
    insta::assert_snapshot!(with_session("command = 'x'\nanswers = [{ asks = 'a', enter = false }]"), @"an empty answer without a line end sends nothing; leave `enter` out");
    insta::assert_snapshot!(with_session("command = 'x'\nanswers = [{ asks = 'a', anwser = 'b' }]"), @"an answer has no key `anwser`; did you mean `answer`?");
    insta::assert_snapshot!(with_session("command = 'x'\nartifact = true"), @r#"`artifact` says nothing without `to_file`; add to_file = "answer.txt""#);
    insta::assert_snapshot!(with_session("config = ['x']\nanswers = [{ asks = 'a' }]"), @"a step has no key `answers`");
    insta::assert_snapshot!(with_session("unasked = false"), @"`unasked = false` does nothing; leave the step out");
    assert!(problems("title = ").starts_with("t.steps.toml:1:"));
    assert!(problems("title = 't'\nsteps = []").contains("no steps"));
}

#[test]
fn what_answers_a_question_for_a_secret_is_one() {
    let secret = |awaited: &str, between: &str| {
        let text = format!(
            "title = 't'\n[sessions.r]\nresource = '/r'\n[[steps]]\nexpect = {awaited}\n{between}[[steps]]\nsend = 'x'\n"
        );
        let test = StepTest::parse("t.steps.toml", &text).unwrap();
        let last = test.steps.last().unwrap().clone();
        let Action::Send { secret, .. } = last.action else { panic!("{last:?}") };
        assert_eq!(last.name == "send a secret", secret);
        secret
    };
    for (awaited, between, expect) in [
        ("'[Pp]ass[Ww]ord: ?$'", "", true),
        ("['login:', { exact = 'Passphrase: ' }]", "[[steps]]\npause = '1s'\n", true),
        ("'login:'", "", false),
        ("'Password:'", "[[steps]]\ncommand = 'y'\n", false),
    ] {
        assert_eq!(secret(awaited, between), expect, "{awaited} {between}");
    }
}

#[test]
fn repeats_do_not_nest_without_end() {
    let mut text = "title = 't'\n[[steps]]\nrepeat = 1\n".to_owned();
    let mut path = "steps".to_owned();
    for _ in 0..10 {
        path.push_str(".steps");
        text.push_str(&format!("[[{path}]]\nrepeat = 1\n"));
    }
    assert!(problems(&text).contains("nested deeper than 8"));
}

/// A small generator: the same mutations each time.
fn next(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 40).unwrap()
}

#[test]
fn mutated_files_are_read_or_refused_with_a_place() {
    let text = "title = 't'\n[sessions.r]\nresource = '/r'\n[[steps]]\ncommand = 'x'\ncapture = '(?<v>a)'\ncheck = { above = 3 }\n[[steps]]\nrepeat = 2\n[[steps.steps]]\nexpect = ['a', { exact = 'b' }]\ntimeout = '5s'\n";
    let letters: Vec<char> = text.chars().collect();
    let mut seed = 1;
    for _ in 0..500 {
        let mut mutated = letters.clone();
        for _ in 0..next(&mut seed) % 4 + 1 {
            let at = next(&mut seed) % mutated.len();
            match next(&mut seed) % 3 {
                0 => drop(mutated.remove(at)),
                1 => mutated.insert(at, ['"', '[', '=', 'é', '\n', '{', '9'][next(&mut seed) % 7]),
                _ => {
                    let other = (at + 7) % mutated.len();
                    mutated.swap(at, other);
                }
            }
        }
        let mutated: String = mutated.into_iter().collect();
        if let Err(problems) = StepTest::parse("t.steps.toml", &mutated) {
            assert!(!problems.is_empty() && problems.iter().all(|problem| problem.line > 0), "{mutated}");
        }
    }
}
