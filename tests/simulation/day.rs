//! One day in a lab: everything that may happen, at random but replayable, with every promise checked all the time.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    event::{Fact, Hook, RunState},
    id::{AttemptId, EpName, Epoch, RunId, SuiteIndex, TestIndex, UserName},
    link::{EngineToEp, Held, HeldState, Report, Welcome},
    plan::Role,
    time::Time,
    verdict::{Cause, Outcome, TestState, Verdict},
};
use jackfield_scheduler::{
    Effects, Event, Limits, Scheduler,
    effect::{AttemptState, Job, Leased},
};

use crate::{
    lab::{FromEp, LabEp, SILENCE, random_offer},
    oracle::Story,
    plan::{random_dependency, random_plan, random_test},
    rng::Dice,
    store::Store,
};

/// When troubles end: everything that is broken is mended, and the day is played to its end.
const MENDED: u64 = 300_000;
/// By then every run has ended, whatever happened.
const OVER: u64 = MENDED + 40 * 3_600_000;
/// Events between two full checks of the scheduler.
const CHECKED_EVERY: u64 = 5;
/// No day needs more steps.
const STEPS_MAX: u32 = 60_000;

enum Happening {
    /// A hello on a new connection arrives at the engine.
    Hello {
        ep: usize,
        link: u64,
        held: Vec<Held>,
    },
    ToEngine {
        ep: usize,
        link: u64,
        message: FromEp,
    },
    ToEp {
        ep: usize,
        link: u64,
        message: EngineToEp,
    },
    /// The engine notices that a connection is gone.
    Noticed {
        ep: usize,
        epoch: Epoch,
    },
    /// An EP tries to connect.
    Connect {
        ep: usize,
    },
    Hook {
        run: RunId,
        hook: Hook,
    },
    /// Something said twice, much later.
    Echo(Box<Event>),
    Trouble,
    Person,
    Submit,
    Mend,
}

/// A connection as the network has it.
struct Wire {
    epoch: Option<Epoch>,
    /// Nothing arrives before what was sent earlier.
    to_engine: u64,
    to_ep: u64,
    /// What was to arrive after this is lost.
    cut: u64,
}

pub(crate) struct Day {
    seed: u64,
    dice: Dice,
    now: u64,
    /// The engine's clock against the true one.
    skew: i64,
    limits: Limits,
    scheduler: Scheduler,
    store: Store,
    eps: Vec<LabEp>,
    wires: BTreeMap<u64, Wire>,
    /// The connection of each EP as the engine knows it.
    current: BTreeMap<usize, u64>,
    acked: BTreeMap<usize, u64>,
    epoch: u64,
    links: u64,
    agenda: BTreeMap<(u64, u64), Happening>,
    nth: u64,
    events: u64,
    stories: BTreeMap<RunId, Story>,
    to_submit: u64,
    mended: bool,
    calm: bool,
    /// Prints what is told of runs.
    loud: bool,
}

/// Plays a day.
pub(crate) fn play(seed: u64, loud: bool) -> Result<(), String> {
    let mut day = Day::new(seed, loud);
    day.run()?;
    day.judge()
}

impl Day {
    fn new(seed: u64, loud: bool) -> Self {
        let mut dice = Dice::new(seed);
        let limits = Limits {
            silence_millis: SILENCE,
            grace_millis: 20_000,
            test_timeout_millis: 60_000,
            send_ahead: usize::try_from(dice.between(1, 6)).expect("small"),
        };
        let eps: Vec<_> = (0..dice.between(1, 4))
            .map(|number| LabEp::new(seed, format!("ep{number}").into(), random_offer(&mut dice, number)))
            .collect();
        let calm = dice.percent(20);
        let mut day = Self {
            seed,
            now: 1_000_000,
            skew: 0,
            scheduler: Scheduler::restore(
                Time(0),
                jackfield_scheduler::Restored { limits, ..Default::default() },
            ),
            limits,
            store: Store::default(),
            wires: BTreeMap::new(),
            current: BTreeMap::new(),
            acked: BTreeMap::new(),
            epoch: 0,
            links: 0,
            agenda: BTreeMap::new(),
            nth: 0,
            events: 0,
            stories: BTreeMap::new(),
            to_submit: dice.between(1, 3),
            mended: false,
            calm,
            loud,
            eps,
            dice,
        };
        day.plan_agenda();
        day
    }

