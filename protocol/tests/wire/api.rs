//! Bodies of the HTTP interface, problems and resources.

use jackfield_protocol::{
    api::{
        AskModules, Blocker, Blocks, DeviceUse, EpModules, EpRow, EpState, Events, Login, Page, RunSnapshot,
        RunSummary, SubmitRun, Submitted, TestRow, UseKind, Waiting,
    },
    event::RunState,
    health::{HealthState, JudgeResource, ResourceHealth},
    id::{ConsoleId, LeaseId, RunId, TestIndex},
    lease::{
        HolderKind, LeaseEnd, LeaseEnded, LeaseForecast, LeaseKind, LeaseRequest, LeaseState, LeaseView,
    },
    resource::Resource,
    retention::{GoingRun, Look, RetentionView},
    secret::Secret,
    verdict::{Cause, DecidedBy, TestState, Verdict},
};
use serde_json::{Value, json};

use crate::{
    sample::Sample,
    value::{
        Pair, at, attempt, counts, ended_event, ep, file_problem, host, notice, part, problem, texts, user,
    },
};

pub(crate) fn samples() -> Vec<Sample> {
    let run = run_summary();
    let test = test_row();
    let machine = ep_row();
    let submit = submit_run();
    let trouble = problem();
    let file = file_problem();
    let submitted = |warnings| Submitted { run: RunId(41), warnings };
    let snapshot = |run| RunSnapshot { run, seq: 17 };
    let all = vec![
        Sample::with_bare("api/submit_run", submit.full, submit.bare),
        Sample::with_bare(
            "api/submitted",
            submitted(vec![file_problem().full]),
            submitted(vec![file_problem().bare]),
        ),
        Sample::with_bare("api/run_summary", run.full.clone(), run.bare.clone()),
        Sample::with_bare("api/run_page", page(run.full.clone()), last_page(run.bare.clone())),
        Sample::with_bare("api/test_row", test.full.clone(), test.bare.clone()),
        Sample::with_bare("api/test_page", page(test.full), last_page(test.bare)),
        Sample::with_bare("api/ep_row", machine.full.clone(), machine.bare.clone()),
        Sample::with_bare("api/ep_page", page(machine.full), last_page(machine.bare)),
        Sample::new("api/ask_modules", AskModules { modules: vec!["serial".into(), "yaml".into()] }),
        Sample::new("api/ep_modules", EpModules { ep: ep(), missing: vec!["yaml".into()] }),
        Sample::with_bare::<Events>("api/event_page", page(ended_event()), last_page(ended_event())),
        Sample::with_bare(
            "api/waiting",
            waiting(),
            Waiting { wants: None, blockers: Vec::new(), ..waiting() },
        ),
        Sample::with_bare("api/blocker", blocker(true), blocker(false)),
        Sample::with_bare("api/lease_view", lease_view().full, lease_view().bare),
        Sample::with_bare("api/lease_forecast", lease_forecast(true), lease_forecast(false)),
        Sample::with_bare("api/lease_request", lease_request(), LeaseRequest::default()),
        Sample::with_bare("api/retention_view", retention_view().full, retention_view().bare),
        Sample::with_bare("api/device_use", device_use(true), device_use(false)),
        Sample::with_bare("api/resource_health", resource_health(true), resource_health(false)),
        Sample::with_bare("api/judge_resource", judge_resource(true), judge_resource(false)),
        Sample::new("api/login", Login { user: user(), password: Secret::new("correct horse") }),
        Sample::with_bare("api/run_snapshot", snapshot(run.full), snapshot(run.bare)),
        Sample::new("api/resource", resource()),
        Sample::with_bare("error/problem", trouble.full, trouble.bare),
        Sample::with_bare("error/file_problem", file.full, file.bare),
    ];
    all.into_iter().chain(crate::calendar::samples(&lease_view().full, &lease_view().bare)).collect()
}

fn page<T>(item: T) -> Page<T> {
    Page { items: vec![item], next: Some("41".to_owned()) }
}

fn last_page<T>(item: T) -> Page<T> {
    Page { items: vec![item], next: None }
}

fn submit_run() -> Pair<SubmitRun> {
    let full = SubmitRun {
        project: Some("nightly".to_owned()),
        xml: Some("<Root/>".to_owned()),
        temporary: true,
        only: vec!["test_login.py".to_owned()],
        ep: Some(ep()),
        sut: Some("router.user".to_owned()),
        timeout_millis: Some(3_600_000),
        wait_millis: Some(60_000),
        fields: texts([("build", "417")]),
        labels: texts([("site", "cluj")]),
        lease: Some(LeaseId(7)),
        idempotency_key: Some("pipeline-77".to_owned()),
    };
    Pair { full, bare: SubmitRun::default() }
}

