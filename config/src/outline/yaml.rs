//! YAML as a tree of values with their places, read once and bounded: no document makes more than was written.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_resource_allocator::plan::Outline;
use saphyr_parser::{Event, Parser, ScalarStyle, Span as Place, Tag};
use serde_json::Value;

use super::{Draft, Format};
use crate::{
    problem::Read,
    source::{Source, Span},
};

/// Values inside values.
const DEPTH_MAX: usize = 64;
/// Values of one document; what has an anchor counts once more, and again wherever it is named.
const VALUES_MAX: usize = 1_000_000;
/// Bytes of a text that has an anchor, or is in what has one, which count as a value more.
const REPEATED_BYTES: usize = 64;

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A text, a number, a truth, nothing.
    Scalar(Value),
    List(Vec<Node>),
    /// In the order of the file.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The fields of a map; of anything else none.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &Self)> {
        let fields: &[(String, Self)] = match &self.kind {
            Kind::Map(fields) => fields,
            Kind::Scalar(_) | Kind::List(_) => &[],
        };
        fields.iter().map(|(name, node)| (name.as_str(), node))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.fields().find(|(other, _)| *other == name).map(|(_, node)| node)
    }

    /// What a list holds; a single value is a list of one.
    pub(super) fn items(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::List(items) => items.iter().collect(),
            Kind::Scalar(Value::Null) => Vec::new(),
            Kind::Scalar(_) | Kind::Map(_) => vec![self],
        }
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.kind, Kind::Map(_))
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self.kind, Kind::Scalar(Value::Null))
    }

    /// A scalar as it is read.
    pub(super) fn text(&self) -> Option<String> {
        match &self.kind {
            Kind::Scalar(Value::String(text)) => Some(text.clone()),
            Kind::Scalar(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// As a property holds it. The depth is bounded, and so is this.
    pub(super) fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => Value::Array(items.iter().map(Self::value).collect()),
            Kind::Map(fields) => fields.iter().map(|(name, node)| (name.clone(), node.value())).collect(),
        }
    }

    /// Every text in it.
    pub(super) fn texts(&self) -> Vec<(Span, &str)> {
        let mut open = vec![self];
        let mut texts = Vec::new();
        while let Some(node) = open.pop() {
            match &node.kind {
                Kind::Scalar(Value::String(text)) => texts.push((node.span, text.as_str())),
                Kind::Scalar(_) => {}
                Kind::List(items) => open.extend(items),
                Kind::Map(fields) => open.extend(fields.iter().map(|(_, node)| node)),
            }
        }
        texts
    }
}

/// What kind of file it is; none where nobody could tell.
pub(super) fn guess(source: &Arc<Source>) -> Option<Format> {
    let mut draft = Draft::new(source);
    let root = load(&mut draft)?;
    let has = |name: &str| root.get(name).is_some();
    if has("devices") || has("topology") || has("testbed") {
        return Some(Format::Pyats);
    }
    if has("targets") {
        return Some(Format::Labgrid);
    }
    let is_group = |node: &Node| ["hosts", "children"].iter().any(|name| node.get(name).is_some());
    if has("all") || root.fields().any(|(_, node)| is_group(node)) {
        return Some(Format::Ansible);
    }
    let resources = root.fields().flat_map(|(_, group)| group.fields());
    let is_class = |name: &str| name.chars().next().is_some_and(char::is_uppercase);
    let mut resources = resources.filter(|(_, node)| node.is_map());
    resources.any(|(name, node)| is_class(name) || node.get("cls").is_some()).then_some(Format::Labgrid)
}

/// Reads the document, and what it says by a format.
pub(super) fn read(source: &Arc<Source>, format: fn(&mut Draft, &Node)) -> Read<Outline> {
    let mut draft = Draft::new(source);
    let Some(root) = load(&mut draft) else { return Read { value: None, problems: draft.problems.finish() } };
    format(&mut draft, &root);
    draft.finish()
}

