//! Text into elements: well-formed XML without document types, within the limits, or one problem with its place.

use std::sync::Arc;

use jackfield_protocol::error::FileProblem;
use quick_xml::{Reader, errors::Error, events::Event};

use super::{
    Node, NodeId, Tree,
    lexis::{
        AttributeScan, Fault, check_characters, check_declaration, check_encoding, check_instruction,
        check_name, check_reference, name_end,
    },
};
use crate::{
    limits::{XML_ATTRIBUTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX},
    problem::Problems,
    source::{Source, Span},
};

/// Reads the elements of a file.
pub(crate) fn parse(source: &Arc<Source>) -> Result<Tree, Vec<FileProblem>> {
    Parser::new(source, XML_ELEMENTS_MAX).run().map_err(|(span, message, help)| {
        let mut problems = Problems::new(source);
        problems.error(span, message, help);
        problems.finish()
    })
}

struct Parser<'s> {
    source: &'s Arc<Source>,
    nodes: Vec<Node>,
    /// The elements around the current place, each with its last child so far.
    open: Vec<(NodeId, Option<NodeId>)>,
    seen_root: bool,
    elements_max: usize,
}

impl<'s> Parser<'s> {
    fn new(source: &'s Arc<Source>, elements_max: usize) -> Self {
        Self { source, nodes: Vec::new(), open: Vec::new(), seen_root: false, elements_max }
    }

    fn run(mut self) -> Result<Tree, Fault> {
        let text = self.source.text();
        check_characters(text)?;
        check_encoding(text)?;
        let body = text.trim_start_matches('\u{feff}');
        let base = text.len().saturating_sub(body.len());
        let mut reader = Reader::from_str(body);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.check_comments = true;
        loop {
            let place = |at: u64| base.saturating_add(usize::try_from(at).unwrap_or(usize::MAX));
            let start = place(reader.buffer_position());
            let event = reader.read_event();
            let span = Span::new(start, place(reader.buffer_position()));
            match event {
                Ok(Event::Eof) => break,
                Ok(event) => self.take(&event, span)?,
                Err(error) => {
                    return Err(syntax_fault(&error, Span::new(place(reader.error_position()), start)));
                }
            }
        }
        if let Some((open, _)) = self.open.last() {
            let element = self.node(*open).map(|node| (node.name, self.source.slice(node.name)));
            let (span, name) = element.unwrap_or_default();
            return Err((span, format!("<{name}> is never closed"), format!("add </{name}>")));
        }
        if self.nodes.is_empty() {
            return Err((Span::default(), "there is no element in the file".to_owned(), String::new()));
        }
        self.nodes.shrink_to_fit();
        Ok(Tree { source: Arc::clone(self.source), nodes: self.nodes })
    }

    fn take(&mut self, event: &Event<'_>, span: Span) -> Result<(), Fault> {
        match event {
            Event::Start(_) => self.open_element(span, false),
            Event::Empty(_) => self.open_element(span, true),
            Event::End(_) => self.close_element(span),
            Event::Text(text) => {
                if let Some(at) = text.as_ref().find("]]>") {
                    let at = span.range().start.saturating_add(at);
                    let help = "write ]]&gt;".to_owned();
                    return Err((Span::new(at, at), "`]]>` outside of CDATA".to_owned(), help));
                }
                self.outside(span, text.trim().is_empty())
            }
            Event::CData(_) => self.outside(span, false),
            Event::GeneralRef(reference) => {
                check_reference(reference, span)?;
                self.outside(span, false)
            }
            Event::Comment(_) => Ok(()),
            Event::PI(instruction) => check_instruction(instruction, span),
            Event::Decl(_) if self.nodes.is_empty() && self.is_first(span) => {
                check_declaration(self.source.slice(span), span)
            }
            Event::Decl(_) => {
                let help = "move it to the very start of the file".to_owned();
                Err((span, "the XML declaration is not at the start".to_owned(), help))
            }
            Event::DocType(_) => {
                let help = "remove the <!DOCTYPE …> and write entities out".to_owned();
                Err((span, "document types and their entities are not read".to_owned(), help))
            }
            Event::Eof => Ok(()),
        }
    }

    fn is_first(&self, span: Span) -> bool {
        let before = self.source.slice(Span { start: 0, end: span.start });
        before.trim_start_matches('\u{feff}').is_empty()
    }

    /// Text is welcome inside the root element; around it, only white space is.
    fn outside(&self, span: Span, blank: bool) -> Result<(), Fault> {
        if blank || !self.open.is_empty() {
            return Ok(());
        }
        let raw = self.source.slice(span);
        let lead = raw.len().saturating_sub(raw.trim_start().len());
        let start = span.range().start.saturating_add(lead);
        Err((Span::new(start, start), "text outside of the root element".to_owned(), "remove it".to_owned()))
    }

