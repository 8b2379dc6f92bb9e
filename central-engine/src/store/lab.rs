//! The lab's own results database. Its tables are the lab's; we only run what `db.xml` says, with bound values.

use sqlx::{
    AssertSqlSafe, Column, Row as _, Sqlite, SqlitePool, Transaction, TypeInfo as _, ValueRef as _,
    sqlite::SqliteConnectOptions,
};

/// Why the lab's database did not take something.
#[derive(Debug, thiserror::Error)]
#[error("the database refused: {0}")]
pub struct LabDbError(String);

impl From<sqlx::Error> for LabDbError {
    /// The database's own words, without ours around them.
    fn from(error: sqlx::Error) -> Self {
        let words = error.as_database_error().map(|error| error.message().to_owned());
        Self(words.unwrap_or_else(|| error.to_string()))
    }
}

/// A value to bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabValue {
    /// No value.
    Null,
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
}

/// One transaction on the lab's database; dropped without [`LabDb::commit`], nothing of it happened.
#[derive(Debug)]
pub struct LabDb {
    transaction: Transaction<'static, Sqlite>,
}

impl LabDb {
    /// Opens a SQLite database, and makes the file if it is not there: the tables are up to `db.xml`.
    ///
    /// # Errors
    /// It cannot be opened, or is locked by others for too long.
    pub async fn open(path: &str) -> Result<Self, LabDbError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(crate::limits::STORE_WAIT);
        let pool = SqlitePool::connect_with(options).await?;
        Ok(Self { transaction: pool.begin_with("BEGIN IMMEDIATE").await? })
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// The database refused it.
    pub async fn run(&mut self, sql: &str, values: &[LabValue]) -> Result<(), LabDbError> {
        bind(sql, values).execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// The first column of the first row of a query, as text; none where there is no row, or it is NULL.
    ///
    /// # Errors
    /// The database refused it.
    pub async fn value(&mut self, sql: &str, values: &[LabValue]) -> Result<Option<String>, LabDbError> {
        let Some(row) = bind(sql, values).fetch_optional(&mut *self.transaction).await? else {
            return Ok(None);
        };
        let Some(column) = row.columns().first().map(Column::ordinal) else { return Ok(None) };
        let value = row.try_get_raw(column)?;
        if value.is_null() {
            return Ok(None);
        }
        Ok(match value.type_info().name() {
            "INTEGER" => Some(row.try_get_unchecked::<i64, _>(column)?.to_string()),
            "REAL" => Some(row.try_get_unchecked::<f64, _>(column)?.to_string()),
            _ => Some(row.try_get_unchecked::<String, _>(column)?),
        })
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// The database could not.
    pub async fn commit(self) -> Result<(), LabDbError> {
        Ok(self.transaction.commit().await?)
    }
}

fn bind<'q>(sql: &str, values: &[LabValue]) -> sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    values.iter().fold(query, |query, value| match value {
        LabValue::Null => query.bind(None::<String>),
        LabValue::Text(text) => query.bind(text.clone()),
        LabValue::Integer(number) => query.bind(*number),
    })
}
