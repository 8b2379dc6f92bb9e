//! The newest lines of the engine's own log, for who looks at it from a page.
//!
//! Whoever starts the engine sets up where its log goes, and may send it here as well: [`OwnLog`] is a writer. There is one
//! for the process, as there is one log.

use std::{
    collections::VecDeque,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::limits;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OwnLogLine {
    /// Counts up from 1 in each life of the engine.
    pub id: u64,
    /// Its text: when, how bad, what.
    pub text: String,
}

#[derive(Debug)]
struct Kept {
    last: u64,
    lines: VecDeque<OwnLogLine>,
}

static KEPT: Mutex<Kept> = Mutex::new(Kept { last: 0, lines: VecDeque::new() });

fn kept() -> MutexGuard<'static, Kept> {
    // Nothing panics while the lines are held.
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A writer that keeps the newest lines.
#[derive(Clone, Copy, Debug)]
pub struct OwnLog;

impl io::Write for OwnLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        kept().add(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    /// A log writes whole lines.
    fn add(&mut self, text: &str) {
        for line in text.lines() {
            self.last = self.last.saturating_add(1);
            let text = match line.char_indices().nth(limits::OWN_LOG_CHARS_MAX) {
                Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
                None => line.to_owned(),
            };
            self.lines.push_back(OwnLogLine { id: self.last, text });
        }
        while self.lines.len() > limits::OWN_LOG_LINES_MAX {
            self.lines.pop_front();
        }
    }
}

/// The newest lines after one that is known, oldest first.
pub(crate) fn newest(after: u64, limit: usize) -> Vec<OwnLogLine> {
    let kept = kept();
    let newer = kept.lines.iter().filter(|line| line.id > after).count();
    let lines = kept.lines.iter().filter(|line| line.id > after);
    lines.skip(newer.saturating_sub(limit)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_kept() {
        let mut kept = Kept { last: 0, lines: VecDeque::new() };
        for number in 0..=limits::OWN_LOG_LINES_MAX {
            kept.add(&format!("WARN line {number}\n"));
        }
        assert_eq!(kept.lines.len(), limits::OWN_LOG_LINES_MAX);
        assert_eq!(kept.lines[0].id, 2);
        kept.add(&"é".repeat(limits::OWN_LOG_CHARS_MAX + 1));
        let last = kept.lines.back().unwrap();
        assert_eq!(last.text.chars().count(), limits::OWN_LOG_CHARS_MAX + 1);
        assert!(last.text.ends_with('…'));
    }
}
