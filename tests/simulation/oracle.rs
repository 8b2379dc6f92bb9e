//! What a run must look like afterwards: an independent, slow reading of the rules of a run.
//!
//! Each test is judged by the verdicts of the others as they came out. Where a person, a limit or a lost EP took part,
//! their verdicts are allowed instead.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::{
    event::{Fact, Hook, RunEvent, RunState},
    id::{RunId, SuiteIndex, TestIndex},
    plan::{Dependency, PlannedTest, Role, RunPlan},
    time::Time,
    verdict::{Cause, Outcome, Verdict},
};

use crate::{lab::script, plan::FILE};

/// What was told of a test.
#[derive(Clone, Copy, PartialEq)]
enum Note {
    Started,
    Ended,
}

/// Everything that was told of a run.
pub(crate) struct Story {
    run: RunId,
    plan: Arc<RunPlan>,
    seq: u64,
    tests: Vec<PlannedTest>,
    /// The order of each part, with queued tests in their place.
    order: Vec<Vec<u32>>,
    started: Vec<u32>,
    ended: BTreeMap<u32, Outcome>,
    /// Starts and verdicts, with the number of the event that told of them.
    diary: Vec<(u32, Note, u64)>,
    states: Vec<&'static str>,
    lost: BTreeSet<String>,
    /// When its first part was placed.
    begun: Option<Time>,
    /// When it was paused and resumed.
    pauses: Vec<(Time, Option<Time>)>,
    pub(crate) over: Option<RunState>,
}

impl Story {
    pub(crate) fn new(run: RunId, plan: Arc<RunPlan>) -> Self {
        let order = divide(&plan);
        let tests = plan.tests.clone();
        Self {
            run,
            plan,
            seq: 0,
            tests,
            order,
            started: Vec::new(),
            ended: BTreeMap::new(),
            diary: Vec::new(),
            states: Vec::new(),
            lost: BTreeSet::new(),
            begun: None,
            pauses: Vec::new(),
            over: None,
        }
    }

    /// Takes in what was told next.
    pub(crate) fn hear(&mut self, event: &RunEvent) -> Result<(), String> {
        if event.seq != self.seq + 1 {
            return Err(format!("run {}: event {} after {}", self.run, event.seq, self.seq));
        }
        self.seq = event.seq;
        if self.over.is_some() {
            return Err(format!("run {}: {:?} after its end", self.run, event.fact));
        }
        match &event.fact {
            Fact::TestStarted { attempt, .. } => {
                self.judge_time(event.at)?;
                self.hear_start(attempt.test.0)
            }
            Fact::TestEnded(ended) => self.hear_end(ended.test.0, &ended.end.outcome),
            Fact::TestsEnded { tests, outcome } => tests
                .iter()
                .flat_map(|(from, to)| *from..*to)
                .try_for_each(|test| self.hear_end(test, outcome)),
            Fact::TestsQueued { .. } | Fact::Submitted { .. } => Ok(()),
            Fact::Placed { .. } => {
                self.begun.get_or_insert(event.at);
                Ok(())
            }
            Fact::Paused { .. } => {
                self.pauses.push((event.at, None));
                Ok(())
            }
            Fact::Resumed { .. } => self.end_pause(event.at),
            Fact::Stopping { by, reason, at_once } => {
                let by_limit = by.is_none() && reason.contains("time limit of the run");
                self.hear_stop(event.at, by_limit, *at_once)
            }
            Fact::EpLost { ep } => {
                self.lost.insert(ep.to_string());
                Ok(())
            }
            Fact::Ended { state, counts } => {
                self.over = Some(*state);
                let mut counted = BTreeMap::new();
                self.ended.values().for_each(|outcome| *counted.entry(outcome.verdict).or_insert(0) += 1);
                if *counts == counted { Ok(()) } else { Err(format!("{counts:?} told, {counted:?} seen")) }
            }
            Fact::Started => self.note("started"),
            Fact::HookEnded { hook: Hook::Pre, .. } => self.note("pre script"),
            Fact::HookEnded { hook: Hook::Post, .. } => self.note("post script"),
            Fact::PartWaits { .. }
            | Fact::TestWaits { .. }
            | Fact::EpSilent { .. }
            | Fact::EpReturned { .. }
            | Fact::EpNotice { .. }
            | Fact::Asked { .. }
            | Fact::Answered { .. }
            | Fact::Note { .. } => Ok(()),
        }
    }

