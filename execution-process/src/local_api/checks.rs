//! `check`: a value held against its limits by the rules of step tests, and kept with the test.

use std::collections::BTreeMap;

use jackfield_config::steps::Relation;
use jackfield_device::steps::check::measure;
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    link::Part,
};
use serde_json::{Value, json};

use super::{
    methods::{name, said},
    params as p,
    rpc::Failure,
};
use crate::{attempt::Said, event::Guest};

/// Answers with the verdict, and the reason where it is not PASS. What a test does then is up to its language, but it does not pass any more.
pub(super) async fn check(guest: &Guest, wanted: p::Check) -> Result<Value, Failure> {
    let wrong = |title: String| {
        Failure::Params(
            Problem::new(ErrorCode::BadRequest, format!("check `{}`: {title}", wanted.name)).field("limits"),
        )
    };
    let own = name(wanted.name.clone())?;
    let limits = limits(&wanted.limits).map_err(wrong)?;
    let unit = wanted.unit.as_deref().unwrap_or_default();
    let (check, reason) = measure(&wanted.name, &text(&wanted.value), unit, &limits).map_err(wrong)?;
    let reason = reason.unwrap_or_default();
    let answer = json!({ "verdict": check.verdict, "reason": reason });
    let verdict = check.verdict;
    let part = Part { name: own, verdict, reason, elapsed_millis: 0, checks: vec![check] };
    said(guest, Said::Part(part)).await?;
    Ok(answer)
}

fn limits(wanted: &BTreeMap<String, Value>) -> Result<Vec<(Relation, String)>, String> {
    let relation = |word: &str| {
        let known = Relation::ALL.into_iter().find(|(known, _)| *known == word);
        known.map(|(_, relation)| relation).ok_or_else(|| {
            let words: Vec<&str> = Relation::ALL.iter().map(|(word, _)| *word).collect();
            format!("`{word}` is no limit; there are {}", words.join(", "))
        })
    };
    wanted.iter().map(|(word, limit)| Ok((relation(word)?, text(limit)))).collect()
}

/// A value as a step test has it: a text as it is, a number without an exponent.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => float.to_string(),
            None => number.to_string(),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_limits_are_read_as_a_step_test_reads_them() {
        for (value, expect) in [
            (json!(95), "95"),
            (json!(1e-7), "0.0000001"),
            (json!(0.5), "0.5"),
            (json!("20 ms"), "20 ms"),
            (json!(true), "true"),
        ] {
            assert_eq!(text(&value), expect);
        }
        let wanted = BTreeMap::from([("at_most".to_owned(), json!(80)), ("maximum".to_owned(), json!(1))]);
        insta::assert_snapshot!(limits(&wanted).unwrap_err(), @"`maximum` is no limit; there are contains, not_contains, matches, not_matches, equals, not_equals, above, below, at_least, at_most");
    }
}
