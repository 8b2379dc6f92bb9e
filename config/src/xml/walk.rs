//! Typed reading of elements: each value with its place, every problem collected, unknown elements named.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    sync::Arc,
};

use jackfield_protocol::error::FileProblem;

use super::{Element, Tree};
use crate::{
    problem::{Problems, suggest},
    source::{At, Span},
    value::{self, Expected},
};

/// A longer text is not kept for others.
const WORD_BYTES_MAX: usize = 32;

/// One reading of a file.
pub(crate) struct Walk {
    problems: RefCell<Problems>,
    /// Texts that occur again and again, such as names of properties, are kept once.
    words: RefCell<BTreeSet<Arc<str>>>,
}

impl Walk {
    pub(crate) fn new(tree: &Tree) -> Self {
        Self { problems: RefCell::new(Problems::new(tree.source())), words: RefCell::default() }
    }

    /// The file that is read.
    pub(crate) fn source(&self) -> Arc<crate::source::Source> {
        Arc::clone(self.problems.borrow().source())
    }

    pub(crate) fn error(&self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.problems.borrow_mut().error(span, message, help);
    }

    pub(crate) fn warn(&self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.problems.borrow_mut().warn(span, message, help);
    }

    /// The text, kept once where it is short: long ones, such as IDs, seldom occur again.
    pub(crate) fn word(&self, text: &str) -> Arc<str> {
        if text.len() > WORD_BYTES_MAX {
            return text.into();
        }
        let mut words = self.words.borrow_mut();
        if let Some(word) = words.get(text) {
            return Arc::clone(word);
        }
        let word: Arc<str> = text.into();
        words.insert(Arc::clone(&word));
        word
    }

    pub(crate) fn finish(self) -> Vec<FileProblem> {
        self.problems.into_inner().finish()
    }

    /// The children of an element, to be asked for one by one.
    pub(crate) fn fields<'w, 't>(&'w self, element: Element<'t>) -> Fields<'w, 't> {
        let children = element.children().map(|child| (child.name(), Cell::new(false), child)).collect();
        Fields { walk: self, element, children, asked: RefCell::default() }
    }

    /// The trimmed text of an element, with its place.
    pub(crate) fn text_of(&self, element: Element<'_>) -> At<Arc<str>> {
        At::new(self.word(element.text().trim()), element.text_span())
    }
}

/// The children of an element: a reader asks for those it knows, [`Fields::finish`] warns about the others.
pub(crate) struct Fields<'w, 't> {
    walk: &'w Walk,
    element: Element<'t>,
    children: Vec<(&'t str, Cell<bool>, Element<'t>)>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'w, 't> Fields<'w, 't> {
    pub(crate) fn walk(&self) -> &'w Walk {
        self.walk
    }

    pub(crate) fn element(&self) -> Element<'t> {
        self.element
    }

    /// Every child of a name.
    pub(crate) fn each(&self, name: &'static str) -> impl Iterator<Item = Element<'t>> {
        self.asked.borrow_mut().push(name);
        let named = self.children.iter().filter(move |(known, _, _)| *known == name);
        named.map(|(_, seen, child)| {
            seen.set(true);
            *child
        })
    }

    /// The one child of a name; a second is an error.
    pub(crate) fn one(&self, name: &'static str) -> Option<Element<'t>> {
        let mut all = self.each(name);
        let first = all.next();
        for further in all {
            self.walk.error(further.name_span(), format!("<{name}> is given twice"), "remove one of them");
        }
        first
    }

    /// Elements that older files carry and nothing depends on.
    pub(crate) fn ignore(&self, names: &[&'static str]) {
        for name in names {
            self.each(name).for_each(drop);
        }
    }

    /// Trimmed text; none where there is no such child, or nothing in it.
    pub(crate) fn text(&self, name: &'static str) -> Option<At<Arc<str>>> {
        let child = self.one(name)?;
        if child.children().next().is_some() {
            let message = format!("<{name}> holds elements where a text should be");
            self.walk.error(child.name_span(), message, format!("write <{name}>text</{name}>"));
            return None;
        }
        let text = self.walk.text_of(child);
        (!text.value.is_empty()).then_some(text)
    }

    /// Text in one of the grammars of [`crate::value`]; none where there is no text, or not a right one.
    pub(crate) fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Expected>,
    ) -> Option<At<T>> {
        let text = self.text(name)?;
        match parse(&text.value) {
            Ok(value) => Some(At::new(value, text.span)),
            Err(expected) => {
                let message = format!("<{name}> is `{}`", text.value);
                self.walk.error(text.span, message, format!("write {expected}"));
                None
            }
        }
    }

    /// True or false; false where nothing is said.
    pub(crate) fn truth(&self, name: &'static str) -> bool {
        self.parsed(name, value::truth).is_some_and(|truth| truth.value)
    }

    /// The parts of a list, each with its place.
    pub(crate) fn list(&self, name: &'static str, separator: char) -> Vec<At<Arc<str>>> {
        self.text(name).map(|text| self.walk.split(&text, separator)).unwrap_or_default()
    }

    /// Warns about every child that nobody asked for.
    pub(crate) fn finish(self) {
        let asked = self.asked.borrow();
        for (name, seen, child) in &self.children {
            if !seen.get() {
                let message = format!("unknown element <{name}> in <{}>", self.element.name());
                let full = self.walk.problems.borrow().is_full();
                let help = if full { String::new() } else { suggest(name, asked.iter().copied()) };
                self.walk.warn(child.name_span(), message, help);
            }
        }
    }
}

impl Walk {
    /// The parts of a list that is the text of an element.
    ///
    /// Where the text holds references, places inside it are those of the whole text.
    pub(crate) fn split(&self, text: &At<Arc<str>>, separator: char) -> Vec<At<Arc<str>>> {
        value::list_parts(&text.value, separator).map(|part| self.part(text, part)).collect()
    }

    /// A part of a text, and the byte of it at which it begins, with its own position.
    pub(crate) fn part(&self, text: &At<Arc<str>>, (offset, part): (usize, &str)) -> At<Arc<str>> {
        let plain = text.span.range().len() == text.value.len();
        let start = text.span.range().start.saturating_add(offset);
        let span = Span::new(start, start.saturating_add(part.len()));
        At::new(self.word(part), if plain { span } else { text.span })
    }
}
