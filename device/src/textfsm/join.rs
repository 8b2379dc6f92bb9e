//! Several templates for one answer, as a line of an index names them with `:` between: the table of the first, with the columns that the others add.
//!
//! As clitable does it: a row of the first takes the new columns of the first row of another whose key values are the same; where no template has
//! a `Key`, that of the same number. A row without a partner keeps empty cells, and a partner without a row is dropped.

use serde_json::Value;

use super::{Table, TextFsmError, template::Template};

/// The names of the values by which rows find each other: those of the first template that has any.
pub(super) fn keys<'t>(mut templates: impl Iterator<Item = &'t Template>) -> Vec<String> {
    templates.find_map(|template| Some(template.keys()).filter(|keys| !keys.is_empty())).unwrap_or_default()
}

/// Whether a template has all the values by which its rows are to be found.
pub(super) fn check(template: &Template, keys: &[String]) -> Result<(), TextFsmError> {
    let header = template.header();
    match keys.iter().find(|key| !header.contains(key)) {
        None => Ok(()),
        Some(key) => {
            let why = format!("its rows are to be joined with others by `{key}`, and it has no such value");
            Err(TextFsmError::Template { line: 0, why })
        }
    }
}

/// Adds the columns that a table has and the first has not.
pub(super) fn extend(mut table: Table, other: &Table, keys: &[String]) -> Table {
    let is_new = |name: &&String| !table.header.contains(name);
    let fresh: Vec<String> = other.header.iter().filter(is_new).cloned().collect();
    let header = table.header.clone();
    let rows = std::mem::take(&mut table.rows);
    for (number, mut row) in rows.into_iter().enumerate() {
        let partner = if keys.is_empty() {
            other.rows.get(number)
        } else {
            let fits = |candidate: &&Vec<Value>| {
                keys.iter().all(|key| cell(&header, &row, key) == cell(&other.header, candidate, key))
            };
            other.rows.iter().find(fits)
        };
        let empty = || Value::from("");
        let value = |name| partner.and_then(|partner| cell(&other.header, partner, name)).cloned();
        row.extend(fresh.iter().map(|name| value(name).unwrap_or_else(empty)));
        table.rows.push(row);
    }
    table.header.extend(fresh);
    table
}

fn cell<'r>(header: &[String], row: &'r [Value], name: &str) -> Option<&'r Value> {
    row.get(header.iter().position(|column| column == name)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NAMES: &str =
        "Value Key PORT (\\d+)\nValue NAME (\\w+)\n\nStart\n  ^port ${PORT} ${NAME} -> Record\n";
    const STATES: &str = "Value PORT (\\d+)\nValue NAME (\\w+)\nValue STATE (\\w+)\nValue List TAG (\\w+)\n\nStart\n  ^tag ${TAG}\n  ^state ${PORT} ${STATE} -> Record\n";

    fn joined(first: &str, second: &str) -> Result<Template, TextFsmError> {
        Template::parse(first)?.with_joined(vec![std::sync::Arc::new(Template::parse(second)?)])
    }

    // The rows were made by clitable of the same templates and text.
    #[test]
    fn rows_find_each_other_by_their_keys() {
        let text = "port 1 a\nport 2 b\nport 3 c\nstate 3 up\ntag x\nstate 1 down\nstate 1 up\nstate 9 up\n";
        let table = joined(NAMES, STATES).unwrap().run(text).unwrap();
        assert_eq!(table.header, ["PORT", "NAME", "STATE", "TAG"]);
        assert_eq!(
            json!(table.rows),
            json!([["1", "a", "down", ["x"]], ["2", "b", "", ""], ["3", "c", "up", []]])
        );
    }

    #[test]
    fn without_keys_they_find_each_other_by_their_number() {
        let text = "port 1 a\nport 2 b\nstate 3 up\n";
        let table = joined(&NAMES.replace("Key ", ""), STATES).unwrap().run(text).unwrap();
        assert_eq!(json!(table.rows), json!([["1", "a", "up", []], ["2", "b", "", ""]]));
    }

    #[test]
    fn a_template_without_the_key_is_refused() {
        let told = joined(NAMES, &STATES.replace("PORT", "PLACE")).unwrap_err().to_string();
        insta::assert_snapshot!(told, @"the template is wrong: its rows are to be joined with others by `PORT`, and it has no such value");
    }
}
