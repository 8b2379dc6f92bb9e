//! A small lab for stories: plans in a few words, EPs that do what they are told, and time that is moved by hand.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use jackfield_protocol::{
    attempt::AttemptEnd,
    event::Fact,
    guard::{self, Latches, Raised},
    id::{AttemptId, BlobHash, EpName, Epoch, RunId, SuiteIndex, TestIndex},
    link::{Assignment, Ended, EngineToEp, Held, HeldState},
    plan::{Dependency, HookScript, Place, PlannedSuite, PlannedTest, Role, RunOptions, RunPlan},
    time::Time,
    verdict::{DecidedBy, Outcome, Verdict, VerdictSet},
};

use crate::{Effects, Event, Limits, Restored, Scheduler, event::EpOffer};

/// The first run of a lab.
pub(super) const RUN: RunId = RunId(1);

pub(super) fn script() -> HookScript {
    HookScript { path: "/hook".into(), ep: None }
}

pub(super) fn test(name: &str) -> PlannedTest {
    PlannedTest { name: name.into(), ..PlannedTest::new(name, SuiteIndex(0), "/t.py") }
}

pub(super) trait Wording {
    fn role(self, role: Role) -> Self;
    fn optional(self) -> Self;
    fn after<const N: usize>(self, test: u32, demand: [Verdict; N]) -> Self;
}

impl Wording for PlannedTest {
    fn role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    fn after<const N: usize>(mut self, test: u32, demand: [Verdict; N]) -> Self {
        let text = if test == 1 { "b:x" } else { "a:x" };
        let demand = VerdictSet(demand.into());
        self.depends.push(Dependency { tests: vec![TestIndex(test)], demand, text: text.into() });
        self
    }
}

/// A suite in the making.
pub(super) struct Suite {
    name: &'static str,
    ep: String,
    sut: Option<&'static str>,
    needs: Option<&'static str>,
    tests: Vec<PlannedTest>,
    inner: Option<Box<Self>>,
}

pub(super) fn suite(name: &'static str, ep: &str) -> Suite {
    Suite { name, ep: ep.to_owned(), sut: None, needs: None, tests: Vec::new(), inner: None }
}

impl Suite {
    pub(super) fn tests<const N: usize>(mut self, tests: [PlannedTest; N]) -> Self {
        self.tests.extend(tests);
        self
    }

    pub(super) fn sut(self, sut: &'static str) -> Self {
        Self { sut: Some(sut), ..self }
    }

    pub(super) fn needs(self, needs: &'static str) -> Self {
        Self { needs: Some(needs), ..self }
    }

    pub(super) fn inner(self, inner: Self) -> Self {
        Self { inner: Some(Box::new(inner)), ..self }
    }
}

pub(super) fn plan<const N: usize>(suites: [Suite; N]) -> RunPlan {
    let mut plan = RunPlan {
        project: "p".to_owned(),
        source: "p.xml".to_owned(),
        user: "ana".into(),
        options: RunOptions::default(),
        suites: Vec::new(),
        tests: Vec::new(),
        files: BTreeMap::from([("/t.py".into(), BlobHash([1; 32]))]),
        libraries: BTreeMap::new(),
        folders: Default::default(),
        panic_patterns: Vec::new(),
        profiles: Default::default(),
        templates: None,
        private: Default::default(),
    };
    suites.into_iter().for_each(|suite| put(&mut plan, suite, None));
    plan
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap()
}

