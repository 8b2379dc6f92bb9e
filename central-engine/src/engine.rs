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

use std::{sync::Arc, time::Duration};

use jackfield_config::engine::HealthSettings;
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    event::Fact,
    id::{AttemptId, EpName, Epoch, RunId, UserName},
    link::{EngineToEp, Hello, LIFE_CAPABILITY, Welcome},
};
use jackfield_scheduler::{
    Event, Scheduler,
    effect::{Row, ToEp},
    event::EpOffer,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

pub use self::handle::EngineHandle;
pub(crate) use self::handle::{Command, Start, Wished};
use self::{
    possession::Possession,
    refusal::refusal,
    turn::{Reply, Turn},
};
use crate::{
    auth::Pass,
    clock,
    engine::questions::{Asked, Questions},
    lab::{
        consoles::Consoles,
        eps::{Connected, Eps},
        resources::{Links, Needs, Signs},
    },
    limits,
    live::Live,
    run::notices,
    settings::LinkSettings,
    store::{
        self, Store, StoreError, attempt::Artifact, audit::Deed, ep::EpSeen, life::Lives,
        submission::Submission,
    },
};

mod handle;
mod lease;
mod possession;
pub(crate) mod questions;
mod refusal;
pub(crate) mod restore;
mod turn;

/// What every EP is told of the connection's terms.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) engine: String,
    pub(crate) link: LinkSettings,
    /// The present life of the engine, and all it had.
    pub(crate) life: String,
    pub(crate) lives: Arc<Lives>,
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
    /// What SUTs link to.
    links: watch::Receiver<Links>,
    /// What fits the needs that somebody waits for.
    needs: Needs,
    /// What the tree says of the health of resources, and the settings.
    signs: watch::Receiver<Signs>,
    care: HealthSettings,
    /// Those end with what let them in.
    consoles: Consoles,
}

/// Why the loop came to an end.
pub(crate) enum LoopEnd {
    /// The engine is going down.
    Stopped,
    /// The store failed: what is in memory is not what is stored.
    CommitFailed,
    /// The store is damaged: it would fail again and again.
    Damaged(StoreError),
}

impl LoopEnd {
    /// What an error of the store means for the loop.
    fn of(error: StoreError) -> Self {
        if matches!(error, StoreError::Damaged(_)) { Self::Damaged(error) } else { Self::CommitFailed }
    }
}

impl Engine {
    /// An engine that knows what the rows say.
    pub(crate) fn new(scheduler: Scheduler, store: Store, live: Live, eps: Eps, terms: Terms) -> Self {
        let last_epoch = scheduler.ep_view().map(|ep| ep.epoch).max().unwrap_or_default();
        let (_, links) = watch::channel(Links::new());
        let (questions, consoles, needs) = (Questions::default(), Consoles::default(), Needs::nowhere());
        let ((_, signs), care) = (watch::channel(Signs::default()), HealthSettings::default());
        Self {
            scheduler,
            store,
            live,
            terms,
            eps,
            questions,
            last_epoch,
            links,
            needs,
            signs,
            care,
            consoles,
        }
    }

    /// An engine that follows what SUTs link to, which the scheduler knows as it is now, and what fits needs, and that ends
    /// consoles.
    pub(crate) fn with_lab(self, links: watch::Receiver<Links>, needs: Needs, consoles: Consoles) -> Self {
        Self { links, needs, consoles, ..self }
    }

    /// An engine that follows what the tree says of the health of resources, which the scheduler knows as it is now.
    pub(crate) fn with_care(self, signs: watch::Receiver<Signs>, care: HealthSettings) -> Self {
        Self { signs, care, ..self }
    }

