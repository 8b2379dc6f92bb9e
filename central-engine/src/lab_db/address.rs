//! Where the lab's database is, as `db_config` of `db.xml` says.

use std::{fmt, path::Path, str::FromStr as _};

use jackfield_config::db::{
    Connection,
    database::{Database, NoDatabase},
};
use jackfield_reporting::insert::Dialect;
use sqlx::{mysql::MySqlConnectOptions, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};

use crate::{limits::STORE_WAIT, secret_place};

/// Where the lab's database is, and how it is entered.
#[derive(Clone)]
pub enum Address {
    /// MySQL or MariaDB.
    MySql(MySqlConnectOptions),
    /// PostgreSQL.
    Postgres(PgConnectOptions),
    /// A SQLite file.
    Sqlite(SqliteConnectOptions),
}

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// The file says nothing that we understand.
    #[error(transparent)]
    None(#[from] NoDatabase),
    /// The address is not one.
    #[error("the <url> of <db_config> cannot be read: {0}")]
    Url(sqlx::Error),
    /// The password stands elsewhere, and is not there.
    #[error("the password of <db_config>: {0}")]
    Password(String),
}

impl Address {
    /// The address that a configuration names; a relative path lies below `root`.
    ///
    /// # Errors
    /// It names none, or one of a kind that is not known.
    pub fn of(connection: Option<&Connection>, root: &Path) -> Result<Self, AddressError> {
        Ok(match Database::of(connection)? {
            Database::Sqlite { path } => Self::Sqlite(
                SqliteConnectOptions::new()
                    .filename(root.join(path))
                    .create_if_missing(true)
                    .busy_timeout(STORE_WAIT),
            ),
            Database::Postgres { url } => Self::Postgres(
                PgConnectOptions::from_str(url.expose_for_login().trim())
                    .map_err(AddressError::Url)?
                    .application_name("jackfield"),
            ),
            Database::MySql { url } => Self::MySql(as_the_lab_does(
                MySqlConnectOptions::from_str(url.expose_for_login().trim()).map_err(AddressError::Url)?,
            )),
            Database::Server { host, port, database, user, password } => {
                let mut options = MySqlConnectOptions::new().host(host).database(database).username(user);
                if let Some(port) = port {
                    options = options.port(port);
                }
                if let Some(password) = password {
                    options = options.password(
                        secret_place::read(password, root)
                            .map_err(AddressError::Password)?
                            .expose_for_login(),
                    );
                }
                Self::MySql(as_the_lab_does(options))
            }
        })
    }

    /// The SQLite file that is not there yet.
    pub(super) fn missing_file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(options) => {
                Some(options.get_filename()).filter(|file| file.try_exists().is_ok_and(|is_there| !is_there))
            }
            Self::MySql(_) | Self::Postgres(_) => None,
        }
    }

    /// Which SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::MySql(_) => Dialect::MySql,
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }
}

/// Without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql(options) => {
                let database = options.get_database().unwrap_or_default();
                write!(
                    f,
                    "MySQL {}@{}:{}/{database}",
                    options.get_username(),
                    options.get_host(),
                    options.get_port()
                )
            }
            Self::Postgres(options) => {
                let database = options.get_database().unwrap_or_default();
                write!(
                    f,
                    "PostgreSQL {}@{}:{}/{database}",
                    options.get_username(),
                    options.get_host(),
                    options.get_port()
                )
            }
            Self::Sqlite(options) => write!(f, "SQLite {}", options.get_filename().display()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// `||` and the time zone mean what they mean in the lab's own client.
fn as_the_lab_does(options: MySqlConnectOptions) -> MySqlConnectOptions {
    options.pipes_as_concat(false).no_engine_substitution(false).timezone(None)
}