fn put(plan: &mut RunPlan, suite: Suite, parent: Option<SuiteIndex>) {
    let index = plan.suites.len();
    let start = count(plan.tests.len());
    plan.suites.push(PlannedSuite {
        configs: Vec::new(),
        id: suite.name.into(),
        origin: suite.name.into(),
        name: suite.name.into(),
        parent,
        tests: start..start,
        place: Place {
            ep: (!suite.ep.is_empty()).then(|| suite.ep.into()),
            labels: BTreeMap::new(),
            needs: suite.needs.map(Into::into),
        },
        sut: suite.sut.map(Into::into),
        panic_detect: false,
        libraries: Vec::new(),
        user_defined: BTreeMap::new(),
        timeout_millis: None,
        depends: Vec::new(),
    });
    let number = SuiteIndex(count(index));
    plan.tests.extend(suite.tests.into_iter().map(|test| PlannedTest { suite: number, ..test }));
    if let Some(inner) = suite.inner {
        put(plan, *inner, Some(number));
    }
    plan.suites[index].tests.end = count(plan.tests.len());
}

pub(super) trait Changing {
    /// Puts a test behind everything in a suite, which must be the last.
    fn add_test(&mut self, suite: usize, test: PlannedTest);
    fn limit_suite(&mut self, suite: usize, millis: u64);
}

impl Changing for RunPlan {
    fn add_test(&mut self, suite: usize, test: PlannedTest) {
        self.tests.push(PlannedTest { suite: SuiteIndex(count(suite)), ..test });
        self.suites[suite].tests.end = count(self.tests.len());
    }

    fn limit_suite(&mut self, suite: usize, millis: u64) {
        self.suites[suite].timeout_millis = Some(millis);
    }
}

/// A scheduler with EPs.
pub(super) struct Lab {
    now: i64,
    pub(super) scheduler: Scheduler,
    pub(super) epochs: BTreeMap<EpName, u64>,
    queues: BTreeMap<EpName, VecDeque<Assignment>>,
    running: BTreeMap<EpName, (Assignment, Outcome)>,
    latches: BTreeMap<EpName, Latches>,
    /// Runs that EPs were told to open and not to close.
    opened: BTreeMap<EpName, BTreeSet<RunId>>,
    scripts: BTreeMap<String, Verdict>,
    runs: u64,
    told: Vec<String>,
    orders: Vec<String>,
    kept: Vec<AttemptId>,
    /// What EPs were asked to give back and have not answered.
    back: Vec<(EpName, Vec<AttemptId>)>,
    names: BTreeMap<(RunId, TestIndex), Arc<str>>,
}

impl Lab {
    pub(super) fn with<const N: usize>(eps: [&str; N]) -> Self {
        let restored = Restored { limits: Limits::default(), ..Restored::default() };
        let mut lab = Self {
            now: 0,
            scheduler: Scheduler::restore(Time(0), restored),
            epochs: BTreeMap::new(),
            queues: BTreeMap::new(),
            running: BTreeMap::new(),
            latches: BTreeMap::new(),
            opened: BTreeMap::new(),
            scripts: BTreeMap::new(),
            runs: 0,
            told: Vec::new(),
            orders: Vec::new(),
            kept: Vec::new(),
            back: Vec::new(),
            names: BTreeMap::new(),
        };
        eps.into_iter().for_each(|ep| lab.come_back(ep, &[]));
        lab
    }

    /// How a test will end; PASS where nothing is said.
    pub(super) fn ends(&mut self, test: &str, verdict: Verdict) {
        self.scripts.insert(test.to_owned(), verdict);
    }

    pub(super) fn submit(&mut self, plan: RunPlan) {
        self.runs += 1;
        let run = RunId(self.runs);
        self.names
            .extend((0..).zip(&plan.tests).map(|(at, test)| ((run, TestIndex(at)), Arc::clone(&test.name))));
        self.say(Event::RunSubmitted { run, plan: Arc::new(plan) });
    }

    pub(super) fn queue(&mut self, suite: u32, test: PlannedTest) {
        let next = TestIndex(count(self.names.len()));
        self.names.insert((RUN, next), Arc::clone(&test.name));
        self.say(Event::TestsQueued {
            run: RUN,
            suite: SuiteIndex(suite),
            tests: vec![test],
            by: "ana".into(),
        });
    }

