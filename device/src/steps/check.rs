//! Whether what a device said is as it should be.

use std::{cmp::Ordering, collections::BTreeMap};

use jackfield_config::steps::Relation;
use jackfield_protocol::{link::Check, verdict::Verdict};

use super::{Failure, number};
use crate::profile::search;

/// Letters of a value that are shown in a reason, and kept of it.
const SHOWN_CHARS_MAX: usize = 300;
/// Checks of one step that are kept; of more, those that hold are not.
const KEPT_MAX: usize = 200;

/// Holds a value against all its limits, as the checks of a step test do: what is kept of it, and why it does not hold.
///
/// A value that is a bare number is read in `unit`, and so is a limit.
///
/// # Errors
/// A limit that cannot be right: a sentence.
pub fn measure(
    name: &str,
    value: &str,
    unit: &str,
    limits: &[(Relation, String)],
) -> Result<(Check, Option<String>), String> {
    let with_unit = if unit.is_empty() || !number::is_bare(value) {
        value.to_owned()
    } else {
        format!("{} {unit}", value.trim())
    };
    let mut reason = None;
    for (relation, limit) in limits {
        match hold(*relation, &with_unit, limit, Some(&format!("`{name}`"))) {
            Ok(()) => {}
            Err(failure) if failure.verdict() == Verdict::Invalid => return Err(failure.reason),
            Err(failure) => drop(reason.get_or_insert(failure.reason)),
        }
    }
    let limits = limits.iter().map(|(relation, limit)| (relation.as_str().to_owned(), cut(limit))).collect();
    let verdict = if reason.is_none() { Verdict::Pass } else { Verdict::Fail };
    let (name, value, unit) = (name.to_owned(), cut(value), unit.to_owned());
    Ok((Check { name, value, unit, limits, verdict }, reason))
}

/// Keeps what one check of a step looked at; several limits of one value stand together.
pub(super) fn keep(
    kept: &mut Vec<Check>,
    (name, value): (&str, &str),
    (relation, limit): (Relation, &str),
    result: &Result<(), Failure>,
) {
    let verdict = result.as_ref().err().map_or(Verdict::Pass, Failure::verdict);
    let (value, limit) = (cut(value), (relation.as_str().to_owned(), cut(limit)));
    let same = |last: &&mut Check| {
        let new = last.verdict == Verdict::Pass && !last.limits.contains_key(&limit.0);
        new && last.name == name && last.value == value
    };
    let room = kept.len() < KEPT_MAX || verdict != Verdict::Pass;
    match kept.last_mut().filter(same) {
        Some(last) => {
            last.limits.extend([limit]);
            last.verdict = verdict;
        }
        None if room => {
            let (name, limits) = (name.to_owned(), BTreeMap::from([limit]));
            kept.push(Check { name, value, unit: String::new(), limits, verdict });
        }
        None => {}
    }
}

/// Holds one check against a value; both without variables left in them.
pub(super) fn hold(relation: Relation, value: &str, limit: &str, shown: Option<&str>) -> Result<(), Failure> {
    let holds = match relation {
        Relation::Contains => value.contains(limit),
        Relation::NotContains => !value.contains(limit),
        Relation::Matches => matches(value, limit)?,
        Relation::NotMatches => !matches(value, limit)?,
        Relation::Equals => equal(value, limit),
        Relation::NotEquals => !equal(value, limit),
        Relation::Above => order(value, limit)?.is_gt(),
        Relation::Below => order(value, limit)?.is_lt(),
        Relation::AtLeast => order(value, limit)?.is_ge(),
        Relation::AtMost => order(value, limit)?.is_le(),
    };
    if holds {
        return Ok(());
    }
    let subject = shown.unwrap_or("the output");
    let wish = match relation {
        Relation::Contains => "does not contain",
        Relation::NotContains => "contains",
        Relation::Matches => "does not match",
        Relation::NotMatches => "matches",
        Relation::Equals => "does not equal",
        Relation::NotEquals => "equals",
        Relation::Above => "is not above",
        Relation::Below => "is not below",
        Relation::AtLeast => "is less than",
        Relation::AtMost => "is more than",
    };
    Err(Failure::product(format!("{subject} {wish} `{limit}`; it is: {}", excerpt(value))))
}

