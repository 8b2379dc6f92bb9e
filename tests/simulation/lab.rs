//! A simulated EP: keeps the rules of the link, and nothing else. Its tests last and end as a hash of their number says.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jackfield_protocol::{
    attempt::AttemptEnd,
    event::Hook,
    guard::{self, Latches, Raised},
    id::{AttemptId, EpName, RunId, TestIndex, UserName},
    link::{Assignment, Ended, EngineToEp, Held, HeldScript, HeldState, Report, ScriptEnded, ScriptOrder},
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use jackfield_scheduler::event::EpOffer;

use jackfield_tests::dice::Dice;

/// After this much silence an EP starts nothing more.
pub(crate) const SILENCE: u64 = 5_000;

/// What an EP says, as the engine's link hands it on.
#[derive(Clone, Debug)]
pub(crate) enum FromEp {
    Report(u64, Report),
    Returned(Vec<AttemptId>),
}

struct Running {
    assignment: Assignment,
    started: u64,
    ends: u64,
    outcome: Outcome,
}

/// A script around a run that runs here.
struct Script {
    ends: u64,
    outcome: Outcome,
}

pub(crate) struct LabEp {
    pub(crate) name: EpName,
    pub(crate) offer: EpOffer,
    /// The power is on.
    pub(crate) up: bool,
    /// The connection it has, from 1; 0: none.
    pub(crate) link: u64,
    pub(crate) welcomed: bool,
    heard: u64,
    queue: BTreeMap<u16, VecDeque<Assignment>>,
    running: BTreeMap<u16, Running>,
    scripts: BTreeMap<(RunId, Hook), Script>,
    idle_since: BTreeMap<u16, u64>,
    latches: BTreeMap<RunId, Latches>,
    opened: BTreeSet<RunId>,
    /// Runs it was told to open, on any connection, and not to close.
    pub(crate) known: BTreeSet<RunId>,
    spool: VecDeque<(u64, Report)>,
    seq: u64,
    seed: u64,
}

/// How long a test runs, and how it ends.
pub(crate) fn script(seed: u64, run: RunId, test: TestIndex) -> (u64, Verdict) {
    let mut dice = Dice::new(seed ^ (run.0 << 32) ^ u64::from(test.0));
    let millis = if dice.percent(15) { dice.between(5_000, 40_000) } else { dice.between(1, 3_000) };
    let verdict = match dice.below(100) {
        0..=74 => Verdict::Pass,
        75..=87 => Verdict::Fail,
        88..=91 => Verdict::Skipped,
        92..=94 => Verdict::Aborted,
        95 | 96 => Verdict::Invalid,
        97 => Verdict::NotExecuted,
        _ => Verdict::Timeout,
    };
    (millis, verdict)
}

impl LabEp {
    pub(crate) fn new(seed: u64, name: EpName, offer: EpOffer) -> Self {
        Self {
            name,
            offer,
            up: false,
            link: 0,
            welcomed: false,
            heard: 0,
            queue: BTreeMap::new(),
            running: BTreeMap::new(),
            scripts: BTreeMap::new(),
            idle_since: BTreeMap::new(),
            latches: BTreeMap::new(),
            opened: BTreeSet::new(),
            known: BTreeSet::new(),
            spool: VecDeque::new(),
            seq: 0,
            seed,
        }
    }

    /// What it holds, for its hello.
    pub(crate) fn held(&self) -> Vec<Held> {
        let running = self.running.values().map(|running| (running.assignment.attempt, HeldState::Running));
        let queued = self.queue.values().flatten().map(|queued| (queued.attempt, HeldState::Queued));
        let ended = self.spool.iter().filter_map(|(_, report)| match report {
            Report::Ended(ended) => Some((ended.attempt, HeldState::Ended)),
            Report::Started { .. } | Report::ScriptEnded(_) => None,
        });
        running.chain(queued).chain(ended).map(|(attempt, state)| Held { attempt, state }).collect()
    }

    /// The scripts that it holds, for its hello.
    pub(crate) fn held_scripts(&self) -> Vec<HeldScript> {
        let running = self.scripts.keys().map(|(run, hook)| (*run, *hook, false));
        let ended = self.spool.iter().filter_map(|(_, report)| match report {
            Report::ScriptEnded(ended) => Some((ended.run, ended.hook, true)),
            Report::Started { .. } | Report::Ended(_) => None,
        });
        running.chain(ended).map(|(run, hook, ended)| HeldScript { run, hook, ended }).collect()
    }

    pub(crate) fn connect(&mut self, link: u64) {
        self.link = link;
        self.welcomed = false;
        self.opened.clear();
    }

    pub(crate) fn disconnect(&mut self) {
        self.link = 0;
        self.welcomed = false;
    }

