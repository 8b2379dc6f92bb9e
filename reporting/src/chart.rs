//! A chart of a report: what is drawn, apart from how. The page draws it from these data; mail, exports and whoever has no page get it as
//! [`svg`].

pub mod svg;

use serde::Serialize;

use crate::table::{Cell, Column, ColumnKind, Row, Table};

/// The column that holds the number of a run of ours: no series, but where a point leads to.
pub const RUN_COLUMN: &str = "jackfield_run";

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// Parts of a whole.
    Pie,
    /// A bar for each.
    Bar,
    /// A line through all.
    Line,
}

/// What stands along the bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Names, evenly spaced.
    Names,
    /// Numbers, where they belong.
    Numbers,
    /// Days, where they belong.
    Days,
}

/// A chart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chart {
    /// How it looks.
    pub kind: ChartKind,
    /// What stands along the bottom.
    pub axis: Axis,
    /// As the query names it.
    pub axis_name: String,
    /// What each point is of.
    pub labels: Vec<String>,
    /// Where each point is along the bottom: its number, its day in seconds since 1970, or its place.
    pub places: Vec<f64>,
    /// What is drawn.
    pub series: Vec<Series>,
    /// The run that each point leads to; empty where the query has no column `jackfield_run`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Option<u64>>,
}

/// A line, or bars of one colour.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// As the query names it.
    pub name: String,
    /// A value for each label; none where there is none.
    pub values: Vec<Option<f64>>,
}

/// Why no chart can be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// It has one column.
    #[error("a chart needs two columns: what each point is of, and a number; this query gives {0}")]
    Columns(usize),
    /// A column without a number.
    #[error("column `{0}` has no number to draw; a chart needs numbers from the second column on")]
    NoNumbers(String),
    /// Parts of a whole cannot be less than nothing.
    #[error("a pie has no room for {0} of `{1}`: a part is not negative")]
    Negative(String, String),
    /// Nothing to draw.
    #[error("the select is empty")]
    Empty,
}

impl Chart {
    /// The first column is what each point is of, every other one with numbers a series, but [`RUN_COLUMN`].
    ///
    /// # Errors
    /// There is nothing to draw.
    pub fn of(kind: ChartKind, table: &Table) -> Result<Self, ChartError> {
        let [first, others @ ..] = &*table.columns else { return Err(ChartError::Columns(0)) };
        if others.is_empty() {
            return Err(ChartError::Columns(1));
        }
        if table.rows.is_empty() {
            return Err(ChartError::Empty);
        }
        let label = |cell: Option<&Cell>| cell.and_then(Cell::text).unwrap_or("NULL").to_owned();
        let labels: Vec<String> = table.rows.iter().map(|row| label(row.first())).collect();
        let mut series = Vec::new();
        for (at, column) in (1..).zip(others).filter(|(_, column)| !is_run(column)) {
            let values: Vec<Option<f64>> =
                table.rows.iter().map(|row| row.get(at).and_then(Cell::number)).collect();
            let is_text = |row: &Vec<Cell>| {
                row.get(at).is_some_and(|cell| matches!(cell, Cell::Text(_)) && cell.number().is_none())
            };
            if table.rows.iter().any(is_text) || values.iter().all(Option::is_none) {
                continue;
            }
            series.push(Series { name: column.name.clone(), values });
        }
        let Some(drawn) = series.first() else {
            let name = others.first().map(|column| column.name.clone()).unwrap_or_default();
            return Err(ChartError::NoNumbers(name));
        };
        if kind == ChartKind::Pie {
            let below =
                labels.iter().zip(&drawn.values).find(|(_, value)| value.is_some_and(|value| value < 0.0));
            if let Some((label, value)) = below {
                return Err(ChartError::Negative(value.unwrap_or_default().to_string(), label.clone()));
            }
        }
        let (axis, places) = places(kind, first.kind, &labels, table);
        let runs = runs(table);
        Ok(Self { kind, axis, axis_name: first.name.clone(), labels, places, series, runs })
    }
}

fn is_run(column: &Column) -> bool {
    column.name.eq_ignore_ascii_case(RUN_COLUMN)
}

/// The runs of the points; the first column may be the one that names them.
fn runs(table: &Table) -> Vec<Option<u64>> {
    let Some(at) = table.columns.iter().position(is_run) else { return Vec::new() };
    let run = |row: &Row| row.get(at).and_then(Cell::text).and_then(|text| text.trim().parse().ok());
    table.rows.iter().map(run).collect()
}

/// Where the points are: days and numbers where they belong, if all of them are some and they go up; names one after the other.
fn places(kind: ChartKind, of: ColumnKind, labels: &[String], table: &Table) -> (Axis, Vec<f64>) {
    let goes_up = |places: &[f64]| places.windows(2).all(|pair| matches!(pair, [one, other] if one < other));
    if kind == ChartKind::Line {
        let days: Option<Vec<f64>> = labels.iter().map(|label| day(label)).collect();
        if let Some(days) = days.filter(|days| goes_up(days)) {
            return (Axis::Days, days);
        }
        let numbers: Option<Vec<f64>> =
            table.rows.iter().map(|row| row.first().and_then(Cell::number)).collect();
        let are_numbers = of == ColumnKind::Number
            || table.rows.iter().all(|row| matches!(row.first(), Some(Cell::Number(_))));
        if let Some(numbers) = numbers.filter(|numbers| are_numbers && goes_up(numbers)) {
            return (Axis::Numbers, numbers);
        }
    }
    let places = (0_u32..).map(f64::from).take(labels.len()).collect();
    (Axis::Names, places)
}

/// `2026-11-30`, perhaps with a time, as the databases write it: in seconds since 1970. A time zone that it names is kept to.
fn day(text: &str) -> Option<f64> {
    let text = text.trim();
    let whole = text.replacen(' ', "T", 1);
    let zoned = jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%#z", &whole)
        .or_else(|_| jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%#z", &whole));
    if let Ok(instant) = zoned {
        return seconds(instant);
    }
    let civil: jiff::civil::DateTime = match whole.parse() {
        Ok(civil) => civil,
        Err(_) => whole.parse::<jiff::civil::Date>().ok()?.to_datetime(jiff::civil::Time::midnight()),
    };
    if text.len() < 10 {
        return None;
    }
    let instant = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    seconds(instant.timestamp())
}

/// Seconds as a number to draw with.
fn seconds(instant: jiff::Timestamp) -> Option<f64> {
    instant.as_second().to_string().parse().ok()
}

#[cfg(test)]
mod tests;