    fn plan_agenda(&mut self) {
        for ep in 0..self.eps.len() {
            let at = self.dice.below(10_000);
            self.plan_in(at, Happening::Connect { ep });
        }
        for _ in 0..self.to_submit {
            let at = self.dice.below(60_000);
            self.plan_in(at, Happening::Submit);
        }
        if !self.calm {
            for _ in 0..self.dice.below(8) {
                let at = self.dice.below(120_000);
                self.plan_in(at, Happening::Trouble);
            }
            for _ in 0..self.dice.below(6) {
                let at = self.dice.below(120_000);
                self.plan_in(at, Happening::Person);
            }
        }
        self.plan_in(MENDED, Happening::Mend);
    }

    fn plan_in(&mut self, millis: u64, happening: Happening) {
        self.nth += 1;
        self.agenda.insert((self.now + millis, self.nth), happening);
    }

    fn plan_at(&mut self, at: u64, happening: Happening) {
        self.nth += 1;
        self.agenda.insert((at, self.nth), happening);
    }

    fn engine_time(&self) -> Time {
        Time(i64::try_from(self.now).expect("short") + self.skew)
    }

    fn run(&mut self) -> Result<(), String> {
        for _ in 0..STEPS_MAX {
            let deadline = self.scheduler.deadline().map(|at| u64::try_from(at.0 - self.skew).unwrap_or(0));
            let agenda = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let eps = self.eps.iter().filter_map(|ep| ep.next_time(self.now)).min();
            let Some(next) = [deadline, agenda, eps].into_iter().flatten().min() else { return Ok(()) };
            if self.done() {
                return Ok(());
            }
            self.now = self.now.max(next);
            if self.now > OVER {
                return Err(format!("runs {:?} do not end: {}", self.live(), self.why()));
            }
            if deadline.is_some_and(|at| at <= self.now) {
                self.engine(Event::Tick)?;
                let again = self.scheduler.deadline().is_some_and(|at| at <= self.engine_time());
                if again {
                    return Err("a deadline stays after its tick".to_owned());
                }
            } else if agenda.is_some_and(|at| at <= self.now) {
                if let Some((_, happening)) = self.agenda.pop_first() {
                    self.happen(happening)?;
                }
            } else {
                self.step_eps();
            }
        }
        Err(format!("the day has no end; runs {:?}: {}", self.live(), self.why()))
    }

    fn live(&self) -> Vec<RunId> {
        self.scheduler.runs().collect()
    }

    fn why(&self) -> String {
        self.live().iter().map(|run| format!("{:?}; ", self.scheduler.why(*run))).collect()
    }

    fn done(&self) -> bool {
        self.mended && self.to_submit == 0 && self.scheduler.runs().next().is_none()
    }

    fn step_eps(&mut self) {
        for ep in 0..self.eps.len() {
            let due = self.eps[ep].next_time(self.now).is_some_and(|at| at <= self.now);
            if due {
                let said = self.eps[ep].step(self.now);
                self.say(ep, said);
            }
        }
    }

    /// An EP says something on its connection.
    fn say(&mut self, ep: usize, said: Vec<FromEp>) {
        let link = self.eps[ep].link;
        for message in said {
            let delay = self.dice.below(30);
            let Some(wire) = self.wires.get_mut(&link) else { return };
            wire.to_engine = wire.to_engine.max(self.now + delay);
            let at = wire.to_engine;
            self.plan_at(at, Happening::ToEngine { ep, link, message });
        }
    }

    fn happen(&mut self, happening: Happening) -> Result<(), String> {
        match happening {
            Happening::Hello { ep, link, held } => self.hello(ep, link, held),
            Happening::ToEngine { ep, link, message } => self.hear(ep, link, message),
            Happening::ToEp { ep, link, message } => {
                let lost = self.wires.get(&link).is_none_or(|wire| self.now > wire.cut);
                if !lost && self.eps[ep].link == link && self.eps[ep].up {
                    let said = self.eps[ep].receive(self.now, message);
                    self.say(ep, said);
                }
                Ok(())
            }
            Happening::Noticed { ep, epoch } => {
                let current = self.current.get(&ep).and_then(|link| self.wires.get(link));
                if current.is_some_and(|wire| wire.epoch == Some(epoch)) {
                    self.current.remove(&ep);
                }
                let ep = self.eps[ep].name.clone();
                self.engine(Event::EpGone { ep, epoch })
            }
            Happening::Connect { ep } => {
                self.connect(ep);
                Ok(())
            }
            Happening::Hook { run, hook } => {
                let passed = self.dice.percent(80);
                let outcome = if passed {
                    Outcome::pass()
                } else {
                    Outcome::not_pass(Verdict::Fail, Cause::Lab, "exit status 1")
                };
                self.engine(Event::HookEnded { run, hook, outcome, output: String::new() })
            }
            Happening::Echo(event) => self.engine(*event),
            Happening::Trouble => self.trouble(),
            Happening::Person => self.person(),
            Happening::Submit => self.submit(),
            Happening::Mend => self.mend(),
        }
    }

