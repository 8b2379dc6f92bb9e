//! XML as a flat list of elements with their places in the text: read once, walked by typed readers, edited by splices.
//!
//! The text itself stays the truth. An element is a handful of offsets into it, so a project of a hundred thousand tests costs
//! little more than its text, and what is written back differs only where it was edited. Nothing here recurses.

mod edit;
mod items;
mod lexis;
mod parse;
mod walk;
mod way;

use std::{borrow::Cow, ops::Range, sync::Arc};

pub(crate) use edit::{Splices, attribute_text, content_text};
pub(crate) use items::{Carried, Items, Spot, at_indentation, carried, unit_of};
pub(crate) use parse::parse;
pub(crate) use walk::{Fields, Walk};
pub(crate) use way::outermost;

use crate::source::{Source, Span};

/// An element's place in [`Tree`]; elements stand in document order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

/// A file's elements.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    source: Arc<Source>,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    next: Option<NodeId>,
    /// Whether the element right behind this one in the list is its first child.
    has_child: bool,
    /// `<a/>`: there is no content, and no end tag.
    empty: bool,
    /// From `<` of the start tag to behind `>` of the end tag.
    outer: Span,
    /// The name in the start tag.
    name: Span,
    /// Between the tags.
    inner: Span,
}

/// An element.
#[derive(Clone, Copy)]
pub(crate) struct Element<'t> {
    tree: &'t Tree,
    id: NodeId,
    node: &'t Node,
}

impl Tree {
    /// The outermost element.
    pub(crate) fn root(&self) -> Element<'_> {
        self.element(NodeId(0)).expect("a tree is made only of a text with a root element")
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Every element, in the order of the file.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        (0..).map_while(|id| self.element(NodeId(id)))
    }

    fn element(&self, id: NodeId) -> Option<Element<'_>> {
        let node = self.nodes.get(usize::try_from(id.0).ok()?)?;
        Some(Element { tree: self, id, node })
    }
}

impl<'t> Element<'t> {
    pub(crate) fn name(self) -> &'t str {
        self.tree.source.slice(self.node.name)
    }

    /// The place of the name in the start tag: where messages about the element point.
    pub(crate) fn name_span(self) -> Span {
        Span { start: self.node.name.start.saturating_sub(1), end: self.node.name.end }
    }

    /// From the start tag to the end tag, both included.
    pub(crate) fn outer(self) -> Span {
        self.node.outer
    }

    /// Between the tags; for `<a/>` an empty place behind it.
    pub(crate) fn inner(self) -> Span {
        self.node.inner
    }

    /// The element as it stands in the file.
    pub(crate) fn written(self) -> &'t str {
        self.tree.source.slice(self.node.outer)
    }

    /// Whether a comment stands in an element without children.
    pub(crate) fn has_comment(self) -> bool {
        lexis::outside_comments(self.tree.source.slice(self.node.inner)).len() > 1
    }

    /// Whether nothing but white space stands between the elements in it: no text, and no comment.
    pub(crate) fn holds_only_elements(self) -> bool {
        let mut at = self.node.inner.start;
        let ends = self
            .children()
            .map(|child| child.node.outer)
            .chain([Span { start: self.node.inner.end, end: self.node.inner.end }]);
        for outer in ends {
            if !self.tree.source.slice(Span { start: at, end: outer.start }).trim().is_empty() {
                return false;
            }
            at = outer.end;
        }
        true
    }

    /// Whether it is written `<a/>`.
    pub(crate) fn is_empty_tag(self) -> bool {
        self.node.empty
    }

    pub(crate) fn children(self) -> impl Iterator<Item = Element<'t>> {
        let first =
            self.node.has_child.then(|| self.tree.element(NodeId(self.id.0.saturating_add(1)))).flatten();
        std::iter::successors(first, |at| self.tree.element(at.node.next?))
    }

    pub(crate) fn children_named(self, name: &str) -> impl Iterator<Item = Element<'t>> {
        self.children().filter(move |child| child.name() == name)
    }

    pub(crate) fn child(self, name: &str) -> Option<Element<'t>> {
        self.children().find(|child| child.name() == name)
    }

    /// The text right inside the element, references resolved, without that of inner elements.
    pub(crate) fn text(self) -> Cow<'t, str> {
        let source = &self.tree.source;
        if !self.node.has_child {
            return lexis::resolve(source.slice(self.node.inner));
        }
        let mut at = self.node.inner.start;
        let mut text = String::new();
        for child in self.children() {
            text.push_str(&lexis::resolve(source.slice(Span { start: at, end: child.node.outer.start })));
            at = child.node.outer.end;
        }
        text.push_str(&lexis::resolve(source.slice(Span { start: at, end: self.node.inner.end })));
        Cow::Owned(text)
    }

    /// Where the trimmed text of an element without children stands; the element's own place where there is none.
    pub(crate) fn text_span(self) -> Span {
        let raw = self.tree.source.slice(self.node.inner);
        let lead = raw.len().saturating_sub(raw.trim_start().len());
        let range: Range<usize> = self.node.inner.range();
        match raw.trim() {
            "" => self.name_span(),
            filled => {
                let start = range.start.saturating_add(lead);
                Span::new(start, start.saturating_add(filled.len()))
            }
        }
    }

    /// Attributes: name, value with references resolved, place of the value.
    pub(crate) fn attributes(self) -> impl Iterator<Item = (&'t str, Cow<'t, str>, Span)> {
        let end = if self.node.empty { self.node.outer.end } else { self.node.inner.start };
        let tag = Span { start: self.node.name.end, end };
        lexis::attributes(self.tree.source.slice(tag), tag)
    }

    pub(crate) fn attribute(self, name: &str) -> Option<(Cow<'t, str>, Span)> {
        self.attributes().find(|(key, _, _)| *key == name).map(|(_, value, span)| (value, span))
    }
}