    /// A stop is told once, and once more where it is to end at once. A limit counts no pause.
    fn hear_stop(&mut self, at: Time, by_limit: bool, at_once: bool) -> Result<(), String> {
        if by_limit && (self.is_paused() || self.time_over().is_none_or(|over| at < over)) {
            return Err(format!("run {} was out of time at {at}, too early", self.run));
        }
        if !self.states.contains(&"stopping") {
            self.note("stopping")?;
        } else if !at_once {
            return Err(format!("run {} said stopping twice", self.run));
        }
        if self.is_paused() {
            self.end_pause(at)?;
        }
        if at_once { self.note("at once") } else { Ok(()) }
    }

    fn is_paused(&self) -> bool {
        self.pauses.last().is_some_and(|(_, until)| until.is_none())
    }

    fn end_pause(&mut self, at: Time) -> Result<(), String> {
        let open = self.pauses.last_mut().filter(|(_, until)| until.is_none());
        let Some((_, until)) = open else { return Err(format!("run {} was not paused", self.run)) };
        *until = Some(at);
        Ok(())
    }

    /// When the run's own time is over, pauses so far not counted.
    fn time_over(&self) -> Option<Time> {
        let (begun, limit) = self.begun.zip(self.plan.options.timeout_millis)?;
        let closed = self.pauses.iter().filter_map(|(from, until)| Some((*from, (*until)?)));
        let paused = closed.map(|(from, until)| until.millis_since(from.max(begun))).sum::<u64>();
        Some(begun.plus_millis(limit + paused))
    }

    /// Nothing starts in a run whose time is over.
    fn judge_time(&self, at: Time) -> Result<(), String> {
        let goes_on = self.states.contains(&"stopping") || self.is_paused();
        if !goes_on && self.time_over().is_some_and(|over| at > over) {
            return Err(format!("run {} starts a test at {at}, after its time", self.run));
        }
        Ok(())
    }

    fn note(&mut self, state: &'static str) -> Result<(), String> {
        if self.states.contains(&state) {
            return Err(format!("run {} said {state} twice", self.run));
        }
        self.states.push(state);
        Ok(())
    }

    fn hear_start(&mut self, test: u32) -> Result<(), String> {
        if self.ended.contains_key(&test) {
            return Err(format!("test {test} of run {} started after its verdict", self.run));
        }
        if self.started.contains(&test) {
            return Err(format!("test {test} of run {} started twice", self.run));
        }
        if !self.states.contains(&"started") {
            return Err(format!("test {test} of run {} started before its run", self.run));
        }
        let part = self.order.iter().find(|part| part.contains(&test));
        let place = |test: u32| part.and_then(|part| part.iter().position(|other| *other == test));
        let late =
            |other: &&u32| place(**other) > place(test) && !self.is_queued(**other) && !self.is_queued(test);
        if let Some(later) = self.started.iter().find(late) {
            return Err(format!("test {test} of run {} started after test {later}", self.run));
        }
        let running =
            self.started.iter().find(|other| place(**other).is_some() && !self.ended.contains_key(other));
        if let Some(running) = running {
            return Err(format!("test {test} of run {} started while {running} runs", self.run));
        }
        let depends = self.dependencies(test);
        let unmet = depends.iter().flat_map(|dependency| &dependency.tests);
        if let Some(open) =
            unmet.into_iter().find(|on| !self.ended.contains_key(&on.0) && !self.is_teardown(test))
        {
            return Err(format!("test {test} of run {} did not wait for {open}", self.run));
        }
        self.started.push(test);
        self.diary.push((test, Note::Started, self.seq));
        Ok(())
    }

    fn hear_end(&mut self, test: u32, outcome: &Outcome) -> Result<(), String> {
        self.diary.push((test, Note::Ended, self.seq));
        match self.ended.insert(test, outcome.clone()) {
            None => Ok(()),
            Some(first) => Err(format!("test {test} of run {} ended {first:?}, then {outcome:?}", self.run)),
        }
    }

    fn is_teardown(&self, test: u32) -> bool {
        self.test(test).role == Role::Teardown
    }

    fn test(&self, test: u32) -> &PlannedTest {
        &self.tests[usize::try_from(test).expect("small")]
    }

