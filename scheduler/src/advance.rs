//! The next step of a part: decided purely, then done.

use jackfield_protocol::{
    event::{Fact, RunState},
    id::TestIndex,
    link::EngineToEp,
    verdict::Outcome,
};

use crate::{
    Scheduler,
    bench::Lane,
    effect::Row,
    latch::Rule,
    out::Out,
    part::{Part, PartKey},
    run::{Run, Stage},
};

/// What a part does next.
enum Step {
    /// Nothing, until something wakes it.
    Rest,
    /// Every test has its verdict.
    End,
    /// A test ends without an EP.
    Decide(TestIndex, Outcome),
    /// A test has to wait for others: by this dependency, for this test first.
    Wait(TestIndex, usize, TestIndex),
    /// It needs a lane.
    Seek,
    /// A test could go to the EP, which is away.
    Hold,
    /// Its lane is gone: the EP came back with fewer.
    Leave,
    /// A test goes to the EP.
    Send(TestIndex),
}

impl Scheduler {
    /// Takes all steps a part can take now.
    pub(crate) fn advance(&mut self, out: &mut Out, key: PartKey) {
        self.bench.lenders.remove(&key);
        loop {
            match self.next_step(key) {
                Step::Rest => return,
                Step::End => return self.end_part(out, key),
                Step::Decide(test, outcome) => self.decide(out, key.run, test, outcome),
                Step::Wait(test, edge, on) => {
                    if !self.break_cycle(key, edge, on) {
                        return self.wait(out, key, test, on);
                    }
                }
                Step::Seek => return self.seek(key),
                Step::Leave => return self.unplace(out, key),
                Step::Hold => return self.hold(key),
                Step::Send(test) => self.send_test(out, key, test),
            }
        }
    }

    fn next_step(&mut self, key: PartKey) -> Step {
        let limits = self.limits;
        let Some(run) = self.runs.get_mut(&key.run) else { return Step::Rest };
        let head = run.part(key.part).and_then(|part| run.head(part));
        let Some(part) = run.part_mut(key.part).filter(|part| !part.ended) else { return Step::Rest };
        part.cursor = head.map(|(position, _)| position);
        let run = &*run;
        let Some(part) = run.part(key.part) else { return Step::Rest };
        let Some((_, test)) = head else {
            return if part.flight.is_empty() { Step::End } else { Step::Rest };
        };
        if run.row.state == RunState::Paused {
            return Step::Rest;
        }
        if part.place.is_none() && (part.home.is_none() || !run.is_open()) {
            return first_step(run, part, test);
        }
        if !run.is_open() || part.held_back() || part.flight.len() >= limits.send_ahead.max(1) {
            return Step::Rest;
        }
        let lane = part.place.as_ref().map(|place| self.bench.lane(place));
        open_step(run, part, test, lane)
    }

    /// Ends a wait that would last for ever, by declaring the dependency void.
    fn break_cycle(&mut self, key: PartKey, edge: usize, on: TestIndex) -> bool {
        let Some(run) = self.runs.get_mut(&key.run) else { return false };
        let settled = run.part(key.part).is_some_and(|part| part.home.is_some());
        if !settled || !run.is_open() || !run.in_cycle(key.part) {
            return false;
        }
        let text = run.dependency(edge).map(|dependency| dependency.text.to_string()).unwrap_or_default();
        let reason = format!(
            "the dependency {text} can never hold: {} comes later, or waits for this test itself",
            run.title(on)
        );
        run.edges.void.insert(Rule::Dependency(edge).latch(), reason);
        true
    }

    fn wait(&mut self, out: &mut Out, key: PartKey, test: TestIndex, on: TestIndex) {
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let waits_for = format!("{} to end", run.title(on));
        let Some(part) = run.part_mut(key.part) else { return };
        if part.place.is_none() {
            self.bench.delist(part);
        }
        if part.home.is_none() {
            return self.say_waits(out, key, waits_for);
        }
        let placed = part.place.is_some();
        let news = part.waits.as_deref() != Some(waits_for.as_str());
        if news {
            part.waits = Some(waits_for.clone());
        }
        if news || run.stage(test) != Some(Stage::Waiting) {
            run.set_stage(test, Stage::Waiting);
            run.publish(out, Fact::TestWaits { test, waits_for });
        }
        if placed {
            self.bench.lenders.insert(key);
            self.offer_lender(key);
        }
    }

