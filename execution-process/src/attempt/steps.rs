//! A step test: a device tested by data, run in the EP itself.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_config::steps::StepTest;
use jackfield_device::{
    record::Tap,
    steps::{self, StepEnvironment, StepReport},
};
use jackfield_protocol::{
    link::{Assignment, Call},
    log::Stream,
    resource::Resource,
    verdict::{Cause, Outcome, Verdict},
};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::{Attempt, Exit, Run, prepare::Ready};
use crate::{event::Event, sessions::Sessions};

/// The parameters of a step test are `$1`, `$2` … in it, as in a shell.
const FIRST_PARAM: usize = 1;

/// What a step test finds around it.
struct Around {
    order: Arc<Assignment>,
    events: mpsc::UnboundedSender<Event>,
    sessions: Sessions,
    lines: mpsc::UnboundedSender<String>,
}

impl StepEnvironment for Around {
    async fn resource(&mut self, path: &str) -> Result<BTreeMap<String, Value>, String> {
        let found = self.ask(Call::GetResource { query: path.to_owned() }).await?;
        let node: Resource = serde_json::from_value(found).map_err(|error| {
            format!("`{path}` is no resource that can be opened; name a node, not one property: {error}")
        })?;
        Ok(node.properties)
    }

    async fn variable(&mut self, name: &str) -> Option<String> {
        let test = &self.order.test;
        let iterated = test.iteration.as_ref().and_then(|iteration| {
            iteration
                .values
                .iter()
                .find(|value| value.name.as_ref() == name)
                .map(|value| value.value.to_string())
        });
        let param = || {
            let index = name.parse::<usize>().ok()?.checked_sub(FIRST_PARAM)?;
            test.params.get(index).map(ToString::to_string)
        };
        let property = || test.properties.get(name).map(ToString::to_string);
        if let Some(value) = iterated.or_else(param).or_else(property) {
            return Some(value);
        }
        match self.ask(Call::GetGlobal { path: name.to_owned() }).await.ok()? {
            Value::Null | Value::Object(_) => None,
            Value::String(text) => Some(text),
            plain @ (Value::Bool(_) | Value::Number(_) | Value::Array(_)) => Some(plain.to_string()),
        }
    }

    fn log(&mut self, line: &str) {
        // The receiver lives as long as the test.
        let _ = self.lines.send(format!("{}\n", line.trim_end_matches('\n')));
    }

    fn taps(&mut self, session: &str, _title: &str, secrets: &[String]) -> Vec<Box<dyn Tap>> {
        self.sessions.private_recording(self.order.attempt, session, secrets)
    }
}

impl Around {
    async fn ask(&self, call: Call) -> Result<Value, String> {
        let (answer, answered) = oneshot::channel();
        let _ = self.events.send(Event::Call { attempt: self.order.attempt, call, answer });
        let answered = answered.await.map_err(|gone| format!("the test has ended: {gone}"))?;
        answered.map_err(|problem| problem.to_string())
    }
}

impl Attempt {
    pub(super) async fn run_steps(&mut self, ready: &Ready, run: &mut Run) {
        let test = match read(ready, &self.order.test.file) {
            Ok(test) => test,
            Err(outcome) => {
                run.log.say(&outcome.reason);
                run.forced = Some(outcome);
                return;
            }
        };
        self.tell_started(None);
        let (lines, mut said) = mpsc::unbounded_channel();
        let sessions = self.station.sessions.clone();
        let (order, events) = (Arc::clone(&self.order), self.events.clone());
        let mut around = Around { order, events, sessions: sessions.clone(), lines };
        let report = {
            let settings = sessions.settings(self.order.attempt.run);
            let steps = steps::run(&test, &settings, &mut around);
            tokio::pin!(steps);
            let limit = tokio::time::sleep(std::time::Duration::from_millis(self.order.timeout_millis));
            tokio::pin!(limit);
            loop {
                tokio::select! {
                    biased;
                    Ok(()) = self.end.changed() => if let Some(outcome) = self.ended_from_outside(run) {
                        run.forced = Some(outcome);
                        break None;
                    },
                    () = &mut limit => {
                        run.forced = Some(self.too_long(run));
                        break None;
                    }
                    () = run.log.flush(), if !run.log.is_clear() => {}
                    Some(line) = said.recv(), if run.log.is_clear() => run.log.write(Stream::Cli, line.as_bytes()),
                    report = &mut steps => break Some(report),
                }
            }
        };
        while let Ok(line) = said.try_recv() {
            run.log.write(Stream::Cli, line.as_bytes());
        }
        run.exit = Exit::None;
        if let Some(report) = report {
            take_report(report, run);
        }
    }
}

fn take_report(report: StepReport, run: &mut Run) {
    let StepReport { outcome, parts, cleanups, variables } = report;
    run.story.result = Some(outcome);
    run.story.parts.extend(parts);
    run.cleanups.extend(cleanups);
    run.story.variables.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
}

fn read(ready: &Ready, name: &str) -> Result<StepTest, Outcome> {
    let invalid = |reason| Outcome::not_pass(Verdict::Invalid, Cause::Test, reason);
    let text = std::fs::read_to_string(&ready.file).map_err(|error| invalid(format!("`{name}`: {error}")))?;
    StepTest::parse(name, &text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        invalid(lines.join("\n"))
    })
}
