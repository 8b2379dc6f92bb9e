//! Whether what a device said is as it should be.

use std::cmp::Ordering;

use jackfield_config::steps::Relation;

use super::{Failure, number};
use crate::profile::search;

/// Letters of a value that are shown in a reason.
const SHOWN_CHARS_MAX: usize = 300;

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
    let shown: String = value.chars().take(SHOWN_CHARS_MAX).collect();
    let cut = if shown.len() < value.len() { "…" } else { "" };
    format!("`{}{cut}`", shown.replace('\n', " ⏎ "))
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
}
