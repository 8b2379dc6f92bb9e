//! Everything about the inserts of a run that is decided before the first row.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use jackfield_config::db::{DbConfig, Field, FieldKind, FieldLevel};
use jackfield_reporting::{
    insert::{self, Known, Statement},
    results::Results,
    variables,
};

use crate::{app::App, lab_db::Address};

/// What is inserted, and where.
pub(super) struct Prepared {
    pub(super) address: Address,
    pub(super) statements: Vec<Statement>,
    /// Fields whose value a query gives.
    pub(super) selects: Vec<Select>,
    /// Fields whose value a script prints.
    pub(super) scripts: Vec<Script>,
}

/// A field that the database fills.
pub(super) struct Select {
    pub(super) id: String,
    pub(super) level: FieldLevel,
    pub(super) query: Statement,
}

/// A field that a script fills; the field's own value is the path of the script.
pub(super) struct Script {
    pub(super) id: String,
    pub(super) level: FieldLevel,
}

pub(super) fn prepare(app: &App, results: &Results) -> Result<Option<Prepared>> {
    let lab = app.lab.as_user(&results.run.user);
    let Some(read) = lab.db() else { return Ok(None) };
    let lines: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
    let config: DbConfig =
        read.value.ok_or_else(|| anyhow!("db.xml cannot be used:\n{}", lines.join("\n")))?;
    if config.statements.is_empty() {
        return Ok(None);
    }
    let address = Address::of(config.connection.as_ref(), &lab.layout().root)?;
    let dialect = address.dialect();
    let known = known(&config, results);
    let statements = insert::parse_all(config.statements.iter().map(|one| &*one.value), dialect, &known)
        .map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow!("db.xml: {}", lines.join("\n"))
        })?;
    let of_kind = |kind: FieldKind| config.fields.iter().filter(move |field| field.kind == kind);
    let selects = of_kind(FieldKind::DbSelect).map(|field| {
        let query = Statement::parse(1, &field.query, dialect, &known)
            .with_context(|| format!("db.xml: the query of field {}", id(field)))?;
        Ok(Select { id: id(field).to_owned(), level: field.level, query })
    });
    let scripts = of_kind(FieldKind::UserScript)
        .map(|field| Script { id: id(field).to_owned(), level: field.level })
        .collect();
    Ok(Some(Prepared { address, statements, selects: selects.collect::<Result<_>>()?, scripts }))
}

fn id(field: &Field) -> &str {
    &field.id.value
}

/// The names that may stand in statements and queries.
fn known(config: &DbConfig, results: &Results) -> Known {
    let (selected, of_people): (Vec<&Field>, Vec<&Field>) =
        config.fields.iter().partition(|field| field.kind == FieldKind::DbSelect);
    Known {
        variables: variables::known_names(results)
            .into_iter()
            .chain(of_people.into_iter().map(|field| Arc::clone(&field.id.value)))
            .collect(),
        fields: selected.into_iter().map(|field| id(field).to_owned()).collect(),
    }
}
