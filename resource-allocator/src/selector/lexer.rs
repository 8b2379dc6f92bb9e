//! From text to words and signs, each with its place.

use std::{fmt, sync::Arc};

use jackfield_protocol::error::ErrorCode;

/// Bytes of a selector, or of all that somebody needs.
const TEXT_MAX: usize = 4_096;
/// Letters around a mistake that are shown.
const SHOWN_MAX: usize = 24;

/// Where a text is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at character {at}{near}; {help}")]
pub struct SyntaxError {
    /// The character, the first being 1.
    pub at: usize,
    /// What is wrong, as a fragment.
    pub problem: String,
    /// What to write instead.
    pub help: String,
    near: String,
}

impl SyntaxError {
    /// The word scripts compare.
    pub fn code(&self) -> ErrorCode {
        ErrorCode::BadRequest
    }
}

/// A word or sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Word(Arc<str>),
    Quoted(Arc<str>),
    Sign(&'static str),
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{}`", cut(word)),
            Self::Quoted(text) => write!(f, "\"{}\"", cut(text)),
            Self::Sign(sign) => write!(f, "`{sign}`"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// The longest first: `>=` is not `>` and `=`.
const SIGNS: [&str; 15] = ["!=", "<=", ">=", "==", "!", "=", "<", ">", "~", ",", "|", "(", ")", ";", ":"];

/// Reads one token after the other.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token)>,
    next: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Result<Self, SyntaxError> {
        let mut lexer = Self { text, tokens: Vec::new(), next: 0 };
        if text.len() > TEXT_MAX {
            let problem = format!("the text has {} bytes, and more than {TEXT_MAX} are not read", text.len());
            return Err(lexer.wrong_at(0, problem, "say it in fewer words"));
        }
        let mut at = 0;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let blank = rest.len().saturating_sub(rest.trim_start().len());
            at = at.saturating_add(blank);
            let (token, length) = lexer.token(at, rest.trim_start())?;
            let is_last = token == Token::End;
            lexer.tokens.push((at, token));
            if is_last {
                return Ok(lexer);
            }
            at = at.saturating_add(length);
        }
    }

    /// The token that a text begins with, and its length.
    fn token(&self, at: usize, text: &str) -> Result<(Token, usize), SyntaxError> {
        let Some(first) = text.chars().next() else { return Ok((Token::End, 0)) };
        if first == '"' || first == '\'' {
            return self.quoted(at, text, first);
        }
        // A colon begins the name of a property, stands behind a name, and is a letter inside of an address.
        if let Some(sign) = SIGNS.iter().find(|sign| text.starts_with(**sign)) {
            return Ok((Token::Sign(sign), sign.len()));
        }
        let length = text.find(|letter| !is_letter(letter)).unwrap_or(text.len());
        let word = text.get(..length).unwrap_or_default();
        // `dut: kind=router` names something; `10.0.0.1:22` does not.
        let word = word.strip_suffix(':').unwrap_or(word);
        if word.is_empty() {
            let problem = format!("`{}` means nothing here", first.escape_default());
            return Err(self.wrong_at(at, problem, "put a value with such letters into quotes: \"a b\""));
        }
        Ok((Token::Word(word.into()), word.len()))
    }

    fn quoted(&self, at: usize, text: &str, quote: char) -> Result<(Token, usize), SyntaxError> {
        let mut value = String::new();
        let mut letters = text.char_indices().skip(1);
        while let Some((place, letter)) = letters.next() {
            match letter {
                '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
                _ if letter == quote => {
                    return Ok((Token::Quoted(value.into()), place.saturating_add(quote.len_utf8())));
                }
                _ => value.push(letter),
            }
        }
        Err(self.wrong_at(at, "a quote that is not closed", &format!("close it with {quote}")))
    }

    pub(crate) fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(_, token)| token)
    }

    /// The token after the next.
    pub(crate) fn peek_second(&self) -> &Token {
        self.tokens.get(self.next.saturating_add(1)).map_or(&Token::End, |(_, token)| token)
    }

    pub(crate) fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next = self.next.saturating_add(1);
        token
    }

    /// Takes the next token if it is this sign.
    pub(crate) fn takes(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Token::Sign(found) if *found == sign);
        if is {
            self.next = self.next.saturating_add(1);
        }
        is
    }

    /// Takes the next token if it is this word.
    pub(crate) fn takes_word(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), Token::Word(found) if &**found == word);
        if is {
            self.next = self.next.saturating_add(1);
        }
        is
    }

    /// The next token is wrong.
    pub(crate) fn wrong(&self, problem: impl Into<String>, help: &str) -> SyntaxError {
        let at = self.tokens.get(self.next).map_or(self.text.len(), |(at, _)| *at);
        self.wrong_at(at, problem, help)
    }

    /// The token that was taken last is wrong.
    pub(crate) fn wrong_before(&self, problem: impl Into<String>, help: &str) -> SyntaxError {
        let at = self.tokens.get(self.next.saturating_sub(1)).map_or(0, |(at, _)| *at);
        self.wrong_at(at, problem, help)
    }

    fn wrong_at(&self, at: usize, problem: impl Into<String>, help: &str) -> SyntaxError {
        let before = self.text.get(..at).unwrap_or_default();
        let letters = before.chars().count();
        let shown = cut(self.text.get(at..).unwrap_or_default());
        let near = if shown.is_empty() { String::new() } else { format!(" (`{shown}`)") };
        SyntaxError { at: letters.saturating_add(1), problem: problem.into(), help: help.to_owned(), near }
    }
}

fn cut(text: &str) -> String {
    let mut letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let shown: String = letters.by_ref().take(SHOWN_MAX).collect();
    if letters.next().is_some() { format!("{shown}…") } else { shown }
}

/// What a word is made of.
fn is_letter(letter: char) -> bool {
    letter.is_alphanumeric() || "_-./+*?@:%#×".contains(letter)
}

/// Writes a word so that it is read as the same word.
pub(crate) fn write_word(f: &mut fmt::Formatter<'_>, word: &str, quoted: bool) -> fmt::Result {
    let is_plain = !word.is_empty() && !word.starts_with(':') && !word.ends_with(':');
    if !quoted && is_plain && word.chars().all(is_letter) {
        return f.write_str(word);
    }
    f.write_str("\"")?;
    for letter in word.chars() {
        if letter == '"' || letter == '\\' {
            f.write_str("\\")?;
        }
        write!(f, "{letter}")?;
    }
    f.write_str("\"")
}