    fn open_element(&mut self, span: Span, empty: bool) -> Result<(), Fault> {
        if self.open.is_empty() && self.seen_root {
            let message = "a second root element".to_owned();
            return Err((span, message, "a file has one; remove the other".to_owned()));
        }
        if self.open.len() >= XML_DEPTH_MAX {
            let message = format!("elements are nested deeper than {XML_DEPTH_MAX}");
            return Err((span, message, "nest less deeply".to_owned()));
        }
        if self.nodes.len() >= self.elements_max {
            let message = format!("more than {} elements", self.elements_max);
            return Err((span, message, "split the file, or use <Repeat>".to_owned()));
        }
        self.seen_root = true;
        let name = self.check_tag(span)?;
        let inner = Span { start: span.end, end: span.end };
        let node = Node { next: None, has_child: false, empty, outer: span, name, inner };
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node);
        if let Some((parent, last)) = self.open.last_mut() {
            let (parent, before) = (*parent, last.replace(id));
            match before {
                Some(before) => self.node_mut(before, |node| node.next = Some(id)),
                None => self.node_mut(parent, |node| node.has_child = true),
            }
        }
        if !empty {
            self.open.push((id, None));
        }
        Ok(())
    }

    /// The place of the name in a start tag whose name and attributes are right.
    fn check_tag(&self, span: Span) -> Result<Span, Fault> {
        let tag = self.source.slice(span);
        let length = tag.get(1..).and_then(|rest| rest.find(name_end)).unwrap_or(0);
        let start = span.range().start.saturating_add(1);
        let name = Span::new(start, start.saturating_add(length));
        check_name(self.source.slice(name), name)?;
        let rest = Span { start: name.end, end: span.end };
        let mut names: Vec<&str> = Vec::new();
        let mut scan = AttributeScan::new(self.source.slice(rest), rest);
        while let Some((key, _, place)) = scan.next()? {
            if names.contains(&key) {
                return Err((place, format!("attribute `{key}` is given twice"), "remove one".to_owned()));
            }
            names.push(key);
            if names.len() > XML_ATTRIBUTES_MAX {
                let message = format!("more than {XML_ATTRIBUTES_MAX} attributes");
                return Err((place, message, "remove those that nothing reads".to_owned()));
            }
        }
        Ok(name)
    }

    fn close_element(&mut self, span: Span) -> Result<(), Fault> {
        let raw = self.source.slice(span);
        let closed = raw.strip_prefix("</").and_then(|rest| rest.strip_suffix('>')).unwrap_or(raw).trim_end();
        let Some((id, _)) = self.open.pop() else {
            return Err((span, format!("</{closed}> closes nothing"), "remove it".to_owned()));
        };
        let opened = self.node(id).map(|node| node.name).unwrap_or_default();
        let name = self.source.slice(opened);
        if name != closed {
            let (line, column) = self.source.position(opened.start.saturating_sub(1));
            let message = format!("</{closed}> closes <{name}> of line {line}, column {column}");
            return Err((span, message, format!("write </{name}>")));
        }
        self.node_mut(id, |node| {
            node.inner.end = span.start;
            node.outer.end = span.end;
        });
        Ok(())
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::try_from(id.0).ok()?)
    }

    fn node_mut(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        let at = usize::try_from(id.0).unwrap_or(usize::MAX);
        self.nodes.get_mut(at).map(change).unwrap_or_default();
    }
}

fn syntax_fault(error: &Error, span: Span) -> Fault {
    let help = match error {
        Error::IllFormed(quick_xml::errors::IllFormedError::UnclosedReference) => "write & as &amp;",
        Error::Syntax(_) | Error::IllFormed(_) => "",
        Error::Io(_)
        | Error::InvalidAttr(_)
        | Error::Encoding(_)
        | Error::Escape(_)
        | Error::Namespace(_) => "",
    };
    let message = error.to_string();
    let message = message.strip_prefix("syntax error: ").or(message.strip_prefix("ill-formed document: "));
    let message = message.map_or_else(|| error.to_string(), str::to_owned);
    (span, message.trim_end_matches('.').to_owned(), help.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_counted_while_they_are_read() {
        let source = Arc::new(Source::new("f", "<r><a/><b/><c/></r>"));
        assert!(Parser::new(&source, 4).run().is_ok());
        let (span, message, _) = Parser::new(&source, 3).run().unwrap_err();
        assert_eq!((span.start, message.as_str()), (11, "more than 3 elements"));
    }
}
