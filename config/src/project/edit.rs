//! Changes to a project file: what is edited changes in the text, all else stays byte for byte.
//!
//! A suite or test is named by its [`ItemPath`]: the places of the items on the way to it, counting suites and tests
//! together as they stand in the file. After each edit the text has been read again, so a broken one cannot come about.

use std::sync::Arc;

use crate::{
    problem::Read,
    source::Source,
    xml::{self, Element, Splices, Tree, content_text},
    xml_file::EditError,
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
        /// `ID`.
        id: String,
    },
    /// A test with its file.
    Test {
        /// `tcName`.
        file: String,
        /// `ID`.
        id: String,
    },
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
    /// The text cannot take the edit.
    #[error(transparent)]
    Text(#[from] EditError),
}

impl ProjectFile {
    /// Reads a file for editing. Whether it makes sense is for [`super::Project::read`].
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        match xml::parse(source) {
            Ok(tree) => Read { value: Some(Self { tree }), problems: Vec::new() },
            Err(problems) => Read { value: None, problems },
        }
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        self.tree.source().text()
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

    /// Sets the text of an element of an item, adding the element where it is missing.
    ///
    /// # Errors
    /// No such item, or an element that holds elements.
    pub fn set(&mut self, at: ItemPath<'_>, field: &'static str, text: &str) -> Result<(), ProjectEditError> {
        let item = self.item(at)?;
        let mut splices = Splices::default();
        match item.child(field) {
            Some(child) if child.children().next().is_some() => {
                return Err(EditError::NotAText(field.to_owned()).into());
            }
            Some(child) if child.text().trim() == text.trim() => return Ok(()),
            Some(child) => splices.set_text(child, text),
            None => {
                let new = format!("<{field}>{}</{field}>", content_text(text));
                add_field(&mut splices, item, &new);
            }
        }
        self.apply(splices)
    }

    /// The value of a property of a test, or of a user-defined value of a suite or the project.
    pub fn property(&self, at: ItemPath<'_>, name: &str) -> Option<String> {
        let pair = pair(self.item(at).ok()?, name)?;
        Some(pair.child("propValue").map(|value| value.text().trim().to_owned()).unwrap_or_default())
    }

    /// Sets or, with none, removes a property of a test, or a user-defined value of a suite or the project.
    ///
    /// # Errors
    /// No such item.
    pub fn set_property(
        &mut self,
        at: ItemPath<'_>,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), ProjectEditError> {
        let item = self.item(at)?;
        let mut splices = Splices::default();
        match (pair(item, name), value) {
            (Some(pair), None) => splices.remove(pair),
            (None, None) => return Ok(()),
            (Some(pair), Some(value)) => {
                if pair.child("propValue").is_some_and(|old| old.text().trim() == value.trim()) {
                    return Ok(());
                }
                splices.set_child_text(pair, "propValue", value);
            }
            (None, Some(value)) => {
                let (tag, name, value) = (pair_tag(item), content_text(name), content_text(value));
                let pair =
                    format!("<{tag}><propName>{name}</propName><propValue>{value}</propValue></{tag}>");
                add_field(&mut splices, item, &pair);
            }
        }
        self.apply(splices)
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
        let text = match item {
            NewItem::Suite { name, id } => format!(
                "<TestSuite><tsName>{}</tsName><Repeat>1</Repeat><ID>{}</ID></TestSuite>",
                content_text(name),
                content_text(id)
            ),
            NewItem::Test { file, id } => format!(
                "<TestCase><tcName>{}</tcName><Repeat>1</Repeat><ID>{}</ID></TestCase>",
                content_text(file),
                content_text(id)
            ),
        };
        let parent = self.item(parent)?;
        check_place(parent, matches!(item, NewItem::Test { .. }))?;
        let mut splices = Splices::default();
        add_item(&mut splices, parent, at, &text);
        self.apply(splices)
    }

    /// Removes a suite, with all in it, or a test.
    ///
    /// # Errors
    /// No such item.
    pub fn remove(&mut self, at: ItemPath<'_>) -> Result<(), ProjectEditError> {
        let mut splices = Splices::default();
        splices.remove(self.below_root(at)?);
        self.apply(splices)
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
        let item = self.below_root(from)?;
        let target = self.item(parent)?;
        if parent.starts_with(from) {
            return Err(ProjectEditError::WrongPlace);
        }
        check_place(target, item.name() == "TestCase")?;
        let text = self.tree.source().slice(item.outer()).to_owned();
        let mut splices = Splices::default();
        add_item(&mut splices, target, to, &text);
        splices.remove(item);
        self.apply(splices)
    }

    fn item(&self, at: ItemPath<'_>) -> Result<Element<'_>, ProjectEditError> {
        at.iter()
            .try_fold(self.tree.root(), |element, step| items(element).nth(*step))
            .ok_or_else(|| ProjectEditError::NoSuchItem(at.to_vec()))
    }

    fn below_root(&self, at: ItemPath<'_>) -> Result<Element<'_>, ProjectEditError> {
        if at.is_empty() { Err(ProjectEditError::WrongPlace) } else { self.item(at) }
    }

    fn apply(&mut self, splices: Splices) -> Result<(), ProjectEditError> {
        let source = Source::new(self.tree.source().name(), splices.apply(self.text()));
        self.tree = xml::parse(&Arc::new(source)).map_err(EditError::Refused)?;
        Ok(())
    }
}

fn is_item(element: &Element<'_>) -> bool {
    matches!(element.name(), "TestSuite" | "TestCase")
}

fn items(element: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    element.children().filter(is_item)
}

fn check_place(parent: Element<'_>, test: bool) -> Result<(), ProjectEditError> {
    match parent.name() {
        "TestCase" => Err(ProjectEditError::WrongPlace),
        "TestSuite" => Ok(()),
        _ if test => Err(ProjectEditError::WrongPlace),
        _ => Ok(()),
    }
}

/// `Property` in a test, `UserDefined` in a suite or the project.
fn pair_tag(item: Element<'_>) -> &'static str {
    if item.name() == "TestCase" { "Property" } else { "UserDefined" }
}

fn pair<'t>(item: Element<'t>, name: &str) -> Option<Element<'t>> {
    let named = |pair: &Element<'_>| pair.child("propName").is_some_and(|text| text.text().trim() == name);
    item.children_named(pair_tag(item)).find(named)
}

/// New fields come behind the others, before the items.
fn add_field(splices: &mut Splices, item: Element<'_>, text: &str) {
    match items(item).next() {
        Some(first) => splices.insert_before(first, text),
        None => splices.append_child(item, text),
    }
}

fn add_item(splices: &mut Splices, parent: Element<'_>, at: usize, text: &str) {
    match items(parent).nth(at) {
        Some(next) => splices.insert_before(next, text),
        None => splices.append_child(parent, text),
    }
}
