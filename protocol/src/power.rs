//! The mains of a device, switched by a person: the engine finds an EP that reaches the outlet, the EP switches, and says what came of it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{error::Problem, id::EpName};

/// What an EP that switches outlets for people says among its capabilities.
pub const POWER_CAPABILITY: &str = "power";

/// The property of a resource that says how its outlet is switched.
pub const POWER_PROPERTY: &str = "power";

/// What is to be done with an outlet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PowerAction {
    /// Switch on.
    On,
    /// Switch off.
    Off,
    /// Switch off and, after a while, on.
    Cycle,
    /// Look.
    Status,
}

impl PowerAction {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Cycle => "cycle",
            Self::Status => "status",
        }
    }

    /// Whether it only looks.
    pub fn is_look(self) -> bool {
        self == Self::Status
    }
}

/// A word that is none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is nothing to do with power: on, off, cycle or status")]
pub struct NoPowerAction(pub String);

impl FromStr for PowerAction {
    type Err = NoPowerAction;

    fn from_str(word: &str) -> Result<Self, NoPowerAction> {
        match word {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            "cycle" => Ok(Self::Cycle),
            "status" => Ok(Self::Status),
            other => Err(NoPowerAction(other.to_owned())),
        }
    }
}

/// How an outlet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PowerState {
    /// It has power.
    On,
    /// It has none.
    Off,
    /// It cannot be asked.
    Unknown,
}

impl fmt::Display for PowerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Unknown => "unknown",
        })
    }
}

/// What an EP is to do with an outlet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerOrder {
    /// For the answer.
    pub id: u64,
    /// Whose outlet: the path in the tree.
    pub path: String,
    /// What to do.
    pub action: PowerAction,
    /// The property `power` of the resource.
    pub outlet: Value,
    /// How long each step may take; the pause of a cycle comes on top.
    pub limit_millis: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerResult {
    /// It was done.
    Done(PowerAnswer),
    /// It was not; why, and what to do.
    Failed(Problem),
}

/// How an outlet is after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PowerAnswer {
    /// On or off.
    pub state: PowerState,
    /// What the outlet itself said, if anything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub said: String,
}

/// A person's wish: the body of `POST /resources/power`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PowerRequest {
    /// Id or path of the resource.
    pub resource: String,
    /// What to do.
    pub action: PowerAction,
    /// Only through this EP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ep: Option<EpName>,
    /// Also while others use the device; needs the role `CHANGE_TESTBED`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// How long each step may take; 30 s where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_millis: Option<u64>,
}

/// What a person is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PowerDone {
    /// The path of the resource.
    pub resource: String,
    /// What was done.
    pub action: PowerAction,
    /// How it is now.
    pub state: PowerState,
    /// What the outlet itself said, if anything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub said: String,
    /// Which EP did it.
    pub ep: EpName,
}
