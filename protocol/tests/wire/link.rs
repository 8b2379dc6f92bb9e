//! Both directions of the link.

use jackfield_protocol::{
    event::Hook,
    guard::{Guard, Latch, Raise},
    id::{Epoch, RunId},
    link::{
        Ask, Assignment, Call, CallResult, Ended, EngineToEp, EpToEngine, Held, HeldScript, HeldState, Hello,
        Report, RunContext, ScriptEnded, ScriptOrder, TestOrder, Welcome,
    },
    log::Stream,
    plan::{Library, LibraryKind, LibraryLayout, TestFolder},
    verdict::{Cause, Verdict, VerdictSet},
};
use serde_json::{Value, json};

use crate::{
    console, power,
    sample::{Family, Sample, variants},
    value::{
        Pair, at, attempt, awkward, end, ep, hash, host, interact, iteration, notice, outcome, problem,
        texts, user,
    },
};

variants!(EpToEngine {
    EpToEngine::Hello(_) => "hello",
    EpToEngine::Report { .. } => "report",
    EpToEngine::Returned { .. } => "returned",
    EpToEngine::Call { .. } => "call",
    EpToEngine::Ask { .. } => "ask",
    EpToEngine::Notices { .. } => "notices",
    EpToEngine::Sessions { .. } => "sessions",
    EpToEngine::Modules { .. } => "modules",
    EpToEngine::PowerDone { .. } => "power_done",
    EpToEngine::Heartbeat => "heartbeat",
    EpToEngine::Goodbye { .. } => "goodbye",
});

variants!(Report {
    Report::Started { .. } => "started",
    Report::Ended(_) => "ended",
    Report::ScriptEnded(_) => "script_ended",
});

variants!(Call {
    Call::GetResource { .. } => "get_resource",
    Call::SetResource { .. } => "set_resource",
    Call::RenameResource { .. } => "rename_resource",
    Call::DeleteResource { .. } => "delete_resource",
    Call::GetSut { .. } => "get_sut",
    Call::GetBinding { .. } => "get_binding",
    Call::GetGlobal { .. } => "get_global",
    Call::SetGlobal { .. } => "set_global",
});

variants!(Ask {
    Ask::Interact(_) => "interact",
    Ask::Breakpoint { .. } => "breakpoint",
});

variants!(EngineToEp {
    EngineToEp::Welcome(_) => "welcome",
    EngineToEp::Refused(_) => "refused",
    EngineToEp::OpenRun(_) => "open_run",
    EngineToEp::Assign(_) => "assign",
    EngineToEp::TakeBack { .. } => "take_back",
    EngineToEp::Stop { .. } => "stop",
    EngineToEp::RunScript(_) => "run_script",
    EngineToEp::StopScript { .. } => "stop_script",
    EngineToEp::CloseRun { .. } => "close_run",
    EngineToEp::Ack { .. } => "ack",
    EngineToEp::LogStored { .. } => "log_stored",
    EngineToEp::Answer { .. } => "answer",
    EngineToEp::AskSessions { .. } => "ask_sessions",
    EngineToEp::AskModules { .. } => "ask_modules",
    EngineToEp::OpenConsole(_) => "open_console",
    EngineToEp::Power(_) => "power",
    EngineToEp::Heartbeat => "heartbeat",
});

variants!(CallResult {
    CallResult::Ok(_) => "ok",
    CallResult::Error(_) => "error",
});

pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = ep_to_engine();
    samples.extend(reports());
    samples.extend(calls());
    samples.extend(asks());
    samples.extend(engine_to_ep());
    samples.extend(call_results());
    samples
}

