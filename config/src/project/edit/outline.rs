//! A project as its pages show it: every suite and test in order, with the texts of its fields as they stand in the file.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    ITEMS, ItemKind, ProjectFile,
    configs::{NamedConfig, named},
    fields::element_of,
};
use crate::{project::expand::of_place, source::Source, xml::Element};

/// A line and a column, from 1.
pub type Place = (u32, u32);

/// The project, a suite or a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineItem {
    /// What it is.
    pub kind: ItemKind,
    /// How many suites stand around it; the project itself counts.
    pub depth: usize,
    /// `tsName` or `tcName`; empty for the project.
    pub name: String,
    /// Where it begins.
    pub begins: Place,
    /// Where it ends.
    pub ends: Place,
    /// The fields that say something.
    pub fields: BTreeMap<&'static str, String>,
    /// Properties of a test, user-defined values of a suite or the project, in their order.
    pub pairs: Vec<(String, String)>,
    /// The test configurations it names, in their order.
    pub configs: Vec<NamedConfig>,
}

impl ProjectFile {
    /// Everything in the order of the file; the project comes first.
    pub fn outline(&self) -> Vec<OutlineItem> {
        let source = self.tree.source();
        let outline = ITEMS.outline(&self.tree);
        outline.into_iter().map(|(element, depth)| item(source, element, depth)).collect()
    }
}

/// The IDs that items have in a run, one for each; none for the project. What has none of its own gets one from its place.
pub fn ids(outline: &[OutlineItem]) -> Vec<Option<Arc<str>>> {
    let mut way: Vec<usize> = Vec::new();
    let id = |item: &OutlineItem| {
        let depth = item.depth.checked_sub(1)?;
        // One more of this depth; the first where the one before stood further out.
        if way.len() > depth {
            way.truncate(item.depth);
            way.last_mut().map(|last| *last = last.saturating_add(1)).unwrap_or_default();
        } else {
            way.push(0);
        }
        Some(item.fields.get("ID").map_or_else(|| of_place(&way), |id| id.as_str().into()))
    };
    outline.iter().map(id).collect()
}

/// The innermost item around a place; the project where nothing is.
pub fn item_at(outline: &[OutlineItem], place: Place) -> usize {
    // Items are sorted by where they begin, so of those that begin before it the last one that has not ended is the innermost.
    let began = outline.partition_point(|item| item.begins <= place);
    let around = outline.get(..began).unwrap_or_default().iter().rposition(|item| item.ends >= place);
    around.unwrap_or(0)
}

fn item(source: &Source, element: Element<'_>, depth: usize) -> OutlineItem {
    let kind = ItemKind::of(element);
    let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let text = |field: &&'static str| Some((*field, filled(&element_of(element, field)?.text())?));
    let fields: BTreeMap<_, _> = kind.fields().iter().filter_map(text).collect();
    let of = |pair: Element<'_>, name: &str| pair.child(name).map(|text| text.text().trim().to_owned());
    let pairs = element.children_named(kind.pair_tag());
    let pairs =
        pairs.filter_map(|pair| Some((of(pair, "propName")?, of(pair, "propValue").unwrap_or_default())));
    OutlineItem {
        kind,
        depth,
        name: kind.name_field().and_then(|field| fields.get(field).cloned()).unwrap_or_default(),
        begins: source.position(element.outer().start),
        ends: source.position(element.outer().end),
        pairs: pairs.collect(),
        configs: named(element),
        fields,
    }
}