    pub(super) fn dequeue(&mut self, test: &str) {
        let found = self.names.iter().find(|(_, name)| &***name == test).map(|((_, test), _)| *test);
        self.say(Event::TestsDequeued { run: RUN, tests: found.into_iter().collect(), by: "ana".into() });
        self.answer();
    }

    pub(super) fn say(&mut self, event: Event) {
        let effects = self.scheduler.handle(Time(self.now), event);
        self.scheduler.check().unwrap();
        self.take(effects);
    }

    pub(super) fn wait(&mut self, millis: i64) {
        self.now += millis;
        self.say(Event::Tick);
    }

    fn take(&mut self, effects: Effects) {
        self.kept = effects.welcome.unwrap_or_default();
        for event in effects.publish {
            let line = self.line(event.run, event.fact);
            self.told.extend(line);
        }
        for sent in effects.send {
            self.order(&sent.ep, sent.message);
        }
    }

    fn order(&mut self, ep: &EpName, message: EngineToEp) {
        let name = |attempts: &[AttemptId]| {
            let names: Vec<_> =
                attempts.iter().map(|id| self.names[&(id.run, id.test)].to_string()).collect();
            names.join(", ")
        };
        let line = match message.clone() {
            EngineToEp::OpenRun(context) => {
                self.opened.entry(ep.clone()).or_default().insert(context.run);
                "open".to_owned()
            }
            EngineToEp::CloseRun { run } => {
                self.opened.entry(ep.clone()).or_default().remove(&run);
                "close".to_owned()
            }
            EngineToEp::TakeBack { attempts } => {
                let line = format!("take back {}", name(&attempts));
                self.back.push((ep.clone(), attempts));
                line
            }
            EngineToEp::Stop { attempts, outcome } => {
                let line = format!("stop {}", name(&attempts));
                if let Some((_, ends)) = self.running.get_mut(ep) {
                    *ends = outcome;
                }
                line
            }
            EngineToEp::RunScript(order) => format!("run {} script {} on {ep}", order.hook, order.path),
            EngineToEp::StopScript { hook, .. } => format!("stop {hook} script on {ep}"),
            EngineToEp::Assign(assignment) => {
                let line = format!("assign {}", assignment.test.name);
                self.queues.entry(ep.clone()).or_default().push_back(*assignment);
                line
            }
            EngineToEp::Welcome(_)
            | EngineToEp::Refused(_)
            | EngineToEp::Ack { .. }
            | EngineToEp::LogStored { .. }
            | EngineToEp::Answer { .. }
            | EngineToEp::AskSessions { .. }
            | EngineToEp::AskModules { .. }
            | EngineToEp::OpenConsole(_)
            | EngineToEp::Power(_)
            | EngineToEp::Heartbeat => panic!("the scheduler does not say {message:?}"),
        };
        self.orders.push(line);
    }

