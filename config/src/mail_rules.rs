//! `mail.toml`: who gets the mail of which run, and which reports go along. Without rules everybody in `To` of `email.xml` gets the mail of every
//! run.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    problem::Read,
    run_filter::RunFilter,
    source::Source,
    toml_table::{self, Table},
};

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailRules {
    /// Each rule adds people to the mail of a run.
    pub rules: Vec<MailRule>,
    /// Reports whose charts are in the mail, in their order.
    pub charts: Vec<MailChart>,
    /// `[people]`: where those who have leases have their mail, by user.
    pub people: BTreeMap<Arc<str>, Arc<str>>,
    /// `out_of_service`: who hears of devices that were taken out of service.
    pub out_of_service: Vec<String>,
}

/// `[[chart]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailChart {
    /// The line that it begins at.
    pub line: u32,
    /// The report of the lab's database.
    pub report: String,
    /// `fields`: names and values, in which `$name` stands for what it does in a subject.
    pub fields: Vec<(String, String)>,
    /// In the mails of which runs.
    pub of: RunFilter,
}

/// Charts of a file: a mail is read on one screen, and cut off by some programs where it is too long.
const CHARTS_MAX: usize = 4;

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
            let out_of_service = top.texts("out_of_service");
            let rules = top.tables("rule", "a rule").iter().map(read_rule).collect();
            let charts = top.tables("chart", "a chart");
            for chart in charts.iter().skip(CHARTS_MAX) {
                chart.error(
                    format!("a mail has room for {CHARTS_MAX} charts"),
                    "take one away; the page of reports has all of them",
                );
            }
            let people = top.text_map("people");
            let all = people.values().map(|address| ("people", &**address));
            for (key, address) in all.chain(out_of_service.iter().map(|to| ("out_of_service", &**to))) {
                check_address(top, key, address);
            }
            let charts = charts.iter().map(read_chart).collect();
            Self { rules, charts, people, out_of_service }
        });
        Read { value, problems }
    }
}

fn check_address(table: &Table<'_>, key: &str, address: &str) {
    if !crate::email::is_address(address) {
        let message = format!("`{address}` is not an address");
        table.error_at(key, message, "write name@host, or Name <name@host>");
    }
}

fn read_rule(table: &Table<'_>) -> MailRule {
    let rule = MailRule { to: table.texts("to"), cc: table.texts("cc"), of: RunFilter::read(table) };
    for (key, addresses) in [("to", &rule.to), ("cc", &rule.cc)] {
        addresses.iter().for_each(|address| check_address(table, key, address));
    }
    if rule.to.is_empty() && rule.cc.is_empty() {
        table.error("a rule names nobody", "write to = [\"ana@example.com\"]");
    }
    table.finish();
    rule
}

fn read_chart(table: &Table<'_>) -> MailChart {
    let mut fields = Vec::new();
    for written in table.texts("fields") {
        match written.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                fields.push((name.trim().to_owned(), value.to_owned()));
            }
            Some(_) | None => {
                let message = format!("`{written}` has no name and value");
                table.error_at("fields", message, "write fields = [\"Run=$jackfield_run\"]");
            }
        }
    }
    let report = table.filled_text("report").unwrap_or_default();
    if !table.has("report") {
        table.error("a chart names no report", "write report = \"NAME\", an ID of `jackfield db reports`");
    }
    let chart = MailChart { line: table.line(), report, fields, of: RunFilter::read(table) };
    table.finish();
    chart
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
    fn people_have_addresses_and_leave_the_mail_of_runs_as_it_is() {
        let good = read("out_of_service = \"lab@lab\"\n[people]\nana = \"Ana Pop <ana@lab>\"\n");
        assert_eq!(good.problems, []);
        let rules = good.value.unwrap();
        assert_eq!(rules.people.get("ana").map(|to| &**to), Some("Ana Pop <ana@lab>"));
        assert!(rules.rules.is_empty(), "everybody in `To` gets the mail of runs");
        let bad = read("[people]\nana = \"nobody\"\n");
        let told: Vec<String> = bad.problems.iter().map(ToString::to_string).collect();
        assert!(told.len() == 1 && told.concat().contains("`nobody` is not an address"), "{told:?}");
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
    fn charts_say_which_report_goes_along() {
        let read = read(
            "[[chart]]\nreport = \"Pass rate\"\n[[chart]]\nreport = \"Verdicts\"\nfields = [\"Run=$jackfield_run\", \"Of=a=b\"]\nwhen = \"failure\"\n",
        );
        assert_eq!(read.problems, []);
        let rules = read.value.unwrap();
        let [rate, verdicts] = &*rules.charts else { panic!("two charts") };
        assert!(rules.rules.is_empty() && rate.fields.is_empty() && verdicts.of.when == When::Failure);
        let fields: Vec<(&str, &str)> =
            verdicts.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(fields, [("Run", "$jackfield_run"), ("Of", "a=b")]);
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
            "[[rule]]\nto = [\"ana\"]\nwhen = \"allways\"\n\n[[rule]]\ncauses = [\"labs\"]\nproject = \"x\"\n\
             [[chart]]\nfields = [\"Run\"]\n[[chart]]\nreport = \"a\"\nfield = \"x\"\n[[chart]]\nreport = \"\"\n\
             [[chart]]\nreport = \"b\"\n[[chart]]\nreport = \"c\"\n"
        ));
    }
}
