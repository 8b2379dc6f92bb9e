//! A report of two queries: one as a share of the other (`SQLTotal`), or both side by side (`SQLCompare`).

use std::collections::BTreeMap;

use super::{Cell, Column, ColumnKind, Row, Table};

/// Why two queries make no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// A share needs what it is of, and a number.
    #[error("{which} gives {columns} columns; a share needs two: what it is of, and a number")]
    Columns {
        /// Which query.
        which: &'static str,
        /// How many.
        columns: usize,
    },
    /// No number where one is needed.
    #[error("row {row} of {which} has `{value}` where a number is needed")]
    NoNumber {
        /// Which query.
        which: &'static str,
        /// From 1.
        row: usize,
        /// What stands there.
        value: String,
    },
    /// Rows that belong to none.
    #[error(
        "SQLTotal names a thing twice, so its rows can only be put beside those of SQLQuery in order, and there are {total} of it and {part} of the other; give each thing one row"
    )]
    Rows {
        /// Of `SQLQuery`.
        part: usize,
        /// Of `SQLTotal`.
        total: usize,
    },
}

/// How large a part is of a whole, in percent with two decimals: a row for each of the whole's. A part that is not there is 0; a whole of 0
/// has none.
///
/// # Errors
/// The two do not fit.
pub fn share(part: &Table, total: &Table) -> Result<Table, JoinError> {
    let parts = numbers(part, "SQLQuery")?;
    let totals = numbers(total, "SQLTotal")?;
    let by_label: BTreeMap<&str, f64> = parts.iter().copied().collect();
    let labels: BTreeMap<&str, f64> = totals.iter().copied().collect();
    let in_order = labels.len() < totals.len() || by_label.len() < parts.len();
    if in_order && parts.len() != totals.len() {
        return Err(JoinError::Rows { part: parts.len(), total: totals.len() });
    }
    let rows = totals.iter().enumerate().map(|(at, (label, whole))| {
        let of_label =
            if in_order { parts.get(at).map(|(_, part)| *part) } else { by_label.get(label).copied() };
        let percent = of_label.unwrap_or(0.0) / whole * 100.0;
        let share = if percent.is_finite() { Cell::Number(format!("{percent:.2}")) } else { Cell::Null };
        let first = total.rows.get(at).and_then(|row| row.first()).cloned().unwrap_or(Cell::Null);
        vec![first, share]
    });
    let rows: Vec<Row> = rows.collect();
    let mut columns: Vec<Column> = total.columns.iter().take(2).cloned().collect();
    columns.iter_mut().skip(1).for_each(|column| column.kind = ColumnKind::Number);
    Ok(Table { columns, rows })
}

fn numbers<'t>(table: &'t Table, which: &'static str) -> Result<Vec<(&'t str, f64)>, JoinError> {
    let columns = table.columns.len();
    if columns < 2 {
        return Err(JoinError::Columns { which, columns });
    }
    let read =
        |(row, cells): (usize, &'t Row)| {
            let label = cells.first().and_then(Cell::text).unwrap_or_default();
            match cells.get(1) {
                Some(Cell::Null) | None => Ok((label, 0.0)),
                Some(cell) => cell.number().map(|number| (label, number)).ok_or_else(|| {
                    JoinError::NoNumber { which, row, value: cell.text().unwrap_or_default().to_owned() }
                }),
            }
        };
    (1..).zip(&table.rows).map(read).collect()
}

/// Both side by side, row by row; where one has fewer, its part is empty.
pub fn beside(left: &Table, right: &Table) -> Table {
    let columns = left.columns.iter().chain(&right.columns).cloned().collect();
    let empty = |table: &Table| vec![Cell::Null; table.columns.len()];
    let count = left.rows.len().max(right.rows.len());
    let row = |table: &Table, at: usize| table.rows.get(at).cloned().unwrap_or_else(|| empty(table));
    let rows = (0..count).map(|at| [row(left, at), row(right, at)].concat()).collect();
    Table { columns, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, &str)]) -> Table {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        let row = |(label, number): &(&str, &str)| {
            vec![Cell::Text((*label).to_owned()), Cell::Number((*number).to_owned())]
        };
        Table {
            columns: vec![column("Run", ColumnKind::Text), column("Count", ColumnKind::Number)],
            rows: rows.iter().map(row).collect(),
        }
    }

    fn told(table: &Table) -> Vec<String> {
        let text = |cell: &Cell| cell.text().unwrap_or("-").to_owned();
        table.rows.iter().map(|row| row.iter().map(text).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn a_share_is_of_the_thing_of_its_name() {
        let passed = table(&[("Run 1", "2"), ("Run 3", "1")]);
        let all = table(&[("Run 1", "3"), ("Run 2", "4"), ("Run 3", "1"), ("Run 4", "0")]);
        assert_eq!(
            told(&share(&passed, &all).unwrap()),
            ["Run 1 66.67", "Run 2 0.00", "Run 3 100.00", "Run 4 -"]
        );
    }

    #[test]
    fn rows_without_names_of_their_own_are_taken_in_order() {
        let twice = table(&[("a", "4"), ("a", "8")]);
        assert_eq!(told(&share(&table(&[("a", "1"), ("a", "2")]), &twice).unwrap()), ["a 25.00", "a 25.00"]);
        assert_eq!(share(&table(&[("a", "1")]), &twice), Err(JoinError::Rows { part: 1, total: 2 }));
        let error = share(&table(&[("a", "x")]), &twice).unwrap_err().to_string();
        assert_eq!(error, "row 1 of SQLQuery has `x` where a number is needed");
    }

    #[test]
    fn two_queries_stand_side_by_side() {
        let both = beside(&table(&[("a", "1"), ("b", "2")]), &table(&[("a", "3")]));
        assert_eq!((both.columns.len(), told(&both)), (4, vec!["a 1 a 3".to_owned(), "b 2 - -".to_owned()]));
    }
}
