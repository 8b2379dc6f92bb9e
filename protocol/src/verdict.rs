//! How an attempt ended, who is to blame, and what a test looks like before its end.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use decided::{DecidedBy, signal_name};

mod decided;

/// The one end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// What was to be shown was shown.
    Pass,
    /// It was not.
    Fail,
    /// Left out on purpose: not runnable, a dependency that did not hold, a test that skipped itself.
    Skipped,
    /// Ended from outside: stopped by a person, lost with its EP, or by the test itself.
    Aborted,
    /// Never begun, because something before it made it pointless.
    NotExecuted,
    /// Its time was over.
    Timeout,
    /// It cannot be run as it stands.
    Invalid,
}

impl Verdict {
    /// Every verdict, in the order people read them.
    pub const ALL: [Self; 7] = [
        Self::Pass,
        Self::Fail,
        Self::Skipped,
        Self::Aborted,
        Self::NotExecuted,
        Self::Timeout,
        Self::Invalid,
    ];

    /// The word for files, pages and people: `PASS`, `NOT_EXECUTED`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Skipped => "SKIPPED",
            Self::Aborted => "ABORTED",
            Self::NotExecuted => "NOT_EXECUTED",
            Self::Timeout => "TIMEOUT",
            Self::Invalid => "INVALID",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no verdict.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a verdict: PASS, FAIL, SKIPPED, ABORTED, NOT_EXECUTED, TIMEOUT or INVALID")]
pub struct VerdictError(String);

impl FromStr for Verdict {
    type Err = VerdictError;
    /// Reads our words and Twister's (`skip`, `not exec`, `NOT-EXEC`), whatever the case.
    fn from_str(text: &str) -> Result<Self, VerdictError> {
        let word = text.trim().to_ascii_uppercase().replace(['-', ' '], "_");
        Ok(match word.as_str() {
            "PASS" | "PASSED" => Self::Pass,
            "FAIL" | "FAILED" => Self::Fail,
            "SKIP" | "SKIPPED" => Self::Skipped,
            "ABORT" | "ABORTED" => Self::Aborted,
            "NOT_EXEC" | "NOT_EXECUTED" | "NO_EXEC" => Self::NotExecuted,
            "TIMEOUT" => Self::Timeout,
            "INVALID" => Self::Invalid,
            _ => return Err(VerdictError(text.to_owned())),
        })
    }
}

/// Where a test of a run stands. In JSON: one word, as [`TestState::as_str`] says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TestState {
    /// Its turn has not come.
    Pending,
    /// Its turn has come, but something it needs is not there yet.
    Waiting,
    /// It runs.
    Working,
    /// It has its verdict.
    Ended(Verdict),
}

impl TestState {
    /// Every state, in the order a test goes through them, then as [`Verdict::ALL`].
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Waiting,
        Self::Working,
        Self::Ended(Verdict::Pass),
        Self::Ended(Verdict::Fail),
        Self::Ended(Verdict::Skipped),
        Self::Ended(Verdict::Aborted),
        Self::Ended(Verdict::NotExecuted),
        Self::Ended(Verdict::Timeout),
        Self::Ended(Verdict::Invalid),
    ];

    /// The word for files, pages and people: `WAITING`, `PASS`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Waiting => "WAITING",
            Self::Working => "WORKING",
            Self::Ended(verdict) => verdict.as_str(),
        }
    }
}

impl fmt::Display for TestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no state of a test.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a state of a test: PENDING, WAITING, WORKING, PASS, FAIL, SKIPPED, ABORTED, NOT_EXECUTED, TIMEOUT or INVALID"
)]
pub struct TestStateError(String);

impl FromStr for TestState {
    type Err = TestStateError;
    fn from_str(text: &str) -> Result<Self, TestStateError> {
        let state = Self::ALL.into_iter().find(|state| state.as_str() == text);
        state.ok_or_else(|| TestStateError(text.to_owned()))
    }
}

impl Serialize for TestState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TestState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for TestState {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some(
                "Where a test of a run stands: before its end one of the first three, then its verdict.",
            ))
            .enum_values(Some(Self::ALL.map(Self::as_str)))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for TestState {}

/// Who is to blame for a verdict that is not PASS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The thing under test does not do what it should.
    Product,
    /// The test itself is wrong: it crashed, or cannot be read.
    Test,
    /// The lab: an EP, a network, a disk, a device that was not there.
    Lab,
    /// Time ran out.
    Time,
    /// A person stopped, skipped or decided it.
    Person,
    /// It never came to an end of its own.
    Unfinished,
}

impl Cause {
    /// The word for files, pages and people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Test => "test",
            Self::Lab => "lab",
            Self::Time => "time",
            Self::Person => "person",
            Self::Unfinished => "unfinished",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A verdict with what a person needs to understand it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// Who is to blame; none for PASS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// One sentence, as the test or the engine gave it; empty where there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The script died instead of ending (`twister_tc_crash_detected`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub crashed: bool,
    /// The rule that decided it; none in what an older version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Box<DecidedBy>>,
}

impl Outcome {
    /// A plain PASS.
    pub fn pass(by: DecidedBy) -> Self {
        let decided_by = Some(Box::new(by));
        Self { verdict: Verdict::Pass, cause: None, reason: String::new(), crashed: false, decided_by }
    }

    /// Any other end, with its blame, the rule that decided it, and its sentence.
    pub fn not_pass(verdict: Verdict, cause: Cause, by: DecidedBy, reason: impl Into<String>) -> Self {
        let decided_by = Some(Box::new(by));
        Self { verdict, cause: Some(cause), reason: reason.into(), crashed: false, decided_by }
    }
}

/// A set of verdicts. In JSON: a list of their words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VerdictSet(pub std::collections::BTreeSet<Verdict>);

impl VerdictSet {
    /// Every verdict but this one.
    pub fn all_but(verdict: Verdict) -> Self {
        Self(Verdict::ALL.into_iter().filter(|v| *v != verdict).collect())
    }

    /// Whether the verdict is in the set.
    pub fn contains(&self, verdict: Verdict) -> bool {
        self.0.contains(&verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_systems_are_read() {
        for verdict in Verdict::ALL {
            assert_eq!(verdict.as_str().parse::<Verdict>().unwrap(), verdict);
        }
        assert_eq!("not-exec".parse::<Verdict>().unwrap(), Verdict::NotExecuted);
        assert!("working".parse::<Verdict>().is_err());
    }

    #[test]
    fn a_state_is_one_word_in_json() {
        let text = |state| serde_json::to_string(&state).unwrap();
        assert_eq!(text(TestState::Waiting), "\"WAITING\"");
        assert_eq!(text(TestState::Ended(Verdict::NotExecuted)), "\"NOT_EXECUTED\"");
        assert_eq!(serde_json::from_str::<TestState>("\"FAIL\"").unwrap(), TestState::Ended(Verdict::Fail));
        for (state, verdict) in TestState::ALL.into_iter().skip(3).zip(Verdict::ALL) {
            assert_eq!(state, TestState::Ended(verdict));
        }
    }
}
