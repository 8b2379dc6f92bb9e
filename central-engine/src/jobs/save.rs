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
    insert::{self, Statement, Value},
    results::{Results, Row},
    variables::{Style, Variables},
};

use self::{fields::Fields, prepare::Prepared};
use super::{End, Tried, results_of};
use crate::{
    app::App,
    clock,
    lab_db::{LabDb, LabDbError},
    run::results::LogsOfEngine,
    store::{self, StoreError, saved::Saved},
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
    let whose = || format!("the lab's database, {}", prepared.address);
    let mut db = match LabDb::open(&prepared.address).await.with_context(whose) {
        Ok(db) => db,
        Err(error) => return Ok(End::NotSaved(error)),
    };
    if let Err(error) = insert_all(app, &prepared, &results, &mut db).await {
        if db.undo().await {
            return Ok(End::NotSaved(error));
        }
        return Ok(End::Hopeless(error.context(format!(
            "rows of run {run} that went in before may have stayed, since a table's engine takes nothing back (MyISAM): look \
             there, delete them, convert the table with ALTER TABLE … ENGINE=InnoDB, and then `jackfield runs save {run} --again`"
        ))));
    }
    Ok(match db.commit().await {
        Ok(()) => End::Saved,
        Err(error @ LabDbError::Refused(_)) => End::NotSaved(error.into()),
        Err(error) => End::Hopeless(anyhow!(
            "{error}, while it was to keep the results of run {run}: it is not known whether it has them; look there, \
             and if it has not: `jackfield runs save {run} --again`"
        )),
    })
}

async fn begin(app: &App, run: RunId) -> Result<(), StoreError> {
    let mut conn = app.store.write().await?;
    store::saved::begin(&mut conn, run, clock::now()).await?;
    conn.commit().await
}

/// Everything that is to be inserted, up to the moment at which the database is to keep it.
async fn insert_all(app: &App, prepared: &Prepared, results: &Results, db: &mut LabDb) -> Result<()> {
    let logs = LogsOfEngine(app.logs.clone());
    let mut fields = Fields::new(app, prepared);
    for row in results.rows().filter(|row| insert::is_saved(results, *row)) {
        let source = Source { results, row, logs: &logs };
        fields.evaluate(db, source).await?;
        for (number, statement) in (1..).zip(&prepared.statements) {
            let run = db.run(statement, &source.bound(statement, &fields)).await;
            run.with_context(|| format!("db.xml: statement {number}, for test {}", row.test.name))?;
        }
    }
    Ok(())
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

    fn bound(self, statement: &Statement, fields: &Fields<'_>) -> Vec<Value> {
        statement.values(&|name| self.variable(fields, name), &|name| fields.selected(name))
    }
}
