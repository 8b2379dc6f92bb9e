//! What ends an answer: a prompt that was seen before, as a text, the moment its last byte arrives; anything else as the
//! profile describes it.

use memchr::memmem::Finder;

use crate::expect::matcher::{Found, GaveUp, Matcher, Sight, Watch};

/// Prompts that were seen before, byte for byte.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(Vec<Finder<'static>>);

impl Known {
    /// Knows one more; the oldest is forgotten when there are too many.
    pub(super) fn learn(&mut self, prompt: &[u8], most: usize) {
        // A prompt that shows nothing would be found at every line end; it stays with the pattern.
        let shows_nothing = prompt.iter().all(|byte| *byte <= b' ');
        if shows_nothing || self.0.iter().any(|known| known.needle() == prompt) {
            return;
        }
        if self.0.len() >= most {
            self.0.remove(0);
        }
        self.0.push(Finder::new(prompt).into_owned());
    }

    /// One of them was not all of it.
    pub(super) fn forget(&mut self, prompt: &[u8]) {
        self.0.retain(|known| known.needle() != prompt);
    }

    fn longest(&self) -> usize {
        self.0.iter().map(|known| known.needle().len()).max().unwrap_or_default()
    }

    /// The first prompt that begins a line, with the line end before it.
    fn look(&self, text: &[u8], from: usize) -> Option<Found> {
        let first = |known: &Finder<'_>| {
            let mut from = from;
            loop {
                let at = known.find(text.get(from..)?)?.saturating_add(from);
                let before =
                    at.checked_sub(1).filter(|before| matches!(text.get(*before), Some(b'\n' | b'\r')));
                if let Some(start) = before {
                    return Some(Found { index: 0, start, end: at.saturating_add(known.needle().len()) });
                }
                from = at.saturating_add(1);
            }
        };
        self.0.iter().filter_map(first).min_by_key(|found| (found.start, std::cmp::Reverse(found.end)))
    }
}

/// Looks for a known prompt, number 0, and for patterns, which count from 1.
pub(super) struct Answer<'p> {
    known: &'p Known,
    scanned: usize,
    others: Matcher<'p>,
}

impl<'p> Answer<'p> {
    pub(super) fn new(known: &'p Known, others: Matcher<'p>) -> Self {
        Self { known, scanned: 0, others }
    }
}

impl Watch for Answer<'_> {
    fn look(&mut self, text: &[u8]) -> Result<Sight, GaveUp> {
        let from = self.scanned.saturating_sub(self.known.longest());
        let known = self.known.look(text, from);
        self.scanned = text.len();
        let later = |found: Found| Found { index: found.index.saturating_add(1), ..found };
        let upto = known.map_or(text.len(), |known| known.end);
        let other = self.others.look(text.get(..upto).unwrap_or_default())?;
        Ok(match (known, other) {
            (None, Sight::Nothing) => Sight::Nothing,
            (None, Sight::Tentative(found)) => Sight::Tentative(later(found)),
            (None, Sight::Certain(found)) => Sight::Certain(later(found)),
            (Some(known), Sight::Tentative(found) | Sight::Certain(found)) if found.start < known.start => {
                Sight::Certain(later(found))
            }
            (Some(known), Sight::Nothing | Sight::Tentative(_) | Sight::Certain(_)) => Sight::Certain(known),
        })
    }

    fn forget(&mut self, bytes: usize) {
        self.scanned = self.scanned.saturating_sub(bytes);
        self.others.forget(bytes);
    }
}

/// Where a session that knows the prompt `r1#` believes an answer to end, given in pieces; what it waits for besides is a pager.
pub(crate) fn known_prompt_sight(pieces: &[&[u8]]) -> Option<Found> {
    let mut known = Known::default();
    known.learn(b"r1#", 1);
    let patterns = crate::expect::Patterns::regexes(&["(?m)^[a-z]{1,9}[0-9]?# ?$", "--More--"]).ok()?;
    let mut answer = Answer::new(&known, Matcher::new(&patterns));
    let mut text = Vec::new();
    for piece in pieces {
        text.extend_from_slice(piece);
        if let Ok(Sight::Certain(found)) = answer.look(&text) {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expect::Patterns;

    fn first(known: &Known, patterns: &Patterns, pieces: &[&[u8]]) -> Option<Found> {
        let mut answer = Answer::new(known, Matcher::new(patterns));
        let mut text = Vec::new();
        for piece in pieces {
            text.extend_from_slice(piece);
            if let Sight::Certain(found) = answer.look(&text).unwrap() {
                return Some(found);
            }
        }
        None
    }

    proptest! {
        #[test]
        fn any_cut_finds_the_same_end(
            lines in proptest::collection::vec("(r1#|r1|--More--|#|x| ){0,4}", 0..12),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let text = lines.join("\r\n").into_bytes();
            let mut known = Known::default();
            known.learn(b"r1#", 4);
            let patterns = Patterns::regexes(&["(?m)^[a-z]+[0-9]?# ?$", "--More--"]).unwrap();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|two| &text[two[0]..two[1]]).collect();
            prop_assert_eq!(first(&known, &patterns, &pieces), first(&known, &patterns, &[&text]));
        }
    }

    #[test]
    fn a_prompt_within_a_line_is_none() {
        let mut known = Known::default();
        known.learn(b"r1#", 4);
        known.learn(b"  ", 4);
        let patterns = Patterns::regexes(&["--More--"]).unwrap();
        assert_eq!(first(&known, &patterns, &[b"r1#show\r\nname r1#\r\n  r1#"]), None);
        let found = first(&known, &patterns, &[b"r1#show\r\nok\r\nr1#"]);
        assert_eq!(found, Some(Found { index: 0, start: 12, end: 16 }));
    }
}