/// The first document.
fn load(draft: &mut Draft) -> Option<Node> {
    let source = Arc::clone(draft.problems.source());
    let mut loader = Loader { draft, anchors: BTreeMap::new(), count: 0, last: (0, 0, 0) };
    let mut parser = Parser::new_from_str(source.text());
    let mut documents = 0_u32;
    let mut root = None;
    while let Some(event) = parser.next() {
        let (event, place) = match event {
            Ok(event) => event,
            Err(error) => {
                let marker = error.marker();
                let span = loader.draft.span_at(marker.line(), marker.col().saturating_add(1));
                loader.draft.problems.error(
                    span,
                    format!("this is no YAML: {}", error.info()),
                    "mend it by hand",
                );
                return None;
            }
        };
        match event {
            Event::DocumentStart(_) => documents = documents.saturating_add(1),
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing => {}
            event @ (Event::Alias(_)
            | Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd) => {
                if documents > 1 {
                    let span = loader.span(place);
                    let help = "put it into a file of its own";
                    loader.draft.left_out_once(span, "what stands behind the first document", help);
                }
                let node = loader.node(&mut parser, event, place, 0)?;
                root.get_or_insert(node);
            }
        }
    }
    let whole = Span::new(0, 0);
    if root.is_none() {
        loader.draft.problems.error(whole, "there is nothing in the file", "is it the right one?");
    }
    root
}

struct Loader<'d> {
    draft: &'d mut Draft,
    anchors: BTreeMap<usize, Node>,
    count: usize,
    /// The line, the column and the byte of the place before.
    last: (usize, usize, usize),
}

type Events<'t> = Parser<'t, saphyr_parser::StrInput<'t>>;

