//! Step tests, from the file to the report.

use std::collections::BTreeMap;

use jackfield_config::steps::StepTest;
use jackfield_device::{
    record::Tap,
    simulate::Running,
    steps::{StepEnvironment, StepReport, run, run_until},
};
use jackfield_protocol::{
    secret::Secret,
    verdict::{Cause, Verdict},
};
use serde_json::Value;

use crate::{device, settings};

#[derive(Default)]
pub(crate) struct Lab {
    resources: BTreeMap<String, BTreeMap<String, Value>>,
    log: Vec<String>,
}

impl StepEnvironment for Lab {
    async fn resource(&mut self, path: &str) -> Result<BTreeMap<String, Value>, String> {
        self.resources.get(path).cloned().ok_or_else(|| "there is no such resource".to_owned())
    }

    async fn variable(&mut self, name: &str) -> Option<String> {
        (name == "param.1").then(|| "10.60.0.0/16".to_owned())
    }

    fn log(&mut self, line: &str) {
        self.log.push(line.to_owned());
    }

    fn taps(&mut self, _session: &str, _title: &str, _secrets: &[Secret]) -> Vec<Box<dyn Tap>> {
        Vec::new()
    }
}

fn lab(router: &Running) -> Lab {
    let mut properties = router.properties("telnet");
    properties.insert("profile".into(), "ios".into());
    properties.insert("level".into(), "privileged".into());
    properties.insert("enable_password".into(), "lab-enable".into());
    Lab { resources: [("/lab/router".to_owned(), properties)].into(), log: Vec::new() }
}