    fn connect(&mut self, ep: usize) {
        if self.eps[ep].link != 0 {
            return;
        }
        self.eps[ep].up = true;
        self.links += 1;
        let link = self.links;
        self.eps[ep].connect(link);
        let held = self.eps[ep].held();
        let at = self.now + self.dice.below(50);
        self.wires.insert(link, Wire { epoch: None, to_engine: at, to_ep: at, cut: u64::MAX });
        self.plan_at(at, Happening::Hello { ep, link, held });
    }

    fn hello(&mut self, ep: usize, link: u64, held: Vec<Held>) -> Result<(), String> {
        if self.wires.get(&link).is_none_or(|wire| self.now > wire.cut) {
            return Ok(());
        }
        self.epoch += 1;
        let epoch = Epoch(self.epoch);
        if let Some(wire) = self.wires.get_mut(&link) {
            wire.epoch = Some(epoch);
        }
        self.current.insert(ep, link);
        let (name, offer) = (self.eps[ep].name.clone(), self.eps[ep].offer.clone());
        self.engine(Event::EpConnected { ep: name, epoch, offer, held })
    }

    fn hear(&mut self, ep: usize, link: u64, message: FromEp) -> Result<(), String> {
        let Some(wire) = self.wires.get(&link) else { return Ok(()) };
        let (Some(epoch), false) = (wire.epoch, self.now > wire.cut) else { return Ok(()) };
        let name = self.eps[ep].name.clone();
        let (seq, event) = match message {
            FromEp::Returned(attempts) => (None, Event::AttemptsReturned { ep: name, epoch, attempts }),
            FromEp::Report(seq, Report::Started { attempt, at }) => {
                (Some(seq), Event::AttemptStarted { ep: name, epoch, attempt, at })
            }
            FromEp::Report(seq, Report::Ended(ended)) => {
                (Some(seq), Event::AttemptEnded { ep: name, epoch, ended })
            }
        };
        if self.dice.percent(4) {
            let later = self.dice.below(20_000);
            self.plan_in(later, Happening::Echo(Box::new(event.clone())));
        }
        self.engine(event)?;
        // What arrived on a stale connection is not acknowledged.
        if let Some(seq) = seq.filter(|_| self.current.get(&ep) == Some(&link)) {
            let acked = self.acked.entry(ep).or_default();
            *acked = (*acked).max(seq);
            self.tell(ep, link, EngineToEp::Ack { seq });
        }
        Ok(())
    }

    fn tell(&mut self, ep: usize, link: u64, message: EngineToEp) {
        let delay = self.dice.below(30);
        let Some(wire) = self.wires.get_mut(&link) else { return };
        wire.to_ep = wire.to_ep.max(self.now + delay);
        let at = wire.to_ep;
        self.plan_at(at, Happening::ToEp { ep, link, message });
    }

    /// One event for the engine, and all that it leads to.
    fn engine(&mut self, event: Event) -> Result<(), String> {
        let told = format!("{event:?}");
        if self.loud {
            println!("{} << {told}", self.now);
        }
        let connected = if let Event::EpConnected { ep, held, .. } = &event {
            Some((ep.clone(), held.clone()))
        } else {
            None
        };
        let effects = self.scheduler.handle(self.engine_time(), event);
        self.carry_out(effects, connected)
            .and_then(|()| self.check())
            .map_err(|sentence| format!("{sentence}\n  after {told}"))
    }

    /// A replayed day is checked after every event, others now and then.
    fn check(&mut self) -> Result<(), String> {
        self.events += 1;
        if self.loud || self.events.is_multiple_of(CHECKED_EVERY) { self.scheduler.check() } else { Ok(()) }
    }

