//! TextFSM: tables from the text of a command, by templates as people have them.
//!
//! The language is Google's: `Value` lines with options, states with rules, and what a rule does to the line and the record. A template
//! that Google's interpreter takes gives the same table here, and one that it refuses is refused. Regular expressions are Python's.
//!
//! - [`template`] reads a template, [`rule`] one of its rules, [`regex`] makes our regular expressions of Python's;
//! - [`run`] goes over a text;
//! - [`join`] puts the tables of several templates together;
//! - [`library`] is what a lab has of them, by name and by command, and behind them those that are `shipped`.

mod join;
mod library;
mod regex;
mod rule;
mod run;
mod shipped;
mod template;

use serde_json::{Map, Value};

pub use library::{INDEX, LibraryError, Templates};
pub use template::Template;

/// What a template made of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The names of the columns.
    pub header: Vec<String>,
    /// Texts; lists for the values that are lists.
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// Each row as an object, its values under their names.
    pub fn objects(&self) -> Vec<Map<String, Value>> {
        let object = |row: &Vec<Value>| self.header.iter().cloned().zip(row.iter().cloned()).collect();
        self.rows.iter().map(object).collect()
    }
}

/// A template that cannot be used, or a text that it refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextFsmError {
    /// The template is wrong.
    #[error("the template is wrong{}: {why}", place(*line))]
    Template {
        /// Where; 0 for the template as a whole.
        line: usize,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// A rule with `Error` has matched.
    #[error(
        "the template refuses line {line} of the output: {message} (`{text}`, by the rule at line {rule})"
    )]
    Refused {
        /// The line of the text.
        line: usize,
        /// The line of the rule.
        rule: usize,
        /// The rule's words.
        message: String,
        /// What was refused.
        text: String,
    },
    /// A regular expression goes astray on a line.
    #[error(
        "the rule at line {rule} of the template cannot be matched with line {line} of the output: {why}"
    )]
    Astray {
        /// The line of the text.
        line: usize,
        /// The line of the rule.
        rule: usize,
        /// Why.
        why: String,
    },
}

fn place(line: usize) -> String {
    if line == 0 { String::new() } else { format!(" at line {line}") }
}

/// Makes a table of a text.
///
/// # Errors
/// The template is wrong, or refuses the text.
pub fn parse(template: &str, text: &str) -> Result<Table, TextFsmError> {
    Template::parse(template)?.run(text)
}

#[cfg(test)]
mod tests;
