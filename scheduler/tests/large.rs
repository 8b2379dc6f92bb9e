//! The cost of an event grows neither with the size of its run nor with what has ended: a run of many tests is
//! submitted, played and stopped within a bound that any quadratic step would break.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use jackfield_protocol::{
    attempt::AttemptEnd,
    id::{AttemptId, BlobHash, EpName, Epoch, RunId, SuiteIndex, TestIndex},
    link::{Ended, EngineToEp},
    plan::{Dependency, Place, PlannedSuite, PlannedTest, Role, RunOptions, RunPlan},
    time::Time,
    verdict::{DecidedBy, Outcome, Verdict, VerdictSet},
};
use jackfield_scheduler::{Effects, Event, Limits, Restored, Scheduler, event::EpOffer};

const EP: &str = "ep";
const RUN: RunId = RunId(1);

/// Suites of ten tests, all on one EP; every tenth test depends on the one before.
fn plan(tests: u32) -> RunPlan {
    let suite = |index: u32| PlannedSuite {
        configs: Vec::new(),
        id: format!("s{index}").into(),
        origin: "s".into(),
        name: format!("S{index}").into(),
        parent: None,
        tests: index * 10..index * 10 + 10,
        place: Place { ep: Some(EP.into()), labels: BTreeMap::new(), needs: None },
        sut: None,
        panic_detect: false,
        libraries: Vec::new(),
        user_defined: BTreeMap::new(),
        timeout_millis: None,
        depends: Vec::new(),
    };
    let test = |index: u32| PlannedTest {
        origin: "t".into(),
        role: if index.is_multiple_of(10) { Role::Setup } else { Role::Test },
        depends: if index % 10 == 9 { vec![after(index - 1)] } else { Vec::new() },
        ..PlannedTest::new(format!("t{index}"), SuiteIndex(index / 10), "/t.py")
    };
    RunPlan {
        project: "large".to_owned(),
        source: "large.xml".to_owned(),
        user: "ana".into(),
        options: RunOptions::default(),
        suites: (0..tests / 10).map(suite).collect(),
        tests: (0..tests).map(test).collect(),
        files: BTreeMap::from([("/t.py".into(), BlobHash([1; 32]))]),
        libraries: BTreeMap::new(),
        folders: Default::default(),
        panic_patterns: Vec::new(),
        profiles: Default::default(),
        templates: None,
        private: Default::default(),
    }
}

fn after(test: u32) -> Dependency {
    let demand = VerdictSet([Verdict::Pass].into());
    Dependency { tests: vec![TestIndex(test)], demand, text: "t:pass".into() }
}

fn assigned(effects: &Effects) -> impl Iterator<Item = AttemptId> {
    effects.send.iter().filter_map(|sent| {
        let EngineToEp::Assign(assignment) = &sent.message else { return None };
        Some(assignment.attempt)
    })
}

fn ended(attempt: AttemptId) -> Box<Ended> {
    Box::new(Ended {
        attempt,
        at: Time(2),
        end: AttemptEnd {
            elapsed_millis: 1,
            exit_code: Some(0),
            ..AttemptEnd::of(Outcome::pass(DecidedBy::Declared))
        },
        artifacts: BTreeMap::new(),
    })
}

fn start(tests: u32) -> (Scheduler, Effects) {
    let mut scheduler =
        Scheduler::restore(Time(0), Restored { limits: Limits::default(), ..Restored::default() });
    let offer = EpOffer { lanes: 1, ..EpOffer::default() };
    let (ep, epoch) = (EpName::from(EP), Epoch(1));
    scheduler.handle(
        Time(1),
        Event::EpConnected {
            ep,
            epoch,
            offer,
            held: Vec::new(),
            runs: Vec::new(),
            scripts: Vec::new(),
            records_lost: false,
        },
    );
    let effects = scheduler.handle(Time(1), Event::RunSubmitted { run: RUN, plan: Arc::new(plan(tests)) });
    (scheduler, effects)
}

const TESTS: u32 = 100_000;

#[test]
fn a_large_run_is_played() {
    let (mut scheduler, effects) = start(TESTS);
    let mut held: VecDeque<_> = assigned(&effects).collect();
    let (ep, epoch) = (EpName::from(EP), Epoch(1));
    let mut played = 0;
    while let Some(attempt) = held.pop_front() {
        let started = Event::AttemptStarted { ep: ep.clone(), epoch, attempt, at: Time(1) };
        held.extend(assigned(&scheduler.handle(Time(2), started)));
        let event = Event::AttemptEnded { ep: ep.clone(), epoch, ended: ended(attempt) };
        held.extend(assigned(&scheduler.handle(Time(2), event)));
        played += 1;
    }
    assert_eq!(played, TESTS);
    assert!(scheduler.run_view(RUN).is_none());
}

#[test]
fn a_large_run_is_stopped_at_once() {
    let (mut scheduler, _) = start(TESTS);
    let stop = Event::RunStopped { run: RUN, by: "ana".into(), reason: String::new(), at_once: false };
    let effects = scheduler.handle(Time(2), stop);
    assert!(effects.publish.len() < 5, "{} events", effects.publish.len());
    assert_eq!(scheduler.run_view(RUN).map(|view| view.counts.values().sum()), Some(TESTS - 64));
}
