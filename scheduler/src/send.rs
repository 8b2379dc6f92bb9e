//! Sending a test ahead, with all that its EP needs to run it and to decide whether it may.

use std::sync::Arc;

use jackfield_protocol::{
    id::{AttemptId, EpName, TestIndex},
    link::{Assignment, EngineToEp, RunContext, TestOrder},
};

use crate::{
    Limits, Scheduler,
    bench::Ep,
    effect::{AttemptRow, AttemptState, Row},
    out::Out,
    part::{Flight, PartKey},
    run::{Run, Stage},
};

impl Flight {
    pub(crate) fn row(&self, attempt: AttemptId, ep: Option<EpName>, state: AttemptState) -> AttemptRow {
        AttemptRow {
            attempt,
            ep,
            state,
            assigned: self.assigned,
            started: self.started,
            wanted: self.wanted.clone(),
            end: None,
        }
    }
}

impl Scheduler {
    pub(crate) fn send_test(&mut self, out: &mut Out, key: PartKey, test: TestIndex) {
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let Some(part) = run.part_mut(key.part) else { return };
        let Some(place) = part.place.clone() else { return };
        let delayed = std::mem::replace(&mut part.sent, true);
        let Some(slot) = run.slot_mut(test) else { return };
        slot.tries = slot.tries.saturating_add(1);
        slot.stage = Stage::Sent;
        slot.ep = Some(place.ep.clone());
        let flight = Flight {
            test,
            attempt: slot.tries,
            assigned: out.now,
            started: None,
            recalled: false,
            owes: None,
            wanted: None,
        };
        let attempt = run.attempt(test, flight.attempt);
        out.store(Row::Attempt(Box::new(flight.row(
            attempt,
            Some(place.ep.clone()),
            AttemptState::Assigned,
        ))));
        if let Some(part) = run.part_mut(key.part) {
            part.flight.push(flight);
        }
        let Some(mut order) = run.order_of(test) else { return };
        let own = run.top_suite_of(test).and_then(|suite| run.plan.suite(suite)?.place.needs.clone());
        if let Some(part) = run.part(key.part) {
            order.needs = self.bench.given_to(part, own.as_ref());
        }
        let assignment = Assignment {
            attempt,
            lane: place.lane,
            delay_millis: if delayed { run.plan.options.delay_millis } else { 0 },
            timeout_millis: run.timeout_of(test, &self.limits),
            guards: run.guards(test),
            raises: run.raises(test, false),
            test: order,
        };
        let context = run.context();
        let opens = |ep: &mut Ep| {
            ep.knows.insert(key.run);
            ep.opened.insert(key.run)
        };
        if self.bench.eps.get_mut(&place.ep).is_some_and(opens) {
            self.bench.tell(out, &place.ep, EngineToEp::OpenRun(Box::new(context())));
        }
        self.bench.tell(out, &place.ep, EngineToEp::Assign(Box::new(assignment)));
    }
}

impl Run {
    /// What an EP must know before the first test.
    fn context(&self) -> impl Fn() -> RunContext {
        || RunContext {
            run: self.id(),
            project: self.plan.project.as_str().into(),
            user: self.plan.user.clone(),
            library_layout: self.plan.options.library_layout,
            libraries: self.plan.libraries.clone(),
            folders: self.plan.folders.clone(),
            panic_patterns: self.plan.panic_patterns.clone(),
            profiles: self.plan.profiles.clone(),
            templates: self.plan.templates,
            tests_total: self.tests(),
        }
    }

    /// Its own limit, else that of the innermost suite that has one, else the engine's; never longer than a suite's.
    fn timeout_of(&self, index: TestIndex, limits: &Limits) -> u64 {
        let own = self.test(index).and_then(|test| test.timeout_millis);
        let suites = || self.suites_of(index).filter_map(|(_, suite)| suite.timeout_millis);
        let limit = own.or_else(|| suites().next()).unwrap_or(limits.test_timeout_millis);
        suites().fold(limit, u64::min)
    }

    fn order_of(&self, index: TestIndex) -> Option<TestOrder> {
        let test = self.test(index)?;
        let suite = self.plan.suite(test.suite)?;
        let place = self.places.get(crate::run::at(index.0)).copied().unwrap_or(0);
        let count = self.suite(test.suite).map_or(0, |suite| suite.direct);
        let content = |name: &Arc<str>| self.plan.files.get(name).copied();
        let mut chain: Vec<_> = self.suites_of(index).map(|(_, suite)| suite).collect();
        chain.reverse();
        let of_suites = chain.iter().flat_map(|suite| &suite.libraries);
        Some(TestOrder {
            id: Arc::clone(&test.id),
            name: Arc::clone(&test.name),
            file: Arc::clone(&test.file),
            content: self.plan.content_of(test),
            runnable: test.runnable,
            suite_id: Arc::clone(&suite.id),
            suite_name: Arc::clone(&suite.name),
            suite_position: (place, count),
            // The bench knows.
            needs: std::collections::BTreeMap::new(),
            sut: chain.iter().rev().find_map(|suite| suite.sut.clone()),
            params: test.params.clone(),
            properties: test.properties.clone(),
            configs: test
                .configs
                .iter()
                .filter_map(|name| Some((Arc::clone(name), content(name)?)))
                .collect(),
            iteration: test.iteration.clone(),
            libraries: self.plan.options.libraries.iter().chain(of_suites).cloned().collect(),
            panic_detect: chain.iter().any(|suite| suite.panic_detect),
        })
    }
}
