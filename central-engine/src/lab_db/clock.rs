//! Sessions in which a time without a zone is one of the clocks here. Left alone, drivers ask for UTC and servers go by where they stand, and a
//! column that keeps the instant would have one that is hours off, which nobody sees.

use sqlx::{
    Connection as _, MySqlConnection, PgConnection, mysql::MySqlConnectOptions, postgres::PgConnectOptions,
};

use super::LabDbError;
use crate::zone;

/// A zone that a server does not know by its name: its session has what the clocks here are ahead of UTC today, all year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnknownZone(pub(super) String);

impl UnknownZone {
    /// What is wrong with times then.
    pub(super) fn told(&self) -> String {
        format!(
            "the server knows no time zone `{}`: a TIMESTAMP of the half of the year in which clocks are set otherwise than today is an hour off",
            self.0
        )
    }

    /// What its administrator can do.
    pub(super) fn remedy() -> &'static str {
        "load the server's time zones (`mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql -u root mysql`), or make the columns DATETIME"
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

/// The same of MySQL, whose servers know zones by name only where somebody has loaded them. Told is that one where it makes a difference.
pub(super) async fn connect_mysql(
    options: &MySqlConnectOptions,
    here: &zone::Here,
) -> Result<(MySqlConnection, Option<UnknownZone>), LabDbError> {
    let mut conn = MySqlConnection::connect_with(options).await?;
    let mut unknown = None;
    for zone in here.name.iter().chain([&here.ahead]) {
        if is_taken(sqlx::query("SET time_zone = ?").bind(zone).execute(&mut conn).await)? {
            break;
        }
        unknown = here.is_set_twice_a_year.then(|| UnknownZone(zone.clone()));
    }
    Ok((conn, unknown))
}

fn is_taken<T>(answer: Result<T, sqlx::Error>) -> Result<bool, LabDbError> {
    match answer.map_err(LabDbError::from) {
        Ok(_) => Ok(true),
        Err(LabDbError::Refused(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
