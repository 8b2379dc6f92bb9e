//! Sessions in which a time without a zone is one of the clocks here. Left alone, drivers ask for UTC and servers go by where they stand, and a
//! column that keeps the instant would have one that is hours off, which nobody sees.

use sqlx::{
    Connection as _, MySqlConnection, PgConnection, mysql::MySqlConnectOptions, postgres::PgConnectOptions,
};

use super::LabDbError;
use crate::zone;

/// Why a session has what the clocks here are ahead of UTC today, all year, though they are set twice a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UnknownZone {
    /// The server does not know the zone by this name.
    ToServer(String),
    /// The zone of this machine has no name: its `/etc/localtime` is a file and no link, for example.
    Nameless,
}

impl UnknownZone {
    /// What is wrong with times then.
    pub(super) fn told(&self) -> String {
        let why = match self {
            Self::ToServer(name) => format!("the server knows no time zone `{name}`"),
            Self::Nameless => "the time zone of the engine's machine has no name".to_owned(),
        };
        format!(
            "{why}: a TIMESTAMP of the half of the year in which clocks are set otherwise than today is an hour off"
        )
    }

    /// What an administrator can do.
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::ToServer(_) => {
                "load the server's time zones (`mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql -u root mysql`), or make the columns DATETIME"
            }
            Self::Nameless => {
                "start the engine with its name in TZ (TZ=Europe/Berlin), or make the columns DATETIME"
            }
        }
    }
}

/// A session of PostgreSQL in the first of these zones that the server knows.
pub(super) async fn connect_postgres(
    options: &PgConnectOptions,
    zones: &[String],
) -> Result<PgConnection, LabDbError> {
    let mut conn = PgConnection::connect_with(options).await?;
    for zone in zones {
        let set = sqlx::query("SELECT set_config('TimeZone', $1, false)").bind(zone);
        if is_taken(set.execute(&mut conn).await)? {
            break;
        }
    }
    Ok(conn)
}

/// The same of MySQL, whose servers know zones by name only where somebody has loaded them. Beside it is why the zone could not be given, where that
/// makes a difference.
pub(super) async fn connect_mysql(
    options: &MySqlConnectOptions,
    here: &zone::Here,
) -> Result<(MySqlConnection, Option<UnknownZone>), LabDbError> {
    let mut conn = MySqlConnection::connect_with(options).await?;
    if let Some(name) = &here.name
        && takes_zone(&mut conn, name).await?
    {
        return Ok((conn, None));
    }
    takes_zone(&mut conn, &here.ahead).await?;
    let why = || here.name.clone().map_or(UnknownZone::Nameless, UnknownZone::ToServer);
    Ok((conn, here.is_set_twice_a_year.then(why)))
}

async fn takes_zone(conn: &mut MySqlConnection, zone: &str) -> Result<bool, LabDbError> {
    is_taken(sqlx::query("SET time_zone = ?").bind(zone).execute(conn).await)
}

fn is_taken<T>(answer: Result<T, sqlx::Error>) -> Result<bool, LabDbError> {
    match answer.map_err(LabDbError::from) {
        Ok(_) => Ok(true),
        Err(LabDbError::Refused(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
