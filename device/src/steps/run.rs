//! The run of a step test.

use std::{collections::BTreeMap, future::Future};

use jackfield_config::steps::{Action, Awaited, Check, Relation, Step, StepTest};
use jackfield_protocol::{
    link::Part,
    verdict::{Cause, Outcome, Verdict},
};

use super::{Failure, StepEnvironment, StepReport, check, variables::Variables};
use crate::{
    clock::Deadline,
    expect::Patterns,
    profile::search,
    record::redact::Redactor,
    session::{Session, SessionError, SessionSettings},
};

/// Parts of a report; steps beyond them run, and are counted in one last part.
const PARTS_MAX: usize = 10_000;

pub(super) async fn run<E: StepEnvironment>(
    test: &StepTest,
    settings: &SessionSettings,
    environment: &mut E,
    stop: impl Future<Output = ()> + Send,
) -> StepReport {
    let mut runner = Runner {
        test,
        settings,
        environment,
        variables: Variables::new(&test.variables),
        sessions: BTreeMap::new(),
        secrets: Redactor::default(),
        output: String::new(),
    };
    let (mut parts, mut cleanups) = (Parts::default(), Parts::default());
    runner.log(&format!("# {}", test.title));
    let stopped = tokio::select! {
        () = runner.steps(&test.steps, "", &mut parts) => false,
        () = stop => true,
    };
    if (stopped || parts.failure.is_some()) && !test.cleanup.is_empty() {
        // Nobody knows where a failed step left its dialogue: the clean-up logs in anew.
        runner.close().await;
    }
    for step in &test.cleanup {
        // Each is tried, whatever became of the one before it.
        cleanups.ended = false;
        runner.steps(std::slice::from_ref(step), "", &mut cleanups).await;
    }
    runner.close().await;
    let outcome = outcome(stopped, parts.failure, cleanups.failure);
    let variables = runner.variables.into_inner();
    StepReport { outcome, parts: parts.list, cleanups: cleanups.list, variables }
}

/// What failed first counts, and a stop before all.
fn outcome(stopped: bool, failure: Option<Failure>, cleanup: Option<Failure>) -> Outcome {
    if stopped {
        return Outcome::not_pass(Verdict::Aborted, Cause::Person, "stopped");
    }
    let cleanup =
        cleanup.map(|failure| Failure { reason: format!("clean-up: {}", failure.reason), ..failure });
    match failure.or(cleanup) {
        None => Outcome::pass(),
        Some(failure) => Outcome::not_pass(failure.verdict(), failure.cause, failure.reason),
    }
}

/// The steps so far.
#[derive(Default)]
struct Parts {
    list: Vec<Part>,
    failure: Option<Failure>,
    /// No further step is executed.
    ended: bool,
    untold: u64,
}

impl Parts {
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
    pub(super) sessions: BTreeMap<String, Session>,
    /// What must not be seen in the log or a reason.
    pub(super) secrets: Redactor,
    /// What the last step that talks to a device brought.
    output: String,
}

