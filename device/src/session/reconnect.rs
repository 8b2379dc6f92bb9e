//! A session whose connection was lost connects again, where its resource says so: before the next thing it is asked, never in the middle
//! of one. What was cut off is not done twice; whoever asked for it was told.

use std::time::Duration;

use super::{Session, SessionError, login};
use crate::{clock::Deadline, connect::connect};

impl Session {
    /// Connects and logs in again if the connection is gone, whatever the resource says: for one who opens the session anew and finds that
    /// others have used it before.
    ///
    /// # Errors
    /// As [`Session::open`]; the session stays lost.
    pub async fn revive(&mut self, timeout: Duration) -> Result<(), SessionError> {
        if self.dialogue.is_lost().await {
            self.connect_again(Deadline::after(timeout)).await
        } else {
            Ok(())
        }
    }

    /// Connects and logs in again if the connection is gone and the target says that it may.
    pub(super) async fn be_connected(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        if self.target.patience.reconnect && self.dialogue.is_lost().await {
            return Box::pin(self.connect_again(deadline)).await;
        }
        Ok(())
    }

    async fn connect_again(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        let settings = self.settings.clone();
        let profile = std::sync::Arc::clone(&self.kind.profile);
        tracing::info!(target = %self.target.connect, "a session's connection was lost; connecting again");
        let connected = Box::pin(connect(&self.target, &settings, &profile, deadline)).await?;
        self.dialogue.go_on_with(connected);
        self.dialogue.mark("the connection was lost, and made again");
        self.begin_anew();
        let ready = Box::pin(login::make_ready(self, deadline)).await;
        if ready.is_err() {
            // Half a login is no session; the next one who asks begins anew.
            self.dialogue.lose();
        }
        ready
    }
}