    fn carry_out(
        &mut self,
        mut effects: Effects,
        connected: Option<(EpName, Vec<Held>)>,
    ) -> Result<(), String> {
        std::mem::take(&mut effects.store).into_iter().try_for_each(|row| self.store.write(row))?;
        if let Some((name, held)) = connected {
            let keep = effects.welcome.take().ok_or("a new connection was not welcomed")?;
            self.check_kept(&held, &keep)?;
            self.welcome(&name, keep);
        }
        self.check_stopped(&effects)?;
        for sent in effects.send {
            self.check_sent(&sent.ep, &sent.message)?;
            let Some(ep) = self.eps.iter().position(|ep| ep.name == sent.ep) else { continue };
            let link = self.current.get(&ep).copied();
            let epoch = link.and_then(|link| self.wires.get(&link)).and_then(|wire| wire.epoch);
            if let Some(link) = link.filter(|_| epoch == Some(sent.epoch)) {
                self.tell(ep, link, sent.message);
            }
        }
        for event in &effects.publish {
            if self.loud {
                println!("{} {event:?}", self.now);
            }
            let story = self.stories.get_mut(&event.run).ok_or("an event of a run nobody submitted")?;
            story.hear(event)?;
        }
        for job in effects.enqueue {
            self.store.enqueue(&job);
            if let Job::RunHook { run, hook, .. } = job {
                for _ in 0..=u64::from(self.dice.percent(10)) {
                    let delay = self.dice.below(3_000);
                    self.plan_in(delay, Happening::Hook { run, hook });
                }
            }
        }
        Ok(())
    }

    /// A run that is stopped ends what runs on every EP that it can reach.
    fn check_stopped(&self, effects: &Effects) -> Result<(), String> {
        let stopping = effects.publish.iter().filter(|event| matches!(event.fact, Fact::Stopping { .. }));
        for run in stopping.map(|event| event.run) {
            let cleans = |test| self.stories.get(&run).is_some_and(|story| story.may_clean_up(test));
            for row in self.store.attempts.values().filter(|row| row.attempt.run == run) {
                let runs = row.state == AttemptState::Started && !cleans(row.attempt.test.0);
                let ep = self.eps.iter().position(|ep| Some(&ep.name) == row.ep.as_ref());
                let near = ep.is_some_and(|ep| self.current.contains_key(&ep));
                let ends = |message: &EngineToEp| matches!(message, EngineToEp::Stop { attempts, .. } if attempts.contains(&row.attempt));
                let ended = effects.send.iter().any(|sent| ends(&sent.message));
                if runs && near && !ended {
                    return Err(format!("{} runs on in a stopped run", row.attempt));
                }
            }
        }
        Ok(())
    }

    /// What has not been started goes on only in a run that goes on.
    fn check_kept(&self, held: &[Held], keep: &[AttemptId]) -> Result<(), String> {
        for held in held.iter().filter(|held| held.state == HeldState::Queued && keep.contains(&held.attempt))
        {
            let state = self.store.runs.get(&held.attempt.run).map(|row| row.state);
            let test = held.attempt.test.0;
            let cleans = self.stories.get(&held.attempt.run).is_some_and(|story| story.may_clean_up(test));
            if state != Some(RunState::Running) && !(state == Some(RunState::Stopping) && cleans) {
                return Err(format!("{} was kept while its run is {state:?}", held.attempt));
            }
        }
        Ok(())
    }

    fn welcome(&mut self, name: &EpName, keep: Vec<AttemptId>) {
        let Some(ep) = self.eps.iter().position(|ep| ep.name == *name) else { return };
        let Some(link) = self.current.get(&ep).copied() else { return };
        let welcome = Welcome {
            version: 1,
            epoch: Epoch(self.epoch),
            engine: String::new(),
            heartbeat_millis: 1_000,
            silence_millis: SILENCE,
            log_window_bytes: 0,
            acked_seq: self.acked.get(&ep).copied().unwrap_or(0),
            keep,
        };
        self.tell(ep, link, EngineToEp::Welcome(welcome));
    }

    /// Nothing is sent without the leases for it, to a run that is paused, or against a stop.
    fn check_sent(&self, ep: &EpName, message: &EngineToEp) -> Result<(), String> {
        let EngineToEp::Assign(assignment) = message else { return Ok(()) };
        let attempt = assignment.attempt;
        let lane = Leased::Lane(ep.clone(), assignment.lane);
        if self.store.holder(&lane) != Some(attempt.run) {
            return Err(format!("{attempt} was sent to {lane:?}, which is not leased to its run"));
        }
        if let Some(sut) = &assignment.test.sut
            && self.store.holder(&Leased::Sut(sut.clone())) != Some(attempt.run)
        {
            return Err(format!("{attempt} was sent, but SUT {sut} is not leased to its run"));
        }
        let state = self.store.runs.get(&attempt.run).map(|row| row.state);
        let story = self.stories.get(&attempt.run);
        let cleans = story.is_some_and(|story| story.may_clean_up(attempt.test.0));
        match state {
            Some(RunState::Running) => Ok(()),
            Some(RunState::Stopping) if cleans => Ok(()),
            state => Err(format!("{attempt} was sent while its run is {state:?}")),
        }
    }

