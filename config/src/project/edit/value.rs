//! Fields and properties of items: read, set, taken away.

use super::{ItemKind, ItemPath, ProjectEditError, ProjectFile, fields::element_of, items, style::Style};
use crate::{
    xml::{Element, Splices, content_text},
    xml_file::EditError,
};

/// A property: of one that is given several times, such as `param`, the one with this number.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairName<'n> {
    pub(super) name: &'n str,
    pub(super) nth: usize,
}

impl ProjectFile {
    /// Sets the text of an element of an item, adding the element where it is missing.
    ///
    /// # Errors
    /// No such item, or an element that holds elements.
    pub fn set(&mut self, at: ItemPath<'_>, field: &'static str, text: &str) -> Result<(), ProjectEditError> {
        let mut splices = Splices::default();
        set_field(&mut splices, self.item(at)?, field, text, &Style::of(&self.tree))?;
        self.apply(splices)
    }

    /// The value of a property of a test, or of a user-defined value of a suite or the project.
    pub fn property(&self, at: ItemPath<'_>, name: &str) -> Option<String> {
        let pair = pair(self.item(at).ok()?, PairName { name, nth: 0 })?;
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
        let mut splices = Splices::default();
        let name = PairName { name, nth: 0 };
        set_pair(&mut splices, self.item(at)?, name, value, &Style::of(&self.tree));
        self.apply(splices)
    }
}

/// Another text for a field.
pub(super) fn set_field(
    splices: &mut Splices,
    item: Element<'_>,
    field: &'static str,
    text: &str,
    style: &Style,
) -> Result<(), ProjectEditError> {
    match element_of(item, field) {
        Some(child) if child.children().next().is_some() => {
            return Err(EditError::NotAText(field.to_owned()).into());
        }
        Some(child) if child.text().trim() == text.trim() => {}
        Some(child) => splices.set_text(child, text),
        None => {
            let new = format!("<{field}>{}</{field}>", content_text(text));
            splices.add_before(item, style.field_end(item), style.unit(), |_| vec![new]);
        }
    }
    Ok(())
}

/// The same, where an empty text takes the element away.
pub(super) fn set_or_remove_field(
    splices: &mut Splices,
    item: Element<'_>,
    field: &'static str,
    text: &str,
    style: &Style,
) -> Result<(), ProjectEditError> {
    // Without a name an item would still be there, so that element stays and says nothing.
    let is_name = ItemKind::of(item).name_field() == Some(field);
    if is_name || !text.trim().is_empty() {
        return set_field(splices, item, field, text, style);
    }
    // What says nothing already stays: files of Twister have every element. So does what says something else beside its text.
    match element_of(item, field) {
        Some(there) if there.attributes().next().is_some() => set_field(splices, item, field, text, style)?,
        Some(there) if !there.text().trim().is_empty() => splices.remove(there),
        Some(_) | None => {}
    }
    Ok(())
}

/// Another value for a property; with none it goes.
pub(super) fn set_pair(
    splices: &mut Splices,
    item: Element<'_>,
    name: PairName<'_>,
    value: Option<&str>,
    style: &Style,
) {
    match (pair(item, name), value) {
        (None, None) => {}
        (Some(pair), None) => splices.remove(pair),
        (Some(pair), Some(value)) => {
            if pair.child("propValue").is_none_or(|old| old.text().trim() != value.trim()) {
                splices.set_child_text(pair, "propValue", value);
            }
        }
        (None, Some(value)) => {
            let tag = ItemKind::of(item).pair_tag();
            let write = |lead: &str| vec![style.pair(tag, name.name, value, lead)];
            splices.add_before(item, items(item).next(), style.unit(), write);
        }
    }
}

fn pair<'t>(item: Element<'t>, name: PairName<'_>) -> Option<Element<'t>> {
    let named =
        |pair: &Element<'_>| pair.child("propName").is_some_and(|text| text.text().trim() == name.name);
    item.children_named(ItemKind::of(item).pair_tag()).filter(named).nth(name.nth)
}
