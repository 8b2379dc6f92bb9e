//! Who gets the mail of a run, as the rules of `mail.toml` say.

use std::collections::BTreeSet;

use jackfield_config::mail_rules::{MailRule, MailRules, When, fits};
use jackfield_protocol::verdict::Verdict;
use jackfield_reporting::{
    changes::Changes,
    mail::Address,
    results::{Results, Row},
};

/// Addresses, each person's once; those of `to` come first.
pub(super) fn of(rules: &MailRules, results: &Results, changes: Option<&Changes>) -> Vec<String> {
    let meant: Vec<&MailRule> = rules.rules.iter().filter(|rule| is_meant(rule, results, changes)).collect();
    let to = meant.iter().flat_map(|rule| &rule.to);
    let cc = meant.iter().flat_map(|rule| &rule.cc);
    let mut seen = BTreeSet::new();
    to.chain(cc).filter(|address| seen.insert(person(address))).cloned().collect()
}

/// What tells people apart: the address, whatever name stands before it.
fn person(written: &str) -> String {
    let address = Address::parse(written).map(|address| address.mailbox);
    address.unwrap_or_else(|| written.to_owned()).to_lowercase()
}

fn is_meant(rule: &MailRule, results: &Results, changes: Option<&Changes>) -> bool {
    let project = results.run.project.trim_end_matches(".xml");
    let of_project = rule.projects.is_empty() || rule.projects.iter().any(|pattern| fits(pattern, project));
    let of_cause = rule.causes.is_empty()
        || results
            .rows()
            .filter(failed)
            .any(|row| row.cause().is_some_and(|cause| rule.causes.contains(&cause)));
    let has_failed = || results.stopped.is_some() || results.rows().any(|row| failed(&row));
    let wanted = match rule.when {
        When::Always => true,
        When::Failure => has_failed(),
        // Of a first run all that failed is new.
        When::Change => changes.map_or_else(has_failed, Changes::is_news),
    };
    of_project && of_cause && wanted
}

/// Whether a test neither passed nor was skipped.
fn failed(row: &Row<'_>) -> bool {
    match row.verdict() {
        Some(Verdict::Pass | Verdict::Skipped) => false,
        Some(
            Verdict::Fail | Verdict::Aborted | Verdict::NotExecuted | Verdict::Timeout | Verdict::Invalid,
        )
        | None => true,
    }
}
