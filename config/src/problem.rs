//! Problems of a file, collected: a person sees all of them at once, each with its place and what to do.

use std::sync::Arc;

use jackfield_protocol::error::{FileProblem, Severity};

use crate::{
    limits::PROBLEMS_MAX,
    source::{Source, Span},
};

/// What reading a file led to.
#[derive(Clone, Debug, PartialEq)]
pub struct Read<T> {
    /// What could be understood; with errors among the problems it must not be used, only shown.
    pub value: Option<T>,
    /// Everything that is wrong, in the order of the file.
    pub problems: Vec<FileProblem>,
}

impl<T> Read<T> {
    /// A file that could not be read at all.
    pub fn failed(problem: FileProblem) -> Self {
        Self { value: None, problems: vec![problem] }
    }

    /// Whether the value may be used.
    pub fn is_usable(&self) -> bool {
        self.value.is_some() && !has_errors(&self.problems)
    }

    /// The value where it may be used, with its warnings.
    ///
    /// # Errors
    /// All problems, where one of them is an error.
    pub fn usable(self) -> Result<(T, Vec<FileProblem>), Vec<FileProblem>> {
        match self.value {
            Some(value) if !has_errors(&self.problems) => Ok((value, self.problems)),
            _ => Err(self.problems),
        }
    }

    /// The same with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Read<U> {
        Read { value: self.value.map(change), problems: self.problems }
    }
}

impl<T> From<Result<T, Vec<FileProblem>>> for Read<T> {
    fn from(read: Result<T, Vec<FileProblem>>) -> Self {
        match read {
            Ok(value) => Self { value: Some(value), problems: Vec::new() },
            Err(problems) => Self { value: None, problems },
        }
    }
}

/// Whether one of the problems is an error.
pub fn has_errors(problems: &[FileProblem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

/// A problem of a file as a whole.
pub(crate) fn whole_file(file: &str, message: impl Into<String>, help: impl Into<String>) -> FileProblem {
    let (severity, message, help) = (Severity::Error, message.into(), help.into());
    FileProblem { severity, file: file.to_owned(), line: 0, column: 0, message, help }
}

/// The problems of one file while it is read.
#[derive(Clone, Debug)]
pub(crate) struct Problems {
    source: Arc<Source>,
    list: Vec<FileProblem>,
    untold: usize,
    untold_errors: bool,
}

impl Problems {
    pub(crate) fn new(source: &Arc<Source>) -> Self {
        Self { source: Arc::clone(source), list: Vec::new(), untold: 0, untold_errors: false }
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Error, span, message.into(), help.into());
    }

    pub(crate) fn warn(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Warning, span, message.into(), help.into());
    }

    /// Whether further problems will only be counted: then nothing need be said about them.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= PROBLEMS_MAX
    }

    fn push(&mut self, severity: Severity, span: Span, message: String, help: String) {
        if self.is_full() {
            self.untold = self.untold.saturating_add(1);
            self.untold_errors |= severity == Severity::Error;
            return;
        }
        let (line, column) = self.source.position(span.start);
        let file = self.source.name().to_owned();
        self.list.push(FileProblem { severity, file, line, column, message, help });
    }

    /// The problems by place, and a last one that counts those beyond the limit.
    pub(crate) fn finish(mut self) -> Vec<FileProblem> {
        self.list.sort_by_key(|problem| (problem.line, problem.column));
        if self.untold > 0 {
            let severity = if self.untold_errors { Severity::Error } else { Severity::Warning };
            let message = format!("{} further problems are not listed", self.untold);
            let help = "mend those above first".to_owned();
            let file = self.source.name().to_owned();
            self.list.push(FileProblem { severity, file, line: 0, column: 0, message, help });
        }
        self.list
    }
}

/// The known name that a person most likely meant: few letters changed, or only their case.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().take(NAME_CHARS_MAX).collect();
    let limit = wanted.len() / 3;
    let near = known.into_iter().filter_map(|candidate| {
        // A name much longer or shorter is not near, and most are.
        if candidate.chars().take(NAME_CHARS_MAX).count().abs_diff(wanted.len()) > limit {
            return None;
        }
        let other: Vec<char> = candidate.to_lowercase().chars().take(NAME_CHARS_MAX).collect();
        let distance = edit_distance(&wanted, &other);
        (distance <= limit && candidate != name).then_some((distance, candidate))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// Names longer than this are compared by their beginning.
const NAME_CHARS_MAX: usize = 64;

/// `did you mean …?`, or the names there are, or nothing.
pub(crate) fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(name, known.clone().into_iter().take(COMPARED_MAX)) {
        return format!("did you mean `{near}`?");
    }
    let names: Vec<&str> = known.into_iter().take(SUGGESTIONS_MAX.saturating_add(1)).collect();
    match names.len() {
        0 => String::new(),
        count if count <= SUGGESTIONS_MAX => format!("known here: {}", names.join(", ")),
        _ => String::new(),
    }
}

/// Each comparison takes its time, and a broken file can ask for hundreds of them.
const COMPARED_MAX: usize = 2000;

/// More names than this help nobody.
const SUGGESTIONS_MAX: usize = 12;

/// Changes of one letter, or of two neighbours, between two words.
fn edit_distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut current = vec![row.saturating_add(1)];
        for (column, other) in to.iter().enumerate() {
            let cell = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX);
            let changed = cell(&above, column).saturating_add(usize::from(letter != other));
            let removed = cell(&above, column.saturating_add(1)).saturating_add(1);
            let added = cell(&current, column).saturating_add(1);
            let mut best = changed.min(removed).min(added);
            let swapped = row.checked_sub(1).and_then(|r| from.get(r)) == Some(other)
                && column.checked_sub(1).and_then(|c| to.get(c)) == Some(letter);
            if swapped && row > 0 && column > 0 {
                best = best.min(cell(&before, column.saturating_sub(1)).saturating_add(1));
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let known = ["Repeat", "TestSuite", "TestCase", "tsName", "ID"];
        for (given, expect) in [
            ("Repaet", Some("Repeat")),
            ("testsuite", Some("TestSuite")),
            ("TestCsae", Some("TestCase")),
            ("name", None),
            ("Frobnicate", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), expect, "{given}");
        }
    }

    #[test]
    fn problems_beyond_the_limit_are_counted() {
        let source = Arc::new(Source::new("f.xml", "x"));
        let mut problems = Problems::new(&source);
        for _ in 0..PROBLEMS_MAX.saturating_add(7) {
            problems.error(Span::default(), "bad", "mend it");
        }
        let list = problems.finish();
        assert_eq!(list.len(), PROBLEMS_MAX + 1);
        assert_eq!(list.last().unwrap().message, "7 further problems are not listed");
        assert!(has_errors(&list));
    }
}
