//! The results of a run into the lab's own database, as `db.xml` says, once.
//!
//! All inserts of a run are one transaction. Before it the store notes that it begins, and after it that it is done; when the
//! engine dies in between, nobody can know whether the database took them, and a person is asked to look.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result, anyhow, bail};
use jackfield_config::{
    EngineSettings,
    db::{DbConfig, Field, FieldKind},
};
use jackfield_protocol::id::RunId;
use jackfield_reporting::{
    insert::{self, Dialect, Known, Statement},
    results::{Results, Row},
    variables::{self, Style, Variables},
};

use super::{End, results_of};
use crate::{
    app::App,
    clock,
    run::results::LogsOfEngine,
    store::{
        self,
        lab::{LabDb, LabValue},
        saved::Saved,
    },
};

pub(super) async fn run(app: &App, settings: &EngineSettings, run: RunId) -> Result<End> {
    match store::saved::state(&mut app.store.read().await?, run).await? {
        Some(Saved::Done) => return Ok(End::Done(Vec::new())),
        Some(Saved::Begun) => {
            return Ok(End::Hopeless(anyhow!(
                "the engine ended while the results of run {run} were inserted, and it is not known whether the database has \
                 them; look there, and if it has not, insert them from the run's report"
            )));
        }
        None => {}
    }
    let results = Arc::new(results_of(app, settings, run).await?);
    let prepared = match prepare(app, &results) {
        Ok(Some(prepared)) => prepared,
        // A lab without db.xml has no database.
        Ok(None) => return Ok(End::Done(Vec::new())),
        Err(error) => return Ok(End::Hopeless(error)),
    };
    let mut conn = app.store.write().await?;
    store::saved::begin(&mut conn, run, clock::now()).await?;
    conn.commit().await?;
    let inserted = insert_all(app, &prepared, &results).await;
    let mut conn = app.store.write().await?;
    match &inserted {
        Ok(()) => store::saved::done(&mut conn, run, clock::now()).await?,
        Err(_) => store::saved::undone(&mut conn, run).await?,
    }
    conn.commit().await?;
    inserted.map(|()| End::Done(Vec::new()))
}

/// Everything that is decided before the first row.
struct Prepared {
    url: String,
    statements: Vec<Statement>,
    /// Fields whose value a query gives.
    selects: Vec<(String, Statement)>,
}

fn prepare(app: &App, results: &Results) -> Result<Option<Prepared>> {
    let lab = app.lab.as_user(&results.run.user);
    let Some(read) = lab.db() else { return Ok(None) };
    let lines: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
    let config: DbConfig =
        read.value.ok_or_else(|| anyhow!("db.xml cannot be used:\n{}", lines.join("\n")))?;
    if config.statements.is_empty() {
        return Ok(None);
    }
    let url = url(&config, &lab.layout().root)?;
    let scripts: Vec<&str> =
        config.fields.iter().filter(|field| field.kind == FieldKind::UserScript).map(id).collect();
    if !scripts.is_empty() {
        bail!(
            "db.xml: fields of the kind UserScript ({}) cannot be filled; use DbSelect or UserText",
            scripts.join(", ")
        );
    }
    let of_people =
        config.fields.iter().filter(|field| field.kind != FieldKind::DbSelect).map(id).map(Arc::from);
    let known = Known {
        variables: variables::known_names(results).into_iter().chain(of_people).collect(),
        fields: config
            .fields
            .iter()
            .filter(|field| field.kind == FieldKind::DbSelect)
            .map(|field| id(field).to_owned())
            .collect(),
    };
    let statements =
        insert::parse_all(config.statements.iter().map(|one| &*one.value), Dialect::Sqlite, &known).map_err(
            |errors| {
                let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                anyhow!("db.xml: {}", lines.join("\n"))
            },
        )?;
    let selects = config.fields.iter().filter(|field| field.kind == FieldKind::DbSelect).map(|field| {
        let statement = Statement::parse(1, &field.query, Dialect::Sqlite, &known)
            .with_context(|| format!("db.xml: the query of field {}", id(field)))?;
        Ok((id(field).to_owned(), statement))
    });
    let selects = selects.collect::<Result<_>>()?;
    Ok(Some(Prepared { url, statements, selects }))
}

fn id(field: &Field) -> &str {
    &field.id.value
}

/// Where the database is; a relative file lies in the lab folder.
fn url(config: &DbConfig, root: &std::path::Path) -> Result<String> {
    let url = config.connection.as_ref().and_then(|connection| connection.url.as_ref());
    let Some(url) = url else {
        bail!(
            "db.xml names its database by server; this build inserts into SQLite, named as <url>sqlite://results.db</url>"
        );
    };
    match url.value.split_once("://") {
        Some(("sqlite", path)) => Ok(root.join(path).display().to_string()),
        _ => bail!("db.xml: `{}` is no SQLite database; this build inserts into sqlite://FILE", url.value),
    }
}

async fn insert_all(app: &App, prepared: &Prepared, results: &Results) -> Result<()> {
    let logs = LogsOfEngine(app.logs.clone());
    let mut db = LabDb::open(&prepared.url).await.context("the lab's database")?;
    for row in results.rows().filter(|row| insert::is_saved(results, *row)) {
        let source = Source { results, row, logs: &logs };
        let mut selected = BTreeMap::new();
        for (name, statement) in &prepared.selects {
            let value = db.value(&statement.sql(), &source.bound(statement, &selected)).await;
            let value = value.with_context(|| format!("db.xml: the query of field {name}"))?;
            selected.extend(value.map(|value| (name.clone(), value)));
        }
        for (number, statement) in (1..).zip(&prepared.statements) {
            let values = source.bound(statement, &selected);
            let run = db.run(&statement.sql(), &values).await;
            run.with_context(|| format!("db.xml: statement {number}, for test {}", row.test.name))?;
        }
    }
    db.commit().await.context("the lab's database")
}

/// Where the values of one test come from.
#[derive(Clone, Copy)]
struct Source<'a> {
    results: &'a Results,
    row: Row<'a>,
    logs: &'a LogsOfEngine,
}

impl Source<'_> {
    fn bound(self, statement: &Statement, selected: &BTreeMap<String, String>) -> Vec<LabValue> {
        let Self { results, row, logs } = self;
        let fields = BTreeMap::new();
        let variables = Variables { results, row, logs, fields: &fields, style: Style::default() };
        let variable = |name: &str| variables.get(name);
        let field = |name: &str| selected.get(name).cloned();
        let values = statement.binds().iter().map(|bind| match bind.value(&variable, &field) {
            insert::Value::Null => LabValue::Null,
            insert::Value::Text(text) => LabValue::Text(text),
            insert::Value::Integer(number) => LabValue::Integer(number),
        });
        values.collect()
    }
}
