//! Everything about the inserts of a run that is decided before the first row.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, anyhow, bail};
use jackfield_config::db::{DbConfig, Field, FieldKind, FieldLevel, promised::sqlite_file};
use jackfield_reporting::{
    insert::{self, Dialect, Known, Statement},
    results::Results,
    variables,
};

use crate::app::App;

/// What is inserted, and where.
pub(super) struct Prepared {
    /// The SQLite file.
    pub(super) path: String,
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
    let path = database(&config, &lab.layout().root)?;
    let known = known(&config, results);
    let statements =
        insert::parse_all(config.statements.iter().map(|one| &*one.value), Dialect::Sqlite, &known).map_err(
            |errors| {
                let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                anyhow!("db.xml: {}", lines.join("\n"))
            },
        )?;
    let of_kind = |kind: FieldKind| config.fields.iter().filter(move |field| field.kind == kind);
    let selects = of_kind(FieldKind::DbSelect).map(|field| {
        let query = Statement::parse(1, &field.query, Dialect::Sqlite, &known)
            .with_context(|| format!("db.xml: the query of field {}", id(field)))?;
        Ok(Select { id: id(field).to_owned(), level: field.level, query })
    });
    let scripts = of_kind(FieldKind::UserScript)
        .map(|field| Script { id: id(field).to_owned(), level: field.level })
        .collect();
    Ok(Some(Prepared { path, statements, selects: selects.collect::<Result<_>>()?, scripts }))
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

/// The file of the lab's database; a relative one lies in the lab folder.
fn database(config: &DbConfig, root: &Path) -> Result<String> {
    match sqlite_file(config) {
        Some(path) => Ok(root.join(path).display().to_string()),
        None => bail!(
            "db.xml names no SQLite file, and this build inserts into those only: write <url>sqlite:results.db</url>"
        ),
    }
}
