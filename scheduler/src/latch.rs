//! Which latches a test sets when it ends, and which forbid it: every rule between tests, as `protocol::guard` has it.
//!
//! Latches are numbered from the plan alone, so a restored run gives an EP the numbers that it knows.
//!
//! A test that was left out on purpose (not runnable, or taken out by a person) sets no latch but those of the tests
//! that depend on it. Stop on fail looks at tests that were run: `SKIPPED` and `NOT_EXECUTED` do not trigger it.

use jackfield_protocol::{
    guard::{Guard, Latch, Raise},
    id::{SuiteIndex, TestIndex},
    plan::{PlannedTest, Role},
    verdict::{Cause, Verdict, VerdictSet},
};

use crate::run::Run;

/// What a latch says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// A setup file of the suite did not pass.
    Setup(SuiteIndex),
    /// A prerequisite of the suite did not pass.
    Prerequisite(SuiteIndex),
    /// A mandatory test of the part did not pass, and the run stops on fail.
    StopOnFail(u32),
    /// An iteration of the group did not pass.
    Iteration(u32),
    /// A dependency does not hold.
    Dependency(usize),
}

/// Kinds of rules, with room for more.
const KINDS: u32 = 8;

impl Rule {
    pub(crate) fn latch(self) -> Latch {
        let (number, kind) = match self {
            Self::Setup(suite) => (suite.0, 0),
            Self::Prerequisite(suite) => (suite.0, 1),
            Self::StopOnFail(part) => (part, 2),
            Self::Iteration(group) => (group, 3),
            Self::Dependency(edge) => (u32::try_from(edge).unwrap_or(u32::MAX), 4),
        };
        Latch(number.wrapping_mul(KINDS).wrapping_add(kind))
    }
}

/// Verdicts that end a part when the run stops on fail.
fn stops() -> VerdictSet {
    VerdictSet([Verdict::Fail, Verdict::Aborted, Verdict::Timeout, Verdict::Invalid].into())
}

impl Run {
    /// What a test sets when it ends. `deliberate`: it was left out on purpose.
    pub(crate) fn raises(&self, index: TestIndex, deliberate: bool) -> Vec<Raise> {
        let Some(test) = self.test(index) else { return Vec::new() };
        let mut raises = Vec::new();
        let mut add = |rule: Rule, when: VerdictSet| raises.push(Raise { latch: rule.latch(), when });
        if !deliberate && test.runnable {
            if self.plan.options.stop_on_fail && !test.optional {
                self.part_of(index).into_iter().for_each(|part| add(Rule::StopOnFail(part), stops()));
            }
            if test.role == Role::Setup {
                add(Rule::Setup(test.suite), VerdictSet::all_but(Verdict::Pass));
            }
            if test.prerequisite {
                add(Rule::Prerequisite(test.suite), VerdictSet::all_but(Verdict::Pass));
            }
            if let Some(iteration) = test.iteration.as_ref().filter(|iteration| iteration.stop_on_fail) {
                add(Rule::Iteration(iteration.group), VerdictSet::all_but(Verdict::Pass));
            }
        }
        for edge in self.edges.waiting_for(index) {
            if let Some(dependency) = self.dependency(edge) {
                let missed = |verdict: &Verdict| !dependency.demand.contains(*verdict);
                add(Rule::Dependency(edge), VerdictSet(Verdict::ALL.into_iter().filter(missed).collect()));
            }
        }
        raises.retain(|raise| !raise.when.0.is_empty());
        raises
    }

    /// What forbids a test, the rule that concerns most tests first.
    pub(crate) fn guards(&self, index: TestIndex) -> Vec<Guard> {
        let Some(test) = self.test(index) else { return Vec::new() };
        let teardown = test.role == Role::Teardown;
        let mut guards = Vec::new();
        if self.plan.options.stop_on_fail && !teardown {
            let reason = "the run stops on the first test that fails".to_owned();
            let part = self.part_of(index).unwrap_or(0);
            guards.push(guard(Rule::StopOnFail(part), Verdict::NotExecuted, reason));
        }
        let mut chain: Vec<_> = self.suites_of(index).collect();
        chain.reverse();
        for (suite, planned) in chain {
            self.guard_dependencies(self.edges.of_suite(suite), &mut guards);
            if teardown && suite == test.suite {
                continue;
            }
            let setup = format!("the setup file of suite {} did not pass", planned.name);
            guards.push(guard(Rule::Setup(suite), Verdict::NotExecuted, setup));
            let prerequisite = format!("the prerequisite of suite {} did not pass", planned.name);
            guards.push(guard(Rule::Prerequisite(suite), Verdict::Aborted, prerequisite));
        }
        if !teardown {
            self.guard_own(index, test, &mut guards);
        }
        guards.retain(|guard| self.can_be_set(guard.unless));
        guards
    }

    fn guard_own(&self, index: TestIndex, test: &PlannedTest, guards: &mut Vec<Guard>) {
        if let Some(iteration) = test.iteration.as_ref().filter(|iteration| iteration.stop_on_fail) {
            let reason = "an earlier iteration did not pass".to_owned();
            guards.push(guard(Rule::Iteration(iteration.group), Verdict::NotExecuted, reason));
        }
        self.guard_dependencies(self.edges.of_test(index), guards);
    }

    fn guard_dependencies(&self, edges: std::ops::Range<usize>, guards: &mut Vec<Guard>) {
        for edge in edges {
            if let Some(dependency) = self.dependency(edge) {
                let reason = format!("the dependency {} does not hold", dependency.text);
                guards.push(guard(Rule::Dependency(edge), Verdict::Skipped, reason));
            }
        }
    }

    /// Whether any test can set a latch: most suites have neither setup file nor prerequisite.
    fn can_be_set(&self, latch: Latch) -> bool {
        self.settable.contains(&latch) || self.edges.void.contains_key(&latch)
    }

    /// Notes what a test may set.
    pub(crate) fn note_settable(&mut self, index: TestIndex) {
        let raises = self.raises(index, false);
        self.settable.extend(raises.into_iter().map(|raise| raise.latch));
    }
}

fn guard(rule: Rule, verdict: Verdict, reason: String) -> Guard {
    Guard { unless: rule.latch(), verdict, cause: Cause::Unfinished, reason }
}