    /// Takes commands until the engine goes down or a commit fails.
    pub(crate) async fn run(
        mut self,
        commands: &mut mpsc::Receiver<Command>,
        stop: &CancellationToken,
    ) -> LoopEnd {
        let mut waiting = Vec::new();
        loop {
            self.needs.follow(self.scheduler.needs());
            let wake = self.sleep_until_deadline();
            let (mut relinked, mut refitted, mut upkept) = (false, false, false);
            tokio::select! {
                biased;
                () = stop.cancelled() => return LoopEnd::Stopped,
                count = commands.recv_many(&mut waiting, limits::COMMANDS_PER_COMMIT_MAX) => {
                    if count == 0 {
                        return LoopEnd::Stopped;
                    }
                }
                () = wake => {}
                () = followed(&mut self.links) => relinked = true,
                () = followed(&mut self.signs) => upkept = true,
                () = self.needs.changed() => refitted = true,
            }
            let mut turn = Turn::default();
            if let Err(error) = self.take(&mut waiting, &mut turn, commands).await {
                tracing::error!("keys of clients cannot be looked up: {}", error.chain());
                self.eps.close_all();
                return LoopEnd::of(error);
            }
            if relinked {
                let links = self.links.borrow_and_update().clone();
                self.feed(Event::SutsLinked { links }, &mut turn);
            }
            if upkept {
                let upkeep = self.signs.borrow_and_update().upkeep(&self.care);
                self.feed(Event::Upkept { upkeep }, &mut turn);
            }
            if refitted {
                let choices = self.needs.take();
                self.feed(Event::NeedsFit { choices }, &mut turn);
            }
            if let Err(end) = self.act(turn).await {
                self.eps.close_all();
                return end;
            }
        }
    }

