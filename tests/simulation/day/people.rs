//! People, who submit, pause, stop, queue and drain at the worst of times.

use std::sync::Arc;

use jackfield_protocol::{
    id::{BlobHash, RunId, SuiteIndex, TestIndex, UserName},
    plan::Role,
    verdict::TestState,
};
use jackfield_scheduler::Event;

use super::{Day, Happening};
use crate::{
    oracle::Story,
    plan::{MISSING, random_dependency, random_plan, random_test},
};

impl Day {
    pub(super) fn submit(&mut self) -> Result<(), String> {
        self.to_submit -= 1;
        let run = RunId(u64::try_from(self.stories.len()).expect("small") + 1);
        let eps = u64::try_from(self.eps.len()).expect("small").min(3);
        let user = if self.dice.percent(50) { "ana" } else { "bob" };
        let mut plan = random_plan(&mut self.dice, user, eps);
        plan.options.checks = self.dirty();
        let plan = Arc::new(plan);
        self.stories.insert(run, Story::new(run, Arc::clone(&plan)));
        self.engine(Event::RunSubmitted { run, plan })
    }

    pub(super) fn any_run(&mut self) -> Option<RunId> {
        let live = self.live();
        self.dice.pick(&live).copied()
    }

    /// A person does something.
    pub(super) fn person(&mut self) -> Result<(), String> {
        let Some(run) = self.any_run() else { return Ok(()) };
        let by = UserName::from("ana");
        if self.dice.percent(20) {
            // The engine dies before any EP has answered.
            let soon = self.dice.below(40);
            self.plan_in(soon, Happening::Restart);
        }
        match self.dice.below(10) {
            0 | 1 => {
                let later = self.dice.below(30_000);
                self.plan_in(later, Happening::Echo(Box::new(Event::RunResumed { run, by: by.clone() })));
                self.engine(Event::RunPaused { run, by })
            }
            2 | 3 => {
                let stop = |by, at_once| Event::RunStopped { run, by, reason: "enough".to_owned(), at_once };
                if self.dice.percent(40) {
                    let later = self.dice.below(10_000);
                    self.plan_in(later, Happening::Echo(Box::new(stop(by.clone(), true))));
                }
                let at_once = self.dice.percent(20);
                self.engine(stop(by, at_once))
            }
            4 | 5 => self.queue(run, by),
            6..=8 => self.dequeue(run, by),
            _ => {
                let ep = usize::try_from(self.dice.below(u64::try_from(self.eps.len()).expect("small")))
                    .expect("small");
                let ep = self.eps[ep].name.clone();
                let drained = self.dice.percent(50);
                self.engine(Event::EpDrained { ep, drained, by: "ana".into() })
            }
        }
    }

    pub(super) fn queue(&mut self, run: RunId, by: UserName) -> Result<(), String> {
        let tests = self.scheduler.run_view(run).map_or(0, |view| view.tests);
        let suites: Vec<_> =
            (0..20).map(SuiteIndex).filter(|suite| self.scheduler.may_queue(run, *suite).is_ok()).collect();
        let Some(suite) = self.dice.pick(&suites).copied() else { return Ok(()) };
        let queued: Vec<_> = (0..self.dice.between(1, 2))
            .map(|nth| {
                let mut test =
                    random_test(&mut self.dice, suite, Role::Test, &format!("q{}", u64::from(tests) + nth));
                if self.dice.percent(20) {
                    // A file that came into the lab after the run began.
                    test.file = MISSING.into();
                    test.content = Some(BlobHash([7; 32]));
                }
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

    pub(super) fn dequeue(&mut self, run: RunId, by: UserName) -> Result<(), String> {
        let views: Vec<_> = self.scheduler.test_views(run).collect();
        let open = views.iter().filter(|view| matches!(view.state, TestState::Pending | TestState::Waiting));
        let open: Vec<TestIndex> = open.map(|view| view.test).collect();
        let tests: Vec<_> =
            (0..self.dice.between(1, 3)).filter_map(|_| self.dice.pick(&open).copied()).collect();
        self.engine(Event::TestsDequeued { run, tests, by })
    }

    /// Everything that is broken is mended.
    pub(super) fn mend(&mut self) -> Result<(), String> {
        self.mended = true;
        for ep in 0..self.eps.len() {
            let name = self.eps[ep].name.clone();
            self.plan_in(0, Happening::Connect { ep });
            self.engine(Event::EpDrained { ep: name, drained: false, by: "ana".into() })?;
        }
        for run in self.live() {
            self.engine(Event::RunResumed { run, by: "ana".into() })?;
        }
        self.repair()
    }
}