    fn line(&self, run: RunId, fact: Fact) -> Option<String> {
        let name = |test: TestIndex| self.names[&(run, test)].to_string();
        let end = |names: String, outcome: Outcome| {
            format!("{names} {} {}", outcome.verdict, outcome.reason).trim_end().to_owned()
        };
        let suites = |suites: &[SuiteIndex]| {
            let names: Vec<_> = suites.iter().map(|suite| self.suite_name(run, *suite)).collect();
            names.join(", ")
        };
        Some(match fact {
            Fact::Submitted { .. } => "submitted".to_owned(),
            Fact::Started => "started".to_owned(),
            Fact::Placed { suites: placed, ep } => format!("{} on {ep}", suites(&placed)),
            Fact::PartWaits { suites: waiting, waits_for } => {
                format!("{} waits for {waits_for}", suites(&waiting))
            }
            Fact::TestWaits { test, waits_for } => format!("{} waits for {waits_for}", name(test)),
            Fact::TestStarted { attempt, .. } => format!("{} started", name(attempt.test)),
            Fact::TestEnded(ended) => end(name(ended.test), ended.end.outcome),
            Fact::TestsEnded { tests, outcome } => {
                let all = tests.into_iter().flat_map(|(from, to)| from..to).map(|test| name(TestIndex(test)));
                end(all.collect::<Vec<_>>().join(", "), outcome)
            }
            Fact::TestsQueued { tests, .. } => {
                format!("{} queued", tests.into_iter().map(name).collect::<String>())
            }
            Fact::EpSilent { ep, .. } => format!("{ep} silent"),
            Fact::EpReturned { ep } => format!("{ep} returned"),
            Fact::EpLost { ep } => format!("{ep} lost"),
            Fact::EpNotice { ep, notice, over } => {
                format!("{ep} {}{}", notice.text, if over { ": over" } else { "" })
            }
            Fact::Stopping { at_once: true, .. } => "stopping at once".to_owned(),
            Fact::Stopping { .. } => "stopping".to_owned(),
            Fact::HookEnded { outcome, .. } => format!("hook {}", outcome.verdict),
            Fact::Ended { state, .. } => state.to_string(),
            Fact::Note { text } if text.starts_with("given") => text,
            Fact::Paused { .. }
            | Fact::Resumed { .. }
            | Fact::Asked { .. }
            | Fact::Answered { .. }
            | Fact::Note { .. } => return None,
        })
    }

    fn suite_name(&self, run: RunId, suite: SuiteIndex) -> String {
        let run = self.scheduler.runs.get(&run);
        run.and_then(|run| run.plan.suite(suite))
            .map_or_else(|| "?".to_owned(), |suite| suite.name.to_string())
    }

    /// What people were told so far. Tests that an EP ends one by one for one reason are told one by one.
    pub(super) fn told(&self) -> Vec<String> {
        self.told.clone()
    }

    /// What EPs were told since this was asked last.
    pub(super) fn orders(&mut self) -> Vec<String> {
        std::mem::take(&mut self.orders)
    }

    /// What the EP that came back may keep.
    pub(super) fn kept(&self) -> Vec<String> {
        self.kept.iter().map(|id| self.names[&(id.run, id.test)].to_string()).collect()
    }

    /// The needs that are to be looked at.
    pub(super) fn needed(&self) -> Vec<String> {
        self.scheduler.needs().iter().map(ToString::to_string).collect()
    }

