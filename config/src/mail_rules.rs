//! `mail.toml`: who gets the mail of which run. Without the file everybody in `To` of `email.xml` gets the mail of every run.

use std::sync::Arc;

use jackfield_protocol::verdict::Cause;

use crate::{
    problem::Read,
    source::Source,
    toml_table::{self, Table},
};

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailRules {
    /// Each rule adds people.
    pub rules: Vec<MailRule>,
}

/// `[[rule]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailRule {
    /// `to` and `cc`: addresses.
    pub to: Vec<String>,
    /// `cc`.
    pub cc: Vec<String>,
    /// `when`.
    pub when: When,
    /// `projects`: names, with `*` for any letters; none means all.
    pub projects: Vec<String>,
    /// `causes`: only runs with a test that did not pass for one of these; none means all.
    pub causes: Vec<Cause>,
}

/// Of which runs people want to hear.
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

impl MailRules {
    /// Reads the file.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let (value, problems) = toml_table::read_settings(source, |top| {
            let rules = top.tables("rule", "a rule").iter().map(read_rule).collect();
            Self { rules }
        });
        Read { value, problems }
    }
}

fn read_rule(table: &Table<'_>) -> MailRule {
    let rule = MailRule {
        to: table.texts("to"),
        cc: table.texts("cc"),
        when: table.choice("when", &WHENS).unwrap_or_default(),
        projects: table.texts("projects"),
        causes: table.texts("causes").iter().filter_map(|word| cause(table, word)).collect(),
    };
    for (key, addresses) in [("to", &rule.to), ("cc", &rule.cc)] {
        for address in addresses.iter().filter(|address| !crate::email::is_address(address)) {
            table.error_at(
                key,
                format!("`{address}` is not an address"),
                "write name@host, or Name <name@host>",
            );
        }
    }
    if rule.to.is_empty() && rule.cc.is_empty() {
        table.error("a rule names nobody", "write to = [\"ana@example.com\"]");
    }
    table.finish();
    rule
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
pub fn fits(pattern: &str, name: &str) -> bool {
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

    fn read(text: &str) -> Read<MailRules> {
        MailRules::read(&Arc::new(Source::new("mail.toml", text)))
    }

    #[test]
    fn rules_say_who_wants_what() {
        let read = read(
            "[[rule]]\nto = [\"ana@lab\"]\ncc = [\"Team <team@lab>\"]\nwhen = \"change\"\nprojects = [\"night*\"]\n\
             [[rule]]\nto = [\"lab@lab\"]\ncauses = [\"lab\", \"time\"]\n",
        );
        assert_eq!(read.problems, []);
        let [first, second] = &*read.value.unwrap().rules else { panic!("two rules") };
        assert_eq!((first.when, first.cc.len(), second.when), (When::Change, 1, When::Always));
        assert_eq!(second.causes, [Cause::Lab, Cause::Time]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let told = |text: &str| {
            let problems = read(text).problems;
            problems
                .iter()
                .map(|one| format!("{}: {}; {}", one.line, one.message, one.help))
                .collect::<Vec<_>>()
                .join("\n")
        };
        insta::assert_snapshot!(told(
            "[[rule]]\nto = [\"ana\"]\nwhen = \"allways\"\n\n[[rule]]\ncauses = [\"labs\"]\nproject = \"x\"\n"
        ));
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
