//! Input from a pipe: a line at a time, each when the answer to the one before is over.

use std::time::Duration;

use anyhow::{Result, bail};
use jackfield_protocol::console::EpToPerson;
use tokio::time::{Instant, sleep_until};

use super::{
    terminal, told,
    way::{Came, Way},
};
use crate::{exit::Exit, output, signal::next_signal};

/// How long an answer without end is waited for before the next line goes out.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// Sends what is piped, prints what comes, and ends after the last answer.
pub(super) async fn answer(mut way: Way, quiet: Duration) -> Result<Exit> {
    let mut typed = terminal::typed();
    let mut lines = Lines::default();
    let mut mine = false;
    let far = Duration::from_secs(3600 * 24 * 365);
    // When the next line may go out: the device has been quiet, or has talked for too long.
    let (mut still, mut late) = (Instant::now() + far, Instant::now() + far);
    loop {
        tokio::select! {
            came = way.next() => match came? {
                Came::Shown(bytes) => {
                    still = Instant::now() + quiet;
                    if !terminal::print(&bytes)? { break }
                }
                Came::Said(EpToPerson::End { reason, code, recording }) => {
                    let exit = way.ended(&reason, code, recording)?;
                    return Ok(if lines.is_done() { exit } else { Exit::NotPassed });
                }
                Came::Said(EpToPerson::Refused { text }) => {
                    way.leave().await.tell();
                    bail!(text);
                }
                Came::Said(said) => {
                    let you = matches!(said, EpToPerson::Typing { you: true, .. });
                    if mine && matches!(said, EpToPerson::Typing { you: false, .. }) {
                        way.leave().await.tell();
                        bail!("the session was taken back before all was typed");
                    }
                    if you && !mine {
                        mine = true;
                        (still, late) = (Instant::now() + quiet, Instant::now() + ANSWER_LIMIT);
                    }
                    if let Some(text) = told(&said) { output::talk(&text) }
                }
            },
            bytes = typed.recv(), if !lines.ended => match bytes {
                Some(bytes) => lines.add(&bytes),
                None => lines.ended = true,
            },
            () = sleep_until(still.min(late)), if mine && lines.has_next() => match lines.next() {
                Some(line) => {
                    way.type_in(line).await?;
                    (still, late) = (Instant::now() + quiet, Instant::now() + ANSWER_LIMIT);
                }
                None => break,
            },
            interrupted = next_signal() => {
                interrupted?;
                way.leave().await.tell();
                return Ok(Exit::Interrupted);
            }
        }
    }
    way.leave().await.tell();
    Ok(Exit::Done)
}

/// Piped text by lines, each ended as the Enter key would.
#[derive(Debug, Default)]
struct Lines {
    waiting: Vec<u8>,
    ended: bool,
}

impl Lines {
    fn add(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// Whether all was said, and nothing is to come.
    fn is_done(&self) -> bool {
        self.ended && self.waiting.is_empty()
    }

    /// Whether there is something to do: a whole line, or the end.
    fn has_next(&self) -> bool {
        self.ended || self.waiting.contains(&b'\n')
    }

    /// The next line; none at the end.
    fn next(&mut self) -> Option<Vec<u8>> {
        let end = match self.waiting.iter().position(|byte| *byte == b'\n') {
            Some(at) => at.saturating_add(1),
            None => self.waiting.len(),
        };
        let rest = self.waiting.split_off(end);
        let mut line = std::mem::replace(&mut self.waiting, rest);
        if line.pop_if(|byte| *byte == b'\n').is_some() {
            line.pop_if(|byte| *byte == b'\r');
            line.push(b'\r');
        }
        (!line.is_empty()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn piped_text_goes_out_by_lines() {
        let mut lines = Lines::default();
        assert!(!lines.has_next());
        lines.add(b"show version\nexit\r\nre");
        assert_eq!(lines.next(), Some(b"show version\r".to_vec()));
        assert_eq!(lines.next(), Some(b"exit\r".to_vec()));
        assert!(!lines.has_next() && !lines.is_done());
        lines.ended = true;
        assert_eq!(lines.next(), Some(b"re".to_vec()));
        assert!(lines.has_next() && lines.is_done());
        assert_eq!(lines.next(), None);
    }
}
