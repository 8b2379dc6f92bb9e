//! Sessions with devices: opened by a test, kept for its run, shared by name, recorded.
//!
//! A session outlives the test that opened it, so that a suite logs in once; it is closed when a test says so, or when
//! the engine closes the run. Every test that uses it keeps a recording of its own piece of the dialogue.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jackfield_device::{
    local::LocalPrograms,
    record::Recorder,
    session::{Session, SessionError, SessionSettings, SharedSession},
    target::{Connect, SessionTarget},
};
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{AttemptId, ConsoleId, RunId, UserName},
    secret::Secret,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::account::Account;
use crate::cgroup::SessionGroups;
use crate::limits::SESSIONS_MAX;
use crate::settings::folder_name;
use live::{Live, Private};
use recording::Recording;

pub(crate) mod fan;
pub(crate) mod free;
pub(crate) mod hold;
pub(crate) mod live;
mod recording;

/// Every open session of this EP.
#[derive(Clone, Debug)]
pub(crate) struct Sessions(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: SessionSettings,
    recordings: PathBuf,
    /// The control groups of their programs, where there are any.
    groups: Option<SessionGroups>,
    state: Mutex<State>,
    /// Who has what, or who uses it, has changed.
    turns: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    open: BTreeMap<(RunId, String), Entry>,
    /// Sessions that step tests keep to themselves.
    private: BTreeMap<(AttemptId, String), Private>,
    /// What holds for the sessions of a run whose lab has profiles of its own.
    settings: BTreeMap<RunId, SessionSettings>,
    /// Where each test is, by its own words: what it opens from here on begins with them.
    marks: BTreeMap<AttemptId, String>,
    /// What each test recorded so far: the name it is kept under, and the file.
    recorded: BTreeMap<AttemptId, Vec<(Arc<str>, PathBuf)>>,
    /// Sessions that persons have taken over.
    held: BTreeMap<(RunId, String), UserName>,
}

/// A session by its name; empty while it is being opened.
pub(crate) type Slot = SharedSession;

#[derive(Debug)]
struct Entry {
    slot: Slot,
    recording: Recording,
    live: Live,
    /// The id of its resource, where it has one.
    resource: Option<String>,
    /// The test with which it ends, where it runs as that one's user.
    ends_with: Option<AttemptId>,
    /// Tests that have used it, or want to.
    users: BTreeSet<AttemptId>,
}

impl Entry {
    fn new(name: &str) -> Self {
        let slot = Slot::default();
        let live = Live {
            slot: Some(Arc::clone(&slot)),
            fan: fan::Fan::default(),
            closing: CancellationToken::new(),
        };
        let recording = Recording::new(name);
        Self { slot, recording, live, resource: None, ends_with: None, users: BTreeSet::new() }
    }
}

