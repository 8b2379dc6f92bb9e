//! A run with all its tests in brief, column by column: a page that shows a hundred thousand of them asks once, and
//! then follows events.
//!
//! Names, reasons and EPs repeat, so each stands once in `words`, and the columns hold their places.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    error::Problem,
    id::{RunId, TestIndex},
    plan::RunPlan,
    verdict::{Cause, TestState},
};
use jackfield_scheduler::effect::AttemptState;
use serde::Serialize;

use crate::{
    app::App,
    limits,
    store::{self, attempt::Brief},
};

/// The tests of a run in brief. Every column has one entry for each test from `first` on.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct Outline {
    /// The newest event that is in it; what comes after it may be in it too.
    seq: u64,
    /// The number of the first test.
    first: u32,
    /// Tests in the whole run.
    tests: u32,
    /// The numbers of the tests, where they do not follow one another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    test: Vec<u32>,
    /// The suites of the run, by number.
    suites: Vec<OutlineSuite>,
    /// What the columns `name`, `file`, `ep` and `reason` refer to.
    words: Vec<Arc<str>>,
    /// Names.
    name: Vec<u32>,
    /// Files.
    file: Vec<u32>,
    /// Suites, by number.
    suite: Vec<u32>,
    /// Where each stands.
    state: Vec<TestState>,
    /// The last attempt; 0 where none was sent to an EP.
    attempt: Vec<u32>,
    /// Where.
    ep: Vec<Option<u32>>,
    /// When each started, in milliseconds since 1970.
    started: Vec<Option<i64>>,
    /// How long each took, in milliseconds.
    elapsed: Vec<u64>,
    /// Who is to blame.
    cause: Vec<Option<Cause>>,
    /// Why, or what it waits for; cut at 300 characters.
    reason: Vec<Option<u32>>,
    /// Where the rest begins; none at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u32>,
}

/// A suite of the outline.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OutlineSuite {
    /// As people know it.
    name: Arc<str>,
    /// The number of the suite around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<u32>,
    /// The EP that it must run on.
    #[serde(skip_serializing_if = "Option::is_none")]
    ep: Option<String>,
    /// Its SUT.
    #[serde(skip_serializing_if = "Option::is_none")]
    sut: Option<String>,
}

/// The outline of a run from a test on; none for an unknown run.
///
/// # Errors
/// The store does not answer, or the engine is going down.
pub(crate) async fn outline(app: &App, run: RunId, from: u32) -> Result<Option<Outline>, Problem> {
    // The number first: what is committed in between is in the outline, and shown again by its event.
    let Some(row) = store::run::row(&mut app.store.read().await?, run).await? else { return Ok(None) };
    let Some(plan) = app.store.plan(run).await? else { return Ok(None) };
    let tests = u32::try_from(plan.tests.len()).unwrap_or(u32::MAX);
    let first = from.min(tests);
    let end = first.saturating_add(limits::OUTLINE_TESTS_MAX).min(tests);
    let briefs = store::attempt::briefs(&mut app.store.read().await?, run, first..end).await?;
    let waits = if row.state.is_final() { BTreeMap::new() } else { waiting(app, run).await? };
    let next = (end < tests).then_some(end);
    let mut writer = Writer {
        outline: Outline { seq: row.seq, first, tests, next, ..Outline::default() },
        ..Writer::default()
    };
    writer.outline.suites = suites(&plan);
    let mut briefs = briefs.into_iter().peekable();
    for test in (first..end).map(TestIndex) {
        writer.test(&plan, test, briefs.next_if(|brief| brief.test == test), waits.get(&test));
    }
    Ok(Some(writer.outline))
}

/// The outline of those tests of a run that has ended which need a look first; it is there long before all of it. None for
/// an unknown run, and no tests of one that has not ended.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn foremost(app: &App, run: RunId, count: u32) -> Result<Option<Outline>, Problem> {
    let Some(row) = store::run::row(&mut app.store.read().await?, run).await? else { return Ok(None) };
    let Some(plan) = app.store.plan(run).await? else { return Ok(None) };
    let tests = u32::try_from(plan.tests.len()).unwrap_or(u32::MAX);
    let mut writer =
        Writer { outline: Outline { seq: row.seq, tests, ..Outline::default() }, ..Writer::default() };
    writer.outline.suites = suites(&plan);
    if row.state.is_final() {
        let count = count.min(limits::OUTLINE_FOREMOST_MAX);
        for brief in store::attempt::foremost(&mut app.store.read().await?, run, count).await? {
            writer.outline.test.push(brief.test.0);
            writer.test(&plan, brief.test, Some(brief), None);
        }
    }
    Ok(Some(writer.outline))
}

