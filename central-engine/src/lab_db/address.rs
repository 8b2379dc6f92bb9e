//! Where the lab's database is, as `db_config` of `db.xml` says.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr as _,
};

use jackfield_config::db::{
    Connection,
    database::{Database, NoDatabase},
};
use jackfield_reporting::insert::Dialect;
use sqlx::{mysql::MySqlConnectOptions, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};

use crate::{data_folder, limits::STORE_WAIT, secret_place};

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
    #[error(
        "the <url> of <db_config> cannot be read: {0}; in a user or password `@` is written as %40, `/` as %2F, `:` as %3A, `#` as %23, `%` as %25"
    )]
    Url(String),
    /// The password stands elsewhere, and is not there.
    #[error("the password of <db_config>: {0}")]
    Password(String),
    /// Its file is the store of an engine, or lies beside it: whoever reads that has everybody's tokens.
    #[error("{} is in the engine's own folder; name a database of the lab's in <url>", .0.display())]
    OfEngine(PathBuf),
}

impl Address {
    /// The address that a configuration names; a relative path lies below `root`.
    ///
    /// # Errors
    /// It names none, or one of a kind that is not known.
    pub fn of(connection: Option<&Connection>, root: &Path) -> Result<Self, AddressError> {
        Ok(match Database::of(connection)? {
            Database::Sqlite { path } if data_folder::holds(&root.join(path)) => {
                return Err(AddressError::OfEngine(root.join(path)));
            }
            Database::Sqlite { path } => Self::Sqlite(
                SqliteConnectOptions::new()
                    .filename(root.join(path))
                    .create_if_missing(true)
                    .busy_timeout(STORE_WAIT),
            ),
            Database::Postgres { url } => {
                let options =
                    PgConnectOptions::from_str(url.expose_for_login().trim()).map_err(unreadable)?;
                let host = bare(options.get_host()).to_owned();
                Self::Postgres(options.host(&host).application_name("jackfield"))
            }
            Database::MySql { url } => {
                let options =
                    MySqlConnectOptions::from_str(url.expose_for_login().trim()).map_err(unreadable)?;
                let host = bare(options.get_host()).to_owned();
                Self::MySql(as_the_lab_does(options.host(&host)))
            }
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
                let place =
                    place(options.get_host(), options.get_port(), options.get_socket().map(PathBuf::as_path));
                write!(f, "MySQL {}@{place}/{database}", options.get_username())
            }
            Self::Postgres(options) => {
                let database = options.get_database().unwrap_or_default();
                let place =
                    place(options.get_host(), options.get_port(), options.get_socket().map(PathBuf::as_path));
                write!(f, "PostgreSQL {}@{place}/{database}", options.get_username())
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

/// What the driver says, without where it says that from.
fn unreadable(error: sqlx::Error) -> AddressError {
    AddressError::Url(error.to_string().replace("error with configuration: ", ""))
}

/// An address of version 6 without its brackets, which are the address's and not the machine's.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Where it is, for people.
fn place(host: &str, port: u16, socket: Option<&Path>) -> String {
    match socket {
        Some(socket) => socket.display().to_string(),
        None if host.contains(':') => format!("[{host}]:{port}"),
        None => format!("{host}:{port}"),
    }
}

/// `||` means what it means in the lab's own client. The time zone is set when a session begins (`clock`).
fn as_the_lab_does(options: MySqlConnectOptions) -> MySqlConnectOptions {
    options.pipes_as_concat(false).no_engine_substitution(false).timezone(None)
}
