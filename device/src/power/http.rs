//! Power that answers requests over HTTP.

use std::time::Duration;

use jackfield_protocol::secret::Secret;
use regex_automata::meta::Regex;
use serde::Deserialize;

use super::{Action, Answer, PowerError, State, answer, expected};

/// What is said of an outlet whose page is not told how to be read.
const IS_ON: &str = r"(?i)\bon\b|\b1\b|true";
/// Of an answer, the most that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// An address for each action, which may hold a user and a password: `http://user:password@pdu1/outlet/3/on`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    #[serde(default)]
    on: Option<Secret>,
    #[serde(default)]
    off: Option<Secret>,
    #[serde(default)]
    pub(super) cycle: Option<Secret>,
    #[serde(default)]
    status: Option<Secret>,
    /// A regular expression that fits the answer to `status` where the power is on.
    #[serde(default)]
    is_on: Option<String>,
    /// How to switch; `status` is asked with GET.
    #[serde(default = "get")]
    method: String,
}

fn get() -> String {
    "GET".to_owned()
}

impl Http {
    pub(super) async fn act(&self, action: Action, limit: Duration) -> Result<Answer, PowerError> {
        let (address, name, method) = match action {
            Action::On => (&self.on, "on", self.method.as_str()),
            Action::Off => (&self.off, "off", self.method.as_str()),
            Action::Cycle => (&self.cycle, "cycle", self.method.as_str()),
            Action::Status => (&self.status, "status", "GET"),
        };
        let address = address.clone().ok_or(PowerError::Missing(name))?;
        let said = self.ask(method.to_owned(), address, limit).await?;
        if action != Action::Status {
            return Ok(expected(action, &said));
        }
        let pattern = self.is_on.as_deref().unwrap_or(IS_ON);
        let pattern = Regex::new(pattern).map_err(|error| {
            PowerError::Property(format!("has `is_on`, which is no regular expression: {error}"))
        })?;
        let state = if pattern.is_match(said.as_bytes()) { State::On } else { State::Off };
        Ok(answer(state, &said))
    }

    async fn ask(&self, method: String, address: Secret, limit: Duration) -> Result<String, PowerError> {
        let asked = tokio::task::spawn_blocking(move || request(&method, &address, limit)).await;
        asked.map_err(|error| PowerError::Failed(error.to_string()))?
    }
}

fn request(method: &str, address: &Secret, limit: Duration) -> Result<String, PowerError> {
    let failed = |error: &dyn std::fmt::Display| {
        PowerError::Failed(format!("{method} {}: {error}", shown(address.expose_for_device())))
    };
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(limit)).build().into();
    let request = ureq::http::Request::builder().method(method).uri(address.expose_for_device()).body(());
    let request = request.map_err(|error| failed(&error))?;
    let mut answer = agent.run(request).map_err(|error| failed(&error))?;
    answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(|error| failed(&error))
}

/// An address without its password.
fn shown(address: &str) -> String {
    match address.split_once("://").and_then(|(way, rest)| Some((way, rest.split_once('@')?.1))) {
        Some((way, rest)) => format!("{way}://{rest}"),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(shown("http://ana:secret@pdu1/3"), "http://pdu1/3");
        assert_eq!(shown("http://pdu1/3"), "http://pdu1/3");
    }
}
