//! Which database `db_config` names.

use std::sync::Arc;

use jackfield_protocol::secret::Secret;

use super::Connection;
use crate::source::At;

/// What `db_config` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database<'a> {
    /// A SQLite file: `sqlite:PATH` or `sqlite://PATH`.
    Sqlite {
        /// As it is written; a relative one lies in the lab folder.
        path: &'a str,
    },
    /// PostgreSQL, by its `url`.
    Postgres {
        /// `postgres://…` or `postgresql://…`.
        url: &'a Secret,
    },
    /// MySQL or MariaDB, by its `url`.
    MySql {
        /// `mysql://…` or `mariadb://…`.
        url: &'a Secret,
    },
    /// MySQL or MariaDB, as Twister names it.
    Server {
        /// `server` before the colon.
        host: &'a str,
        /// `server` behind it.
        port: Option<u16>,
        /// `database`.
        database: &'a str,
        /// `user`.
        user: &'a str,
        /// `password`: itself, or its place as `env:NAME` or `file:PATH`.
        password: Option<&'a Secret>,
    },
}

/// It names no database that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {help}")]
pub struct NoDatabase {
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: String,
}

const FORMS: &str = "write <url>mysql://USER:PASSWORD@HOST/DATABASE</url>, postgres://… or sqlite:FILE into <db_config>, or <server>, <database>, <user> and <password>";

impl<'a> Database<'a> {
    /// What a configuration names.
    ///
    /// # Errors
    /// Nothing, a part of an address, or an address of another kind.
    pub fn of(connection: Option<&'a Connection>) -> Result<Self, NoDatabase> {
        let no = |message: String| NoDatabase { message, help: FORMS.to_owned() };
        let Some(connection) = connection else { return Err(no("db.xml names no database".to_owned())) };
        if let Some(url) = secret(connection.url.as_ref()) {
            return Self::of_url(url).ok_or_else(|| {
                no(format!(
                    "the database `{}` is of no kind that is known",
                    kind(url.expose_for_login().trim())
                ))
            });
        }
        let Some(server) = text(connection.server.as_ref()) else {
            return Err(no("<db_config> names neither a <url> nor a <server>".to_owned()));
        };
        let (host, port) = match server.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => {
                let port =
                    port.parse().map_err(|_not_a_port| no(format!("`{port}` of <server> is no port")))?;
                (host, Some(port))
            }
            _ => (server, None),
        };
        let needed = |value: Option<&'a At<Arc<str>>>, name: &str| {
            text(value).ok_or_else(|| no(format!("<db_config> has a <server> and no <{name}>")))
        };
        let database = needed(connection.database.as_ref(), "database")?;
        let user = needed(connection.user.as_ref(), "user")?;
        Ok(Self::Server { host, port, database, user, password: secret(connection.password.as_ref()) })
    }

    fn of_url(url: &'a Secret) -> Option<Self> {
        if let Some(path) = url.expose_for_login().trim().strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return (!path.is_empty()).then_some(Self::Sqlite { path });
        }
        match kind(url.expose_for_login().trim()) {
            "postgres" | "postgresql" => Some(Self::Postgres { url }),
            "mysql" | "mariadb" => Some(Self::MySql { url }),
            _ => None,
        }
    }

    /// The password that stands in the file for all to read.
    pub fn plain_password(&self) -> Option<&'a Secret> {
        match self {
            Self::Server { password, .. } => {
                let is_place = |password: &Secret| {
                    let text = password.expose_for_login().trim();
                    text.starts_with("env:") || text.starts_with("file:")
                };
                password.filter(|password| !is_place(password))
            }
            Self::Sqlite { .. } | Self::Postgres { .. } | Self::MySql { .. } => None,
        }
    }
}

/// Whether a password is what Twister's editor writes: hexadecimal digits of a cipher text, which only its key can read.
pub fn is_cipher_text(password: &Secret) -> bool {
    let password = password.expose_for_login().trim();
    password.len() >= 16
        && password.len().is_multiple_of(16)
        && password.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn kind(url: &str) -> &str {
    url.split_once(':').map_or("", |(kind, _)| kind)
}

fn secret(value: Option<&At<Secret>>) -> Option<&Secret> {
    value.map(|value| &value.value).filter(|value| !value.expose_for_login().trim().is_empty())
}

fn text(value: Option<&At<Arc<str>>>) -> Option<&str> {
    value.map(|value| value.value.trim()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{db::DbFile, source::Source};

    fn named(inner: &str) -> String {
        let text = format!("<root><db_config>{inner}</db_config></root>");
        let read = DbFile::read(&Arc::new(Source::new("db.xml", text)));
        let sections = read.value.unwrap_or_default().sections;
        match Database::of(sections.first().and_then(|section| section.connection.as_ref())) {
            Ok(database) => format!("{database:?}"),
            Err(error) => error.message,
        }
    }

    #[test]
    fn a_database_is_named_by_an_address_or_as_twister_does() {
        for (inner, says) in [
            ("<url>sqlite:results.db</url>", "Sqlite { path: \"results.db\" }"),
            ("<url>sqlite://results.db</url>", "Sqlite { path: \"results.db\" }"),
            ("<url>postgresql://u@h/d</url>", "Postgres { url: ******** }"),
            ("<url>mariadb://u:p@h:3307/d</url>", "MySql { url: ******** }"),
            (
                "<server>db1:3307</server><database>d</database><user>u</user><password>p</password>",
                "Server { host: \"db1\", port: Some(3307), database: \"d\", user: \"u\", password: Some(********) }",
            ),
            ("<server>db1</server><database>d</database>", "<db_config> has a <server> and no <user>"),
            ("<server>db1:x</server><database>d</database><user>u</user>", "`x` of <server> is no port"),
            ("<url>oracle://u@h/d</url>", "the database `oracle` is of no kind that is known"),
            ("<url>sqlite:</url>", "the database `sqlite` is of no kind that is known"),
            ("", "<db_config> names neither a <url> nor a <server>"),
        ] {
            assert_eq!(named(inner), says, "{inner}");
        }
    }

    #[test]
    fn what_twisters_editor_writes_is_known() {
        assert!(is_cipher_text(&Secret::new("9f86d081884c7d65")));
        for plain in ["password", "12345678", "9f86d081884c7d6z"] {
            assert!(!is_cipher_text(&Secret::new(plain)), "{plain}");
        }
    }
}
