//! A small run, and rows of it.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    attempt::AttemptEnd,
    event::{Fact, RunEvent, RunState},
    id::{AttemptId, RunId, SuiteIndex, TestIndex},
    link::Part,
    log::Stream,
    plan::{Place, PlannedSuite, PlannedTest, RunOptions, RunPlan},
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use jackfield_resource_allocator::{Edit as TreeEdit, ResourceId};
use jackfield_scheduler::effect::{AttemptRow, AttemptState, Pause, Row, RunRow};

use crate::store::{
    Batch,
    edit::{Edit, EditRow},
};

pub(crate) fn planned(index: u32) -> PlannedTest {
    PlannedTest::new(format!("id-{index}"), SuiteIndex(0), format!("tests/t{index}.py"))
}

pub(crate) fn suite(name: &str, parent: Option<u32>, tests: std::ops::Range<u32>) -> PlannedSuite {
    PlannedSuite {
        configs: Vec::new(),
        id: name.into(),
        origin: name.into(),
        name: name.into(),
        parent: parent.map(SuiteIndex),
        tests,
        place: Place::default(),
        sut: None,
        panic_detect: false,
        libraries: Vec::new(),
        user_defined: BTreeMap::new(),
        timeout_millis: None,
        depends: Vec::new(),
    }
}

pub(crate) fn plan(project: &str, tests: u32) -> Arc<RunPlan> {
    Arc::new(RunPlan {
        project: project.to_owned(),
        source: format!("projects/{project}.xml"),
        user: "ana".into(),
        options: RunOptions::default(),
        suites: vec![suite("Suite 1", None, 0..tests)],
        tests: (0..tests).map(planned).collect(),
        files: BTreeMap::new(),
        libraries: BTreeMap::new(),
        folders: Default::default(),
        panic_patterns: vec!["Kernel panic".to_owned()],
        profiles: [("site.toml".to_owned(), "name = \"site\"\nprompt = '> $'\n".to_owned())].into(),
        templates: None,
        private: Default::default(),
    })
}

pub(crate) fn run_row(run: RunId, state: RunState) -> RunRow {
    RunRow {
        run,
        state,
        submitted: Time(1_000),
        started: Some(Time(2_000)),
        ended: state.is_final().then_some(Time(9_000)),
        stopped: None,
        pauses: vec![Pause { from: Time(2_100), until: Some(Time(2_200)) }],
        pre: None,
        post: None,
        seq: 1,
    }
}

pub(crate) fn attempt(run: RunId, test: u32, number: u16, state: AttemptState) -> AttemptRow {
    AttemptRow {
        attempt: AttemptId { run, test: TestIndex(test), attempt: number },
        ep: (number > 0).then(|| "EP-1".into()),
        state,
        assigned: Time(2_000),
        started: None,
        wanted: None,
        end: None,
    }
}

/// An attempt that failed, with everything an attempt can have.
pub(crate) fn failed(run: RunId, test: u32) -> AttemptRow {
    let part = Part {
        name: "step 1".to_owned(),
        verdict: Verdict::Pass,
        reason: String::new(),
        elapsed_millis: 3,
        checks: Vec::new(),
    };
    AttemptRow {
        started: Some(Time(2_100)),
        end: Some(AttemptEnd {
            elapsed_millis: 345,
            outcome: Outcome::not_pass(
                Verdict::Fail,
                Cause::Product,
                DecidedBy::Declared,
                "no route to 10.0.0.1; \u{1F525} 'quoted' $1",
            ),
            exit_code: Some(1),
            parts: vec![part.clone()],
            cleanups: vec![part],
            variables: BTreeMap::from([("build".into(), "7.2".into())]),
            // A log that nothing is to come of.
            log_bytes: BTreeMap::from([(Stream::Ep, 0)]),
        }),
        ..attempt(run, test, 1, AttemptState::Ended)
    }
}

pub(crate) fn passed(run: RunId, test: u32) -> AttemptRow {
    let end = Some(AttemptEnd::of(Outcome::pass(DecidedBy::ExitStatus { status: 0 })));
    AttemptRow { end, ..attempt(run, test, 1, AttemptState::Ended) }
}

pub(crate) fn note(run: RunId, seq: u64) -> RunEvent {
    RunEvent { run, seq, at: Time(1_000), fact: Fact::Note { text: format!("note {seq}") } }
}

/// A new run in a state.
pub(crate) fn begun(run: RunId, plan: &Arc<RunPlan>, state: RunState) -> Batch {
    let rows = vec![Row::Plan { run, plan: Arc::clone(plan) }, Row::Run(run_row(run, state))];
    Batch { rows, events: vec![note(run, 1)], ..Batch::default() }
}

pub(crate) fn attempts(rows: impl IntoIterator<Item = AttemptRow>) -> Batch {
    Batch { rows: rows.into_iter().map(|row| Row::Attempt(Box::new(row))).collect(), ..Batch::default() }
}

/// An edit of ana's that set a property.
pub(crate) fn edit_row(version: u64, action: &str, value: &str) -> EditRow {
    let id = ResourceId::from_number(7);
    let merge = |value: serde_json::Value| TreeEdit::Merge {
        id: id.clone(),
        properties: [("note".to_owned(), value)].into(),
    };
    let undo = Some((merge(value.into()), merge(serde_json::Value::Null)));
    let edit = Edit { undo, steps: Vec::new(), count: 1 };
    EditRow { version, at: Time(9), who: "ana".to_owned(), action: action.to_owned(), undone: None, edit }
}
