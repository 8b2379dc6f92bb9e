//! Commands whose answers did not come in time. An answer that comes late is none to the next command: it is awaited first, and known by
//! its echo where the device was silent for so long that the next command went out before it.

use std::collections::VecDeque;

use super::{Session, SessionError, clean};
use crate::{clock::Deadline, expect::ExpectError, limits::UNANSWERED_MAX};

/// Commands that were given and not answered, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    commands: VecDeque<String>,
    /// A command that was given after them has been answered: they are late beyond hope, or were lost.
    overtaken: bool,
    /// Ends of answers that were asked for and have not come.
    pub(super) ends: u32,
    /// The device was seen to echo what it is sent.
    echoes: bool,
}

impl Unanswered {
    /// A command whose time was over; the oldest is forgotten when there are too many.
    fn add(&mut self, command: &str) {
        if self.commands.len() >= UNANSWERED_MAX {
            self.commands.pop_front();
        }
        self.commands.push_back(command.to_owned());
        self.overtaken = false;
    }

    /// Nothing is awaited any more: the connection is a new one, or somebody else leads the dialogue.
    pub(super) fn forget(&mut self) {
        self.commands.clear();
        self.ends = 0;
    }

    /// Whether an answer is that of an earlier command; it is awaited no more.
    fn is_late(&mut self, answer: &[u8], command: &str) -> bool {
        let echo_of = |command: &str| clean::without_echo(answer, command).len() < answer.len();
        if echo_of(command) {
            self.echoes = true;
            // The same command twice, and one answer: the other may still come.
            self.commands.retain(|late| late == command);
            self.overtaken = true;
            return false;
        }
        let late = self.commands.iter().position(|late| echo_of(late));
        if let Some(place) = late {
            self.commands.drain(..=place);
        }
        late.is_some()
    }
}

impl Session {
    /// Waits for the answers of earlier commands, and drops them.
    pub(super) async fn catch_up(&mut self, command: &str, deadline: Deadline) -> Result<(), SessionError> {
        while let Some(late) = self.unanswered.commands.front().cloned() {
            let heard = self.heard();
            let doing = format!("command `{command}`: the answer to `{late}`, which was given before");
            let within = Deadline::after(deadline.left() / 2);
            let Err(error) = self.await_answer(&doing, within).await else {
                self.unanswered.commands.pop_front();
                continue;
            };
            let is_silent = is_timeout(&error) && self.heard() == heard;
            if !(is_silent && (self.unanswered.echoes || self.unanswered.overtaken)) {
                return Err(error);
            }
            // It was lost with the line, or the device does nothing at all, which the next command will show.
            if self.unanswered.overtaken {
                self.unanswered.forget();
            }
            return Ok(());
        }
        Ok(())
    }

    /// The answer to a command that was sent, after those that are late.
    pub(super) async fn own_answer(
        &mut self,
        command: &str,
        deadline: Deadline,
    ) -> Result<Vec<u8>, SessionError> {
        let doing = format!("command `{command}`");
        loop {
            match self.await_answer(&doing, deadline).await {
                Ok(answer) if self.unanswered.is_late(&answer, command) => {}
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    if is_timeout(&error) {
                        self.unanswered.add(command);
                    }
                    return Err(error);
                }
            }
        }
    }
}

fn is_timeout(error: &SessionError) -> bool {
    matches!(error, SessionError::Expect { source: ExpectError::Timeout { .. }, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_is_known_by_its_echo() {
        let mut unanswered = Unanswered::default();
        assert!(!unanswered.is_late(b"show clock\r\n12:00\r\n", "show clock"));
        unanswered.add("show version");
        unanswered.add("show run");
        assert!(unanswered.is_late(b"show version\r\nFRR 8\r\n", "show clock"));
        assert!(
            !unanswered.is_late(b"show clock\r\n12:01\r\n", "show clock"),
            "the answer that was waited for"
        );
        assert!(unanswered.commands.is_empty(), "what was given before it will not be answered any more");
        unanswered.add("show clock");
        assert!(!unanswered.is_late(b"show clock\r\n12:02\r\n", "show clock"));
        assert_eq!(unanswered.commands, ["show clock"], "of two that are the same one may still come");
    }
}