/// What stands before an element in its line, at most, to be written before others.
const INDENTATION_BYTES_MAX: usize = 1024;

impl<'t> Element<'t> {
    /// The line end and indentation before the element; empty where something else stands before it on its line.
    pub(crate) fn line_start(self) -> &'t str {
        let text = self.tree.source.text();
        let before = text.get(..self.node.outer.range().start).unwrap_or_default();
        let blank = before.trim_end_matches([' ', '\t']);
        let line = blank.strip_suffix('\n').map(|rest| rest.strip_suffix('\r').unwrap_or(rest));
        // A longer one is no indentation, and is not repeated for each line that moves.
        let lead =
            line.and_then(|line| before.get(line.len()..)).filter(|lead| lead.len() <= INDENTATION_BYTES_MAX);
        lead.unwrap_or_default()
    }

    /// The same; a line end alone for an element with which the file begins.
    fn line_start_or_top(self) -> &'t str {
        let text = self.tree.source.text();
        let before = text.get(..self.node.outer.range().start).unwrap_or_default();
        match self.line_start() {
            "" if before.trim_start_matches('\u{feff}').is_empty() => {
                if text.contains("\r\n") {
                    "\r\n"
                } else {
                    "\n"
                }
            }
            lead => lead,
        }
    }

    /// Where the content ends, white space at its end left out.
    fn content_end(self) -> u32 {
        let inner = self.tree.source.slice(self.node.inner).trim_end();
        self.node.inner.start.saturating_add(u32::try_from(inner.len()).unwrap_or(0))
    }

    /// Where the text of an element without children stands, without white space and comments around it; everything between the tags where
    /// comments cut it into pieces, or where nothing is.
    fn text_place(self) -> Span {
        let raw = self.tree.source.slice(self.node.inner);
        let pieces = lexis::outside_comments(raw);
        let mut filled = pieces.iter().filter(|(_, piece)| !piece.trim().is_empty());
        let begin = self.node.inner.start;
        let (at, piece) = match (filled.next(), filled.next()) {
            (Some(piece), None) => *piece,
            (None, _) if pieces.len() > 1 => return Span { start: begin, end: begin },
            _ => return self.node.inner,
        };
        let lead = piece.len().saturating_sub(piece.trim_start().len());
        let start = self.node.inner.range().start.saturating_add(at).saturating_add(lead);
        Span::new(start, start.saturating_add(piece.trim().len()))
    }

    /// Where the white space before an offset of the start tag begins.
    fn blank_before(self, offset: u32) -> u32 {
        let tag = self.tree.source.slice(Span { start: self.node.name.end, end: offset });
        offset.saturating_sub(u32::try_from(tag.len().saturating_sub(tag.trim_end().len())).unwrap_or(0))
    }
}
