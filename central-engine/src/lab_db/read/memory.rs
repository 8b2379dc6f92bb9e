//! A view of rows that stand in memory.

use std::cmp::Ordering;

use jackfield_reporting::table::{Cell, Row, Table};

use super::View;

/// A page.
pub(crate) fn page(table: &Table, view: &View) -> Vec<Row> {
    let mut rows: Vec<&Row> = table.rows.iter().filter(|row| is_wanted(row, view)).collect();
    if let Some((column, is_descending)) = view.sort {
        rows.sort_by(|one, other| {
            let order = order(one.get(column), other.get(column));
            if is_descending { order.reverse() } else { order }
        });
    }
    let offset = usize::try_from(view.offset).unwrap_or(usize::MAX);
    let limit = view.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    rows.into_iter().skip(offset).take(limit).cloned().collect()
}

fn is_wanted(row: &Row, view: &View) -> bool {
    let holds = |cell: Option<&Cell>, text: &str| {
        cell.and_then(Cell::text).is_some_and(|held| held.to_lowercase().contains(&text.to_lowercase()))
    };
    let filtered = view.filters.iter().all(|(column, text)| holds(row.get(*column), text));
    filtered && (view.search.is_empty() || row.iter().any(|cell| holds(Some(cell), &view.search)))
}

/// NULL first, then numbers, then texts.
fn order(one: Option<&Cell>, other: Option<&Cell>) -> Ordering {
    let key = |cell: Option<&Cell>| {
        let number = cell.and_then(Cell::number);
        let rank = match (cell, number) {
            (None | Some(Cell::Null), _) => 0,
            (Some(_), Some(_)) => 1,
            (Some(_), None) => 2,
        };
        (rank, number.unwrap_or(0.0), cell.and_then(Cell::text).unwrap_or_default().to_owned())
    };
    let ((rank, number, text), (other_rank, other_number, other_text)) = (key(one), key(other));
    rank.cmp(&other_rank).then(number.total_cmp(&other_number)).then(text.cmp(&other_text))
}