    /// What a test that waits at its EP was told of what was given.
    pub(super) fn needs_of(&self, test: &str) -> String {
        let sent = self.queues.values().flatten().find(|sent| &*sent.test.name == test);
        let needs = sent.into_iter().flat_map(|sent| &sent.test.needs);
        needs.map(|(name, paths)| format!("{name}: {}", paths.join(" "))).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn why(&self) -> Vec<String> {
        self.scheduler
            .why(RUN)
            .into_iter()
            .map(|waiting| format!("{}: {}", waiting.what, waiting.waits_for))
            .collect()
    }

    pub(super) fn vanish(&mut self, ep: &str) {
        let epoch = Epoch(self.epochs[&EpName::from(ep)]);
        self.say(Event::EpGone { ep: ep.into(), epoch });
    }

    /// An EP connects, and still runs these tests.
    pub(super) fn come_back(&mut self, ep: &str, running: &[&str]) {
        self.connect(ep, running, false);
    }

    /// An EP connects whose records were damaged: it knows of nothing.
    pub(super) fn come_back_damaged(&mut self, ep: &str) {
        self.connect(ep, &[], true);
    }

    fn connect(&mut self, ep: &str, running: &[&str], records_lost: bool) {
        let name = EpName::from(ep);
        let epoch = self.epochs.entry(name.clone()).or_default();
        *epoch += 1;
        let epoch = Epoch(*epoch);
        let known: BTreeSet<_> = running.iter().copied().collect();
        let held = self.running.get(&name).filter(|(held, _)| known.contains(&*held.test.name));
        let held = held.map(|(held, _)| Held { attempt: held.attempt, state: HeldState::Running });
        self.queues.remove(&name);
        let offer = EpOffer { lanes: 1, ..EpOffer::default() };
        let runs = self.opened.get(&name).into_iter().flatten().copied().collect();
        self.say(Event::EpConnected {
            ep: name,
            epoch,
            offer,
            held: held.into_iter().collect(),
            runs,
            scripts: Vec::new(),
            records_lost,
        });
    }

    fn ep_of(&self, test: &str) -> EpName {
        let next =
            self.queues.iter().find(|(_, queue)| queue.front().is_some_and(|next| &*next.test.name == test));
        let runs = self.running.iter().find(|(_, (running, _))| &*running.test.name == test);
        let found = next.map(|(ep, _)| ep).or(runs.map(|(ep, _)| ep));
        found.unwrap_or_else(|| panic!("no EP has {test} next")).clone()
    }

    pub(super) fn start(&mut self, test: &str) {
        let ep = self.ep_of(test);
        self.step(&ep);
    }

    pub(super) fn end(&mut self, test: &str) {
        let ep = self.ep_of(test);
        self.step(&ep);
    }

    /// Lets all EPs do everything they have.
    pub(super) fn play(&mut self) {
        loop {
            self.answer();
            let busy = self
                .running
                .keys()
                .chain(self.queues.iter().filter(|(_, queue)| !queue.is_empty()).map(|(ep, _)| ep));
            let Some(ep) = busy.min().cloned() else { return };
            self.step(&ep);
        }
    }

    /// EPs give back what they were asked for.
    pub(super) fn answer(&mut self) {
        for (ep, attempts) in std::mem::take(&mut self.back) {
            let epoch = Epoch(self.epochs[&ep]);
            let queue = self.queues.entry(ep.clone()).or_default();
            let attempts: Vec<_> =
                attempts.into_iter().filter(|id| queue.iter().any(|queued| queued.attempt == *id)).collect();
            queue.retain(|queued| !attempts.contains(&queued.attempt));
            self.say(Event::AttemptsReturned { ep, epoch, attempts });
        }
    }

    /// Ends what an EP runs, or starts what it has next.
    fn step(&mut self, ep: &EpName) {
        self.now += 1;
        let epoch = Epoch(self.epochs[ep]);
        if let Some((assignment, outcome)) = self.running.remove(ep) {
            return self.finish(ep, &assignment, outcome);
        }
        let Some(next) = self.queues.get_mut(ep).and_then(VecDeque::pop_front) else { return };
        if let Some(outcome) = guard::blocked(self.latches.entry(ep.clone()).or_default(), &next.guards) {
            return self.finish(ep, &next, outcome);
        }
        let verdict = self.scripts.get(&*next.test.name).copied().unwrap_or(Verdict::Pass);
        let attempt = next.attempt;
        self.running.insert(ep.clone(), (next, Outcome { verdict, ..Outcome::pass(DecidedBy::Declared) }));
        self.say(Event::AttemptStarted { ep: ep.clone(), epoch, attempt, at: Time(self.now) });
    }

    fn finish(&mut self, ep: &EpName, assignment: &Assignment, outcome: Outcome) {
        let name = assignment.test.name.to_string();
        let raised = Raised { attempt: Some(assignment.attempt), name, verdict: outcome.verdict };
        guard::raise(self.latches.entry(ep.clone()).or_default(), &assignment.raises, &raised);
        let ended = Box::new(Ended {
            attempt: assignment.attempt,
            at: Time(self.now),
            end: AttemptEnd { elapsed_millis: 1, ..AttemptEnd::of(outcome) },
            artifacts: BTreeMap::new(),
        });
        let epoch = Epoch(self.epochs[ep]);
        self.say(Event::AttemptEnded { ep: ep.clone(), epoch, ended });
    }
}
