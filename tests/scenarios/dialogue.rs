//! A device of the lab's own kind: its profile is a file of the lab, its answers become tables, and its dialogue is kept.

use std::time::Duration;

use jackfield_protocol::{
    api::TestRow,
    verdict::{Cause, TestState, Verdict},
};
use jackfield_tests::Bench;

const LIMIT: Duration = Duration::from_secs(120);

/// The shipped profiles do not know such a prompt.
const PROFILE: &str = r#"
name = "site"
prompt = '(?m)^lab>> ?$'
line_ending = "\n"
terminal = "dumb"
errors = ['(?m)^[^\r\n]*: command not found']
logout = "exit"
"#;

const STEPS: &str = r#"
title = "An answer is looked at by its cells"

[sessions.host]
connect = { protocol = "process", command = "env PS1='lab>> ' bash --norc --noprofile -i", profile = "site" }

[[steps]]
command = 'printf "eth0 up 1500\neth1 down 1500\neth2 up 9000\n"'
textfsm = '''
Value NAME (\S+)
Value STATE (up|down)
Value MTU (\d+)

Start
  ^${NAME} ${STATE} ${MTU}$$ -> Record
'''
check = [
  { column = "STATE", rows = { NAME = "eth0" }, equals = "up" },
  { column = "MTU", at_least = 1500 },
  { count = true, rows = { STATE = "up" }, equals = 2 },
]

[[steps]]
command = 'echo "{\"uptime\": {\"days\": 12}}"'
check = { json = "/uptime/days", above = 10 }

[[steps]]
send = "exit"
[[steps]]
expect = { end = true }
"#;

const SCRIPT: &str = r#"
import jackfield
from jackfield import session

connect = {'protocol': 'process', 'command': 'env PS1=\'lab>> \' bash --norc --noprofile -i', 'profile': 'site'}
template = 'Value NAME (\\w+)\nValue AGE (\\d+)\n\nStart\n ^${NAME} ${AGE} -> Record\n'
with session(connect=connect, name='host') as host:
    rows = host.rows(r'printf "ana 30\nbob 40\n"', template)
    assert rows == [{'NAME': 'ana', 'AGE': '30'}, {'NAME': 'bob', 'AGE': '40'}], rows
    assert jackfield.textfsm(template, 'eve 50') == [{'NAME': 'eve', 'AGE': '50'}]
    try:
        host.config(['true', 'configrue', 'true'])
        raise AssertionError('a wrong line was taken')
    except jackfield.JackfieldError as error:
        assert 'configrue' in str(error), error
    # A program that fills the screen, read and left.
    host.screen(rows=10, columns=40)
    host.send('seq 100 | TERM=xterm less')
    first = host.wait_screen(r'^(9)$\n:').screen
    assert first.lines[0] == '1' and (first.rows, first.columns) == (10, 40), first
    host.press('page-down')
    assert host.wait_screen(r'^18$').screen.lines[0] == '10'
    host.press('q')
    host.wait_screen('^18$', gone=True)
    assert 'lab>>' in host.screen().text
    assert host.command('stty size') == '10 40'
    host.send('exit')
    assert host.expect([jackfield.TIMEOUT, jackfield.END]).index == 1
"#;

