//! Changes to a file of named values: what is edited changes in the text, all else stays byte for byte.
//!
//! Folders and values are named by ways that count them together as they stand in the file: `[]` is the file, `[0]` the first thing in it. After
//! each change the text has been read again, so a broken one cannot come about.

mod hand;
mod outline;

use std::sync::Arc;

pub use self::outline::ParamItem;
use self::{
    hand::Hand,
    outline::{kind_of, param_kind, shown},
};
use super::ParamKind;
use crate::{
    limits::FILE_BYTES_MAX,
    problem::Read,
    source::Source,
    xml::{
        self, Carried, Element, Items, Splices, Spot, Tree, at_indentation, carried, content_text, outermost,
    },
    xml_file::{EditError, edited},
};

/// A file of named values that is edited.
#[derive(Clone, Debug)]
pub struct ParamsFile {
    tree: Tree,
}

/// What stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamItemKind {
    /// The file itself.
    File,
    /// A folder.
    Folder,
    /// A value.
    Value,
}

/// Something that is said of a folder or value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamField {
    /// Its name.
    Name(String),
    /// What it says.
    Value(String),
    /// What kind of value that is.
    Kind(ParamKind),
    /// What it is for.
    Description(String),
}

/// A folder or value to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewParam {
    /// A folder with its name.
    Folder(String),
    /// A value.
    Value {
        /// Its name.
        name: String,
        /// What it says.
        value: String,
        /// What kind of value that is.
        kind: ParamKind,
    },
}

/// One change. A way is counted in the file as it is before the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamChange {
    /// Something else is said of a folder or value.
    Set {
        /// The way to it.
        at: Vec<usize>,
        /// What.
        field: ParamField,
    },
    /// New folders and values.
    Insert {
        /// The way to what shall hold them.
        parent: Vec<usize>,
        /// Before which item of it; behind the last where there are fewer.
        at: usize,
        /// The new ones, in order.
        items: Vec<NewParam>,
    },
    /// Takes items away, with all in them.
    Remove {
        /// The ways to them.
        items: Vec<Vec<usize>>,
    },
    /// Puts items somewhere else, text and all.
    Move {
        /// The ways to them.
        items: Vec<Vec<usize>>,
        /// The way to what shall hold them.
        parent: Vec<usize>,
        /// Before which item of it, counted as it is now.
        to: usize,
    },
    /// Puts copies somewhere.
    Copy {
        /// The ways to them.
        items: Vec<Vec<usize>>,
        /// The way to what shall hold the copies.
        parent: Vec<usize>,
        /// Before which item of it.
        to: usize,
    },
}

/// A change that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ParamChangeError {
    /// There is no such folder or value.
    #[error("there is no folder or value at {0:?}")]
    NoSuchItem(Vec<usize>),
    /// Values hold nothing, and nothing stands in itself.
    #[error(
        "this cannot stand there: folders and values stand in the file or in folders, and nothing in itself"
    )]
    WrongPlace,
    /// A folder has no value.
    #[error("a folder has a name and a description, and no value of its own")]
    NoValue,
    /// A name that leads nowhere.
    #[error("`{0}` is no name: give one without a slash, which separates folders in a path")]
    Name(String),
    /// The text cannot take the change.
    #[error(transparent)]
    Text(#[from] EditError),
}

const ITEMS: Items = Items(|element| matches!(element.name(), "folder" | "param"));