fn ep_to_engine() -> Vec<Sample> {
    let Pair { full, bare } = ended();
    let report = |ended| EpToEngine::Report { seq: 12, report: Report::Ended(Box::new(ended)) };
    let Pair { full: asks, bare: asks_bare } = interact();
    let ask = |asks| EpToEngine::Ask { id: 5, attempt: attempt(), ask: Ask::Interact(asks) };
    let path = "Level_A/global1".to_owned();
    let call = EpToEngine::Call { id: 5, attempt: attempt(), call: Call::GetGlobal { path } };
    let modules = |missing| EpToEngine::Modules { id: 8, missing };
    let sessions = |session| EpToEngine::Sessions { id: 8, sessions: vec![session] };
    let Pair { full: hello, bare: hello_bare } = hello();
    Family::new("ep_to_engine")
        .both(EpToEngine::Hello(Box::new(hello)), EpToEngine::Hello(Box::new(hello_bare)))
        .both(report(full), report(bare))
        .one(EpToEngine::Returned { attempts: vec![attempt()] })
        .one(call)
        .both(ask(asks), ask(asks_bare))
        .one(EpToEngine::Notices { notices: vec![notice()] })
        .both(modules(Some(vec!["serial".into()])), modules(None))
        .both(sessions(console::session().full), sessions(console::session().bare))
        .both(power::done().full, power::done().bare)
        .one(EpToEngine::Heartbeat)
        .one(EpToEngine::Goodbye { reason: "SIGTERM".to_owned() })
        .whole()
}

fn hello() -> Pair<Hello> {
    let held = |state| Held { attempt: attempt(), state };
    let Pair { full: machine, bare: machine_bare } = host();
    let full = Hello {
        version_min: 1,
        version_max: 2,
        ep: ep(),
        instance: "5f0c2a".to_owned(),
        life: "9be1d0".to_owned(),
        token: "jf_ep_0123456789".into(),
        software: "jackfield 0.1.0".to_owned(),
        host: machine,
        labels: texts([("site", "cluj"), ("10g", "")]),
        capabilities: vec!["python".into(), "ssh".into()],
        lanes: 2,
        pool: Some(user()),
        runs: vec![RunId(41)],
        notices: vec![notice()],
        scripts: vec![HeldScript { run: RunId(41), hook: Hook::Post, ended: true }],
        held: [HeldState::Ended, HeldState::Running, HeldState::Queued].map(held).to_vec(),
        records_lost: true,
    };
    let bare = Hello {
        instance: String::new(),
        life: String::new(),
        host: machine_bare,
        labels: [].into(),
        capabilities: Vec::new(),
        pool: None,
        runs: Vec::new(),
        notices: Vec::new(),
        scripts: Vec::new(),
        held: Vec::new(),
        records_lost: false,
        ..full.clone()
    };
    Pair { full, bare }
}

fn ended() -> Pair<Ended> {
    let full = Ended {
        attempt: attempt(),
        at: at(),
        end: end().full,
        artifacts: [("session.cast".into(), hash(0xa1))].into(),
    };
    let bare = Ended { attempt: full.attempt, at: full.at, end: end().bare, artifacts: [].into() };
    Pair { full, bare }
}

fn script_ended() -> Pair<ScriptEnded> {
    let Pair { full: outcome, bare: outcome_bare } = outcome();
    let full = ScriptEnded {
        run: RunId(41),
        hook: Hook::Pre,
        at: at(),
        elapsed_millis: 1_204,
        outcome,
        exit_code: Some(1),
        output: awkward(),
    };
    let bare = ScriptEnded { outcome: outcome_bare, exit_code: None, output: String::new(), ..full.clone() };
    Pair { full, bare }
}

fn script_order() -> ScriptOrder {
    ScriptOrder {
        run: RunId(41),
        hook: Hook::Pre,
        project: "nightly".into(),
        user: user(),
        path: "hooks/pre.sh".into(),
        content: hash(0xc3),
        timeout_millis: 600_000,
        output_bytes: 65_536,
    }
}

