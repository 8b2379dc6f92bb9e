//! Finds the first match in bytes that are still arriving, and looks at each of them once.
//!
//! The meaning is that of a search over the whole stream: leftmost first, then the order of alternatives. A match is *certain* when
//! nothing that may follow can change it; it is *tentative* while it could still grow (`\d+`), or holds only because nothing
//! follows (`$`). What is certain does not depend on how the bytes were cut; what is tentative becomes a match when the device has
//! been quiet for the settle time.

use regex_automata::{
    Anchored, HalfMatch, Input,
    hybrid::{
        LazyStateID,
        dfa::{Cache, DFA},
    },
};

use super::pattern::{Caches, Patterns};

/// A match: which pattern, and where in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The place of the pattern in the list.
    pub index: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// What the bytes so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// No match yet.
    Nothing,
    /// A match that more bytes could change.
    Tentative(Found),
    /// A match that stays.
    Certain(Found),
}

/// Pieces smaller than this go through the automaton alone.
const LEAP_BYTES_MIN: usize = 1024;

/// The search in one growing text.
pub struct Matcher<'p> {
    patterns: &'p Patterns,
    /// Taken from the patterns, and given back to them at the end.
    caches: Option<Caches>,
    state: Option<LazyStateID>,
    scanned: usize,
    /// Where the automaton begins when it has no state; what is before holds no match and no beginning of one.
    begin: usize,
    /// The beginning of the text is gone: its first byte is not the first of the stream.
    cut: bool,
    seen: Option<HalfMatch>,
    scans: usize,
}

/// The automaton gave up; its memory is too small for the pattern.
#[derive(Debug, thiserror::Error)]
#[error("the patterns need too much memory: make them simpler")]
pub struct GaveUp;

impl<'p> Matcher<'p> {
    /// A search from the start of a text.
    pub fn new(patterns: &'p Patterns) -> Self {
        Self {
            patterns,
            caches: Some(patterns.caches()),
            state: None,
            scanned: 0,
            begin: 0,
            cut: false,
            seen: None,
            scans: 0,
        }
    }

    /// Bytes looked at so far; for the promise that each is looked at once.
    pub fn scans(&self) -> usize {
        self.scans
    }

    /// Leaves out most of a large piece, where a faster search than the automaton's says that nothing is in it: only where no match is
    /// longer than so many bytes, so that what is left out cannot be the beginning of one.
    fn leap(&mut self, text: &[u8]) {
        let Some(longest) = self.patterns.longest() else { return };
        let fresh = text.len().saturating_sub(self.scanned);
        if fresh < LEAP_BYTES_MIN.max(longest.saturating_mul(4)) || self.seen.is_some() || self.is_over() {
            return;
        }
        let from = self.scanned.saturating_sub(longest).max(usize::from(self.cut));
        let near = text.len().saturating_sub(longest).max(from);
        self.begin = self.patterns.first_start(text, from).map_or(near, |start| start.min(near));
        self.scans = self.scans.saturating_add(fresh);
        self.state = None;
    }

    /// Whether nothing that follows can bring a match.
    fn is_over(&self) -> bool {
        self.state.is_some_and(|state| state.is_dead())
    }

    /// The end of the first match so far, and whether it is certain.
    fn scan(&mut self, text: &[u8], cache: &mut Cache) -> Result<Option<(HalfMatch, bool)>, GaveUp> {
        let dfa = self.patterns.forward();
        let mut state = match self.state {
            Some(state) => state,
            None => {
                self.scanned = self.begin;
                self.seen = None;
                let input = Input::new(text).range(self.begin..);
                dfa.start_state_forward(cache, &input).ok().ok_or(GaveUp)?
            }
        };
        let fresh = text.get(self.scanned..).unwrap_or_default();
        self.scans = self.scans.saturating_add(fresh.len());
        let mut bytes = fresh.iter();
        loop {
            if !state.is_tagged() {
                // Nearly every byte leads from a plain state to a plain state that is known.
                state = skip(dfa, cache, state, &mut bytes);
            }
            let Some(&byte) = bytes.next() else { break };
            let at = text.len().saturating_sub(bytes.len()).saturating_sub(1);
            state = dfa.next_state(cache, state, byte).ok().ok_or(GaveUp)?;
            if !state.is_tagged() {
                continue;
            }
            if state.is_match() {
                // The automaton tells of a match one byte late.
                self.seen = Some(HalfMatch::new(dfa.match_pattern(cache, state, 0), at));
            } else if state.is_dead() {
                (self.state, self.scanned) = (Some(state), text.len());
                return Ok(self.seen.map(|seen| (seen, true)));
            } else if state.is_quit() {
                return Err(GaveUp);
            }
        }
        (self.state, self.scanned) = (Some(state), text.len());
        self.at_end(text.len(), state, cache)
    }

