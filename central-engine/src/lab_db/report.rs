//! The reports of the lab's files: found by name, asked with the values that people give, and handed out as rows or as a chart.
//!
//! A report of one query goes through row by row. One that is made of two (`SQLTotal`, `SQLCompare`) and a chart stand in memory, so they
//! have a limit.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use jackfield_config::{
    Databases, LabDatabase,
    db::{DbConfig, Field, Report, ReportKind},
    problem::nearest,
};
use jackfield_reporting::{
    chart::{Chart, ChartError, ChartKind},
    insert::{InsertError, Known, Statement, Value},
    table::{
        Column, Table,
        join::{self, JoinError},
    },
};

use super::{
    Address, AddressError, LabDbError, choices,
    read::{Query, Reader, View},
};
use crate::limits;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// None of that name.
    #[error("there is no report `{name}`{help}")]
    Unknown {
        /// As it was asked for.
        name: String,
        /// The nearest.
        help: String,
    },
    /// Values are missing, or of no field.
    #[error("{0}")]
    Fields(String),
    /// `db_config` cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A query cannot be bound.
    #[error("{which}: {error}")]
    Query {
        /// Which query.
        which: &'static str,
        /// Why.
        error: InsertError,
    },
    /// The database did not do it.
    #[error("{which}: {error}")]
    Database {
        /// Which query.
        which: &'static str,
        /// Why.
        error: LabDbError,
    },
    /// Two queries do not fit.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// No chart can be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

/// Values of fields, by name.
pub type Values = BTreeMap<String, String>;

/// A report, with the database it is of.
#[derive(Clone, Copy, Debug)]
pub struct Found<'l> {
    /// Where it stands.
    pub database: &'l LabDatabase,
    /// What it says.
    pub report: &'l Report,
}

/// The report of a name.
///
/// # Errors
/// There is none; the error names the nearest.
pub fn find<'l>(databases: &'l Databases, name: &str) -> Result<Found<'l>, ReportError> {
    let found = all(databases).find(|found| &*found.report.id.value == name);
    found.ok_or_else(|| {
        let help = meant(name, all(databases).map(|found| &*found.report.id.value));
        ReportError::Unknown { name: name.to_owned(), help }
    })
}

/// What a name was most likely to be, for the end of a message; empty where nothing is near.
fn meant<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(name, known).map(|near| format!("; do you mean `{near}`?")).unwrap_or_default()
}

/// Every report of the lab.
pub fn all(databases: &Databases) -> impl Iterator<Item = Found<'_>> {
    databases
        .reports
        .iter()
        .flat_map(|database| database.config.reports.iter().map(move |report| Found { database, report }))
}

impl<'l> Found<'l> {
    /// What it is, in the one word that pages, programs and terminals have for it.
    pub fn kind(&self) -> &'static str {
        match self.report.kind {
            ReportKind::Table => "table",
            ReportKind::PieChart => "pie",
            ReportKind::BarChart => "bar",
            ReportKind::LineChart => "line",
        }
    }

    /// The fields that its queries name, in the order of the file.
    pub fn fields(&self) -> Vec<&'l Field> {
        let Report { query, total, compare, .. } = self.report;
        let texts = [Some(&query.value), total.as_ref(), compare.as_ref()];
        let names = |field: &&Field| {
            let place = format!("@{}@", field.id.value);
            texts.iter().flatten().any(|text| text.contains(&place))
        };
        self.database.config.report_fields.iter().filter(names).collect()
    }

    /// Whether it is made of two queries.
    fn is_joined(&self) -> bool {
        self.report.total.is_some() || self.report.compare.is_some()
    }

    /// Opens it; no query of it takes longer than `wait`.
    ///
    /// # Errors
    /// Values are missing, or the database does not do it.
    pub async fn open(&self, root: &Path, values: &Values, wait: Duration) -> Result<Opened, ReportError> {
        self.check(root, values).await?;
        let address = Address::of(self.database.config.connection.as_ref(), root)?;
        let query = |error| ReportError::Database { which: "SQLQuery", error };
        let mut reader = Reader::open(&address, wait).await.map_err(query)?;
        let main = self.prepare(&mut reader, "SQLQuery", &self.report.query.value, values).await?;
        if !self.is_joined() {
            return Ok(Opened {
                kind: self.report.kind,
                columns: main.columns.clone(),
                notices: reader.notice(&main).into_iter().collect(),
                source: Source::Query(reader, main),
            });
        }
        let mut notices: Vec<String> = reader.notice(&main).into_iter().collect();
        let mut table = take(&mut reader, "SQLQuery", &main, &mut notices).await?;
        if let Some(total) = &self.report.total {
            let total = self.prepare(&mut reader, "SQLTotal", total, values).await?;
            let total = take(&mut reader, "SQLTotal", &total, &mut notices).await?;
            table = join::share(&table, &total)?;
        }
        if let Some(compare) = &self.report.compare {
            let compare = self.prepare(&mut reader, "SQLCompare", compare, values).await?;
            let compare = take(&mut reader, "SQLCompare", &compare, &mut notices).await?;
            table = join::beside(&table, &compare);
        }
        let (kind, columns) = (self.report.kind, table.columns.clone());
        Ok(Opened { kind, columns, source: Source::Table(table), notices })
    }

    /// Every field has a value, and every value a field.
    ///
    /// # Errors
    /// One has none, or is none.
    pub(crate) async fn check(&self, root: &Path, values: &Values) -> Result<(), ReportError> {
        let fields = self.fields();
        let known: BTreeSet<&str> =
            self.database.config.report_fields.iter().map(|field| &*field.id.value).collect();
        if let Some(other) = values.keys().find(|name| !known.contains(name.as_str())) {
            let help = meant(other, known.iter().copied());
            return Err(ReportError::Fields(format!("no field of these reports is `{other}`{help}")));
        }
        let mut missing = Vec::new();
        for field in fields.iter().filter(|field| !values.contains_key(&*field.id.value)) {
            let told = choices::told(&self.database.config, field, root).await;
            missing.push(format!(
                "report `{}` needs a value for `{}`{told}",
                self.report.id.value, field.id.value
            ));
        }
        if missing.is_empty() { Ok(()) } else { Err(ReportError::Fields(missing.join("\n"))) }
    }

    async fn prepare(
        &self,
        reader: &mut Reader,
        which: &'static str,
        template: &str,
        values: &Values,
    ) -> Result<Query, ReportError> {
        let statement = Statement::parse(1, template, reader.dialect(), &known(&self.database.config))
            .map_err(|error| ReportError::Query { which, error })?;
        let bound = bound(&statement, values);
        reader.prepare(&statement, bound).await.map_err(|error| ReportError::Database { which, error })
    }
}

