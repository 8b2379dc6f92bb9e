//! Changes to a text, collected and made at once; everything around them stays byte for byte.

use super::Element;
use crate::source::Span;

/// Pieces of a text to replace.
#[derive(Debug, Default)]
pub(crate) struct Splices(Vec<(Span, String)>);

impl Splices {
    pub(crate) fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.0.push((span, text.into()));
    }

    pub(crate) fn insert(&mut self, at: u32, text: impl Into<String>) {
        self.replace(Span { start: at, end: at }, text);
    }

    /// The text with all pieces replaced; of pieces that overlap, the first in the text wins.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(span, _)| *span);
        let mut result = String::with_capacity(text.len());
        let mut at = 0;
        for (span, replacement) in &self.0 {
            let range = span.range();
            if range.start < at {
                continue;
            }
            result.push_str(text.get(at..range.start).unwrap_or_default());
            result.push_str(replacement);
            at = range.end;
        }
        result.push_str(text.get(at..).unwrap_or_default());
        result
    }
}

/// A text as element content. Characters that XML cannot hold at all become the replacement character.
pub(crate) fn content_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\r' => escaped.push_str("&#13;"),
            '\n' | '\t' | '\x7f' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if c.is_ascii_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A text as the value of an attribute, between double quotes.
pub(crate) fn attribute_text(text: &str) -> String {
    content_text(text).replace('"', "&quot;").replace('\n', "&#10;").replace('\t', "&#9;")
}

impl Splices {
    /// Gives an element this text; its attributes, comments in it and the white space around it stay.
    pub(crate) fn set_text(&mut self, element: Element<'_>, text: &str) {
        if !element.is_empty_tag() {
            self.replace(element.text_place(), content_text(text));
        } else if !text.is_empty() {
            let slash = element.outer().end.saturating_sub(2);
            let tag = element.name();
            let span = Span { start: slash, end: element.outer().end };
            self.trim_before(element, slash);
            self.replace(span, format!(">{}</{tag}>", content_text(text)));
        }
    }

    /// `<a />` becomes `<a>…`: the blank before the slash goes.
    fn trim_before(&mut self, element: Element<'_>, slash: u32) {
        let blank = Span { start: element.blank_before(slash), end: slash };
        if blank.start < blank.end {
            self.replace(blank, "");
        }
    }

    /// Gives the first child of this name this text; adds the child at the end where there is none.
    pub(crate) fn set_child_text(&mut self, parent: Element<'_>, name: &str, text: &str) {
        match parent.child(name) {
            Some(child) => self.set_text(child, text),
            None => self.append_child(parent, &format!("<{name}>{}</{name}>", content_text(text))),
        }
    }

    /// Adds an element as the last child, on a line of its own where the others have theirs.
    pub(crate) fn append_child(&mut self, parent: Element<'_>, text: &str) {
        self.add_before(parent, None, "    ", |_| vec![text.to_owned()]);
    }

    /// Adds elements to `parent`, before one of its children or behind the last, on lines of their own where the others have theirs.
    /// `write` makes their texts, and is told the line end and indentation that they stand behind; `unit` is what the content of an element
    /// is indented by, for one that has none yet.
    pub(crate) fn add_before(
        &mut self,
        parent: Element<'_>,
        next: Option<Element<'_>>,
        unit: &str,
        write: impl FnOnce(&str) -> Vec<String>,
    ) {
        if let Some(next) = next {
            let lead = next.line_start();
            let texts: String = write(lead).into_iter().map(|text| text + lead).collect();
            self.insert(next.outer().start, texts);
            return;
        }
        if let Some(last) = parent.children().last() {
            let lead = last.line_start();
            let texts: String = write(lead).into_iter().map(|text| format!("{lead}{text}")).collect();
            self.insert(last.outer().end, texts);
            return;
        }
        let outside = parent.line_start_or_top();
        let lead = if outside.is_empty() { String::new() } else { format!("{outside}{unit}") };
        let texts: String = write(&lead).into_iter().map(|text| format!("{lead}{text}")).collect();
        if parent.is_empty_tag() {
            let slash = parent.outer().end.saturating_sub(2);
            let span = Span { start: slash, end: parent.outer().end };
            self.trim_before(parent, slash);
            self.replace(span, format!(">{texts}{outside}</{}>", parent.name()));
            return;
        }
        // Comments stand in it, or nothing but white space.
        let rest = Span { start: parent.content_end(), end: parent.inner().end };
        self.replace(rest, format!("{texts}{outside}"));
    }

    /// Takes an element away, with its line where it has one of its own.
    pub(crate) fn remove(&mut self, element: Element<'_>) {
        let lead = u32::try_from(element.line_start().len()).unwrap_or(0);
        let outer = element.outer();
        self.replace(Span { start: outer.start.saturating_sub(lead), end: outer.end }, "");
    }
}
