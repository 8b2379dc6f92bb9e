//! A script around a run: fetched, run beside whatever the lanes do, watched, and its end told to the daemon.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::Arc,
    time::Duration,
};

use jackfield_protocol::{
    link::{ScriptEnded, ScriptOrder},
    script::{self, Tail},
    verdict::{Cause, Outcome, Verdict},
};
use tokio::{
    net::unix::pipe,
    process::Child,
    sync::{mpsc, watch},
    time::Instant,
};

use crate::{
    blobs::BlobError,
    clock,
    event::Event,
    process::{self, Program, Tree},
    station::Station,
};

/// Between two tries to fetch the script from an engine that does not answer.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How long a process that left the script behind may hold its output open.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// Never, for an alarm that is not wanted any more.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);
const READ_BYTES: usize = 16 * 1024;
const MODE: u32 = 0o755;

/// A script and everything it needs.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) order: Arc<ScriptOrder>,
    pub(crate) station: Arc<Station>,
    /// How it is to end, once somebody wants that.
    pub(crate) end: watch::Receiver<Option<Outcome>>,
    pub(crate) events: mpsc::UnboundedSender<Event>,
}

/// How it ended, and with which exit status.
type Finish = (Outcome, Option<i32>);

/// Carries a script to its end.
pub(crate) async fn run(mut script: Script) {
    let began = clock::moment();
    let mut output = Tail::new(script.order.output_bytes);
    let (outcome, exit_code) = script.carry_out(&mut output).await;
    let ended = ScriptEnded {
        run: script.order.run,
        hook: script.order.hook,
        at: clock::wall(),
        elapsed_millis: clock::moment().millis_since(began),
        outcome,
        exit_code,
        output: output.text(),
    };
    // The daemon outlives its scripts; were it gone, the next life of this EP reports the script.
    let _ = script.events.send(Event::ScriptEnded(Box::new(ended)));
}

impl Script {
    async fn carry_out(&mut self, output: &mut Tail) -> Finish {
        let over = Instant::now() + Duration::from_millis(self.order.timeout_millis).min(FAR);
        let mut end = self.end.clone();
        let ready = tokio::select! {
            biased;
            outcome = wanted(&mut end) => return (outcome, None),
            ready = tokio::time::timeout_at(over, self.prepare()) => ready,
        };
        let (file, work) = match ready {
            Ok(Ok(ready)) => ready,
            Ok(Err(outcome)) => return (outcome, None),
            Err(_) => return (self.too_long(), None),
        };
        let finish = self.execute(&file, &work, over, output).await;
        self.station.work_folders.give_back(&work).await;
        finish
    }

    fn title(&self) -> String {
        script::title(self.order.hook, &self.order.path)
    }

    fn too_long(&self) -> Outcome {
        let limit = Duration::from_millis(self.order.timeout_millis);
        Outcome::not_pass(
            Verdict::Timeout,
            Cause::Time,
            format!("{} took longer than {limit:?}", self.title()),
        )
    }

    fn invalid(&self, cause: Cause, why: impl std::fmt::Display) -> Outcome {
        Outcome::not_pass(Verdict::Invalid, cause, format!("{} cannot be started: {why}", self.title()))
    }

