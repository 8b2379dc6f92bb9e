//! Who gets the mail of a run, as the rules of `mail.toml` say.

use std::collections::BTreeSet;

use jackfield_config::mail_rules::{MailRule, MailRules};
use jackfield_reporting::{changes::Changes, mail::Address, results::Results};

use crate::jobs::compared::is_wanted;

/// Addresses, each person's once; those of `to` come first.
pub(super) fn of(rules: &MailRules, results: &Results, changes: Option<&Changes>) -> Vec<String> {
    let meant: Vec<&MailRule> =
        rules.rules.iter().filter(|rule| is_wanted(&rule.of, results, changes)).collect();
    let to = meant.iter().flat_map(|rule| &rule.to);
    let cc = meant.iter().flat_map(|rule| &rule.cc);
    let mut seen = BTreeSet::new();
    // What tells people apart is the address, whatever name stands before it. Written anew, a comma in a name ends nothing.
    let people = to.chain(cc).filter_map(|written| Address::parse(written));
    people
        .filter(|person| seen.insert(person.mailbox.to_lowercase()))
        .map(|person| person.to_string())
        .collect()
}
