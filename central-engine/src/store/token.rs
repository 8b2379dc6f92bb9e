//! Tokens of scripts and EPs, by the hash of their secret.

use jackfield_protocol::{
    id::{EpName, UserName},
    time::Time,
};

use super::{
    StoreError, counter,
    db::{Conn, Line, binds},
};

/// A token, without its secret: that was shown once and is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its number.
    pub id: u64,
    /// Whose rights it lends.
    pub owner: UserName,
    /// What it is for, in its owner's words.
    pub name: String,
    /// The word of its scope.
    pub scope: String,
    /// When it was made.
    pub created: Time,
    /// When it ends; none means never.
    pub expires: Option<Time>,
    /// When it was last used, to the hour.
    pub used: Option<Time>,
    /// Which EP may come with it.
    pub joined: Joined,
}

/// Which EP may come with a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Joined {
    /// Any number of them.
    #[default]
    Any,
    /// One, and none has come yet.
    Nobody,
    /// This one.
    By {
        /// Its name.
        ep: EpName,
        /// The id of its work folder.
        instance: String,
    },
}

impl Joined {
    fn written(&self) -> Option<String> {
        match self {
            Self::Any => None,
            Self::Nobody => Some(String::new()),
            Self::By { ep, instance } => Some(format!("{instance} {ep}")),
        }
    }

    fn read(text: Option<String>) -> Self {
        match text {
            None => Self::Any,
            Some(text) => text.split_once(' ').map_or(Self::Nobody, |(instance, ep)| Self::By {
                ep: ep.into(),
                instance: instance.to_owned(),
            }),
        }
    }
}

/// Keeps a new token; the answer is its number.
///
/// # Errors
/// The store does not answer.
pub async fn insert(conn: &mut Conn, hash: &str, token: &TokenRow) -> Result<u64, StoreError> {
    let id = counter::take(conn, counter::TOKEN, 1).await?;
    let sql = "INSERT INTO token (id, hash, owner, name, scope, created, expires, joined) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let TokenRow { id: _, owner, name, scope, created, expires, used: _, joined } = token;
    let expires = expires.map(|time| time.0);
    let binds =
        binds![id, hash, owner.as_str(), name.as_str(), scope.as_str(), created.0, expires, joined.written()];
    conn.run(sql, binds).await?;
    Ok(id)
}

/// The token with this hash, if it has not expired.
///
/// # Errors
/// The store does not answer.
pub async fn find(conn: &mut Conn, hash: &str, now: Time) -> Result<Option<TokenRow>, StoreError> {
    let sql = "SELECT id, owner, name, scope, created, expires, used, joined FROM token \
               WHERE hash = $1 AND (expires IS NULL OR expires > $2)";
    conn.row(sql, binds![hash, now.0]).await?.as_ref().map(read).transpose()
}

/// The tokens of one user, or of all, by number.
///
/// # Errors
/// The store does not answer.
pub async fn list(conn: &mut Conn, owner: Option<&UserName>) -> Result<Vec<TokenRow>, StoreError> {
    let lines = match owner {
        Some(owner) => {
            let sql = "SELECT id, owner, name, scope, created, expires, used, joined FROM token WHERE owner = $1 ORDER BY id";
            conn.rows(sql, binds![owner.as_str()]).await?
        }
        None => {
            let sql = "SELECT id, owner, name, scope, created, expires, used, joined FROM token ORDER BY id";
            conn.rows(sql, vec![]).await?
        }
    };
    lines.iter().map(read).collect()
}

/// Gives a token that no EP has come with to this one; false where one has meanwhile.
///
/// # Errors
/// The store does not answer.
pub async fn join(conn: &mut Conn, id: u64, ep: &EpName, instance: &str) -> Result<bool, StoreError> {
    let joined = Joined::By { ep: ep.clone(), instance: instance.to_owned() }.written();
    let sql = "UPDATE token SET joined = $2 WHERE id = $1 AND joined = ''";
    Ok(conn.run(sql, binds![id, joined]).await? > 0)
}

/// Which EP may come with the token of this number; none where there is none.
///
/// # Errors
/// The store does not answer.
pub async fn joined(conn: &mut Conn, id: u64) -> Result<Option<Joined>, StoreError> {
    let line = conn.row("SELECT joined FROM token WHERE id = $1", binds![id]).await?;
    line.map(|line| Ok(Joined::read(line.text_opt(0)?))).transpose()
}

/// Notes that a token was used.
///
/// # Errors
/// The store does not answer.
pub async fn touch(conn: &mut Conn, id: u64, now: Time) -> Result<(), StoreError> {
    conn.run("UPDATE token SET used = $2 WHERE id = $1", binds![id, now.0]).await.map(drop)
}

/// Ends a token; false where there is none of this number.
///
/// # Errors
/// The store does not answer.
pub async fn delete(conn: &mut Conn, id: u64) -> Result<bool, StoreError> {
    Ok(conn.run("DELETE FROM token WHERE id = $1", binds![id]).await? > 0)
}

fn read(line: &Line) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        id: line.number(0)?,
        owner: line.text(1)?.into(),
        name: line.text(2)?,
        scope: line.text(3)?,
        created: Time(line.int(4)?),
        expires: line.int_opt(5)?.map(Time),
        used: line.int_opt(6)?.map(Time),
        joined: Joined::read(line.text_opt(7)?),
    })
}
