//! The way to the loop, for everything that is not the loop.

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{EpName, Epoch, LeaseId, RunId, UserName},
    lease::LeaseView,
    link::{EngineToEp, Hello},
    plan::RunPlan,
};
use jackfield_resource_allocator::book::{Who, Wish};
use jackfield_scheduler::{Event, Scheduler};
use tokio::sync::{mpsc, oneshot};

use crate::{auth::Pass, engine::questions::Asked, lab::eps::Withdrawn, limits, store::audit::Deed};

/// What the loop is asked to do.
pub(crate) enum Command {
    /// Start a plan.
    Submit { start: Box<Start>, reply: oneshot::Sender<Result<RunId, Problem>> },
    /// Anything for the scheduler, all or nothing; refused where it makes no sense.
    Events { events: Vec<Event>, deed: Option<Deed>, reply: oneshot::Sender<Result<(), Problem>> },
    /// Something is wished of a lease, or a new one.
    Lease { wished: Box<Wished>, reply: oneshot::Sender<Result<LeaseView, Problem>> },
    /// Look at the scheduler between two events.
    Ask(Box<dyn FnOnce(&Scheduler) + Send>),
    /// An EP said hello.
    Connect {
        hello: Box<Hello>,
        pass: Pass,
        outgoing: mpsc::Sender<EngineToEp>,
        reply: oneshot::Sender<Result<Epoch, Problem>>,
    },
    /// What let EPs in does so no longer: their connections end, and they take no more tests.
    Withdraw { withdrawn: Withdrawn, reply: oneshot::Sender<Result<(), Problem>> },
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

/// A wish of a lease.
pub(crate) struct Wished {
    /// Which; of no meaning where a new one is asked for.
    pub(crate) lease: LeaseId,
    pub(crate) who: Who,
    pub(crate) wish: Wish,
    /// For the audit log; none for what nobody wants to read there.
    pub(crate) deed: Option<(&'static str, String)>,
}

/// A plan to start.
pub(crate) struct Start {
    pub(crate) plan: RunPlan,
    /// The client's own for this submission: the same again is answered with the run that it started.
    pub(crate) key: Option<String>,
    /// For the audit log: what was done, and of what.
    pub(crate) deed: (&'static str, String),
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

    /// Starts a plan; answers when it is stored, with its line of the audit log and the client's key.
    ///
    /// # Errors
    /// The store did not take it, or the engine is going down.
    pub(crate) async fn start(&self, start: Start) -> Result<RunId, Problem> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Submit { start: Box::new(start), reply }).await?;
        answer.await.ok().unwrap_or_else(|| Err(gone()))
    }

    /// Hands an event to the scheduler; answers when what it led to is stored.
    ///
    /// # Errors
    /// There is no such run, it has ended, the store did not take it, or the engine is going down.
    pub async fn event(&self, event: Event) -> Result<(), Problem> {
        self.events(vec![event], None).await
    }

    /// Does what a person wants: all of these events and their line of the audit log in one transaction, or none.
    ///
    /// # Errors
    /// As of [`Self::event`].
    pub(crate) async fn deed(&self, events: Vec<Event>, deed: Deed) -> Result<(), Problem> {
        self.events(events, Some(deed)).await
    }

    async fn events(&self, events: Vec<Event>, deed: Option<Deed>) -> Result<(), Problem> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Events { events, deed, reply }).await?;
        answer.await.ok().unwrap_or_else(|| Err(gone()))
    }

    /// Does what somebody wishes of a lease; answers when it is stored.
    ///
    /// # Errors
    /// The book refuses it, the store did not take it, or the engine is going down.
    pub(crate) async fn lease(&self, wished: Wished) -> Result<LeaseView, Problem> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Lease { wished: Box::new(wished), reply }).await?;
        answer.await.ok().unwrap_or_else(|| Err(gone()))
    }

    /// Gives the lease of a console back, when nobody can wait for that. Were the loop not to take it, it would end with the
    /// engine's life.
    pub(crate) fn give_back(&self, lease: LeaseId, user: &UserName) {
        let who = Who { user: user.clone(), manages: true };
        let wished = Wished { lease, who, wish: Wish::Release, deed: None };
        let (reply, _) = oneshot::channel();
        match self.commands.try_send(Command::Lease { wished: Box::new(wished), reply }) {
            Err(mpsc::error::TrySendError::Full(command)) => {
                let commands = self.commands.clone();
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    drop(runtime.spawn(async move { commands.send(command).await }));
                }
            }
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
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

    /// Ends the connections of EPs that were let in with this.
    ///
    /// # Errors
    /// The store did not take it, or the engine is going down.
    pub(crate) async fn withdraw(&self, withdrawn: Withdrawn) -> Result<(), Problem> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Withdraw { withdrawn, reply }).await?;
        answer.await.ok().unwrap_or_else(|| Err(gone()))
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
