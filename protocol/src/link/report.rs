//! What an EP reports: facts that stand in its spool until the engine has stored them.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    attempt::AttemptEnd,
    event::Hook,
    id::{AttemptId, BlobHash, RunId},
    time::Time,
    verdict::{Outcome, Verdict},
};

/// A fact about an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Report {
    /// Its process was started.
    Started {
        /// Which.
        attempt: AttemptId,
        /// When, by the EP's clock.
        at: Time,
    },
    /// It has ended; the last report of an attempt.
    Ended(Box<Ended>),
    /// A script around a run has ended.
    ScriptEnded(Box<ScriptEnded>),
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Which.
    pub attempt: AttemptId,
    /// When, by the EP's clock.
    pub at: Time,
    /// How it ended.
    #[serde(flatten)]
    pub end: AttemptEnd,
    /// Files it left (recordings, attachments): name and content, uploaded before this report.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<Arc<str>, BlobHash>,
}

/// The end of a script around a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptEnded {
    /// Of which run.
    pub run: RunId,
    /// Before or after it.
    pub hook: Hook,
    /// When, by the EP's clock.
    pub at: Time,
    /// How long its process lived.
    pub elapsed_millis: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The process's exit status, where one ran and ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// What it printed, cut at the order's limit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// A test inside a test, or a step, or a clean-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Part {
    /// As its framework names it.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How long it took.
    #[serde(default)]
    pub elapsed_millis: u64,
    /// Values it looked at, each with how it was to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// A value that a test looked at, and how it was to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// Whose value.
    pub name: String,
    /// The value as the device or the test wrote it, a long one cut.
    pub value: String,
    /// What it counts, where the test says so beside the value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// What had to hold, by the word of the relation: `at_most`, `contains`; none for a value that is only kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, String>,
    /// PASS or FAIL; INVALID where the limit itself is wrong.
    pub verdict: Verdict,
}

impl Check {
    /// The value with its unit.
    pub fn shown(&self) -> String {
        if self.unit.is_empty() { self.value.clone() } else { format!("{} {}", self.value, self.unit) }
    }

    /// Whether it is a figure, and not a text that was searched: it has a unit, is compared by its size, or is only kept.
    pub fn is_figure(&self) -> bool {
        let by_size = ["above", "below", "at_least", "at_most"];
        self.limits.is_empty()
            || !self.unit.is_empty()
            || by_size.iter().any(|word| self.limits.contains_key(*word))
    }

    /// What had to hold, in words: `at_least 10, at_most 20`.
    pub fn shown_limits(&self) -> String {
        let limits: Vec<String> =
            self.limits.iter().map(|(relation, limit)| format!("{relation} {limit}")).collect();
        limits.join(", ")
    }
}
