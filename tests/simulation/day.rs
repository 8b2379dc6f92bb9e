//! One day in a lab: everything that may happen, at random but replayable, with every promise checked all the time.

mod engine;
mod leases;
mod people;
mod trouble;

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    event::Hook,
    id::{Epoch, RunId, SutName},
    link::{EngineToEp, Held, HeldScript, Report},
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use jackfield_resource_allocator::book::{Choice, Spot, Upkeep};
use jackfield_scheduler::{Event, Limits, Scheduler};
use jackfield_tests::dice::Dice;

use crate::{
    lab::{FromEp, LabEp, SILENCE, random_offer},
    oracle::Story,
    store::Store,
};

/// When troubles end: everything that is broken is mended, and the day is played to its end.
const MENDED: u64 = 300_000;
/// By then every run has ended, whatever happened.
const OVER: u64 = MENDED + 40 * 3_600_000;
/// Events between two full checks of the scheduler.
const CHECKED_EVERY: u64 = 5;
/// Different needs that runs and persons may have.
pub(crate) const NEEDS: u64 = 3;
/// No day needs more steps.
const STEPS_MAX: u32 = 60_000;

enum Happening {
    /// A hello on a new connection arrives at the engine.
    Hello {
        ep: usize,
        link: u64,
        held: Vec<Held>,
        runs: Vec<RunId>,
        scripts: Vec<HeldScript>,
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
    Restart,
    Person,
    /// Somebody wants a device for themselves, or has had enough of it.
    Lease,
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
    /// What SUTs link to.
    linked: BTreeMap<SutName, Arc<[Spot]>>,
    /// How resources are looked after.
    upkeep: Upkeep,
    /// What fits needs.
    choices: BTreeMap<Arc<str>, Arc<Choice>>,
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
            script_timeout_millis: 60_000,
            script_output_bytes: 1_000,
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
                jackfield_scheduler::Restored { limits, links: leases::links(0), ..Default::default() },
            ),
            linked: leases::links(0),
            upkeep: Upkeep::default(),
            choices: leases::choices(0),
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
            for _ in 0..self.dice.below(12) {
                let at = self.dice.below(120_000);
                self.plan_in(at, Happening::Lease);
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
        self.engine(Event::NeedsFit { choices: self.choices.clone() })?;
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
        let over = self.mended && self.to_submit == 0 && self.scheduler.runs().next().is_none();
        over && self.eps.iter().all(|ep| ep.known.is_empty())
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
            Happening::Hello { ep, link, held, runs, scripts } => self.hello(ep, link, held, runs, scripts),
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
                    Outcome::pass(DecidedBy::Declared)
                } else {
                    Outcome::not_pass(Verdict::Fail, Cause::Lab, DecidedBy::Declared, "exit status 1")
                };
                self.engine(Event::HookEnded { run, hook, outcome, output: String::new() })
            }
            Happening::Echo(event) => self.engine(*event),
            Happening::Trouble => self.trouble(),
            Happening::Restart => self.restart(),
            Happening::Person => self.person(),
            Happening::Lease => self.lease(),
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
        let scripts = self.eps[ep].held_scripts();
        let runs = self.eps[ep].known.iter().copied().collect();
        let at = self.now + self.dice.below(50);
        self.wires.insert(link, Wire { epoch: None, to_engine: at, to_ep: at, cut: u64::MAX });
        self.plan_at(at, Happening::Hello { ep, link, held, runs, scripts });
    }

    fn hello(
        &mut self,
        ep: usize,
        link: u64,
        held: Vec<Held>,
        runs: Vec<RunId>,
        scripts: Vec<HeldScript>,
    ) -> Result<(), String> {
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
        self.engine(Event::EpConnected { ep: name, epoch, offer, held, runs, scripts, records_lost: false })
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
            FromEp::Report(seq, Report::ScriptEnded(ended)) => {
                (Some(seq), Event::ScriptEnded { ep: name, epoch, ended })
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
}
