//! Runs for the tests of every document: one with each kind of end and hostile texts, one that is large.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use jackfield_protocol::{
    api::RunSummary,
    attempt::AttemptEnd,
    event::RunState,
    id::{AttemptId, EpName, RunId, SuiteIndex, SutName, TestIndex, UserName},
    link::{Check, Host, Part},
    log::Stream,
    plan::{Iteration, IterationSave, Place, PlannedSuite, PlannedTest, Role, RunOptions, RunPlan},
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use crate::results::{AttemptResult, EngineFacts, Results, TestResult};

/// 2026-11-20T23:00:00.000Z
const START: Time = Time(1_795_215_600_000);

pub(crate) fn attempt_id(test: u32, attempt: u16) -> AttemptId {
    AttemptId { run: RunId(41), test: TestIndex(test), attempt }
}

fn suite(name: &str, parent: Option<u32>, tests: Range<u32>, ep: &str) -> PlannedSuite {
    PlannedSuite {
        configs: Vec::new(),
        id: format!("suite-{name}#{ep}").into(),
        origin: format!("suite-{name}").into(),
        name: name.into(),
        parent: parent.map(SuiteIndex),
        tests,
        place: Place { ep: Some(ep.into()), labels: BTreeMap::new(), needs: None },
        sut: Some(SutName::from("router.user")),
        panic_detect: false,
        libraries: Vec::new(),
        user_defined: BTreeMap::from([("build".into(), "7".into())]),
        timeout_millis: None,
        depends: Vec::new(),
    }
}

fn test(index: u32, suite: u32, file: &str) -> PlannedTest {
    let id = format!("test-{index}#EP-1001");
    let origin = format!("test-{index}").into();
    PlannedTest { origin, ..PlannedTest::new(id, SuiteIndex(suite), format!("tests/{file}")) }
}

fn attempt(test: u32, number: u16, ep: &str, elapsed_millis: u64, outcome: Outcome) -> AttemptResult {
    AttemptResult {
        attempt: attempt_id(test, number),
        ep: ep.into(),
        started: Some(START.plus_millis(u64::from(test) * 2_000 + u64::from(number) * 100)),
        end: Some(AttemptEnd { elapsed_millis, ..AttemptEnd::of(outcome) }),
    }
}

fn ended(attempts: Vec<AttemptResult>) -> TestResult {
    let outcome = attempts.last().and_then(|last| last.outcome().cloned());
    TestResult { outcome, attempts, ..TestResult::default() }
}

fn decided(outcome: Outcome) -> TestResult {
    TestResult { outcome: Some(outcome), decided: Some(START.plus_millis(60_000)), ..TestResult::default() }
}

fn part(name: &str, verdict: Verdict, reason: &str) -> Part {
    Part { name: name.to_owned(), verdict, reason: reason.to_owned(), elapsed_millis: 40, checks: Vec::new() }
}

fn checks() -> Vec<Check> {
    let check = |name: &str, value: &str, unit: &str, limits: &[(&str, &str)], verdict| Check {
        name: name.to_owned(),
        value: value.to_owned(),
        unit: unit.to_owned(),
        limits: limits.iter().map(|(word, limit)| ((*word).to_owned(), (*limit).to_owned())).collect(),
        verdict,
    };
    vec![
        check("load <1>", "95", "%", &[("at_most", "80")], Verdict::Fail),
        check("delay", "12.5 ms", "", &[("above", "1 ms"), ("below", "20 ms")], Verdict::Pass),
        check("version", "10.1", "", &[], Verdict::Pass),
    ]
}

fn head(tests: u32) -> RunSummary {
    RunSummary {
        id: RunId(41),
        project: "demo".to_owned(),
        user: UserName::from("ana"),
        state: RunState::Stopped,
        submitted: START,
        started: Some(START),
        ended: Some(START.plus_millis(125_000)),
        tests,
        counts: BTreeMap::new(),
        temporary: false,
        kept: false,
        retry_of: None,
        waits: None,
    }
}

fn host(name: &str, ip: &str) -> Host {
    Host { name: name.to_owned(), ip: ip.to_owned(), os: "Debian 12".to_owned(), python: "3.11.2".to_owned() }
}

fn iteration(value: &str) -> Iteration {
    Iteration {
        group: 1,
        text: format!("tc_config#comp#iterator_1={value}").into(),
        values: Vec::new(),
        stop_on_fail: false,
        save: IterationSave::Failed,
    }
}

