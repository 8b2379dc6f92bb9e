//! What waiting led to: a match, or an error that says what was seen instead.

use std::{collections::BTreeMap, io, time::Duration};

use super::matcher::GaveUp;
use crate::limits::{SCREEN_SEEN_BYTES_MAX, SEEN_BYTES_MAX};
use crate::record::redact::Redactor;

/// What was awaited and seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// The place of the pattern in the list.
    pub index: usize,
    /// What came before it.
    pub before: Vec<u8>,
    /// The match itself.
    pub text: Vec<u8>,
    /// Its groups, the whole match not counted.
    pub groups: Vec<Option<Vec<u8>>>,
    /// Its named groups that took part.
    pub named: BTreeMap<String, Vec<u8>>,
    /// So much had come that the beginning of `before` was forgotten.
    pub cut: bool,
}

/// Why nothing was seen.
#[derive(Debug, thiserror::Error)]
pub enum ExpectError {
    /// It did not come in time.
    #[error("timed out after {waited:.1?} waiting for {awaited}; {seen}")]
    Timeout {
        /// What was awaited.
        awaited: String,
        /// How long.
        waited: Duration,
        /// The last lines that came.
        seen: Seen,
    },
    /// The peer ended the dialogue.
    #[error("the device closed the connection after {waited:.1?} waiting for {awaited}; {seen}")]
    Ended {
        /// What was awaited.
        awaited: String,
        /// How long.
        waited: Duration,
        /// The last lines that came.
        seen: Seen,
    },
    /// The connection broke.
    #[error("the connection to the device broke waiting for {awaited}; {seen}")]
    Broken {
        /// What was awaited.
        awaited: String,
        /// The last lines that came.
        seen: Seen,
        /// Why.
        source: io::Error,
    },
    /// The patterns cannot be matched.
    #[error(transparent)]
    Pattern(#[from] GaveUp),
}

impl ExpectError {
    /// The same without secrets in its words.
    pub(crate) fn without(self, secrets: &Redactor) -> Self {
        let clean = |text: String| secrets.text(&text);
        match self {
            Self::Timeout { awaited, waited, seen } => {
                Self::Timeout { awaited: clean(awaited), waited, seen: seen.without(secrets) }
            }
            Self::Ended { awaited, waited, seen } => {
                Self::Ended { awaited: clean(awaited), waited, seen: seen.without(secrets) }
            }
            Self::Broken { awaited, seen, source } => {
                Self::Broken { awaited: clean(awaited), seen: seen.without(secrets), source }
            }
            Self::Pattern(_) => self,
        }
    }
}

/// The last of what was seen, as it is shown in an error, and what the connection itself has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    text: String,
    remark: Option<Box<Remark>>,
}

/// What the connection has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Remark {
    /// Of itself.
    Channel(String),
    /// What was sent has not reached the device.
    Unheard(String),
}

impl Seen {
    /// The end of some bytes.
    pub(super) fn new(bytes: &[u8], remark: Option<String>) -> Self {
        Self {
            text: shown(bytes, SEEN_BYTES_MAX),
            remark: remark.map(|remark| Box::new(Remark::Channel(remark))),
        }
    }

    /// All that stands on a screen.
    pub(super) fn on_screen(text: &str, remark: Option<String>) -> Self {
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        Self {
            text: shown(lines.join("\n").as_bytes(), SCREEN_SEEN_BYTES_MAX),
            remark: remark.map(|remark| Box::new(Remark::Channel(remark))),
        }
    }

    /// The same, where what was sent has not reached the device.
    pub(super) fn with_unheard(self, why: Option<String>) -> Self {
        Self { remark: why.map(|why| Box::new(Remark::Unheard(why))).or(self.remark), text: self.text }
    }

    fn without(self, secrets: &Redactor) -> Self {
        Self { text: secrets.text(&self.text), remark: self.remark }
    }

    /// Whether what was sent has not reached the device: its silence says nothing of it.
    pub fn is_unheard(&self) -> bool {
        matches!(self.remark.as_deref(), Some(Remark::Unheard(_)))
    }

    /// The text alone.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.text.is_empty() {
            f.write_str("nothing was seen")?;
        } else {
            write!(f, "last seen: {}", self.text)?;
        }
        match self.remark.as_deref() {
            Some(Remark::Channel(remark) | Remark::Unheard(remark)) => write!(f, " ({remark})"),
            None => Ok(()),
        }
    }
}

/// The end of some bytes as one line of text that shows what a terminal would not.
fn shown(bytes: &[u8], most: usize) -> String {
    let from = bytes.len().saturating_sub(most);
    let tail = bytes.get(from..).unwrap_or_default();
    let text: String = String::from_utf8_lossy(tail).trim_end_matches('\0').escape_debug().collect();
    let text = text.replace("\\r\\n", "\\n").replace("\\\"", "\"").replace("\\'", "'");
    match (text.is_empty(), from > 0) {
        (true, _) => String::new(),
        (false, true) => format!("…{text}"),
        (false, false) => text,
    }
}
