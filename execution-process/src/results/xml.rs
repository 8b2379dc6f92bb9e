//! Results in XML, each format told by the root of the file.

use std::{collections::BTreeMap, io::BufRead};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{Cases, Habits};

use crate::limits::{RESULT_DEPTH_MAX, RESULT_TEXT_CHARS};

mod junit;
mod nunit;
mod testng;
mod xunit;

/// An element that is open, or was just closed.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

impl Element {
    fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> u64 {
        self.attribute(name).trim().parse().unwrap_or(0)
    }

    /// What it says: the attribute, or else its text, or else its type.
    fn message(&self) -> &str {
        [self.attribute("message"), self.text.as_str(), self.attribute("type")]
            .into_iter()
            .find(|text| !text.trim().is_empty())
            .unwrap_or_default()
    }
}

/// How the elements of a format become cases. `around` are the open elements, the outermost first, without the one at hand.
trait Dialect {
    fn opened(&mut self, around: &[Element], element: &Element, cases: &mut Cases);
    fn closed(&mut self, around: &[Element], element: &Element, cases: &mut Cases);
}

/// The format of a root, by its name for people, and what reads it.
fn dialect_of(root: &str, habits: Habits) -> Result<(&'static str, Box<dyn Dialect>), String> {
    Ok(match root {
        "testsuites" | "testsuite" => ("JUnit", Box::new(junit::Junit::new(habits))),
        "test-run" | "test-results" => ("NUnit", Box::new(nunit::Nunit::default())),
        "assemblies" | "assembly" => ("xUnit.net", Box::new(xunit::Xunit::default())),
        "testng-results" => ("TestNG", Box::new(testng::Testng::default())),
        "robot" => {
            return Err("it is Robot Framework's output.xml; name the file of its option --xunit".to_owned());
        }
        other => {
            return Err(format!(
                "its root is `{other}`; those that are read are testsuites and testsuite (JUnit), test-run and test-results (NUnit), assemblies (xUnit.net), testng-results"
            ));
        }
    })
}

/// Reads a file; what is wrong with it is told beside what could be read before.
pub(super) fn read(source: impl BufRead, habits: Habits) -> Cases {
    let mut cases = Cases::new("XML", habits);
    if let Err(trouble) = read_into(source, habits, &mut cases) {
        cases.trouble = Some(trouble);
    }
    cases
}

fn read_into(source: impl BufRead, habits: Habits, cases: &mut Cases) -> Result<(), String> {
    let mut reader = Reader::from_reader(source);
    let mut dialect: Option<Box<dyn Dialect>> = None;
    let mut open: Vec<Element> = Vec::new();
    let mut buffer = Vec::new();
    let mut is_over = false;
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event_into(&mut buffer).map_err(|error| format!("at byte {at}: {error}"))?;
        match event {
            Event::Start(start) => {
                let element = element(&start);
                begin(&mut dialect, &open, &element, habits, cases, is_over)?;
                open.push(element);
                if open.len() > RESULT_DEPTH_MAX {
                    return Err(format!(
                        "at byte {at}: more than {RESULT_DEPTH_MAX} elements inside each other"
                    ));
                }
            }
            Event::Empty(start) => {
                let element = element(&start);
                let dialect = begin(&mut dialect, &open, &element, habits, cases, is_over)?;
                dialect.closed(&open, &element, cases);
                is_over |= open.is_empty();
            }
            Event::End(_) => {
                let Some(element) = open.pop() else { continue };
                if let Some(dialect) = &mut dialect {
                    dialect.closed(&open, &element, cases);
                }
                is_over |= open.is_empty();
            }
            Event::Text(text) => add_text(&mut open, &text),
            Event::CData(text) => add_text(&mut open, &text),
            Event::GeneralRef(name) => {
                let text =
                    quick_xml::escape::unescape(&format!("&{};", &*name)).map(|text| text.into_owned());
                add_text(&mut open, &text.unwrap_or_default());
            }
            Event::Eof => break,
            Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        buffer.clear();
    }
    match open.last() {
        Some(element) => Err(format!("they end early, inside of <{}>", element.name)),
        None if dialect.is_none() => Err("there is no element in it".to_owned()),
        None => Ok(()),
    }
}

/// Tells the dialect, which the first element chooses, of an element.
fn begin<'a>(
    dialect: &'a mut Option<Box<dyn Dialect>>,
    open: &[Element],
    element: &Element,
    habits: Habits,
    cases: &mut Cases,
    is_over: bool,
) -> Result<&'a mut Box<dyn Dialect>, String> {
    if is_over {
        return Err(format!("after its end there is another root, `{}`", element.name));
    }
    let dialect = match dialect {
        Some(dialect) => dialect,
        None => {
            let (format, chosen) = dialect_of(&element.name, habits)?;
            cases.source.format = format;
            dialect.insert(chosen)
        }
    };
    dialect.opened(open, element, cases);
    Ok(dialect)
}

fn element(start: &BytesStart<'_>) -> Element {
    let mut attributes = start.attributes();
    let attributes = attributes.with_checks(false).flatten().map(|attribute| {
        let raw = attribute.value.into_owned();
        let value = quick_xml::escape::unescape(&raw).map(|text| text.into_owned()).unwrap_or(raw);
        (attribute.key.local_name().as_ref().to_owned(), value)
    });
    Element {
        name: start.local_name().as_ref().to_owned(),
        attributes: attributes.collect(),
        text: String::new(),
    }
}

fn add_text(open: &mut [Element], text: &str) {
    let Some(element) = open.last_mut() else { return };
    let room = RESULT_TEXT_CHARS.saturating_sub(element.text.chars().count());
    element.text.extend(text.chars().take(room));
}
