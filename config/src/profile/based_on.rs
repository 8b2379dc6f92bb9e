//! Profiles that are written as another one with some of it otherwise.
//!
//! `based_on = "ios"` takes all of that profile; tables are merged, everything else is replaced, and `more_` before the name of a list adds
//! to it: `more_errors`, `more_questions`. A profile that is itself based on another is no base: what counts would stand in three files.

use std::collections::BTreeMap;

use jackfield_protocol::error::FileProblem;
use serde_json::{Map, Value};

use super::{Profile, read_profile, shipped};
use crate::{problem::suggest, toml_table};

/// What goes before the name of a list whose items are added to those that it has.
const MORE: &str = "more_";
/// Those lists.
const LISTS: [&str; 9] = [
    "setup",
    "errors",
    "unasked",
    "log_commands",
    "plain_commands",
    "redrawn",
    "questions",
    "levels",
    "goes_on",
];

/// A profile that was read, with the text that it stands for: its own over that of its base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadProfile {
    /// Where it was written.
    pub file: String,
    /// What it stands for, in TOML.
    pub text: String,
    /// It.
    pub profile: Profile,
}

/// Reads profiles, each of which may be based on another of them or on one below them: of `below`, by name, the whole text.
///
/// Of two with the same name the later counts; one with the name of its base is based on the one below.
pub fn read_profiles<F: AsRef<str>, T: AsRef<str>>(
    files: &[(F, T)],
    below: &BTreeMap<String, String>,
) -> (Vec<ReadProfile>, Vec<FileProblem>) {
    let files: Vec<Written> =
        files.iter().map(|(file, text)| Written::new(file.as_ref(), text.as_ref())).collect();
    let (mut profiles, mut problems) = (Vec::new(), Vec::new());
    for written in &files {
        match written.read(&files, below) {
            Ok(profile) => profiles.push(profile),
            Err(more) => problems.extend(more),
        }
    }
    (profiles, problems)
}

/// The name that a profile gives itself, whatever else is wrong with it.
pub fn name_in(text: &str) -> Option<String> {
    Written::new("", text).name
}

impl Profile {
    /// Reads a profile; one that it is based on is one of those that are shipped.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<FileProblem>> {
        let written = Written::new(file, text);
        let below = if written.base.is_some() { shipped::texts() } else { BTreeMap::new() };
        written.read(&[], &below).map(|read| read.profile)
    }

    /// Reads a profile with some of its keys written anew, as a resource may: tables are merged, everything else is replaced.
    ///
    /// # Errors
    /// Every problem of the two together; places are those of the merged text.
    pub fn parse_with(file: &str, text: &str, anew: &Map<String, Value>) -> Result<Self, Vec<FileProblem>> {
        // A text that is no TOML has its problems told by the reader itself.
        let Ok(mut table) = text.parse::<toml::Table>() else { return Self::parse(file, text) };
        for (key, value) in anew {
            let Ok(value) = toml::Value::try_from(value) else { continue };
            merge(&mut table, key, value);
        }
        Self::parse(file, &table.to_string())
    }
}

/// A file before its base was looked for.
struct Written {
    file: String,
    text: String,
    /// None where the text is no TOML.
    table: Option<toml::Table>,
    name: Option<String>,
    base: Option<String>,
}

/// What is wrong with a base.
struct NoBase {
    message: String,
    help: String,
}

impl Written {
    fn new(file: &str, text: &str) -> Self {
        let table = text.parse::<toml::Table>().ok();
        let word = |key: &str| table.as_ref()?.get(key)?.as_str().map(str::to_owned);
        let (name, base) = (word("name"), word("based_on"));
        Self { file: file.to_owned(), text: text.to_owned(), table, name, base }
    }

    fn read(
        &self,
        files: &[Self],
        below: &BTreeMap<String, String>,
    ) -> Result<ReadProfile, Vec<FileProblem>> {
        let (Some(table), Some(base)) = (&self.table, &self.base) else {
            let profile = self.alone(None)?;
            return Ok(ReadProfile { file: self.file.clone(), text: self.text.clone(), profile });
        };
        let text = match self.base_text(base, files, below) {
            Ok(text) => text,
            Err(no_base) => {
                let mut problems = self.alone(Some(&no_base)).err().unwrap_or_default();
                // What is missing here may stand in the base.
                problems.retain(|problem| problem.message == no_base.message);
                return Err(problems);
            }
        };
        let mut whole = text.parse::<toml::Table>().unwrap_or_default();
        for (key, value) in table.iter().filter(|(key, _)| *key != "based_on") {
            merge(&mut whole, key, value.clone());
        }
        let text = whole.to_string();
        match toml_table::read_document(&self.file, &text, |fields| read_profile(fields, None)) {
            Ok(profile) => Ok(ReadProfile { file: self.file.clone(), text, profile }),
            Err(of_whole) => Err(self.placed(of_whole, base)),
        }
    }

