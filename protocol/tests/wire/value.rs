//! Values that several messages carry, with everything set and with nothing set that need not be.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    attempt::AttemptEnd,
    error::{ErrorCode, FileProblem, Problem, Severity},
    event::{RunEvent, RunState},
    id::{AttemptId, BlobHash, EpName, RunId, TestIndex, UserName},
    link::{Check, Host, Interact, InteractKind, Notice, Part},
    log::Stream,
    plan::{Iteration, IterationSave, IteratorValue},
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use serde_json::json;

/// A value with everything set, and with nothing set that need not be.
pub(crate) struct Pair<T> {
    pub full: T,
    pub bare: T,
}

pub(crate) fn attempt() -> AttemptId {
    AttemptId { run: RunId(41), test: TestIndex(17), attempt: 1 }
}

pub(crate) fn at() -> Time {
    Time(1_795_219_980_123)
}

pub(crate) fn ep() -> EpName {
    "EP-1001".into()
}

pub(crate) fn user() -> UserName {
    "ana".into()
}

pub(crate) fn hash(byte: u8) -> BlobHash {
    BlobHash([byte; 32])
}

pub(crate) fn texts<K: From<&'static str> + Ord>(
    pairs: impl IntoIterator<Item = (&'static str, &'static str)>,
) -> BTreeMap<K, K> {
    pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}

/// Quotes, line ends, a control byte and letters of other alphabets, as devices and people write them.
pub(crate) fn awkward() -> String {
    "Router>\u{7} \"übung\" \\ 路由器\r\n".to_owned()
}

pub(crate) fn counts() -> BTreeMap<Verdict, u32> {
    (1..).zip(Verdict::ALL).map(|(count, verdict)| (verdict, count)).collect()
}

pub(crate) fn outcome() -> Pair<Outcome> {
    Pair {
        full: Outcome {
            verdict: Verdict::Fail,
            cause: Some(Cause::Product),
            reason: awkward(),
            crashed: true,
            decided_by: Some(Box::new(DecidedBy::Tests {
                format: "JUnit".to_owned(),
                file: Some("r.xml".to_owned()),
                counts: [(Verdict::Fail, 2), (Verdict::Pass, 3)].into(),
            })),
        },
        bare: Outcome {
            verdict: Verdict::Fail,
            cause: None,
            reason: String::new(),
            crashed: false,
            decided_by: None,
        },
    }
}

pub(crate) fn end() -> Pair<AttemptEnd> {
    let Pair { full: outcome, bare: outcome_bare } = outcome();
    let full = AttemptEnd {
        elapsed_millis: 1_204,
        outcome,
        exit_code: Some(-11),
        parts: vec![part().full, part().bare],
        cleanups: vec![part().full],
        variables: texts([("build", "17.4R2")]),
        log_bytes: (1..).zip(Stream::ALL).map(|(bytes, stream)| (stream, bytes * 1_000)).collect(),
    };
    let bare = AttemptEnd { elapsed_millis: 1_204, ..AttemptEnd::of(outcome_bare) };
    Pair { full, bare }
}

pub(crate) fn part() -> Pair<Part> {
    let part = |reason: &str, elapsed_millis, checks| Part {
        name: "test_login[admin]".to_owned(),
        verdict: Verdict::Skipped,
        reason: reason.to_owned(),
        elapsed_millis,
        checks,
    };
    Pair { full: part("no such user", 12, vec![check().full, check().bare]), bare: part("", 0, Vec::new()) }
}

fn check() -> Pair<Check> {
    let check = |unit: &str, limits| Check {
        name: "cpu load".to_owned(),
        value: "95".to_owned(),
        unit: unit.to_owned(),
        limits,
        verdict: Verdict::Fail,
    };
    let limits = BTreeMap::from([("at_most".to_owned(), "80".to_owned())]);
    Pair { full: check("%", limits), bare: check("", BTreeMap::new()) }
}

pub(crate) fn host() -> Pair<Host> {
    let host = |python: &str| Host {
        name: "bench1".to_owned(),
        ip: "192.0.2.7".to_owned(),
        os: "Debian 12".to_owned(),
        python: python.to_owned(),
    };
    Pair { full: host("3.11.2"), bare: host("") }
}

pub(crate) fn iteration() -> Pair<Iteration> {
    let values = vec![IteratorValue {
        config: "tc_config".into(),
        component: "comp".into(),
        name: "iterator_1".into(),
        value: "3".into(),
    }];
    let text: Arc<str> = "tc_config#comp#iterator_1=3".into();
    Pair {
        full: Iteration {
            group: 2,
            text: text.clone(),
            values: values.clone(),
            stop_on_fail: true,
            save: IterationSave::Failed,
        },
        bare: Iteration { group: 2, text, values, stop_on_fail: false, save: IterationSave::All },
    }
}

pub(crate) fn interact() -> Pair<Interact> {
    let interact = |options: &[&str], default| Interact {
        kind: InteractKind::Options,
        message: "Which port blinks?".to_owned(),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
        default,
        timeout_millis: 60_000,
    };
    Pair {
        full: interact(&["ge-0/0/1", "ge-0/0/2"], json!("ge-0/0/1")),
        bare: interact(&[], serde_json::Value::Null),
    }
}

pub(crate) fn file_problem() -> Pair<FileProblem> {
    let problem = |help: &str| FileProblem {
        severity: Severity::Error,
        file: "projects/first.xml".to_owned(),
        line: 7,
        column: 16,
        message: "<Timeout> is `10 fortnights`".to_owned(),
        help: help.to_owned(),
    };
    Pair { full: problem("write a time such as 90, 90s, 5m or 2h"), bare: problem("") }
}

pub(crate) fn problem() -> Pair<Problem> {
    let plain = Problem::new(ErrorCode::BadFile, "the project has 1 error");
    Pair {
        full: Problem {
            code: plain.code,
            status: plain.status,
            title: plain.title.clone(),
            field: Some("xml".to_owned()),
            problems: vec![file_problem().full],
            cause: None,
        },
        bare: plain,
    }
}

pub(crate) fn ended_event() -> RunEvent {
    RunEvent {
        run: RunId(41),
        seq: 17,
        at: at(),
        fact: jackfield_protocol::event::Fact::Ended { state: RunState::Completed, counts: counts() },
    }
}

pub(crate) fn notice() -> Notice {
    let text = "cannot write its reports: no space left on device".to_owned();
    Notice { code: "report_spool".into(), text, since: at() }
}
