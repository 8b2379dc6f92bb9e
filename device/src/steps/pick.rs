//! What a check looks at in an output with structure: cells and rows of a table, places in JSON.

use std::collections::BTreeMap;

use jackfield_config::steps::Pick;
use serde_json::Value;

use super::{Failure, check::excerpt};
use crate::textfsm::Table;

/// The values that a check looks at, each with the words that name it.
pub(super) fn values(pick: &Pick, output: &str, table: &Table) -> Result<Vec<(String, String)>, Failure> {
    match pick {
        Pick::Json { pointer } => {
            let json: Value = serde_json::from_str(output.trim()).map_err(|error| {
                Failure::product(format!("the output is no JSON: {error}; it is: {}", excerpt(output)))
            })?;
            let value = json.pointer(pointer).ok_or_else(|| {
                Failure::product(format!(
                    "there is nothing at `{pointer}` in the output; it is: {}",
                    excerpt(output)
                ))
            })?;
            Ok(vec![(format!("`{pointer}`"), text(value))])
        }
        Pick::Count { rows } => {
            let count = matching(table, rows)?.len();
            Ok(vec![(format!("the number of rows{}", named(rows)), count.to_string())])
        }
        Pick::Cell { rows, column } => {
            let place = place(table, column)?;
            let found = matching(table, rows)?;
            if found.is_empty() {
                let count = table.rows.len();
                return Err(Failure::product(format!("there is no row{} among {count}", named(rows))));
            }
            let what = format!("`{column}` of the row{}", named(rows));
            let value = |row: &&Vec<Value>| row.get(place).map(text).unwrap_or_default();
            Ok(found.iter().map(|row| (what.clone(), value(row))).collect())
        }
    }
}

fn named(rows: &BTreeMap<String, String>) -> String {
    let parts: Vec<String> = rows.iter().map(|(column, value)| format!("{column} = {value}")).collect();
    if parts.is_empty() { String::new() } else { format!(" with {}", parts.join(", ")) }
}

fn place(table: &Table, column: &str) -> Result<usize, Failure> {
    table.header.iter().position(|name| name == column).ok_or_else(|| {
        let help = if table.header.is_empty() {
            "give the step a `textfsm` template".to_owned()
        } else {
            format!("there are {}", table.header.join(", "))
        };
        Failure::test(format!("the table has no column `{column}`: {help}"))
    })
}

fn matching<'t>(table: &'t Table, rows: &BTreeMap<String, String>) -> Result<Vec<&'t Vec<Value>>, Failure> {
    let mut wanted = Vec::new();
    for (column, value) in rows {
        wanted.push((place(table, column)?, value));
    }
    let fits = |row: &&Vec<Value>| {
        wanted.iter().all(|(place, value)| row.get(*place).is_some_and(|cell| text(cell) == **value))
    };
    Ok(table.rows.iter().filter(fits).collect())
}

/// A value as a check compares it: a text without quotes, a list or object as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_rows_and_places_are_picked() {
        let rows = serde_json::from_value(json!([["ge0", "up"], ["ge1", "down"], ["ge2", "up"]])).unwrap();
        let table = Table { header: vec!["IF".to_owned(), "STATE".to_owned()], rows };
        let pick = |pick: Pick, output: &str| {
            values(&pick, output, &table)
                .map_or_else(|failure| failure.reason, |values| format!("{values:?}"))
        };
        let with = |column: &str, value: &str| BTreeMap::from([(column.to_owned(), value.to_owned())]);
        let cell = |rows, column: &str| Pick::Cell { rows, column: column.to_owned() };
        insta::assert_snapshot!(pick(cell(with("IF", "ge1"), "STATE"), ""), @r#"[("`STATE` of the row with IF = ge1", "down")]"#);
        insta::assert_snapshot!(pick(cell(with("IF", "ge9"), "STATE"), ""), @"there is no row with IF = ge9 among 3");
        insta::assert_snapshot!(pick(cell(with("IF", "ge1"), "MTU"), ""), @"the table has no column `MTU`: there are IF, STATE");
        insta::assert_snapshot!(pick(Pick::Count { rows: with("STATE", "up") }, ""), @r#"[("the number of rows with STATE = up", "2")]"#);
        let json = |pointer: &str| Pick::Json { pointer: pointer.to_owned() };
        insta::assert_snapshot!(pick(json("/a/0/mtu"), r#"{"a": [{"mtu": 1500}]}"#), @r#"[("`/a/0/mtu`", "1500")]"#);
        insta::assert_snapshot!(pick(json("/b"), "{}"), @"there is nothing at `/b` in the output; it is: `{}`");
        insta::assert_snapshot!(pick(json("/b"), "up"), @"the output is no JSON: expected value at line 1 column 1; it is: `up`");
    }
}