    fn alone(&self, no_base: Option<&NoBase>) -> Result<Profile, Vec<FileProblem>> {
        let told = no_base.map(|no_base| (no_base.message.as_str(), no_base.help.as_str()));
        toml_table::read_document(&self.file, &self.text, |fields| read_profile(fields, told))
    }

    /// Problems of the merged text with their places in the file, or that of `based_on` where it is the two together that do not fit.
    fn placed(&self, of_whole: Vec<FileProblem>, base: &str) -> Vec<FileProblem> {
        let own = self.alone(None).err().unwrap_or_default();
        let together = NoBase { message: "-".to_owned(), help: String::new() };
        let of_base = self.alone(Some(&together)).err().unwrap_or_default();
        let (line, column) = of_base
            .iter()
            .find(|problem| problem.message == together.message)
            .map_or((0, 0), |problem| (problem.line, problem.column));
        of_whole
            .into_iter()
            .map(|problem| {
                let same = own.iter().find(|own| own.message == problem.message);
                same.cloned().unwrap_or_else(|| FileProblem {
                    line,
                    column,
                    message: format!("with what `{base}` has: {}", problem.message),
                    ..problem
                })
            })
            .collect()
    }

    fn base_text(
        &self,
        base: &str,
        files: &[Self],
        below: &BTreeMap<String, String>,
    ) -> Result<String, NoBase> {
        let is_itself = self.name.as_deref() == Some(base);
        let beside = files.iter().rev().find(|file| file.name.as_deref() == Some(base) && !is_itself);
        match (beside, below.get(base)) {
            (Some(beside), _) => match &beside.base {
                None => Ok(beside.text.clone()),
                Some(next) => Err(chain(self.name.as_deref(), base, next, &beside.file)),
            },
            (None, Some(text)) => Ok(text.clone()),
            (None, None) if is_itself => Err(NoBase {
                message: format!("the profile `{base}` is based on itself"),
                help: "name another one, or give this one a name of its own".to_owned(),
            }),
            (None, None) => {
                let names = files.iter().filter_map(|file| file.name.as_deref());
                let names = names.filter(|name| Some(*name) != self.name.as_deref());
                let help = suggest(base, names.chain(below.keys().map(String::as_str)));
                Err(NoBase { message: format!("`based_on`: there is no profile `{base}`"), help })
            }
        }
    }
}

fn chain(name: Option<&str>, base: &str, next: &str, file: &str) -> NoBase {
    let message = format!("`based_on`: `{base}` is itself based on `{next}` ({file})");
    let help = if name == Some(next) {
        "let one of the two stand alone".to_owned()
    } else {
        format!(
            "base this one on `{next}` and write here what `{base}` has otherwise, or let `{base}` stand alone"
        )
    };
    NoBase { message, help }
}

/// Puts a key over those that are there.
fn merge(table: &mut toml::Table, key: &str, value: toml::Value) {
    match (added_to(key), value) {
        (Some(list), toml::Value::Array(more)) => {
            let old = match table.remove(list) {
                Some(toml::Value::Array(old)) => old,
                // A single table stands for a list of one.
                Some(one) => vec![one],
                None => Vec::new(),
            };
            // The first question that fits is answered: those that were written last come first.
            let joined = if list == "questions" { [more, old] } else { [old, more] };
            table.insert(list.to_owned(), toml::Value::Array(joined.concat()));
        }
        (_, toml::Value::Table(new)) => {
            let old = table.entry(key).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(old) = old {
                new.into_iter().for_each(|(key, value)| merge(old, &key, value));
            } else {
                *old = toml::Value::Table(new);
            }
        }
        (_, value) => drop(table.insert(key.to_owned(), value)),
    }
}

/// The list that a key adds to.
fn added_to(key: &str) -> Option<&str> {
    key.strip_prefix(MORE).filter(|list| LISTS.contains(list))
}

#[cfg(test)]
mod tests;
