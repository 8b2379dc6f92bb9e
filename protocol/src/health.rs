//! How fit resources are, as it travels.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    id::{RunId, UserName},
    time::Time,
};

/// A resource that is not given, or that the lab spoiled a use of (`GET /resources/health`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResourceHealth {
    /// Its id.
    pub id: String,
    /// Its path.
    pub resource: String,
    /// How fit it is.
    pub health: HealthState,
    /// Since when; none where a property says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// What happened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who took it out of service; none where nobody did, or a property says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserName>,
    /// The run that checks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The project that checks it; none: a person has to say when it is fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Why its check does not begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Uses in a row, up to now, that the lab spoiled.
    #[serde(default)]
    pub spoiled: u32,
}

/// How fit a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// It is given.
    Fit,
    /// It is given after its check.
    Dirty,
    /// A run checks it.
    UnderCheck,
    /// It is to be repaired.
    OutOfService,
}

/// In words, for people.
impl fmt::Display for HealthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fit => "fit",
            Self::Dirty => "dirty",
            Self::UnderCheck => "under check",
            Self::OutOfService => "out of service",
        })
    }
}

/// What a person says of a resource (`PUT /resources/health`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JudgeResource {
    /// Id or path.
    pub resource: String,
    /// `fit`, `dirty` or `out_of_service`.
    pub health: HealthState,
    /// Why; others read it. Not needed for `fit`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}