    /// What holds if nothing follows, and whether anything that follows could change it.
    fn at_end(
        &mut self,
        end_of_text: usize,
        state: LazyStateID,
        cache: &mut Cache,
    ) -> Result<Option<(HalfMatch, bool)>, GaveUp> {
        let dfa = self.patterns.forward();
        let clears = cache.clear_count();
        let end = dfa.next_eoi_state(cache, state).ok().ok_or(GaveUp)?;
        let here = end.is_match().then(|| HalfMatch::new(dfa.match_pattern(cache, end, 0), end_of_text));
        let mut certain = false;
        if cache.clear_count() == clears && (here.is_some() || self.seen.is_some()) {
            // A match that ends here is told of with the next byte, whatever that is; only after it must all be over.
            let (followers, all_match) = self.followers(state, cache)?;
            certain = match here {
                Some(_) if !all_match => false,
                Some(_) => self.all_dead(&followers, cache)?,
                None => followers.iter().all(|follower| follower.is_dead()),
            };
        }
        if cache.clear_count() != clears {
            // The states were forgotten under our hands: the text is looked at again next time.
            self.state = None;
            certain = false;
        }
        Ok(here.or(self.seen).map(|seen| (seen, certain)))
    }

    /// The states that any next byte could lead to, and whether all of them tell of a match.
    fn followers(&self, state: LazyStateID, cache: &mut Cache) -> Result<(Vec<LazyStateID>, bool), GaveUp> {
        let dfa = self.patterns.forward();
        let mut followers: Vec<LazyStateID> = Vec::new();
        for byte in dfa.byte_classes().representatives(0..=u8::MAX).filter_map(|unit| unit.as_u8()) {
            let next = dfa.next_state(cache, state, byte).ok().ok_or(GaveUp)?;
            if !followers.contains(&next) {
                followers.push(next);
            }
        }
        let all_match = followers.iter().all(|follower| follower.is_match());
        Ok((followers, all_match))
    }

