//! `TestCase` and its properties.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::plan::{IterationSave, IteratorValue, Role};

use super::{
    Test,
    read::{choice, each_pair, read_configs, read_depends, read_repeat, read_timeout},
};
use crate::{
    problem::nearest,
    source::{At, Span},
    value,
    xml::{Element, Walk},
};

/// Properties that say something to the engine; all others are for the test.
const PROPERTIES: [&str; 10] = [
    "Runnable",
    "Running",
    "Optional",
    "Prerequisite",
    "setup_file",
    "teardown_file",
    "Pre-Suite",
    "Post-Suite",
    "param",
    "iterationNr",
];

/// What stands beside the properties of a test, and is nothing that a property says.
const ELEMENTS: [&str; 6] = ["Timeout", "Repeat", "Dependency", "ConfigFiles", "iterationSave", "tcName"];

/// Reads one test.
pub(super) fn read(walk: &Walk, element: Element<'_>) -> Test {
    let fields = walk.fields(element);
    let file = fields.text("tcName").unwrap_or_else(|| {
        walk.error(element.name_span(), "a test without <tcName>", "name its file");
        At::new(walk.word(""), element.name_span())
    });
    let mut properties = Properties::default();
    each_pair(&fields, "Property", |walk, key, value| properties.take(walk, key, value));
    fields.ignore(&["Title", "Summary", "Priority", "EpId"]);
    if let Some(view) = fields.one("ClearCase").filter(|view| view.text().trim() == "true") {
        walk.warn(view.name_span(), "ClearCase is not used", "the file is taken from the lab folder");
    }
    let saves = [("all", IterationSave::All), ("failed", IterationSave::Failed)];
    let test = Test {
        id: fields.text("ID"),
        repeat: read_repeat(&fields),
        depends: read_depends(&fields),
        configs: read_configs(&fields),
        iteration_save: choice(&fields, "iterationSave", &saves),
        timeout_millis: read_timeout(&fields),
        role: properties.role(walk, file.span),
        runnable: properties.runnable.unwrap_or(true),
        running: properties.running.unwrap_or(true),
        optional: properties.optional,
        prerequisite: properties.prerequisite,
        params: properties.params,
        iteration: properties.iteration,
        properties: properties.others,
        file,
    };
    fields.finish();
    test
}

#[derive(Default)]
struct Properties {
    runnable: Option<bool>,
    running: Option<bool>,
    optional: bool,
    prerequisite: bool,
    setup: bool,
    teardown: bool,
    unsaved: bool,
    params: Vec<Arc<str>>,
    iteration: Vec<IteratorValue>,
    others: BTreeMap<Arc<str>, Arc<str>>,
}

impl Properties {
    fn take(&mut self, walk: &Walk, key: At<Arc<str>>, value: At<Arc<str>>) {
        let place = if value.value.is_empty() { key.span } else { value.span };
        let flag = || flag(walk, &key.value, &value.value, place);
        match key.value.as_ref() {
            "Runnable" => self.runnable = flag(),
            "Running" => self.running = flag(),
            "Optional" => self.optional = flag().unwrap_or(false),
            "Prerequisite" => self.prerequisite = flag().unwrap_or(false),
            "setup_file" => self.setup = flag().unwrap_or(false),
            "teardown_file" => self.teardown = flag().unwrap_or(false),
            "Pre-Suite" | "Post-Suite" => self.unsaved |= flag().unwrap_or(false),
            "param" => self.params.extend(value::arguments(&value.value).iter().map(|text| walk.word(text))),
            "iterationNr" => self.iteration = read_iteration(walk, &value),
            name => {
                let element = ELEMENTS.into_iter().find(|element| element.eq_ignore_ascii_case(name));
                let near = || nearest(name, PROPERTIES).map(|near| format!("did you mean `{near}`?"));
                let meant = element.map(|element| format!("did you mean <{element}> of the test?"));
                if let Some(help) = meant.or_else(near) {
                    walk.warn(key.span, format!("property `{name}` is only handed to the test"), help);
                }
                if self.others.insert(Arc::clone(&key.value), value.value).is_some() {
                    walk.error(key.span, format!("property `{name}` is given twice"), "remove one of them");
                }
            }
        }
    }

    fn role(&self, walk: &Walk, span: Span) -> Role {
        if self.setup && self.teardown {
            walk.error(span, "a test cannot be both setup and teardown file", "make it two tests");
        }
        match (self.setup, self.teardown, self.unsaved) {
            (true, _, _) => Role::Setup,
            (false, true, _) => Role::Teardown,
            (false, false, true) => Role::Unsaved,
            (false, false, false) => Role::Test,
        }
    }
}

/// A property that is true or false; none where it says nothing.
fn flag(walk: &Walk, name: &str, text: &str, span: Span) -> Option<bool> {
    if text.is_empty() {
        return None;
    }
    let truth = value::truth(text);
    if let Err(expected) = truth {
        walk.error(span, format!("property `{name}` is `{text}`"), format!("write {expected}"));
    }
    truth.ok()
}

/// `file#component#name=value, …`; older files leave the component out.
fn read_iteration(walk: &Walk, text: &At<Arc<str>>) -> Vec<IteratorValue> {
    let entries = walk.split(text, ',');
    let read = |entry: &At<Arc<str>>| {
        let (path, value) = entry.value.split_once('=')?;
        let parts: Vec<&str> = path.split('#').collect();
        let (config, component, name) = match parts.as_slice() {
            [config, component, name] => (*config, *component, *name),
            [config, name] => (*config, "", *name),
            _ => return None,
        };
        let [config, component, name, value] = [config, component, name, value].map(|part| walk.word(part));
        Some(IteratorValue { config, component, name, value })
    };
    let values: Vec<IteratorValue> = entries.iter().filter_map(read).collect();
    if values.len() != entries.len() {
        let message = format!("`{}` is not an iteration", text.value);
        walk.error(text.span, message, "write file#component#name=value");
    }
    values
}