fn matches(value: &str, pattern: &str) -> Result<bool, Failure> {
    let regex = search(pattern).map_err(|error| Failure::test(error.to_string()))?;
    Ok(regex.is_match(value.as_bytes()))
}

fn equal(value: &str, limit: &str) -> bool {
    value.trim() == limit.trim() || number::compare(value, limit) == Ok(Ordering::Equal)
}

/// A value that is no number is the device's fault, a limit that is none the test's.
fn order(value: &str, limit: &str) -> Result<Ordering, Failure> {
    if let Err(error) = number::Quantity::parse(limit) {
        return Err(Failure::test(format!("the limit {error}")));
    }
    number::compare(value, limit).map_err(|error| Failure::product(error.to_string()))
}

/// A value as a reason shows it: on one line, and not all of a long one.
pub(super) fn excerpt(value: &str) -> String {
    let value = value.trim();
    if value.is_empty() {
        return "nothing".to_owned();
    }
    format!("`{}`", cut(value).replace('\n', " ⏎ "))
}

/// A value without the space around it, and not all of a long one.
fn cut(value: &str) -> String {
    let value = value.trim();
    match value.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_hold_or_say_why() {
        for (relation, value, limit, holds) in [
            (Relation::Contains, "a b c", "b", true),
            (Relation::NotContains, "a b c", "b", false),
            (Relation::Matches, "up 3 days", r"up \d+", true),
            (Relation::Equals, " 10 ms\n", "0.01 s", true),
            (Relation::NotEquals, "a", "a", false),
            (Relation::Above, "11 ms", "10 ms", true),
            (Relation::AtMost, "11 ms", "10 ms", false),
            (Relation::AtLeast, "none", "1", false),
        ] {
            assert_eq!(hold(relation, value, limit, None).is_ok(), holds, "{relation:?} {value} {limit}");
        }
        let told = hold(Relation::Below, "12.5 ms", "10 ms", Some("`${delay}`")).unwrap_err();
        insta::assert_snapshot!(told.reason, @"`${delay}` is not below `10 ms`; it is: `12.5 ms`");
        let told = hold(Relation::Above, "5", "ten", None).unwrap_err();
        assert_eq!(told, Failure::test("the limit `ten` is not a number"));
    }

    #[test]
    fn a_measured_value_is_kept_with_its_limits_and_unit() {
        for (value, unit, limits, expect) in [
            (
                "95",
                "%",
                vec![(Relation::AtMost, "80")],
                "FAIL 95 % (at_most 80) `load` is more than `80`; it is: `95 %`",
            ),
            (
                "0.015",
                "s",
                vec![(Relation::Above, "10 ms"), (Relation::Below, "20 ms")],
                "PASS 0.015 s (above 10 ms, below 20 ms) ",
            ),
            ("1.5e-05", "s", vec![(Relation::AtMost, "1 ms")], "PASS 1.5e-05 s (at_most 1 ms) "),
            ("nan", "", vec![(Relation::AtMost, "1")], "FAIL nan (at_most 1) `nan` is not a number"),
            ("12 ms", "ms", vec![(Relation::Equals, "12")], "PASS 12 ms ms (equals 12) "),
            ("10.1", "", vec![], "PASS 10.1 () "),
            ("up", "", vec![(Relation::Matches, "^up$")], "PASS up (matches ^up$) "),
        ] {
            let limits: Vec<_> =
                limits.into_iter().map(|(relation, limit)| (relation, limit.to_owned())).collect();
            let (check, reason) = measure("load", value, unit, &limits).unwrap();
            let told = format!(
                "{} {} ({}) {}",
                check.verdict,
                check.shown(),
                check.shown_limits(),
                reason.unwrap_or_default()
            );
            assert_eq!(told, expect);
        }
        let wrong = measure("load", "95", "%", &[(Relation::AtMost, "much".to_owned())]).unwrap_err();
        assert_eq!(wrong, "the limit `much` is not a number");
        let wrong = measure("load", "95", "", &[(Relation::Matches, "(".to_owned())]).unwrap_err();
        assert!(wrong.contains('('), "{wrong}");
    }
}
