//! A script around a run: fetched, run beside whatever the lanes do, watched, and its end told to the daemon.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jackfield_protocol::{
    link::{ScriptEnded, ScriptOrder},
    script::{self, ScriptEnd, Tail},
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use crate::limits::FETCH_PAUSE;
use crate::{
    account::Tenant,
    blobs::BlobError,
    cgroup::Group,
    clock,
    event::Event,
    limits::FAR,
    process::{self, Exit, Owner, Program, Running, Source, Tree},
    station::Station,
};

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
        let (file, work, tenant) = match ready {
            Ok(Ok(ready)) => ready,
            Ok(Err(outcome)) => return (outcome, None),
            Err(_) => return (self.too_long(), None),
        };
        let finish = self.execute(&file, &work, over, output).await;
        self.station.work_folders.give_back(&work, tenant.as_ref()).await;
        finish
    }

    /// What its folder and its group are called.
    fn own_name(&self) -> String {
        format!("script-{}-{}", self.order.run, self.order.hook)
    }

    fn title(&self) -> String {
        script::title(self.order.hook, &self.order.path)
    }

    fn too_long(&self) -> Outcome {
        let millis = self.order.timeout_millis;
        let reason = format!("{} took longer than {:?}", self.title(), Duration::from_millis(millis));
        Outcome::not_pass(Verdict::Timeout, Cause::Time, DecidedBy::TestLimit { millis }, reason)
    }

    fn invalid(&self, cause: Cause, why: impl std::fmt::Display) -> Outcome {
        let reason = format!("{} cannot be started: {why}", self.title());
        Outcome::not_pass(Verdict::Invalid, cause, DecidedBy::NotStarted, reason)
    }

    /// Puts the script into a folder of its own, under its own name.
    async fn prepare(&self) -> Result<(PathBuf, PathBuf, Option<Tenant>), Outcome> {
        let name = Path::new(&*self.order.path).file_name().unwrap_or("script".as_ref());
        let own = self.own_name();
        let tenant = self.station.accounts.as_ref().map(Tenant::beside);
        let taken = self.station.work_folders.take(&own, tenant.as_ref());
        let work = taken.map_err(|error| self.invalid(Cause::Lab, error))?;
        let file = work.join(name);
        loop {
            match self.station.blobs.place(self.order.content, file.clone()).await {
                Ok(()) => return Ok((file, work, tenant)),
                Err(BlobError::Engine { .. }) => tokio::time::sleep(FETCH_PAUSE).await,
                Err(error) => return Err(self.invalid(Cause::Lab, error)),
            }
        }
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
        if let Some(account) = self.station.account_beside() {
            account.dress(&mut all, work);
        }
        all
    }

    async fn execute(&mut self, file: &Path, work: &Path, over: Instant, output: &mut Tail) -> Finish {
        let group = match self.station.group(&self.own_name()) {
            Ok(group) => group,
            Err(error) => return (self.invalid(Cause::Lab, error), None),
        };
        let finish = self.follow((file, work), group.as_ref(), over, output).await;
        if let Some(group) = group {
            group.end().await;
        }
        finish
    }

    async fn follow(
        &mut self,
        (file, work): (&Path, &Path),
        group: Option<&Arc<Group>>,
        over: Instant,
        output: &mut Tail,
    ) -> Finish {
        let environment = self.environment(work);
        let command = [file.as_os_str().to_owned()];
        let account = self.station.account_beside();
        let program = Program {
            command: &command,
            environment: &environment,
            folder: work,
            account: account.map(AsRef::as_ref),
            group: group.map(AsRef::as_ref),
        };
        let remedy = "it needs a first line such as #!/bin/sh, which names a program of this machine";
        let (pipes, outputs) = match process::pipes(false) {
            Ok(ends) => ends,
            Err(error) => return (self.invalid(Cause::Lab, error), None),
        };
        let child = match process::start(program, outputs).await {
            Ok(child) => child,
            Err(error) => return (self.invalid(Cause::Test, format!("{error}; {remedy}")), None),
        };
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
        // What it starts is not of the test whose user it may share.
        let _running = account.map(|account| account.programs.enter(child.id()));
        let (run, hook) = (self.order.run, self.order.hook);
        let _ = self.events.send(Event::ScriptStarted { run, hook, pid });
        process::limit(pid, self.station.settings.limits.process);
        let marks = [self.station.mark(), format!("JACKFIELD_RUN={run}"), format!("JACKFIELD_HOOK={hook}")];
        let tree = Tree::new(pid, &marks.each_ref().map(String::as_str)).beside(account).in_group(group);
        let grace = self.station.settings.limits.stop_grace;
        let mut following = Following { script: self, over: Some(over), output };
        let running = Running::Child(Box::new(child));
        let ended = process::watch(running, &tree, pipes, grace, &mut following).await;
        let exit_code = if let Exit::Code(code) = ended.exit { Some(code) } else { None };
        (ended.forced.unwrap_or_else(|| self.judge(&ended.exit)), exit_code)
    }

    fn judge(&self, exit: &Exit) -> Outcome {
        match exit {
            Exit::Code(code) => script::judge(&self.title(), ScriptEnd::Status(*code)),
            Exit::Signal(number) => script::judge(&self.title(), ScriptEnd::Signal(*number)),
            Exit::Lost(reason) => {
                let reason = format!("{}: {reason}", self.title());
                Outcome::not_pass(Verdict::Fail, Cause::Lab, DecidedBy::ProcessLost, reason)
            }
            Exit::None => self.invalid(Cause::Lab, "there is no process"),
        }
    }
}

/// A script while it runs.
struct Following<'a> {
    script: &'a mut Script,
    /// When its time is over; none once it is to be ended.
    over: Option<Instant>,
    output: &'a mut Tail,
}

impl Owner for Following<'_> {
    async fn attend(&mut self) -> Option<Outcome> {
        let Some(over) = self.over else { return std::future::pending().await };
        let outcome = tokio::select! {
            biased;
            outcome = wanted(&mut self.script.end) => outcome,
            () = tokio::time::sleep_until(over) => self.script.too_long(),
        };
        self.over = None;
        Some(outcome)
    }

    fn take(&mut self, _source: Source, bytes: &[u8]) -> Option<Outcome> {
        self.output.take(bytes);
        None
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
