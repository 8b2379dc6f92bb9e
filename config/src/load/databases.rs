//! The lab's databases: those of `db.xml`, and the shared ones of `shared_db.xml`.

use std::path::PathBuf;

use jackfield_protocol::error::{FileProblem, Severity};

use super::{FILE_BYTES_MAX, Lab, first_there, read_as};
use crate::{
    db::{DbConfig, DbFile},
    problem::{Read, whole_file},
};

/// A database of the lab, and the file that says what is done with it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabDatabase {
    /// The file, for messages.
    pub file: String,
    /// What it says.
    pub config: DbConfig,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Databases {
    /// Into which results are inserted, in order.
    pub inserts: Vec<LabDatabase>,
    /// From which reports are made, in order.
    pub reports: Vec<LabDatabase>,
    /// Everything that is wrong with their files.
    pub problems: Vec<FileProblem>,
}

impl Lab {
    /// The databases that the lab's files name; none where it has no such file. Where `db.xml` says `use_shared_db`, the shared ones take the
    /// place of its own for inserts; reports are always made from the shared ones, too.
    pub fn databases(&self) -> Option<Databases> {
        let (own, shared) = (file_of(&self.layout.db), file_of(&self.layout.shared_db));
        if own.is_none() && shared.is_none() {
            return None;
        }
        let mut found = Databases::default();
        let mut read = |file: &Option<PathBuf>| {
            let file = file.as_ref()?;
            let Read { value, problems } = read_as(file, FILE_BYTES_MAX, DbFile::read);
            found.problems.extend(problems);
            let name = file.display().to_string();
            let uses_shared = value.as_ref().is_some_and(DbFile::uses_shared);
            let sections = value.unwrap_or_default().sections.into_iter();
            let all = sections.map(|config| LabDatabase { file: name.clone(), config }).collect::<Vec<_>>();
            Some((all, uses_shared))
        };
        let own_read = read(&own);
        let (shared_read, _) = read(&shared).unwrap_or_default();
        let uses_shared = own_read.as_ref().is_none_or(|(_, uses_shared)| *uses_shared);
        let (mut own_read, _) = own_read.unwrap_or_default();
        if uses_shared {
            if shared.is_none() {
                let places: Vec<String> =
                    self.layout.shared_db.iter().map(|file| file.display().to_string()).collect();
                let message =
                    "<use_shared_db> wants the lab's shared databases, and there is no file of them";
                let help = format!("make {}, or say no", places.join(" or "));
                let file = own.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
                let problem = whole_file(&file, message.to_owned(), help);
                found.problems.push(FileProblem { severity: Severity::Error, ..problem });
            }
            found.inserts.clone_from(&shared_read);
            found.reports = shared_read;
        } else {
            found.inserts.clone_from(&own_read);
            own_read.extend(shared_read);
            found.reports = own_read;
        }
        Some(found)
    }

    /// `users_and_groups.ini` may name the file of the shared databases.
    pub(super) fn find_shared_db(&mut self) {
        let named = self.users().and_then(|read| read.value).and_then(|users| users.shared_db);
        if let Some(named) = named {
            let file = self.layout.root.join(self.layout.resolve(&named));
            self.layout.shared_db.insert(0, file);
            self.apart = super::room::Apart::of(&self.layout, &self.kind);
        }
    }
}

fn file_of(places: &[PathBuf]) -> Option<PathBuf> {
    first_there(places).cloned()
}
