//! Which database `db_config` names.

use std::sync::Arc;

use jackfield_protocol::secret::Secret;

use super::Connection;
use crate::{problem::suggest, source::At};

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

/// Options behind the `?` of an address. The time zone is none of them: it is that of the clocks here.
const OF_MYSQL: [&str; 12] = [
    "ssl-mode",
    "sslmode",
    "ssl-ca",
    "sslca",
    "ssl-cert",
    "sslcert",
    "ssl-key",
    "sslkey",
    "charset",
    "collation",
    "socket",
    "statement-cache-capacity",
];
/// The same of PostgreSQL.
const OF_POSTGRES: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "options",
    "statement-cache-capacity",
];

impl<'a> Database<'a> {
    /// What a configuration names.
    ///
    /// # Errors
    /// Nothing, a part of an address, or an address of another kind.
    pub fn of(connection: Option<&'a Connection>) -> Result<Self, NoDatabase> {
        let no = |message: String| NoDatabase { message, help: FORMS.to_owned() };
        let Some(connection) = connection else { return Err(no("db.xml names no database".to_owned())) };
        if let Some(url) = secret(connection.url.as_ref()) {
            return Self::of_url(url);
        }
        let Some(server) = text(connection.server.as_ref()) else {
            return Err(no("<db_config> names neither a <url> nor a <server>".to_owned()));
        };
        let (host, port) = host_and_port(server);
        if host.contains(['/', '@', '?', '[', ']']) || host.contains(char::is_whitespace) {
            return Err(no(format!("<server> is `{server}`, which is neither HOST nor HOST:PORT")));
        }
        let port = port
            .map(|port| port.parse().map_err(|_not_a_port| no(format!("`{port}` of <server> is no port"))))
            .transpose()?;
        let needed = |value: Option<&'a At<Arc<str>>>, name: &str| {
            text(value).ok_or_else(|| no(format!("<db_config> has a <server> and no <{name}>")))
        };
        let database = needed(connection.database.as_ref(), "database")?;
        let user = needed(connection.user.as_ref(), "user")?;
        Ok(Self::Server { host, port, database, user, password: secret(connection.password.as_ref()) })
    }

    fn of_url(url: &'a Secret) -> Result<Self, NoDatabase> {
        let text = url.expose_for_login().trim();
        let no = |message: &str| NoDatabase { message: message.to_owned(), help: FORMS.to_owned() };
        let Some((kind, rest)) = text.split_once(':') else {
            return Err(no("the <url> has no kind of database before a colon"));
        };
        match kind.to_ascii_lowercase().as_str() {
            "sqlite" => of_file(rest).map(|path| Self::Sqlite { path }),
            "postgres" | "postgresql" => known_options(rest, &OF_POSTGRES).map(|()| Self::Postgres { url }),
            "mysql" | "mariadb" => known_options(rest, &OF_MYSQL).map(|()| Self::MySql { url }),
            other => {
                // As other programs write it: `jdbc:mysql:`, `mysql+pymysql:`.
                let inner = if other == "jdbc" { rest.split(':').next().unwrap_or_default() } else { other };
                let plain = inner.split('+').next().unwrap_or_default();
                let is_known =
                    plain != other && ["mysql", "mariadb", "postgresql", "postgres"].contains(&plain);
                let help = if is_known {
                    format!("write `{plain}://` alone before the rest")
                } else {
                    FORMS.to_owned()
                };
                Err(NoDatabase {
                    message: format!("the database `{kind}` is of no kind that is known"),
                    help,
                })
            }
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

/// The file of a SQLite database, as it stands behind `sqlite:`.
fn of_file(rest: &str) -> Result<&str, NoDatabase> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let wrong = |message: &str| NoDatabase {
        message: message.to_owned(),
        help: "write sqlite:FILE, with the path of a file in the lab folder or an absolute one".to_owned(),
    };
    if path.is_empty() {
        return Err(wrong("the <url> names no file of SQLite"));
    }
    if path.starts_with(':') {
        return Err(wrong("a SQLite database that is no file is gone with each connection"));
    }
    if path.contains('?') {
        return Err(wrong("the file of SQLite has options behind it, which are not read"));
    }
    Ok(path)
}

/// Every option behind the `?` of an address is one that is used.
fn known_options(rest: &str, known: &[&str]) -> Result<(), NoDatabase> {
    let Some((_, options)) = rest.split_once('?') else { return Ok(()) };
    let mut names = options.split('&').map(|option| option.split_once('=').map_or(option, |(name, _)| name));
    // PostgreSQL's `options` can also be given one by one: `options[search_path]=lab`.
    let has_parts = known.contains(&"options");
    let is_known = |name: &&str| known.contains(name) || (has_parts && name.starts_with("options["));
    let Some(name) = names.find(|name| !name.is_empty() && !is_known(name)) else { return Ok(()) };
    let near = suggest(name, known.iter().copied());
    Err(NoDatabase {
        message: format!("nothing here reads the option `{name}` of the <url>"),
        help: if near.is_empty() { "take it away".to_owned() } else { near },
    })
}

/// Host and port of `HOST`, `HOST:PORT`, `[::1]:PORT` or `::1`.
fn host_and_port(server: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = server.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        && (rest.is_empty() || rest.starts_with(':'))
    {
        return (host, rest.strip_prefix(':'));
    }
    match server.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, Some(port)),
        Some(_) | None => (server, None),
    }
}

/// Whether a password is what Twister's editor writes: hexadecimal digits of a cipher text, which only its key can read.
pub fn is_cipher_text(password: &Secret) -> bool {
    let password = password.expose_for_login().trim();
    password.len() >= 16
        && password.len().is_multiple_of(16)
        && password.bytes().all(|byte| byte.is_ascii_hexdigit())
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
            ("<url>MySQL+pymysql://u@h/d</url>", "the database `MySQL+pymysql` is of no kind that is known"),
            ("<url>SQLite:results.db</url>", "Sqlite { path: \"results.db\" }"),
            ("<url>sqlite:</url>", "the <url> names no file of SQLite"),
            ("<url>sqlite::memory:</url>", "a SQLite database that is no file is gone with each connection"),
            (
                "<url>sqlite:r.db?mode=ro</url>",
                "the file of SQLite has options behind it, which are not read",
            ),
            ("<url>results.db</url>", "the <url> has no kind of database before a colon"),
            (
                "<url>mysql://u@h/d?ssl-mode=REQUIRED&amp;useSSL=false</url>",
                "nothing here reads the option `useSSL` of the <url>",
            ),
            (
                "<url>postgres://u@h/d?sslmode=require&amp;options[search_path]=lab</url>",
                "Postgres { url: ******** }",
            ),
            (
                "<server>[::1]:3307</server><database>d</database><user>u</user>",
                "Server { host: \"::1\", port: Some(3307), database: \"d\", user: \"u\", password: None }",
            ),
            (
                "<server>tcp://db1:3306</server><database>d</database><user>u</user>",
                "<server> is `tcp://db1:3306`, which is neither HOST nor HOST:PORT",
            ),
            (
                "<server>[::1]3307</server><database>d</database><user>u</user>",
                "<server> is `[::1]3307`, which is neither HOST nor HOST:PORT",
            ),
            (
                "<url>mysql://u@h/d?options[search_path]=lab</url>",
                "nothing here reads the option `options[search_path]` of the <url>",
            ),
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