fn reports() -> Vec<Sample> {
    let Pair { full: script, bare: script_bare } = script_ended();
    let Pair { full, bare } = ended();
    Family::new("report")
        .one(Report::Started { attempt: attempt(), at: at() })
        .both(Report::Ended(Box::new(full)), Report::Ended(Box::new(bare)))
        .both(Report::ScriptEnded(Box::new(script)), Report::ScriptEnded(Box::new(script_bare)))
        .whole()
}

fn calls() -> Vec<Sample> {
    let query = || "/tb1/dev2:ip".to_owned();
    let properties = [
        ("ip".to_owned(), json!("192.0.2.7")),
        ("ports".to_owned(), json!([1, 2.5, {"speed": "10g"}])),
        ("gone".to_owned(), Value::Null),
    ];
    Family::new("call")
        .both(
            Call::GetResource { query: query(), open: true },
            Call::GetResource { query: query(), open: false },
        )
        .one(Call::SetResource {
            name: "dev2".to_owned(),
            parent: "/tb1".to_owned(),
            properties: properties.into(),
        })
        .one(Call::RenameResource { query: query(), name: "address".to_owned() })
        .one(Call::DeleteResource { query: query() })
        .one(Call::GetSut { query: "/router.user/wan".to_owned(), follow_links: true })
        .one(Call::GetBinding { config: "tc_config".to_owned(), component: "comp".to_owned() })
        .one(Call::GetGlobal { path: "Level_A/global1".to_owned() })
        .one(Call::SetGlobal { path: "Level_A/global1".to_owned(), value: json!({"retries": 3}) })
        .whole()
}

fn asks() -> Vec<Sample> {
    let Pair { full, bare } = interact();
    Family::new("ask")
        .both(Ask::Interact(full), Ask::Interact(bare))
        .one(Ask::Breakpoint { locals: awkward() })
        .whole()
}

fn engine_to_ep() -> Vec<Sample> {
    let Pair { full: refused, bare: refused_bare } = problem();
    let Pair { full: open, bare: open_bare } = run_context();
    let Pair { full: assign, bare: assign_bare } = assignment();
    let Pair { full: ends_with, bare: ends_with_bare } = outcome();
    let stop = |outcome| EngineToEp::Stop { attempts: vec![attempt()], outcome };
    let Pair { full: error, bare: error_bare } = problem();
    let stop_script = |outcome| EngineToEp::StopScript { run: RunId(41), hook: Hook::Post, outcome };
    let Pair { full: script_with, bare: script_with_bare } = outcome();
    let answer = |problem| EngineToEp::Answer { id: 5, result: CallResult::Error(problem) };
    Family::new("engine_to_ep")
        .both(EngineToEp::Welcome(welcome().full), EngineToEp::Welcome(welcome().bare))
        .both(EngineToEp::Refused(refused), EngineToEp::Refused(refused_bare))
        .both(EngineToEp::OpenRun(Box::new(open)), EngineToEp::OpenRun(Box::new(open_bare)))
        .both(EngineToEp::Assign(Box::new(assign)), EngineToEp::Assign(Box::new(assign_bare)))
        .one(EngineToEp::TakeBack { attempts: vec![attempt()] })
        .both(stop(ends_with), stop(ends_with_bare))
        .one(EngineToEp::RunScript(Box::new(script_order())))
        .both(stop_script(script_with), stop_script(script_with_bare))
        .one(EngineToEp::CloseRun { run: RunId(41) })
        .one(EngineToEp::Ack { seq: 12 })
        .one(EngineToEp::LogStored { attempt: attempt(), stream: Stream::Cli, bytes: u64::MAX })
        .both(answer(error), answer(error_bare))
        .one(EngineToEp::AskSessions { id: 8 })
        .one(EngineToEp::AskModules { id: 8, modules: vec!["serial".into()] })
        .both(
            EngineToEp::OpenConsole(Box::new(console::order().full)),
            EngineToEp::OpenConsole(Box::new(console::order().bare)),
        )
        .one(EngineToEp::Power(Box::new(power::order())))
        .one(EngineToEp::Heartbeat)
        .whole()
}