fn tests() -> Vec<PlannedTest> {
    let mut setup = test(0, 0, "init.py");
    setup.role = Role::Setup;
    let mut iterated: Vec<_> = ["3", "1"]
        .iter()
        .zip([2, 3])
        .map(|(value, index)| {
            let mut copy = test(index, 1, "vlan.tcl");
            copy.name = format!("vlan.tcl [iterator_1={value}]").into();
            copy.iteration = Some(iteration(value));
            copy
        })
        .collect();
    let mut hostile = test(6, 1, "hostile.py");
    hostile.name = "<script>alert(1)</script> & \"co\" | x.py".into();
    hostile.properties = BTreeMap::from([("station".into(), "lab <2>".into())]);
    let mut tests = vec![setup, test(1, 0, "login.py")];
    tests.append(&mut iterated);
    tests.extend([test(4, 1, "route.py"), test(5, 1, "route.py"), hostile]);
    tests.extend([
        test(7, 0, "skip.pl"),
        test(8, 2, "call.sh"),
        test(9, 2, "hang.py"),
        test(10, 2, "old.py"),
    ]);
    tests.push(test(11, 2, "after.py"));
    let mut teardown = test(12, 2, "down.sh");
    teardown.role = Role::Teardown;
    tests.push(teardown);
    tests
}

fn rule(verdict: Verdict) -> DecidedBy {
    match verdict {
        Verdict::Timeout => DecidedBy::TestLimit { millis: 60_000 },
        Verdict::Aborted => DecidedBy::EpLost { ep: "EP-1001".into() },
        Verdict::Skipped => DecidedBy::NotRunnable,
        Verdict::Invalid => DecidedBy::File,
        Verdict::Pass | Verdict::Fail | Verdict::NotExecuted => DecidedBy::Declared,
    }
}

fn results() -> Vec<TestResult> {
    let pass = |index, millis| {
        ended(vec![attempt(index, 1, "EP-1001", millis, Outcome::pass(DecidedBy::ExitStatus { status: 0 }))])
    };
    let ends = |index, number, ep, verdict, cause, reason: &str| {
        attempt(index, number, ep, 1_239, Outcome::not_pass(verdict, cause, rule(verdict), reason))
    };
    let mut with_parts = ends(
        4,
        1,
        "EP-1001",
        Verdict::Fail,
        Cause::Product,
        "route 10.1.0.0/16 is missing\nexpected via 10.0.0.2",
    );
    let end = with_parts.end.as_mut().unwrap();
    end.exit_code = Some(1);
    end.parts =
        vec![part("adds a route", Verdict::Pass, ""), part("shows it", Verdict::Fail, "no such route")];
    end.parts.push(Part {
        checks: checks(),
        ..part("load", Verdict::Fail, "`load <1>` is more than `80`; it is: `95 %`")
    });
    end.cleanups = vec![part("remove the route", Verdict::Timeout, "its limit of 10 s passed")];
    end.variables = BTreeMap::from([("throughput".into(), "94.1 Mbit/s".into())]);
    let mut crashed =
        ends(6, 1, "EP-1001", Verdict::Fail, Cause::Test, "crashed: ValueError: <b>\x1b[31mbad\x1b[0m</b>");
    crashed.end.as_mut().unwrap().outcome.crashed = true;
    let lost = ends(5, 1, "EP-1001", Verdict::Aborted, Cause::Lab, "EP-1001 vanished");
    let retried = attempt(5, 2, "EP-1002", 900, Outcome::pass(DecidedBy::ExitStatus { status: 0 }));
    let lost_again = ends(8, 1, "EP-1002", Verdict::Fail, Cause::Product, "busy tone");
    let failed_again = ends(8, 2, "EP-1003", Verdict::Fail, Cause::Product, "busy tone");
    vec![
        pass(0, 310),
        pass(1, 1_239),
        pass(2, 800),
        ended(vec![ends(3, 1, "EP-1001", Verdict::Fail, Cause::Product, "vlan 1 is not tagged")]),
        ended(vec![with_parts]),
        ended(vec![lost, retried]),
        ended(vec![crashed]),
        ended(vec![ends(7, 1, "EP-1001", Verdict::Skipped, Cause::Person, "not runnable")]),
        ended(vec![lost_again, failed_again]),
        ended(vec![ends(9, 1, "EP-1002", Verdict::Timeout, Cause::Time, "its limit of 60 s passed")]),
        ended(vec![ends(
            10,
            1,
            "EP-1002",
            Verdict::Invalid,
            Cause::Test,
            "only Python 2 can read it; run 2to3",
        )]),
        decided(Outcome::not_pass(
            Verdict::NotExecuted,
            Cause::Person,
            DecidedBy::Stopped { by: "ana".into() },
            "stopped by ana: wrong branch",
        )),
    ]
}

