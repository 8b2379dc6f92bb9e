//! What stands on a screen, and whether something that is looked for is among it.

use avt::Terminal;
use regex_automata::meta::Regex;
use serde::Serialize;

use jackfield_config::steps::Awaited;

use crate::{channel::Window, expect::PatternError};

/// A screen as it was at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct View {
    /// Its lines from the top, without the spaces at their ends.
    pub lines: Vec<String>,
    /// Where the cursor is.
    pub cursor: Cursor,
    /// Its size.
    pub rows: u16,
    /// Its size.
    pub columns: u16,
    /// What stands in reverse: the chosen line of a menu, a status line.
    pub highlighted: Vec<Highlight>,
}

/// The place of the cursor, counted from 0 as lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cursor {
    /// Its line.
    pub row: usize,
    /// Its place in the line.
    pub column: usize,
    /// Whether it is shown.
    pub visible: bool,
}

/// A piece of a line that stands in reverse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Highlight {
    /// Its line.
    pub row: usize,
    /// Where it begins.
    pub column: usize,
    /// What it says, without the spaces around.
    pub text: String,
}

impl View {
    pub(super) fn of(terminal: &Terminal, window: Window) -> Self {
        let (mut lines, mut highlighted) = (Vec::new(), Vec::new());
        for (row, line) in terminal.screen().visible_lines().enumerate() {
            lines.push(line.text().trim_end().to_owned());
            let mut column = 0_usize;
            for piece in line.chunks(|a, b| a.pen().is_inverse() != b.pen().is_inverse()) {
                let text: String =
                    piece.iter().filter(|cell| cell.width() > 0).map(avt::Cell::char).collect();
                if piece.first().is_some_and(|cell| cell.pen().is_inverse()) && !text.trim().is_empty() {
                    highlighted.push(Highlight { row, column, text: text.trim().to_owned() });
                }
                column = column.saturating_add(piece.len());
            }
        }
        let (at, last) = (terminal.cursor(), usize::from(window.columns).saturating_sub(1));
        // A cursor that waits behind the last column is shown on it.
        let cursor = Cursor { row: at.row, column: at.col.min(last), visible: at.visible };
        Self { lines, cursor, rows: window.rows, columns: window.columns, highlighted }
    }

    /// Its lines as one text, those that are empty at its end left out.
    pub fn text(&self) -> String {
        let mut text = self.lines.join("\n");
        text.truncate(text.trim_end_matches('\n').len());
        text
    }
}

/// What is looked for on a screen: texts, and regular expressions in which `^` and `$` are the ends of a line.
#[derive(Debug)]
pub struct Sought {
    any: Vec<Regex>,
    told: String,
}

/// What was found on a screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// The place of what was found in the list of what was sought.
    pub index: usize,
    /// Itself.
    pub text: String,
    /// The groups of its pattern, the whole match not counted.
    pub groups: Vec<Option<String>>,
    /// Those that have a name and took part.
    pub named: Vec<(String, String)>,
    /// The screen that it stands on.
    pub view: View,
}

impl Sought {
    /// Compiles a list.
    ///
    /// # Errors
    /// It is empty, or has something that is no regular expression, or that no screen can show.
    pub fn new(awaited: &[Awaited]) -> Result<Self, PatternError> {
        let (mut any, mut shown) = (Vec::new(), Vec::new());
        for one in awaited {
            let (pattern, source) = match one {
                Awaited::Pattern(pattern) => (pattern, format!("(?m:{pattern})")),
                Awaited::Exact(text) => (text, escape(text)),
                Awaited::End | Awaited::Timeout => return Err(PatternError::NotOnScreen),
            };
            let regex = Regex::new(&source);
            any.push(regex.map_err(|error| {
                PatternError::Screen {
                    pattern: pattern.clone(),
                    why: error
                        .syntax_error()
                        .map_or_else(|| error.to_string(), |error| last_line(&error.to_string())),
                }
            })?);
            shown.push(pattern.as_str());
        }
        if any.is_empty() {
            return Err(PatternError::Empty);
        }
        Ok(Self { any, told: format!("`{}`", shown.join("` or `")) })
    }

    /// It for a message.
    pub fn told(&self) -> &str {
        &self.told
    }

    /// Whether any of it stands on a screen; the first of the list that does.
    pub fn find(&self, view: &View) -> Option<Sight> {
        let text = view.text();
        self.any.iter().enumerate().find_map(|(index, regex)| {
            let mut captures = regex.create_captures();
            regex.captures(&text, &mut captures);
            let of = |span: regex_automata::Span| text.get(span.range()).unwrap_or_default().to_owned();
            let found = captures.get_match()?;
            let groups: Vec<Option<String>> = captures.iter().skip(1).map(|span| span.map(of)).collect();
            let names = regex.group_info().pattern_names(regex_automata::PatternID::ZERO).skip(1);
            let named =
                names.zip(&groups).filter_map(|(name, group)| Some((name?.to_owned(), group.clone()?)));
            let named = named.collect();
            Some(Sight { index, text: of(found.span()), groups, named, view: view.clone() })
        })
    }
}

/// What a compiler of regular expressions says in the end.
fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// A text as a regular expression that matches itself.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
