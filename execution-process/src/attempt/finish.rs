//! After the process of a test: clean-ups, files to keep, and the verdict.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_config::ep::RunnerKind;
use jackfield_protocol::{
    id::BlobHash,
    link::Ended,
    log::Stream,
    verdict::{Cause, Outcome, Verdict},
};

use super::{Attempt, Exit, Finish, Run, prepare::Ready, story};
use crate::{
    blobs::PutError,
    cleanup::{self, Surroundings},
    clock,
    runner::{Plan, junit},
};

impl Attempt {
    /// Runs what the test registered, whatever its end was.
    pub(super) async fn clean_up(&mut self, ready: &Ready, run: &mut Run) {
        self.hear(run);
        if run.story.cleanups.is_empty() {
            return;
        }
        let marks = [self.station.mark(), format!("JACKFIELD_ATTEMPT={}", self.order.attempt)];
        let around = Surroundings {
            environment: &ready.environment,
            folder: &ready.work,
            limit_millis: self.station.settings.limits().cleanup_millis,
            marks: &[&marks[0], &marks[1]],
        };
        let cleanups = std::mem::take(&mut run.story.cleanups);
        let (parts, output) = cleanup::run_all(&cleanups, around).await;
        run.log.write(Stream::Ep, &output);
        for part in parts {
            if part.verdict != Verdict::Pass {
                run.log.say(&format!("clean-up `{}` ended {}: {}", part.name, part.verdict, part.reason));
            }
            run.cleanups.push(part);
        }
    }

    /// Everything that is known of the attempt, as its last report.
    pub(super) async fn ended(&mut self, mut run: Run, ready: Option<&Ready>) -> Finish {
        self.hear(&mut run);
        let outcome = self.outcome(&mut run, ready).await;
        let artifacts =
            if run.unwanted { BTreeMap::new() } else { self.keep_artifacts(&mut run, ready).await };
        run.log.flush().await;
        let exit_code = match (&run.forced, &run.exit) {
            (None, Exit::Code(code)) => Some(*code),
            _ => None,
        };
        Finish::Ended(Box::new(Ended {
            attempt: self.order.attempt,
            at: clock::wall(),
            elapsed_millis: run.elapsed_millis,
            outcome,
            exit_code,
            parts: run.story.parts,
            cleanups: run.cleanups,
            variables: run.story.variables,
            log_bytes: run.log.lengths().clone(),
            artifacts,
        }))
    }

    /// The verdict, and with it the parts a tool told in its file.
    async fn outcome(&self, run: &mut Run, ready: Option<&Ready>) -> Outcome {
        let cases = match ready.map(|ready| (&ready.plan, &ready.work)) {
            Some((Plan::Program { results: Some(results), .. }, work)) => {
                let path = work.join(&results.file);
                let read = tokio::task::spawn_blocking(move || junit::read_file(&path)).await;
                let read = read.map_err(|error| error.to_string()).and_then(|read| read);
                match no_results(results.tool, &read, &run.exit) {
                    Some(outcome) if run.forced.is_none() && run.story.result.is_none() => {
                        run.forced = Some(outcome);
                    }
                    _ => {}
                }
                read.ok().flatten()
            }
            _ => None,
        };
        let outcome = match run.forced.clone() {
            Some(outcome) => outcome,
            None => {
                let said = story::judge(&run.story, cases.as_ref(), &run.exit);
                run.story.failed_check().filter(|_| said.verdict == Verdict::Pass).unwrap_or(said)
            }
        };
        run.story.parts.extend(cases.into_iter().flat_map(|cases| cases.parts));
        outcome
    }

    /// Gives the engine the files the test wanted kept.
    async fn keep_artifacts(&self, run: &mut Run, ready: Option<&Ready>) -> BTreeMap<Arc<str>, BlobHash> {
        let mut wanted = std::mem::take(&mut run.story.artifacts);
        if let Some(ready) = ready {
            wanted.extend(tool_artifacts(ready));
        }
        wanted.extend(self.station.sessions.leave(self.order.attempt));
        wanted.extend(self.station.captures.leave(self.order.attempt).await);
        let mut kept = BTreeMap::new();
        let mut engine_is_there = true;
        for (name, path) in wanted {
            let path = ready.map_or(path.clone(), |ready| ready.work.join(&path));
            match self.hand_over(&path, &mut engine_is_there).await {
                Ok(hash) => {
                    kept.insert(name, hash);
                }
                Err(reason) => run.log.say(&format!("artifact `{name}` is not kept: {reason}")),
            }
        }
        kept
    }

    /// Gives the engine a file; where the engine is away the outbox does, later, and no test waits for it.
    async fn hand_over(&self, path: &Path, engine_is_there: &mut bool) -> Result<BlobHash, String> {
        let most = self.station.settings.limits().artifact_bytes;
        let told = |error: std::io::Error| format!("`{}`: {error}", path.display());
        let found = std::fs::metadata(path).map_err(told)?;
        if !found.is_file() {
            return Err(format!("`{}` is no file", path.display()));
        }
        if found.len() > most {
            return Err(format!("it has {} bytes, and limits.artifact of ep.toml is {most}", found.len()));
        }
        if *engine_is_there {
            match self.station.blobs.put(path.to_owned()).await {
                Ok(hash) => return Ok(hash),
                Err(PutError::Refused(reason)) => return Err(reason),
                Err(PutError::Engine(_)) => *engine_is_there = false,
            }
        }
        self.station.outbox.keep(path.to_owned()).await.map_err(told)
    }
}

/// What a tool that leaves no readable results makes of a test.
fn no_results(tool: RunnerKind, read: &Result<Option<junit::Cases>, String>, exit: &Exit) -> Option<Outcome> {
    let invalid = |cause, reason| Some(Outcome::not_pass(Verdict::Invalid, cause, reason));
    match (tool, read, exit) {
        (_, Ok(Some(cases)), Exit::Code(_)) if cases.total == 0 => {
            invalid(Cause::Test, format!("{} found no tests in it", tool.as_str()))
        }
        (RunnerKind::Pytest | RunnerKind::Robot, Ok(None), Exit::Code(code)) => {
            let name = if tool == RunnerKind::Pytest { "pytest" } else { "robotframework" };
            let reason = format!(
                "{} left no results (exit status {code}); see its log, and whether {name} is installed for the python of ep.toml",
                tool.as_str()
            );
            invalid(Cause::Lab, reason)
        }
        (_, Err(error), Exit::Code(_)) => {
            invalid(Cause::Test, format!("its results cannot be read: {error}"))
        }
        _ => None,
    }
}

/// Files a tool leaves that a person wants to see.
fn tool_artifacts(ready: &Ready) -> Vec<(Arc<str>, PathBuf)> {
    match &ready.plan {
        Plan::Program { results: Some(results), .. } if results.tool == RunnerKind::Robot => {
            let names = ["log.html", "output.xml"];
            let there = names.into_iter().filter(|name| ready.work.join(name).is_file());
            there.map(|name| (Arc::from(name), PathBuf::from(name))).collect()
        }
        Plan::Program { .. } | Plan::Warm | Plan::Steps => Vec::new(),
    }
}
