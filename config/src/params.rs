//! Folders of named values: the grammar of `globals.xml` and of test configurations.
//!
//! A path such as `Level_A/Level_2A/global2.1` names a folder or a value.

pub mod edit;

use std::sync::Arc;

use jackfield_protocol::error::FileProblem;
use serde_json::{Map, Value};

use crate::{
    problem::{Read, nearest},
    source::{At, Source},
    xml::{self, Element, Fields, Splices, Tree, Walk, content_text},
};

/// A file of named values.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// The text it was read from.
    pub source: Arc<Source>,
    /// The folders and values at the top.
    pub top: Folder,
}

/// A folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folder {
    /// `fname`; empty at the top.
    pub name: At<Arc<str>>,
    /// `fdesc`.
    pub description: Arc<str>,
    /// Its values.
    pub params: Vec<Param>,
    /// The folders in it.
    pub folders: Vec<Folder>,
}

/// A value with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// `name`.
    pub name: At<Arc<str>>,
    /// `value`, as it stands.
    pub value: At<Arc<str>>,
    /// `type`.
    pub kind: ParamKind,
    /// `desc`.
    pub description: Arc<str>,
}

/// What a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParamKind {
    /// Text.
    #[default]
    Text,
    /// A number.
    Decimal,
    /// A list of values; a test is run once for each.
    Iterator,
}

impl ParamKind {
    /// The word for files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Decimal => "decimal",
            Self::Iterator => "iterator",
        }
    }

    /// What a word of a file means; none for one that says nothing.
    pub fn of_word(word: &str) -> Option<Self> {
        match word.to_lowercase().as_str() {
            "iterator" => Some(Self::Iterator),
            "decimal" | "integer" | "number" => Some(Self::Decimal),
            "string" | "text" => Some(Self::Text),
            _ => None,
        }
    }
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'p> {
    /// A folder: a dictionary for the test.
    Folder(&'p Folder),
    /// A value.
    Param(&'p Param),
}

impl Params {
    /// Reads the file.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let tree = match xml::parse(source) {
            Ok(tree) => tree,
            Err(problems) => return Read { value: None, problems },
        };
        let walk = Walk::new(&tree);
        let root = tree.root();
        if !root.name().eq_ignore_ascii_case("root") {
            let message = format!("the file begins with <root>, not <{}>", root.name());
            walk.error(root.name_span(), message, "is this another kind of file?");
            return Read { value: None, problems: walk.finish() };
        }
        let fields = walk.fields(root);
        let top = read_content(&fields, At::new(walk.word(""), root.name_span()));
        fields.finish();
        let params = Self { source: Arc::clone(source), top };
        Read { value: Some(params), problems: walk.finish() }
    }

    /// What a path leads to; an empty path is the top folder.
    pub fn get(&self, path: &str) -> Option<Found<'_>> {
        let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
        let mut folder = &self.top;
        while let Some(part) = parts.next() {
            let inner = folder.folders.iter().find(|inner| inner.name.value.as_ref() == part);
            let last = parts.peek().is_none();
            let param = folder.params.iter().find(|param| last && param.name.value.as_ref() == part);
            if let Some(param) = param {
                return Some(Found::Param(param));
            }
            folder = inner?;
        }
        Some(Found::Folder(folder))
    }

    /// The text of the file with one value changed, or added where its folder exists.
    ///
    /// # Errors
    /// A path whose folder does not exist, or that names a folder.
    pub fn with_value(&self, path: &str, value: &str) -> Result<String, ParamEditError> {
        let tree = xml::parse(&self.source).map_err(ParamEditError::Refused)?;
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder =
            find_folder(&tree, folders).ok_or_else(|| ParamEditError::NoSuchPlace(path.to_owned()))?;
        let named = |element: &Element<'_>, tag: &str| {
            element.child(tag).is_some_and(|text| text.text().trim() == name)
        };
        if name.is_empty() || folder.children_named("folder").any(|inner| named(&inner, "fname")) {
            return Err(ParamEditError::NoSuchPlace(path.to_owned()));
        }
        let param = folder.children_named("param").find(|param| named(param, "name"));
        let mut splices = Splices::default();
        match param {
            Some(param) => splices.set_child_text(param, "value", value),
            None => {
                let (name, value) = (content_text(name), content_text(value));
                let text = format!(
                    "<param><name>{name}</name><value>{value}</value><desc/><type>string</type></param>"
                );
                splices.append_child(folder, &text);
            }
        }
        Ok(splices.apply(self.source.text()))
    }
}

/// An edit that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ParamEditError {
    /// A path that leads to no value.
    #[error("`{0}` names no value; write folder/name, with a folder that exists")]
    NoSuchPlace(String),
    /// The file itself has problems.
    #[error("the file cannot be edited: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Refused(Vec<FileProblem>),
}

fn find_folder<'t>(tree: &'t Tree, path: &str) -> Option<Element<'t>> {
    path.split('/').filter(|part| !part.is_empty()).try_fold(tree.root(), |at, part| {
        at.children_named("folder")
            .find(|inner| inner.child("fname").is_some_and(|name| name.text().trim() == part))
    })
}

