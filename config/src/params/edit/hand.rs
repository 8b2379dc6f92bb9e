//! How folders and values are written: as the person who wrote the file writes.

use super::NewParam;
use crate::xml::{Tree, content_text, unit_of};

/// The hand that a file is written in: the first value and folder that it has.
pub(super) struct Hand<'t> {
    pub(super) unit: &'t str,
    folders_in_lines: bool,
    values_in_lines: bool,
    /// Whether values have a `<desc/>` though there is nothing to say.
    describes: bool,
}

impl<'t> Hand<'t> {
    pub(super) fn of(tree: &'t Tree) -> Self {
        let in_lines = |tag: &str| {
            let first = tree.elements().filter(|element| element.name() == tag);
            let child = first.flat_map(|element| element.children().next()).next();
            child.map(|child| !child.line_start().is_empty())
        };
        let described = tree.elements().find(|element| element.name() == "param");
        Self {
            unit: unit_of(tree).unwrap_or("    "),
            folders_in_lines: in_lines("folder").unwrap_or(true),
            values_in_lines: in_lines("param").unwrap_or(false),
            describes: described.is_some_and(|param| param.child("desc").is_some()),
        }
    }

    pub(super) fn write(&self, item: &NewParam, lead: &str) -> String {
        let filled = |tag: &str, text: &str| match content_text(text).as_str() {
            "" => format!("<{tag}/>"),
            text => format!("<{tag}>{text}</{tag}>"),
        };
        let (tag, parts, in_lines) = match item {
            NewParam::Folder(name) => ("folder", vec![filled("fname", name.trim())], self.folders_in_lines),
            NewParam::Value { name, value, kind } => {
                let mut parts = vec![filled("name", name.trim()), filled("value", value)];
                parts.extend(self.describes.then(|| "<desc/>".to_owned()));
                parts.push(filled("type", kind.word()));
                ("param", parts, self.values_in_lines)
            }
        };
        let in_lines = in_lines && !lead.is_empty();
        let (inside, end) =
            if in_lines { (format!("{lead}{}", self.unit), lead) } else { (String::new(), "") };
        let parts: String = parts.into_iter().map(|part| format!("{inside}{part}")).collect();
        format!("<{tag}>{parts}{end}</{tag}>")
    }
}