#[test]
fn a_lab_describes_its_own_kind_of_device_and_looks_at_its_answers() {
    let mut bench = Bench::start("").unwrap();
    bench.write("profiles/site.toml", PROFILE).unwrap();
    bench.write("tests/cells.steps.toml", STEPS).unwrap();
    bench.write("tests/cells.py", SCRIPT).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let project = "<Root><TestSuite><tsName>s</tsName><TestCase><tcName>cells.steps.toml</tcName></TestCase><TestCase><tcName>cells.py</tcName></TestCase></TestSuite></Root>";
    let run = bench.api.submit("dialogue", project).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    for row in bench.api.tests(run).unwrap() {
        let attempt = row.attempt.unwrap();
        let log = bench.api.log(attempt, "cli").unwrap_or_default();
        assert_eq!(row.state, TestState::Ended(Verdict::Pass), "{}\n{log}", row.reason);
        let said = |arguments: &[&str]| {
            let output = bench.jackfield(arguments).unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let attempt = attempt.to_string();
        assert!(said(&["session", "list", &attempt]).contains("host.cast"));
        let shown = said(&["session", "show", &attempt]);
        assert!(shown.contains("> printf") && shown.contains("lab>> "), "{shown}");
        assert!(said(&["session", "play", &attempt, "--idle", "0"]).contains("lab>> "));
    }
}

/// A device that is not there, met in each language the way people write it, without catching anything.
const NOT_THERE: [(&str, &str); 5] = [
    ("gone.py", "import jackfield\njackfield.session('/gone')\n"),
    ("gone.tcl", "session /gone\n"),
    ("gone.pl", "use Jackfield;\nJackfield->session('/gone');\n"),
    ("gone.sh", "jf_session /gone || exit 3\n"),
    (
        "gone.steps.toml",
        "title = \"t\"\n[sessions.r]\nresource = \"/gone\"\n[[steps]]\ncommand = \"show version\"\n",
    ),
];

/// Runs these tests, and gives them with what a person reads.
fn reasons(bench: &mut Bench, tests: &[(&str, &str)]) -> Vec<TestRow> {
    let mut cases = String::new();
    for (file, text) in tests {
        bench.write(&format!("tests/{file}"), text).unwrap();
        cases.push_str(&format!("<TestCase><tcName>{file}</tcName></TestCase>"));
    }
    bench.start_ep("EP-1", "").unwrap();
    let project = format!("<Root><TestSuite><tsName>s</tsName>{cases}</TestSuite></Root>");
    let run = bench.api.submit("gone", &project).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    bench.api.tests(run).unwrap()
}

fn set_resource(bench: &Bench, path: &str, properties: &[&str]) {
    let set = bench.jackfield(&[&["resource", "set", path], properties].concat()).unwrap();
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
}

#[test]
fn a_device_that_is_not_there_is_the_labs_fault_in_every_language() {
    let mut bench = Bench::start("").unwrap();
    set_resource(&bench, "/gone", &["protocol=telnet", "host=127.0.0.1", "port=1", "retries=0"]);
    for row in reasons(&mut bench, &NOT_THERE) {
        let found = (row.state, row.cause);
        assert_eq!(found, (TestState::Ended(Verdict::Fail), Some(Cause::Lab)), "{} {}", row.file, row.reason);
        let why = "telnet 127.0.0.1:1 cannot be reached: connection refused";
        assert!(
            row.reason.ends_with(why) && row.reason.matches(why).count() == 1,
            "{}: {}",
            row.file,
            row.reason
        );
        assert!(!row.crashed, "{}", row.file);
    }
}

#[test]
fn a_resource_that_says_nonsense_is_the_labs_fault() {
    let mut bench = Bench::start("").unwrap();
    set_resource(&bench, "/port", &["protocol=telnet", "host=127.0.0.1", "port=abc"]);
    set_resource(&bench, "/kind", &["protocol=telnet", "host=127.0.0.1", "profile=cisco"]);
    let tests = [
        ("port.py", "import jackfield\njackfield.session('/port')\n"),
        ("kind.py", "import jackfield\njackfield.session('/kind')\n"),
        (
            "kind.steps.toml",
            "title = \"t\"\n[sessions.r]\nresource = \"/kind\"\n[[steps]]\ncommand = \"x\"\n",
        ),
    ];
    let told = ["property `port` is `abc`", "there is no profile `cisco`", "there is no profile `cisco`"];
    for (row, told) in reasons(&mut bench, &tests).into_iter().zip(told) {
        assert_eq!((row.cause, row.crashed), (Some(Cause::Lab), false), "{} {}", row.file, row.reason);
        assert!(row.reason.contains(told), "{}: {}", row.file, row.reason);
    }
}
