//! How a new element is written: as the person who wrote the file writes.

use crate::xml::{Element, Tree, content_text};

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
}

impl Style {
    /// Learns it from what is there: the first of each kind. Where there is none, items have lines and properties one line.
    pub(super) fn of(tree: &Tree) -> Self {
        let root = tree.root();
        let inside = root.children().map(Element::line_start).find(|lead| !lead.is_empty());
        let unit = inside.map(|lead| {
            let own = indentation(root.line_start());
            let lead = indentation(lead);
            lead.strip_prefix(own).unwrap_or(lead)
        });
        let first_with = |tags: &[&str]| {
            let named = |element: &Element<'_>| tags.contains(&element.name());
            let content = tree.elements().filter(named).find_map(|element| element.children().next());
            content.map(|child| !child.line_start().is_empty())
        };
        let (properties, defined) = (first_with(&["Property"]), first_with(&["UserDefined"]));
        Self {
            unit: unit.unwrap_or("    ").to_owned(),
            items_in_lines: first_with(&["TestSuite", "TestCase"]).unwrap_or(true),
            properties_in_lines: properties.or(defined).unwrap_or(false),
            defined_in_lines: defined.or(properties).unwrap_or(false),
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

    fn element(&self, tag: &str, texts: &[(&str, &str)], lead: &str, in_lines: bool) -> String {
        let in_lines = in_lines && !lead.is_empty();
        let (inside, end) =
            if in_lines { (format!("{lead}{}", self.unit), lead) } else { (String::new(), "") };
        let texts =
            texts.iter().map(|(name, text)| format!("{inside}<{name}>{}</{name}>", content_text(text)));
        format!("<{tag}>{}{end}</{tag}>", texts.collect::<String>())
    }
}

/// The blanks behind the line end.
pub(super) fn indentation(lead: &str) -> &str {
    lead.trim_start_matches(['\r', '\n'])
}

/// A text that moves from one indentation to another: lines that begin with markup move with it. What has CDATA stays as it is, since a line
/// within it may look like markup.
pub(super) fn reindented(text: &str, from: &str, to: &str) -> String {
    if from == to || text.contains("<![CDATA[") {
        return text.to_owned();
    }
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |mut moved, line| {
        match line.strip_prefix(from).filter(|rest| rest.trim_start().starts_with('<')) {
            Some(rest) => moved.extend([to, rest]),
            None => moved.push_str(line),
        }
        moved
    })
}
