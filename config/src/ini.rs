//! INI files as Twister's: `key = value`, `[section]`, `[[section in it]]`, comments with `#` or `;`, values perhaps in quotes.

use std::sync::Arc;

use jackfield_protocol::error::FileProblem;

use crate::{
    limits::INI_LINES_MAX,
    problem::{Problems, suggest},
    source::{At, Source, Span},
};

/// A text with its place.
pub type Text = At<Arc<str>>;

/// A file, or one of its sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Its name; empty for what stands before the first section.
    pub name: At<Arc<str>>,
    /// Keys and values in order.
    pub values: Vec<(Text, Text)>,
    /// The sections in it, in order.
    pub sections: Vec<Section>,
}

impl Section {
    /// The value of a key; the last one where it is given again.
    pub fn get(&self, key: &str) -> Option<&At<Arc<str>>> {
        self.values.iter().rev().find(|(name, _)| name.value.as_ref() == key).map(|(_, value)| value)
    }

    /// A value that is not empty.
    pub fn filled(&self, key: &str) -> Option<&At<Arc<str>>> {
        self.get(key).filter(|value| !value.value.is_empty())
    }

    /// A section in this one.
    pub fn section(&self, name: &str) -> Option<&Self> {
        self.sections.iter().find(|section| section.name.value.as_ref() == name)
    }

    /// A comma list.
    pub fn list(&self, key: &str) -> Vec<At<Arc<str>>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let start = value.span.range().start;
        let parts = crate::value::list_parts(&value.value, ',').map(|(offset, part)| {
            let from = start.saturating_add(offset);
            At::new(Arc::from(part), Span::new(from, from.saturating_add(part.len())))
        });
        parts.collect()
    }

    /// Warns about keys that are not among the known ones.
    pub(crate) fn warn_unknown(&self, known: &[&str], problems: &mut Problems) {
        for (key, _) in self.values.iter().filter(|(key, _)| !known.contains(&key.value.as_ref())) {
            let message = format!("unknown key `{}`", key.value);
            problems.warn(key.span, message, suggest(&key.value, known.iter().copied()));
        }
    }
}

/// Reads a file. What cannot be understood is a problem; the rest is read all the same.
pub(crate) fn parse(source: &Arc<Source>, problems: &mut Problems) -> Section {
    let mut top = Section::default();
    // The section at each depth that is open now, from the outermost.
    let mut depth = 0_usize;
    let mut at = 0_usize;
    for (number, raw) in source.text().split_inclusive('\n').enumerate() {
        if number >= INI_LINES_MAX {
            let message = format!("the file has more than {INI_LINES_MAX} lines");
            problems.error(Span::new(at, at), message, "is this another kind of file?");
            break;
        }
        let start = at;
        at = at.saturating_add(raw.len());
        let line = raw.trim_start_matches('\u{feff}');
        let lead = raw.len().saturating_sub(line.trim_start().len());
        let line = line.trim();
        let begin = start.saturating_add(lead);
        let span = Span::new(begin, begin.saturating_add(line.len()));
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') {
            match header(line) {
                Some((level, name)) if level <= depth.saturating_add(1) => {
                    let section = Section { name: At::new(name.into(), span), ..Section::default() };
                    let parent = open(&mut top, level.saturating_sub(1));
                    if parent.section(name).is_some() {
                        problems.error(span, format!("section `{name}` is there twice"), "join the two");
                    }
                    parent.sections.push(section);
                    depth = level;
                }
                Some((_, name)) => {
                    let message = format!("section `{name}` is nested deeper than the one before it allows");
                    problems.error(span, message, "use one more bracket than the section around it has");
                }
                None => problems.error(span, format!("`{line}` is no section"), "write [name]"),
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|(key, _)| !key.trim().is_empty()) else {
            problems.error(
                span,
                format!("`{line}` is neither `key = value` nor [section]"),
                "begin comments with #",
            );
            continue;
        };
        let value_at = begin.saturating_add(key.len()).saturating_add(1);
        let value = plain_value(value, value_at, problems);
        let key = key.trim();
        let section = open(&mut top, depth);
        if section.get(key).is_some() {
            problems.warn(span, format!("`{key}` is given twice; the last one counts"), "remove one");
        }
        let key = At::new(Arc::from(key), Span::new(begin, begin.saturating_add(key.len())));
        section.values.push((key, value));
    }
    top
}

