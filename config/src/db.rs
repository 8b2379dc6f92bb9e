//! `db.xml` and `shared_db.xml`: the lab's results databases, what is inserted into them, and the reports made from them.
//!
//! Both layouts are read: the older one with `twister_user_defined`, and the one of 2014 with fields beside statements. A file may hold
//! several databases, each in a `server_section`.

pub mod database;
pub mod promised;
mod read;
pub mod saving;

use std::sync::Arc;

use jackfield_protocol::secret::Secret;

use crate::source::At;

pub use self::saving::{CommitEach, Saving};

/// A file: one database, or several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DbFile {
    /// Each database with all that is said of it, in the order of the file; never empty.
    pub sections: Vec<DbConfig>,
}

impl DbFile {
    /// Whether inserts go into the lab's shared databases instead (`use_shared_db`).
    pub fn uses_shared(&self) -> bool {
        let connections = self.sections.iter().filter_map(|section| section.connection.as_ref());
        connections.into_iter().any(|connection| connection.use_shared)
    }
}

/// One database, with all that is said of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DbConfig {
    /// How the database is reached; none where the file does not say.
    pub connection: Option<Connection>,
    /// How inserts are kept.
    pub saving: Saving,
    /// Values that people or scripts give for inserts.
    pub fields: Vec<Field>,
    /// Statements, in order; each runs for every test.
    pub statements: Vec<At<Arc<str>>>,
    /// Values that people give for reports.
    pub report_fields: Vec<Field>,
    /// Reports, in order.
    pub reports: Vec<Report>,
    /// Links in the list of reports: name and address.
    pub redirects: Vec<(At<Arc<str>>, Arc<str>)>,
}

/// `db_config`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Connection {
    /// `url`: a whole address, of any database; the other values are then not needed.
    pub url: Option<At<Secret>>,
    /// `server`: host, perhaps with `:port`.
    pub server: Option<At<Arc<str>>>,
    /// `database`.
    pub database: Option<At<Arc<str>>>,
    /// `user`.
    pub user: Option<At<Arc<str>>>,
    /// `password`: plain, or Twister's cipher text.
    pub password: Option<At<Secret>>,
    /// `use_shared_db`.
    pub use_shared: bool,
}

/// `field`.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// `ID`: `$ID` or `@ID@` in statements, `@ID@` in reports.
    pub id: At<Arc<str>>,
    /// `Type`.
    pub kind: FieldKind,
    /// `SQLQuery`.
    pub query: Arc<str>,
    /// `Label`.
    pub label: Arc<str>,
    /// `GUIDefined`: whether people see it.
    pub visible: bool,
    /// `Mandatory`.
    pub mandatory: bool,
    /// `Level`.
    pub level: FieldLevel,
}

/// Where a field's value comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldKind {
    /// A query gives a list; a person picks.
    UserSelect,
    /// A query gives the value.
    DbSelect,
    /// A person writes it.
    #[default]
    UserText,
    /// A script prints it.
    UserScript,
}

/// What a field's value belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldLevel {
    /// One value for the run.
    Project,
    /// One for each suite.
    #[default]
    Suite,
    /// One for each test.
    Test,
}

/// `report`.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// `ID`: its name.
    pub id: At<Arc<str>>,
    /// `Type`.
    pub kind: ReportKind,
    /// `SQLQuery`.
    pub query: At<Arc<str>>,
    /// `SQLTotal`.
    pub total: Option<Arc<str>>,
    /// `SQLCompare`.
    pub compare: Option<Arc<str>>,
    /// `Folder` in the list of reports.
    pub folder: Option<Arc<str>>,
}

/// How a report looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportKind {
    /// A table.
    #[default]
    Table,
    /// A pie.
    PieChart,
    /// Bars.
    BarChart,
    /// A line.
    LineChart,
}
