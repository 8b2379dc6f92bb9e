//! What the log says of connections that were refused: a stranger who knocks all night fills no disk.

use std::sync::{Mutex, PoisonError};

use jackfield_protocol::{error::Problem, time::Time};

use crate::{clock, limits};

/// A minute, in milliseconds.
const MINUTE_MILLIS: u64 = 60_000;

/// What was told in this minute.
#[derive(Debug)]
struct Told {
    since: Time,
    lines: u32,
    silent: u64,
}

static TOLD: Mutex<Told> = Mutex::new(Told { since: Time(0), lines: 0, silent: 0 });

impl Told {
    /// Whether there is a line for one more, and how many there was none for before.
    fn one_more(&mut self, now: Time) -> Option<u64> {
        if now.millis_since(self.since) >= MINUTE_MILLIS || now < self.since {
            let silent = std::mem::take(&mut self.silent);
            (self.since, self.lines) = (now, 1);
            return Some(silent);
        }
        if self.lines < limits::REFUSALS_TOLD_MAX {
            self.lines = self.lines.saturating_add(1);
            return Some(0);
        }
        self.silent = self.silent.saturating_add(1);
        None
    }
}

/// Writes a refusal into the log, unless this minute has had enough of them.
pub(super) fn tell(problem: &Problem) {
    let line = TOLD.lock().unwrap_or_else(PoisonError::into_inner).one_more(clock::now());
    match line {
        Some(0) => match &problem.cause {
            Some(cause) => tracing::error!(error = %problem, "a connection was refused: {cause}"),
            None => tracing::warn!(error = %problem, "a connection was refused"),
        },
        Some(silent) => {
            tracing::warn!(error = %problem, "a connection was refused, and {silent} more before it that have no line");
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_lines_and_the_next_one_says_how_many_were_missing() {
        let mut told = Told { since: Time(0), lines: 0, silent: 0 };
        let lines = (0..1_000).filter(|_| told.one_more(Time(1)).is_some()).count();
        assert_eq!(lines, usize::try_from(limits::REFUSALS_TOLD_MAX).unwrap());
        let missing = 1_000 - u64::from(limits::REFUSALS_TOLD_MAX);
        assert_eq!((told.one_more(Time(60_001)), told.one_more(Time(60_002))), (Some(missing), Some(0)));
    }
}
