//! `mail.toml`: who gets the mail of which run. Without the file everybody in `To` of `email.xml` gets the mail of every run.

use std::sync::Arc;

use crate::{
    problem::Read,
    run_filter::RunFilter,
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
    /// Of which runs.
    pub of: RunFilter,
}

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
    let rule = MailRule { to: table.texts("to"), cc: table.texts("cc"), of: RunFilter::read(table) };
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

#[cfg(test)]
mod tests {
    use jackfield_protocol::verdict::Cause;

    use super::*;
    use crate::run_filter::When;

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
        assert_eq!((first.of.when, first.cc.len(), second.of.when), (When::Change, 1, When::Always));
        assert_eq!(second.of.causes, [Cause::Lab, Cause::Time]);
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
}
