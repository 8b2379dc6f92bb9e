//! Whether a value is what a clause says: numbers as numbers, texts as texts, versions part by part.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{Comparison, Literal, Pattern, Test};

/// Bytes of a text that a pattern is tried on.
const LIKE_MAX: usize = 4_096;

/// Whether a value, or one of a list of values, is what is said. What is no single value is only there or not.
pub(crate) fn fits(value: &Value, test: &Test) -> bool {
    match test {
        Test::There => is_there(value),
        Test::Is(Comparison::NotEqual, literal) => !any(value, &|value| equals(value, literal)),
        Test::Is(Comparison::Equal, literal) => any(value, &|value| equals(value, literal)),
        Test::Is(comparison, literal) => {
            any(value, &|value| order(value, literal).is_some_and(|order| comparison.holds(order)))
        }
        Test::In(literals) => any(value, &|value| literals.iter().any(|literal| equals(value, literal))),
        Test::Like(pattern) => any(value, &|value| match value {
            Value::String(text) => like(text, pattern),
            Value::Number(number) => like(&number.to_string(), pattern),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        }),
    }
}

/// Whether something that is not there is what is said: it is only not equal.
pub(crate) fn absent_fits(test: &Test) -> bool {
    matches!(test, Test::Is(Comparison::NotEqual, _))
}

fn any(value: &Value, holds: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(holds),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => holds(value),
    }
}

/// `broken: false`, `broken: "no"` and `broken: ""` are not broken.
pub(crate) fn is_there(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => {
            let text = text.trim();
            !["", "0", "false", "no", "off"].iter().any(|no| text.eq_ignore_ascii_case(no))
        }
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn equals(value: &Value, literal: &Literal) -> bool {
    match value {
        Value::String(text) => **text == *literal.text,
        Value::Bool(yes) => !literal.quoted && literal.text.eq_ignore_ascii_case(&yes.to_string()),
        Value::Number(number) if literal.quoted => number.to_string() == *literal.text,
        Value::Number(number) => numbers(number, &literal.text) == Some(Ordering::Equal),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// How a value lies to what a selector says; none where they cannot be compared.
fn order(value: &Value, literal: &Literal) -> Option<Ordering> {
    match value {
        Value::Number(number) => numbers(number, &literal.text),
        Value::String(text) => {
            let number: Option<Number> = serde_json::from_str(text.trim()).ok();
            let whole = number.filter(|number| number.is_i64() || number.is_u64());
            if let Some(order) = whole.and_then(|number| numbers(&number, &literal.text)) {
                return Some(order);
            }
            // `ports>=4` says nothing about ports: "four".
            let counts = |text: &str| text.trim().starts_with(|letter: char| letter.is_ascii_digit());
            (counts(text) == counts(&literal.text)).then(|| by_parts(text.trim(), &literal.text))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whole numbers to the last digit, others as precisely as they are kept.
fn numbers(number: &Number, text: &str) -> Option<Ordering> {
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    if let (Some(whole), Ok(other)) = (whole, text.parse::<i128>()) {
        return Some(whole.cmp(&other));
    }
    let other: f64 = text.parse().ok()?;
    number.as_f64()?.partial_cmp(&other)
}

/// As versions are ordered: 15.10 after 15.2, because numbers in a text are compared as numbers.
fn by_parts(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let ((first, rest), (second, others)) = (part(one), part(other));
        let digits = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit());
        let order = if digits(first) && digits(second) {
            let plain = |text: &str| text.trim_start_matches('0').to_owned();
            let (first, second) = (plain(first), plain(second));
            first.len().cmp(&second.len()).then_with(|| first.cmp(&second))
        } else {
            first.cmp(second)
        };
        if order.is_ne() || (first.is_empty() && second.is_empty()) {
            return order;
        }
        (one, other) = (rest, others);
    }
}

/// The digits, or what are none, that a text begins with, and the rest.
fn part(text: &str) -> (&str, &str) {
    let digit = text.starts_with(|letter: char| letter.is_ascii_digit());
    let end = text.find(|letter: char| letter.is_ascii_digit() != digit).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Whether a text is like a pattern, whatever the case. Goes back at most once for each letter and `*`.
pub(crate) fn like(text: &str, Pattern(pattern): &Pattern) -> bool {
    if text.len() > LIKE_MAX {
        return false;
    }
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut at, mut wanted) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(at) {
        match pattern.get(wanted) {
            Some('*') => {
                star = Some((wanted, at));
                wanted = wanted.saturating_add(1);
            }
            Some(sign) if *sign == '?' || sign == letter => {
                at = at.saturating_add(1);
                wanted = wanted.saturating_add(1);
            }
            Some(_) | None => {
                let Some((place, from)) = star else { return false };
                star = Some((place, from.saturating_add(1)));
                at = from.saturating_add(1);
                wanted = place.saturating_add(1);
            }
        }
    }
    pattern.iter().skip(wanted).all(|sign| *sign == '*')
}