    fn submit(&mut self) -> Result<(), String> {
        self.to_submit -= 1;
        let run = RunId(u64::try_from(self.stories.len()).expect("small") + 1);
        let eps = u64::try_from(self.eps.len()).expect("small").min(3);
        let user = if self.dice.percent(50) { "ana" } else { "bob" };
        let plan = Arc::new(random_plan(&mut self.dice, user, eps));
        self.stories.insert(run, Story::new(run, Arc::clone(&plan)));
        self.engine(Event::RunSubmitted { run, plan })
    }

    fn any_run(&mut self) -> Option<RunId> {
        let live = self.live();
        self.dice.pick(&live).copied()
    }

    /// A person does something.
    fn person(&mut self) -> Result<(), String> {
        let Some(run) = self.any_run() else { return Ok(()) };
        let by = UserName::from("ana");
        match self.dice.below(10) {
            0 | 1 => {
                let later = self.dice.below(30_000);
                self.plan_in(later, Happening::Echo(Box::new(Event::RunResumed { run, by: by.clone() })));
                self.engine(Event::RunPaused { run, by })
            }
            2 | 3 => self.engine(Event::RunStopped { run, by, reason: "enough".to_owned() }),
            4 | 5 => self.queue(run, by),
            6..=8 => self.dequeue(run, by),
            _ => {
                let ep = usize::try_from(self.dice.below(u64::try_from(self.eps.len()).expect("small")))
                    .expect("small");
                let ep = self.eps[ep].name.clone();
                let drained = self.dice.percent(50);
                self.engine(Event::EpDrained { ep, drained })
            }
        }
    }

    fn queue(&mut self, run: RunId, by: UserName) -> Result<(), String> {
        let tests = self.scheduler.run_view(run).map_or(0, |view| view.tests);
        let suites: Vec<_> =
            (0..20).map(SuiteIndex).filter(|suite| self.scheduler.may_queue(run, *suite).is_ok()).collect();
        let Some(suite) = self.dice.pick(&suites).copied() else { return Ok(()) };
        let queued: Vec<_> = (0..self.dice.between(1, 2))
            .map(|nth| {
                let mut test =
                    random_test(&mut self.dice, suite, Role::Test, &format!("q{}", u64::from(tests) + nth));
                if self.dice.percent(30) {
                    test.depends.extend(random_dependency(&mut self.dice, tests));
                }
                test
            })
            .collect();
        if let Some(story) = self.stories.get_mut(&run) {
            story.queue(suite, &queued);
        }
        self.engine(Event::TestsQueued { run, suite, tests: queued, by })
    }

    fn dequeue(&mut self, run: RunId, by: UserName) -> Result<(), String> {
        let views: Vec<_> = self.scheduler.test_views(run).collect();
        let open = views.iter().filter(|view| matches!(view.state, TestState::Pending | TestState::Waiting));
        let open: Vec<TestIndex> = open.map(|view| view.test).collect();
        let tests: Vec<_> =
            (0..self.dice.between(1, 3)).filter_map(|_| self.dice.pick(&open).copied()).collect();
        self.engine(Event::TestsDequeued { run, tests, by })
    }

    /// Something breaks.
    fn trouble(&mut self) -> Result<(), String> {
        let ep =
            usize::try_from(self.dice.below(u64::try_from(self.eps.len()).expect("small"))).expect("small");
        let away = match self.dice.below(4) {
            0 => self.dice.below(1_000),
            1 | 2 => self.dice.below(15_000),
            _ => self.dice.below(90_000),
        };
        match self.dice.below(10) {
            0..=3 => {
                self.cut(ep);
                self.eps[ep].disconnect();
                self.plan_in(away, Happening::Connect { ep });
            }
            4..=6 => {
                self.cut(ep);
                let (disk, careful) = (self.dice.percent(80), self.dice.percent(50));
                let torn = self.dice.percent(25);
                self.eps[ep].die(self.now, disk, careful, torn);
                if !torn && self.dice.percent(30) {
                    self.eps[ep].offer.lanes = if self.dice.percent(50) { 2 } else { 1 };
                }
                self.plan_in(away, Happening::Connect { ep });
            }
            7 | 8 => return self.restart(),
            _ => {
                let forth = i64::try_from(self.dice.below(100_000)).expect("small");
                self.skew += if self.dice.percent(50) { forth } else { -(forth / 10) };
            }
        }
        Ok(())
    }

