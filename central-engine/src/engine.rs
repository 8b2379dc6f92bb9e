//! The loop: every event passes through one task, which decides with the pure scheduler and then acts in one order.
//!
//! ```text
//! commands ──▶ take all that wait ──▶ scheduler.handle, one by one ──▶ commit once ──▶ send ──▶ show ──▶ reply
//!                                                                          │ fails
//!                                                                          ▼
//!                                                restore from the rows; every EP says hello again
//! ```
//!
//! Nobody hears of anything that is not committed: what a person saw, or an EP was told, survives a power cut.

use std::{collections::BTreeMap, time::Duration};

use jackfield_protocol::{
    error::Problem,
    event::Fact,
    id::{AttemptId, EpName, Epoch, RunId},
    link::{EngineToEp, Hello, Welcome},
    plan::RunPlan,
};
use jackfield_scheduler::{Effects, Event, Scheduler, effect::ToEp, event::EpOffer};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub(crate) use self::handle::Command;
pub use self::handle::EngineHandle;
use self::refusal::refusal;
use crate::{
    clock,
    engine::questions::{Asked, Questions},
    lab::eps::{Connected, Eps},
    limits,
    live::Live,
    store::{Batch, Store, attempt::Artifact, ep::EpSeen, job::Work, submission::Submission},
};

mod handle;
pub(crate) mod questions;
mod refusal;
pub(crate) mod restore;

/// What every EP is told of the connection's terms.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) engine: String,
    pub(crate) heartbeat_millis: u64,
    pub(crate) silence_millis: u64,
    pub(crate) log_window_bytes: u64,
}

/// The loop's state: the scheduler, and what no row keeps.
pub(crate) struct Engine {
    scheduler: Scheduler,
    store: Store,
    live: Live,
    terms: Terms,
    eps: Eps,
    questions: Questions,
    last_epoch: Epoch,
}

/// What was decided and is not done yet.
#[derive(Default)]
struct Turn {
    batch: Batch,
    send: Vec<ToEp>,
    /// Connections that begin, and those that are gone.
    connected: Vec<Connected>,
    gone: Vec<(EpName, Epoch)>,
    /// Said after the commit, in this order, before the scheduler's own messages.
    first: Vec<(EpName, Epoch, EngineToEp)>,
    /// Newest report of each EP in this turn.
    acks: BTreeMap<(EpName, Epoch), u64>,
    replies: Vec<Reply>,
}

/// Whom to tell how it went, after the commit.
enum Reply {
    Run(oneshot::Sender<Result<RunId, Problem>>, RunId),
    Epoch(oneshot::Sender<Result<Epoch, Problem>>, Epoch),
    Done(oneshot::Sender<Result<(), Problem>>),
}

impl Turn {
    fn add(&mut self, effects: Effects) {
        let Effects { store, send, publish, enqueue, welcome: _ } = effects;
        self.batch.rows.extend(store);
        self.batch.events.extend(publish);
        self.batch.jobs.extend(enqueue.into_iter().map(Work::from));
        self.send.extend(send);
    }
}

impl Reply {
    fn send(self, outcome: Result<(), Problem>) {
        // Whoever asked may have stopped waiting: nothing is lost, the deed is stored.
        match self {
            Self::Run(reply, run) => drop(reply.send(outcome.map(|()| run))),
            Self::Epoch(reply, epoch) => drop(reply.send(outcome.map(|()| epoch))),
            Self::Done(reply) => drop(reply.send(outcome)),
        }
    }
}

/// Why the loop came to an end.
pub(crate) enum LoopEnd {
    /// The engine is going down.
    Stopped,
    /// The store failed: what is in memory is not what is stored.
    CommitFailed,
}

impl Engine {
    /// An engine that knows what the rows say.
    pub(crate) fn new(scheduler: Scheduler, store: Store, live: Live, eps: Eps, terms: Terms) -> Self {
        let last_epoch = scheduler.ep_view().map(|ep| ep.epoch).max().unwrap_or_default();
        Self { scheduler, store, live, terms, eps, questions: Questions::default(), last_epoch }
    }