impl Sessions {
    /// No session yet; host keys of devices are remembered in the work folder.
    pub(crate) fn new(work_dir: &std::path::Path, groups: Option<SessionGroups>) -> Self {
        let mut settings = SessionSettings::new(work_dir.join("known_hosts"));
        settings.agent = std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from);
        let recordings = work_dir.join("recordings");
        Self(Arc::new(Shared {
            settings,
            recordings,
            groups,
            state: Mutex::default(),
            turns: watch::Sender::new(()),
        }))
    }

    /// What the sessions of a run share, for one of its tests that runs as this user.
    pub(crate) fn settings(&self, run: RunId, account: Option<&Account>) -> SessionSettings {
        let mut settings = self.0.state().settings.get(&run).unwrap_or(&self.0.settings).clone();
        let programs = account.map(|account| account.programs.clone()).unwrap_or_default();
        settings.programs = self.in_groups(programs);
        settings.is_confined |= account.is_some();
        settings
    }

    /// The same programs, each in a control group of its own where there are any: sessions talk with them.
    pub(crate) fn in_groups(&self, programs: LocalPrograms) -> LocalPrograms {
        match &self.0.groups {
            Some(groups) => groups.hold(programs),
            None => programs,
        }
    }

    /// A run has come, with the profiles of its lab; one that cannot be read is left out, which is told to those who name it.
    pub(crate) fn open_run(&self, run: RunId, profiles: &BTreeMap<String, String>) {
        if profiles.is_empty() {
            return;
        }
        let settings = self.0.settings_with(profiles);
        self.0.state().settings.insert(run, settings);
    }

    /// Joins the session of this name, or opens it. One whose connection was lost is connected again. Whose resource it is, is known from the
    /// first word on: a person who wants the device meanwhile finds the test there.
    pub(crate) async fn open(
        &self,
        attempt: AttemptId,
        name: &str,
        (target, resource): (SessionTarget, Option<String>),
        account: Option<&Account>,
        timeout: Duration,
    ) -> Result<(), Problem> {
        let (slot, recording, fan) = self.enter(attempt, name, resource)?;
        let mut session = slot.lock().await;
        if let Some(open) = session.as_mut() {
            self.turn_to(attempt, name, &recording);
            // The device may have rebooted since the test before this one.
            return Box::pin(open.revive(timeout)).await.map_err(|error| problem(&error));
        }
        recording.hide(target.secrets());
        fan.hide(target.secrets());
        self.turn_to(attempt, name, &recording);
        let settings = self.settings(attempt.run, account);
        if account.is_some() && matches!(target.connect, Connect::Process(_)) {
            self.end_with(attempt, name);
        }
        match Session::open(target, &settings, timeout, vec![Box::new(recording), Box::new(fan)]).await {
            Ok(opened) => {
                *session = Some(opened);
                Ok(())
            }
            Err(error) => {
                drop(session);
                self.0.state().open.remove(&(attempt.run, name.to_owned()));
                Err(problem(&error))
            }
        }
    }

    /// The session is a program that runs as the user of its test, whom another test has next.
    fn end_with(&self, attempt: AttemptId, name: &str) {
        if let Some(entry) = self.0.state().open.get_mut(&(attempt.run, name.to_owned())) {
            entry.ends_with = Some(attempt);
        }
    }

    /// Closes what runs as the user of a test that has ended; whether there was anything.
    pub(crate) async fn close_programs(&self, attempt: AttemptId) -> bool {
        let entries: Vec<Entry> = {
            let mut state = self.0.state();
            let own = state.open.extract_if(.., |_, entry| entry.ends_with == Some(attempt));
            own.map(|(_, entry)| entry).collect()
        };
        let had_any = !entries.is_empty();
        for entry in entries {
            close(entry).await;
        }
        had_any
    }

    /// The session of this name, for one who uses it.
    pub(crate) fn get(&self, attempt: AttemptId, name: &str) -> Result<Slot, Problem> {
        let found = self
            .0
            .state()
            .open
            .get_mut(&(attempt.run, name.to_owned()))
            .map(|entry| (entry.users.insert(attempt), Arc::clone(&entry.slot), entry.recording.clone()));
        let (is_new, slot, recording) = found.ok_or_else(|| self.not_open(attempt.run, name))?;
        if is_new {
            self.0.turns.send_replace(());
        }
        self.turn_to(attempt, name, &recording);
        Ok(slot)
    }

    /// Closes the session of this name.
    pub(crate) async fn close(&self, run: RunId, name: &str) -> Result<(), Problem> {
        // The lock is let go before the names are asked for: the error needs it again.
        let found = self.0.state().open.remove(&(run, name.to_owned()));
        close(found.ok_or_else(|| self.not_open(run, name))?).await;
        Ok(())
    }

    /// The names of a run's sessions.
    pub(crate) fn names(&self, run: RunId) -> Vec<String> {
        self.0.state().open.keys().filter(|(of, _)| *of == run).map(|(_, name)| name.clone()).collect()
    }

    /// The run is over here: its names are free at once, its sessions are closed in a while.
    pub(crate) fn close_run(&self, run: RunId) -> impl Future<Output = ()> + use<> {
        let mut state = self.0.state();
        state.settings.remove(&run);
        let entries: Vec<Entry> =
            state.open.extract_if(.., |(of, _), _| *of == run).map(|(_, entry)| entry).collect();
        async move {
            for entry in entries {
                close(entry).await;
            }
        }
    }

    /// Where the recordings of a run are.
    pub(crate) fn recordings_folder(&self, run: RunId) -> PathBuf {
        self.0.recordings.join(run.to_string())
    }

    /// Closes everything.
    pub(crate) async fn close_all(&self) {
        let all = std::mem::take(&mut self.0.state().open);
        for entry in all.into_values() {
            close(entry).await;
        }
    }

    /// A new recording that is no test's: of a person at a console.
    pub(crate) fn console_recording(
        &self,
        console: ConsoleId,
        title: &str,
        secrets: &[Secret],
    ) -> (PathBuf, Option<Recorder<File>>) {
        let path = self.0.recordings.join(format!("console-{console}.cast"));
        let recorder = recording::recorder(&path, title, secrets);
        (path, recorder)
    }

    /// What sessions of no run share, with these profiles of the lab.
    pub(crate) fn settings_with(&self, profiles: &BTreeMap<String, String>) -> SessionSettings {
        self.0.settings_with(profiles)
    }

    /// The recordings an attempt leaves behind, by the names under which they are kept; it has ended.
    pub(crate) fn leave(&self, attempt: AttemptId) -> Vec<(Arc<str>, PathBuf)> {
        let mut state = self.0.state();
        for entry in state.open.values_mut() {
            entry.recording.leave(attempt);
            entry.users.remove(&attempt);
        }
        state.private.retain(|(of, _), _| *of != attempt);
        state.marks.remove(&attempt);
        state.recorded.remove(&attempt).unwrap_or_default()
    }

    /// A test says where it is: a mark in each of its recordings.
    pub(crate) fn mark(&self, attempt: AttemptId, label: &str) {
        let mut state = self.0.state();
        state.open.values().for_each(|entry| entry.recording.mark_piece(attempt, label));
        state.marks.insert(attempt, label.to_owned());
    }

    /// What is said in a session from now on is this test's.
    fn turn_to(&self, attempt: AttemptId, name: &str, recording: &Recording) {
        let file = file_name(name);
        let folder = self.recordings_folder(attempt.run);
        let path = folder.join(format!("{}.{}-{file}", attempt.test, attempt.attempt));
        if recording.turn_to(attempt, &path) {
            let mut state = self.0.state();
            if let Some(label) = state.marks.get(&attempt) {
                recording.mark_piece(attempt, label);
            }
            let recorded = state.recorded.entry(attempt).or_default();
            if recorded.iter().all(|(known, _)| *known != file) {
                recorded.push((file, path));
            }
        }
    }

    fn not_open(&self, run: RunId, name: &str) -> Problem {
        let open = self.names(run);
        let open = if open.is_empty() {
            "none is open".to_owned()
        } else {
            format!("open are: {}", open.join(", "))
        };
        let title = format!("there is no open session `{name}`; open it first ({open})");
        Problem::new(ErrorCode::NotFound, title).field("session")
    }

    fn enter(
        &self,
        attempt: AttemptId,
        name: &str,
        resource: Option<String>,
    ) -> Result<(Slot, Recording, fan::Fan), Problem> {
        let mut state = self.0.state();
        let of_run = state.open.keys().filter(|(run, _)| *run == attempt.run).count();
        let key = (attempt.run, name.to_owned());
        if of_run >= SESSIONS_MAX && !state.open.contains_key(&key) {
            let title = format!("run {} has {SESSIONS_MAX} open sessions; close some", attempt.run);
            return Err(Problem::new(ErrorCode::TooMany, title));
        }
        let entry = state.open.entry(key).or_insert_with(|| Entry::new(name));
        if resource.is_some() {
            entry.resource = resource;
        }
        if entry.users.insert(attempt) {
            self.0.turns.send_replace(());
        }
        Ok((Arc::clone(&entry.slot), entry.recording.clone(), entry.live.fan.clone()))
    }
}

