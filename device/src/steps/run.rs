//! The run of a step test.

use std::{collections::BTreeMap, future::Future, time::Duration};

use jackfield_config::steps::{Action, Step, StepTest, secret::has_secret_word};
use jackfield_protocol::{
    link::{Check, Part},
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use super::{Failure, StepEnvironment, StepReport, asked::Asked, variables::Variables};
use tokio::sync::OwnedMutexGuard;

use crate::{
    clock::Deadline,
    record::redact::Redactor,
    session::{Session, SessionSettings, SharedSession},
    textfsm::Table,
};

/// Parts of a report; steps beyond them run, and are counted in one last part.
const PARTS_MAX: usize = 10_000;

pub(super) async fn run<E: StepEnvironment>(
    test: &StepTest,
    settings: &SessionSettings,
    environment: &mut E,
    stop: impl Future<Output = ()> + Send,
    cleanup: Duration,
) -> StepReport {
    let mut runner = Runner::new(test, settings, environment);
    runner.hide_secrets().await;
    let mut parts = Parts::default();
    runner.log(&format!("# {}", test.title));
    let stopped = tokio::select! {
        () = runner.steps(&test.steps, "", &mut parts) => false,
        () = stop => true,
    };
    if (stopped || parts.failure.is_some()) && !test.cleanup.is_empty() {
        // Nobody knows where a failed step left its dialogue: the clean-up logs in anew.
        runner.close().await;
    }
    let cleanups = runner.clean_up(cleanup).await;
    runner.close().await;
    let outcome = outcome(stopped, &parts, &cleanups);
    let mut variables = runner.variables.into_inner();
    variables.values_mut().for_each(|value| *value = runner.secrets.text(value));
    StepReport { outcome, parts: parts.list, cleanups: cleanups.list, variables }
}

/// The clean-up of a test that somebody else began and left.
pub(super) async fn clean_up<E: StepEnvironment>(
    test: &StepTest,
    settings: &SessionSettings,
    environment: &mut E,
    learned: &BTreeMap<String, String>,
    limit: Duration,
) -> Vec<Part> {
    let mut runner = Runner::new(test, settings, environment);
    for (name, value) in learned {
        runner.variables.set(name, value.clone());
    }
    runner.hide_secrets().await;
    let cleanups = runner.clean_up(limit).await;
    runner.close().await;
    cleanups.list
}

/// What steps send as secrets, also those that will not be reached.
fn secret_texts(steps: &[Step]) -> Vec<&str> {
    let mut texts = Vec::new();
    let mut left: Vec<&Step> = steps.iter().collect();
    while let Some(step) = left.pop() {
        if let Action::Send { text, secret: true, .. } = &step.action {
            texts.push(text.as_str());
        } else if let Action::Command(command) = &step.action {
            let secrets =
                command.answers.iter().filter(|answer| answer.secret || has_secret_word(&answer.asks));
            texts.extend(secrets.map(|answer| answer.answer.as_str()));
        } else if let Action::Repeat { steps, .. } = &step.action {
            left.extend(steps);
        }
    }
    texts
}

/// What failed first counts, and a stop before all.
fn outcome(stopped: bool, steps: &Parts, cleanup: &Parts) -> Outcome {
    if stopped {
        // Whoever stops it knows why, and says so instead.
        return Outcome::not_pass(
            Verdict::Aborted,
            Cause::Person,
            DecidedBy::Step { name: String::new() },
            "stopped",
        );
    }
    match (&steps.failure, &cleanup.failure) {
        (None, None) => Outcome::pass(DecidedBy::Step { name: String::new() }),
        (Some(failure), _) => {
            let by = DecidedBy::Step { name: steps.failed.clone() };
            Outcome::not_pass(failure.verdict(), failure.cause, by, failure.reason.clone())
        }
        (None, Some(failure)) => {
            let by = DecidedBy::Step { name: format!("clean-up: {}", cleanup.failed) };
            let reason = format!("clean-up: {}", failure.reason);
            Outcome::not_pass(failure.verdict(), failure.cause, by, reason)
        }
    }
}

/// The steps so far.
#[derive(Default)]
struct Parts {
    list: Vec<Part>,
    failure: Option<Failure>,
    /// The step that failed first.
    failed: String,
    /// No further step is executed.
    ended: bool,
    untold: u64,
}

impl Parts {
    /// A step failed; the first that does decides.
    fn fail(&mut self, step: &str, failure: Failure) {
        if self.failure.is_none() {
            self.failed = step.to_owned();
            self.failure = Some(failure);
        }
    }

    fn add(&mut self, part: Part) {
        if self.list.len() < PARTS_MAX {
            self.list.push(part);
            return;
        }
        self.untold = self.untold.saturating_add(1);
        if let Some(last) = self.list.last_mut() {
            last.name = format!("{} more steps", self.untold);
            if part.verdict != Verdict::Pass {
                last.verdict = part.verdict;
                last.reason = part.reason;
            }
        }
    }
}

pub(super) struct Runner<'t, E> {
    pub(super) test: &'t StepTest,
    pub(super) settings: &'t SessionSettings,
    pub(super) environment: &'t mut E,
    pub(super) variables: Variables,
    pub(super) sessions: BTreeMap<String, SharedSession>,
    /// What the devices asked for last.
    pub(super) asked: BTreeMap<String, Asked>,
    /// What the step at hand is called, without secrets.
    pub(super) shown: String,
    /// The session of the step at hand, while it talks.
    pub(super) turn: Option<OwnedMutexGuard<Option<Session>>>,
    /// What must not be seen in the log or a reason.
    pub(super) secrets: Redactor,
    /// What the last step that talks to a device brought.
    pub(super) output: String,
    /// The table that the last template made of an output.
    pub(super) table: Table,
    /// What the checks of the step at hand looked at.
    pub(super) checks: Vec<Check>,
}

