//! The end of an attempt, in one type: an EP reports it, the scheduler decides it, the store keeps it, events and reports show it.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{link::Part, log::Stream, verdict::Outcome};

/// How an attempt ended, with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptEnd {
    /// How long its process lived; 0 where there was none.
    pub elapsed_millis: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The process's exit status, where one ran and ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The tests inside the test (pytest, Robot Framework, JUnit producers, steps).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Clean-ups the EP ran after it, each with its own verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleanups: Vec<Part>,
    /// Custom variables the test set, for SQL and mail.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<Arc<str>, Arc<str>>,
    /// Bytes in each of its logs; some of them may come after its end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub log_bytes: BTreeMap<Stream, u64>,
}

impl AttemptEnd {
    /// The end of one of which there is nothing else to tell: no process ran, or nobody knows what became of it.
    pub fn of(outcome: Outcome) -> Self {
        Self {
            elapsed_millis: 0,
            outcome,
            exit_code: None,
            parts: Vec::new(),
            cleanups: Vec::new(),
            variables: BTreeMap::new(),
            log_bytes: BTreeMap::new(),
        }
    }
}
