//! Prompts that may still come for empty lines which were sent to bring one: a device that was busy answers them all when it has time, and what
//! they bring must not be taken for the end of the next answer.

use std::time::Duration;

use super::{counted::Counted, known::Known};
use crate::{clock::Deadline, profile::Kind};

/// A device that has not answered an empty line for so long has thrown it away.
const THROWN_AWAY_AFTER: Duration = Duration::from_secs(10);

/// How many prompts may still come that nobody awaits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Strays {
    most: usize,
    /// As many where the device draws no prompt again behind lines that come unasked.
    least: usize,
    until: Option<Deadline>,
    was_waited_for: bool,
}

impl Strays {
    /// As many as there are now, and as there are where none that stood there was drawn again. Those of which somebody knew before grow no
    /// younger by it, be it that their time has gone by meanwhile: on a device that threw one away, each command would be waited for as if it
    /// still came.
    pub(super) fn set(&mut self, most: usize, least: usize) {
        if most > self.most {
            self.until = Some(Deadline::after(THROWN_AWAY_AFTER));
            self.was_waited_for = false;
        }
        (self.most, self.least) = (most, least.min(most));
    }

    /// How many may come now; those whose time is over are forgotten.
    pub(super) fn most(&mut self) -> usize {
        if self.until.is_none_or(|until| until.left().is_zero()) {
            self.most = 0;
        }
        self.most
    }

    /// How many may come of a device that draws none again.
    pub(super) fn least(&mut self) -> usize {
        self.least.min(self.most())
    }

    /// None of those that came was drawn again: each answered an empty line.
    pub(super) fn were_all_drawn(&mut self) {
        self.most = self.least;
    }

    /// Whether they are to be waited for, which is done once.
    pub(super) fn wait(&mut self) -> bool {
        self.most() > 0 && !std::mem::replace(&mut self.was_waited_for, true)
    }

    /// Takes those off that stand at the end of some bytes, all since the prompt that was seen last.
    pub(super) fn seen_in(&mut self, bytes: &[u8], kind: &Kind, known: &Known, draws_again: bool) {
        if self.most > 0 {
            self.most = self.most.saturating_sub(prompts_drawn(bytes, kind, known, draws_again));
            self.least = self.least.saturating_sub(prompts_drawn(bytes, kind, known, false)).min(self.most);
        }
    }
}

/// How many prompts stand at the end of some bytes, one behind the other.
pub(super) fn prompts_in(bytes: &[u8], kind: &Kind, known: &Known, draws_again: bool) -> usize {
    counted(bytes, kind, known, draws_again).prompts(|line| known.has(line)).0
}

/// How many a device has drawn that stood at its last one: where that is drawn again behind lines that came unasked, it is no other.
pub(super) fn prompts_drawn(bytes: &[u8], kind: &Kind, known: &Known, draws_again: bool) -> usize {
    let stood = kind.profile.encoding.bytes(known.last()).unwrap_or_default();
    let counted = counted(&[&stood, bytes].concat(), kind, known, draws_again);
    let (count, first) = counted.prompts(|line| known.has(line));
    // Of one with lines above, these are not known, and it is not among them.
    if counted.has_first_line(first) { count.saturating_sub(1) } else { count }
}

fn counted(bytes: &[u8], kind: &Kind, known: &Known, draws_again: bool) -> Counted {
    let counted = Counted::of(kind, bytes, draws_again);
    if known.has_lines_above() { counted.with_lines_behind(known.last().trim()) } else { counted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_was_thrown_away_is_awaited_for_a_while_only() {
        let command = THROWN_AWAY_AFTER / 2 + Duration::from_secs(1);
        let mut strays = Strays::default();
        strays.set(1, 1);
        for awaited in [1, 1, 0, 0] {
            let before = strays.most();
            assert_eq!(before, awaited);
            tokio::time::advance(command).await;
            // Each empty line of its own was answered.
            strays.set(before, before);
        }
        strays.set(1, 1);
        assert_eq!(strays.most(), 1, "one that was sent since has a time of its own");
    }
}
