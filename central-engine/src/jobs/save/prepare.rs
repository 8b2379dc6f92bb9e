//! Everything about the inserts of a run that is decided before the first row.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, anyhow, bail};
use jackfield_config::{
    LabDatabase,
    db::{CommitEach, DbConfig, Field, FieldKind, FieldLevel},
    problem,
};
use jackfield_reporting::{
    insert::{self, Known, Statement},
    results::Results,
    variables,
};

use crate::{
    app::App,
    lab_db::{Address, marker::Marker},
};

/// What is inserted, and where.
pub(super) struct Prepared {
    /// The place of the database among those of the lab, from 1.
    pub(super) section: u32,
    pub(super) address: Address,
    pub(super) statements: Vec<Statement>,
    /// Fields whose value a query gives.
    pub(super) selects: Vec<Select>,
    /// Fields whose value a script prints.
    pub(super) scripts: Vec<Script>,
    /// What is one transaction.
    pub(super) each: CommitEach,
    /// Our table in the database, where the lab allows one.
    pub(super) marker: Option<Marker>,
    /// Each test is inserted as it ends.
    pub(super) live: bool,
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

/// Each database of the lab into which something is to be inserted.
/// `engine` tells this engine's rows from those of others.
pub(super) fn prepare(app: &App, results: &Results, engine: &str) -> Result<Vec<Prepared>> {
    let lab = app.lab.as_user(&results.run.user);
    let Some(databases) = lab.databases() else { return Ok(Vec::new()) };
    if problem::has_errors(&databases.problems) {
        let lines: Vec<String> = databases.problems.iter().map(ToString::to_string).collect();
        bail!("db.xml cannot be used:\n{}", lines.join("\n"));
    }
    let wanted = (1..).zip(&databases.inserts).filter(|(_, one)| !one.config.statements.is_empty());
    wanted
        .map(|(section, LabDatabase { file, config })| {
            let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy().into_owned();
            one(results, &lab.layout().root, (section, engine), config).with_context(|| name)
        })
        .collect()
}

fn one(
    results: &Results,
    root: &Path,
    (section, engine): (u32, &str),
    config: &DbConfig,
) -> Result<Prepared> {
    let address = Address::of(config.connection.as_ref(), root)?;
    let dialect = address.dialect();
    let known = known(config, results);
    let statements = insert::parse_all(config.statements.iter().map(|one| &*one.value), dialect, &known)
        .map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow!(lines.join("\n"))
        })?;
    let of_kind = |kind: FieldKind| config.fields.iter().filter(move |field| field.kind == kind);
    let selects = of_kind(FieldKind::DbSelect).map(|field| {
        let query = Statement::parse(1, &field.query, dialect, &known)
            .with_context(|| format!("the query of field {}", id(field)))?;
        Ok(Select { id: id(field).to_owned(), level: field.level, query })
    });
    let scripts = of_kind(FieldKind::UserScript)
        .map(|field| Script { id: id(field).to_owned(), level: field.level })
        .collect();
    let marker = config.saving.marker.as_ref().map(|table| Marker {
        table: table.value.to_string(),
        engine: engine.to_owned(),
        run: results.run.id.0,
        section,
    });
    Ok(Prepared {
        section,
        address,
        statements,
        selects: selects.collect::<Result<_>>()?,
        scripts,
        each: config.saving.each,
        marker,
        live: config.saving.live,
    })
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
