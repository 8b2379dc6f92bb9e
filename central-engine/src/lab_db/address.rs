//! Where the lab's database is, as `db_config` of `db.xml` says.

use std::{fmt, path::Path, str::FromStr as _};

use jackfield_config::db::{
    Connection,
    database::{Database, NoDatabase},
};
use jackfield_protocol::secret::Secret;
use jackfield_reporting::insert::Dialect;
use sqlx::{mysql::MySqlConnectOptions, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};

use crate::limits::STORE_WAIT;

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
                    options = options.password(password_of(password, root)?.expose_for_login());
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

/// The password, where only its place is written: `env:NAME`, or `file:PATH` in the lab folder.
#[expect(clippy::disallowed_methods, reason = "db.xml names the variable")]
fn password_of(written: &Secret, root: &Path) -> Result<Secret, AddressError> {
    let text = written.expose_for_login().trim();
    if let Some(name) = text.strip_prefix("env:") {
        let missing =
            |error| AddressError::Password(format!("the engine's environment variable {name}: {error}"));
        return std::env::var(name).map(Secret::new).map_err(missing);
    }
    if let Some(path) = text.strip_prefix("file:") {
        let path = root.join(path);
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|error| AddressError::Password(format!("{}: {error}", path.display())))?;
        return Ok(Secret::new(text.trim_end_matches(['\r', '\n'])));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_stands_in_the_file_or_at_a_place() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("secret"), "hunter2\n").unwrap();
        let read = |written: &str| {
            let read = password_of(&Secret::new(written), root.path()).map_err(|error| error.to_string());
            read.map(|password| password.expose_for_login().to_owned())
        };
        assert_eq!(read("plain").unwrap(), "plain");
        assert_eq!(read("file:secret").unwrap(), "hunter2");
        let path = std::env::var_os("PATH").map(|path| path.to_string_lossy().into_owned());
        assert_eq!(read("env:PATH").ok(), path);
        assert!(read("file:nowhere").unwrap_err().contains("the password of <db_config>: /"));
        assert!(read("env:JACKFIELD_NO_SUCH_NAME").unwrap_err().contains("variable JACKFIELD_NO_SUCH_NAME"));
    }
}
