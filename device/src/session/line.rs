//! What a session does besides its dialogue: commands and files beside it, and orders to the line under it.

use std::{path::Path, sync::Arc, time::Duration};

use super::{Session, SessionError, SessionSettings};
use crate::{
    beside::{Beside, Executed, execute},
    channel::Channel,
    clock::Deadline,
    line::{LineOrder, ModemLines},
    target::SessionTarget,
    transfer::{self, Moved, TransferError, Way},
};

impl Session {
    /// What the connection carries beside the dialogue.
    ///
    /// # Errors
    /// It carries nothing else.
    pub fn beside(&self) -> Result<Arc<dyn Beside>, SessionError> {
        let nothing = || TransferError::NoWay(self.target.connect.to_string());
        Ok(self.dialogue.beside().ok_or_else(nothing)?)
    }

    /// Runs a command beside the dialogue, without a terminal, and waits for its end.
    ///
    /// # Errors
    /// It cannot be started, or does not end in time.
    pub async fn execute(&self, command: &str, timeout: Duration) -> Result<Executed, SessionError> {
        run_beside(self.beside()?.as_ref(), command, timeout).await
    }

    /// Copies a file or a folder of ours to the device.
    ///
    /// # Errors
    /// As [`transfer::put`].
    pub async fn put(
        &self,
        local: &Path,
        remote: &str,
        way: Way,
        timeout: Duration,
    ) -> Result<Moved, SessionError> {
        let beside = self.beside()?;
        Ok(transfer::put(beside.as_ref(), local, remote, way, Deadline::after(timeout)).await?)
    }

    /// Copies a file or a folder of the device here.
    ///
    /// # Errors
    /// As [`transfer::get`].
    pub async fn get(
        &self,
        remote: &str,
        local: &Path,
        way: Way,
        timeout: Duration,
    ) -> Result<Moved, SessionError> {
        let beside = self.beside()?;
        Ok(transfer::get(beside.as_ref(), remote, local, way, Deadline::after(timeout)).await?)
    }

    /// The modem lines of the line that carries the dialogue, as the other end has them.
    ///
    /// # Errors
    /// There is no such line, it has none, or cannot tell.
    pub async fn modem_lines(&mut self) -> Result<ModemLines, SessionError> {
        let told = self.dialogue.modem_lines().await;
        told.map_err(|error| SessionError::Line {
            target: self.target.connect.to_string(),
            why: error.to_string(),
        })
    }

    /// Does something to the line that carries the dialogue: a break, another speed.
    ///
    /// # Errors
    /// There is no such line, or it cannot do that.
    pub async fn order(&mut self, order: LineOrder) -> Result<(), SessionError> {
        let done = self.dialogue.order(order).await;
        done.map_err(|error| SessionError::Line {
            target: self.target.connect.to_string(),
            why: error.to_string(),
        })
    }
}

/// Runs a command beside a session that somebody else may be using meanwhile.
///
/// # Errors
/// It cannot be started, or does not end in time.
pub async fn run_beside(
    beside: &dyn Beside,
    command: &str,
    timeout: Duration,
) -> Result<Executed, SessionError> {
    let deadline = Deadline::after(timeout);
    let failed = |why: String| SessionError::Beside { command: command.to_owned(), why };
    match tokio::time::timeout_at(deadline.instant(), execute(beside, command)).await {
        Ok(result) => result.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed(format!("it did not end within {:.1?}", deadline.span()))),
    }
}

/// Opens the channel to a target and nothing more: no login, no prompt.
///
/// # Errors
/// As [`Session::open`] until the device is reached.
pub async fn connect_raw(
    target: &SessionTarget,
    settings: &SessionSettings,
    timeout: Duration,
) -> Result<Box<dyn Channel>, SessionError> {
    let profile = settings.profiles.get(&target.profile)?;
    let connected =
        Box::pin(crate::connect::connect(target, settings, profile, Deadline::after(timeout))).await?;
    Ok(connected.channel)
}