/// What the tests that wait wait for.
async fn waiting(app: &App, run: RunId) -> Result<BTreeMap<TestIndex, String>, Problem> {
    app.engine
        .ask(move |scheduler| {
            let waits = scheduler.test_views(run).filter(|view| view.state == TestState::Waiting);
            waits.map(|view| (view.test, view.waits_for.unwrap_or_default())).collect()
        })
        .await
}

fn suites(plan: &RunPlan) -> Vec<OutlineSuite> {
    let suite = |suite: &jackfield_protocol::plan::PlannedSuite| OutlineSuite {
        name: Arc::clone(&suite.name),
        parent: suite.parent.map(|parent| parent.0),
        ep: suite.place.ep.as_ref().map(ToString::to_string),
        sut: suite.sut.as_ref().map(ToString::to_string),
    };
    plan.suites.iter().map(suite).collect()
}

/// An outline while it is written.
#[derive(Default)]
struct Writer {
    outline: Outline,
    places: BTreeMap<Arc<str>, u32>,
}

impl Writer {
    fn word(&mut self, word: &str) -> u32 {
        if let Some(place) = self.places.get(word) {
            return *place;
        }
        let (word, place): (Arc<str>, _) =
            (word.into(), u32::try_from(self.outline.words.len()).unwrap_or(u32::MAX));
        self.outline.words.push(Arc::clone(&word));
        self.places.insert(word, place);
        place
    }

    fn test(&mut self, plan: &RunPlan, index: TestIndex, brief: Option<Brief>, waits: Option<&String>) {
        let Some(test) = plan.test(index) else { return };
        let (name, file) = (self.word(&test.name), self.word(&test.file));
        let state = waits.map_or_else(|| state(brief.as_ref()), |_| TestState::Waiting);
        let outcome = brief.as_ref().and_then(|brief| brief.outcome.as_ref());
        let reason = waits.map(String::as_str).or(outcome.map(|outcome| outcome.reason.as_str()));
        let reason = reason.filter(|reason| !reason.is_empty()).map(|reason| self.word(&cut(reason)));
        let ep = brief.as_ref().and_then(|brief| brief.ep.as_deref()).map(|ep| self.word(ep));
        let outline = &mut self.outline;
        outline.name.push(name);
        outline.file.push(file);
        outline.suite.push(test.suite.0);
        outline.state.push(state);
        outline.attempt.push(brief.as_ref().map_or(0, |brief| brief.attempt));
        outline.ep.push(ep);
        outline.started.push(brief.as_ref().and_then(|brief| brief.started).map(|time| time.0));
        outline.elapsed.push(brief.as_ref().map_or(0, |brief| brief.elapsed_millis));
        outline.cause.push(outcome.and_then(|outcome| outcome.cause));
        outline.reason.push(reason);
    }
}

fn state(brief: Option<&Brief>) -> TestState {
    match brief.map(|brief| (&brief.outcome, brief.state)) {
        Some((Some(outcome), _)) => TestState::Ended(outcome.verdict),
        Some((None, AttemptState::Started)) => TestState::Working,
        Some((None, AttemptState::Assigned | AttemptState::Ended | AttemptState::Returned)) | None => {
            TestState::Pending
        }
    }
}

fn cut(reason: &str) -> String {
    match reason.char_indices().nth(limits::OUTLINE_REASON_CHARS_MAX) {
        Some((end, _)) => format!("{}…", reason.get(..end).unwrap_or_default()),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        let long = "é".repeat(limits::OUTLINE_REASON_CHARS_MAX + 1);
        assert_eq!(cut(&long), format!("{}…", "é".repeat(limits::OUTLINE_REASON_CHARS_MAX)));
    }
}
