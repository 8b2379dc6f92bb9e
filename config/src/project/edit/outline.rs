//! A project as its pages show it: every suite and test in order, with the texts of its fields as they stand in the file.

use std::collections::BTreeMap;

use super::{ItemKind, ProjectFile, fields::element_of, items};
use crate::{source::Source, xml::Element};

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
    /// The names of its test configurations, those that are not enabled in brackets.
    pub configs: Vec<String>,
}

impl ProjectFile {
    /// Everything in the order of the file; the project comes first.
    pub fn outline(&self) -> Vec<OutlineItem> {
        let source = self.tree.source();
        let mut outline = Vec::new();
        let mut open = vec![(self.tree.root(), 0_usize)];
        while let Some((element, depth)) = open.pop() {
            outline.push(item(source, element, depth));
            let inner: Vec<_> = items(element).map(|child| (child, depth.saturating_add(1))).collect();
            open.extend(inner.into_iter().rev());
        }
        outline
    }
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
        configs: element.child("ConfigFiles").map(configs).unwrap_or_default(),
        fields,
    }
}

fn configs(files: Element<'_>) -> Vec<String> {
    let name = |config: Element<'_>| {
        let (name, _) = config.attribute("name")?;
        let off = config
            .attribute("enabled")
            .is_some_and(|(enabled, _)| enabled.trim().eq_ignore_ascii_case("false"));
        Some(if off { format!("({})", name.trim()) } else { name.trim().to_owned() })
    };
    files.children_named("Config").filter_map(name).collect()
}
