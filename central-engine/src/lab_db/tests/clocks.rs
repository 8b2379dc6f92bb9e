//! Times without a zone are those of the clocks here, in each database that keeps instants.

use super::*;
use crate::{
    lab_db::{
        clock::{UnknownZone, connect_mysql, connect_postgres},
        read::Reader,
    },
    zone,
};

#[tokio::test]
async fn postgres_takes_a_time_for_one_of_the_labs_clocks() {
    let Some((_, url)) = kinds().await.into_iter().find(|(kind, _)| *kind == "postgres") else { return };
    let Address::Postgres(options) = address(&url, Path::new("/")) else { panic!("{url}") };
    let told = async |zones: &[&str]| {
        let zones: Vec<String> = zones.iter().map(|zone| (*zone).to_owned()).collect();
        let mut conn = connect_postgres(&options, &zones).await.unwrap();
        let sql = "WITH noon AS (SELECT TIMESTAMPTZ '2026-07-01 12:00:00' AS at) \
            SELECT at::text || ' ' || extract(epoch from at)::bigint FROM noon";
        sqlx::query_scalar::<_, String>(sql).fetch_one(&mut conn).await.unwrap()
    };
    assert_eq!(told(&["Europe/Berlin", "LAB-02:00"]).await, "2026-07-01 12:00:00+02 1782900000");
    assert_eq!(told(&["Nowhere/At All", "LAB-05:30"]).await, "2026-07-01 12:00:00+05:30 1782887400");
    assert_eq!(told(&["LAB+03:30"]).await, "2026-07-01 12:00:00-03:30 1782919800");
}

fn here(name: &str, ahead: &str) -> zone::Here {
    zone::Here { name: Some(name.to_owned()), ahead: ahead.to_owned(), is_set_twice_a_year: true }
}

#[tokio::test]
async fn mysql_takes_a_time_for_one_of_the_labs_clocks() {
    let Some((_, url)) = kinds().await.into_iter().find(|(kind, _)| *kind == "mariadb") else { return };
    let Address::MySql(options) = address(&url, Path::new("/")) else { panic!("{url}") };
    let kept = async |name: &str, ahead: &str| {
        let (mut conn, unknown) = connect_mysql(&options, &here(name, ahead)).await.unwrap();
        conn.execute("CREATE TEMPORARY TABLE times (at TIMESTAMP)").await.unwrap();
        conn.execute("INSERT INTO times VALUES ('2026-07-01T12:00:00')").await.unwrap();
        let epoch: i64 =
            sqlx::query_scalar("SELECT UNIX_TIMESTAMP(at) FROM times").fetch_one(&mut conn).await.unwrap();
        (epoch, unknown.as_ref().map(UnknownZone::told))
    };
    // A server of MariaDB knows no zone by its name unless somebody has told it.
    let (epoch, told) = kept("Europe/Berlin", "+02:00").await;
    assert_eq!(epoch, 1_782_900_000);
    assert!(told.unwrap().starts_with("the server knows no time zone `Europe/Berlin`: a TIMESTAMP of"));
    assert_eq!(kept("SYSTEM", "+00:00").await.1, None, "one that it knows");
    let always = zone::Here { is_set_twice_a_year: false, ..here("Asia/Kolkata", "+05:30") };
    assert_eq!(connect_mysql(&options, &always).await.unwrap().1, None, "the same clocks all year");
    let nameless = zone::Here { name: None, ..here("", "+02:00") };
    assert_eq!(connect_mysql(&options, &nameless).await.unwrap().1, Some(UnknownZone::Nameless));
}

#[tokio::test]
async fn a_report_tells_of_times_that_may_be_an_hour_off() {
    let Some((_, url)) = kinds().await.into_iter().find(|(kind, _)| *kind == "mariadb") else { return };
    Client::new(&url, Path::new("/")).run("CREATE TABLE times (at TIMESTAMP)").await;
    let mut reader = Reader::open(&address(&url, Path::new("/")), crate::limits::REPORT_WAIT).await.unwrap();
    for (sql, is_told) in [
        ("SELECT at FROM times", true),
        ("SELECT 1, MAX(at) FROM times", true),
        ("SELECT CAST(at AS DATETIME) FROM times", false),
        ("SELECT UNIX_TIMESTAMP(at) FROM times", false),
    ] {
        reader.unknown_zone = Some(UnknownZone::ToServer("Europe/Berlin".to_owned()));
        let statement = Statement::parse(1, sql, reader.dialect(), &Known::default()).unwrap();
        let query = reader.prepare(&statement, Vec::new()).await.unwrap();
        assert_eq!(reader.notice(&query).is_some(), is_told, "{sql}");
        reader.unknown_zone = None;
        assert_eq!(reader.notice(&query), None, "{sql}");
    }
}
