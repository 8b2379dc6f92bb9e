//! A query, with what a page wants of it around it: the database sorts, filters and counts, not we.

use jackfield_reporting::insert::Value;

use super::{Conn, LabDbError, Query, View};

/// More rows than any table has: with a limit, MySQL keeps the order of a query inside another.
const MYSQL_ALL: &str = "18446744073709551615";

/// A query as it is asked.
pub(super) struct Shaped {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
    /// Rows that are left to us to pass over, and the most that are wanted.
    pub(super) cut: (u64, Option<u64>),
}

/// A page of the rows. MySQL forgets the order of a query inside another, and wants different names for its columns there: where nothing is
/// sorted or filtered, it is asked as it is. The limit of the page stands behind a query that may be cut; of another the rows
/// before the page are passed over.
pub(super) fn page(conn: &Conn, query: &Query, view: &View) -> Result<Shaped, LabDbError> {
    let plain = matches!(conn, Conn::MySql(_)) && !view.shapes();
    if plain {
        let (mut sql, values) = (query.sql.clone(), query.values.clone());
        let Some(limit) = view.limit.filter(|_| may_be_cut(&sql)) else {
            return Ok(Shaped { sql, values, cut: (view.offset, view.limit) });
        };
        // On a line of its own: the query may end with a comment.
        sql.push_str(&format!("\nLIMIT {limit} OFFSET {}", view.offset));
        return Ok(Shaped { sql, values, cut: (0, None) });
    }
    let (sql, values) = whole(conn, query, view)?;
    let cut = if view.limit.is_some() { (0, None) } else { (view.offset, None) };
    Ok(Shaped { sql, values, cut })
}

/// The rows of a view, up to its limit where it has one.
pub(super) fn whole(conn: &Conn, query: &Query, view: &View) -> Result<(String, Vec<Value>), LabDbError> {
    let dialect = Dialect(conn);
    let (chosen, values) = chosen(&dialect, query, view)?;
    Ok((dialect.as_text(query, chosen), values))
}

/// The rows of a view before they are written as text.
pub(super) fn chosen(
    dialect: &impl Words,
    query: &Query,
    view: &View,
) -> Result<(String, Vec<Value>), LabDbError> {
    let mut values = query.values.clone();
    let (select, table) = dialect.table(query, view);
    let mut wanted = Vec::new();
    for (column, text) in &view.filters {
        if query.columns.get(*column).is_none() {
            return Err(no_column(*column, query));
        }
        wanted.push(dialect.holds(query, *column, values.len()));
        values.push(like(text));
    }
    if !view.search.is_empty() {
        let mut any = Vec::new();
        for column in 0..query.columns.len() {
            any.push(dialect.holds(query, column, values.len()));
            values.push(like(&view.search));
        }
        wanted.push(format!("({})", any.join(" OR ")));
    }
    let mut sql = format!("SELECT {select} FROM {table}");
    if !wanted.is_empty() {
        sql.push_str(&format!(" WHERE {}", wanted.join(" AND ")));
    }
    if let Some((column, is_descending)) = view.sort {
        if query.columns.get(column).is_none() {
            return Err(no_column(column, query));
        }
        let order = if is_descending { "DESC" } else { "ASC" };
        sql.push_str(&format!(" ORDER BY {} {order}", dialect.name(query, column)));
    }
    if let Some(limit) = view.limit {
        sql.push_str(&format!(" LIMIT {limit}"));
        if view.offset > 0 {
            sql.push_str(&format!(" OFFSET {}", view.offset));
        }
    }
    Ok((sql, values))
}

/// How many rows a query has.
pub(super) fn counted(sql: &str) -> String {
    format!("SELECT CAST(COUNT(*) AS CHAR(20)) FROM (\n{sql}\n) AS jf_counted")
}

fn no_column(column: usize, query: &Query) -> LabDbError {
    let (number, count) = (column.saturating_add(1), query.columns.len());
    LabDbError::Refused(format!("there is no column {number}: the report has {count}"))
}

/// What is to be in a column, with the signs that `LIKE` knows taken as they are.
fn like(text: &str) -> Value {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    Value::Text(pattern)
}

/// How a database writes what is put around a query.
pub(super) trait Words {
    /// What is selected from which table.
    fn table(&self, query: &Query, view: &View) -> (String, String);
    /// A column of it.
    fn name(&self, query: &Query, column: usize) -> String;
    /// That a text is in a column; `before` places have a value already.
    fn holds(&self, query: &Query, column: usize, before: usize) -> String;
}

