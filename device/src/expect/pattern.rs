//! What is awaited: a list of texts and regular expressions over bytes, compiled once.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_config::steps::Awaited;
use regex_automata::{
    Input, MatchKind,
    hybrid::{
        self,
        dfa::{Cache, DFA},
    },
    meta,
    nfa::thompson,
    util::syntax,
};

use super::literal::Literals;
use crate::limits::{IDLE_CACHES_MAX, MATCHER_BYTES};

/// Several patterns, of which the first to be seen is awaited. Cheap to clone.
#[derive(Clone)]
pub struct Patterns {
    compiled: Arc<Compiled>,
    /// What people are told is awaited, where the patterns themselves would not tell them.
    told: Option<Arc<str>>,
}

struct Compiled {
    shown: Vec<String>,
    /// Where all of them are texts: found without the automata.
    literals: Option<Literals>,
    /// The places of the end of the dialogue and of the deadline in the list, where they are awaited.
    end: Option<usize>,
    deadline: Option<usize>,
    /// Bytes of the longest match there can be, and of what is looked at around it; none where it has no bound.
    longest: Option<usize>,
    forward: DFA,
    reverse: DFA,
    captures: Vec<meta::Regex>,
    idle: Mutex<Vec<Caches>>,
}

/// The states that the automata have built so far; kept from search to search, so that each is built once.
#[derive(Debug)]
pub(crate) struct Caches {
    pub(crate) forward: Cache,
    pub(crate) reverse: Cache,
}

/// A pattern that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// It is no regular expression, or one that cannot be matched as bytes arrive.
    #[error(
        "`{pattern}` cannot be awaited: {why}; patterns match bytes: leave out Unicode classes and `(?u)`"
    )]
    Pattern {
        /// As it was given.
        pattern: String,
        /// What the engine says.
        why: String,
    },
    /// It is no regular expression that can be looked for on a screen.
    #[error("`{pattern}` cannot be looked for on a screen: {why}")]
    Screen {
        /// As it was given.
        pattern: String,
        /// What the engine says.
        why: String,
    },
    /// It cannot stand on a screen.
    #[error(
        "a screen shows neither the end of the dialogue nor that of the time: look for texts and regular expressions"
    )]
    NotOnScreen,
    /// Nothing to wait for.
    #[error("there is nothing to wait for: give at least one pattern")]
    Empty,
}

/// Longer matches are looked for byte by byte.
const LONGEST_MAX: usize = 4 * 1024;

/// Matches nothing, not even the end.
const NEVER: &str = r"[^\x00-\xFF]";

fn regex_syntax() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false)
}

impl Patterns {
    /// Compiles a list; the index of the one that was seen is its place in it.
    ///
    /// # Errors
    /// No pattern, or one that is no regular expression over bytes.
    pub fn new(awaited: &[Awaited]) -> Result<Self, PatternError> {
        let (mut shown, mut sources) = (Vec::new(), Vec::new());
        for one in awaited {
            let (show, source) = match one {
                Awaited::Pattern(text) => (text.clone(), text.clone()),
                Awaited::Exact(text) => (text.clone(), literal(text.as_bytes())),
                // They have a place in the list, and no bytes.
                Awaited::End => ("the end of the dialogue".to_owned(), NEVER.to_owned()),
                Awaited::Timeout => ("the end of the time".to_owned(), NEVER.to_owned()),
            };
            shown.push(show);
            sources.push(source);
        }
        let mut compiled = Self::build(shown, &sources)?;
        let place = |wanted: &Awaited| awaited.iter().position(|one| one == wanted);
        (compiled.end, compiled.deadline) = (place(&Awaited::End), place(&Awaited::Timeout));
        let texts: Option<Vec<&[u8]>> = awaited
            .iter()
            .map(|one| match one {
                Awaited::Exact(text) => Some(text.as_bytes()),
                Awaited::Pattern(_) | Awaited::End | Awaited::Timeout => None,
            })
            .collect();
        compiled.literals = texts.and_then(|texts| Literals::new(&texts));
        Ok(Self { compiled: Arc::new(compiled), told: None })
    }

    /// Regular expressions only.
    ///
    /// # Errors
    /// As [`Patterns::new`].
    pub fn regexes<S: AsRef<str>>(patterns: &[S]) -> Result<Self, PatternError> {
        let sources: Vec<String> = patterns.iter().map(|pattern| pattern.as_ref().to_owned()).collect();
        Ok(Self { compiled: Arc::new(Self::build(sources.clone(), &sources)?), told: None })
    }

    fn build(shown: Vec<String>, sources: &[String]) -> Result<Compiled, PatternError> {
        if sources.is_empty() {
            return Err(PatternError::Empty);
        }
        let mut captures = Vec::new();
        for source in sources {
            captures.push(meta_regex(source)?);
        }
        let forward = automaton(sources, false)?;
        let reverse = automaton(sources, true)?;
        let (literals, end, deadline, idle) = (None, None, None, Mutex::default());
        let longest = sources.iter().try_fold(0, |longest, source| Some(longest.max(longest_match(source)?)));
        Ok(Compiled { shown, literals, end, deadline, longest, forward, reverse, captures, idle })
    }

    /// The patterns as they were given.
    pub fn shown(&self) -> &[String] {
        &self.compiled.shown
    }

