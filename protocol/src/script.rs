//! What holds of a script around a run wherever it runs, on the engine's host or on an EP: its name for people, what its end makes of
//! the run, and what is kept of its output.

use crate::{
    event::Hook,
    verdict::{Cause, DecidedBy, Outcome, Verdict, signal_name},
};

/// The exit status that says: skipped.
const SKIPPED_CODE: i32 = 77;

/// `the pre script hooks/pre.sh`
pub fn title(hook: Hook, path: &str) -> String {
    format!("the {hook} script {path}")
}

/// What the end of a script's process means: exit code 0 is PASS, 77 SKIPPED, all else FAIL.
pub fn judge(title: &str, end: ScriptEnd) -> Outcome {
    let by_status = |status| DecidedBy::ExitStatus { status };
    let fail = |by, reason| Outcome::not_pass(Verdict::Fail, Cause::Test, by, reason);
    match end {
        ScriptEnd::Status(0) => Outcome::pass(by_status(0)),
        ScriptEnd::Status(SKIPPED_CODE) => {
            let reason = format!("{title} skipped itself");
            Outcome::not_pass(Verdict::Skipped, Cause::Test, by_status(SKIPPED_CODE), reason)
        }
        ScriptEnd::Status(status) => {
            fail(by_status(status), format!("{title} ended with exit code {status}"))
        }
        ScriptEnd::Signal(number) => {
            let reason = format!("{title} was ended from outside: signal {number}{}", signal_name(number));
            Outcome { crashed: true, ..fail(DecidedBy::Signal { number }, reason) }
        }
    }
}

/// How the process of a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptEnd {
    /// By itself, with this exit status.
    Status(i32),
    /// By a signal.
    Signal(i32),
}

/// The end of an output.
#[derive(Debug)]
pub struct Tail {
    bytes: Vec<u8>,
    bytes_max: usize,
    cut: bool,
}

impl Tail {
    /// Nothing yet; of what comes, the last so many bytes are kept.
    pub fn new(bytes_max: u64) -> Self {
        Self { bytes: Vec::new(), bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX), cut: false }
    }

    /// Takes what came.
    pub fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Cut in big steps, so that each byte is moved once.
        if self.bytes.len() > self.bytes_max.saturating_mul(2) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let over = self.bytes.len().saturating_sub(self.bytes_max);
        self.bytes.drain(..over);
        self.cut |= over > 0;
    }

    /// What was kept, as text; where it is not all, that is said first.
    pub fn text(mut self) -> String {
        self.cut();
        let text = String::from_utf8_lossy(&self.bytes);
        if self.cut { format!("[the beginning is left out]\n{text}") } else { text.into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_output_the_end_is_kept() {
        let mut tail = Tail::new(4);
        "one two three".bytes().for_each(|byte| tail.take(&[byte]));
        assert_eq!(tail.text(), "[the beginning is left out]\nhree");
        let mut tail = Tail::new(4);
        tail.take(b"\xffok");
        assert_eq!(tail.text(), "\u{fffd}ok");
    }
}
