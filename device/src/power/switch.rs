//! Power that a program switches.

use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use super::{Action, Answer, PowerError, State, answer, expected};
use crate::{
    local::{LocalProgram, LocalPrograms},
    process::EP_TOKEN,
};

/// A program and its arguments, for each action.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Commands {
    #[serde(default)]
    on: Option<Vec<String>>,
    #[serde(default)]
    off: Option<Vec<String>>,
    #[serde(default)]
    pub(super) cycle: Option<Vec<String>>,
    /// Its last line is `on` or `off`, or ends so.
    #[serde(default)]
    status: Option<Vec<String>>,
}

impl Commands {
    pub(super) async fn act(&self, action: Action, programs: &LocalPrograms) -> Result<Answer, PowerError> {
        let (command, name) = match action {
            Action::On => (&self.on, "on"),
            Action::Off => (&self.off, "off"),
            Action::Cycle => (&self.cycle, "cycle"),
            Action::Status => (&self.status, "status"),
        };
        let said = run(command.as_ref().ok_or(PowerError::Missing(name))?, &[], programs).await?;
        Ok(if action == Action::Status { answer(state_of(&said), &said) } else { expected(action, &said) })
    }
}

/// What the last line says.
fn state_of(said: &str) -> State {
    let last = said.trim().lines().next_back().unwrap_or_default().to_lowercase();
    match last.rsplit(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()) {
        Some("on" | "1") => State::On,
        Some("off" | "0") => State::Off,
        _ => State::Unknown,
    }
}

/// Runs a program to its end, and answers with what it wrote; it ends with the caller's patience.
pub(super) async fn run(
    command: &[String],
    environment: &[(&str, &str)],
    programs: &LocalPrograms,
) -> Result<String, PowerError> {
    let program = command.first().ok_or_else(|| PowerError::Property("has an empty command".to_owned()))?;
    let whole = programs.command(command);
    let (first, arguments) = whole.split_first().unwrap_or((program, &[]));
    let failed = |error| PowerError::Failed(format!("`{program}` cannot be started: {error}"));
    let child = Command::new(first)
        .args(arguments)
        .env_remove(EP_TOKEN)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let mut running = Switching { program: programs.enter(child.id()), is_over: false };
    let output = child.wait_with_output().await.map_err(failed)?;
    running.is_over = true;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = [text(&output.stderr), text(&output.stdout)].into_iter().find(|said| !said.is_empty());
    let said = said.unwrap_or_else(|| "it said nothing".to_owned());
    Err(PowerError::Failed(format!("`{program}` ended with {}: {said}", output.status)))
}

/// A program that is killed when nobody waits for it any more.
struct Switching {
    program: LocalProgram,
    is_over: bool,
}

impl Drop for Switching {
    fn drop(&mut self) {
        if !self.is_over {
            self.program.kill();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_tells_the_state() {
        for (said, state) in [
            ("on", State::On),
            ("outlet 3: OFF\n", State::Off),
            ("connecting\nstate=1.", State::On),
            ("", State::Unknown),
            ("only", State::Unknown),
        ] {
            assert_eq!(state_of(said), state, "{said}");
        }
    }
}