    /// The same, told to people in other words than the patterns themselves.
    #[must_use]
    pub fn told_as(mut self, words: &str) -> Self {
        self.told = Some(words.into());
        self
    }

    /// What is awaited, for a message.
    pub fn told(&self) -> String {
        match &self.told {
            Some(words) => words.to_string(),
            None => format!("`{}`", self.compiled.shown.join("` or `")),
        }
    }

    /// The texts, where all that is awaited are texts.
    pub(crate) fn literals(&self) -> Option<&Literals> {
        self.compiled.literals.as_ref()
    }

    /// The place of the end of the dialogue in the list.
    pub(crate) fn end(&self) -> Option<usize> {
        self.compiled.end
    }

    /// The place of the end of the time in the list.
    pub(crate) fn deadline(&self) -> Option<usize> {
        self.compiled.deadline
    }

    /// Bytes of the longest match there can be; none where it has no bound, or one that is too large to be of use.
    pub(crate) fn longest(&self) -> Option<usize> {
        self.compiled.longest.filter(|longest| *longest <= LONGEST_MAX)
    }

    /// Where the first match in a part of a text begins, were the text to end here.
    pub(crate) fn first_start(&self, text: &[u8], from: usize) -> Option<usize> {
        let input = Input::new(text).range(from..);
        let start = |regex: &meta::Regex| Some(regex.search(&input)?.start());
        self.compiled.captures.iter().filter_map(start).min()
    }

    /// Finds the first match, as it goes over the bytes.
    pub(crate) fn forward(&self) -> &DFA {
        &self.compiled.forward
    }

    /// Finds where a match begins, from its end backwards.
    pub(crate) fn reverse(&self) -> &DFA {
        &self.compiled.reverse
    }

    /// Caches for one search: used ones where there are some.
    pub(crate) fn caches(&self) -> Caches {
        let idle = self.compiled.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| Caches {
            forward: self.compiled.forward.create_cache(),
            reverse: self.compiled.reverse.create_cache(),
        })
    }

    /// Takes the caches of a search that is over, for the next one.
    pub(crate) fn give_back(&self, caches: Caches) {
        let mut idle = self.compiled.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CACHES_MAX {
            idle.push(caches);
        }
    }

    /// Finds the groups of a match that was found.
    pub(crate) fn captures(&self, index: usize) -> Option<&meta::Regex> {
        self.compiled.captures.get(index)
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Patterns").field(&self.compiled.shown).finish()
    }
}

/// Bytes of a match, and one that an assertion may look at after it.
fn longest_match(source: &str) -> Option<usize> {
    let parsed = syntax::parse_with(source, &regex_syntax()).ok()?;
    // A pattern that matches nothing has no longest match either.
    if parsed.properties().minimum_len().is_none() {
        return Some(0);
    }
    parsed.properties().maximum_len()?.checked_add(1)
}

fn meta_regex(source: &str) -> Result<meta::Regex, PatternError> {
    meta::Regex::builder()
        .syntax(regex_syntax())
        .configure(meta::Regex::config().utf8_empty(false))
        .build(source)
        .map_err(|error| PatternError::Pattern { pattern: source.to_owned(), why: innermost(&error) })
}

/// A lazily built automaton of all patterns. Forwards it prefers as Perl does: leftmost, then the order of the alternatives;
/// backwards it finds every start, of which the leftmost is taken.
fn automaton(sources: &[String], backwards: bool) -> Result<DFA, PatternError> {
    let kind = if backwards { MatchKind::All } else { MatchKind::LeftmostFirst };
    let config = DFA::config()
        .match_kind(kind)
        .starts_for_each_pattern(backwards)
        .skip_cache_capacity_check(true)
        .cache_capacity(MATCHER_BYTES);
    DFA::builder()
        .configure(config)
        .syntax(regex_syntax())
        .thompson(thompson::Config::new().reverse(backwards).utf8(false))
        .build_many(sources)
        .map_err(|error: hybrid::BuildError| PatternError::Pattern {
            pattern: sources.join("` or `"),
            why: innermost(&error),
        })
}

/// The last cause has the words for people.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    let text = inner.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// A regular expression that matches exactly these bytes.
pub(crate) fn literal(bytes: &[u8]) -> String {
    let mut pattern = String::new();
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() {
            pattern.push(char::from(byte));
        } else {
            pattern.push_str(&format!(r"\x{byte:02X}"));
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_pattern_is_told() {
        let told = |patterns: &[&str]| Patterns::regexes(patterns).unwrap_err().to_string();
        insta::assert_snapshot!(told(&["a(b"]), @"`a(b` cannot be awaited: unclosed group; patterns match bytes: leave out Unicode classes and `(?u)`");
        insta::assert_snapshot!(told(&[]), @"there is nothing to wait for: give at least one pattern");
        assert!(Patterns::regexes(&[r"(?u:\bx)"]).is_err());
    }

    #[test]
    fn a_text_is_matched_as_it_stands() {
        let text = "a.b*[é]$\u{0}";
        let regex = meta_regex(&literal(text.as_bytes())).unwrap();
        assert!(regex.is_match(text.as_bytes()));
        assert!(!regex.is_match("axb*[é]$\u{0}".as_bytes()));
    }
}
