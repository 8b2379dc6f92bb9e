//! Texts awaited as they stand: found by a search for substrings, which goes over bytes many times faster than an automaton.

use memchr::memmem::Finder;

use super::matcher::{Found, Sight};

/// Above this many texts one automaton is faster than a search for each.
const TEXTS_MAX: usize = 8;

/// A short list of texts.
#[derive(Debug)]
pub(crate) struct Literals {
    finders: Vec<Finder<'static>>,
    longest: usize,
}

impl Literals {
    /// None where there are too many, or one is empty and so is everywhere.
    pub(crate) fn new(texts: &[&[u8]]) -> Option<Self> {
        if texts.is_empty() || texts.len() > TEXTS_MAX || texts.iter().any(|text| text.is_empty()) {
            return None;
        }
        let finders = texts.iter().map(|text| Finder::new(*text).into_owned()).collect();
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or_default();
        Some(Self { finders, longest })
    }

    /// How far back from the end of what was searched a text may have begun that is not all there yet.
    pub(crate) fn overlap(&self) -> usize {
        self.longest.saturating_sub(1)
    }

    /// The first match at or after a place: leftmost, then the order of the list.
    pub(crate) fn look(&self, text: &[u8], from: usize) -> Sight {
        let rest = text.get(from..).unwrap_or_default();
        let mut best: Option<Found> = None;
        for (index, finder) in self.finders.iter().enumerate() {
            // What begins after the best one cannot win.
            let until = best.map_or(rest.len(), |best| {
                best.start.saturating_sub(from).saturating_add(finder.needle().len()).min(rest.len())
            });
            if let Some(at) = finder.find(rest.get(..until).unwrap_or_default()) {
                let start = from.saturating_add(at);
                if best.is_none_or(|best| start < best.start) {
                    best = Some(Found { index, start, end: start.saturating_add(finder.needle().len()) });
                }
            }
        }
        match best {
            None => Sight::Nothing,
            Some(found) if self.could_be_beaten(text, from, found) => Sight::Tentative(found),
            Some(found) => Sight::Certain(found),
        }
    }

    /// Whether a text that has begun before this one, or with it and goes before it, may still be on its way.
    fn could_be_beaten(&self, text: &[u8], from: usize, found: Found) -> bool {
        self.finders.iter().enumerate().any(|(index, finder)| {
            let needle = finder.needle();
            let first = text.len().saturating_sub(needle.len().saturating_sub(1)).max(from);
            let last = if index < found.index { found.start } else { found.start.saturating_sub(1) };
            let begins = |at: usize| text.get(at..).is_some_and(|tail| needle.starts_with(tail));
            (first..=last).filter(|at| *at < found.start || index < found.index).any(begins)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leftmost_wins_and_then_the_first_of_the_list() {
        let look = |texts: &[&str], text: &str| {
            let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
            Literals::new(&texts).unwrap().look(text.as_bytes(), 0)
        };
        let certain = |index, start, end| Sight::Certain(Found { index, start, end });
        let tentative = |index, start, end| Sight::Tentative(Found { index, start, end });
        for (texts, text, sight) in [
            (&["b", "ab"][..], "xab", certain(1, 1, 3)),
            (&["b", "a"], "xab", certain(1, 1, 2)),
            (&["ab", "a"], "xa", tentative(1, 1, 2)),
            (&["a", "ab"], "xa", certain(0, 1, 2)),
            (&["b", "abc"], "xab", tentative(0, 2, 3)),
            (&["b", "abc"], "xabd", certain(0, 2, 3)),
            (&["login: "], "login:", Sight::Nothing),
        ] {
            assert_eq!(look(texts, text), sight, "{texts:?} in {text}");
        }
    }
}