    /// A connection ends: some of what is under way is lost, and the engine may take long to notice.
    fn cut(&mut self, ep: usize) {
        let link = self.eps[ep].link;
        let lost_after = self.now + self.dice.below(40);
        let notice = if self.dice.percent(50) { self.dice.below(200) } else { self.dice.below(SILENCE) };
        let Some(wire) = self.wires.get_mut(&link) else { return };
        wire.cut = wire.cut.min(lost_after);
        if let Some(epoch) = wire.epoch {
            self.plan_in(notice, Happening::Noticed { ep, epoch });
        }
    }

    /// The engine dies and starts again from its rows.
    fn restart(&mut self) -> Result<(), String> {
        for ep in 0..self.eps.len() {
            if let Some(wire) = self.wires.get_mut(&self.eps[ep].link) {
                wire.cut = self.now;
            }
            if self.eps[ep].link != 0 {
                self.eps[ep].disconnect();
                let back = self.dice.below(8_000);
                self.plan_in(back, Happening::Connect { ep });
            }
        }
        self.current.clear();
        self.agenda.retain(|_, happening| !matches!(happening, Happening::Noticed { .. }));
        let now = self.engine_time();
        let restored = Scheduler::restore(now, self.store.restored(self.limits));
        let mut before = std::mem::replace(&mut self.scheduler, restored);
        let eps: Vec<_> =
            before.ep_view().filter(|ep| ep.gone.is_none()).map(|ep| (ep.ep, ep.epoch)).collect();
        for (ep, epoch) in eps {
            before.handle(now, Event::EpGone { ep, epoch });
        }
        before.handle(now, Event::Tick);
        self.engine(Event::Tick)?;
        self.same_as(&before)
    }

    /// The restored scheduler knows what the one before knew.
    fn same_as(&self, before: &Scheduler) -> Result<(), String> {
        let runs: Vec<_> = before.runs().collect();
        if runs != self.live() {
            return Err(format!("runs {runs:?} became {:?} in a restart", self.live()));
        }
        for run in runs {
            let view = |scheduler: &Scheduler| {
                scheduler
                    .run_view(run)
                    .map(|view| (view.state, view.started, view.stopped, view.tests, view.counts))
            };
            let (old, new) = (view(before), view(&self.scheduler));
            if old != new {
                return Err(format!("run {run}: {old:?} became {new:?} in a restart"));
            }
            for (old, new) in before.test_views(run).zip(self.scheduler.test_views(run)) {
                if old != new {
                    return Err(format!("run {run}: {old:?} became {new:?} in a restart"));
                }
            }
            // Whether a part was lent or given up before stands in no row; where a run reassigns, both may go elsewhere.
            let reassigns = self.stories.get(&run).is_some_and(Story::reassigns);
            let (old, new) = (before.why(run), self.scheduler.why(run));
            if old != new && !reassigns {
                return Err(format!("run {run} waited for {old:?}, and for {new:?} after a restart"));
            }
        }
        Ok(())
    }

    /// Everything that is broken is mended.
    fn mend(&mut self) -> Result<(), String> {
        self.mended = true;
        for ep in 0..self.eps.len() {
            let name = self.eps[ep].name.clone();
            self.plan_in(0, Happening::Connect { ep });
            self.engine(Event::EpDrained { ep: name, drained: false })?;
        }
        for run in self.live() {
            self.engine(Event::RunResumed { run, by: "ana".into() })?;
        }
        Ok(())
    }

    fn judge(&self) -> Result<(), String> {
        for (run, story) in &self.stories {
            story.judge(self.seed)?;
            if self.store.finished.get(run) != Some(&1) {
                return Err(format!("run {run} was finished {:?} times", self.store.finished.get(run)));
            }
        }
        if let Some((hook, times)) = self.store.hooks.iter().find(|(_, times)| **times != 1) {
            return Err(format!("the hook {hook:?} (run, post) was asked for {times} times"));
        }
        if let Some(part) = self.store.parts.values().find(|part| !part.ended || part.place.is_some()) {
            return Err(format!("{part:?} outlives its run"));
        }
        if self.store.leases() != 0 {
            return Err(format!("{} leases outlive their runs", self.store.leases()));
        }
        Ok(())
    }
}