/// A query of PostgreSQL as a table whose columns have names that we know.
pub(super) fn named(sql: &str, columns: usize) -> String {
    let names: Vec<String> = (0..columns).map(|at| format!("c{at}")).collect();
    format!("(\n{sql}\n) AS jf({})", names.join(", "))
}

struct Dialect<'c>(&'c Conn);

impl Dialect<'_> {
    /// The rows that were chosen, as PostgreSQL writes them: outside, so that it does so for no row that is passed over.
    fn as_text(&self, query: &Query, chosen: String) -> String {
        match self.0 {
            Conn::Postgres(_) => {
                let texts: Vec<String> =
                    (0..query.columns.len()).map(|at| format!("jf.c{at}::text")).collect();
                format!("SELECT {} FROM (\n{chosen}\n) AS jf", texts.join(", "))
            }
            Conn::MySql(_) | Conn::Sqlite(_) => chosen,
        }
    }
}

impl Words for Dialect<'_> {
    fn table(&self, query: &Query, view: &View) -> (String, String) {
        let sql = &query.sql;
        match self.0 {
            Conn::Postgres(_) => ("*".to_owned(), named(sql, query.columns.len())),
            // The order counts only where no other is asked for.
            Conn::MySql(_) if view.sort.is_none() && !has_limit(sql) => {
                ("*".to_owned(), format!("(\n{sql}\nLIMIT {MYSQL_ALL}) AS jf"))
            }
            Conn::MySql(_) | Conn::Sqlite(_) => ("*".to_owned(), format!("(\n{sql}\n) AS jf")),
        }
    }

    fn name(&self, query: &Query, column: usize) -> String {
        let name = query.columns.get(column).map_or("", |column| &column.name);
        match self.0 {
            Conn::Postgres(_) => format!("jf.c{column}"),
            Conn::MySql(_) => format!("jf.`{}`", name.replace('`', "``")),
            Conn::Sqlite(_) => format!("jf.\"{}\"", name.replace('"', "\"\"")),
        }
    }

    fn holds(&self, query: &Query, column: usize, before: usize) -> String {
        let (name, place) = (self.name(query, column), before.saturating_add(1));
        match self.0 {
            Conn::Postgres(_) => format!("{name}::text ILIKE ${place}::text ESCAPE '!'"),
            Conn::MySql(_) => format!("CONVERT({name} USING utf8mb4) LIKE ? ESCAPE '!'"),
            Conn::Sqlite(_) => format!("CAST({name} AS TEXT) LIKE ${place} ESCAPE '!'"),
        }
    }
}

/// Whether pages of a query may be cut by a limit that is written behind it. It must have no end that no limit may follow, and no order:
/// rows that this does not tell apart MySQL may put in another order for each limit, so that pages would lack some and repeat others.
fn may_be_cut(sql: &str) -> bool {
    let first = words(sql).find(|word| !word.is_empty());
    let is_query = first.is_some_and(|first| is_one_of(first, &["SELECT", "WITH"]));
    let is_locked = words(sql).any(|word| is_one_of(word, &["FOR", "PROCEDURE"]));
    let is_ordered = words(sql).any(|word| is_one_of(word, &["ORDER"]));
    is_query && !is_locked && !is_ordered && !has_limit(sql)
}

/// Whether a query may end with a limit of its own; one in a part of it keeps us from adding another, too, which costs its order.
fn has_limit(sql: &str) -> bool {
    words(sql).any(|word| is_one_of(word, &["LIMIT", "FETCH", "INTO", "LOCK"]))
}

fn is_one_of(word: &str, known: &[&str]) -> bool {
    known.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// What stands in a query between signs and blanks; also in its comments and texts.
pub(super) fn words(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_query_without_an_order_and_an_end_of_its_own_is_cut_by_a_limit() {
        for sql in ["SELECT * FROM results", "select order_id from results", "WITH a AS (SELECT 1) TABLE a"] {
            assert!(may_be_cut(sql), "{sql}");
        }
        for sql in [
            "SELECT * FROM results ORDER BY name",
            "SELECT * FROM results LIMIT 5",
            "SELECT * FROM results FOR UPDATE",
            "SELECT * FROM results LOCK IN SHARE MODE",
            "SHOW TABLES",
        ] {
            assert!(!may_be_cut(sql), "{sql}");
        }
    }
}
