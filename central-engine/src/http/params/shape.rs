//! What pages and scripts send and are answered of files of named values.

use std::sync::Arc;

use jackfield_config::{
    iterator,
    params::{
        ParamKind,
        edit::{NewParam, ParamChange, ParamField, ParamItem, ParamItemKind},
    },
};
use serde::{Deserialize, Serialize};

use crate::limits;

/// A change of a file of named values. A way says where something is: `[]` is the file, `[0, 2]` the third thing in its first folder.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::http) enum ValueChange {
    /// Another name.
    Name { at: Vec<usize>, name: String },
    /// Another value.
    Value { at: Vec<usize>, value: String },
    /// Another kind of value.
    Type { at: Vec<usize>, r#type: ValueType },
    /// What it is for.
    Description { at: Vec<usize>, description: String },
    /// New folders and values, before the item with number `before`.
    Insert { parent: Vec<usize>, before: usize, items: Vec<NewValueItem> },
    /// Takes items away.
    Remove { items: Vec<Vec<usize>> },
    /// Puts items somewhere else.
    Move { items: Vec<Vec<usize>>, parent: Vec<usize>, before: usize },
    /// Puts copies of items somewhere.
    Copy { items: Vec<Vec<usize>>, parent: Vec<usize>, before: usize },
}

/// A new folder or value.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::http) enum NewValueItem {
    /// A folder with its name.
    Folder { name: String },
    /// A value with its name.
    Value { name: String, value: String, r#type: ValueType },
}

/// What kind of value it is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum ValueType {
    /// Text.
    String,
    /// A number.
    Decimal,
    /// A list of values; a test is run once for each.
    Iterator,
}

/// What stands in a file of named values.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum ValueItemKind {
    File,
    Folder,
    Value,
}

/// The file, a folder or a value.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ValueItem {
    kind: ValueItemKind,
    /// How many items stand around it; the file itself counts.
    depth: usize,
    /// Its name.
    name: String,
    /// The line on which it begins.
    line: u32,
    /// What it says; empty for a folder.
    value: String,
    /// What kind of value that is.
    r#type: ValueType,
    /// What it is for.
    description: String,
    /// How many values an iterator has.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    /// The first of them, in the order in which they come; the first is the default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<Arc<str>>,
}

impl From<ParamItem> for ValueItem {
    fn from(item: ParamItem) -> Self {
        let iterates = item.values.is_some();
        let values = iterates.then(|| iterator::values(&item.value).ok()).flatten().unwrap_or_default();
        Self {
            kind: match item.kind {
                ParamItemKind::File => ValueItemKind::File,
                ParamItemKind::Folder => ValueItemKind::Folder,
                ParamItemKind::Value => ValueItemKind::Value,
            },
            depth: item.depth,
            name: item.name,
            line: item.begins.0,
            value: item.value,
            r#type: item.param.into(),
            description: item.description,
            count: item.values,
            values: values.into_iter().take(limits::ITERATOR_VALUES_SHOWN).collect(),
        }
    }
}

impl From<ParamKind> for ValueType {
    fn from(kind: ParamKind) -> Self {
        match kind {
            ParamKind::Text => Self::String,
            ParamKind::Decimal => Self::Decimal,
            ParamKind::Iterator => Self::Iterator,
        }
    }
}

impl From<ValueType> for ParamKind {
    fn from(kind: ValueType) -> Self {
        match kind {
            ValueType::String => Self::Text,
            ValueType::Decimal => Self::Decimal,
            ValueType::Iterator => Self::Iterator,
        }
    }
}

impl From<ValueChange> for ParamChange {
    fn from(change: ValueChange) -> Self {
        let set = |at, field| Self::Set { at, field };
        match change {
            ValueChange::Name { at, name } => set(at, ParamField::Name(name)),
            ValueChange::Value { at, value } => set(at, ParamField::Value(value)),
            ValueChange::Type { at, r#type } => set(at, ParamField::Kind(r#type.into())),
            ValueChange::Description { at, description } => set(at, ParamField::Description(description)),
            ValueChange::Insert { parent, before, items } => {
                Self::Insert { parent, at: before, items: items.into_iter().map(NewParam::from).collect() }
            }
            ValueChange::Remove { items } => Self::Remove { items },
            ValueChange::Move { items, parent, before } => Self::Move { items, parent, to: before },
            ValueChange::Copy { items, parent, before } => Self::Copy { items, parent, to: before },
        }
    }
}

impl From<NewValueItem> for NewParam {
    fn from(item: NewValueItem) -> Self {
        match item {
            NewValueItem::Folder { name } => Self::Folder(name),
            NewValueItem::Value { name, value, r#type } => Self::Value { name, value, kind: r#type.into() },
        }
    }
}