fn lease_view() -> Pair<LeaseView> {
    let full = LeaseView {
        id: LeaseId(7),
        kind: LeaseKind::Resource,
        name: "/tb1/router1".to_owned(),
        state: LeaseState::Ended,
        holder: HolderKind::Person,
        user: Some(user()),
        run: Some(RunId(41)),
        resources: vec!["/tb1/router1".to_owned()],
        needs: Some("dut: kind=router".to_owned()),
        given: [("dut".to_owned(), vec!["/tb1/router1".to_owned()])].into(),
        shared: true,
        reason: "bug 1234".to_owned(),
        note: "port 3 is loose".to_owned(),
        context: [("build".to_owned(), "417".to_owned())].into(),
        guests: [user()].into(),
        priority: 5,
        asked: at(),
        begin: Some(at().plus_millis(1)),
        since: Some(at().plus_millis(2)),
        until: Some(at().plus_millis(3)),
        decide_by: Some(at().plus_millis(4)),
        place: Some(2),
        waits_for: Some("bob has it".to_owned()),
        unfit: Some("/tb1/router1 is dirty".to_owned()),
        console: Some(ConsoleId(3)),
        series: Some(crate::calendar::series()),
        maintenance: Some(crate::calendar::maintenance()),
        patience_millis: Some(15_000),
        ended: Some(LeaseEnd {
            at: at().plus_millis(5),
            how: LeaseEnded::Force,
            by: Some(user()),
            reason: "the rack moves".to_owned(),
        }),
    };
    let bare = LeaseView {
        user: None,
        run: None,
        resources: Vec::new(),
        needs: None,
        given: Default::default(),
        shared: false,
        reason: String::new(),
        note: String::new(),
        context: Default::default(),
        guests: Default::default(),
        priority: 0,
        begin: None,
        since: None,
        until: None,
        decide_by: None,
        place: None,
        waits_for: None,
        unfit: None,
        console: None,
        series: None,
        maintenance: None,
        patience_millis: None,
        ended: None,
        ..full.clone()
    };
    Pair { full, bare }
}

fn retention_view() -> Pair<RetentionView> {
    let full = RetentionView {
        age_millis: Some(7_776_000_000),
        runs_max: Some(1_000),
        bytes_max: Some(1 << 30),
        outbox_millis: Some(604_800_000),
        runs: 120,
        bytes: 512 << 20,
        kept: 3,
        going: vec![GoingRun {
            run: RunId(3),
            project: "nightly".to_owned(),
            user: user(),
            ended: at(),
            bytes: 5 << 20,
            reason: "retention.age: it ended 91 days ago".to_owned(),
        }],
        going_runs: 1,
        doubt: Some("the clock is 9 days ahead".to_owned()),
        last: Some(Look {
            at: at(),
            runs: 2,
            files: 7,
            file_bytes: 4_096,
            outbox: 1,
            error: Some("the disk is full".to_owned()),
        }),
    };
    let bare = RetentionView {
        age_millis: None,
        runs_max: None,
        bytes_max: None,
        outbox_millis: None,
        doubt: None,
        last: None,
        ..full.clone()
    };
    Pair { full, bare }
}

fn lease_forecast(full: bool) -> LeaseForecast {
    let paths = || vec!["/tb1/router1".to_owned()];
    LeaseForecast {
        free: true,
        at: full.then(at),
        resources: if full { paths() } else { Vec::new() },
        given: full.then(|| ("dut".to_owned(), paths())).into_iter().collect(),
        after: full.then(|| "bob has it".to_owned()),
    }
}

fn lease_request() -> LeaseRequest {
    LeaseRequest {
        resources: vec!["/tb1/router1".to_owned()],
        suts: vec!["core.system".to_owned()],
        needs: Some("dut: kind=router".to_owned()),
        shared: true,
        reason: "bug 1234".to_owned(),
        note: "port 3 is loose".to_owned(),
        context: [("build".to_owned(), "417".to_owned())].into(),
        begin: Some(at()),
        for_millis: Some(7_200_000),
        wait_millis: 1_800_000,
        offer_millis: Some(300_000),
        patience_millis: Some(15_000),
        priority: 5,
    }
}

fn waiting() -> Waiting {
    Waiting {
        what: "test_login.py (41.3)".to_owned(),
        waits_for: "EP-1002".to_owned(),
        wants: Some("EP-1002".to_owned()),
        blockers: vec![blocker(false)],
    }
}