impl<E: StepEnvironment> Runner<'_, E> {
    async fn steps(&mut self, steps: &[Step], prefix: &str, parts: &mut Parts) {
        for step in steps {
            // A name is for people: a variable that is not there shows when the step itself needs it.
            let own = self.fill(&step.name).await.unwrap_or_else(|_| step.name.clone());
            let name = format!("{prefix}{own}");
            if parts.ended {
                let (verdict, reason) = (Verdict::NotExecuted, "an earlier step failed".to_owned());
                parts.add(Part { name, verdict, reason, elapsed_millis: 0 });
            } else if let Action::Repeat { times, steps } = &step.action {
                for index in 1..=*times {
                    self.variables.set("index", index.to_string());
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

    async fn one(&mut self, step: &Step, name: String, parts: &mut Parts) {
        self.log(&format!("## {} (line {})", step.name, step.line));
        let span = step.timeout.unwrap_or(self.test.timeout);
        let clock = Deadline::after(span);
        let result = self.act(step, clock).await;
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
                parts.failure.get_or_insert(told);
                (verdict, reason)
            }
        };
        parts.add(Part { name: self.secrets.text(&name), verdict, reason, elapsed_millis });
    }

    async fn act(&mut self, step: &Step, clock: Deadline) -> Result<(), Failure> {
        match &step.action {
            Action::Send { text, enter } => {
                let text = self.fill(text).await?;
                let session = self.session(step).await?;
                session.send(&text, *enter, clock.span()).await.map_err(blame)?;
            }
            Action::Expect { patterns } => self.expect(step, patterns, clock).await?,
            Action::Command { command, allow_error } => {
                self.command(step, command, *allow_error, clock).await?
            }
            Action::Config { lines } => self.config(step, lines, clock).await?,
            Action::WaitUntil { command, every } => {
                return self.wait_until(step, command, *every, clock).await;
            }
            Action::Pause { span } => tokio::time::sleep(*span).await,
            Action::Set { values } => {
                for (name, value) in values {
                    let value = self.fill(value).await?;
                    self.variables.set(name, value);
                }
            }
            // A repeat is taken apart before it comes here; a look has no action.
            Action::Look | Action::Repeat { .. } => {}
        }
        self.judge(step).await
    }

    /// Captures and checks of a step, on the output there is.
    async fn judge(&mut self, step: &Step) -> Result<(), Failure> {
        for pattern in &step.captures {
            let pattern = self.fill_pattern(pattern).await?;
            self.capture(&pattern)?;
        }
        for check in &step.checks {
            self.check(check).await?;
        }
        Ok(())
    }

    fn capture(&mut self, pattern: &str) -> Result<(), Failure> {
        let regex = search(pattern).map_err(|error| Failure::test(error.to_string()))?;
        let mut captures = regex.create_captures();
        regex.captures(self.output.as_bytes(), &mut captures);
        if !captures.is_match() {
            let shown = check::excerpt(&self.output);
            return Err(Failure::product(format!("`{pattern}` is not in the output; it is: {shown}")));
        }
        let names = regex.group_info().pattern_names(regex_automata::PatternID::ZERO);
        for (span, name) in captures.iter().zip(names) {
            if let (Some(span), Some(name)) = (span, name) {
                let value = self.output.as_bytes().get(span.range()).unwrap_or_default();
                let value = String::from_utf8_lossy(value).into_owned();
                self.log(&format!("{name} = {value}"));
                self.variables.set(name, value);
            }
        }
        Ok(())
    }

    async fn check(&mut self, check: &Check) -> Result<(), Failure> {
        let limit = match check.relation {
            Relation::Matches | Relation::NotMatches => self.fill_pattern(&check.limit).await?,
            Relation::Contains
            | Relation::NotContains
            | Relation::Equals
            | Relation::NotEquals
            | Relation::Above
            | Relation::Below
            | Relation::AtLeast
            | Relation::AtMost => self.fill(&check.limit).await?,
        };
        match &check.value {
            Some(shown) => {
                let value = self.fill(shown).await?;
                check::hold(check.relation, &value, &limit, Some(shown))
            }
            None => check::hold(check.relation, &self.output, &limit, None),
        }
    }

    async fn expect(&mut self, step: &Step, awaited: &[Awaited], clock: Deadline) -> Result<(), Failure> {
        let mut filled = Vec::new();
        for one in awaited {
            filled.push(match one {
                Awaited::Pattern(text) => Awaited::Pattern(self.fill_pattern(text).await?),
                Awaited::Exact(text) => Awaited::Exact(self.fill(text).await?),
            });
        }
        let patterns = Patterns::new(&filled).map_err(|error| Failure::test(error.to_string()))?;
        let session = self.session(step).await?;
        let seen = session.expect(&patterns, clock.span()).await.map_err(blame)?;
        self.output = String::from_utf8_lossy(&[seen.before, seen.text].concat()).replace("\r\n", "\n");
        for (name, value) in seen.named {
            self.variables.set(&name, String::from_utf8_lossy(&value).into_owned());
        }
        Ok(())
    }

    async fn command(
        &mut self,
        step: &Step,
        command: &str,
        allow_error: bool,
        clock: Deadline,
    ) -> Result<(), Failure> {
        let command = self.fill(command).await?;
        let session = self.session(step).await?;
        let output = session.command(&command, clock.span()).await.map_err(blame)?;
        let refusal = session.refusal(&output).filter(|_| !allow_error);
        self.show(&command, output);
        match refusal {
            Some(answer) => Err(Failure::product(format!("the device refused `{command}`: {answer}"))),
            None => Ok(()),
        }
    }

    async fn config(&mut self, step: &Step, lines: &[String], clock: Deadline) -> Result<(), Failure> {
        let mut filled = Vec::new();
        for line in lines {
            filled.push(self.fill(line).await?);
        }
        let session = self.session(step).await?;
        let output = session.config(&filled, clock.span()).await.map_err(blame)?;
        self.show(&filled.join("\n"), output);
        Ok(())
    }

    fn show(&mut self, command: &str, output: String) {
        self.log(&format!("> {command}\n{output}"));
        self.output = output;
    }

    /// Repeats a command until its checks hold; the last reason is the one that counts.
    async fn wait_until(
        &mut self,
        step: &Step,
        command: &str,
        every: std::time::Duration,
        clock: Deadline,
    ) -> Result<(), Failure> {
        let mut tries = 0_u64;
        loop {
            tries = tries.saturating_add(1);
            let one_try = Deadline::after(clock.left().max(every));
            let result = match self.command(step, command, true, one_try).await {
                Ok(()) => self.judge(step).await,
                Err(failure) => return Err(failure),
            };
            let Err(failure) = result else { return Ok(()) };
            if failure.verdict() == Verdict::Invalid {
                return Err(failure);
            }
            if clock.left() <= every {
                let reason = format!("after {:.1?} and {tries} tries: {}", clock.elapsed(), failure.reason);
                return Err(Failure { cause: failure.cause, reason });
            }
            tokio::time::sleep(every).await;
        }
    }

    pub(super) async fn fill(&mut self, text: &str) -> Result<String, Failure> {
        self.variables.fill(text, self.environment).await
    }

    async fn fill_pattern(&mut self, pattern: &str) -> Result<String, Failure> {
        self.variables.fill_pattern(pattern, self.environment).await
    }

    pub(super) fn log(&mut self, line: &str) {
        self.environment.log(&self.secrets.text(line));
    }

    async fn close(&mut self) {
        for session in self.sessions.values_mut() {
            session.close().await;
        }
        self.sessions.clear();
    }
}

/// Who is to blame for what a session did not do.
pub(super) fn blame(error: SessionError) -> Failure {
    let reason = error.to_string();
    if error.is_lab() {
        Failure::lab(reason)
    } else if error.is_test() {
        Failure::test(reason)
    } else {
        Failure::product(reason)
    }
}
