//! The warm Python interpreter: started once, each Python test is a child forked from it.
//!
//! One task owns the interpreter's socket. It starts the interpreter when the EP starts and again whenever it has
//! died; tests that ran when it died are told so ([`WarmEvent::Lost`]).

use std::{collections::BTreeMap, ffi::OsString, os::fd::OwnedFd, path::PathBuf};

use serde_json::{Map, Value};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use life::Life;

use crate::limits::{WARM_FAILED_STARTS_MAX, WARM_REQUESTS_MAX};

mod life;

/// The environment variable that marks the interpreter, and so whatever its tests fork without starting a program.
pub(crate) const MARK: &str = "JACKFIELD_WARM";

/// Why a life ended that stood still.
const REPLACED: &str = "the warm Python interpreter stood still, and another one is started";

/// How the interpreter is started.
#[derive(Clone, Debug)]
pub(crate) struct WarmSettings {
    /// The interpreter, as `ep.toml` names it.
    pub(crate) python: String,
    /// `warm.py`.
    pub(crate) script: PathBuf,
    /// What it inherits.
    pub(crate) environment: BTreeMap<OsString, OsString>,
    /// The value of [`MARK`].
    pub(crate) mark: OsString,
    /// Its tests become other users, and must find nothing of each other in what it forks.
    pub(crate) changes_users: bool,
    /// Tests are forked from it; else it is only asked which version it is, and ended.
    pub(crate) is_kept: bool,
}

/// A test to run.
#[derive(Debug)]
pub(crate) struct WarmRun {
    /// What the interpreter's child is to know (`warm.py`).
    pub(crate) message: Map<String, Value>,
    /// Where it writes.
    pub(crate) output: OwnedFd,
    /// Where what becomes of it is told.
    pub(crate) events: mpsc::UnboundedSender<WarmEvent>,
}

/// What becomes of a test in the warm interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WarmEvent {
    /// It runs, as this process.
    Started { pid: i32 },
    /// It ended by itself.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// The interpreter died, or cannot be started; why.
    Lost(String),
}

/// What is known of the interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WarmState {
    /// It is being started.
    Starting,
    /// It runs, and is of this version.
    Ready(String),
    /// It cannot be had; why, and what to do.
    Absent(String),
}

/// The way to the interpreter.
#[derive(Clone, Debug)]
pub(crate) struct Warm {
    requests: mpsc::Sender<WarmRun>,
    replace: mpsc::Sender<()>,
    state: watch::Receiver<WarmState>,
}

impl Warm {
    /// Starts the task that owns the interpreter; it ends with `shutdown`.
    pub(crate) fn start(
        settings: WarmSettings,
        shutdown: CancellationToken,
    ) -> (Self, impl Future<Output = ()>) {
        let (requests, inbox) = mpsc::channel(WARM_REQUESTS_MAX);
        let (told, state) = watch::channel(WarmState::Starting);
        let (replace, replaced) = mpsc::channel(1);
        let keeper = Keeper { settings, inbox, replaced, told, failed_starts: 0 };
        (Self { requests, replace, state }, keeper.run(shutdown))
    }

    /// Hands a test over.
    pub(crate) async fn run(&self, run: WarmRun) {
        if let Err(lost) = self.requests.send(run).await {
            let _ = lost.0.events.send(WarmEvent::Lost("the execution process ends".to_owned()));
        }
    }

    /// Has it killed and started anew: it stands still. Tests of other lanes that it runs are lost with it, and would have been anyway, because
    /// nobody would hear of their ends.
    pub(crate) fn replace(&self) {
        // One who asked before asked for the same.
        let _ = self.replace.try_send(());
    }

    /// What is known of the interpreter once it has been started for the first time.
    pub(crate) async fn state(&self) -> WarmState {
        let mut state = self.state.clone();
        let known = state.wait_for(|state| *state != WarmState::Starting).await;
        known.map_or_else(
            |_| WarmState::Absent("the execution process ends".to_owned()),
            |state| state.clone(),
        )
    }

    /// What is known right now.
    pub(crate) fn state_now(&self) -> WarmState {
        self.state.borrow().clone()
    }
}

struct Keeper {
    settings: WarmSettings,
    inbox: mpsc::Receiver<WarmRun>,
    replaced: mpsc::Receiver<()>,
    told: watch::Sender<WarmState>,
    failed_starts: u32,
}

impl Keeper {
    async fn run(mut self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() && self.failed_starts < WARM_FAILED_STARTS_MAX && !self.knows_enough()
        {
            let mut life = match Life::begin(&self.settings) {
                Ok(life) => life,
                Err(reason) => {
                    self.told.send_replace(WarmState::Absent(reason));
                    break;
                }
            };
            let why = self.live(&mut life, &shutdown).await;
            if life.ready {
                self.failed_starts = 0;
            } else {
                self.failed_starts = self.failed_starts.saturating_add(1);
            }
            life.end(&why).await;
        }
        if !self.knows_enough() && !matches!(*self.told.borrow(), WarmState::Absent(_)) {
            let program = &self.settings.python;
            let reason =
                format!("`{program}` cannot be kept running; try it by hand, or name another in ep.toml");
            self.told.send_replace(WarmState::Absent(reason));
        }
        self.refuse(&shutdown).await;
    }

    /// Whether nothing is left to be asked of one that no test is forked from.
    fn knows_enough(&self) -> bool {
        !self.settings.is_kept && matches!(*self.told.borrow(), WarmState::Ready(_))
    }

    /// There is no interpreter: answers so, as long as the EP lives.
    async fn refuse(&mut self, shutdown: &CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                run = self.inbox.recv() => {
                    let Some(run) = run else { return };
                    let reason = match self.told.borrow().clone() {
                        WarmState::Absent(reason) => reason,
                        WarmState::Starting | WarmState::Ready(_) => "no test is forked from it here".to_owned(),
                    };
                    let _ = run.events.send(WarmEvent::Lost(reason));
                }
            }
        }
    }

    /// Serves one life until it ends, and says why it did.
    async fn live(&mut self, life: &mut Life, shutdown: &CancellationToken) -> String {
        loop {
            let step = tokio::select! {
                () = shutdown.cancelled() => return "the execution process ends".to_owned(),
                Some(()) = self.replaced.recv() => return REPLACED.to_owned(),
                read = life.read() => match read {
                    Ok(Some(version)) => {
                        self.told.send_replace(WarmState::Ready(version));
                        if self.knows_enough() {
                            return "no test is forked from it here".to_owned();
                        }
                        Ok(())
                    }
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                },
                run = self.inbox.recv(), if life.ready => match run {
                    // One that stands still takes nothing any more once its socket is full.
                    Some(run) => tokio::select! {
                        done = life.run(run) => done,
                        Some(()) = self.replaced.recv() => return REPLACED.to_owned(),
                    },
                    None => return "the execution process ends".to_owned(),
                },
            };
            if let Err(error) = step {
                return format!("the warm Python interpreter died: {error}");
            }
        }
    }
}
