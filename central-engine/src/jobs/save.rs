//! The results of a run into the lab's own databases, as `db.xml` says, each once.
//!
//! The store knows of each database how far it is ([`Progress`]): before inserts begin it is noted which, and afterwards what became of
//! them ([`pass`]). So a run goes on where it was, whatever died; what cannot be known is left to a person, except where the lab allows
//! a table of ours that tells.

mod fields;
pub(super) mod live;
mod pass;
mod prepare;

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use jackfield_protocol::id::{RunId, TestIndex};
use jackfield_reporting::{
    insert::{Statement, Value},
    results::{Results, Row},
    variables::{Style, Variables},
};

use self::{fields::Fields, pass::Pass, prepare::Prepared};
use super::{End, Tried, results_of};
use crate::{
    app::App,
    clock, limits,
    run::results::LogsOfEngine,
    store::{
        self, StoreError,
        saved::{Progress, Saved},
    },
};

/// Letters of a random word that tell engines apart.
const WORD_CHARS: usize = 32;
/// Refusals that an error tells; the others are counted.
const REFUSALS_TOLD_MAX: usize = 5;

pub(super) async fn run(app: &App, run: RunId) -> Tried {
    let results = match begin(app, run).await? {
        Begin::Over => return Ok(End::done()),
        Begin::Unknown(error) => return Ok(End::Hopeless(error)),
        Begin::Now => results_of(app, run).await?,
    };
    let prepared = match prepare::prepare(app, &results, &word(app).await?) {
        Ok(prepared) if prepared.is_empty() => return Ok(End::done()),
        Ok(prepared) => prepared,
        Err(error) => return Ok(End::Hopeless(error)),
    };
    let mut stopped = None;
    for database in &prepared {
        if let Err(error) = into_database(app, database, &results).await? {
            stopped.get_or_insert(error.context(format!("the lab's database, {}", database.address)));
        }
    }
    let parts = store::saved::parts(&mut app.store.read().await?, run).await?;
    Ok(conclude(run, &results, &parts, stopped))
}

enum Begin {
    Now,
    Over,
    Unknown(anyhow::Error),
}

/// What tells this engine's rows in the lab's database from those of others.
pub(super) async fn word(app: &App) -> Result<String, StoreError> {
    let first = store::life::first(&mut app.store.read().await?).await?.unwrap_or_default();
    Ok(first.chars().take(WORD_CHARS).collect())
}

/// Whether there is anything to begin.
async fn begin(app: &App, run: RunId) -> Result<Begin> {
    let mut conn = app.store.read().await?;
    match store::saved::state(&mut conn, run).await? {
        Some(Saved::Done) => return Ok(Begin::Over),
        Some(Saved::Begun) if store::saved::parts(&mut conn, run).await?.is_empty() => {
            return Ok(Begin::Unknown(anyhow!(
                "the engine was killed while the results of run {run} were inserted, and it is not known whether the \
                 database has them; look there, and if it has not: `jackfield runs insert {run} --again`"
            )));
        }
        Some(Saved::Begun) | None => {}
    }
    Ok(Begin::Now)
}

/// Inserts what is not in a database yet; the inner error is that of a database which does not do it now.
async fn into_database(
    app: &App,
    database: &Prepared,
    results: &Results,
) -> Result<Result<(), anyhow::Error>, StoreError> {
    // The turn comes first: what is noted is read when nobody else changes it.
    let _turn = app.lab_db_turns.of(&database.address).await;
    let run = results.run.id;
    let mut parts = store::saved::parts(&mut app.store.read().await?, run).await?;
    let progress = parts.remove(&database.section).unwrap_or_default();
    let note = Note { app, run, section: database.section };
    note.put(&progress).await?;
    let logs = LogsOfEngine(app.logs.clone());
    Ok(Pass::new(app, database, results, note, progress, &logs).run().await)
}

/// Where it is noted how far a run is.
#[derive(Clone, Copy)]
struct Note<'a> {
    app: &'a App,
    run: RunId,
    section: u32,
}

impl Note<'_> {
    async fn put(self, progress: &Progress) -> Result<(), StoreError> {
        let mut conn = self.app.store.write().await?;
        store::saved::begin(&mut conn, self.run, clock::now()).await?;
        store::saved::put_part(&mut conn, self.run, self.section, progress).await?;
        conn.commit().await
    }

    /// Puts it there, however often that must be tried: what has become of rows is known here alone.
    async fn keep(self, progress: &Progress) {
        let mut wait = limits::JOB_STORE_WAIT;
        while let Err(error) = self.put(progress).await {
            tracing::warn!(run.id = %self.run, "it cannot be noted which rows the lab's database has: {error}; it is tried again");
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2).min(limits::JOB_STORE_WAIT_MAX);
        }
    }
}

/// What is to be said of all databases together.
fn conclude(
    run: RunId,
    results: &Results,
    parts: &BTreeMap<u32, Progress>,
    stopped: Option<anyhow::Error>,
) -> End {
    if let Some(error) = stopped {
        return End::NotSaved(error);
    }
    let name =
        |test: u32| results.row(TestIndex(test)).map_or_else(String::new, |row| row.test.name.to_string());
    let refusals: Vec<String> = parts
        .values()
        .flat_map(Progress::refusals)
        .map(|refusal| {
            let others = match refusal.tests.saturating_sub(1) {
                0 => String::new(),
                others => format!(" and {others} more"),
            };
            format!(
                "db.xml: statement {}, for test {}{others}: {}",
                refusal.statement,
                name(refusal.first),
                refusal.error
            )
        })
        .collect();
    if !refusals.is_empty() {
        let told = refusals.iter().take(REFUSALS_TOLD_MAX).map(String::as_str).collect::<Vec<_>>().join("; ");
        let more = match refusals.len().saturating_sub(REFUSALS_TOLD_MAX) {
            0 => String::new(),
            more => format!("; and {more} other refusals"),
        };
        return End::NotSaved(anyhow!("{told}{more}"));
    }
    let unknown: Vec<u32> = parts.values().flat_map(Progress::unknown_tests).collect();
    match unknown.first() {
        Some(first) => End::Hopeless(anyhow!(
            "it is not known whether the database has the rows of {} tests of run {run}, {} the first of them: the engine, the database or \
             the connection died while it was to keep them, and db.xml allows no <marker> that would tell; look there, and if it has not: \
             `jackfield runs insert {run} --again`",
            unknown.len(),
            name(*first)
        )),
        None => End::Saved,
    }
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
