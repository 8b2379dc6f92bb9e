//! Many rows in few statements, with few different statement texts, so that the databases keep them prepared.

use super::{
    StoreError,
    db::{Bind, Conn},
};

/// Rows per statement, largest first. 256 rows of 11 columns stay far below the parameter limits of both databases
/// (32,766 and 65,535).
const SIZES: [usize; 3] = [256, 16, 1];

/// Runs `{head} VALUES (…), (…) {tail}` for all rows, each of `columns` values: they are inserted, or what they name is deleted.
pub(super) async fn insert(
    conn: &mut Conn,
    head: &str,
    columns: usize,
    tail: &str,
    rows: Vec<Vec<Bind<'_>>>,
) -> Result<(), StoreError> {
    let mut left = rows.len();
    let mut rows = rows.into_iter();
    for size in SIZES {
        if left < size {
            continue;
        }
        let sql = statement(head, columns, tail, size, conn.is_postgres());
        while left >= size {
            let binds = rows.by_ref().take(size).flatten().collect();
            conn.run(sqlx::AssertSqlSafe(sql.clone()), binds).await?;
            left = left.saturating_sub(size);
        }
    }
    Ok(())
}

/// The text of a statement. SQLite gets placeholders without numbers: it keeps numbers as names in a list, and looks for the
/// name of each value that is bound from the beginning of that list, which took four fifths of the time of large commits.
fn statement(head: &str, columns: usize, tail: &str, rows: usize, numbered: bool) -> String {
    let mut number = 0_usize;
    let values = (0..rows).map(|_| {
        let row = (0..columns).map(|_| {
            number = number.saturating_add(1);
            if numbered { format!("${number}") } else { "?".to_owned() }
        });
        format!("({})", row.collect::<Vec<_>>().join(", "))
    });
    let values = values.collect::<Vec<_>>().join(", ");
    format!("{head} VALUES {values} {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_through_all_rows() {
        let text = |numbered| statement("INSERT INTO t (a, b)", 2, "ON CONFLICT DO NOTHING", 2, numbered);
        assert_eq!(text(true), "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING");
        assert_eq!(text(false), "INSERT INTO t (a, b) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING");
    }
}
