//! What is awaited: a list of texts and regular expressions over bytes, compiled once.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_config::steps::Awaited;
use regex_automata::{
    MatchKind,
    hybrid::{
        self,
        dfa::{Cache, DFA},
    },
    meta,
    nfa::thompson,
    util::syntax,
};

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
    /// Nothing to wait for.
    #[error("there is nothing to wait for: give at least one pattern")]
    Empty,
}

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
            match one {
                Awaited::Pattern(text) => {
                    shown.push(text.clone());
                    sources.push(text.clone());
                }
                Awaited::Exact(text) => {
                    shown.push(text.clone());
                    sources.push(literal(text.as_bytes()));
                }
            }
        }
        Self::compile(shown, &sources)
    }

    /// Regular expressions only.
    ///
    /// # Errors
    /// As [`Patterns::new`].
    pub fn regexes<S: AsRef<str>>(patterns: &[S]) -> Result<Self, PatternError> {
        let sources: Vec<String> = patterns.iter().map(|pattern| pattern.as_ref().to_owned()).collect();
        Self::compile(sources.clone(), &sources)
    }

    fn compile(shown: Vec<String>, sources: &[String]) -> Result<Self, PatternError> {
        if sources.is_empty() {
            return Err(PatternError::Empty);
        }
        let mut captures = Vec::new();
        for source in sources {
            captures.push(meta_regex(source)?);
        }
        let forward = automaton(sources, false)?;
        let reverse = automaton(sources, true)?;
        Ok(Self {
            compiled: Arc::new(Compiled { shown, forward, reverse, captures, idle: Mutex::default() }),
            told: None,
        })
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