    /// Tests were queued: they stand at the end of their suite, before its closing teardown files. What they find when
    /// the run already moved past that place does not matter to the order of those that start.
    pub(crate) fn queue(&mut self, suite: SuiteIndex, tests: &[PlannedTest]) {
        for test in tests {
            let index = u32::try_from(self.tests.len()).expect("small");
            self.tests.push(PlannedTest { suite, ..test.clone() });
            let planned = self.plan.suite(suite).expect("queued to a suite of the plan").clone();
            let mut before = planned.tests.end;
            while before > planned.tests.start
                && self.test(before - 1).suite == suite
                && self.test(before - 1).role == Role::Teardown
            {
                before -= 1;
            }
            let part = self.part_of_suite(suite);
            let place = self.queue_place(part, suite, before);
            self.order[part].insert(place, index);
        }
    }

    /// Behind every test that stands before the planned test `before`, behind what was queued to inner suites of the
    /// same end and to the suite itself, before what was queued to suites around it.
    fn queue_place(&self, part: usize, suite: SuiteIndex, before: u32) -> usize {
        let planned = u32::try_from(self.plan.tests.len()).expect("small");
        let depth = |suite: SuiteIndex| self.plan.suite_chain(suite).count();
        let stop = |test: u32| {
            if test < planned {
                return test >= before;
            }
            let other = self.test(test).suite;
            let around = self.plan.suite_chain(suite).any(|(outer, _)| outer == other && outer != suite);
            around && depth(other) < depth(suite) && self.queue_end(other) == before
        };
        let order = &self.order[part];
        order.iter().position(|test| stop(*test)).unwrap_or(order.len())
    }

    fn queue_end(&self, suite: SuiteIndex) -> u32 {
        let planned = self.plan.suite(suite).expect("of the plan");
        let closes = |test: &u32| self.test(*test).suite == suite && self.test(*test).role == Role::Teardown;
        planned.tests.end
            - u32::try_from(planned.tests.clone().rev().take_while(closes).count()).expect("small")
    }

    fn part_of_suite(&self, suite: SuiteIndex) -> usize {
        let top = self.plan.suite_chain(suite).last().expect("has a chain").0;
        part_numbers(&self.plan)[&top]
    }

    fn dependencies(&self, test: u32) -> Vec<&Dependency> {
        let suites = self.plan.suite_chain(self.test(test).suite).flat_map(|(_, suite)| &suite.depends);
        suites.chain(&self.test(test).depends).collect()
    }

    /// Everything that must hold when the run is over.
    pub(crate) fn judge(&self, seed: u64) -> Result<(), String> {
        let Some(state) = self.over else { return Err(format!("run {} never ended", self.run)) };
        if (state == RunState::Stopped) != self.states.contains(&"stopping") {
            return Err(format!("run {} ended as {state}, after {:?}", self.run, self.states));
        }
        for test in 0..u32::try_from(self.tests.len()).expect("small") {
            let Some(outcome) = self.ended.get(&test) else {
                return Err(format!("test {test} of run {} has no verdict", self.run));
            };
            self.judge_test(seed, test, outcome).map_err(|sentence| {
                format!("test {test} of run {}: {sentence}; it ended {outcome:?}", self.run)
            })?;
        }
        Ok(())
    }

    fn judge_test(&self, seed: u64, test: u32, outcome: &Outcome) -> Result<(), String> {
        let ran = self.started.contains(&test);
        let forbidden = self.forbidden(test);
        if ran && self.is_teardown(test) && self.states.contains(&"stopping") {
            return Ok(());
        }
        if let (true, Some((verdict, why))) = (ran, &forbidden) {
            return Err(format!("it ran, but must end {verdict}, {why}"));
        }
        if self.may_be_disturbed(test, outcome, ran) {
            return Ok(());
        }
        match forbidden {
            Some(_) if !ran && self.void_around(test) => Ok(()),
            Some((verdict, why)) if outcome.verdict != verdict || ran => {
                Err(format!("it must end {verdict}, {why}"))
            }
            Some(_) => Ok(()),
            None if !ran && self.void_around(test) => Ok(()),
            None if outcome.reason.contains("can never hold") => self.has_dependency(test),
            None if !ran => Err("nothing kept it from running".to_owned()),
            None => {
                let (_, scripted) = script(seed, self.run, TestIndex(test));
                let timed_out = outcome.verdict == Verdict::Timeout && outcome.cause == Some(Cause::Time);
                let as_scripted = outcome.verdict == scripted || timed_out;
                if as_scripted { Ok(()) } else { Err(format!("its script says {scripted}")) }
            }
        }
    }

