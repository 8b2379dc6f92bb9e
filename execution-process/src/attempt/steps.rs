//! A step test: a device tested by data, run in the EP itself.
//!
//! However it is ended, its clean-up follows, with a time limit of its own; also while the engine is away. What the
//! test has learned of the lab so far is remembered for that.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jackfield_config::steps::StepTest;
use jackfield_device::{
    limits::OPEN_TIMEOUT,
    record::Tap,
    session::{SessionSettings, SharedSession},
    steps::{self, StepEnvironment, StepReport},
    textfsm::Templates,
};
use jackfield_protocol::{
    link::{Assignment, Call, Part},
    log::Stream,
    secret::Secret,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::{Attempt, Exit, Run, Said, prepare::Ready};
use crate::{
    account::{Account, Staged},
    event::{End, Event},
    library::is_inside,
    limits::STAGED_BYTES_MAX,
    sessions::{Sessions, free},
    templates::TemplateShelf,
};

/// The parameters of a step test are `$1`, `$2` … in it, as in a shell.
const FIRST_PARAM: usize = 1;

/// What a step test finds around it.
struct Around {
    order: Arc<Assignment>,
    events: mpsc::UnboundedSender<Event>,
    sessions: Sessions,
    templates: TemplateShelf,
    lines: mpsc::UnboundedSender<String>,
    /// The folder of the attempt.
    work: PathBuf,
    /// Where files are instead, and with whose rights others are read, where tests run as another user.
    confined: Option<Confined>,
    /// Resources as they were when they were first asked for.
    resources: BTreeMap<String, BTreeMap<String, Value>>,
    /// The ids of those that were opened.
    ids: BTreeMap<String, String>,
    /// Global parameters, likewise.
    globals: BTreeMap<String, Option<String>>,
    /// Files that are kept with the test.
    kept: Vec<Said>,
}

/// The resource that was given for a need: `dut`, or `phone.2` for the second of several.
fn given(needs: &BTreeMap<Arc<str>, Vec<Arc<str>>>, name: &str) -> Option<String> {
    let (need, number) = match needs.get(name) {
        Some(_) => (name, FIRST_PARAM),
        None => name.rsplit_once('.').and_then(|(need, number)| Some((need, number.parse().ok()?)))?,
    };
    needs.get(need)?.get(number.checked_sub(FIRST_PARAM)?).map(ToString::to_string)
}

impl StepEnvironment for Around {
    async fn resource(&mut self, path: &str) -> Result<BTreeMap<String, Value>, String> {
        if let Some(known) = self.resources.get(path) {
            return Ok(known.clone());
        }
        let attempt = self.order.attempt;
        let node = free::device(&self.events, attempt, path, OPEN_TIMEOUT).await;
        let node = node.map_err(|problem| problem.to_string())?;
        self.ids.insert(path.to_owned(), node.id);
        self.resources.insert(path.to_owned(), node.properties.clone());
        Ok(node.properties)
    }

    async fn properties(&mut self, path: &str) -> Result<BTreeMap<String, Value>, String> {
        if let Some(known) = self.resources.get(path) {
            return Ok(known.clone());
        }
        let found = self.ask(Call::GetResource { query: path.to_owned(), open: false }).await?;
        // Not kept: whoever opens it later must be told that another has it.
        let node = free::node(path, found).map_err(|problem| problem.to_string())?;
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
        let need = || given(&test.needs, name.strip_prefix("need.")?);
        if let Some(value) = iterated.or_else(param).or_else(property).or_else(need) {
            return Some(value);
        }
        if let Some(known) = self.globals.get(name) {
            return known.clone();
        }
        let value = match self.ask(Call::GetGlobal { path: name.to_owned() }).await.ok()? {
            Value::Null | Value::Object(_) => None,
            Value::String(text) => Some(text),
            plain @ (Value::Bool(_) | Value::Number(_) | Value::Array(_)) => Some(plain.to_string()),
        };
        self.globals.insert(name.to_owned(), value.clone());
        value
    }

    async fn templates(&mut self) -> Result<Arc<Templates>, String> {
        let found = self.templates.of_run(self.order.attempt.run).await;
        found.map_err(|problem| problem.to_string())
    }

    fn place(&mut self, name: &str) -> Result<PathBuf, String> {
        let Some(confined) = &self.confined else { return Ok(self.work.join(name)) };
        if !is_inside(Path::new(name)) {
            let told =
                "a step test writes into its own folder only, where tests run as another user than their EP";
            return Err(format!("`{name}` leads elsewhere: {told}"));
        }
        Ok(confined.folder.path().with_file_name(name))
    }

    async fn source(&mut self, name: &str) -> Result<PathBuf, String> {
        let Some(confined) = &mut self.confined else { return Ok(self.work.join(name)) };
        if is_inside(Path::new(name)) {
            return Ok(confined.folder.path().with_file_name(name));
        }
        let taken = confined.account.fetch(Path::new(name), STAGED_BYTES_MAX, &confined.staging).await;
        let taken = taken.map_err(|error| error.to_string())?;
        let path = taken.path().to_owned();
        confined.taken.push(taken);
        Ok(path)
    }

    fn keep(&mut self, file: &Path) {
        let name = file.file_name().map_or_else(|| "answer".into(), |name| name.to_string_lossy().into());
        self.kept.push(Said::Artifact { name, path: file.to_owned() });
    }

    fn log(&mut self, line: &str) {
        // The receiver lives as long as the test.
        let _ = self.lines.send(format!("{}\n", line.trim_end_matches('\n')));
    }

    fn learned(&mut self, name: &str, value: &str) {
        let (attempt, name, value) = (self.order.attempt, name.to_owned(), value.to_owned());
        let _ = self.events.send(Event::StepLearned { attempt, name, value });
    }

    fn taps(&mut self, session: &str, title: &str, secrets: &[Secret]) -> Vec<Box<dyn Tap>> {
        let resource = self.ids.get(title).cloned();
        self.sessions.private_taps(self.order.attempt, session, resource, secrets)
    }

    fn opened(&mut self, session: &str, shared: &SharedSession) {
        self.sessions.share(self.order.attempt, session, shared);
    }

    fn closing(&mut self, session: &str) {
        self.sessions.closing(self.order.attempt, session);
    }
}

/// A step test runs in the EP itself: its files stand apart from those of the user that its lane has, who could put links among them.
struct Confined {
    account: Arc<Account>,
    staging: PathBuf,
    /// Its own folder, around this file.
    folder: Arc<Staged>,
    /// What was read elsewhere, with that user's rights.
    taken: Vec<Staged>,
}

impl Around {
    async fn ask(&self, call: Call) -> Result<Value, String> {
        let (answer, answered) = oneshot::channel();
        let _ =
            self.events.send(Event::Question { attempt: self.order.attempt, question: call.into(), answer });
        let answered = answered.await.map_err(|gone| format!("the test has ended: {gone}"))?;
        answered.map_err(|problem| problem.to_string())
    }
}

impl Attempt {
    fn around(&self, ready: &Ready, lines: mpsc::UnboundedSender<String>) -> Around {
        let confined =
            ready.tenant.as_ref().zip(ready.steps_folder.as_ref()).map(|(tenant, folder)| Confined {
                account: Arc::clone(&tenant.account),
                staging: self.station.staging(),
                folder: Arc::clone(folder),
                taken: Vec::new(),
            });
        Around {
            order: Arc::clone(&self.order),
            events: self.events.clone(),
            sessions: self.station.sessions.clone(),
            templates: self.station.templates.clone(),
            lines,
            work: ready.work.clone(),
            confined,
            resources: BTreeMap::new(),
            ids: BTreeMap::new(),
            globals: BTreeMap::new(),
            kept: Vec::new(),
        }
    }

    /// The clean-up of a step test that an earlier life of this EP left; an error is a sentence. Its log ended with that life: recordings
    /// show what is said to the devices.
    pub(super) async fn clean_up_steps(
        &mut self,
        ready: &Ready,
        learned: &BTreeMap<String, String>,
    ) -> Result<Vec<Part>, String> {
        let test = read(ready, &self.order.test.file).map_err(|outcome| outcome.reason)?;
        let (lines, _unread) = mpsc::unbounded_channel();
        let mut around = self.around(ready, lines);
        let settings = self.session_settings();
        let limit = Duration::from_millis(self.station.settings.limits.cleanup_millis);
        let mut end = self.end.clone();
        tokio::select! {
            biased;
            _ = end.wait_for(|end| *end != End::Itself) => Err("somebody ended it".to_owned()),
            parts = steps::clean_up(&test, &settings, &mut around, learned, limit) => Ok(parts),
        }
    }

    /// What holds for the sessions of this test.
    fn session_settings(&self) -> SessionSettings {
        let account = self.station.account(self.order.lane);
        let mut settings = self.station.sessions.settings(self.order.attempt.run, account.map(AsRef::as_ref));
        // Switches are the lab's, whichever test has them thrown.
        settings.switches = self.station.programs();
        settings
    }

    pub(super) async fn run_steps(&mut self, ready: &Ready, run: &mut Run) {
        let test = match read(ready, &self.order.test.file) {
            Ok(test) => test,
            Err(outcome) => {
                run.log.say(&outcome.reason);
                run.forced = Some(outcome);
                return;
            }
        };
        self.begin().await;
        self.tell_started(None);
        if !test.cleanup.is_empty() {
            let _ = self.events.send(Event::StepsBegun { attempt: self.order.attempt });
        }
        let (lines, mut said) = mpsc::unbounded_channel();
        let mut around = self.around(ready, lines);
        let (stop, stopped) = oneshot::channel::<()>();
        let mut stop = Some(stop);
        let report = {
            let settings = self.session_settings();
            let cleanup = Duration::from_millis(self.station.settings.limits.cleanup_millis);
            // The sender lives as long as the steps do.
            let stopped = async move { drop(stopped.await) };
            let steps = steps::run_until(&test, &settings, &mut around, stopped, cleanup);
            tokio::pin!(steps);
            let mut limit = self.limit();
            loop {
                // Closed when the steps have ended by themselves and only the clean-up is left.
                let runs = stop.as_ref().is_some_and(|stop| !stop.is_closed());
                let mut end_now = None;
                tokio::select! {
                    biased;
                    Ok(()) = self.end.changed() => end_now = self.ended_from_outside(run),
                    limited = limit.next(), if runs => end_now = self.limited(limited, run),
                    () = run.log.flush(), if !run.log.is_clear() => {}
                    Some(line) = said.recv(), if run.log.is_clear() => run.log.write(Stream::Cli, line.as_bytes()),
                    report = &mut steps => break report,
                }
                // What is cleaning up already has its verdict.
                if let Some(outcome) = end_now.filter(|_| runs)
                    && let Some(stop) = stop.take()
                {
                    run.forced = Some(outcome);
                    let _ = stop.send(());
                }
            }
        };
        while let Ok(line) = said.try_recv() {
            run.log.write(Stream::Cli, line.as_bytes());
        }
        for said in around.kept {
            if let Err(refused) = run.story.take(said) {
                run.log.say(&refused);
            }
        }
        run.exit = Exit::None;
        take_report(report, run);
    }
}

fn take_report(report: StepReport, run: &mut Run) {
    let StepReport { outcome, parts, cleanups, variables } = report;
    run.story.result = Some(outcome);
    run.story.parts.extend(parts);
    for part in cleanups.iter().filter(|part| part.verdict != Verdict::Pass) {
        run.log.say(&format!("clean-up `{}` ended {}: {}", part.name, part.verdict, part.reason));
    }
    run.cleanups.extend(cleanups);
    run.story.variables.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
}

fn read(ready: &Ready, name: &str) -> Result<StepTest, Outcome> {
    let invalid = |reason| Outcome::not_pass(Verdict::Invalid, Cause::Test, DecidedBy::File, reason);
    let text = std::fs::read_to_string(&ready.file).map_err(|error| invalid(format!("`{name}`: {error}")))?;
    StepTest::parse(name, &text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        invalid(lines.join("\n"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_for_a_need_is_known_by_its_name_and_its_number() {
        let needs =
            [("dut", vec!["/tb1/r1"]), ("phone", vec!["/tb1/ph1", "/tb1/ph2"]), ("core.1", vec!["/c1"])];
        let needs = needs.map(|(name, paths)| (Arc::from(name), paths.into_iter().map(Arc::from).collect()));
        let needs = BTreeMap::from(needs);
        for (name, wanted) in [
            ("dut", Some("/tb1/r1")),
            ("phone", Some("/tb1/ph1")),
            ("phone.2", Some("/tb1/ph2")),
            ("core.1", Some("/c1")),
            ("core.1.1", Some("/c1")),
            ("phone.3", None),
            ("phone.0", None),
            ("phone.x", None),
            ("nobody", None),
        ] {
            assert_eq!(given(&needs, name).as_deref(), wanted, "{name}");
        }
    }
}
