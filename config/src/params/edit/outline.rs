//! A file of named values as its page shows it: every folder and value in order.

use super::ParamItemKind;
use crate::{iterator, params::ParamKind, source::Source, xml::Element};

/// A folder or value, as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamItem {
    /// What it is.
    pub kind: ParamItemKind,
    /// How many folders stand around it; the file itself counts.
    pub depth: usize,
    /// Its name; empty for the file.
    pub name: String,
    /// What it says; empty for a folder.
    pub value: String,
    /// What kind of value that is.
    pub param: ParamKind,
    /// `desc` or `fdesc`.
    pub description: String,
    /// How many values an iterator has; none where it is no iterator, or has too many.
    pub values: Option<usize>,
    /// Line and column of its begin, from 1.
    pub begins: (u32, u32),
    /// Line and column of its end.
    pub ends: (u32, u32),
}

pub(super) fn kind_of(element: Element<'_>, depth: usize) -> ParamItemKind {
    match element.name() {
        _ if depth == 0 => ParamItemKind::File,
        "param" => ParamItemKind::Value,
        _ => ParamItemKind::Folder,
    }
}

pub(super) fn param_kind(element: Element<'_>) -> ParamKind {
    element.child("type").and_then(|kind| ParamKind::of_word(kind.text().trim())).unwrap_or_default()
}

pub(super) fn shown(source: &Source, element: Element<'_>, depth: usize, left: &mut usize) -> ParamItem {
    let kind = kind_of(element, depth);
    let text = |tag: &str| element.child(tag).map(|text| text.text().trim().to_owned()).unwrap_or_default();
    let (name, description, value) = match kind {
        ParamItemKind::File => Default::default(),
        ParamItemKind::Folder => (text("fname"), text("fdesc"), String::new()),
        ParamItemKind::Value => {
            let value = element.child("value").map(|value| value.text().into_owned()).unwrap_or_default();
            (text("name"), text("desc"), value)
        }
    };
    let param = param_kind(element);
    let iterates = kind == ParamItemKind::Value && param == ParamKind::Iterator && *left > 0;
    let values = iterates.then(|| iterator::values(&value).ok().map(|values| values.len().max(1))).flatten();
    if iterates {
        *left = left.saturating_sub(values.unwrap_or(crate::limits::ITERATOR_VALUES_MAX));
    }
    let (begins, ends) = (source.position(element.outer().start), source.position(element.outer().end));
    ParamItem { kind, depth, name, value, param, description, values, begins, ends }
}