    /// The machine dies. What stands in the spool survives, if the disk does; a careful EP finds in its journal what
    /// ran, and reports that as ABORTED. With `torn`, it even finds its queue there, but for the first of each lane, and the latches that go with it.
    pub(crate) fn die(&mut self, now: u64, disk: bool, careful: bool, torn: bool) {
        self.disconnect();
        self.up = false;
        self.known.clear();
        if disk && torn {
            self.queue.values_mut().for_each(|lane| drop(lane.pop_front()));
        } else {
            self.queue.clear();
        }
        if !(disk && torn) {
            self.latches.clear();
        }
        let running = std::mem::take(&mut self.running);
        let scripts = std::mem::take(&mut self.scripts);
        if !disk {
            self.spool.clear();
        } else if careful {
            for running in running.into_values() {
                let outcome =
                    Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::Declared, "the EP died");
                self.report_end(now, &running.assignment, outcome, 0);
            }
            for (run, hook) in scripts.into_keys() {
                let outcome =
                    Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::Declared, "the EP died");
                self.report_script(now, run, hook, outcome);
            }
        }
    }

    pub(crate) fn receive(&mut self, now: u64, message: EngineToEp) -> Vec<FromEp> {
        self.heard = now;
        match message {
            EngineToEp::Welcome(welcome) => {
                self.welcomed = true;
                let keep: BTreeSet<_> = welcome.keep.into_iter().collect();
                self.queue.values_mut().for_each(|lane| lane.retain(|queued| keep.contains(&queued.attempt)));
                self.running.retain(|_, running| keep.contains(&running.assignment.attempt));
                self.spool.retain(|(seq, _)| *seq > welcome.acked_seq);
                return self.spool.iter().map(|(seq, report)| FromEp::Report(*seq, report.clone())).collect();
            }
            EngineToEp::OpenRun(context) => {
                self.opened.insert(context.run);
                self.known.insert(context.run);
            }
            EngineToEp::Assign(assignment) => {
                let run = assignment.attempt.run;
                let lane = assignment.lane;
                assert!(
                    lane < self.offer.lanes,
                    "{} was sent to lane {lane}, which is not there",
                    assignment.attempt
                );
                assert!(
                    self.opened.contains(&run),
                    "{} was sent before its run was opened",
                    assignment.attempt
                );
                self.queue.entry(assignment.lane).or_default().push_back(*assignment);
            }
            EngineToEp::TakeBack { attempts } => return vec![FromEp::Returned(self.give_back(&attempts))],
            EngineToEp::Stop { attempts, outcome } => {
                for running in self.running.values_mut() {
                    if attempts.contains(&running.assignment.attempt) {
                        running.ends = now;
                        running.outcome = outcome.clone();
                    }
                }
            }
            EngineToEp::RunScript(order) => self.begin_script(now, &order),
            EngineToEp::StopScript { run, hook, outcome } => {
                if let Some(script) = self.scripts.get_mut(&(run, hook)) {
                    (script.ends, script.outcome) = (now, outcome);
                }
            }
            EngineToEp::CloseRun { run } => {
                let left =
                    self.held().iter().any(|held| held.attempt.run == run && held.state != HeldState::Ended);
                assert!(!left, "run {run} was closed on {} with tests left", self.name);
                self.latches.remove(&run);
                self.known.remove(&run);
            }
            EngineToEp::Ack { seq } => self.spool.retain(|(spooled, _)| *spooled > seq),
            EngineToEp::Refused(_)
            | EngineToEp::LogStored { .. }
            | EngineToEp::Answer { .. }
            | EngineToEp::AskSessions { .. }
            | EngineToEp::AskModules { .. }
            | EngineToEp::OpenConsole(_)
            | EngineToEp::Power(_)
            | EngineToEp::Heartbeat => {}
        }
        Vec::new()
    }

    /// Begins a script, unless it is here already.
    fn begin_script(&mut self, now: u64, order: &ScriptOrder) {
        let key = (order.run, order.hook);
        if self.held_scripts().iter().any(|held| (held.run, held.hook) == key) {
            return;
        }
        let (millis, verdict) = script(self.seed, order.run, TestIndex(u32::MAX));
        let outcome = if verdict == Verdict::Pass {
            Outcome::pass(DecidedBy::Declared)
        } else {
            Outcome::not_pass(Verdict::Fail, Cause::Test, DecidedBy::Declared, "exit code 1")
        };
        self.scripts.insert(key, Script { ends: now + millis, outcome });
    }

    fn end_scripts(&mut self, now: u64) {
        let over = |script: &Script| script.ends <= now;
        let ended: Vec<_> =
            self.scripts.iter().filter(|(_, script)| over(script)).map(|(key, _)| *key).collect();
        for (run, hook) in ended {
            if let Some(script) = self.scripts.remove(&(run, hook)) {
                self.report_script(now, run, hook, script.outcome);
            }
        }
    }

    fn report_script(&mut self, now: u64, run: RunId, hook: Hook, outcome: Outcome) {
        let (exit_code, output) = (None, String::new());
        let ended = ScriptEnded { run, hook, at: clock(now), elapsed_millis: 1, outcome, exit_code, output };
        self.spool_report(Report::ScriptEnded(Box::new(ended)));
    }

    fn give_back(&mut self, attempts: &[AttemptId]) -> Vec<AttemptId> {
        let mut back = Vec::new();
        for lane in self.queue.values_mut() {
            lane.retain(|queued| {
                let wanted = attempts.contains(&queued.attempt);
                back.extend(wanted.then_some(queued.attempt));
                !wanted
            });
        }
        back
    }

    /// When it has something to do next.
    pub(crate) fn next_time(&self, now: u64) -> Option<u64> {
        if !self.up {
            return None;
        }
        let ends = self.running.values().map(|running| running.ends);
        let scripts = self.scripts.values().map(|script| script.ends);
        let free =
            self.queue.iter().filter(|(lane, _)| !self.running.contains_key(lane) && self.may_start(now));
        let starts = free.filter_map(|(lane, queue)| Some(self.ready_at(*lane, queue.front()?)));
        ends.chain(scripts).chain(starts).min().map(|at| at.max(now))
    }

    fn may_start(&self, now: u64) -> bool {
        self.welcomed || now.saturating_sub(self.heard) < SILENCE
    }

    fn ready_at(&self, lane: u16, next: &Assignment) -> u64 {
        self.idle_since.get(&lane).copied().unwrap_or(0) + next.delay_millis
    }

    /// Ends and starts what is due.
    pub(crate) fn step(&mut self, now: u64) -> Vec<FromEp> {
        let before = self.seq;
        self.end_scripts(now);
        let lanes: BTreeSet<_> = self.queue.keys().chain(self.running.keys()).copied().collect();
        for lane in lanes {
            while self.step_lane(now, lane) {}
        }
        let new = self.spool.iter().filter(|(seq, _)| *seq > before);
        if self.welcomed {
            new.map(|(seq, report)| FromEp::Report(*seq, report.clone())).collect()
        } else {
            Vec::new()
        }
    }

    fn step_lane(&mut self, now: u64, lane: u16) -> bool {
        if let Some(running) = self.running.get(&lane) {
            if running.ends > now {
                return false;
            }
            let Some(running) = self.running.remove(&lane) else { return false };
            self.idle_since.insert(lane, now);
            self.report_end(now, &running.assignment, running.outcome, now - running.started);
            return true;
        }
        let Some(next) = self.queue.get(&lane).and_then(VecDeque::front) else { return false };
        if !self.up || !self.may_start(now) || self.ready_at(lane, next) > now {
            return false;
        }
        let Some(next) = self.queue.get_mut(&lane).and_then(VecDeque::pop_front) else { return false };
        let latches = self.latches.entry(next.attempt.run).or_default();
        if let Some(outcome) = guard::blocked(latches, &next.guards) {
            self.report_end(now, &next, outcome, 0);
        } else if !next.test.runnable {
            let outcome =
                Outcome::not_pass(Verdict::Skipped, Cause::Person, DecidedBy::Declared, "not runnable");
            self.report_end(now, &next, outcome, 0);
        } else {
            self.start(now, lane, next);
        }
        true
    }

    fn start(&mut self, now: u64, lane: u16, assignment: Assignment) {
        let attempt = assignment.attempt;
        let (millis, verdict) = script(self.seed, attempt.run, attempt.test);
        let late = millis > assignment.timeout_millis;
        let ends = now + millis.min(assignment.timeout_millis);
        let outcome = if late {
            Outcome::not_pass(Verdict::Timeout, Cause::Time, DecidedBy::Declared, "too long")
        } else if verdict == Verdict::Pass {
            Outcome::pass(DecidedBy::Declared)
        } else {
            Outcome::not_pass(verdict, Cause::Product, DecidedBy::Declared, "said so")
        };
        self.spool_report(Report::Started { attempt, at: clock(now) });
        self.running.insert(lane, Running { assignment, started: now, ends, outcome });
    }

    fn report_end(&mut self, now: u64, assignment: &Assignment, outcome: Outcome, elapsed_millis: u64) {
        let attempt = assignment.attempt;
        let raised = Raised {
            attempt: Some(attempt),
            name: assignment.test.name.to_string(),
            verdict: outcome.verdict,
        };
        guard::raise(self.latches.entry(attempt.run).or_default(), &assignment.raises, &raised);
        self.spool_report(Report::Ended(Box::new(Ended {
            attempt,
            at: clock(now),
            end: AttemptEnd { elapsed_millis, ..AttemptEnd::of(outcome) },
            artifacts: BTreeMap::new(),
        })));
    }

    fn spool_report(&mut self, report: Report) {
        self.seq += 1;
        self.spool.push_back((self.seq, report));
    }
}

/// The EP's clock, which is right.
pub(crate) fn clock(now: u64) -> Time {
    Time(i64::try_from(now).expect("days are short"))
}

/// An EP as the lab has it: `ep0` serves everybody and carries every label, so that every plan has an EP that fits.
pub(crate) fn random_offer(dice: &mut Dice, number: u64) -> EpOffer {
    let mut labels = BTreeMap::new();
    if number == 0 || dice.percent(50) {
        labels.insert("site".into(), "a".into());
    }
    if number == 0 || dice.percent(50) {
        labels.insert("rack".into(), "3".into());
    }
    let lanes = if dice.percent(30) { 2 } else { 1 };
    EpOffer { labels, capabilities: Vec::new(), lanes, pool: (number == 3).then(|| UserName::from("ana")) }
}
