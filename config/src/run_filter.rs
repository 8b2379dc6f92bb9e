//! Of which runs somebody wants to hear: the same keys in the rules of `mail.toml` and in `webhooks.toml`.

use jackfield_protocol::verdict::Cause;

use crate::toml_table::Table;

/// Which runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// `when`.
    pub when: When,
    /// `projects`: names, with `*` for any letters; none means all.
    pub projects: Vec<String>,
    /// `causes`: only runs with a test that did not pass for one of these; none means all.
    pub causes: Vec<Cause>,
}

/// Of which runs, by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Of all.
    #[default]
    Always,
    /// Of those in which something did not pass.
    Failure,
    /// Of those in which something is broken or mended that was not before.
    Change,
}

const WHENS: [(&str, When); 3] =
    [("always", When::Always), ("failure", When::Failure), ("change", When::Change)];

const CAUSES: [Cause; 6] =
    [Cause::Product, Cause::Test, Cause::Lab, Cause::Time, Cause::Person, Cause::Unfinished];

impl RunFilter {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        Self {
            when: table.choice("when", &WHENS).unwrap_or_default(),
            projects: table.texts("projects"),
            causes: table.texts("causes").iter().filter_map(|word| cause(table, word)).collect(),
        }
    }

    /// Whether a project is one of those.
    pub fn is_of_project(&self, name: &str) -> bool {
        // A project is known by its name, and often written as its file.
        let plain = |text: &str| text.strip_suffix(".xml").unwrap_or(text).to_owned();
        let name = plain(name);
        self.projects.is_empty() || self.projects.iter().any(|pattern| fits(&plain(pattern), &name))
    }

    /// In words, for a list.
    pub fn told(&self) -> String {
        let Self { when, projects, causes } = self;
        let when = WHENS.iter().find(|(_, known)| known == when).map_or("", |(word, _)| word);
        let mut parts = vec![when.to_owned()];
        if !projects.is_empty() {
            parts.push(format!("projects {}", projects.join(", ")));
        }
        if !causes.is_empty() {
            let words: Vec<&str> = causes.iter().map(|cause| cause.as_str()).collect();
            parts.push(format!("causes {}", words.join(", ")));
        }
        parts.join("; ")
    }
}

fn cause(table: &Table<'_>, word: &str) -> Option<Cause> {
    let known = CAUSES.into_iter().find(|cause| cause.as_str() == word);
    if known.is_none() {
        let words: Vec<&str> = CAUSES.iter().map(|cause| cause.as_str()).collect();
        table.error_at("causes", format!("`{word}` is no cause"), format!("there are {}", words.join(", ")));
    }
    known
}

/// Whether a name is one of a pattern's, in which `*` stands for any letters.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(end) = parts.next_back() else { return rest.is_empty() };
    let mut rest = rest;
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_meant_by_its_name_or_its_file() {
        let filter = |pattern: &str| RunFilter { projects: vec![pattern.to_owned()], ..RunFilter::default() };
        for (pattern, does) in [("night.xml", true), ("night", true), ("n*.xml", true), ("day.xml", false)] {
            assert_eq!(filter(pattern).is_of_project("night"), does, "{pattern}");
            assert_eq!(filter(pattern).is_of_project("night.xml"), does, "{pattern}");
        }
    }

    #[test]
    fn stars_stand_for_any_letters() {
        for (pattern, name, does) in [
            ("night", "night", true),
            ("night", "nightly", false),
            ("night*", "nightly", true),
            ("*ly", "nightly", true),
            ("n*t*y", "nightly", true),
            ("n*z*y", "nightly", false),
            ("*", "", true),
            ("aa*aa", "aaa", false),
        ] {
            assert_eq!(fits(pattern, name), does, "{pattern} {name}");
        }
    }
}
