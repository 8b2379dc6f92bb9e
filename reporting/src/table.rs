//! The rows of a report of `db.xml`, and the documents that are made of them: CSV, JSON, charts.
//!
//! A value is what the database wrote, digit for digit: a decimal or a large number is no floating point number on its way through.

mod csv;
pub mod join;
mod json;

use serde::Serialize;

pub use self::{csv::write_row as csv_row, json::row as json_row};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A number, as its digits are written.
    Number(String),
    /// Whatever else, as the database writes it; bytes that are no text as hexadecimal digits behind `\x`.
    Text(String),
}

/// A row, in the order of the columns.
pub type Row = Vec<Cell>;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// As the query names it.
    pub name: String,
    /// What stands in it.
    pub kind: ColumnKind,
}

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Days, with or without a time.
    Date,
    /// Whatever else; in SQLite, where any column may hold anything, also numbers.
    Text,
}

/// Rows that are few enough to stand in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each with a value for every column.
    pub rows: Vec<Row>,
}

impl Cell {
    /// As text; none for NULL.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Null => None,
            Self::Number(text) | Self::Text(text) => Some(text),
        }
    }

    /// The same, taken out.
    pub fn into_text(self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Number(text) | Self::Text(text) => Some(text),
        }
    }

    /// As a number to draw or to compute with; none where it is none.
    pub fn number(&self) -> Option<f64> {
        let number: f64 = self.text()?.trim().parse().ok()?;
        number.is_finite().then_some(number)
    }
}
