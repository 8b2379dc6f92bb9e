//! The floor of the measures of inserts: `jackfield-peer-sqlx URL COUNT WAY SQL`, where WAY is `transaction` (begun, inserted, committed, as a lab's
//! own script does it) or `alone` (each statement commits itself). The answer is seconds.
//!
//! The statement has eight places, as that of the measure; the values are of the same kinds and sizes.

use std::{error::Error, time::Instant};

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, SqlSafeStr as _, any::AnyArguments, query::Query};

type Failed = Box<dyn Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, count, way, sql] = arguments.as_slice() else { return Err("URL COUNT WAY SQL".into()) };
    sqlx::any::install_default_drivers();
    let mut database = AnyConnection::connect(url).await?;
    let begin = Instant::now();
    for number in 0..count.parse()? {
        if way == "alone" {
            database.execute(insert(sql, number)).await?;
        } else {
            let mut transaction = database.begin().await?;
            transaction.execute(insert(sql, number)).await?;
            transaction.commit().await?;
        }
    }
    println!("{}", begin.elapsed().as_secs_f64());
    database.close().await?;
    Ok(())
}

fn insert(sql: &str, number: i32) -> Query<'static, sqlx::Any, AnyArguments> {
    sqlx::query(AssertSqlSafe(sql.to_owned()).into_sql_str())
        .bind(7_i64)
        .bind("suite".to_owned())
        .bind(format!("t{number}.sh"))
        .bind("NO EXEC".to_owned())
        .bind("0".to_owned())
        .bind("2026-11-30T01:00:02".to_owned())
        .bind("the run was stopped by admin".to_owned())
        .bind(i64::from(number))
}