fn blocker(full: bool) -> Blocker {
    Blocker {
        what: "EP-1002".to_owned(),
        how: Blocks::Holds,
        run: full.then_some(RunId(40)),
        project: full.then(|| "night".to_owned()),
        user: full.then(user),
        lease: full.then_some(LeaseId(7)),
        since: full.then(at),
        until: full.then(|| at().plus_millis(60_000)),
        reason: if full { "bug 1234".to_owned() } else { String::new() },
    }
}

fn run_summary() -> Pair<RunSummary> {
    let full = RunSummary {
        id: RunId(41),
        project: "nightly".to_owned(),
        user: user(),
        state: RunState::Completed,
        submitted: at(),
        started: Some(at().plus_millis(5)),
        ended: Some(at().plus_millis(60_000)),
        tests: 28,
        counts: counts(),
        temporary: true,
        kept: true,
        retry_of: Some(RunId(40)),
        waits: Some(waiting()),
    };
    let bare =
        RunSummary { started: None, ended: None, kept: false, retry_of: None, waits: None, ..full.clone() };
    Pair { full, bare }
}

fn test_row() -> Pair<TestRow> {
    let full = TestRow {
        test: TestIndex(17),
        id: "104#EP-1001".to_owned(),
        name: "test_login.py".to_owned(),
        file: "auth/test_login.py".to_owned(),
        suite: vec!["Access".to_owned(), "Telnet".to_owned()],
        state: TestState::Ended(Verdict::Skipped),
        waits_for: Some("test_up.py (41.3) to end".to_owned()),
        cause: Some(Cause::Lab),
        reason: "the device is not there".to_owned(),
        crashed: true,
        decided_by: Some(Box::new(DecidedBy::EpLost { ep: ep() })),
        attempt: Some(attempt()),
        ep: Some(ep()),
        started: Some(at()),
        elapsed_millis: 1_204,
        parts: vec![part().full],
        cleanups: vec![part().full],
    };
    let bare = TestRow {
        test: full.test,
        id: full.id.clone(),
        name: full.name.clone(),
        file: full.file.clone(),
        suite: full.suite.clone(),
        state: full.state,
        waits_for: None,
        cause: None,
        reason: String::new(),
        crashed: false,
        decided_by: None,
        attempt: None,
        ep: None,
        started: None,
        elapsed_millis: 0,
        parts: Vec::new(),
        cleanups: Vec::new(),
    };
    Pair { full, bare }
}

fn ep_row() -> Pair<EpRow> {
    let full = EpRow {
        name: ep(),
        state: EpState::Busy,
        host: host().full,
        software: "jackfield 0.1.0".to_owned(),
        labels: texts([("site", "cluj")]),
        capabilities: vec!["python".to_owned()],
        pool: Some(user()),
        notices: vec![notice()],
        last_seen: at(),
        lanes: 2,
        working: vec![attempt()],
        run: Some(RunId(41)),
    };
    let bare =
        EpRow { lanes: 0, host: host().bare, pool: None, notices: Vec::new(), run: None, ..full.clone() };
    Pair { full, bare }
}

fn resource() -> Resource {
    let properties = [
        ("host".to_owned(), json!("192.0.2.7")),
        ("ports".to_owned(), json!([{"name": "ge-0/0/1", "speed": 2.5}, true])),
        ("note".to_owned(), Value::Null),
    ];
    Resource {
        id: "0a1b2c3d4e".to_owned(),
        path: "/tb1/dev2".to_owned(),
        properties: properties.into(),
        children: vec!["1a2b3c4d5e".to_owned()],
        version: 8,
    }
}

fn resource_health(full: bool) -> ResourceHealth {
    ResourceHealth {
        id: "0c651e3670".to_owned(),
        resource: "/tb1/router1".to_owned(),
        health: HealthState::UnderCheck,
        since: full.then(at),
        reason: if full { "no answer".to_owned() } else { String::new() },
        by: full.then(user),
        run: full.then_some(RunId(41)),
        check: full.then(|| "check.xml".to_owned()),
        trouble: full.then(|| "no such project".to_owned()),
        spoiled: if full { 2 } else { 0 },
    }
}

fn judge_resource(full: bool) -> JudgeResource {
    JudgeResource {
        resource: "/tb1/router1".to_owned(),
        health: HealthState::OutOfService,
        reason: if full { "no answer".to_owned() } else { String::new() },
    }
}

fn device_use(full: bool) -> DeviceUse {
    DeviceUse {
        resource: "/tb1/router1".to_owned(),
        kind: UseKind::Session,
        user: user(),
        run: full.then_some(RunId(41)),
        name: full.then(|| "router".to_owned()),
        ep: full.then(ep),
        since: full.then(at),
    }
}