/// Thirteen tests in three suites, every verdict, retries, parts, hostile texts; the last test has no end.
pub(crate) fn demo() -> Results {
    let tests = tests();
    let plan = RunPlan {
        project: "demo".to_owned(),
        source: "projects/demo.xml".to_owned(),
        user: UserName::from("ana"),
        options: RunOptions {
            user_defined: BTreeMap::from([("release".into(), "R1".into())]),
            ..RunOptions::default()
        },
        suites: vec![
            suite("Routing", None, 0..8, "EP-1001"),
            suite("VLAN v1.2", Some(0), 2..7, "EP-1001"),
            suite("Calls", None, 8..13, "EP-1002"),
        ],
        tests,
        files: BTreeMap::new(),
        libraries: BTreeMap::new(),
        folders: Default::default(),
        panic_patterns: Vec::new(),
        profiles: Default::default(),
        templates: None,
        private: Default::default(),
    };
    Results {
        run: head(13),
        plan: Arc::new(plan),
        tests: results(),
        hosts: BTreeMap::from([
            (EpName::from("EP-1001"), host("bench1", "10.0.0.11")),
            (EpName::from("EP-1002"), host("bench2", "10.0.0.12")),
        ]),
        engine: EngineFacts {
            software: "jackfield 0.1.0".to_owned(),
            server_type: "no_type".to_owned(),
            location: "lab 2".to_owned(),
            os: "Debian 12".to_owned(),
            hostname: "engine1".to_owned(),
            ip: "10.0.0.1".to_owned(),
            python: "3.11.2".to_owned(),
            timezone: "EET".to_owned(),
            utc_offset_secs: 7_200,
            resources_file: "resources.json".to_owned(),
            url: "http://engine1:8000".to_owned(),
        },
        stopped: Some("stopped by ana: wrong branch".to_owned()),
        pre: Some(Outcome::pass(DecidedBy::ExitStatus { status: 0 })),
        post: Some(Outcome::not_pass(
            Verdict::Fail,
            Cause::Lab,
            DecidedBy::ExitStatus { status: 3 },
            "exit status 3",
        )),
    }
}

/// The logs of the demo.
pub(crate) fn logs() -> BTreeMap<(AttemptId, Stream), Vec<u8>> {
    let long =
        (0..40).map(|line| format!("line {line}: \x1b[1mshow ip route\x1b[0m\r\n")).collect::<String>();
    BTreeMap::from([
        ((attempt_id(1, 1), Stream::Cli), b"logged in\n".to_vec()),
        ((attempt_id(3, 1), Stream::Cli), b"vlan 1 <untagged>\n\xff\xfe".to_vec()),
        ((attempt_id(4, 1), Stream::Cli), long.into_bytes()),
    ])
}

/// A run of many tests, one in a hundred of which failed.
pub(crate) fn large(tests: u32) -> Results {
    let mut results = demo();
    let outcome = |index: u32| match index % 100 {
        7 => Outcome::not_pass(
            Verdict::Fail,
            Cause::Product,
            DecidedBy::Declared,
            format!("port {} is down", index % 48),
        ),
        _ => Outcome::pass(DecidedBy::ExitStatus { status: 0 }),
    };
    let suites = 20;
    results.run = head(tests);
    results.plan = Arc::new(RunPlan {
        suites: (0..suites).map(|at| suite(&format!("Suite {at}"), None, 0..0, "EP-1001")).collect(),
        tests: (0..tests).map(|at| test(at, at % suites, &format!("test_{at:06}.py"))).collect(),
        ..(*results.plan).clone()
    });
    results.tests = (0..tests)
        .map(|at| ended(vec![attempt(at, 1, "EP-1001", u64::from(at % 900), outcome(at))]))
        .collect();
    results
}