    /// Decides what these commands, and the time, lead to. Reports of EPs come in bursts, each a message of its own: what follows them at
    /// once is committed with them, and nobody waits for that commit but who sends the next burst.
    async fn take(
        &mut self,
        waiting: &mut Vec<Command>,
        turn: &mut Turn,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<(), StoreError> {
        let until = tokio::time::Instant::now() + limits::REPORTS_COLLECTED;
        let mut taken = 0_usize;
        loop {
            taken = taken.saturating_add(waiting.len());
            turn.known.extend(self.known_keys(keys_of(waiting)).await?);
            self.decide(waiting.drain(..), turn);
            if !turn.only_reports() || taken >= limits::COMMANDS_PER_COMMIT_MAX {
                return Ok(());
            }
            let more = commands.recv_many(waiting, limits::COMMANDS_PER_COMMIT_MAX);
            if !tokio::time::timeout_at(until, more).await.is_ok_and(|count| count > 0) {
                return Ok(());
            }
        }
    }

    /// Ends when the scheduler or a question wants to be woken; never, where neither does.
    fn sleep_until_deadline(&self) -> impl Future<Output = ()> + use<> {
        let deadline = [self.scheduler.deadline(), self.questions.deadline()].into_iter().flatten().min();
        if self.scheduler.runs().next().is_none() {
            clock::follow_wall();
        }
        let wait = deadline.map(|at| Duration::from_millis(at.millis_since(clock::now())));
        async move {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Everything these commands, and the time, lead to. Touches nothing outside.
    fn decide(&mut self, commands: impl Iterator<Item = Command>, turn: &mut Turn) {
        for command in commands {
            self.decide_one(command, turn);
        }
        let now = clock::now();
        for given in self.questions.expired(now) {
            turn.first.push((given.ep, given.epoch, given.message));
            self.feed(Event::Noted { run: given.run, fact: given.fact }, turn);
        }
        if self.scheduler.deadline().is_some_and(|at| at <= now) {
            self.feed(Event::Tick, turn);
        }
    }

    fn decide_one(&mut self, command: Command, turn: &mut Turn) {
        match command {
            Command::Submit { start, reply } => self.submit(*start, reply, turn),
            Command::Events { events, deed, reply } => {
                let refused = events.iter().find_map(|event| refusal(&self.scheduler, event));
                if let Some(problem) = refused {
                    return drop(reply.send(Err(problem)));
                }
                events.into_iter().for_each(|event| self.feed(event, turn));
                turn.batch.audit.extend(deed);
                turn.replies.push(Reply::Done(reply));
            }
            Command::Lease { wished, reply } => self.lease(*wished, reply, turn),
            Command::Ask(look) => look(&self.scheduler),
            Command::Connect { hello, pass, outgoing, reply } => match self.refused(&hello, turn) {
                Some(problem) => drop(reply.send(Err(problem))),
                None => {
                    let epoch = self.connect(*hello, pass, outgoing, turn);
                    turn.replies.push(Reply::Epoch(reply, epoch));
                }
            },
            Command::Withdraw { withdrawn, reply } => {
                for (ep, epoch) in self.eps.let_in_with(&withdrawn) {
                    let gone = Event::EpGone { ep, epoch };
                    self.note_gone(&gone, turn);
                    self.feed(gone, turn);
                }
                turn.replies.push(Reply::Done(reply));
            }
            Command::Report { ep, epoch, seq, event } => self.report(ep, epoch, seq, event, turn),
            Command::FromEp(event) => {
                self.note_gone(&event, turn);
                self.feed(event, turn);
            }
            Command::Question(asked) => self.question(asked, turn),
            Command::Answer { run, question, answer, by, reply } => {
                let deed = Deed::new(&by, "run.answer", run, format!("question {question}"));
                match self.questions.answer(run, question, answer, by) {
                    Err(problem) => drop(reply.send(Err(problem))),
                    Ok(given) => {
                        turn.first.push((given.ep, given.epoch, given.message));
                        self.feed(Event::Noted { run, fact: given.fact }, turn);
                        turn.batch.audit.push(deed);
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

    fn submit(&mut self, start: Start, reply: oneshot::Sender<Result<RunId, Problem>>, turn: &mut Turn) {
        let Start { plan, key, deed: (action, detail) } = start;
        let owner = plan.user.clone();
        let known = key.as_ref().and_then(|key| turn.started(&owner, key));
        if let Some(run) = known {
            // Answered after the commit, like the one that it repeats.
            return turn.replies.push(Reply::Run(reply, run));
        }
        let run = self.store.next_run();
        self.feed(Event::RunSubmitted { run, plan: plan.into() }, turn);
        turn.batch.audit.push(Deed::new(&owner, action, run, detail));
        turn.batch.submissions.extend(key.map(|key| Submission { owner, key, run }));
        turn.replies.push(Reply::Run(reply, run));
    }

    /// The runs that keys of these commands have started before. The loop alone writes them, so nothing comes between the
    /// look and the decision.
    async fn known_keys(&self, keys: Vec<(UserName, String)>) -> Result<Vec<Submission>, StoreError> {
        let mut known = Vec::new();
        for (owner, key) in keys {
            let run = store::submission::find(&mut self.store.read().await?, &owner, &key).await?;
            known.extend(run.map(|run| Submission { owner, key, run }));
        }
        Ok(known)
    }

    /// Gives a connection its epoch and its terms; what an older connection of the same EP asked, it asks again.
    fn connect(
        &mut self,
        hello: Hello,
        pass: Pass,
        outgoing: mpsc::Sender<EngineToEp>,
        turn: &mut Turn,
    ) -> Epoch {
        let epoch = Epoch(self.last_epoch.0.saturating_add(1));
        self.last_epoch = epoch;
        turn.connected.push(Connected::new(&hello, epoch, pass, outgoing));
        let Possession { held, runs, scripts, foreign } = possession::ours(&self.terms.lives, &hello);
        let Hello { ep, labels, capabilities, lanes, pool, notices, host, software, records_lost, .. } =
            hello;
        turn.batch.seen.push(EpSeen { ep: ep.clone(), at: clock::now(), host, software });
        self.questions.forget_ep(&ep);
        let offer = EpOffer { labels, capabilities, lanes, pool };
        let event = Event::EpConnected { ep: ep.clone(), epoch, offer, held, runs, scripts, records_lost };
        let mut effects = self.scheduler.handle(clock::now(), event);
        let keep = effects.welcome.take().unwrap_or_default();
        turn.add(effects);
        self.feed(Event::EpNotices { ep: ep.clone(), epoch, notices }, turn);
        let Terms { engine, link, life, lives: _ } = self.terms.clone();
        let LinkSettings { heartbeat_millis, silence_millis, log_window_bytes, eps: _ } = link;
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
            life,
            foreign,
            can: vec![LIFE_CAPABILITY.into()],
        });
        turn.first.push((ep, epoch, welcome));
        epoch
    }

    /// Why a connection cannot be taken: another EP has its name, or there are too many.
    fn refused(&self, hello: &Hello, turn: &Turn) -> Option<Problem> {
        let ep = &hello.ep;
        let just_now = turn.connected.iter().any(|other| other.ep == *ep && !other.is_same(hello));
        if let Some(other) =
            self.eps.taken(hello).or_else(|| just_now.then(|| "elsewhere, just now".to_owned()))
        {
            let title = format!(
                "EP {ep} is connected already: from {other}; give this one another name in its ep.toml, or stop the other"
            );
            return Some(Problem::new(ErrorCode::NameTaken, title).field("ep"));
        }
        let (count, most) = (self.eps.count().saturating_add(turn.connected.len()), self.terms.link.eps);
        if u64::try_from(count).is_ok_and(|count| count < most) {
            return None;
        }
        let title = format!("{most} EPs are connected, and no more are served (`limits.eps` of engine.toml)");
        Some(Problem::new(ErrorCode::TooMany, title))
    }

    fn report(&mut self, ep: EpName, epoch: Epoch, seq: u64, event: Event, turn: &mut Turn) {
        if let Event::AttemptEnded { ended, .. } = &event
            && self.scheduler.is_given(&ep, epoch, ended.attempt)
        {
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
        // The scheduler numbers it.
        let fact = Fact::Asked { attempt: asked.attempt, question: 0, interact: asked.interact.clone() };
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
        let Turn { mut batch, send, connected, gone, first, acks, replies, known: _ } = turn;
        batch.now = clock::now();
        let events = batch.events.clone();
        let judged = batch.rows.iter().any(|row| matches!(row, Row::Health(_)));
        let leased = judged || batch.rows.iter().any(|row| matches!(row, Row::Lease(_)));
        let (over, taken_out) = (lease::consoles_over(&batch.rows), taken_out(&batch.rows));
        if !batch.is_empty()
            && let Err(error) = self.store.commit(batch).await
        {
            tracing::error!("the store refused a commit; nothing of it happened: {}", error.chain());
            let problem = Problem::new(error.code(), error.to_string());
            replies.into_iter().for_each(|reply| reply.send(Err(problem.clone())));
            return Err(LoopEnd::of(error));
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
        if leased {
            self.live.leases_changed();
            // Only what is not fit can need a check; what has become fit is nobody's trouble any more.
            if judged || self.scheduler.book().health().next().is_some() {
                self.live.health_changed();
            }
        }
        taken_out.iter().for_each(|told| tracing::warn!("{told}"));
        for (console, reason) in over {
            self.consoles.end(console, &reason);
        }
        replies.into_iter().for_each(|reply| reply.send(Ok(())));
        Ok(())
    }
}

/// What is told of resources that are taken out of service by themselves.
fn taken_out(rows: &[Row]) -> Vec<String> {
    let told = |row: &Row| {
        let Row::Health(health) = row else { return None };
        notices::taken_out(health)
    };
    rows.iter().filter_map(told).collect()
}

/// Ends when what is followed changes; never, where nobody says so any more.
async fn followed<T>(watched: &mut watch::Receiver<T>) {
    if watched.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The keys that clients chose for what they start.
fn keys_of(commands: &[Command]) -> Vec<(UserName, String)> {
    let key = |command: &Command| {
        let Command::Submit { start, .. } = command else { return None };
        Some((start.plan.user.clone(), start.key.clone()?))
    };
    commands.iter().filter_map(key).collect()
}
