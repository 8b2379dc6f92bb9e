//! Full-screen programs in a session: what stands on the screen, waiting for it, and keys.

use std::time::Duration;

use super::{Session, SessionError};
use crate::{
    channel::Window,
    clock::Deadline,
    expect::ExpectError,
    limits::{COMMAND_TIMEOUT, SCREEN_BUSY_MAX},
    screen::{
        keys,
        view::{Sight, Sought, View},
    },
};

impl Session {
    /// Turns the screen on in this size, or gives it this size; the device is told.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn set_screen(&mut self, window: Window) -> Result<(), SessionError> {
        let target = self.target.connect.to_string();
        self.settings.window = window;
        let shown = self.dialogue.show_screen(window).await;
        shown.map_err(|error| SessionError::Line { target, why: error.to_string() })
    }

    /// Its size, where the screen is on.
    pub fn screen_window(&self) -> Option<Window> {
        self.dialogue.screen().map(crate::screen::Screen::window)
    }

    /// The size of the terminal that the device is told of.
    pub fn window(&self) -> Window {
        self.settings.window
    }

    /// What stands on the screen when the device has been quiet for so long; one that never is, is looked at while it draws. What came
    /// is taken.
    ///
    /// # Errors
    /// The screen is off, or the connection broke.
    pub async fn screen(&mut self, quiet: Option<Duration>) -> Result<View, SessionError> {
        let quiet = quiet.unwrap_or_else(|| self.dialogue.settle());
        let limit = Deadline::after(SCREEN_BUSY_MAX.max(quiet));
        let drained = self.dialogue.drain(quiet, limit).await;
        drained.map_err(|source| SessionError::Expect { doing: "look at the screen".to_owned(), source })?;
        self.dialogue.take_pending();
        self.view()
    }

    fn view(&self) -> Result<View, SessionError> {
        self.dialogue.screen().map(crate::screen::Screen::view).ok_or(SessionError::NoScreen)
    }

    /// Waits until something stands on the screen and the device has drawn the rest.
    ///
    /// # Errors
    /// It does not come in time, or the device is gone and it is not there; the error shows the screen.
    pub async fn wait_screen(&mut self, sought: &Sought, timeout: Duration) -> Result<Sight, SessionError> {
        let seen = self.wait_until(timeout, sought.told(), |view| sought.find(view)).await;
        seen.map_err(|error| self.starred(error))
    }

    /// Waits until nothing of it stands on the screen.
    ///
    /// # Errors
    /// As [`Session::wait_screen`].
    pub async fn wait_screen_without(
        &mut self,
        sought: &Sought,
        timeout: Duration,
    ) -> Result<View, SessionError> {
        let told = format!("{} to go", sought.told());
        let is_gone = |view: &View| sought.find(view).is_none().then(|| view.clone());
        let gone = self.wait_until(timeout, &told, is_gone).await;
        gone.map_err(|error| self.starred(error))
    }

    async fn wait_until<T>(
        &mut self,
        timeout: Duration,
        told: &str,
        holds: impl Fn(&View) -> Option<T>,
    ) -> Result<T, SessionError> {
        let deadline = Deadline::after(timeout);
        let failed = |source| SessionError::Expect { doing: "look at the screen".to_owned(), source };
        let settle = self.dialogue.settle();
        loop {
            // What a program is still drawing may be wiped a moment later: it counts when it stays.
            let mut seen = holds(&self.view()?);
            if seen.is_some() {
                let limit = Deadline::after(SCREEN_BUSY_MAX.min(deadline.left()).max(settle));
                self.dialogue.drain(settle, limit).await.map_err(failed)?;
                seen = holds(&self.view()?);
            }
            self.dialogue.take_pending();
            if let Some(seen) = seen {
                return Ok(seen);
            }
            let more = self.dialogue.more(deadline).await.map_err(failed)?;
            if !more {
                return Err(failed(self.dialogue.not_on_screen(told.to_owned(), deadline)));
            }
        }
    }

    /// Presses keys, one after the other, by their names: `up`, `F5`, `ctrl-c`, `tab`, `q`.
    ///
    /// # Errors
    /// There is no such key, or the device does not take it.
    pub async fn press<S: AsRef<str>>(&mut self, names: &[S]) -> Result<(), SessionError> {
        let deadline = Deadline::after(COMMAND_TIMEOUT);
        let application = self.dialogue.screen().is_some_and(crate::screen::Screen::wants_application_keys);
        let mut sent = Vec::new();
        for name in names {
            sent.extend(keys::bytes(name.as_ref(), application)?);
        }
        self.be_connected(deadline).await?;
        self.unanswered.lead_by_hand();
        let done = self.dialogue.send(&sent, deadline).await;
        done.map_err(|source: ExpectError| SessionError::Expect { doing: "press keys".to_owned(), source })
    }
}
