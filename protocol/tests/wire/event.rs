//! Every fact, as the event that carries it.

use jackfield_protocol::{
    event::{Fact, Hook, RunEvent, RunState, TestEnded},
    id::{RunId, SuiteIndex, TestIndex},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    sample::{Family, Sample, Variants, variants},
    value::{Pair, at, attempt, awkward, counts, end, ep, interact, notice, outcome, user},
};

variants!(Fact {
    Fact::Submitted { .. } => "submitted",
    Fact::Started => "started",
    Fact::Placed { .. } => "placed",
    Fact::PartWaits { .. } => "part_waits",
    Fact::TestWaits { .. } => "test_waits",
    Fact::TestStarted { .. } => "test_started",
    Fact::TestEnded(_) => "test_ended",
    Fact::TestsEnded { .. } => "tests_ended",
    Fact::TestsQueued { .. } => "tests_queued",
    Fact::EpSilent { .. } => "ep_silent",
    Fact::EpReturned { .. } => "ep_returned",
    Fact::EpLost { .. } => "ep_lost",
    Fact::EpNotice { .. } => "ep_notice",
    Fact::Asked { .. } => "asked",
    Fact::Answered { .. } => "answered",
    Fact::Paused { .. } => "paused",
    Fact::Resumed { .. } => "resumed",
    Fact::Stopping { .. } => "stopping",
    Fact::HookEnded { .. } => "hook_ended",
    Fact::Note { .. } => "note",
    Fact::Ended { .. } => "ended",
});

/// An event, named by its fact.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Event(RunEvent);

impl Variants for Event {
    const NAMES: &'static [&'static str] = Fact::NAMES;
    fn name(&self) -> &'static str {
        self.0.fact.name()
    }
}

fn event(fact: Fact) -> Event {
    Event(RunEvent { run: RunId(41), seq: 17, at: at(), fact })
}

pub(crate) fn samples() -> Vec<Sample> {
    let family = about_tests(about_places(Family::new("run_event")));
    about_people(family)
        .one(event(Fact::Submitted { by: user(), project: "nightly".to_owned(), tests: 120 }))
        .one(event(Fact::Started))
        .one(event(Fact::Note { text: awkward() }))
        .one(event(Fact::Ended { state: RunState::Completed, counts: counts() }))
        .whole()
}

fn about_places(family: Family<Event>) -> Family<Event> {
    let suites = || vec![SuiteIndex(0), SuiteIndex(3)];
    let waits_for = || "EP-1002, which is not connected".to_owned();
    family
        .one(event(Fact::Placed { suites: suites(), ep: ep() }))
        .one(event(Fact::PartWaits { suites: suites(), waits_for: waits_for() }))
        .one(event(Fact::EpSilent { ep: ep(), until: at() }))
        .one(event(Fact::EpReturned { ep: ep() }))
        .one(event(Fact::EpLost { ep: ep() }))
        .both(
            event(Fact::EpNotice { ep: ep(), notice: notice(), over: true }),
            event(Fact::EpNotice { ep: ep(), notice: notice(), over: false }),
        )
}

fn about_tests(family: Family<Event>) -> Family<Event> {
    let waits_for = || "test_login.py (41.3) to end".to_owned();
    let tests = || vec![TestIndex(17), TestIndex(18)];
    let Pair { full, bare } = outcome();
    let many = |outcome| event(Fact::TestsEnded { tests: vec![(0, 3), (9, 10)], outcome });
    let Pair { full: ended, bare: ended_bare } = test_ended();
    family
        .one(event(Fact::TestWaits { test: TestIndex(17), waits_for: waits_for() }))
        .one(event(Fact::TestStarted { attempt: attempt(), ep: ep(), started: at() }))
        .both(event(Fact::TestEnded(Box::new(ended))), event(Fact::TestEnded(Box::new(ended_bare))))
        .both(many(full), many(bare))
        .one(event(Fact::TestsQueued { suite: SuiteIndex(3), tests: tests(), by: user() }))
}

fn about_people(family: Family<Event>) -> Family<Event> {
    let Pair { full: asks, bare: asks_bare } = interact();
    let asked = |interact| event(Fact::Asked { attempt: attempt(), question: 2, interact });
    let answered = |by| event(Fact::Answered { question: 2, by, answer: json!("ge-0/0/1") });
    let stopping = |by, at_once| event(Fact::Stopping { by, reason: "stopped by ana".to_owned(), at_once });
    let Pair { full, bare } = outcome();
    let hook = |outcome| event(Fact::HookEnded { hook: Hook::Pre, outcome, output: awkward() });
    family
        .both(asked(asks), asked(asks_bare))
        .both(answered(Some(user())), answered(None))
        .one(event(Fact::Paused { by: user() }))
        .one(event(Fact::Resumed { by: user() }))
        .both(stopping(Some(user()), true), stopping(None, false))
        .both(hook(full), hook(bare))
}

fn test_ended() -> Pair<TestEnded> {
    let full = TestEnded {
        test: TestIndex(17),
        attempt: Some(attempt()),
        ep: Some(ep()),
        started: Some(at()),
        end: end().full,
    };
    let bare = TestEnded { test: full.test, attempt: None, ep: None, started: None, end: end().bare };
    Pair { full, bare }
}