impl Folder {
    /// The folder as a test sees it: names and values, folders as dictionaries.
    pub fn to_json(&self) -> Value {
        let params = self.params.iter().map(|param| (param.name.value.to_string(), param.to_json()));
        let folders = self.folders.iter().map(|folder| (folder.name.value.to_string(), folder.to_json()));
        let mut map: Map<String, Value> = folders.collect();
        map.extend(params);
        Value::Object(map)
    }
}

impl Param {
    /// The value as a test sees it: always its text, as in Twister.
    pub fn to_json(&self) -> Value {
        Value::String(self.value.value.to_string())
    }
}

impl Found<'_> {
    /// What a test sees.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Folder(folder) => folder.to_json(),
            Self::Param(param) => param.to_json(),
        }
    }
}

fn read_content(fields: &Fields<'_, '_>, name: At<Arc<str>>) -> Folder {
    let walk = fields.walk();
    let params: Vec<Param> = fields.each("param").filter_map(|param| read_param(walk, param)).collect();
    let folders: Vec<Folder> = fields.each("folder").filter_map(|folder| read_folder(walk, folder)).collect();
    let mut names = std::collections::BTreeSet::new();
    let all = params.iter().map(|param| &param.name).chain(folders.iter().map(|folder| &folder.name));
    for name in all.filter(|name| !names.insert(Arc::clone(&name.value))) {
        let message = format!("`{}` is there twice; a path leads to the first only", name.value);
        walk.warn(name.span, message, "rename or remove one");
    }
    Folder { name, description: Arc::from(""), params, folders }
}

fn read_folder(walk: &Walk, element: Element<'_>) -> Option<Folder> {
    let fields = walk.fields(element);
    let name = read_name(&fields, "fname");
    let description = fields.text("fdesc").map(|text| text.value);
    let mut folder = read_content(&fields, name.clone().unwrap_or_default());
    fields.finish();
    folder.description = description.unwrap_or_default();
    name.map(|_| folder)
}

fn read_param(walk: &Walk, element: Element<'_>) -> Option<Param> {
    let fields = walk.fields(element);
    let name = read_name(&fields, "name");
    let value = fields.one("value");
    let value = value.map(|value| At::new(Arc::from(value.text().as_ref()), value.text_span()));
    let description = fields.text("desc").map(|text| text.value).unwrap_or_default();
    let kind = fields.text("type").map_or(ParamKind::Text, |kind| read_kind(walk, &kind));
    fields.finish();
    let empty = || At::new(walk.word(""), element.name_span());
    Some(Param { name: name?, value: value.unwrap_or_else(empty), kind, description })
}

fn read_name(fields: &Fields<'_, '_>, tag: &'static str) -> Option<At<Arc<str>>> {
    let walk = fields.walk();
    let name = fields.text(tag);
    match &name {
        None => {
            let element = fields.element();
            walk.error(element.name_span(), format!("<{}> without <{tag}>", element.name()), "name it");
        }
        Some(name) if name.value.contains('/') => {
            let message = format!("`{}` holds a slash, which separates folders in a path", name.value);
            walk.warn(name.span, message, "rename it");
        }
        Some(_) => {}
    }
    name
}

fn read_kind(walk: &Walk, kind: &At<Arc<str>>) -> ParamKind {
    const KNOWN: [&str; 6] = ["string", "decimal", "iterator", "integer", "text", "number"];
    ParamKind::of_word(&kind.value).unwrap_or_else(|| {
        let help = match nearest(&kind.value.to_lowercase(), KNOWN) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "known are string, decimal and iterator".to_owned(),
        };
        walk.warn(kind.span, format!("type `{}` is read as a string", kind.value), help);
        ParamKind::Text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Params {
        Params::read(&Arc::new(Source::new("globals.xml", text))).usable().unwrap().0
    }

    #[test]
    fn a_value_is_changed_or_added_and_nothing_else() {
        let text = "<root>\n\t<folder>\n\t\t<fname>net</fname>\n\t\t<param><name>gw</name><value/></param>\n\t</folder>\n</root>";
        let globals = params(text);
        let changed = globals.with_value("net/gw", "a<b").unwrap();
        assert_eq!(changed, text.replace("<value/>", "<value>a&lt;b</value>"));
        let added = params(&globals.with_value("net/mtu", "9000").unwrap());
        assert_eq!(added.get("net/mtu").unwrap().to_json(), "9000");
        assert_eq!(added.get("net").unwrap().to_json(), serde_json::json!({"gw": "", "mtu": "9000"}));
        assert_eq!(params(&globals.with_value("top", "1").unwrap()).get("/top").unwrap().to_json(), "1");
        for wrong in ["nothing/x", "net", "net/", ""] {
            assert!(matches!(globals.with_value(wrong, "1"), Err(ParamEditError::NoSuchPlace(_))), "{wrong}");
        }
    }
}