    /// Whether one of its suites depends on what cannot end before it begins: a plan that makes no sense, where any of
    /// the rules that apply may speak.
    fn void_around(&self, test: u32) -> bool {
        let part = self.part_of_suite(self.test(test).suite);
        self.plan.suite_chain(self.test(test).suite).any(|(_, suite)| {
            let on = suite.depends.iter().flat_map(|dependency| &dependency.tests);
            let later = |on: &TestIndex| on.0 >= suite.tests.start && self.order[part].contains(&on.0);
            let said = || self.ended.values().any(|outcome| outcome.reason.contains("can never hold"));
            on.clone().any(later) || (on.count() > 0 && said())
        })
    }

    fn has_dependency(&self, test: u32) -> Result<(), String> {
        let open = !self.dependencies(test).is_empty();
        if open { Ok(()) } else { Err("it has no dependency that could be void".to_owned()) }
    }

    /// Whether a person, a limit or the loss of an EP explains the outcome.
    fn may_be_disturbed(&self, test: u32, outcome: &Outcome, ran: bool) -> bool {
        let stopped = self.states.contains(&"stopping");
        match (outcome.verdict, outcome.cause) {
            (Verdict::Aborted, Some(Cause::Person)) => stopped && ran,
            (Verdict::NotExecuted, Some(Cause::Person)) => !ran && (stopped || self.is_queued(test)),
            (Verdict::Skipped, Some(Cause::Person)) => !ran && outcome.reason.starts_with("taken out"),
            (Verdict::Aborted, Some(Cause::Lab)) => ran || outcome.reason == "the EP died",
            (Verdict::NotExecuted, Some(Cause::Lab)) => !ran && (stopped || !self.lost.is_empty()),
            (Verdict::Timeout, Some(Cause::Time)) => ran,
            (Verdict::NotExecuted, Some(Cause::Time)) => {
                !ran && (stopped || outcome.reason.contains("time limit of suite"))
            }
            _ => false,
        }
    }

    fn is_queued(&self, test: u32) -> bool {
        usize::try_from(test).expect("small") >= self.plan.tests.len()
    }

    /// Whether the test was left out on purpose.
    fn is_deliberate(&self, test: u32) -> bool {
        let outcome = &self.ended[&test];
        !self.test(test).runnable
            || (outcome.verdict == Verdict::Skipped && outcome.cause == Some(Cause::Person))
    }

    fn forbidden(&self, test: u32) -> Option<(Verdict, String)> {
        let own = self.test(test);
        let teardown = own.role == Role::Teardown;
        let part = self.order.iter().find(|part| part.contains(&test))?;
        let before = self.before(part, test);
        let chain: Vec<SuiteIndex> = self.plan.suite_chain(own.suite).map(|(suite, _)| suite).collect();
        let around: Vec<_> = chain.iter().copied().filter(|suite| !teardown || *suite != own.suite).collect();
        self.stop_on_fail(test, &before).or_else(|| {
            let failed: Vec<_> = before
                .iter()
                .copied()
                .filter(|other| self.ended[other].verdict != Verdict::Pass && !self.is_deliberate(*other))
                .collect();
            self.by_dependency(test, teardown, &chain, &around, &failed)
        })
    }

    /// The tests whose verdicts may concern this one: those before it in order; where one of both was queued, those
    /// that had their verdict first.
    fn before(&self, part: &[u32], test: u32) -> Vec<u32> {
        let place = |of: u32| part.iter().position(|other| *other == of);
        let turn = self.diary.iter().find(|(other, ..)| *other == test).map(|(.., seq)| *seq);
        let ended = |of: u32| self.diary.iter().find(|(other, note, _)| *other == of && *note == Note::Ended);
        let verdict = |of: u32| ended(of).map(|(.., seq)| *seq);
        let counts = |other: &u32| {
            if self.is_queued(*other) || self.is_queued(test) {
                verdict(*other) < turn
            } else {
                place(*other) < place(test)
            }
        };
        part.iter().copied().filter(counts).collect()
    }

