//! What the lab's rules for old runs lead to, as it travels.

use serde::{Deserialize, Serialize};

use crate::{
    id::{RunId, UserName},
    time::Time,
};

/// The lab's rules for old runs (`[retention]` of `engine.toml`), and what they lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetentionView {
    /// Runs that ended longer ago go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_millis: Option<u64>,
    /// All but so many go, the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_max: Option<u64>,
    /// The oldest go, until logs and artifacts of the others take no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_max: Option<u64>,
    /// Files of runs in the outbox that are older go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbox_millis: Option<u64>,
    /// Runs that have ended.
    pub runs: u64,
    /// What their logs and artifacts take.
    pub bytes: u64,
    /// Those of them that are marked to stay.
    pub kept: u64,
    /// Those that go at the next look, oldest first; of more than 1,000 the first.
    pub going: Vec<GoingRun>,
    /// How many go.
    pub going_runs: u64,
    /// Why nothing goes for its age, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// What the last look came to; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Look>,
}

/// A run that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GoingRun {
    /// Which.
    pub run: RunId,
    /// The project's name.
    pub project: String,
    /// Who started it.
    pub user: UserName,
    /// When it ended.
    pub ended: Time,
    /// What its logs and artifacts take.
    pub bytes: u64,
    /// Which rule says so.
    pub reason: String,
}

/// What a look came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Look {
    /// When.
    pub at: Time,
    /// Runs that went.
    pub runs: u64,
    /// Files by content that went, since nobody named them any more.
    pub files: u64,
    /// Their bytes.
    pub file_bytes: u64,
    /// Files of the outbox that went.
    pub outbox: u64,
    /// Why it was broken off; the next one goes on there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