fn call_results() -> Vec<Sample> {
    let Pair { full, bare } = problem();
    Family::new("call_result")
        .one(CallResult::Ok(json!({"path": "/tb1/dev2", "meta": {"ports": [1, 2.5, null]}})))
        .both(CallResult::Error(full), CallResult::Error(bare))
        .whole()
}

fn welcome() -> Pair<Welcome> {
    let full = Welcome {
        version: 1,
        epoch: Epoch(9),
        engine: "jackfield 0.1.0".to_owned(),
        heartbeat_millis: 5_000,
        silence_millis: 20_000,
        log_window_bytes: 8 << 20,
        acked_seq: 11,
        keep: vec![attempt()],
        life: "9be1d0".to_owned(),
        foreign: true,
        can: vec!["life".into()],
    };
    let bare = Welcome { life: String::new(), foreign: false, can: Vec::new(), ..full.clone() };
    Pair { full, bare }
}

fn run_context() -> Pair<RunContext> {
    let library = Library { kind: LibraryKind::Folder, files: [("net/ping.py".into(), hash(0xb2))].into() };
    let full = RunContext {
        run: RunId(41),
        project: "nightly".into(),
        user: user(),
        library_layout: LibraryLayout::Deep,
        libraries: [("net".into(), library)].into(),
        folders: [(
            "1a2b/auth".into(),
            TestFolder {
                files: [("test_login.py".into(), hash(0xc3))].into(),
                tests: [("auth/test_login.py".into(), "test_login.py".into())].into(),
            },
        )]
        .into(),
        panic_patterns: vec!["Kernel panic".to_owned()],
        profiles: [("site.toml".to_owned(), "name = \"site\"\nprompt = '> $'\n".to_owned())].into(),
        templates: Some(jackfield_protocol::id::BlobHash([7; 32])),
        tests_total: 120,
    };
    let bare = RunContext {
        folders: [].into(),
        panic_patterns: Vec::new(),
        profiles: std::collections::BTreeMap::new(),
        templates: None,
        ..full.clone()
    };
    Pair { full, bare }
}

fn assignment() -> Pair<Assignment> {
    let Pair { full: test, bare: test_bare } = test_order();
    let full = Assignment {
        attempt: attempt(),
        lane: 1,
        delay_millis: 2_000,
        timeout_millis: 600_000,
        guards: vec![Guard {
            unless: Latch(3),
            verdict: Verdict::NotExecuted,
            cause: Cause::Unfinished,
            reason: "the setup file of suite S1 did not pass".to_owned(),
        }],
        raises: vec![Raise { latch: Latch(4), when: VerdictSet::all_but(Verdict::Pass) }],
        test,
    };
    let bare = Assignment {
        delay_millis: 0,
        guards: Vec::new(),
        raises: Vec::new(),
        test: test_bare,
        ..full.clone()
    };
    Pair { full, bare }
}

fn test_order() -> Pair<TestOrder> {
    let full = TestOrder {
        id: "104#EP-1001".into(),
        name: "test_login.py".into(),
        file: "auth/test_login.py".into(),
        content: Some(hash(0xc3)),
        runnable: true,
        suite_id: "101#EP-1001".into(),
        suite_name: "Access".into(),
        suite_position: (2, 7),
        sut: Some("router.user".into()),
        needs: [("dut".into(), vec!["/tb1/router1".into()])].into(),
        params: vec!["127.0.0.1".into()],
        properties: texts([("Optional", "true")]),
        configs: vec![("tc_config".into(), hash(0xd4))],
        iteration: Some(iteration().full),
        libraries: vec!["net".into()],
        panic_detect: true,
    };
    let bare = TestOrder {
        content: None,
        sut: None,
        needs: [].into(),
        params: Vec::new(),
        properties: [].into(),
        configs: Vec::new(),
        iteration: None,
        libraries: Vec::new(),
        panic_detect: false,
        ..full.clone()
    };
    Pair { full, bare }
}
