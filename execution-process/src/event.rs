//! Everything that can happen to the daemon, and what it says to a running attempt.

use std::sync::Arc;

use jackfield_protocol::{
    error::Problem,
    event::Hook,
    id::{AttemptId, Epoch, RunId},
    link::{Ask, Call, Ended, EngineToEp, EpToEngine, Held, HeldScript, Notice, ScriptEnded, Welcome},
    secret::Secret,
    time::Time,
    verdict::Outcome,
};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::{
    attempt::{Finish, Said},
    cleanup::Cleanup,
    spool::Synced,
};

/// A fact from outside the daemon's one task.
#[derive(Debug)]
pub(crate) enum Event {
    /// A connection is about to say hello: what is held? Nothing is started until it is up or down.
    LinkGreets { answer: oneshot::Sender<Possession> },
    /// The engine said welcome.
    LinkUp { welcome: Box<Welcome>, control: mpsc::Sender<EpToEngine> },
    /// The engine said something on this connection.
    LinkHeard { epoch: Epoch, message: Box<EngineToEp>, place: Place },
    /// The connection, or the attempt to make one, ended.
    LinkDown,
    /// What is held is another engine's: end it, forget it, and say when that is done.
    Forget { done: oneshot::Sender<()> },
    /// Reports became durable, or the disk failed.
    Synced(Synced),
    /// The process of an attempt is about to be started; it waits for the answer.
    Beginning { attempt: AttemptId, written: oneshot::Sender<()> },
    /// The process of an attempt was started.
    Started { attempt: AttemptId, at: Time, pid: Option<i32> },
    /// A test wants this done after its end; it waits for the answer.
    CleanupAsked { attempt: AttemptId, cleanup: Cleanup, kept: oneshot::Sender<()> },
    /// A step test with a clean-up begins.
    StepsBegun { attempt: AttemptId },
    /// It learned something that its clean-up may need.
    StepLearned { attempt: AttemptId, name: String, value: String },
    /// An attempt has left its lane.
    Finished { attempt: AttemptId, finish: Finish },
    /// What an attempt of an earlier life of this EP left to be done is done.
    Settled { ended: Box<Ended> },
    /// Someone on the local socket has this secret: who is it?
    Hello { token: Secret, answer: oneshot::Sender<Option<Guest>> },
    /// A test asks the engine, or a person.
    Question { attempt: AttemptId, question: Question, answer: oneshot::Sender<Result<Value, Problem>> },
    /// The engine is to be told this, if it is there.
    Say(EpToEngine),
    /// The process of a script around a run was started.
    ScriptStarted { run: RunId, hook: Hook, pid: i32 },
    /// A script around a run has ended.
    ScriptEnded(Box<ScriptEnded>),
    /// The disk takes no log bytes, for this reason; or takes them again.
    LogSpool { trouble: Option<String> },
    /// Log bytes were given up after the engine had not stored them for long.
    LogsAbandoned { attempt: AttemptId, bytes: u64 },
}

/// What a test wants to know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Question {
    /// The engine answers by itself.
    Call(Call),
    /// A person answers.
    Ask(Ask),
}

impl Question {
    /// How it is put to the engine.
    pub(crate) fn message(&self, id: u64, attempt: AttemptId) -> EpToEngine {
        match self {
            Self::Call(call) => EpToEngine::Call { id, attempt, call: call.clone() },
            Self::Ask(ask) => EpToEngine::Ask { id, attempt, ask: ask.clone() },
        }
    }
}

impl From<Call> for Question {
    fn from(call: Call) -> Self {
        Self::Call(call)
    }
}

impl From<Ask> for Question {
    fn from(ask: Ask) -> Self {
        Self::Ask(ask)
    }
}

/// A place among the messages that may wait; free again when this is dropped.
pub(crate) type Place = tokio::sync::OwnedSemaphorePermit;

/// What this EP still has from before, for its Hello.
#[derive(Clone, Debug, Default)]
pub(crate) struct Possession {
    /// Attempts whose end is not acknowledged.
    pub(crate) held: Vec<Held>,
    /// Runs that are open here.
    pub(crate) runs: Vec<RunId>,
    /// Scripts whose end is not acknowledged.
    pub(crate) scripts: Vec<HeldScript>,
    /// What is wrong with it.
    pub(crate) notices: Vec<Notice>,
    /// More may have been done than it knows.
    pub(crate) records_lost: bool,
}

/// A test on the local socket.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub(crate) order: Arc<jackfield_protocol::link::Assignment>,
    pub(crate) context: Arc<jackfield_protocol::link::RunContext>,
    pub(crate) said: mpsc::Sender<Said>,
}

/// How an attempt is to end, if it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself.
    #[default]
    Itself,
    /// Given back, if it is not started yet.
    TakenBack,
    /// Now, with this outcome.
    With(Outcome),
    /// Now, and without a report: the engine does not want it any more.
    Unwanted,
}

impl End {
    /// Whether a test that runs is to be ended.
    pub(crate) fn is_now(&self) -> bool {
        match self {
            Self::Itself | Self::TakenBack => false,
            Self::With(_) | Self::Unwanted => true,
        }
    }
}
