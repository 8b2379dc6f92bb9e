//! The rules that hold between the tests of one lane, as small data.
//!
//! A *latch* is a fact about a run that is either unset or set for good: "the setup of suite 3 failed",
//! "a mandatory test was not PASS". An ended attempt sets the latches of its [`Raise`]s whose verdicts fit; a test
//! whose [`Guard`] names a set latch is not started and ends with the guard's outcome instead.
//! Stop on fail, setup files, prerequisites, iterations that stop, and dependencies are all latches, so that
//! the engine (for tests it still holds) and an EP (for tests sent ahead) decide by the same rule, with [`blocked`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    id::AttemptId,
    verdict::{Cause, DecidedBy, Outcome, Verdict, VerdictSet},
};

/// A latch of one run, numbered by the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Latch(pub u32);

/// Sets a latch when the attempt it belongs to ends with one of the verdicts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raise {
    /// The latch to set.
    pub latch: Latch,
    /// When to set it.
    pub when: VerdictSet,
}

/// Keeps a test from starting while its latch is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// The latch that forbids the test.
    pub unless: Latch,
    /// How the test then ends.
    pub verdict: Verdict,
    /// Who is to blame for it.
    pub cause: Cause,
    /// Why, up to the name of what set the latch: `the setup file of suite S1 did not pass`.
    pub reason: String,
}

/// What set a latch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// The attempt, where one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// The name of its test, as people know it.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
}

/// The latches of one run that are set, with what set them first.
pub type Latches = BTreeMap<Latch, Raised>;

/// Sets what an ended attempt sets; the first cause of a latch stays.
pub fn raise(latches: &mut Latches, raises: &[Raise], raised: &Raised) {
    for entry in raises.iter().filter(|entry| entry.when.contains(raised.verdict)) {
        latches.entry(entry.latch).or_insert_with(|| raised.clone());
    }
}

/// How a test ends without being started, where one of its guards forbids it; the first such guard speaks.
pub fn blocked(latches: &Latches, guards: &[Guard]) -> Option<Outcome> {
    guards.iter().find_map(|guard| {
        let raised = latches.get(&guard.unless)?;
        let reason = format!("{}: {} ended {}", guard.reason, raised.name, raised.verdict);
        let by = DecidedBy::OtherTest {
            says: guard.reason.clone(),
            test: format!("{} ended {}", raised.name, raised.verdict),
        };
        Some(Outcome::not_pass(guard.verdict, guard.cause, by, reason))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_setup_forbids_what_follows_and_says_why() {
        let setup = Raise { latch: Latch(3), when: VerdictSet::all_but(Verdict::Pass) };
        let guard = Guard {
            unless: Latch(3),
            verdict: Verdict::NotExecuted,
            cause: Cause::Unfinished,
            reason: "the setup file of suite S1 did not pass".to_owned(),
        };
        let ended = |verdict| Raised { attempt: None, name: "init.py".to_owned(), verdict };
        let mut latches = Latches::new();

        raise(&mut latches, std::slice::from_ref(&setup), &ended(Verdict::Pass));
        assert_eq!(blocked(&latches, std::slice::from_ref(&guard)), None);

        raise(&mut latches, &[setup], &ended(Verdict::Timeout));
        let outcome = blocked(&latches, &[guard]).unwrap();
        assert_eq!(outcome.verdict, Verdict::NotExecuted);
        assert_eq!(outcome.reason, "the setup file of suite S1 did not pass: init.py ended TIMEOUT");
    }
}