    /// Puts the script into a folder of its own, under its own name.
    async fn prepare(&self) -> Result<(PathBuf, PathBuf), Outcome> {
        let blob = loop {
            match self.station.blobs.get(self.order.content).await {
                Ok(blob) => break blob,
                Err(BlobError::Engine { .. }) => tokio::time::sleep(RETRY_PAUSE).await,
                Err(error) => return Err(self.invalid(Cause::Lab, error)),
            }
        };
        let name = Path::new(&*self.order.path).file_name().unwrap_or("script".as_ref());
        let own = format!("script-{}-{}", self.order.run, self.order.hook);
        let placed = || -> io::Result<(PathBuf, PathBuf)> {
            let work = self.station.work_folders.take(&own)?;
            let file = work.join(name);
            std::fs::copy(&blob, &file)?;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(MODE))?;
            Ok((file, work))
        };
        placed().map_err(|error| self.invalid(Cause::Lab, error))
    }

    fn environment(&self, work: &Path) -> BTreeMap<OsString, OsString> {
        let mut all = self.station.environment.clone();
        let texts = [
            ("JACKFIELD_RUN", self.order.run.to_string()),
            ("JACKFIELD_PROJECT", self.order.project.to_string()),
            ("JACKFIELD_USER", self.order.user.to_string()),
            ("JACKFIELD_HOOK", self.order.hook.to_string()),
        ];
        // The system refuses a variable with a zero byte, which no lab means anyway.
        all.extend(texts.into_iter().map(|(name, text)| (name.into(), text.replace('\0', "").into())));
        all.insert("JACKFIELD_WORK_DIR".into(), work.into());
        all
    }

    async fn execute(&mut self, file: &Path, work: &Path, over: Instant, output: &mut Tail) -> Finish {
        let environment = self.environment(work);
        let command = [file.as_os_str().to_owned()];
        let program = Program { command: &command, environment: &environment, folder: work };
        let remedy = "it needs a first line such as #!/bin/sh, which names a program of this machine";
        let (pipe, write) = match process::output_pipe() {
            Ok(ends) => ends,
            Err(error) => return (self.invalid(Cause::Lab, error), None),
        };
        let mut child = match process::start(program, write).await {
            Ok(child) => child,
            Err(error) => return (self.invalid(Cause::Test, format!("{error}; {remedy}")), None),
        };
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
        let (run, hook) = (self.order.run, self.order.hook);
        let _ = self.events.send(Event::ScriptStarted { run, hook, pid });
        process::limit(pid, self.station.settings.limits());
        let marks = [self.station.mark(), format!("JACKFIELD_RUN={run}"), format!("JACKFIELD_HOOK={hook}")];
        let tree = Tree::new(pid, &marks.each_ref().map(String::as_str));
        let (forced, status) = self.watch(&mut child, &tree, &pipe, over, output).await;
        if tree.has_leftovers() {
            tree.kill().await;
        }
        let drained = async { while read(&pipe, output).await {} };
        // What a process that left the script behind still writes is not kept.
        let _ = tokio::time::timeout(DRAIN_LIMIT, drained).await;
        let exit_code = status.as_ref().ok().and_then(ExitStatus::code);
        (forced.unwrap_or_else(|| self.judge(status)), exit_code)
    }

    /// Follows the process until it has ended, by itself or from outside.
    async fn watch(
        &mut self,
        child: &mut Child,
        tree: &Tree,
        pipe: &pipe::Receiver,
        over: Instant,
        output: &mut Tail,
    ) -> (Option<Outcome>, io::Result<ExitStatus>) {
        let mut forced = None;
        let mut open = true;
        let mut alarm = Box::pin(tokio::time::sleep_until(over));
        let grace = Duration::from_millis(self.station.settings.limits().stop_grace_millis);
        loop {
            let end_now = tokio::select! {
                biased;
                outcome = wanted(&mut self.end), if forced.is_none() => outcome,
                () = &mut alarm => {
                    if forced.is_some() {
                        tree.kill().await;
                        alarm.set(tokio::time::sleep(FAR));
                        continue;
                    }
                    self.too_long()
                }
                status = child.wait() => return (forced, status),
                more = read(pipe, output), if open => {
                    open = more;
                    continue;
                }
            };
            forced = Some(end_now);
            tree.terminate();
            alarm.set(tokio::time::sleep(grace));
        }
    }

    fn judge(&self, status: io::Result<ExitStatus>) -> Outcome {
        match status {
            Ok(status) => script::judge(&self.title(), status.code(), status),
            Err(error) => {
                let reason = format!("{} cannot be watched: {error}", self.title());
                Outcome::not_pass(Verdict::Fail, Cause::Lab, reason)
            }
        }
    }
}

/// Waits until somebody wants a script to end.
async fn wanted(end: &mut watch::Receiver<Option<Outcome>>) -> Outcome {
    let outcome = end.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
    match outcome {
        Some(outcome) => outcome,
        // The daemon holds the other end for as long as the script is its own.
        None => std::future::pending().await,
    }
}

/// Waits for output and takes it; false where no more will come.
async fn read(pipe: &pipe::Receiver, output: &mut Tail) -> bool {
    if pipe.readable().await.is_err() {
        return false;
    }
    let mut buffer = Vec::with_capacity(READ_BYTES);
    match pipe.try_read_buf(&mut buffer) {
        Ok(0) => false,
        Ok(_) => {
            output.take(&buffer);
            true
        }
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}