    /// Takes commands until the engine goes down or a commit fails.
    pub(crate) async fn run(
        mut self,
        commands: &mut mpsc::Receiver<Command>,
        stop: &CancellationToken,
    ) -> LoopEnd {
        let mut waiting = Vec::new();
        loop {
            let wake = self.sleep_until_deadline();
            tokio::select! {
                biased;
                () = stop.cancelled() => return LoopEnd::Stopped,
                count = commands.recv_many(&mut waiting, limits::COMMANDS_PER_COMMIT_MAX) => {
                    if count == 0 {
                        return LoopEnd::Stopped;
                    }
                }
                () = wake => {}
            }
            let turn = self.decide(waiting.drain(..));
            if let Err(end) = self.act(turn).await {
                self.eps.close_all();
                return end;
            }
        }
    }

    /// Ends when the scheduler or a question wants to be woken; never, where neither does.
    fn sleep_until_deadline(&self) -> impl Future<Output = ()> + use<> {
        let deadline = [self.scheduler.deadline(), self.questions.deadline()].into_iter().flatten().min();
        let wait = deadline.map(|at| Duration::from_millis(at.millis_since(clock::now())));
        async move {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Everything these commands, and the time, lead to. Touches nothing outside.
    fn decide(&mut self, commands: impl Iterator<Item = Command>) -> Turn {
        let mut turn = Turn::default();
        for command in commands {
            self.decide_one(command, &mut turn);
        }
        let now = clock::now();
        for given in self.questions.expired(now) {
            turn.first.push((given.ep, given.epoch, given.message));
            self.feed(Event::Noted { run: given.run, fact: given.fact }, &mut turn);
        }
        if self.scheduler.deadline().is_some_and(|at| at <= now) {
            self.feed(Event::Tick, &mut turn);
        }
        turn
    }

    fn decide_one(&mut self, command: Command, turn: &mut Turn) {
        match command {
            Command::Submit { plan, key, reply } => self.submit(*plan, key, reply, turn),
            Command::Event { event, reply } => match refusal(&self.scheduler, &event) {
                Some(problem) => drop(reply.send(Err(problem))),
                None => {
                    self.feed(event, turn);
                    turn.replies.push(Reply::Done(reply));
                }
            },
            Command::Ask(look) => look(&self.scheduler),
            Command::Connect { hello, outgoing, reply } => self.connect(*hello, outgoing, reply, turn),
            Command::Report { ep, epoch, seq, event } => self.report(ep, epoch, seq, event, turn),
            Command::FromEp(event) => {
                self.note_gone(&event, turn);
                self.feed(event, turn);
            }
            Command::Question(asked) => self.question(asked, turn),
            Command::Answer { run, question, answer, by, reply } => {
                match self.questions.answer(run, question, answer, by) {
                    Err(problem) => drop(reply.send(Err(problem))),
                    Ok(given) => {
                        turn.first.push((given.ep, given.epoch, given.message));
                        self.feed(Event::Noted { run, fact: given.fact }, turn);
                        turn.replies.push(Reply::Done(reply));
                    }
                }
            }
        }
    }

    fn feed(&mut self, event: Event, turn: &mut Turn) {
        let effects = self.scheduler.handle(clock::now(), event);
        turn.add(effects);
    }

    fn submit(
        &mut self,
        plan: RunPlan,
        key: Option<String>,
        reply: oneshot::Sender<Result<RunId, Problem>>,
        turn: &mut Turn,
    ) {
        let run = self.store.next_run();
        let owner = plan.user.clone();
        self.feed(Event::RunSubmitted { run, plan: plan.into() }, turn);
        turn.batch.submissions.extend(key.map(|key| Submission { owner, key, run }));
        turn.replies.push(Reply::Run(reply, run));
    }

    /// Gives a connection its epoch and its terms; what an older connection of the same EP asked, it asks again.
    fn connect(
        &mut self,
        hello: Hello,
        outgoing: mpsc::Sender<EngineToEp>,
        reply: oneshot::Sender<Result<Epoch, Problem>>,
        turn: &mut Turn,
    ) {
        let epoch = Epoch(self.last_epoch.0.saturating_add(1));
        self.last_epoch = epoch;
        turn.connected.push(Connected::new(&hello, epoch, outgoing));
        let Hello {
            ep, labels, capabilities, lanes, pool, held, runs, scripts, notices, host, software, ..
        } = hello;
        turn.batch.seen.push(EpSeen { ep: ep.clone(), at: clock::now(), host, software });
        self.questions.forget_ep(&ep);
        let offer = EpOffer { labels, capabilities, lanes, pool };
        let event = Event::EpConnected { ep: ep.clone(), epoch, offer, held, runs, scripts };
        let mut effects = self.scheduler.handle(clock::now(), event);
        let keep = effects.welcome.take().unwrap_or_default();
        turn.add(effects);
        self.feed(Event::EpNotices { ep: ep.clone(), epoch, notices }, turn);
        let Terms { engine, heartbeat_millis, silence_millis, log_window_bytes } = self.terms.clone();
        let welcome = EngineToEp::Welcome(Welcome {
            version: jackfield_protocol::link::VERSION,
            epoch,
            engine,
            heartbeat_millis,
            silence_millis,
            log_window_bytes,
            // What the EP repeats of its spool is known by its attempts, so no row counts reports.
            acked_seq: 0,
            keep,
            life: String::new(),
            foreign: false,
            can: Vec::new(),
        });
        turn.first.push((ep, epoch, welcome));
        turn.replies.push(Reply::Epoch(reply, epoch));
    }

    fn report(&mut self, ep: EpName, epoch: Epoch, seq: u64, event: Event, turn: &mut Turn) {
        if let Event::AttemptEnded { ended, .. } = &event {
            self.questions.forget(ended.attempt);
            let left = ended.artifacts.iter();
            turn.batch.artifacts.extend(left.map(|(name, hash)| Artifact {
                attempt: ended.attempt,
                name: name.clone(),
                hash: *hash,
            }));
        }
        self.feed(event, turn);
        let newest = turn.acks.entry((ep, epoch)).or_default();
        *newest = seq.max(*newest);
    }

    fn note_gone(&mut self, event: &Event, turn: &mut Turn) {
        if let Event::EpGone { ep, epoch } = event {
            self.questions.forget_connection(ep, *epoch);
            turn.gone.push((ep.clone(), *epoch));
        }
    }

    /// Announces a question in its run; the announcement's number becomes the question's.
    fn question(&mut self, asked: Asked, turn: &mut Turn) {
        let AttemptId { run, .. } = asked.attempt;
        let next = self.scheduler.run_view(run).map_or(0, |view| view.seq.saturating_add(1));
        let fact = Fact::Asked { attempt: asked.attempt, question: next, interact: asked.interact.clone() };
        let effects = self.scheduler.handle(clock::now(), Event::Noted { run, fact });
        match questions::announced(&effects.publish, asked.attempt) {
            Some(question) => self.questions.ask(clock::now(), question, asked),
            None => {
                tracing::info!(attempt = %asked.attempt, "a question of an attempt that is over was dropped")
            }
        }
        turn.add(effects);
    }

    /// Commit, then send, then show, then reply.
    async fn act(&self, turn: Turn) -> Result<(), LoopEnd> {
        let Turn { mut batch, send, connected, gone, first, acks, replies } = turn;
        batch.now = clock::now();
        let events = batch.events.clone();
        if !batch.is_empty()
            && let Err(error) = self.store.commit(batch).await
        {
            let problem = Problem::from(error);
            tracing::error!("the store refused a commit; nothing of it happened, restoring from its rows");
            replies.into_iter().for_each(|reply| reply.send(Err(problem.clone())));
            return Err(LoopEnd::CommitFailed);
        }
        connected.into_iter().for_each(|connected| self.eps.connected(connected));
        gone.iter().for_each(|(ep, epoch)| self.eps.gone(ep, *epoch));
        for (ep, epoch, message) in first {
            self.eps.send(&ep, epoch, message);
        }
        for ToEp { ep, epoch, message } in send {
            self.eps.send(&ep, epoch, message);
        }
        for ((ep, epoch), seq) in acks {
            self.eps.send(&ep, epoch, EngineToEp::Ack { seq });
        }
        self.live.publish(&events);
        replies.into_iter().for_each(|reply| reply.send(Ok(())));
        Ok(())
    }
}
