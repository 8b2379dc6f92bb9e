//! One go at the inserts of a run into one database: all that is wanted and not there yet.
//!
//! What is one transaction is the lab's choice. Where a statement is refused, the others of its test are kept each by itself: nobody
//! loses a row because of another. What a database does not do now ends the go, and nothing of what was under way is tried before it is
//! known that it did not happen.

use anyhow::anyhow;
use jackfield_config::db::CommitEach;
use jackfield_reporting::{
    insert,
    results::{Results, Row},
};

use super::{Fields, Note, Prepared, Source};
use crate::{
    app::App,
    lab_db::{
        LabDb, LabDbError,
        marker::{Marker, Slot},
    },
    limits,
    run::results::LogsOfEngine,
    store::{StoreError, saved::Progress},
};

/// See the module.
pub(super) struct Pass<'a> {
    database: &'a Prepared,
    results: &'a Results,
    note: Note<'a>,
    logs: &'a LogsOfEngine,
    fields: Fields<'a>,
    progress: Progress,
}

/// A test, and the statements that are wanted for it.
struct Wanted<'a> {
    row: Row<'a>,
    statements: Vec<u32>,
}

/// What became of a transaction.
enum Kept {
    Yes,
    /// The marker says that one of them was kept before.
    Before,
    /// This was refused, and nothing of all is there.
    Refused(Refused),
    /// Nothing of all is there, and the database does nothing more now.
    NotNow(anyhow::Error),
    /// Nobody knows.
    Unknown(anyhow::Error),
}

struct Refused {
    /// The statement and the test it was for; none for a field.
    at: Option<String>,
    said: String,
}

/// The error is that of a database which does nothing now.
type Ended = Result<(), anyhow::Error>;

impl<'a> Pass<'a> {
    pub(super) fn new(
        app: &'a App,
        database: &'a Prepared,
        results: &'a Results,
        note: Note<'a>,
        progress: Progress,
        logs: &'a LogsOfEngine,
    ) -> Self {
        Self { database, results, note, logs, fields: Fields::new(app, database), progress }
    }

    pub(super) async fn run(mut self) -> Ended {
        let mut db = LabDb::connect(&self.database.address).await?;
        if let Some(marker) = &self.database.marker {
            db.make_marker(marker).await?;
        }
        self.settle_open(&mut db).await?;
        self.progress.forget_values();
        let count = u32::try_from(self.database.statements.len()).unwrap_or(u32::MAX);
        let (results, progress) = (self.results, &self.progress);
        let wanted: Vec<Wanted<'_>> = results
            .rows()
            .filter(|row| insert::is_saved(results, *row))
            .map(|row| Wanted { row, statements: progress.wanted(row.index.0, count) })
            .filter(|wanted| !wanted.statements.is_empty())
            .collect();
        let window = match self.database.each {
            CommitEach::Run => wanted.len().max(1),
            CommitEach::Test | CommitEach::Statement => limits::INSERTS_NOTED_AT_ONCE,
        };
        let mut ended = Ok(());
        for some in wanted.chunks(window) {
            each_slot(some, |test, statement| self.progress.open(test, statement));
            self.note.keep(&self.progress).await;
            ended = match self.database.each {
                CommitEach::Run => self.together(&mut db, some).await,
                CommitEach::Test | CommitEach::Statement => self.each(&mut db, some).await,
            };
            if ended.is_err() {
                break;
            }
        }
        self.note.keep(&self.progress).await;
        ended
    }

    /// Finds out what became of that which was under way when the go before this one broke off.
    async fn settle_open(&mut self, db: &mut LabDb) -> Result<(), LabDbError> {
        let open = self.progress.all_open();
        let marked = match &self.database.marker {
            Some(marker) if !open.is_empty() => {
                let marked = db.marked(marker).await?;
                db.undo().await;
                Some(marked)
            }
            Some(_) | None => None,
        };
        for (test, statement) in open {
            match &marked {
                Some(marked) if marked.contains(&(test, statement)) => self.progress.kept(test, statement),
                // A row and its mark were one transaction.
                Some(_) if db.takes_back() => self.progress.close(test, statement),
                Some(_) | None => self.progress.unknown(test, statement),
            }
        }
        Ok(())
    }