/// `[[name]]` is (2, name).
fn header(line: &str) -> Option<(usize, &str)> {
    let line = line.split(['#', ';']).next().unwrap_or(line).trim_end();
    let level = line.len().saturating_sub(line.trim_start_matches('[').len());
    let name = line.trim_start_matches('[').trim_end_matches(']');
    let closed = line.len().saturating_sub(line.trim_end_matches(']').len());
    let name = name.trim().trim_matches(['"', '\'']);
    (level == closed && !name.is_empty() && !name.contains(['[', ']'])).then_some((level, name))
}

/// The newest section of a depth; 0 is the file.
fn open(top: &mut Section, depth: usize) -> &mut Section {
    let mut at = top;
    for _ in 0..depth {
        // The last section always exists here: a header of depth n makes those before it.
        if at.sections.is_empty() {
            at.sections.push(Section::default());
        }
        let last = at.sections.len().saturating_sub(1);
        at = at.sections.get_mut(last).expect("there is a last section: one was just made if there was none");
    }
    at
}

/// A value without its quotes, or without the comment behind it.
fn plain_value(raw: &str, at: usize, problems: &mut Problems) -> At<Arc<str>> {
    let lead = raw.len().saturating_sub(raw.trim_start().len());
    let text = raw.trim();
    let begin = at.saturating_add(lead);
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let inner = text.get(1..).and_then(|rest| rest.split_once(quote));
        let behind = inner.map(|(_, behind)| behind.trim_start()).unwrap_or_default();
        match inner {
            Some((inner, _)) if behind.is_empty() || behind.starts_with('#') => {
                let from = begin.saturating_add(1);
                return At::new(inner.into(), Span::new(from, from.saturating_add(inner.len())));
            }
            // A list of quoted values, `"a", "b"`, is taken as it stands.
            Some(_) => {}
            None => {
                let span = Span::new(begin, begin.saturating_add(text.len()));
                problems.error(span, format!("the quote of `{text}` is never closed"), "add it");
            }
        }
    }
    let text = text.split(" #").next().unwrap_or(text).trim_end();
    At::new(text.into(), Span::new(begin, begin.saturating_add(text.len())))
}

/// Reads a file for its own sake.
pub fn read(source: &Arc<Source>) -> (Section, Vec<FileProblem>) {
    let mut problems = Problems::new(source);
    let top = parse(source, &mut problems);
    (top, problems.finish())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> (Section, Vec<FileProblem>) {
        super::read(&Arc::new(Source::new("f.ini", text)))
    }

    #[test]
    fn sections_nest_and_values_keep_their_places() {
        let (top, problems) = read("a = 1\n[s]\n  b\t=\t\"x # y\" # note\n [[t]]\n c = p, q ,r\n[u]\nd =\n");
        assert_eq!(problems, []);
        assert_eq!(top.get("a").unwrap().value.as_ref(), "1");
        let section = top.section("s").unwrap();
        assert_eq!(section.get("b").unwrap().value.as_ref(), "x # y");
        let list = section.section("t").unwrap().list("c");
        let texts: Vec<&str> = list.iter().map(|part| part.value.as_ref()).collect();
        assert_eq!(texts, ["p", "q", "r"]);
        assert_eq!(top.section("u").unwrap().get("d").unwrap().value.as_ref(), "");
        assert!(top.section("u").unwrap().filled("d").is_none());
    }

    #[test]
    fn every_line_that_says_nothing_is_told() {
        let (_, problems) = read("[s\nhello\n= 3\n[[x]]\nk = \"open\nk = 1\n[s]\n[s]\n");
        let text: Vec<_> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(text.join("\n"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[\\[\\]a-c=#\"' \\n]{0,60}") {
            let (_, problems) = read(&text);
            prop_assert!(problems.iter().all(|problem| problem.line > 0));
        }
    }
}
