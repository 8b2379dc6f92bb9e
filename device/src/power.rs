//! The mains of a device: switched by a command, over HTTP or over SNMP, as the property `power` of its resource says.
//!
//! ```json
//! {"snmp": {"host": "pdu1", "kind": "apc", "outlet": 3, "community": "private"}}
//! {"http": {"on": "http://pdu1/outlet/3/on", "off": "http://pdu1/outlet/3/off", "status": "http://pdu1/outlet/3", "is_on": "\"state\": *1"}}
//! {"command": {"on": ["relay", "3", "on"], "off": ["relay", "3", "off"], "status": ["relay", "3"]}}
//! ```

use std::{fmt, str::FromStr, time::Duration};

use serde::Deserialize;
use serde_json::Value;

mod http;
mod snmp;
mod switch;

/// What the property is named.
pub const PROPERTY: &str = "power";
/// Between off and on, where neither the property nor the outlet itself knows better.
const OFF_MILLIS: u64 = 5_000;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Switch on.
    On,
    /// Switch off.
    Off,
    /// Switch off and, after a while, on.
    Cycle,
    /// Look.
    Status,
}

impl FromStr for Action {
    type Err = PowerError;

    fn from_str(word: &str) -> Result<Self, PowerError> {
        match word {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            "cycle" => Ok(Self::Cycle),
            "status" => Ok(Self::Status),
            other => Err(PowerError::Action(other.to_owned())),
        }
    }
}

/// How an outlet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has power.
    On,
    /// It has none.
    Off,
    /// It cannot be asked.
    Unknown,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Unknown => "unknown",
        })
    }
}

/// What is wrong with a property, or with an outlet.
#[derive(Debug, thiserror::Error)]
pub enum PowerError {
    /// No such word.
    #[error("`{0}` is nothing to do with power: on, off, cycle or status")]
    Action(String),
    /// The property cannot be read.
    #[error("property `power` {0}")]
    Property(String),
    /// The outlet has no way to do this.
    #[error("property `power` does not say how to do `{0}`; add it")]
    Missing(&'static str),
    /// The program, the PDU or the way there failed.
    #[error("{0}")]
    Failed(String),
}

/// An outlet, as the property says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outlet {
    #[serde(default)]
    command: Option<switch::Commands>,
    #[serde(default)]
    http: Option<http::Http>,
    #[serde(default)]
    snmp: Option<snmp::Snmp>,
    /// Between off and on.
    #[serde(default)]
    off_millis: Option<u64>,
}

enum Way<'o> {
    Command(&'o switch::Commands),
    Http(&'o http::Http),
    Snmp(&'o snmp::Snmp),
}

impl Outlet {
    /// Reads the property: an object, or the same as text.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub fn from_property(property: &Value) -> Result<Self, PowerError> {
        let read: Result<Self, _> =
            property.as_str().map_or_else(|| Self::deserialize(property), serde_json::from_str);
        let outlet = read.map_err(|error| PowerError::Property(format!("cannot be read: {error}")))?;
        outlet.way()?;
        if let Some(snmp) = &outlet.snmp {
            snmp.check()?;
        }
        Ok(outlet)
    }

    fn way(&self) -> Result<Way<'_>, PowerError> {
        match (&self.command, &self.http, &self.snmp) {
            (Some(commands), None, None) => Ok(Way::Command(commands)),
            (None, Some(http), None) => Ok(Way::Http(http)),
            (None, None, Some(snmp)) => Ok(Way::Snmp(snmp)),
            _ => Err(PowerError::Property("has one of command, http, snmp, and only one".to_owned())),
        }
    }

    /// Does something to it, and says how it is then; a cycle ends with the power on. Everything has to be done within `limit`, but for
    /// the pause of a cycle.
    ///
    /// # Errors
    /// It cannot be done, or nobody answers.
    pub async fn act(&self, action: Action, limit: Duration) -> Result<State, PowerError> {
        if action != Action::Cycle || self.cycles_itself()? {
            return self.once(action, limit).await;
        }
        self.once(Action::Off, limit).await?;
        tokio::time::sleep(Duration::from_millis(self.off_millis.unwrap_or(OFF_MILLIS))).await;
        self.once(Action::On, limit).await
    }

    fn cycles_itself(&self) -> Result<bool, PowerError> {
        Ok(match self.way()? {
            Way::Command(commands) => commands.cycle.is_some(),
            Way::Http(http) => http.cycle.is_some(),
            Way::Snmp(snmp) => self.off_millis.is_none() && snmp.cycles_itself(),
        })
    }

    async fn once(&self, action: Action, limit: Duration) -> Result<State, PowerError> {
        let done = async {
            match self.way()? {
                Way::Command(commands) => commands.act(action).await,
                Way::Http(http) => http.act(action, limit).await,
                Way::Snmp(snmp) => snmp.act(action).await,
            }
        };
        let late = || PowerError::Failed(format!("the power did not answer within {limit:?}"));
        tokio::time::timeout(limit, done).await.map_err(|_elapsed| late())?
    }
}

/// How it must be after an action that said nothing.
fn expected(action: Action) -> State {
    match action {
        Action::On | Action::Cycle => State::On,
        Action::Off => State::Off,
        Action::Status => State::Unknown,
    }
}

#[cfg(test)]
mod tests;