    /// All of a run, or nothing of it.
    async fn together(&mut self, db: &mut LabDb, all: &[Wanted<'_>]) -> Ended {
        let settle: fn(&mut Progress, u32, u32) = match self.transaction(db, all).await {
            Kept::Yes | Kept::Before => Progress::kept,
            Kept::NotNow(error) => {
                each_slot(all, |test, statement| self.progress.close(test, statement));
                return Err(error);
            }
            Kept::Refused(Refused { at, said }) => {
                each_slot(all, |test, statement| self.progress.close(test, statement));
                let at = at.map(|at| format!("{at}: ")).unwrap_or_default();
                return Err(anyhow!(
                    "db.xml: {at}{said}; nothing of the run was inserted, since <commit> is `run`"
                ));
            }
            Kept::Unknown(error) if self.database.marker.is_some() && db.takes_back() => {
                return Err(error);
            }
            Kept::Unknown(_) => Progress::unknown,
        };
        each_slot(all, |test, statement| settle(&mut self.progress, test, statement));
        Ok(())
    }

    /// Each test by itself.
    async fn each(&mut self, db: &mut LabDb, some: &[Wanted<'_>]) -> Ended {
        for (at, wanted) in some.iter().enumerate() {
            let ended = self.test(db, wanted).await;
            if ended.is_err() {
                // The others were not begun.
                for rest in some.iter().skip(at.saturating_add(1)) {
                    each_slot(std::slice::from_ref(rest), |test, statement| {
                        self.progress.close(test, statement)
                    });
                }
                return ended;
            }
        }
        Ok(())
    }

    async fn test(&mut self, db: &mut LabDb, wanted: &Wanted<'_>) -> Ended {
        let as_one = self.database.each == CommitEach::Test && db.takes_back() && wanted.statements.len() > 1;
        if as_one {
            let together = std::slice::from_ref(wanted);
            match self.transaction(db, together).await {
                Kept::Yes => {
                    each_slot(together, |test, statement| self.progress.kept(test, statement));
                    return Ok(());
                }
                Kept::Before | Kept::Refused(_) => {}
                Kept::NotNow(error) => {
                    each_slot(together, |test, statement| self.progress.close(test, statement));
                    return Err(error);
                }
                Kept::Unknown(error) => {
                    self.doubt(together);
                    return Err(error);
                }
            }
        }
        for (at, statement) in wanted.statements.iter().enumerate() {
            let ended = self.statement(db, wanted.row, *statement).await;
            if ended.is_err() {
                for rest in wanted.statements.iter().skip(at.saturating_add(1)) {
                    self.progress.close(wanted.row.index.0, *rest);
                }
                return ended;
            }
        }
        Ok(())
    }

    async fn statement(&mut self, db: &mut LabDb, row: Row<'_>, statement: u32) -> Ended {
        let alone = [Wanted { row, statements: vec![statement] }];
        let test = row.index.0;
        match self.transaction(db, &alone).await {
            Kept::Yes | Kept::Before => self.progress.kept(test, statement),
            Kept::Refused(refused) => self.progress.refused(test, statement, &refused.said),
            Kept::NotNow(error) => {
                self.progress.close(test, statement);
                return Err(error);
            }
            Kept::Unknown(error) => {
                self.doubt(&alone);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Nobody knows what became of these: the marker will tell, or nobody will.
    fn doubt(&mut self, some: &[Wanted<'_>]) {
        if self.database.marker.is_none() {
            each_slot(some, |test, statement| self.progress.unknown(test, statement));
        }
    }

    /// One transaction with all of these.
    async fn transaction(&mut self, db: &mut LabDb, all: &[Wanted<'_>]) -> Kept {
        if let Err(error) = db.begin().await {
            return Kept::NotNow(error.into());
        }
        if let Some(marker) = &self.database.marker {
            match mark(db, marker, all).await {
                Ok(true) => {}
                Ok(false) => {
                    db.undo().await;
                    return Kept::Before;
                }
                Err(error) => {
                    db.undo().await;
                    return Kept::NotNow(error.into());
                }
            }
        }
        for wanted in all {
            let source = Source { results: self.results, row: wanted.row, logs: self.logs };
            if let Err(error) = self.fill(db, source).await {
                return Self::failed(db, error, None).await;
            }
            for statement in &wanted.statements {
                if let Err(error) = self.insert(db, source, *statement).await {
                    let at = format!("statement {statement}, for test {}", wanted.row.test.name);
                    return Self::failed(db, error.into(), Some(at)).await;
                }
            }
        }
        match db.commit().await {
            Ok(()) => Kept::Yes,
            Err(LabDbError::Refused(words)) => {
                db.undo().await;
                Kept::Refused(Refused { at: None, said: LabDbError::Refused(words).to_string() })
            }
            Err(error) if error.is_certain() => Kept::NotNow(error.into()),
            Err(error) => Kept::Unknown(error.into()),
        }
    }

    /// Values of fields; new ones of the run and its suites are noted before anything is kept that was inserted with them.
    async fn fill(&mut self, db: &mut LabDb, source: Source<'_>) -> Result<(), anyhow::Error> {
        if self.fields.evaluate(db, source, &mut self.progress).await? {
            self.note.put(&self.progress).await?;
        }
        Ok(())
    }

    async fn insert(&self, db: &mut LabDb, source: Source<'_>, number: u32) -> Result<(), LabDbError> {
        let at = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(statement) = self.database.statements.get(at) else { return Ok(()) };
        db.run(statement, &source.bound(statement, &self.fields)).await
    }

    /// A statement or the query of a field did not work.
    async fn failed(db: &mut LabDb, error: anyhow::Error, at: Option<String>) -> Kept {
        let undone = db.undo().await;
        if !undone {
            return Kept::Unknown(error.context(
                "rows of this transaction may have stayed, since a table's engine takes nothing back (MyISAM): convert it with \
                 ALTER TABLE … ENGINE=InnoDB",
            ));
        }
        let is_refused = !error.is::<StoreError>()
            && error
                .downcast_ref::<LabDbError>()
                .is_none_or(|said| matches!(said, LabDbError::Refused(_) | LabDbError::Unreadable(_)));
        if is_refused {
            Kept::Refused(Refused { at, said: format!("{error:#}") })
        } else {
            Kept::NotNow(error)
        }
    }
}

async fn mark(db: &mut LabDb, marker: &Marker, all: &[Wanted<'_>]) -> Result<bool, LabDbError> {
    let mut slots: Vec<Slot> = Vec::new();
    each_slot(all, |test, statement| slots.push((test, statement)));
    db.mark(marker, &slots).await
}

fn each_slot(all: &[Wanted<'_>], mut visit: impl FnMut(u32, u32)) {
    for wanted in all {
        wanted.statements.iter().for_each(|statement| visit(wanted.row.index.0, *statement));
    }
}
