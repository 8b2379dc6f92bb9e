//! After the process of a test: clean-ups, files to keep, and the verdict.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_config::ep::RunnerKind;
use jackfield_protocol::{
    attempt::AttemptEnd,
    id::BlobHash,
    link::Ended,
    log::Stream,
    verdict::{Outcome, Verdict},
};

use tokio::time::{Instant, timeout, timeout_at};

use super::{
    Attempt, Finish, Run,
    judge::{self, Evidence, Expected},
    prepare::Ready,
};
use crate::{
    account::{FetchError, Staged, Tenant},
    blobs::PutError,
    cleanup::{self, Surroundings},
    clock,
    limits::{
        ARTIFACT_DISK_LIMIT, ARTIFACTS_SEND_LIMIT, CLEANUP_MILLIS_MAX, RESULT_BYTES_MAX, RESULT_READ_LIMIT,
    },
    process::Exit,
    report_size,
    results::{self, Cases},
    runner::{Output, Plan, Results},
};

impl Attempt {
    /// Runs what the test registered, whatever its end was.
    pub(super) async fn clean_up(&mut self, ready: &Ready, run: &mut Run) {
        self.hear(run);
        if run.story.cleanups.is_empty() {
            return;
        }
        let marks = [self.station.mark(), format!("JACKFIELD_ATTEMPT={}", self.order.attempt)];
        run.is_stopped |= self.end.borrow_and_update().is_now();
        // Whoever stopped the test waits for it, so a limit of its own does not count any more.
        let limit_millis = self.station.settings.limits.cleanup_millis;
        let around = Surroundings {
            environment: &ready.environment,
            folder: &ready.work,
            limit_millis,
            limit_millis_max: if run.is_stopped { limit_millis } else { CLEANUP_MILLIS_MAX },
            marks: &[&marks[0], &marks[1]],
            account: self.station.account(self.order.lane),
            group: ready.group.as_ref(),
        };
        let cleanups = std::mem::take(&mut run.story.cleanups);
        let (parts, output) = cleanup::run_all(&cleanups, around, &mut self.end).await;
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
        let exit_code = match (&run.forced, &run.exit) {
            (None, Exit::Code(code)) => Some(*code),
            _ => None,
        };
        let mut ended = Ended {
            attempt: self.order.attempt,
            at: clock::wall(),
            end: AttemptEnd {
                elapsed_millis: run.elapsed_millis,
                outcome,
                exit_code,
                parts: run.story.parts,
                cleanups: run.cleanups,
                variables: run.story.variables,
                log_bytes: BTreeMap::new(),
            },
            artifacts,
        };
        if let Some(left_out) = report_size::fit_ended(&mut ended) {
            run.log.say(&left_out);
        }
        run.log.flush().await;
        ended.end.log_bytes.clone_from(run.log.lengths());
        Finish::Ended(Box::new(ended))
    }

    /// The verdict, and with it the tests inside the test.
    async fn outcome(&self, run: &mut Run, ready: Option<&Ready>) -> Outcome {
        let (expected, cases) = self.cases(run, ready).await;
        let outcome = match run.forced.clone() {
            Some(forced) => judge::with_declared(forced, &run.story),
            None => judge::judge(Evidence {
                story: &run.story,
                expected: &expected,
                cases: cases.as_ref(),
                exit: &run.exit,
                last_words: &run.last_words,
            }),
        };
        run.story.parts.extend(cases.into_iter().flat_map(|cases| cases.parts));
        outcome
    }

    /// The tests inside the test: in the file that its tool was to write, or else in what it printed.
    async fn cases(&self, run: &mut Run, ready: Option<&Ready>) -> (Expected, Option<Cases>) {
        let Some(Ready { plan: Plan::Program { results, output, .. }, work, tenant, .. }) = ready else {
            return (Expected::Nothing, None);
        };
        let printed = run.printed.take();
        let Some(results) = results else {
            let is_promised = matches!(output, Output::Tap | Output::GoTest);
            let expected =
                if is_promised || printed.is_some() { Expected::Printed } else { Expected::Nothing };
            return (expected, printed);
        };
        let cases = self.read_results(&work.join(&results.file), results, tenant.as_ref()).await;
        let cases = cases.map(|cases| match results.tool {
            // Their files are the EP's own affair; people know the tool.
            RunnerKind::Pytest | RunnerKind::Robot => cases.by_tool(results.tool.as_str()),
            RunnerKind::Java => cases.by_tool("JUnit"),
            RunnerKind::Command | RunnerKind::Executable | RunnerKind::Python | RunnerKind::Steps => {
                cases.in_file(&results.file)
            }
        });
        (Expected::File(results.tool, results.file.clone()), cases.or(printed))
    }

    /// Reads a file of results, with the rights of the test: it may be a link to something else.
    async fn read_results(&self, path: &Path, results: &Results, tenant: Option<&Tenant>) -> Option<Cases> {
        let habits = results.habits();
        let mut staged = None;
        if let Some(tenant) = tenant {
            let staging = self.station.staging();
            match tenant.account.fetch(path, RESULT_BYTES_MAX, &staging).await {
                Ok(file) => staged = Some(file),
                Err(FetchError::NotThere(_)) => return None,
                Err(FetchError::Failed(why)) => {
                    let why = why.replace(&path.display().to_string(), &results.file);
                    return Some(Cases::unreadable(why));
                }
            }
        }
        let path = staged.as_ref().map_or(path, Staged::path).to_owned();
        let read = tokio::task::spawn_blocking(move || results::read_file(&path, habits));
        match tokio::time::timeout(RESULT_READ_LIMIT, read).await {
            Ok(Ok(cases)) => cases,
            Ok(Err(error)) => Some(Cases::unreadable(format!("`{}`: {error}", results.file))),
            Err(_) => {
                let trouble = format!("reading `{}` took longer than {RESULT_READ_LIMIT:?}", results.file);
                Some(Cases::unreadable(trouble))
            }
        }
    }

