//! Changes to a project file: what is edited changes in the text, all else stays byte for byte.
//!
//! A suite or test is named by its [`ItemPath`]: the places of the items on the way to it, counting suites and tests
//! together as they stand in the file. After each edit the text has been read again, so a broken one cannot come about.

mod carry;
mod change;
mod configs;
mod fields;
pub mod outline;
mod style;
mod value;

use std::sync::Arc;

use jackfield_protocol::error::FileProblem;

use self::style::Style;
pub use self::{
    change::Change,
    configs::{ConfigChange, ConfigFlag, NamedConfig},
    fields::ItemKind,
};
use crate::{
    limits::PROJECT_BYTES_MAX,
    problem::Read,
    source::Source,
    xml::{self, Element, Items, Splices, Tree},
    xml_file::{EditError, edited},
};

/// A project file that is edited.
#[derive(Clone, Debug)]
pub struct ProjectFile {
    tree: Tree,
}

/// The way to a suite or test: `[]` is the project, `[0]` its first suite, `[0, 2]` the third item of that.
pub type ItemPath<'a> = &'a [usize];

/// A suite or test to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewItem {
    /// A suite with its name.
    Suite {
        /// `tsName`.
        name: String,
        /// `ID`; who writes by hand gives one only to what others depend on.
        id: Option<String>,
    },
    /// A test with its file.
    Test {
        /// `tcName`.
        file: String,
        /// `ID`, likewise.
        id: Option<String>,
    },
}

impl NewItem {
    /// Its text behind this line end and indentation.
    fn write(&self, style: &Style, lead: &str) -> String {
        let (tag, field, name, id) = match self {
            Self::Suite { name, id } => ("TestSuite", "tsName", name, id),
            Self::Test { file, id } => ("TestCase", "tcName", file, id),
        };
        let id = id.as_ref().map(|id| ("ID", id.as_str()));
        let texts: Vec<(&str, &str)> = [(field, name.as_str())].into_iter().chain(id).collect();
        style.item(tag, &texts, lead)
    }
}

/// An edit that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ProjectEditError {
    /// There is no such suite or test.
    #[error("there is no suite or test at {0:?}")]
    NoSuchItem(Vec<usize>),
    /// Tests stand in suites, and hold nothing.
    #[error("this cannot stand there: suites stand in the project or in suites, tests in suites")]
    WrongPlace,
    /// An item of this kind has no such field.
    #[error("there is no field `{field}` here; there are {known}")]
    NoSuchField {
        /// What was asked for.
        field: String,
        /// Those there are.
        known: String,
    },
    /// An item names fewer test configurations.
    #[error("there is no test configuration number {0} here, counted from 0")]
    NoSuchConfig(usize),
    /// A name that is none, or that is named there already.
    #[error("test configuration `{0}` cannot be added: give the name of one that is not there yet")]
    ConfigName(String),
    /// The other file cannot be read.
    #[error("what should be put here cannot be read: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Foreign(Vec<FileProblem>),
    /// The other file has nothing in it.
    #[error("there is no suite in it")]
    NothingToPut,
    /// The text cannot take the edit.
    #[error(transparent)]
    Text(#[from] EditError),
}

impl ProjectFile {
    /// Reads a file for editing. Whether it makes sense is for [`super::Project::read`].
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        xml::parse(source).map(|tree| Self { tree }).into()
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        self.tree.source().text()
    }

    /// What messages call the file.
    pub fn name(&self) -> &str {
        self.tree.source().name()
    }

    pub(in crate::project) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The way to the suite or test with this ID.
    pub fn find(&self, id: &str) -> Option<Vec<usize>> {
        let mut stack = vec![(self.tree.root(), Vec::new())];
        while let Some((element, path)) = stack.pop() {
            if !path.is_empty() && element.child("ID").is_some_and(|text| text.text().trim() == id) {
                return Some(path);
            }
            for (at, child) in items(element).enumerate() {
                let mut inner = path.clone();
                inner.push(at);
                stack.push((child, inner));
            }
        }
        None
    }

    /// How many suites and tests an item holds.
    pub fn count(&self, at: ItemPath<'_>) -> usize {
        self.item(at).map_or(0, |item| items(item).count())
    }

    /// The text of an element of an item (`Repeat`, `tsName`, …), trimmed.
    pub fn get(&self, at: ItemPath<'_>, field: &str) -> Option<String> {
        let field = self.item(at).ok()?.child(field)?;
        Some(field.text().trim().to_owned())
    }

    /// Adds a suite or test to the item at `parent`, as its item number `at`, or as the last.
    ///
    /// # Errors
    /// A test outside of a suite, or anything inside a test.
    pub fn insert(
        &mut self,
        parent: ItemPath<'_>,
        at: usize,
        item: &NewItem,
    ) -> Result<(), ProjectEditError> {
        self.change(&Change::Insert { parent: parent.to_vec(), at, items: vec![item.clone()] })?;
        Ok(())
    }

    /// Removes a suite, with all in it, or a test.
    ///
    /// # Errors
    /// No such item.
    pub fn remove(&mut self, at: ItemPath<'_>) -> Result<(), ProjectEditError> {
        self.change(&Change::Remove { items: vec![at.to_vec()] })?;
        Ok(())
    }

    /// Moves a suite or test, text and all, into the item at `parent`, before its item number `to` as it is now.
    ///
    /// # Errors
    /// No such item, a place it cannot stand in, or a place inside itself.
    pub fn move_to(
        &mut self,
        from: ItemPath<'_>,
        parent: ItemPath<'_>,
        to: usize,
    ) -> Result<(), ProjectEditError> {
        self.change(&Change::Move { items: vec![from.to_vec()], parent: parent.to_vec(), to })?;
        Ok(())
    }

    fn item(&self, at: ItemPath<'_>) -> Result<Element<'_>, ProjectEditError> {
        ITEMS.at(&self.tree, at).ok_or_else(|| ProjectEditError::NoSuchItem(at.to_vec()))
    }

    fn below_root(&self, at: ItemPath<'_>) -> Result<Element<'_>, ProjectEditError> {
        if at.is_empty() { Err(ProjectEditError::WrongPlace) } else { self.item(at) }
    }

    fn apply(&mut self, splices: Splices) -> Result<(), ProjectEditError> {
        self.tree = edited(&self.tree, splices, PROJECT_BYTES_MAX)?;
        Ok(())
    }
}

fn is_item(element: &Element<'_>) -> bool {
    matches!(element.name(), "TestSuite" | "TestCase")
}

const ITEMS: Items = Items(is_item);

fn items(element: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    ITEMS.of(element)
}

fn check_place(parent: Element<'_>, test: bool) -> Result<(), ProjectEditError> {
    match parent.name() {
        "TestCase" => Err(ProjectEditError::WrongPlace),
        "TestSuite" => Ok(()),
        _ if test => Err(ProjectEditError::WrongPlace),
        _ => Ok(()),
    }
}
