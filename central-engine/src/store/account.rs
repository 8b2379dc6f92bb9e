//! Users and their groups; a group's roles are what its members may do.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{id::UserName, time::Time};

use super::{
    StoreError,
    db::{Conn, Line, binds},
    json,
};
use crate::limits;

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// What its owner logs in with.
    pub name: UserName,
    /// The argon2id hash of its password; empty where there is none, which no password fits.
    pub password: String,
    /// The groups it is in.
    pub groups: BTreeSet<String>,
    /// The words of roles it has beside those of its groups.
    pub roles: BTreeSet<String>,
    /// Whether it may not log in.
    pub disabled: bool,
    /// After how long without a request a browser session of it is over; none: it lasts its whole time.
    pub idle_millis: Option<u64>,
    /// When it was made.
    pub created: Time,
}

impl std::fmt::Debug for Account {
    /// Without the hash: logs are read by people who may not see it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// Whether an account or a group can have this name: a SUT is called `name.user`, and private files lie in
    /// `users/<name>`.
    pub fn is_name(name: &str) -> bool {
        let good = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '@');
        !name.is_empty() && name.chars().count() <= limits::NAME_CHARS_MAX && name.chars().all(good)
    }
}

/// Makes or replaces an account.
///
/// # Errors
/// The store does not answer.
pub async fn put(conn: &mut Conn, account: &Account) -> Result<(), StoreError> {
    let sql = "INSERT INTO account (name, password, in_groups, roles, is_disabled, created, idle) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO UPDATE SET password = excluded.password, \
               in_groups = excluded.in_groups, roles = excluded.roles, is_disabled = excluded.is_disabled, \
               idle = excluded.idle";
    let Account { name, password, groups, roles, disabled, idle_millis, created } = account;
    let binds = binds![
        name.as_str(),
        password.as_str(),
        json(groups)?,
        json(roles)?,
        *disabled,
        created.0,
        *idle_millis
    ];
    conn.run(sql, binds).await.map(drop)
}

/// The account of this name.
///
/// # Errors
/// The store does not answer, or the row cannot be read.
pub async fn fetch(conn: &mut Conn, name: &UserName) -> Result<Option<Account>, StoreError> {
    let sql =
        "SELECT name, password, in_groups, roles, is_disabled, created, idle FROM account WHERE name = $1";
    conn.row(sql, binds![name.as_str()]).await?.as_ref().map(read).transpose()
}

/// All accounts, by name.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn list(conn: &mut Conn) -> Result<Vec<Account>, StoreError> {
    let sql =
        "SELECT name, password, in_groups, roles, is_disabled, created, idle FROM account ORDER BY name";
    conn.rows(sql, vec![]).await?.iter().map(read).collect()
}

/// Removes an account with its sessions, tokens, links, feeds and views; false where there was none.
///
/// # Errors
/// The store does not answer.
pub async fn delete(conn: &mut Conn, name: &UserName) -> Result<bool, StoreError> {
    conn.run("DELETE FROM session WHERE owner = $1", binds![name.as_str()]).await?;
    conn.run("DELETE FROM token WHERE owner = $1", binds![name.as_str()]).await?;
    conn.run("DELETE FROM share WHERE owner = $1", binds![name.as_str()]).await?;
    conn.run("DELETE FROM calendar_feed WHERE owner = $1", binds![name.as_str()]).await?;
    conn.run("DELETE FROM report_view WHERE owner = $1", binds![name.as_str()]).await?;
    Ok(conn.run("DELETE FROM account WHERE name = $1", binds![name.as_str()]).await? > 0)
}

/// Makes or replaces a group.
///
/// # Errors
/// The store does not answer.
pub async fn put_group(conn: &mut Conn, name: &str, roles: &BTreeSet<String>) -> Result<(), StoreError> {
    let sql = "INSERT INTO account_group (name, roles) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET roles = excluded.roles";
    conn.run(sql, binds![name, json(roles)?]).await.map(drop)
}

/// Removes a group; false where there was none.
///
/// # Errors
/// The store does not answer.
pub async fn delete_group(conn: &mut Conn, name: &str) -> Result<bool, StoreError> {
    Ok(conn.run("DELETE FROM account_group WHERE name = $1", binds![name]).await? > 0)
}

/// All groups with their roles' words.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn groups(conn: &mut Conn) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
    let lines = conn.rows("SELECT name, roles FROM account_group ORDER BY name", vec![]).await?;
    lines.iter().map(|line| Ok((line.text(0)?, line.json(1)?))).collect()
}

fn read(line: &Line) -> Result<Account, StoreError> {
    Ok(Account {
        name: line.text(0)?.into(),
        password: line.text(1)?,
        groups: line.json(2)?,
        roles: line.json(3)?,
        disabled: line.flag(4)?,
        idle_millis: line.int_opt(6)?.map(|millis| u64::try_from(millis).unwrap_or(0)),
        created: Time(line.int(5)?),
    })
}
