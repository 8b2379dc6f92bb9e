//! The mains of a device: switched by a command, over HTTP or over SNMP, as the property `power` of its resource says.
//!
//! ```json
//! {"snmp": {"host": "pdu1", "kind": "apc", "outlet": 3, "community": "private"}}
//! {"http": {"on": "http://pdu1/outlet/3/on", "off": "http://pdu1/outlet/3/off", "status": "http://pdu1/outlet/3", "is_on": "\"state\": *1"}}
//! {"command": {"on": ["relay", "3", "on"], "off": ["relay", "3", "off"], "status": ["relay", "3"]}}
//! ```

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::local::LocalPrograms;

pub use jackfield_protocol::power::{
    POWER_PROPERTY as PROPERTY, PowerAction as Action, PowerAnswer as Answer, PowerState as State,
};

mod http;
mod snmp;
mod switch;

/// Of what an outlet says, as much is told.
const SAID_CHARS_MAX: usize = 1_000;
/// Between off and on, where neither the property nor the outlet itself knows better.
const OFF_MILLIS: u64 = 5_000;

/// What is wrong with a property, or with an outlet.
#[derive(Debug, thiserror::Error)]
pub enum PowerError {
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
        self.act_and_tell(action, limit, &LocalPrograms::default()).await.map(|answer| answer.state)
    }

    /// The same, with what the outlet itself said.
    ///
    /// # Errors
    /// As [`Outlet::act`]; a cycle that failed says where it left the device.
    pub async fn act_and_tell(
        &self,
        action: Action,
        limit: Duration,
        programs: &LocalPrograms,
    ) -> Result<Answer, PowerError> {
        if action != Action::Cycle || self.cycles_itself()? {
            return self.once(action, limit, programs).await;
        }
        self.once(Action::Off, limit, programs).await?;
        tokio::time::sleep(Duration::from_millis(self.off_millis.unwrap_or(OFF_MILLIS))).await;
        let on = self.once(Action::On, limit, programs).await;
        on.map_err(|error| PowerError::Failed(format!("it was switched off, and not on again: {error}")))
    }

    fn cycles_itself(&self) -> Result<bool, PowerError> {
        Ok(match self.way()? {
            Way::Command(commands) => commands.cycle.is_some(),
            Way::Http(http) => http.cycle.is_some(),
            Way::Snmp(snmp) => self.off_millis.is_none() && snmp.cycles_itself(),
        })
    }

    async fn once(
        &self,
        action: Action,
        limit: Duration,
        programs: &LocalPrograms,
    ) -> Result<Answer, PowerError> {
        let done = async {
            match self.way()? {
                Way::Command(commands) => commands.act(action, programs).await,
                Way::Http(http) => http.act(action, limit).await,
                Way::Snmp(snmp) => snmp.act(action).await,
            }
        };
        let late = || PowerError::Failed(format!("the power did not answer within {limit:?}"));
        tokio::time::timeout(limit, done).await.map_err(|_elapsed| late())?
    }
}

/// How it must be after an action, with what was said.
fn expected(action: Action, said: &str) -> Answer {
    let state = match action {
        Action::On | Action::Cycle => State::On,
        Action::Off => State::Off,
        Action::Status => State::Unknown,
    };
    answer(state, said)
}

fn answer(state: State, said: &str) -> Answer {
    let said = said.trim().chars().take(SAID_CHARS_MAX).collect();
    Answer { state, said }
}

#[cfg(test)]
mod tests;