    /// Gives the engine the files the test wanted kept.
    pub(super) async fn keep_artifacts(
        &self,
        run: &mut Run,
        ready: Option<&Ready>,
    ) -> BTreeMap<Arc<str>, BlobHash> {
        let mut named = std::mem::take(&mut run.story.artifacts);
        if let Some(ready) = ready {
            named.extend(tool_artifacts(ready));
        }
        let named = apart(named);
        let mut own = self.station.sessions.leave(self.order.attempt);
        own.extend(self.station.captures.leave(self.order.attempt).await);
        let mut kept = BTreeMap::new();
        let mut engine_is_there = true;
        let over = Instant::now() + ARTIFACTS_SEND_LIMIT;
        // What the EP itself wrote is not the test's to read; what the test named is only what the test may read.
        let tenant = ready.filter(|ready| ready.plan != Plan::Steps).and_then(|ready| ready.tenant.as_ref());
        let all =
            named.into_iter().map(|file| (file, tenant)).chain(own.into_iter().map(|file| (file, None)));
        for ((name, path), tenant) in all {
            let path = ready.map_or(path.clone(), |ready| ready.work.join(&path));
            let kept_as = match self.staged(&path, tenant).await {
                Ok(staged) => {
                    let path = staged.as_ref().map_or(path.as_path(), Staged::path);
                    self.hand_over(path, over, &mut engine_is_there).await
                }
                Err(reason) => Err(reason),
            };
            match kept_as {
                Ok(hash) => {
                    kept.insert(name, hash);
                }
                Err(reason) => run.log.say(&format!("artifact `{name}` is not kept: {reason}")),
            }
        }
        kept
    }

    /// A copy of a file that a test named, taken with the test's own rights; none where these are the EP's.
    async fn staged(&self, path: &Path, tenant: Option<&Tenant>) -> Result<Option<Staged>, String> {
        let Some(tenant) = tenant else { return Ok(None) };
        let most = self.station.settings.limits.artifact_bytes;
        let fetched = tenant.account.fetch(path, most, &self.station.staging()).await;
        fetched.map(Some).map_err(|error| error.to_string())
    }

    /// Gives the engine a file; where the engine is away, or slow, the outbox does, later, and no test waits for it.
    async fn hand_over(
        &self,
        path: &Path,
        over: Instant,
        engine_is_there: &mut bool,
    ) -> Result<BlobHash, String> {
        let most = self.station.settings.limits.artifact_bytes;
        let told = |error: std::io::Error| format!("`{}`: {error}", path.display());
        let hangs =
            |_| format!("`{}`: its disk did not answer within {ARTIFACT_DISK_LIMIT:?}", path.display());
        let found =
            timeout(ARTIFACT_DISK_LIMIT, tokio::fs::metadata(path)).await.map_err(hangs)?.map_err(told)?;
        if !found.is_file() {
            return Err(format!("`{}` is no file", path.display()));
        }
        if found.len() > most {
            return Err(format!("it has {} bytes, and limits.artifact of ep.toml is {most}", found.len()));
        }
        if *engine_is_there {
            match timeout_at(over, self.station.blobs.put(path.to_owned())).await {
                Ok(Ok(hash)) => return Ok(hash),
                Ok(Err(PutError::Refused(reason))) => return Err(reason),
                Ok(Err(PutError::Engine(_))) | Err(_) => *engine_is_there = false,
            }
        }
        let kept = timeout(ARTIFACT_DISK_LIMIT, self.station.outbox.keep(path.to_owned())).await;
        kept.map_err(hangs)?.map_err(told)
    }
}

/// Files with names that each has alone: two folders of a test may each hold an `out.log`. One that is named twice is kept as it is in the end.
fn apart(named: Vec<(Arc<str>, PathBuf)>) -> Vec<(Arc<str>, PathBuf)> {
    let mut paths: BTreeMap<Arc<str>, PathBuf> = BTreeMap::new();
    for (name, path) in named {
        let is_taken = |name: &Arc<str>| paths.get(name).is_some_and(|taken| *taken != path);
        let (stem, ending) = match name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
            Some((stem, ending)) => (stem, format!(".{ending}")),
            None => (&*name, String::new()),
        };
        let numbered = (2_u32..).map(|number| Arc::from(format!("{stem} ({number}){ending}")));
        let own = [Arc::clone(&name)].into_iter().chain(numbered).find(|name| !is_taken(name));
        paths.insert(own.unwrap_or(name), path);
    }
    paths.into_iter().collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_of_one_name_are_both_kept() {
        let named = [
            ("out.log", "a/out.log"),
            ("out.log", "b/out.log"),
            ("out.log", "a/out.log"),
            ("x", "1/x"),
            ("x", "2/x"),
        ];
        let named = named.map(|(name, path)| (Arc::from(name), PathBuf::from(path)));
        let kept: Vec<String> = apart(named.to_vec())
            .into_iter()
            .map(|(name, path)| format!("{name}={}", path.display()))
            .collect();
        assert_eq!(kept, ["out (2).log=b/out.log", "out.log=a/out.log", "x=1/x", "x (2)=2/x"]);
    }
}
