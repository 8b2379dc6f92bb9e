//! A dialogue that is also drawn: the screen gets every byte as it arrives, and what the device asks its terminal is answered.

use std::{
    io,
    task::{Context, Poll},
};

use super::Dialogue;
use crate::{
    channel::Window,
    clock::Deadline,
    expect::outcome::{ExpectError, Seen},
    screen::Screen,
};

impl Dialogue {
    /// The screen, where it is on.
    pub fn screen(&self) -> Option<&Screen> {
        self.screen.as_deref()
    }

    /// Turns the screen on, with what has come and was not taken, or gives it another size.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn show_screen(&mut self, window: Window) -> io::Result<()> {
        if self.screen.is_none() {
            let mut screen = Screen::new(window);
            screen.feed(&self.buffer);
            // Whoever asked that has waited for its answer in vain before.
            screen.answers().clear();
            self.screen = Some(Box::new(screen));
        }
        self.resize(window).await
    }

    /// Reads once; false where nothing came in time, or nothing will.
    pub(crate) async fn more(&mut self, deadline: Deadline) -> Result<bool, ExpectError> {
        if self.ended || deadline.left().is_zero() {
            return Ok(false);
        }
        let read = self.fill(deadline.left()).await;
        let awaited = "the screen".to_owned();
        read.map_err(|source| ExpectError::Broken { awaited, seen: self.seen_on_screen(), source })
    }

    /// What was looked for on the screen is not there, and what is.
    pub(crate) fn not_on_screen(&self, awaited: String, deadline: Deadline) -> ExpectError {
        let seen = self.seen_on_screen();
        if self.ended {
            ExpectError::Ended { awaited, waited: deadline.elapsed(), seen }
        } else {
            ExpectError::Timeout { awaited, waited: deadline.span(), seen }
        }
    }

    fn seen_on_screen(&self) -> Seen {
        let text = self.screen.as_ref().map(|screen| screen.view().text()).unwrap_or_default();
        Seen::on_screen(&text, self.channel.remark()).with_unheard(self.unheard())
    }

    /// Sends what the device asked its terminal, as far as it takes it now; nothing stands in for a terminal that a person has.
    pub(super) fn poll_answers(&mut self, cx: &mut Context<'_>) {
        let Some(screen) = &mut self.screen else { return };
        let answers = screen.answers();
        while !answers.is_empty() {
            match self.channel.poll_write(cx, answers) {
                Poll::Ready(Ok(taken)) if taken > 0 => {
                    for tap in &mut self.taps {
                        tap.input(answers.get(..taken).unwrap_or_default());
                    }
                    answers.drain(..taken.min(answers.len()));
                }
                // A connection that is lost shows where it is read.
                Poll::Ready(Ok(_) | Err(_)) => answers.clear(),
                Poll::Pending => return,
            }
        }
        // What a channel keeps back goes out with the next poll at the latest.
        let _ = self.channel.poll_flush(cx);
    }
}
