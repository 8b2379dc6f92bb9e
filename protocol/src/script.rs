//! What holds of a script around a run wherever it runs, on the engine's host or on an EP: its name for people, what its end makes of
//! the run, and what is kept of its output.

use std::fmt::Display;

use crate::{
    event::Hook,
    verdict::{Cause, Outcome, Verdict},
};

/// The exit status that says: skipped.
const SKIPPED_CODE: i32 = 77;

/// `the pre script hooks/pre.sh`
pub fn title(hook: Hook, path: &str) -> String {
    format!("the {hook} script {path}")
}

/// What the end of a script's process means: exit code 0 is PASS, 77 SKIPPED, all else FAIL. `end` is the whole of its end in words,
/// for one that has no exit code.
pub fn judge(title: &str, exit_code: Option<i32>, end: impl Display) -> Outcome {
    let fail = |reason| Outcome::not_pass(Verdict::Fail, Cause::Test, reason);
    match exit_code {
        Some(0) => Outcome::pass(),
        Some(SKIPPED_CODE) => {
            Outcome::not_pass(Verdict::Skipped, Cause::Test, format!("{title} skipped itself"))
        }
        Some(code) => fail(format!("{title} ended with exit code {code}")),
        None => Outcome { crashed: true, ..fail(format!("{title} was ended from outside: {end}")) },
    }
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
