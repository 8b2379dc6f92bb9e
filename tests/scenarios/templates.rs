//! TextFSM templates as files of the lab: found by the command on a real FRRouting router, by name from every language, and checked before a run.

use std::time::Duration;

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::{Bench, frr::Router};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);

const ROUTES: &str = r"Value PROTO (\w)
Value PREFIX (\S+/\d+)
Value VIA (directly connected|unreachable \(blackhole\)|via \S+)

Start
  ^${PROTO}[>* ]+${PREFIX} (\[\d+/\d+\] |is )${VIA}, -> Record
";

/// As people have it from ntc-templates.
const INDEX: &str = "# which template is for which command
Template, Hostname, Platform, Command

frr_show_ip_route.textfsm, .*, frr, sh[[ow]] ip ro[[ute]]
";

const PYTHON: &str = r#"
import jackfield

with jackfield.session("/lab/router") as router:
    router.config(["ip route 192.0.2.0/24 blackhole"])
    while True:
        rows = router.rows("show ip route")
        if any(row["PREFIX"] == "192.0.2.0/24" for row in rows):
            break
    assert {"PROTO": "S", "PREFIX": "192.0.2.0/24", "VIA": "unreachable (blackhole)"} in rows, rows
    assert router.rows("sh ip ro") == rows
    assert router.rows("show ip route", "frr_show_ip_route") == rows
    assert jackfield.textfsm("frr_show_ip_route.textfsm", router.command("show ip route")) == rows
    try:
        router.rows("show version")
        raise AssertionError("a table of what no template is for")
    except jackfield.JackfieldError as error:
        assert "no template of the lab is for `show version` on `frr`" in str(error), error
"#;

const PERL: &str = r"
my $router = Jackfield->session('/lab/router');
my $rows = $router->rows('show ip route', 'frr_show_ip_route');
my @static = grep { $_->{PROTO} eq 'S' } @$rows;
test_fail('no static route') unless @static == 1 && $static[0]{PREFIX} eq '192.0.2.0/24';
";

const STEPS: &str = r#"
title = "The static route is shown, and goes"

[sessions.router]
resource = "/lab/router"

[[steps]]
command = "show ip route"
template = true
check = { column = "VIA", rows = { PREFIX = "192.0.2.0/24" }, contains = "blackhole" }

[[steps]]
config = ["no ip route 192.0.2.0/24 blackhole"]

[[steps]]
wait_until = "show ip route"
template = "frr_show_ip_route"
check = { count = true, rows = { PROTO = "S" }, equals = 0 }
timeout = "10s"
every = "100ms"
"#;

const PROJECT: &str = "<Root><TestSuite><tsName>s</tsName><TestCase><tcName>routes.py</tcName></TestCase><TestCase><tcName>routes.pl</tcName></TestCase><TestCase><tcName>routes.steps.toml</tcName></TestCase></TestSuite></Root>";

#[test]
fn a_template_of_the_lab_is_found_by_the_command() {
    let router = Router::start().unwrap();
    let mut bench = Bench::start("").unwrap();
    bench.write("templates/frr_show_ip_route.textfsm", ROUTES).unwrap();
    bench.write("templates/index", INDEX).unwrap();
    bench.write("tests/routes.py", PYTHON).unwrap();
    bench.write("tests/routes.pl", PERL).unwrap();
    bench.write("tests/routes.steps.toml", STEPS).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    bench.api.set_resource("/", "lab", &json!({})).unwrap();
    let way = json!({"protocol": "telnet", "host": router.address, "port": 23, "profile": "frr"});
    bench.api.set_resource("/lab", "router", &way).unwrap();
    let run = bench.api.submit("templates", PROJECT).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    for test in bench.api.tests(run).unwrap() {
        let log = bench.api.log(test.attempt.unwrap(), "cli").unwrap_or_default();
        assert_eq!(test.state, TestState::Ended(Verdict::Pass), "{}: {}\n{log}", test.name, test.reason);
    }
}

#[test]
fn a_check_of_a_project_tells_of_templates_that_are_not_there_or_wrong() {
    let bench = Bench::start("").unwrap();
    bench.write("templates/routes.textfsm", "Value A (\\S+\n\nStart\n").unwrap();
    bench.write("projects/p.xml", PROJECT.replace("routes.pl", "routes.py").as_str()).unwrap();
    bench.write("tests/routes.py", "").unwrap();
    let steps = STEPS.replace("template = true", "template = \"routes\"");
    bench.write("tests/routes.steps.toml", &steps).unwrap();
    let file = bench.lab().join("projects/p.xml");
    let output = bench.jackfield(&["project", "check", &file.to_string_lossy()]).unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    let wrong =
        "tests/routes.steps.toml:7:1: error: template `routes.textfsm`: the template is wrong at line 1";
    assert!(told.contains(wrong.trim_start_matches("tests/")), "{told}");
    assert!(told.contains("routes.steps.toml:15:1: error: there is no template `frr_show_ip_route` in the lab's folder `templates`"), "{told}");
}