async fn run_text(router: &Running, text: &str) -> (StepReport, Lab) {
    let mut lab = lab(router);
    let test = StepTest::parse("t.steps.toml", text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let (_folder, settings) = settings();
    let report = run(&test, &settings, &mut lab).await;
    (report, lab)
}

/// Verdicts and names, a line each.
fn told(report: &StepReport) -> String {
    let line =
        |part: &jackfield_protocol::link::Part| format!("{:8} {} {}", part.verdict, part.name, part.reason);
    let lines: Vec<String> = report.parts.iter().chain(&report.cleanups).map(line).collect();
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

const GOOD: &str = r#"
title = "A static route can be added, is shown, and goes again"
timeout = "10s"

[variables]
via = "192.0.2.7"

[sessions.router]
resource = "/lab/router"

[[steps]]
command = "show version"
capture = ['version (?<version>[\d.]+)', 'Memory: (?<total>[^,]+) total, (?<free>[^,]+) free']
check = [
  { value = "${version}", at_least = "10.1" },
  { value = "${free}", above = "200 MB", below = "512 MB" },
]

[[steps]]
config = ["ip route ${param.1} ${via}"]

[[steps]]
name = "the route is there"
command = "show ip route"
check = { contains = "${param.1}", matches = '10\.60\.0\.0/16 +via 192\.0\.2\.7', not_contains = "10.61" }

[[steps]]
name = "it can be asked for"
repeat = 2
[[steps.steps]]
command = "show ip route ${param.1}"
check = { contains = "via ${via}" }

[[steps]]
send = "ping ${via}"
[[steps]]
expect = ['rate is (?<rate>\d+) percent', { exact = "never" }]

[[steps]]
check = { value = "${rate}", equals = 100 }

[[steps]]
config = ["interface eth1", "no shutdown"]
[[steps]]
wait_until = "show ip ospf neighbor"
every = "50ms"
check = { matches = '198\.51\.100\.2 +Full' }

[[steps]]
command = "show ip route 10.99.0.0/16"
allow_error = true
check = { equals = "% Network not in table" }

[[cleanup]]
config = ["no ip route ${param.1}"]
"#;

#[tokio::test]
async fn a_good_test_passes() {
    let router = device("router").await;
    let (report, lab) = run_text(&router, GOOD).await;
    assert_eq!(report.outcome.verdict, Verdict::Pass, "{}\n{}", told(&report), lab.log.join("\n"));
    insta::assert_snapshot!(told(&report), @r"
    PASS     command `show version`
    PASS     config `ip route 10.60.0.0/16 192.0.2.7`
    PASS     the route is there
    PASS     it can be asked for #1: command `show ip route 10.60.0.0/16`
    PASS     it can be asked for #2: command `show ip route 10.60.0.0/16`
    PASS     send `ping 192.0.2.7`
    PASS     expect `rate is (?<rate>\d+) percent` or `never`
    PASS     check
    PASS     config of 2 lines
    PASS     wait until `show ip ospf neighbor` shows it
    PASS     command `show ip route 10.99.0.0/16`
    PASS     config `no ip route 10.60.0.0/16`
    ");
    assert_eq!(report.variables["version"], "10.2.1");
    assert!(!router.state()["routes"].as_object().unwrap().contains_key("10.60.0.0/16"));
    assert!(lab.log.iter().any(|line| line == "version = 10.2.1"));
}

#[tokio::test]
async fn a_check_that_fails_is_the_products_fault_and_cleanup_still_runs() {
    let router = device("router").await;
    let text = r#"
title = "t"
[sessions.router]
resource = "/lab/router"
[[steps]]
config = ["ip route 10.70.0.0/16 192.0.2.7"]
[[steps]]
name = "uptime"
command = "show version"
check = { contains = "uptime is 4 days" }
[[steps]]
command = "show ip route"
[[cleanup]]
config = ["no ip route 10.70.0.0/16"]
"#;
    let (report, _) = run_text(&router, text).await;
    assert_eq!((report.outcome.verdict, report.outcome.cause), (Verdict::Fail, Some(Cause::Product)));
    insta::assert_snapshot!(told(&report), @r"
    PASS     config `ip route 10.70.0.0/16 192.0.2.7`
    FAIL     uptime the output does not contain `uptime is 4 days`; it is: `Jackfield simulated router, version 10.2.1 ⏎ Serial number: SIM0000042 ⏎ router1 uptime is 3 days ⏎ Memory: 512 MB total, 301 MB free`
    NOT_EXECUTED command `show ip route` an earlier step failed
    PASS     config `no ip route 10.70.0.0/16`
    ");
    assert!(!router.state()["routes"].as_object().unwrap().contains_key("10.70.0.0/16"));
}

#[tokio::test]
async fn blame_goes_where_it_belongs() {
    let router = device("router").await;
    let session = "[sessions.r]\nresource = \"/lab/router\"\n";
    let elsewhere = "[sessions.r]\nresource = \"/lab/nothing\"\n";
    let refused = "[sessions.r]\nconnect = { protocol = \"telnet\", host = \"127.0.0.1\", port = 1 }\n";
    let wrong = "[sessions.r]\nconnect = { protocol = \"smoke\" }\n";
    for (sessions, step, verdict, cause, reason) in [
        (elsewhere, "command = 'x'", Verdict::Fail, Cause::Lab, "there is no such resource"),
        (refused, "command = 'x'", Verdict::Fail, Cause::Lab, "connection refused"),
        (
            wrong,
            "command = 'x'",
            Verdict::Invalid,
            Cause::Test,
            "use telnet, ssh, serial, rfc2217, tcp or process",
        ),
        (
            session,
            "command = 'show ${nothing}'",
            Verdict::Invalid,
            Cause::Test,
            "there is no variable `nothing`",
        ),
        (session, "command = 'bogus'", Verdict::Fail, Cause::Product, "the device refused `bogus`"),
        (session, "command = 'debug drop'", Verdict::Fail, Cause::Lab, "closed the connection"),
        (
            session,
            "command = 'debug hang'\ntimeout = '100ms'",
            Verdict::Fail,
            Cause::Product,
            "timed out after 100.0ms",
        ),
        (
            session,
            "wait_until = 'show version'\nevery = '10ms'\ntimeout = '50ms'\ncheck = { contains = 'gone' }",
            Verdict::Fail,
            Cause::Product,
            "tries: the output does not contain `gone`",
        ),
    ] {
        let (report, _) = run_text(&router, &format!("title = 't'\n{sessions}[[steps]]\n{step}\n")).await;
        let outcome = report.outcome;
        assert_eq!((outcome.verdict, outcome.cause), (verdict, Some(cause)), "{step}: {}", outcome.reason);
        assert!(outcome.reason.contains(reason), "{step}: {}", outcome.reason);
    }
}

#[tokio::test]
async fn a_stopped_test_is_still_cleaned_up() {
    let router = device("router").await;
    let text = r#"
title = "t"
[sessions.router]
resource = "/lab/router"
[[steps]]
config = ["ip route 10.80.0.0/16 192.0.2.7"]
[[steps]]
command = "debug hang"
timeout = "1h"
[[cleanup]]
config = ["no ip route 10.80.0.0/16"]
"#;
    let mut lab = lab(&router);
    let test = StepTest::parse("t.steps.toml", text).unwrap();
    let (_folder, settings) = settings();
    let route = || router.state()["routes"].as_object().unwrap().contains_key("10.80.0.0/16");
    let stop = async {
        while !route() {
            tokio::task::yield_now().await;
        }
    };
    let report = run_until(&test, &settings, &mut lab, stop, crate::LONG).await;
    assert_eq!((report.outcome.verdict, report.outcome.cause), (Verdict::Aborted, Some(Cause::Person)));
    assert_eq!(report.cleanups.len(), 1);
    assert!(!route());
}

#[tokio::test]
async fn a_clean_up_has_a_time_limit_of_its_own() {
    let router = device("router").await;
    let text = r#"
title = "t"
[sessions.router]
resource = "/lab/router"
[[steps]]
command = "show version"
[[cleanup]]
name = "hang"
command = "debug hang"
timeout = "1h"
[[cleanup]]
name = "never"
command = "show version"
"#;
    let mut lab = lab(&router);
    let test = StepTest::parse("t.steps.toml", text).unwrap();
    let (_folder, settings) = settings();
    let limit = std::time::Duration::from_millis(1_500);
    let report = run_until(&test, &settings, &mut lab, std::future::pending(), limit).await;
    let told = told(&report);
    let parts: Vec<_> = report.cleanups.iter().map(|part| (part.name.as_str(), part.verdict)).collect();
    assert_eq!(parts, [("hang", Verdict::Timeout), ("never", Verdict::NotExecuted)], "{told}");
    assert!(report.outcome.reason.contains("time limit of the clean-up (1.5s)"), "{}", report.outcome.reason);
    assert_eq!(report.outcome.cause, Some(Cause::Lab));
}

#[tokio::test]
async fn a_secret_is_in_no_log_and_no_reason() {
    let router = device("router").await;
    let text = r#"
title = "t"
[variables]
secret = "lab-enable"
[sessions.router]
resource = "/lab/router"
[[steps]]
command = "bogus ${secret}"
"#;
    let (report, lab) = run_text(&router, text).await;
    assert!(report.outcome.reason.contains("refused `bogus ********`"), "{}", report.outcome.reason);
    assert!(!lab.log.join("\n").contains("lab-enable"), "{:?}", lab.log);
    assert!(!told(&report).contains("lab-enable"), "{}", told(&report));
}

/// The properties of a resource of the demo's lab, with where its simulated device listens.
fn demo_resource(name: &str, device: &Running) -> (String, BTreeMap<String, Value>) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/demo/resources.json");
    let tree: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let properties = tree.pointer(&format!("/children/lab/children/{name}/meta")).unwrap();
    let mut properties: BTreeMap<String, Value> = serde_json::from_value(properties.clone()).unwrap();
    let protocol = properties.get("protocol").unwrap().as_str().unwrap().to_owned();
    properties.extend(device.properties(&protocol));
    (format!("/lab/{name}"), properties)
}

#[tokio::test]
async fn step_tests_of_the_demo_pass() {
    let names = ["router", "switch", "pbx"];
    let devices = [device("router").await, device("switch").await, device("pbx").await];
    let resources = || names.iter().zip(&devices).map(|(name, device)| demo_resource(name, device)).collect();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/demo/tests")];
    let mut passed = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if !path.to_string_lossy().ends_with(".steps.toml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let test = StepTest::parse(&path.display().to_string(), &text);
            let test = test.unwrap_or_else(|problems| panic!("{problems:#?}"));
            let mut lab = Lab { resources: resources(), log: Vec::new() };
            let (_folder, settings) = settings();
            let report = run(&test, &settings, &mut lab).await;
            assert_eq!(report.outcome.verdict, Verdict::Pass, "{}\n{}", path.display(), told(&report));
            passed += 1;
        }
    }
    assert!(passed >= 2, "the demo has fewer step tests than it had");
}

const CHANGES: &str = r#"
title = "Its mains, its levels, and the router itself"
timeout = "20s"

[sessions.router]
resource = "/lab/router"
[sessions.router.connect]
power = { command = { on = ["true"], off = ["true"], status = ["echo", "on"] }, off_millis = 1 }
profile_settings = { reboot = { pause = "10ms" } }

[[steps]]
power = "cycle"
check = { equals = "on" }
[[steps]]
level = "user"
[[steps]]
command = "configure terminal"
allow_error = true
check = { contains = "Unknown command" }
[[steps]]
level = "privileged"
[[steps]]
reboot = true
[[steps]]
command = "show version"
check = { contains = "uptime" }
[[steps]]
level = "mountain"
"#;

#[tokio::test]
async fn steps_switch_the_mains_change_levels_and_start_the_device_anew() {
    let router = device("router").await;
    let (report, _) = run_text(&router, CHANGES).await;
    insta::assert_snapshot!(told(&report), @r"
    PASS     power cycle
    PASS     level `user`
    PASS     command `configure terminal`
    PASS     level `privileged`
    PASS     reboot
    PASS     command `show version`
    INVALID  level `mountain` profile `ios` has no privilege level `mountain` (it has: user, privileged)
    ");
}