impl<'t, E: StepEnvironment> Runner<'t, E> {
    fn new(test: &'t StepTest, settings: &'t SessionSettings, environment: &'t mut E) -> Self {
        Self {
            test,
            settings,
            environment,
            variables: Variables::new(&test.variables),
            sessions: BTreeMap::new(),
            asked: BTreeMap::new(),
            shown: String::new(),
            turn: None,
            secrets: Redactor::default(),
            output: String::new(),
            table: Table::default(),
            checks: Vec::new(),
        }
    }

    async fn hide_secrets(&mut self) {
        let test = self.test;
        for text in secret_texts(&test.steps).into_iter().chain(secret_texts(&test.cleanup)) {
            self.hide(text).await;
        }
    }

    /// Sets a variable, and has it remembered for a clean-up that another may have to do.
    pub(super) fn set(&mut self, name: &str, value: String) {
        if !self.test.cleanup.is_empty() && self.secrets.text(&value) == value {
            self.environment.learned(name, &value);
        }
        self.variables.set(name, value);
    }

    async fn steps(&mut self, steps: &[Step], prefix: &str, parts: &mut Parts) {
        for step in steps {
            // A name is for people: a variable that is not there shows when the step itself needs it.
            let own = self.fill(&step.name).await.unwrap_or_else(|_| step.name.clone());
            let name = format!("{prefix}{own}");
            if parts.ended {
                let (verdict, reason) = (Verdict::NotExecuted, "an earlier step failed".to_owned());
                let name = self.secrets.text(&name);
                parts.add(Part { name, verdict, reason, elapsed_millis: 0, checks: Vec::new() });
            } else if let Action::Repeat { times, steps } = &step.action {
                for index in 1..=*times {
                    self.set("index", index.to_string());
                    Box::pin(self.steps(steps, &format!("{name} #{index}: "), parts)).await;
                    if parts.ended {
                        break;
                    }
                }
            } else {
                self.one(step, name, parts).await;
            }
        }
    }

    /// Each step is tried, whatever became of the one before it, until the time for all of them is over.
    async fn clean_up(&mut self, limit: Duration) -> Parts {
        let mut parts = Parts::default();
        let test = self.test;
        let clock = Deadline::after(limit);
        let mut over = false;
        for step in &test.cleanup {
            if over {
                self.out_of_time(step, limit, None, &mut parts);
                continue;
            }
            parts.ended = false;
            let begun = clock.elapsed();
            let work = self.steps(std::slice::from_ref(step), "", &mut parts);
            if tokio::time::timeout(clock.left(), work).await.is_err() {
                over = true;
                let elapsed = clock.elapsed().saturating_sub(begun);
                self.out_of_time(step, limit, Some(elapsed), &mut parts);
            }
        }
        parts
    }