    fn stop_on_fail(&self, test: u32, before: &[u32]) -> Option<(Verdict, String)> {
        let stops = |other: &&u32| {
            let verdict = self.ended[*other].verdict;
            let bad =
                [Verdict::Fail, Verdict::Aborted, Verdict::Timeout, Verdict::Invalid].contains(&verdict);
            bad && !self.test(**other).optional && !self.is_deliberate(**other)
        };
        let first = before.iter().find(stops).filter(|_| self.plan.options.stop_on_fail)?;
        let suite = self.test(test).suite;
        let inside =
            |other: &u32| self.plan.suite_chain(self.test(*other).suite).any(|(around, _)| around == suite);
        let begun = self.started.iter().any(inside);
        let runs = self.is_teardown(test) && begun;
        (!runs).then(|| (Verdict::NotExecuted, format!("for test {first} stopped the run")))
    }

    /// From the outermost suite inwards, as the scheduler explains it: dependency of the suite, setup, prerequisite.
    fn by_dependency(
        &self,
        test: u32,
        teardown: bool,
        chain: &[SuiteIndex],
        around: &[SuiteIndex],
        failed: &[u32],
    ) -> Option<(Verdict, String)> {
        for suite in chain.iter().rev() {
            let depends = &self.plan.suite(*suite)?.depends;
            if let Some(dependency) = depends.iter().find(|dependency| !self.holds(test, dependency)) {
                return Some((Verdict::Skipped, format!("suite {suite} depends on {:?}", dependency.tests)));
            }
            if !around.contains(suite) {
                continue;
            }
            let of_suite = |other: &&u32| self.test(**other).suite == *suite;
            if failed.iter().filter(of_suite).any(|other| self.test(*other).role == Role::Setup) {
                return Some((Verdict::NotExecuted, format!("setup of suite {suite} failed")));
            }
            if failed.iter().filter(of_suite).any(|other| self.test(*other).prerequisite) {
                return Some((Verdict::Aborted, format!("prerequisite of suite {suite} failed")));
            }
        }
        let own = self.test(test);
        if !teardown {
            let group = own.iteration.as_ref().filter(|iteration| iteration.stop_on_fail);
            let group = group.map(|iteration| iteration.group);
            let same = |other: &&u32| self.test(**other).iteration.as_ref().map(|i| i.group) == group;
            if group.is_some() && failed.iter().any(|other| same(&other)) {
                return Some((Verdict::NotExecuted, "an iteration failed".to_owned()));
            }
            if let Some(dependency) = own.depends.iter().find(|dependency| !self.holds(test, dependency)) {
                return Some((Verdict::Skipped, format!("it depends on {:?}", dependency.tests)));
            }
        }
        if &*own.file != FILE && own.content.is_none() {
            return Some((Verdict::Skipped, "its file is missing".to_owned()));
        }
        (!own.runnable).then(|| (Verdict::Skipped, "it is not runnable".to_owned()))
    }

    /// Whether a dependency held, as far as it was known when the test had its verdict: another rule may end a test
    /// while it waits.
    fn holds(&self, test: u32, dependency: &Dependency) -> bool {
        let told = |of: u32| self.diary.iter().find(|(other, note, _)| *other == of && *note == Note::Ended);
        let known = |on: u32| told(on).map(|(.., seq)| *seq) <= told(test).map(|(.., seq)| *seq);
        let fits = |on: u32| dependency.demand.contains(self.ended[&on].verdict);
        dependency.tests.iter().all(|on| fits(on.0) || !known(on.0))
    }

    /// Whether a test may be sent now that the run is being stopped.
    pub(crate) fn may_clean_up(&self, test: u32) -> bool {
        self.is_teardown(test)
    }
}

fn part_numbers(plan: &RunPlan) -> BTreeMap<SuiteIndex, usize> {
    let mut numbers = BTreeMap::new();
    let mut eps = BTreeMap::new();
    let mut next = 0;
    for (index, suite) in plan.suites.iter().enumerate().filter(|(_, suite)| suite.parent.is_none()) {
        let suite_index = SuiteIndex(u32::try_from(index).expect("small"));
        let number = match &suite.place.ep {
            Some(ep) => *eps.entry(ep.clone()).or_insert(next),
            None => next,
        };
        numbers.insert(suite_index, number);
        next = next.max(number + 1);
    }
    numbers
}

fn divide(plan: &RunPlan) -> Vec<Vec<u32>> {
    let numbers = part_numbers(plan);
    let mut parts = vec![Vec::new(); numbers.values().max().map_or(0, |last| last + 1)];
    for (suite, part) in &numbers {
        if let Some(planned) = plan.suite(*suite) {
            parts[*part].extend(planned.tests.clone());
        }
    }
    parts
}
