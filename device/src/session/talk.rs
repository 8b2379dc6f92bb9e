//! What is asked of a session: texts, commands, configuration, levels. Errors leave it without secrets.

use std::time::Duration;

use super::{Order, Session, SessionError, clean};
use crate::{
    clock::Deadline,
    expect::{Match, Patterns},
};

/// Letters of a text that an error shows.
const SHOWN_LETTERS_MAX: usize = 80;
/// Lines of an answer with which a device refuses a command: a mark under the word, and what is wrong with it.
const REFUSAL_LINES_MAX: usize = 3;

impl Session {
    /// Sends a text, with the profile's line ending where it is a line.
    ///
    /// # Errors
    /// The device does not take it in time, or is gone.
    pub async fn send(&mut self, text: &str, enter: bool, timeout: Duration) -> Result<(), SessionError> {
        let sent = self.type_text(text, enter, Deadline::after(timeout)).await;
        sent.map_err(|error| self.starred(error))
    }

    async fn type_text(&mut self, text: &str, enter: bool, deadline: Deadline) -> Result<(), SessionError> {
        let mut bytes = self.encoded(text)?;
        if enter {
            bytes.extend_from_slice(self.kind.profile.line_ending.as_bytes());
        }
        self.be_connected(deadline).await?;
        self.unanswered.lead_by_hand();
        let sent = self.dialogue.send(&bytes, deadline).await;
        sent.map_err(|source| SessionError::Expect { doing: format!("send `{}`", begin_of(text)), source })
    }

    /// Waits for one of the patterns; takes what came up to its end.
    ///
    /// # Errors
    /// None came in time, or the device is gone; what came can still be awaited.
    pub async fn expect(&mut self, patterns: &Patterns, timeout: Duration) -> Result<Match, SessionError> {
        let settle = self.settle_of_known();
        let seen = self.dialogue.expect_settling(patterns, Deadline::after(timeout), settle).await;
        if seen.is_ok() {
            self.unanswered.lead_by_hand();
        }
        let failed = |source| SessionError::Expect { doing: "expect".to_owned(), source };
        seen.map_err(|source| self.starred(failed(source)))
    }

    /// Gives a command and returns its answer: no echo, no pager, no prompt, no terminal codes, lines ended by LF.
    ///
    /// # Errors
    /// No prompt came back in time, or the device is gone.
    pub async fn command(&mut self, command: &str, timeout: Duration) -> Result<String, SessionError> {
        self.give(&Order::new(command), timeout).await
    }

    /// Gives a command with answers to what it may ask, and what else its giver knows of it.
    ///
    /// # Errors
    /// As [`Session::command`]; it asks a question again whose answer was a secret; the device refuses it, where the order is to be checked.
    pub async fn give(&mut self, order: &Order, timeout: Duration) -> Result<String, SessionError> {
        let answer = self.answer_of(order, Deadline::after(timeout)).await;
        answer.map_err(|error| self.starred(error))
    }

    async fn answer_of(&mut self, order: &Order, deadline: Deadline) -> Result<String, SessionError> {
        self.be_connected(deadline).await?;
        let answer = self.run_order(order, deadline).await?;
        match self.refusal_of(&order.line, &answer).filter(|_| order.is_checked) {
            Some(answer) => Err(SessionError::Refused { line: order.line.clone(), answer }),
            None => Ok(answer),
        }
    }

    /// What the device has said without being asked since this was asked last: log lines between commands and in the middle of answers,
    /// answers that came too late. The oldest is forgotten beyond 256 KiB. What comes after something was sent by hand is for the one who
    /// awaits it.
    ///
    /// # Errors
    /// The connection broke.
    pub fn unasked(&mut self) -> Result<String, SessionError> {
        let read = self.dialogue.read_what_is_there();
        let failed = |source| SessionError::Expect { doing: "unasked".to_owned(), source };
        read.map_err(|source| self.starred(failed(source)))?;
        if self.unanswered.is_idle() {
            self.take_unasked();
        }
        let came = clean::text(&self.unasked.take(), self.kind.profile.encoding);
        // A prompt that was drawn again says nothing.
        let lines = came.lines().filter(|line| !self.known.has(line));
        Ok(lines.collect::<Vec<_>>().join("\n").trim().to_owned())
    }

    /// The line of an answer that the profile calls an error, if there is one.
    pub fn refusal(&self, answer: &str) -> Option<String> {
        self.kind.refusal(answer)
    }

    /// The line by which the device refuses a command, if there is one in its answer. What asks for a log is refused in the first lines: further
    /// down the log may say so of something else.
    pub fn refusal_of(&self, command: &str, answer: &str) -> Option<String> {
        if !self.kind.asks_for_logs(command) {
            return self.refusal(answer);
        }
        let head: usize = answer.split_inclusive('\n').take(REFUSAL_LINES_MAX).map(str::len).sum();
        self.refusal(answer.get(..head).unwrap_or_default())
    }

    /// Applies lines of configuration, and leaves configuration mode whatever happens.
    ///
    /// # Errors
    /// The first line that the device refused, with what it said; lines after it are not sent.
    pub async fn config(&mut self, lines: &[String], timeout: Duration) -> Result<String, SessionError> {
        let deadline = Deadline::after(timeout);
        let applied = match self.be_connected(deadline).await {
            Ok(()) => self.run_config(lines, deadline).await,
            Err(error) => Err(error),
        };
        applied.map_err(|error| self.starred(error))
    }

    /// Goes to a privilege level of the profile, up or down.
    ///
    /// # Errors
    /// There is no such level, or the device does not let us.
    pub async fn level(&mut self, name: &str, timeout: Duration) -> Result<(), SessionError> {
        let deadline = Deadline::after(timeout);
        let moved = match self.be_connected(deadline).await {
            Ok(()) => self.go_to_level(name, deadline).await,
            Err(error) => Err(error),
        };
        moved.map_err(|error| self.starred(error))
    }

    /// Starts the device anew as its profile says, and logs in when it is back; without a time, within the profile's.
    ///
    /// # Errors
    /// The profile does not know how, or the device does not go, or does not come back in time.
    pub async fn reboot(&mut self, timeout: Option<Duration>) -> Result<(), SessionError> {
        let back = self.run_reboot(timeout).await;
        back.map_err(|error| self.starred(error))
    }
}

/// The beginning of a text, for an error.
fn begin_of(text: &str) -> String {
    match text.char_indices().nth(SHOWN_LETTERS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