    /// A step of the clean-up was left after so long, or never begun.
    fn out_of_time(&mut self, step: &Step, limit: Duration, elapsed: Option<Duration>, parts: &mut Parts) {
        let name = self.secrets.text(&step.name);
        let reason = format!("the time limit of the clean-up ({limit:?}) has passed");
        self.log(&format!("{name}: {reason}"));
        parts.fail(&name, Failure::lab(format!("{name}: {reason}")));
        let verdict = elapsed.map_or(Verdict::NotExecuted, |_| Verdict::Timeout);
        let elapsed_millis = u64::try_from(elapsed.unwrap_or_default().as_millis()).unwrap_or(u64::MAX);
        parts.add(Part { name, verdict, reason, elapsed_millis, checks: Vec::new() });
    }

    async fn one(&mut self, step: &Step, name: String, parts: &mut Parts) {
        let name = self.hide_secret(step, name).await;
        let shown = format!("## {} (line {})", self.shown, step.line);
        self.log(&shown);
        let span = step.timeout.unwrap_or(self.test.timeout);
        self.take_turn(step).await;
        let clock = Deadline::after(span);
        self.checks.clear();
        let result = self.act(step, clock).await;
        self.turn = None;
        let elapsed_millis = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (verdict, reason) = match result {
            Ok(()) => (Verdict::Pass, String::new()),
            Err(failure) => {
                let verdict = failure.verdict();
                let reason = self.secrets.text(&failure.reason);
                self.log(&format!("{verdict}: {reason}"));
                parts.ended = !step.go_on;
                let name = self.secrets.text(&name);
                let told = Failure { cause: failure.cause, reason: format!("{name}: {reason}") };
                parts.fail(&name, told);
                (verdict, reason)
            }
        };
        let checks = self.kept_checks();
        parts.add(Part { name: self.secrets.text(&name), verdict, reason, elapsed_millis, checks });
    }

    /// Hides a text and the variables in it, as far as they are known yet.
    async fn hide(&mut self, text: &str) {
        let variables = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
        let parts = variables.map(|(name, _)| format!("${{{name}}}"));
        for part in parts.chain([text.to_owned()]) {
            if let Ok(text) = self.fill(&part).await {
                self.secrets.add(&[text]);
            }
        }
    }

    /// Sees that what a step sends as a secret, or after the device asked for one, is seen in no log, no report and no recording. The answer is
    /// the step's name without it.
    async fn hide_secret(&mut self, step: &Step, name: String) -> String {
        self.shown.clone_from(&step.name);
        let Action::Send { text, secret, .. } = &step.action else {
            self.shown = self.secrets.text(&step.name);
            return name;
        };
        if !*secret && !self.is_asked_for_secret(step) {
            self.shown = self.secrets.text(&step.name);
            return name;
        }
        // A variable that is not there shows when the step itself needs it.
        self.hide(text).await;
        let text = self.fill(text).await.unwrap_or_else(|_| text.clone());
        // The shortest are not struck out everywhere, but are no part of a name.
        let told = format!("send `{text}`");
        self.shown = self.secrets.text(&step.name.replace(&told, "send a secret"));
        name.replace(&told, "send a secret")
    }

    /// What the step looked at, without secrets.
    fn kept_checks(&mut self) -> Vec<Check> {
        let mut checks = std::mem::take(&mut self.checks);
        for check in &mut checks {
            check.value = self.secrets.text(&check.value);
            check.limits.values_mut().for_each(|limit| *limit = self.secrets.text(limit));
        }
        checks
    }

    pub(super) async fn fill(&mut self, text: &str) -> Result<String, Failure> {
        self.variables.fill(text, self.environment).await
    }

    pub(super) async fn fill_pattern(&mut self, pattern: &str) -> Result<String, Failure> {
        self.variables.fill_pattern(pattern, self.environment).await
    }

    pub(super) fn log(&mut self, line: &str) {
        self.environment.log(&self.secrets.text(line));
    }

    async fn close(&mut self) {
        self.turn = None;
        for (name, shared) in std::mem::take(&mut self.sessions) {
            self.environment.closing(&name);
            if let Some(mut session) = shared.lock().await.take() {
                session.close().await;
            }
        }
    }
}