impl Loader<'_> {
    /// A file may be one long line: a place in it is looked for from the one before.
    fn span(&mut self, place: Place) -> Span {
        let (line, column) = (place.start.line(), place.start.col().saturating_add(1));
        let (last_line, last_column, last_at) = self.last;
        let span = match column.checked_sub(last_column).filter(|_| line == last_line) {
            Some(letters) => self.draft.span_behind(last_at, letters),
            None => self.draft.span_at(line, column),
        };
        self.last = (line, column, span.range().start);
        span
    }

    fn refuse(&mut self, span: Span, message: &str) -> Option<Node> {
        self.draft.problems.error(span, message, "make it simpler; a lab needs less");
        None
    }

    /// None where there is too much, which is told.
    fn check(&mut self, span: Span, depth: usize) -> Option<()> {
        if depth <= DEPTH_MAX && self.count <= VALUES_MAX {
            return Some(());
        }
        let message =
            format!("there are more than {DEPTH_MAX} values inside of each other, or {VALUES_MAX} in all");
        self.refuse(span, &message).map(drop)
    }

    fn node(
        &mut self,
        parser: &mut Events<'_>,
        event: Event<'_>,
        place: Place,
        depth: usize,
    ) -> Option<Node> {
        let span = self.span(place);
        self.count = self.count.saturating_add(1);
        self.check(span, depth)?;
        let (anchor, kind) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.tell_tag(span, tag.as_deref());
                (anchor, Kind::Scalar(scalar(&text, style, tag.as_deref())))
            }
            Event::SequenceStart(anchor, tag) => {
                self.tell_tag(span, tag.as_deref());
                (anchor, self.list(parser, depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.tell_tag(span, tag.as_deref());
                (anchor, self.map(parser, depth)?)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return self
                        .refuse(span, "this names an anchor that is not there, or that it is in itself");
                };
                let (count, inside) = size(&node);
                self.count = self.count.saturating_add(count);
                self.check(span, depth.saturating_add(inside))?;
                return Some(node);
            }
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd
            | Event::Nothing => (0, Kind::Scalar(Value::Null)),
        };
        let node = Node { span, kind };
        if anchor > 0 {
            self.count = self.count.saturating_add(size(&node).0);
            self.anchors.insert(anchor, node.clone());
        }
        Some(node)
    }

    /// The next event; none where the text ends or is wrong, which is told.
    fn next<'t>(&mut self, parser: &mut Events<'t>) -> Option<(Event<'t>, Place)> {
        match parser.next()? {
            Ok(event) => Some(event),
            Err(error) => {
                let marker = error.marker();
                let span = self.draft.span_at(marker.line(), marker.col().saturating_add(1));
                self.draft.problems.error(
                    span,
                    format!("this is no YAML: {}", error.info()),
                    "mend it by hand",
                );
                None
            }
        }
    }

    fn list(&mut self, parser: &mut Events<'_>, depth: usize) -> Option<Kind> {
        let mut items = Vec::new();
        loop {
            let (event, place) = self.next(parser)?;
            if matches!(event, Event::SequenceEnd) {
                return Some(Kind::List(items));
            }
            items.push(self.node(parser, event, place, depth.saturating_add(1))?);
        }
    }

    fn map(&mut self, parser: &mut Events<'_>, depth: usize) -> Option<Kind> {
        let mut fields: Vec<(String, Node)> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, place) = self.next(parser)?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key = self.node(parser, event, place, depth.saturating_add(1))?;
            let (event, place) = self.next(parser)?;
            let value = self.node(parser, event, place, depth.saturating_add(1))?;
            let Some(name) = key.text().or_else(|| key.is_nothing().then(String::new)) else {
                self.draft.left_out(
                    key.span,
                    "what has a list or a map for its name",
                    "give it a text for a name",
                );
                continue;
            };
            if name == "<<" {
                merged.push(value);
                continue;
            }
            if places.insert(name.clone(), fields.len()).is_some() {
                let message = format!("`{name}` is there twice");
                self.draft.problems.error(key.span, message, "take one of them out");
                continue;
            }
            fields.push((name, value));
        }
        // What a map says itself goes before what it takes over.
        for more in merged.iter().flat_map(Node::items) {
            for (name, node) in more.fields() {
                if !places.contains_key(name) {
                    places.insert(name.to_owned(), fields.len());
                    fields.push((name.to_owned(), node.clone()));
                }
            }
        }
        Some(Kind::Map(fields))
    }

    /// Tags of YAML itself say what a value is; those of other tools are orders to them.
    fn tell_tag(&mut self, span: Span, tag: Option<&Tag>) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            let what = format!("what `!{}` means", tag.suffix);
            self.draft.left_out(span, what, "the value is taken as it is written");
        }
    }
}

/// What a node counts when it is there once more, and how many values in it are inside of each other.
fn size(node: &Node) -> (usize, usize) {
    let mut open = vec![(node, 0_usize)];
    let (mut count, mut inside, mut bytes) = (0_usize, 0_usize, 0_usize);
    while let Some((node, depth)) = open.pop() {
        count = count.saturating_add(1);
        inside = inside.max(depth);
        let below = depth.saturating_add(1);
        match &node.kind {
            Kind::Scalar(Value::String(text)) => bytes = bytes.saturating_add(text.len()),
            Kind::Scalar(_) => {}
            Kind::List(items) => open.extend(items.iter().map(|item| (item, below))),
            Kind::Map(fields) => {
                for (name, node) in fields {
                    bytes = bytes.saturating_add(name.len());
                    open.push((node, below));
                }
            }
        }
    }
    (count.saturating_add(bytes / REPEATED_BYTES), inside)
}

/// A scalar by YAML's core schema; what looks like a version or an address is a text.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    if style != ScalarStyle::Plain || is_text {
        return Value::from(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        text => {
            let number =
                text.parse::<i64>().ok().filter(|number| number.to_string() == text).map(Value::from);
            number.unwrap_or_else(|| Value::from(text))
        }
    }
}