    /// A part lends its lane from now on: parts of its own and of earlier runs may want it.
    fn offer_lender(&mut self, lender: PartKey) {
        let until = PartKey { run: lender.run, part: u32::MAX };
        let waiters = &self.bench.waiters;
        let bound = waiters.bound.values().flatten().filter(|key| **key <= until);
        let open = waiters.open.values().filter_map(|open| open.first()).filter(|key| **key <= until);
        let news: Vec<_> = bound.chain(open).copied().collect();
        self.bench.news.extend(news);
    }

    fn hold(&mut self, key: PartKey) {
        if let Some(run) = self.runs.get_mut(&key.run) {
            run.head_waits_no_more(key.part);
        }
    }

    fn seek(&mut self, key: PartKey) {
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        run.head_waits_no_more(key.part);
        if let Some(part) = run.part(key.part) {
            self.bench.enlist(part, run.came);
        }
    }

    fn end_part(&mut self, out: &mut Out, key: PartKey) {
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let Some(part) = run.part_mut(key.part) else { return };
        self.bench.delist(part);
        self.timers.set(&mut part.lost_at, crate::timer::Due::Lost(key), None);
        part.ended = true;
        part.waits = None;
        let place = part.place.take();
        if let Some(place) = &place {
            self.bench.release(out, part, place);
        }
        out.store(Row::Part(part.row()));
        if let Some(ep) = part.home.clone() {
            self.close_run(out, key, &ep);
        }
        self.wind_up(out, key.run);
    }

    /// Tells an EP to forget a run, once no part of it is or was there that has not ended, or may go elsewhere.
    fn close_run(&mut self, out: &mut Out, key: PartKey, ep: &jackfield_protocol::id::EpName) {
        let Some(run) = self.runs.get(&key.run) else { return };
        let stays = |part: &Part| !part.ended && !part.loose && part.home.as_ref() == Some(ep);
        let here = run.parts.iter().any(stays);
        let Some(found) = self.bench.eps.get_mut(ep) else { return };
        if here {
            return;
        }
        found.opened.remove(&key.run);
        if found.knows.remove(&key.run) {
            self.bench.tell(out, ep, EngineToEp::CloseRun { run: key.run });
        }
    }
}

/// A part that never had a lane waits for its first test's dependencies before it takes one.
fn first_step(run: &Run, part: &Part, test: TestIndex) -> Step {
    match run.waits_for(test) {
        Some((edge, on)) if !run.in_cycle(part.key.part) => Step::Wait(test, edge, on),
        _ => Step::Seek,
    }
}

/// A part of a run that is under way, and the lane that it holds.
fn open_step(run: &Run, part: &Part, test: TestIndex, lane: Option<Lane>) -> Step {
    let idle = part.flight.is_empty();
    if let Some(outcome) = run.verdict_now(test) {
        // In its turn, so that verdicts come in the order of running.
        return if idle { Step::Decide(test, outcome) } else { Step::Rest };
    }
    if let Some((edge, on)) = run.waits_for(test) {
        return if idle { Step::Wait(test, edge, on) } else { Step::Rest };
    }
    if let Some(outcome) = run.missing(test) {
        return if idle { Step::Decide(test, outcome) } else { Step::Rest };
    }
    // Until its suite has begun, only an idle lane can tell whether a teardown file runs when the run stops on fail.
    let unsure = run.plan.options.stop_on_fail && run.is_teardown(test) && !run.is_begun(test);
    match lane {
        None => Step::Seek,
        Some(Lane::Away) => Step::Hold,
        Some(Lane::Missing) if idle => Step::Leave,
        Some(Lane::There) if idle || !unsure => Step::Send(test),
        Some(Lane::There | Lane::Missing) => Step::Rest,
    }
}
