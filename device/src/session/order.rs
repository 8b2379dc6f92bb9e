//! A command with what its giver knows of it.

use jackfield_config::steps::secret::has_secret_word;

use super::SessionError;
use crate::{
    expect::{ExpectError, PatternError},
    profile::Asks,
    target::Secret,
};

/// A command, and how it is to be given.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// One line; in configuration it may have more, which are one item.
    pub line: String,
    /// Answers to what it may ask, before those of the profile.
    pub replies: Vec<Reply>,
    /// What looks as if it had come unasked stays in the answer.
    pub keep_unasked: bool,
    /// An answer that the profile calls a refusal is an error, and not given back.
    pub is_checked: bool,
    /// It is not expected to say anything.
    pub(super) is_silent: bool,
    /// It is an item of configuration, which may have several lines.
    pub(super) is_item: bool,
}

/// An answer to a question.
#[derive(Clone, Debug)]
pub struct Reply {
    /// A regular expression for the line that asks.
    pub asks: String,
    /// What is sent.
    pub answer: Secret,
    /// A line end is sent behind it.
    pub enter: bool,
    /// It is not shown in records; nor is one to a question that has a word for a secret in it. It is given once to each question: a device
    /// that asks the same again has refused it.
    pub is_secret: bool,
}

impl Reply {
    /// An answer that may be shown, with a line end.
    pub fn new(asks: impl Into<String>, answer: impl Into<String>) -> Self {
        Self { asks: asks.into(), answer: Secret::new(answer), enter: true, is_secret: false }
    }

    /// What is sent: a line end that its giver has put behind it is the one that ends it.
    pub(super) fn text(&self) -> &str {
        let text = self.answer.expose_for_device();
        if self.enter { text.trim_end_matches(['\r', '\n']) } else { text }
    }

    /// Whether it can be given; the error does not show it.
    fn check(&self) -> Result<(), SessionError> {
        let wrong = |why| Err(SessionError::Answer { asks: self.asks.clone(), why });
        if self.enter && self.text().contains(['\r', '\n']) {
            return wrong("it is more than one line: give an answer to each question");
        }
        if !self.enter && self.text().is_empty() {
            return wrong("it is empty and not ended by enter, so nothing would be sent");
        }
        Ok(())
    }

    /// An answer that is shown as stars.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }
}

impl Order {
    /// A command alone. Line ends behind it are left out.
    pub fn new(line: impl Into<String>) -> Self {
        let mut line = line.into();
        line.truncate(line.trim_end_matches(['\r', '\n']).len());
        Self { line, ..Self::default() }
    }

    /// The same where no answer is expected.
    #[must_use]
    pub(super) fn that_says_nothing(self) -> Self {
        Self { is_silent: true, ..self }
    }

    /// The same with answers to what it may ask.
    #[must_use]
    pub fn with_replies(self, replies: Vec<Reply>) -> Self {
        Self { replies, ..self }
    }

    /// The same where a refusal is an error.
    #[must_use]
    pub fn checked(self) -> Self {
        Self { is_checked: true, ..self }
    }

    /// Whether it can be given.
    pub(super) fn check(&self) -> Result<(), SessionError> {
        if !self.is_item && self.line.contains(['\r', '\n']) {
            return Err(SessionError::SeveralLines { command: self.line.escape_debug().to_string() });
        }
        self.replies.iter().try_for_each(Reply::check)
    }

    /// What it may ask.
    pub(super) fn asked(&self) -> Result<Vec<Asks>, PatternError> {
        self.replies.iter().map(|reply| Asks::in_line(&reply.asks)).collect()
    }

    /// The answer to a question, and whether it is a secret; none where the question is the profile's.
    pub(super) fn reply(&self, place: usize, question: &str) -> Option<(&Reply, bool)> {
        let reply = self.replies.get(place)?;
        Some((reply, reply.is_secret || has_secret_word(question)))
    }

    /// The device asks on and on.
    pub(super) fn refused(&self, question: &str) -> SessionError {
        SessionError::Refused { line: self.line.clone(), answer: format!("it asks again `{question}`") }
    }

    /// What came may not be its answer.
    pub(super) fn uncertain(&self, why: impl Into<String>) -> SessionError {
        SessionError::Uncertain { doing: format!("command `{}`", self.line), why: why.into() }
    }

    /// Why there is no answer to it.
    pub(super) fn failed(&self, source: ExpectError) -> SessionError {
        SessionError::Expect { doing: format!("command `{}`", self.line), source }
    }
}
