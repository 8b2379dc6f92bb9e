//! Twister's `hwconfig.xml`: test beds, devices, their modules and the ports of these. Each element becomes a node, each other element in it a
//! property of its name.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use jackfield_protocol::{
    error::{FileProblem, Severity},
    resource::Resource,
};
use jackfield_resource_allocator::{Tree, plan::Outline};
use serde_json::Value;

use super::Draft;
use crate::{
    problem::Read,
    source::{Source, Span},
    xml::{self, Element, content_text},
};

/// An element that is a node, from the outermost in.
struct Level {
    /// Its element.
    tag: &'static str,
    /// What kind of resource that is.
    kind: &'static str,
    /// The elements that name it; the first there is counts.
    names: &'static [&'static str],
}

const LEVELS: [Level; 4] = [
    Level { tag: "testbed", kind: "testbed", names: &["testbedname", "testbedid"] },
    Level { tag: "device", kind: "device", names: &["devicename", "deviceid"] },
    Level { tag: "devicemodule", kind: "module", names: &["moduletype"] },
    Level { tag: "deviceport", kind: "port", names: &["port"] },
];

pub(super) fn read(source: &Arc<Source>) -> Read<Outline> {
    let tree = match xml::parse(source) {
        Ok(tree) => tree,
        Err(problems) => return Read { value: None, problems },
    };
    let mut draft = Draft::new(source);
    let root = tree.root();
    let has_beds = root.children_named("testbed").next().is_some();
    if !root.name().eq_ignore_ascii_case("root") || !(has_beds || root.children().next().is_none()) {
        let help = "hwconfig.xml is <root> with <testbed> in it; say the format if this is another file";
        draft.problems.error(root.name_span(), "this is no hwconfig.xml", help);
        return Read { value: None, problems: draft.problems.finish() };
    }
    if source.text().contains("<!--") {
        let help = "keep the file, if somebody reads them";
        draft.left_out(Span::new(0, 0), "what comments say", help);
    }
    read_level(&mut draft, root, &[], 0);
    draft.finish()
}

fn read_level(draft: &mut Draft, around: Element<'_>, path: &[String], depth: usize) {
    let Some(level) = LEVELS.get(depth) else { return };
    for element in around.children_named(level.tag) {
        let mut properties = BTreeMap::from([("kind".to_owned(), Value::from(level.kind))]);
        let below = LEVELS.get(depth.saturating_add(1)).map(|level| level.tag);
        for child in element.children().filter(|child| Some(child.name()) != below) {
            if child.children().next().is_some() {
                let what = format!("<{}> in <{}>", child.name(), level.tag);
                draft.left_out(
                    child.name_span(),
                    what,
                    "a property is a text; put its parts beside each other",
                );
                continue;
            }
            let value = Value::from(child.text().trim());
            match properties.get_mut(child.name()) {
                Some(Value::Array(items)) => items.push(value),
                Some(one) if child.name() != "kind" => *one = Value::Array(vec![one.take(), value]),
                Some(_) | None => drop(properties.insert(child.name().to_owned(), value)),
            }
        }
        for (name, _, span) in element.attributes() {
            draft.left_out(span, format!("the attribute `{name}`"), "write it as an element");
        }
        let named = level
            .names
            .iter()
            .find_map(|name| properties.get(*name)?.as_str().filter(|name| !name.is_empty()));
        let (name, _) = draft.name(named.unwrap_or(level.kind));
        let path = draft.free(path, &name);
        draft.add(&path, element.name_span(), properties);
        read_level(draft, element, &path, depth.saturating_add(1));
    }
}

/// The file, and what it cannot say.
pub(super) fn write(tree: &Tree) -> (String, Vec<FileProblem>) {
    let mut text = String::from("<root>\n");
    let mut problems = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for node in tree.walk() {
        let depth = node.path.split('/').filter(|name| !name.is_empty()).count();
        let Some(index) = depth.checked_sub(1) else { continue };
        let Some(level) = LEVELS.get(index) else {
            problems.push(left_out(&node.path, "nothing lies in a port there"));
            continue;
        };
        close(&mut text, &mut open, index);
        write_node(&mut text, &node, level, index, &mut problems);
        open.push(index);
    }
    close(&mut text, &mut open, 0);
    text.push_str("</root>\n");
    (text, problems)
}

/// Ends the elements from this depth in.
fn close(text: &mut String, open: &mut Vec<usize>, depth: usize) {
    while let Some(index) = open.pop_if(|index| *index >= depth) {
        if let Some(level) = LEVELS.get(index) {
            line(text, index, &format!("</{}>", level.tag));
        }
    }
}

fn write_node(
    text: &mut String,
    node: &Resource,
    level: &Level,
    index: usize,
    problems: &mut Vec<FileProblem>,
) {
    line(text, index, &format!("<{}>", level.tag));
    let name = node.path.rsplit('/').next().unwrap_or_default();
    if let Some(tag) =
        level.names.first().filter(|_| !level.names.iter().any(|name| node.properties.contains_key(*name)))
    {
        line(text, index + 1, &format!("<{tag}>{}</{tag}>", content_text(name)));
    }
    for (key, value) in &node.properties {
        if key == "kind" && value == level.kind {
            continue;
        }
        let is_tag =
            key.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.'))
                && key.chars().next().is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_')
                && !LEVELS.iter().any(|level| level.tag == key);
        let all = match value {
            Value::Array(items) if items.iter().all(Value::is_string) => items.iter().collect(),
            Value::Array(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => vec![value],
        };
        let at = format!("{}:{key}", node.path);
        if !is_tag {
            problems.push(left_out(&at, "its name cannot be that of an element"));
            continue;
        }
        for value in all {
            let written = match value {
                Value::String(text) => text.clone(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    problems.push(warning(
                        format!("`{at}` is written as the text {value}"),
                        "read again it is a text",
                    ));
                    value.to_string()
                }
            };
            line(text, index + 1, &format!("<{key}>{}</{key}>", content_text(&written)));
        }
    }
}

fn line(text: &mut String, depth: usize, what: &str) {
    for _ in 0..=depth {
        text.push('\t');
    }
    writeln!(text, "{what}").expect("a text takes every text");
}

fn left_out(what: &str, why: &str) -> FileProblem {
    warning(format!("`{what}` is not carried over"), why)
}

fn warning(message: String, help: &str) -> FileProblem {
    let (severity, file, help) = (Severity::Warning, "hwconfig.xml".to_owned(), help.to_owned());
    FileProblem { severity, file, line: 0, column: 0, message, help }
}
