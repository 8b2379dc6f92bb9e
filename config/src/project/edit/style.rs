//! How a new element is written: as the person who wrote the file writes.

use super::{ItemKind, configs::ConfigHand, is_item};
use crate::xml::{Element, Tree, content_text, unit_of};

/// The hand that a file is written in.
#[derive(Clone, Debug)]
pub(super) struct Style {
    /// What the content of an element is indented by.
    unit: String,
    /// Whether what suites and tests hold has lines of its own.
    items_in_lines: bool,
    /// Whether name and value of a property have.
    properties_in_lines: bool,
    /// Whether those of a user-defined value have.
    defined_in_lines: bool,
    /// Whether the test configurations of an item have.
    configs_in_lines: bool,
    /// How one of them is named.
    config: ConfigHand,
}

impl Style {
    /// Learns it from what is there: the first of each kind. Where there is none, items have lines and properties one line.
    pub(super) fn of(tree: &Tree) -> Self {
        let first_with = |tags: &[&str]| {
            let named = |element: &Element<'_>| tags.contains(&element.name());
            let content = tree.elements().filter(named).find_map(|element| element.children().next());
            content.map(|child| !child.line_start().is_empty())
        };
        let (properties, defined) = (first_with(&["Property"]), first_with(&["UserDefined"]));
        let items_in_lines = first_with(&["TestSuite", "TestCase"]).unwrap_or(true);
        Self {
            unit: unit_of(tree).unwrap_or("    ").to_owned(),
            items_in_lines,
            properties_in_lines: properties.or(defined).unwrap_or(false),
            defined_in_lines: defined.or(properties).unwrap_or(false),
            configs_in_lines: first_with(&["ConfigFiles"]).unwrap_or(items_in_lines),
            config: ConfigHand::of(tree.elements().find(|element| element.name() == "Config")),
        }
    }

    pub(super) fn unit(&self) -> &str {
        &self.unit
    }

    /// A suite or test with these texts, behind this line end and indentation.
    pub(super) fn item(&self, tag: &str, texts: &[(&str, &str)], lead: &str) -> String {
        self.element(tag, texts, lead, self.items_in_lines)
    }

    /// A property or a user-defined value.
    pub(super) fn pair(&self, tag: &str, name: &str, value: &str, lead: &str) -> String {
        let in_lines = if tag == "Property" { self.properties_in_lines } else { self.defined_in_lines };
        self.element(tag, &[("propName", name), ("propValue", value)], lead, in_lines)
    }

    /// The name of a test configuration.
    pub(super) fn config(&self, name: &str) -> String {
        self.config.write(name)
    }

    /// The first test configuration of an item.
    pub(super) fn config_files(&self, name: &str, lead: &str) -> String {
        let in_lines = self.configs_in_lines && !lead.is_empty();
        let (inside, end) =
            if in_lines { (format!("{lead}{}", self.unit), lead) } else { (String::new(), "") };
        format!("<ConfigFiles>{inside}{}{end}</ConfigFiles>", self.config(name))
    }

    /// What new fields of an item stand before: behind the other fields come properties, and what it holds.
    pub(super) fn field_end<'t>(&self, item: Element<'t>) -> Option<Element<'t>> {
        let tag = ItemKind::of(item).pair_tag();
        item.children().find(|child| is_item(child) || child.name() == tag)
    }

    fn element(&self, tag: &str, texts: &[(&str, &str)], lead: &str, in_lines: bool) -> String {
        let in_lines = in_lines && !lead.is_empty();
        let (inside, end) =
            if in_lines { (format!("{lead}{}", self.unit), lead) } else { (String::new(), "") };
        let texts =
            texts.iter().map(|(name, text)| format!("{inside}<{name}>{}</{name}>", content_text(text)));
        format!("<{tag}>{}{end}</{tag}>", texts.collect::<String>())
    }
}
