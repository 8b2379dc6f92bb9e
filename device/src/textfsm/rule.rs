//! A rule: an expression for a line, and what follows when it matches.

use std::collections::BTreeMap;

use super::regex;

/// What becomes of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LineOp {
    #[default]
    Next,
    Continue,
    Error,
}

/// What becomes of the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum RecordOp {
    #[default]
    NoRecord,
    Record,
    Clear,
    Clearall,
}

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// The line it stands at.
    pub(super) line: usize,
    pub(super) regex: fancy_regex::Regex,
    pub(super) line_op: LineOp,
    pub(super) record_op: RecordOp,
    /// A state, or the words of an error.
    pub(super) then: Option<String>,
}

impl LineOp {
    pub(super) fn parse(word: &str) -> Option<Self> {
        [("Next", Self::Next), ("Continue", Self::Continue), ("Error", Self::Error)]
            .into_iter()
            .find_map(|(name, op)| (name == word).then_some(op))
    }
}

impl RecordOp {
    pub(super) fn parse(word: &str) -> Option<Self> {
        [
            ("Clear", Self::Clear),
            ("Clearall", Self::Clearall),
            ("Record", Self::Record),
            ("NoRecord", Self::NoRecord),
        ]
        .into_iter()
        .find_map(|(name, op)| (name == word).then_some(op))
    }
}

impl Rule {
    /// Reads a rule from its line; `values` are the expressions of the template's values.
    pub(super) fn parse(text: &str, line: usize, values: &BTreeMap<String, String>) -> Result<Self, String> {
        let text = text.trim();
        let (pattern, action) = split_action(text);
        let regex = regex::compile(&substitute(pattern, values)?)
            .map_err(|why| format!("`{pattern}` is no regular expression: {why}"))?;
        let action = match action {
            None => Action::default(),
            Some(action) => Action::parse(action).ok_or_else(|| {
                format!("`{action}` is no action: write -> Line.Record State, such as -> Continue.Record")
            })?,
        };
        let Action { line_op, record_op, then } = action;
        if line_op == LineOp::Continue && then.is_some() {
            return Err(format!(
                "`{text}`: Continue leads to no other state, or the template might never end"
            ));
        }
        if line_op != LineOp::Error && then.as_ref().is_some_and(|then| then.starts_with('"')) {
            return Err(format!("`{text}`: only Error has words; a state is letters, digits and _"));
        }
        Ok(Self { line, regex, line_op, record_op, then })
    }
}

/// The last ` ->` parts an expression from its action.
fn split_action(text: &str) -> (&str, Option<&str>) {
    let arrow = text.rmatch_indices("->").find(|(at, _)| {
        text.get(..*at).and_then(|before| before.chars().next_back()).is_some_and(char::is_whitespace)
    });
    let Some((at, arrow)) = arrow else { return (text, None) };
    let pattern = text.get(..at).unwrap_or_default();
    let mut letters = pattern.chars();
    letters.next_back();
    (letters.as_str(), text.get(at.saturating_add(arrow.len())..))
}

/// Fills `${name}` and `$name` in; `$$` is a plain `$`.
fn substitute(pattern: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    if values.is_empty() {
        // Then nothing is filled in, and a `$` stands for itself.
        return Ok(pattern.to_owned());
    }
    let mut filled = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            filled.push('$');
            rest = after;
            continue;
        }
        let (name, after) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').unwrap_or(("", after)),
            None => after.split_at_checked(name_length(after)).unwrap_or(("", after)),
        };
        if name.is_empty() || name_length(name) != name.len() {
            return Err(format!(
                "`{pattern}`: a `$` stands before no name; the end of the line is written `$$`"
            ));
        }
        let value = values.get(name).ok_or_else(|| {
            format!("`{pattern}`: there is no value `{name}`; add `Value {name} (…)` at the top")
        })?;
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn name_length(text: &str) -> usize {
    let is_name = |(at, byte): &(usize, u8)| {
        byte.is_ascii_alphabetic() || *byte == b'_' || (*at > 0 && byte.is_ascii_digit())
    };
    text.bytes().enumerate().take_while(is_name).count()
}

#[derive(Default)]
struct Action {
    line_op: LineOp,
    record_op: RecordOp,
    then: Option<String>,
}

impl Action {
    /// `-> Line.Record State`, each part of which may be left out.
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let words = text.strip_prefix(char::is_whitespace)?.trim_start();
        let (first, rest) =
            words.split_once(char::is_whitespace).map_or((words, ""), |(a, b)| (a, b.trim_start()));
        if let Some((line_op, record_op)) = operators(first) {
            let then = if rest.is_empty() { None } else { Some(new_state(rest)?) };
            return Some(Self { line_op, record_op, then });
        }
        Some(Self { then: Some(new_state(words)?), ..Self::default() })
    }
}

fn operators(word: &str) -> Option<(LineOp, RecordOp)> {
    if let Some((line, record)) = word.split_once('.') {
        return Some((LineOp::parse(line)?, RecordOp::parse(record)?));
    }
    let line = LineOp::parse(word).map(|line| (line, RecordOp::default()));
    line.or_else(|| RecordOp::parse(word).map(|record| (LineOp::default(), record)))
}

/// A name, or anything in quotes.
fn new_state(text: &str) -> Option<String> {
    let named = !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let quoted = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    (named || quoted).then(|| text.to_owned())
}
