//! The results of a run into the lab's own database, as `db.xml` says, once.
//!
//! All inserts of a run are one transaction. Before it the store notes that it begins; that it is done, or that nothing of
//! it happened, is noted together with the end of the job ([`super::settle`]). When the engine dies in between, nobody can
//! know whether the database took them, and a person is asked to look.

mod fields;
mod prepare;

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use jackfield_protocol::id::RunId;
use jackfield_reporting::{
    insert::{self, Statement},
    results::{Results, Row},
    variables::{Style, Variables},
};

use self::{fields::Fields, prepare::Prepared};
use super::{End, Tried, results_of};
use crate::{
    app::App,
    clock,
    run::results::LogsOfEngine,
    store::{
        self, StoreError,
        lab::{LabDb, LabValue},
        saved::Saved,
    },
};

pub(super) async fn run(app: &App, run: RunId) -> Tried {
    match store::saved::state(&mut app.store.read().await?, run).await? {
        Some(Saved::Done) => return Ok(End::done()),
        Some(Saved::Begun) => {
            return Ok(End::Hopeless(anyhow!(
                "the engine was killed while the results of run {run} were inserted, and it is not known whether the \
                 database has them; look there, and if it has not: `jackfield runs save {run} --again`"
            )));
        }
        None => {}
    }
    let results = Arc::new(results_of(app, run).await?);
    let prepared = match prepare::prepare(app, &results) {
        Ok(Some(prepared)) => prepared,
        // A lab without db.xml has no database.
        Ok(None) => return Ok(End::done()),
        Err(error) => return Ok(End::Hopeless(error)),
    };
    // Where only the answer of this is lost it has begun all the same, and nothing is inserted yet: that is noted.
    if let Err(error) = begin(app, run).await {
        return Ok(End::NotSaved(error.into()));
    }
    Ok(match insert_all(app, &prepared, &results).await {
        Ok(()) => End::Saved,
        Err(error) => End::NotSaved(error),
    })
}

async fn begin(app: &App, run: RunId) -> Result<(), StoreError> {
    let mut conn = app.store.write().await?;
    store::saved::begin(&mut conn, run, clock::now()).await?;
    conn.commit().await
}

async fn insert_all(app: &App, prepared: &Prepared, results: &Results) -> Result<()> {
    let logs = LogsOfEngine(app.logs.clone());
    let mut db = LabDb::open(&prepared.path).await.context("the lab's database")?;
    let mut fields = Fields::new(app, prepared);
    for row in results.rows().filter(|row| insert::is_saved(results, *row)) {
        let source = Source { results, row, logs: &logs };
        fields.evaluate(&mut db, source).await?;
        for (number, statement) in (1..).zip(&prepared.statements) {
            let values = source.bound(statement, &fields);
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
    /// What a name stands for here.
    fn variable(self, fields: &Fields<'_>, name: &str) -> Option<String> {
        let Self { results, row, logs } = self;
        Variables { results, row, logs, fields: fields.printed(), style: Style::default() }.get(name)
    }

    fn bound(self, statement: &Statement, fields: &Fields<'_>) -> Vec<LabValue> {
        let variable = |name: &str| self.variable(fields, name);
        let field = |name: &str| fields.selected(name);
        let values = statement.values(&variable, &field).into_iter().map(|value| match value {
            insert::Value::Null => LabValue::Null,
            insert::Value::Text(text) => LabValue::Text(text),
            insert::Value::Integer(number) => LabValue::Integer(number),
        });
        values.collect()
    }
}
