//! Sealing what is there already: rows of builds that sealed nothing, and rows of an older key.
//!
//! Each row says by which key it is sealed, so the work may be cut off between any two rows and be begun again.

use super::{
    Store, StoreError,
    db::{Bind, Conn, Line},
    seal::{self, KeyName},
};

/// Rows that are written in one transaction.
const ROWS: usize = 100;
/// What the proof of a key says.
const PROOF: &str = "this store is sealed with this key";

/// A table with a sealed column.
struct Sealed {
    table: &'static str,
    /// The key of a row, of texts or numbers.
    key: &'static [(&'static str, Kind)],
    column: &'static str,
    is_text: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
}

/// All that is sealed: what holds properties of devices, or what people and tests gave as parameters.
const SEALED: [Sealed; 6] = [
    Sealed { table: "resource", key: &[("id", Kind::Text)], column: "body", is_text: true },
    Sealed { table: "edit", key: &[("version", Kind::Number)], column: "body", is_text: true },
    Sealed { table: "sut", key: &[("name", Kind::Text)], column: "body", is_text: true },
    Sealed {
        table: "global",
        key: &[("owner", Kind::Text), ("path", Kind::Text)],
        column: "value",
        is_text: true,
    },
    Sealed { table: "plan", key: &[("run", Kind::Number)], column: "body", is_text: false },
    Sealed {
        table: "queued",
        key: &[("run", Kind::Number), ("first_test", Kind::Number)],
        column: "body",
        is_text: false,
    },
];

/// A part of a row's key.
#[derive(Clone)]
enum Part {
    Text(String),
    Number(i64),
}

impl From<Part> for Bind<'_> {
    fn from(part: Part) -> Self {
        match part {
            Part::Text(text) => text.into(),
            Part::Number(number) => number.into(),
        }
    }
}

impl Store {
    /// Whether the keys that we have are those of the store.
    ///
    /// # Errors
    /// The store is sealed with a key that we do not have.
    pub(crate) async fn check_seal(&self) -> Result<(), StoreError> {
        let mut conn = self.read().await?;
        for line in conn.rows("SELECT name, proof FROM seal", vec![]).await? {
            let (name, proof) = (line.text(0)?, line.text(1)?);
            conn.seal().open_text(&format!("seal/{name}"), &proof)?;
        }
        Ok(())
    }

    /// Seals with the newest key what is not sealed with it; true where there was something. Killed in the middle, nothing is lost, and the next
    /// call does the rest.
    ///
    /// # Errors
    /// The store does not answer, or a row cannot be opened.
    pub(crate) async fn seal_all(&self) -> Result<bool, StoreError> {
        let mut conn = self.write().await?;
        let name = conn.seal().name().to_string();
        let known = conn.rows("SELECT name FROM seal", vec![]).await?;
        let known = known.iter().map(|line| line.text(0)).collect::<Result<Vec<_>, _>>()?;
        if known == [name.clone()] {
            return Ok(false);
        }
        drop(conn);
        for sealed in &SEALED {
            self.seal_table(sealed).await?;
        }
        let mut conn = self.write().await?;
        let proof = conn.seal().seal_text(&format!("seal/{name}"), PROOF)?;
        conn.run("DELETE FROM seal", vec![]).await?;
        conn.run("INSERT INTO seal (name, proof) VALUES ($1, $2)", vec![name.into(), proof.into()]).await?;
        conn.commit().await?;
        // What was there before stands in free pages until then.
        self.db.compact().await?;
        Ok(true)
    }

    async fn seal_table(&self, sealed: &Sealed) -> Result<(), StoreError> {
        let keys = keys_of(&mut self.read().await?, sealed).await?;
        for batch in keys.chunks(ROWS) {
            let mut conn = self.write().await?;
            for key in batch {
                seal_row(&mut conn, sealed, key).await?;
            }
            conn.commit().await?;
        }
        Ok(())
    }
}

async fn keys_of(conn: &mut Conn, sealed: &Sealed) -> Result<Vec<Vec<Part>>, StoreError> {
    let columns: Vec<&str> = sealed.key.iter().map(|(name, _)| *name).collect();
    let sql = format!("SELECT {} FROM {}", columns.join(", "), sealed.table);
    let part = |line: &Line, at: usize, kind: Kind| match kind {
        Kind::Text => line.text(at).map(Part::Text),
        Kind::Number => line.int(at).map(Part::Number),
    };
    let lines = conn.rows(sqlx::AssertSqlSafe(sql), vec![]).await?;
    lines
        .iter()
        .map(|line| (0..).zip(sealed.key).map(|(at, (_, kind))| part(line, at, *kind)).collect())
        .collect()
}

async fn seal_row(conn: &mut Conn, sealed: &Sealed, key: &[Part]) -> Result<(), StoreError> {
    let Sealed { table, column, .. } = sealed;
    let is_row = |from: usize| {
        let each = (from..).zip(sealed.key).map(|(at, (name, _))| format!("{name} = ${at}"));
        each.collect::<Vec<_>>().join(" AND ")
    };
    let binds = || key.iter().cloned().map(Bind::from).collect::<Vec<_>>();
    let sql = format!("SELECT {column} FROM {table} WHERE {}", is_row(1));
    // One that is gone by now needs no seal.
    let Some(line) = conn.row(sqlx::AssertSqlSafe(sql), binds()).await? else { return Ok(()) };
    let parts: Vec<String> = key
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Number(number) => number.to_string(),
        })
        .collect();
    let place = place(table, &parts);
    let (held, plain) = if sealed.is_text {
        let text = line.text(0)?;
        (seal::bytes_of(&text), text.into_bytes())
    } else {
        let bytes = line.bytes(0)?;
        (seal::key_of(&bytes).map(|_| bytes.clone()), bytes)
    };
    let Some(fresh) = resealed(conn, &place, held, plain)? else { return Ok(()) };
    let fresh = if sealed.is_text { seal::text_of(&fresh).into() } else { fresh.into() };
    let sql = format!("UPDATE {table} SET {column} = $1 WHERE {}", is_row(2));
    let all = [fresh].into_iter().chain(binds()).collect();
    conn.run(sqlx::AssertSqlSafe(sql), all).await.map(drop)
}

/// A value under the newest key; none where it is so already.
fn resealed(
    conn: &Conn,
    place: &str,
    held: Option<Vec<u8>>,
    plain: Vec<u8>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let seal = conn.seal();
    let is_newest = |name: KeyName| name == seal.name();
    let plain = match held {
        Some(held) if seal::key_of(&held).is_some_and(is_newest) => return Ok(None),
        Some(held) => seal.open(place, &held)?,
        None => plain,
    };
    seal.seal(place, &plain).map(Some)
}

/// What a sealed value is bound to: its row.
pub(super) fn place(table: &str, key: &[impl AsRef<str>]) -> String {
    // With lengths, so that no two rows have the same.
    let parts = key.iter().map(|part| format!("/{}:{}", part.as_ref().len(), part.as_ref()));
    [table.to_owned()].into_iter().chain(parts).collect()
}