    fn all_dead(&self, states: &[LazyStateID], cache: &mut Cache) -> Result<bool, GaveUp> {
        for state in states {
            let (followers, _) = self.followers(*state, cache)?;
            if !followers.iter().all(|follower| follower.is_dead()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The whole match of an end that was found, by going backwards from it.
    fn found(&self, text: &[u8], seen: HalfMatch, cache: &mut Cache) -> Result<Found, GaveUp> {
        let input = Input::new(text).range(..seen.offset()).anchored(Anchored::Pattern(seen.pattern()));
        let start = self.patterns.reverse().try_search_rev(cache, &input).ok().ok_or(GaveUp)?;
        let start = start.map_or(0, |start| start.offset());
        Ok(Found { index: seen.pattern().as_usize(), start, end: seen.offset() })
    }
}

impl Matcher<'_> {
    /// The first `bytes` of the text are gone; the search goes on.
    pub fn forget(&mut self, bytes: usize) {
        self.scanned = self.scanned.saturating_sub(bytes);
        self.begin = self.begin.saturating_sub(bytes);
        self.cut |= bytes > 0;
        self.seen = self.seen.and_then(|seen| {
            let offset = seen.offset().checked_sub(bytes)?;
            Some(HalfMatch::new(seen.pattern(), offset))
        });
    }

    /// Looks at what was appended to the text since the last call.
    ///
    /// # Errors
    /// It takes too much memory to go on.
    pub fn look(&mut self, text: &[u8]) -> Result<Sight, GaveUp> {
        if let Some(literals) = self.patterns.literals() {
            let from = self.scanned.saturating_sub(literals.overlap());
            self.scans = self.scans.saturating_add(text.len().saturating_sub(self.scanned));
            let sight = literals.look(text, from);
            // A match that waits for what follows is looked for again from where it is.
            self.scanned = match sight {
                Sight::Tentative(found) => found.start,
                Sight::Nothing | Sight::Certain(_) => text.len(),
            };
            return Ok(sight);
        }
        self.leap(text);
        let mut caches = self.caches.take().unwrap_or_else(|| self.patterns.caches());
        let sight = self.scan(text, &mut caches.forward).and_then(|sighted| match sighted {
            None => Ok(Sight::Nothing),
            Some((seen, certain)) => {
                let found = self.found(text, seen, &mut caches.reverse)?;
                Ok(if certain { Sight::Certain(found) } else { Sight::Tentative(found) })
            }
        });
        self.caches = Some(caches);
        sight
    }
}

/// Goes on from a plain state as long as the next one is plain and known, and stands before the byte that leads elsewhere.
#[inline]
fn skip(dfa: &DFA, cache: &Cache, state: LazyStateID, bytes: &mut std::slice::Iter<'_, u8>) -> LazyStateID {
    let mut now = state;
    let rest = bytes.as_slice();
    for (index, &byte) in rest.iter().enumerate() {
        let next = dfa.next_state_untagged(cache, now, byte);
        if next.is_tagged() {
            *bytes = rest.get(index..).unwrap_or_default().iter();
            return now;
        }
        now = next;
    }
    *bytes = [].iter();
    now
}

impl Drop for Matcher<'_> {
    fn drop(&mut self) {
        if let Some(caches) = self.caches.take() {
            self.patterns.give_back(caches);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The sights after each chunk.
    fn sights(patterns: &[&str], chunks: &[&[u8]]) -> Vec<Sight> {
        let patterns = Patterns::regexes(patterns).unwrap();
        let mut matcher = Matcher::new(&patterns);
        let mut text = Vec::new();
        let mut sights = Vec::new();
        for chunk in chunks {
            text.extend_from_slice(chunk);
            let sight = matcher.look(&text).unwrap();
            sights.push(sight);
            if matches!(sight, Sight::Certain(_)) {
                break;
            }
        }
        assert!(matcher.scans() <= text.len(), "a byte was looked at twice");
        sights
    }

    fn certain(index: usize, start: usize, end: usize) -> Sight {
        Sight::Certain(Found { index, start, end })
    }

    fn tentative(index: usize, start: usize, end: usize) -> Sight {
        Sight::Tentative(Found { index, start, end })
    }

    #[test]
    fn a_text_is_certain_with_its_last_byte() {
        assert_eq!(sights(&["login: "], &[b"Welcome\r\nlog", b"in:", b" "])[2], certain(0, 9, 16));
        assert_eq!(sights(&["b", "ab"], &[b"xab"]), [certain(1, 1, 3)]);
        assert_eq!(sights(&["b", "a"], &[b"xab"]), [certain(1, 1, 2)]);
    }

    #[test]
    fn what_can_grow_waits_for_what_follows() {
        let pattern = r"Version (\d+)";
        let seen = sights(&[pattern], &[b"Version 1", b"5", b".2"]);
        assert_eq!(seen, [tentative(0, 0, 9), tentative(0, 0, 10), certain(0, 0, 10)]);
    }

    #[test]
    fn an_end_holds_only_while_nothing_follows() {
        let seen = sights(&[r"(?m)^\w+# $"], &[b"r1# ", b"is not the prompt\r\n", b"r1# "]);
        assert_eq!(seen, [tentative(0, 0, 4), Sight::Nothing, tentative(0, 23, 27)]);
    }

    #[test]
    fn a_pattern_that_cannot_come_any_more_is_no_match() {
        assert_eq!(sights(&["^a"], &[b"b", b"a"]), [Sight::Nothing, Sight::Nothing]);
    }

    #[test]
    fn forgotten_bytes_do_not_stop_the_search() {
        let patterns = Patterns::regexes(&["end"]).unwrap();
        let mut matcher = Matcher::new(&patterns);
        assert_eq!(matcher.look(b"aaaaaaen").unwrap(), Sight::Nothing);
        matcher.forget(7);
        assert_eq!(matcher.look(b"nd").unwrap(), certain(0, 0, 2));
    }

    #[test]
    fn each_byte_is_looked_at_once() {
        let patterns = Patterns::regexes(&[r"(?m)^[\w.-]+[#>] ?$"]).unwrap();
        let mut matcher = Matcher::new(&patterns);
        let mut text = Vec::new();
        for _ in 0..2_000 {
            text.extend_from_slice(b"some# line> of output\r\n");
            matcher.look(&text).unwrap();
        }
        assert_eq!(matcher.scans(), text.len());
    }

    fn outcome(patterns: &Patterns, chunks: &[&[u8]]) -> Sight {
        let mut matcher = Matcher::new(patterns);
        let mut text = Vec::new();
        let mut last = Sight::Nothing;
        for chunk in chunks {
            text.extend_from_slice(chunk);
            last = matcher.look(&text).unwrap();
            if matches!(last, Sight::Certain(_)) {
                break;
            }
        }
        last
    }

    #[test]
    fn a_leap_finds_what_steps_find() {
        let patterns = [r"(?m)^[\w.-]{1,20}[#>] ?$", "--More--", r"\(y/n\) ?", "^never"];
        let patterns = Patterns::regexes(&patterns).unwrap();
        let line = b"some# line> of output --Mor\r\n".repeat(100);
        for end in ["r1#", "r1# ", "--More", "--More--", "--More-- (y/n)", "(y/n)", "never"] {
            let text = [&line, end.as_bytes()].concat();
            let stepped: Vec<&[u8]> = text.chunks(100).collect();
            assert_eq!(outcome(&patterns, &[&text]), outcome(&patterns, &stepped), "{end}");
            for cut in text.len() - 40..text.len() {
                let pieces = [&text[..cut], &text[cut..]];
                assert_eq!(outcome(&patterns, &pieces), outcome(&patterns, &stepped), "{end} cut at {cut}");
            }
        }
    }

    #[test]
    fn patterns_with_more_states_than_memory_are_still_found() {
        let pattern = "a[ab]{40}c[ab]*a[ab]{12}d";
        let patterns = Patterns::regexes(&[pattern, "ab{30}c"]).unwrap();
        let mut seed = 7_u32;
        let mut letter = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if seed & 0x8000_0000 == 0 { b'a' } else { b'b' }
        };
        let mut text: Vec<u8> = (0..60_000).map(|_| letter()).collect();
        text.extend([b"a".as_slice(), &[b'b'; 40], b"c"].concat());
        text.extend((0..500).map(|_| letter()));
        text.extend([b"a".as_slice(), &[b'b'; 12], b"d"].concat());
        let whole = regex_automata::meta::Regex::new(pattern).unwrap().find(&text).map(|found| found.range());
        let mut matcher = Matcher::new(&patterns);
        let mut found = Sight::Nothing;
        for end in (0..=text.len()).step_by(1000).chain([text.len()]) {
            found = matcher.look(&text[..end]).unwrap();
        }
        assert!(matcher.caches.as_ref().unwrap().forward.clear_count() > 0, "this test tests nothing");
        let Sight::Certain(found) = found else { panic!("{found:?}") };
        assert_eq!(Some(found.start..found.end), whole, "leftmost start, first end");
    }

    const SHAPES: [&str; 10] =
        ["ab", "a+b", "(?m)^b#", "# ?$", "a.*b", "(a|ab)(#|b#)", r"\ba", "[^a]{3}#", "(?s)b.*?a", "^a"];

    proptest! {
        #[test]
        fn any_cut_gives_the_same(
            text in "[ab#\r\n ]{0,40}",
            which in proptest::sample::subsequence(SHAPES.to_vec(), 1..4),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let patterns = Patterns::regexes(&which).unwrap();
            let bytes = text.as_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.sort_unstable();
            let mut chunks: Vec<&[u8]> = Vec::new();
            let mut from = 0;
            for place in places {
                chunks.push(&bytes[from..place]);
                from = place;
            }
            chunks.push(&bytes[from..]);
            let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(outcome(&patterns, &chunks), outcome(&patterns, &bytewise));
        }

        #[test]
        fn what_is_found_is_what_a_search_of_the_whole_text_finds(
            text in "[ab#\r\n ]{0,40}",
            which in proptest::sample::subsequence(SHAPES.to_vec(), 1..4),
        ) {
            let whole = regex_automata::meta::Regex::builder()
                .syntax(regex_automata::util::syntax::Config::new().unicode(false).utf8(false))
                .configure(regex_automata::meta::Regex::config().utf8_empty(false))
                .build_many(&which)
                .unwrap();
            let expected = whole.find(text.as_bytes()).map(|found| Found {
                index: found.pattern().as_usize(),
                start: found.start(),
                end: found.end(),
            });
            let patterns = Patterns::regexes(&which).unwrap();
            let found = match outcome(&patterns, &text.as_bytes().chunks(3).collect::<Vec<_>>()) {
                Sight::Nothing => None,
                Sight::Tentative(found) | Sight::Certain(found) => Some(found),
            };
            prop_assert_eq!(found, expected);
        }
    }
}
