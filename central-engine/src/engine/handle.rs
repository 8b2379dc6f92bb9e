//! The way to the loop, for everything that is not the loop.

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{EpName, Epoch, RunId, UserName},
    link::{EngineToEp, Hello},
    plan::RunPlan,
};
use jackfield_scheduler::{Event, Scheduler};
use tokio::sync::{mpsc, oneshot};

use crate::{engine::questions::Asked, limits};

/// What the loop is asked to do.
pub(crate) enum Command {
    /// Start a plan; `key` is the client's own for this submission.
    Submit { plan: Box<RunPlan>, key: Option<String>, reply: oneshot::Sender<Result<RunId, Problem>> },
    /// Anything for the scheduler; refused where it makes no sense.
    Event { event: Event, reply: oneshot::Sender<Result<(), Problem>> },
    /// Look at the scheduler between two events.
    Ask(Box<dyn FnOnce(&Scheduler) + Send>),
    /// An EP said hello.
    Connect {
        hello: Box<Hello>,
        outgoing: mpsc::Sender<EngineToEp>,
        reply: oneshot::Sender<Result<Epoch, Problem>>,
    },
    /// An EP reports something that must be acknowledged.
    Report { ep: EpName, epoch: Epoch, seq: u64, event: Event },
    /// An EP said something that needs no acknowledgement, or is gone.
    FromEp(Event),
    /// A test asks a person.
    Question(Asked),
    /// A person answers.
    Answer {
        run: RunId,
        question: u64,
        answer: serde_json::Value,
        by: UserName,
        reply: oneshot::Sender<Result<(), Problem>>,
    },
}

/// How the rest of the engine talks to the loop.
#[derive(Clone)]
pub struct EngineHandle {
    commands: mpsc::Sender<Command>,
}

/// A loop that has ended, or does not keep up.
fn gone() -> Problem {
    Problem::new(ErrorCode::Unavailable, "the engine is going down; try again in a moment")
}

impl EngineHandle {
    /// A handle, and what the loop reads.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Command>) {
        let (commands, receiver) = mpsc::channel(limits::COMMANDS_WAITING_MAX);
        (Self { commands }, receiver)
    }

    /// Hands something to the loop; waits while it is [`limits::COMMANDS_WAITING_MAX`] behind.
    pub(crate) async fn tell(&self, command: Command) -> Result<(), Problem> {
        self.commands.send(command).await.ok().ok_or_else(gone)
    }

    /// Starts a plan; answers when it is stored. A client's key is stored with it, for [`crate::run::submit`] to find.
    ///
    /// # Errors
    /// The store did not take it, or the engine is going down.
    pub(crate) async fn start(&self, plan: RunPlan, key: Option<String>) -> Result<RunId, Problem> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Submit { plan: Box::new(plan), key, reply }).await?;
        answer.await.ok().unwrap_or_else(|| Err(gone()))
    }

    /// Hands an event to the scheduler; answers when what it led to is stored.
    ///
    /// # Errors
    /// There is no such run, it has ended, the store did not take it, or the engine is going down.
    pub async fn event(&self, event: Event) -> Result<(), Problem> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Event { event, reply }).await?;
        answer.await.ok().unwrap_or_else(|| Err(gone()))
    }

    /// Reads the scheduler between two events.
    ///
    /// # Errors
    /// The engine is going down.
    pub async fn ask<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Scheduler) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (reply, answer) = oneshot::channel();
        let look = move |scheduler: &Scheduler| drop(reply.send(look(scheduler)));
        self.tell(Command::Ask(Box::new(look))).await?;
        answer.await.ok().ok_or_else(gone)
    }

    /// Answers a test's question.
    ///
    /// # Errors
    /// There is no such question, or the answer does not fit it.
    pub async fn answer(
        &self,
        run: RunId,
        question: u64,
        answer: serde_json::Value,
        by: UserName,
    ) -> Result<(), Problem> {
        let (reply, done) = oneshot::channel();
        self.tell(Command::Answer { run, question, answer, by, reply }).await?;
        done.await.ok().unwrap_or_else(|| Err(gone()))
    }
}
