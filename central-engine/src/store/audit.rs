//! Who changed what, and when. Lines are added, never changed.

use jackfield_protocol::{id::UserName, time::Time};
use serde::Serialize;

use super::{
    StoreError, bulk, counter,
    db::{Conn, binds},
    run::like,
};

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AuditRow {
    /// Its number.
    pub id: u64,
    /// When.
    #[schema(value_type = String)]
    pub at: Time,
    /// Who: a user, or `engine`.
    pub who: String,
    /// What was done: `run.stop`.
    pub action: String,
    /// To what: `41`.
    pub target: String,
    /// What else a reader wants to know; no secrets.
    pub detail: String,
}

/// What somebody did, for the audit log: written with what came of it, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Who.
    pub who: UserName,
    /// What was done: `run.stop`.
    pub action: &'static str,
    /// To what: `41`.
    pub target: String,
    /// What else a reader wants to know; no secrets.
    pub detail: String,
}

impl Deed {
    /// What a caller did.
    pub fn new(
        who: &UserName,
        action: &'static str,
        target: impl ToString,
        detail: impl Into<String>,
    ) -> Self {
        Self { who: who.clone(), action, target: target.to_string(), detail: detail.into() }
    }
}

/// Adds a line; its number is given by the store.
///
/// # Errors
/// The store does not answer.
pub async fn add(
    conn: &mut Conn,
    at: Time,
    who: &str,
    (action, target): (&str, &str),
    detail: &str,
) -> Result<(), StoreError> {
    let id = counter::take(conn, counter::AUDIT, 1).await?;
    let sql = "INSERT INTO audit (id, at, who, action, target, detail) VALUES ($1, $2, $3, $4, $5, $6)";
    conn.run(sql, binds![id, at.0, who, action, target, detail]).await.map(drop)
}

/// Adds many lines of the same instant: who, what, to what, and what else.
///
/// # Errors
/// The store does not answer.
pub async fn add_all(
    conn: &mut Conn,
    at: Time,
    lines: &[(&str, &str, &str, &str)],
) -> Result<(), StoreError> {
    let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    let first = counter::take(conn, counter::AUDIT, count).await?;
    let rows = (first..)
        .zip(lines)
        .map(|(id, (who, action, target, detail))| binds![id, at.0, *who, *action, *target, *detail]);
    bulk::insert(conn, "INSERT INTO audit (id, at, who, action, target, detail)", 6, "", rows.collect()).await
}

/// Which lines of the log.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this user.
    pub who: Option<String>,
    /// Only deeds whose name begins so: `run.`.
    pub action: Option<String>,
    /// Only with all of these in what was done, to what, and the rest, in any case.
    pub words: Vec<String>,
    /// Only from then on.
    pub from: Option<Time>,
    /// Only before.
    pub until: Option<Time>,
}

/// A page of the log, newest first; `after` is the number of the last line already seen.
///
/// # Errors
/// The store does not answer.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<u64>,
    limit: u32,
) -> Result<Vec<AuditRow>, StoreError> {
    let mut sql = "SELECT id, at, who, action, target, detail FROM audit WHERE id < $1".to_owned();
    let mut binds = binds![after.unwrap_or(u64::MAX)];
    let mut narrow = |condition: &dyn Fn(usize) -> String, bind| {
        binds.push(bind);
        sql.push_str(&format!(" AND {}", condition(binds.len())));
    };
    if let Some(who) = &filter.who {
        narrow(&|bind| format!("who = ${bind}"), who.as_str().into());
    }
    if let Some(action) = &filter.action {
        narrow(&|bind| format!("action LIKE ${bind} ESCAPE '~'"), format!("{}%", like(action)).into());
    }
    for word in &filter.words {
        let anywhere = |bind| {
            let column = |name| format!("LOWER({name}) LIKE ${bind} ESCAPE '~'");
            format!("({})", ["who", "action", "target", "detail"].map(column).join(" OR "))
        };
        narrow(&anywhere, format!("%{}%", like(&word.to_lowercase())).into());
    }
    if let Some(from) = filter.from {
        narrow(&|bind| format!("at >= ${bind}"), from.0.into());
    }
    if let Some(until) = filter.until {
        narrow(&|bind| format!("at < ${bind}"), until.0.into());
    }
    sql.push_str(&format!(" ORDER BY id DESC LIMIT {limit}"));
    let lines = conn.rows(sqlx::AssertSqlSafe(sql), binds).await?;
    let read = lines.iter().map(|line| {
        Ok(AuditRow {
            id: line.number(0)?,
            at: Time(line.int(1)?),
            who: line.text(2)?,
            action: line.text(3)?,
            target: line.text(4)?,
            detail: line.text(5)?,
        })
    });
    read.collect()
}