/// The names that the queries of a file's reports may use.
pub(super) fn known(config: &DbConfig) -> Known {
    let fields = config.report_fields.iter().map(|field| field.id.value.to_string());
    Known { fields: fields.collect(), ..Known::default() }
}

/// What stands for the fields in a query.
pub(super) fn bound(statement: &Statement, values: &Values) -> Vec<Value> {
    statement.values(&|_no_variables| None, &|field| values.get(field).cloned())
}

async fn take(
    reader: &mut Reader,
    which: &'static str,
    query: &Query,
    notices: &mut Vec<String>,
) -> Result<Table, ReportError> {
    let most = limits::CHART_ROWS_MAX;
    let view = View { limit: u64::try_from(most.saturating_add(1)).ok(), ..View::default() };
    let mut rows = reader.rows(query, &view).await.map_err(|error| ReportError::Database { which, error })?;
    if rows.len() > most {
        rows.truncate(most);
        notices.push(format!("{which} gives more than {most} rows; the others are left out"));
    }
    Ok(Table { columns: query.columns.clone(), rows })
}

/// A report that is ready to be read.
#[derive(Debug)]
pub struct Opened {
    kind: ReportKind,
    /// Its columns.
    pub columns: Vec<Column>,
    pub(super) source: Source,
    /// What a reader should know: what was left out.
    pub notices: Vec<String>,
}

/// Where the rows come from.
#[derive(Debug)]
pub(super) enum Source {
    Query(Reader, Query),
    Table(Table),
}

impl Opened {
    /// A page of it.
    ///
    /// # Errors
    /// The database does not do it.
    pub async fn page(&mut self, view: &View) -> Result<Table, ReportError> {
        let rows = match &mut self.source {
            Source::Query(reader, query) => reader
                .rows(query, view)
                .await
                .map_err(|error| ReportError::Database { which: "SQLQuery", error })?,
            Source::Table(table) => super::read::memory::page(table, view),
        };
        Ok(Table { columns: self.columns.clone(), rows })
    }

    /// How many rows a view has.
    ///
    /// # Errors
    /// The database does not do it.
    pub async fn count(&mut self, view: &View) -> Result<u64, ReportError> {
        match &mut self.source {
            Source::Query(reader, query) => reader
                .count(query, view)
                .await
                .map_err(|error| ReportError::Database { which: "SQLQuery", error }),
            Source::Table(table) => {
                let whole = View { offset: 0, limit: None, ..view.clone() };
                Ok(u64::try_from(super::read::memory::page(table, &whole).len()).unwrap_or(u64::MAX))
            }
        }
    }

    /// What is drawn of it; a table of numbers is drawn as bars where somebody asks for a chart.
    ///
    /// # Errors
    /// There is nothing to draw, or the database does not do it.
    pub async fn chart(&mut self) -> Result<Chart, ReportError> {
        let kind = match self.kind {
            ReportKind::PieChart => ChartKind::Pie,
            ReportKind::LineChart => ChartKind::Line,
            ReportKind::BarChart | ReportKind::Table => ChartKind::Bar,
        };
        let table = self.table().await?;
        // Side by side, the names of the other query are no numbers: they are passed over.
        Ok(Chart::of(kind, &table)?)
    }

    /// As much of it as a chart can show.
    async fn table(&mut self) -> Result<Table, ReportError> {
        match &mut self.source {
            Source::Query(reader, query) => take(reader, "SQLQuery", query, &mut self.notices).await,
            Source::Table(table) => Ok(table.clone()),
        }
    }
}