impl ParamsFile {
    /// Reads a file for editing. Whether it makes sense is for [`super::Params::read`].
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        xml::parse(source).map(|tree| Self { tree }).into()
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        self.tree.source().text()
    }

    /// Everything in the order of the file; the file itself comes first.
    pub fn outline(&self) -> Vec<ParamItem> {
        let outline = ITEMS.outline(&self.tree);
        let mut left = crate::limits::CONFIG_VALUES_MAX;
        let item = |(element, depth)| shown(self.tree.source(), element, depth, &mut left);
        outline.into_iter().map(item).collect()
    }

    /// Makes changes, one after the other, or none of them. Answers the ways to the items that the last one was about, as they are afterwards.
    ///
    /// # Errors
    /// No such item, a name that is none, or a place where something cannot stand; with the number of the change, from 0.
    pub fn change_all(
        &mut self,
        changes: &[ParamChange],
    ) -> Result<Vec<Vec<usize>>, (usize, ParamChangeError)> {
        let before = self.tree.clone();
        let mut about = Vec::new();
        for (at, change) in changes.iter().enumerate() {
            about = self.change(change).map_err(|error| {
                self.tree = before.clone();
                (at, error)
            })?;
        }
        Ok(about)
    }

    fn change(&mut self, change: &ParamChange) -> Result<Vec<Vec<usize>>, ParamChangeError> {
        let (splices, about) = match change {
            ParamChange::Set { at, field } => (self.set(at, field)?, vec![at.clone()]),
            ParamChange::Insert { parent, at, items } => {
                let hand = Hand::of(&self.tree);
                items.iter().try_for_each(|item| check_name(item.name()))?;
                let spot = Spot { parent, to: *at, unit: hand.unit };
                ITEMS.put(self.holder(parent)?, spot, |lead| {
                    items.iter().map(|item| hand.write(item, lead)).collect()
                })
            }
            ParamChange::Remove { items } => {
                let mut splices = Splices::default();
                for (_, item) in self.all(&outermost(items))? {
                    splices.remove(item);
                }
                (splices, Vec::new())
            }
            ParamChange::Move { items, parent, to } => {
                let items = outermost(items);
                if items.iter().any(|item| parent.starts_with(item)) {
                    return Err(ParamChangeError::WrongPlace);
                }
                let spot = Spot { parent, to: *to, unit: Hand::of(&self.tree).unit };
                match ITEMS.moved(self.holder(parent)?, &self.all(&items)?, spot) {
                    Some(moved) => moved,
                    None => return Ok(items),
                }
            }
            ParamChange::Copy { items, parent, to } => {
                let texts: Vec<Carried> =
                    self.all(&outermost(items))?.into_iter().map(|(_, item)| carried(item)).collect();
                let spot = Spot { parent, to: *to, unit: Hand::of(&self.tree).unit };
                ITEMS.put(self.holder(parent)?, spot, |lead| at_indentation(&texts, lead))
            }
        };
        self.tree = edited(&self.tree, splices, FILE_BYTES_MAX)?;
        Ok(about)
    }

    fn item(&self, at: &[usize]) -> Result<Element<'_>, ParamChangeError> {
        ITEMS.at(&self.tree, at).ok_or_else(|| ParamChangeError::NoSuchItem(at.to_vec()))
    }

    /// What may hold others.
    fn holder(&self, at: &[usize]) -> Result<Element<'_>, ParamChangeError> {
        let holder = self.item(at)?;
        if kind_of(holder, at.len()) == ParamItemKind::Value {
            Err(ParamChangeError::WrongPlace)
        } else {
            Ok(holder)
        }
    }

    /// The items at these ways; the file is none of them.
    fn all(&self, ways: &[Vec<usize>]) -> Result<Vec<(Vec<usize>, Element<'_>)>, ParamChangeError> {
        let item = |way: &Vec<usize>| {
            if way.is_empty() {
                Err(ParamChangeError::WrongPlace)
            } else {
                Ok((way.clone(), self.item(way)?))
            }
        };
        ways.iter().map(item).collect()
    }

    fn set(&self, at: &[usize], field: &ParamField) -> Result<Splices, ParamChangeError> {
        let element = self.item(at)?;
        let kind = kind_of(element, at.len());
        let mut splices = Splices::default();
        let (tag, text) = match (kind, field) {
            (ParamItemKind::File, _) => return Err(ParamChangeError::NoSuchItem(at.to_vec())),
            (ParamItemKind::Folder, ParamField::Name(name)) => ("fname", name.as_str()),
            (ParamItemKind::Folder, ParamField::Description(text)) => ("fdesc", text.as_str()),
            (ParamItemKind::Folder, ParamField::Value(_) | ParamField::Kind(_)) => {
                return Err(ParamChangeError::NoValue);
            }
            (ParamItemKind::Value, ParamField::Name(name)) => ("name", name.as_str()),
            (ParamItemKind::Value, ParamField::Value(text)) => ("value", text.as_str()),
            (ParamItemKind::Value, ParamField::Description(text)) => ("desc", text.as_str()),
            (ParamItemKind::Value, ParamField::Kind(kind)) => {
                if *kind == param_kind(element) {
                    return Ok(splices);
                }
                ("type", kind.word())
            }
        };
        if let ParamField::Name(name) = field {
            check_name(name)?;
        }
        match element.child(tag) {
            Some(there) if there.children().next().is_some() => {
                return Err(EditError::NotAText(tag.to_owned()).into());
            }
            // A value is all that stands between the tags, blanks and all; a comment in it stays.
            Some(there)
                if matches!(field, ParamField::Value(_)) && !there.is_empty_tag() && !there.has_comment() =>
            {
                if there.text() != text {
                    splices.replace(there.inner(), content_text(text));
                }
            }
            Some(there) if there.text().trim() == text.trim() => {}
            Some(there) => splices.set_text(there, text),
            None if text.is_empty() => {}
            None => {
                let new = format!("<{tag}>{}</{tag}>", content_text(text));
                let next = ITEMS.of(element).next();
                splices.add_before(element, next, Hand::of(&self.tree).unit, |_| vec![new]);
            }
        }
        Ok(splices)
    }
}

impl NewParam {
    fn name(&self) -> &str {
        match self {
            Self::Folder(name) | Self::Value { name, .. } => name,
        }
    }
}

fn check_name(name: &str) -> Result<(), ParamChangeError> {
    if name.trim().is_empty() || name.contains('/') {
        return Err(ParamChangeError::Name(name.to_owned()));
    }
    Ok(())
}