impl Shared {
    fn settings_with(&self, profiles: &BTreeMap<String, String>) -> SessionSettings {
        let mut settings = self.settings.clone();
        if !profiles.is_empty() {
            let files: Vec<(&String, &String)> = profiles.iter().collect();
            settings.profiles = settings.profiles.with_lab(&files);
        }
        settings
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic between two statements of this module cannot leave the maps half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn close(entry: Entry) {
    entry.live.closing.cancel();
    if let Some(mut session) = entry.slot.lock().await.take() {
        session.close().await;
    }
}

fn file_name(session: &str) -> Arc<str> {
    format!("{}.cast", folder_name(session.trim_start_matches('/'))).into()
}

/// What went wrong with a device, for a test.
pub(crate) fn problem(error: &SessionError) -> Problem {
    use std::error::Error;
    let mut title = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let why = inner.to_string();
        // Many an error tells what it came from by itself.
        if !title.contains(&why) {
            title = format!("{title}: {why}");
        }
        source = inner.source();
    }
    if error.is_lost() {
        title.push_str("; to go on, open the session anew, or set `reconnect = true` in its resource");
    }
    let code = if error.is_lab() {
        ErrorCode::Unavailable
    } else if error.is_test() {
        ErrorCode::BadRequest
    } else {
        ErrorCode::WrongState
    };
    Problem::new(code, title)
}
