//! From text to [`DbFile`], in either layout.

use std::sync::Arc;

use jackfield_protocol::secret::Secret;

use super::{Connection, DbConfig, DbFile, Field, FieldKind, FieldLevel, Report, ReportKind, Saving};
use crate::{
    problem::{Read, suggest},
    source::{At, Source},
    value,
    xml::{self, Element, Fields, Walk},
};

const FIELD_KINDS: [(&str, FieldKind); 4] = [
    ("UserSelect", FieldKind::UserSelect),
    ("DbSelect", FieldKind::DbSelect),
    ("UserText", FieldKind::UserText),
    ("UserScript", FieldKind::UserScript),
];

const FIELD_LEVELS: [(&str, FieldLevel); 3] =
    [("Project", FieldLevel::Project), ("Suite", FieldLevel::Suite), ("Testcase", FieldLevel::Test)];

const REPORT_KINDS: [(&str, ReportKind); 4] = [
    ("Table", ReportKind::Table),
    ("PieChart", ReportKind::PieChart),
    ("BarChart", ReportKind::BarChart),
    ("LineChart", ReportKind::LineChart),
];

impl DbFile {
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
        }
        let fields = walk.fields(root);
        let own = DbConfig::read(&fields);
        let mut sections: Vec<DbConfig> = fields
            .each("server_section")
            .map(|section| {
                let fields = walk.fields(section);
                let read = DbConfig::read(&fields);
                fields.finish();
                read
            })
            .collect();
        fields.finish();
        if sections.is_empty() || own != DbConfig::default() {
            sections.insert(0, own);
        }
        for section in &sections {
            section.check(&walk);
        }
        no_twins(sections.iter().flat_map(|section| &section.reports).map(|report| &report.id), &walk);
        Read { value: Some(Self { sections }), problems: walk.finish() }
    }
}

impl DbConfig {
    fn read(fields: &Fields<'_, '_>) -> Self {
        let walk = fields.walk();
        let mut config = Self::default();
        if let Some(element) = fields.one("db_config") {
            let inner = walk.fields(element);
            config.saving = Saving::read(&inner);
            config.connection = Some(read_connection(inner));
        }
        config.read_sections(fields);
        if let Some(older) = fields.one("twister_user_defined") {
            let inner = walk.fields(older);
            config.read_sections(&inner);
            inner.finish();
        }
        config
    }

    fn read_sections(&mut self, around: &Fields<'_, '_>) {
        let walk = around.walk();
        for name in ["field_section", "insert_section"] {
            let Some(section) = around.one(name) else { continue };
            let fields = walk.fields(section);
            self.fields.extend(fields.each("field").filter_map(|field| read_field(walk, field)));
            for statement in fields.each("sql_statement") {
                let text = walk.text_of(statement);
                if text.value.is_empty() {
                    walk.warn(statement.name_span(), "a <sql_statement> without a statement", "remove it");
                } else {
                    self.statements.push(text);
                }
            }
            fields.finish();
        }
        if let Some(section) = around.one("reports_section") {
            let fields = walk.fields(section);
            self.report_fields.extend(fields.each("field").filter_map(|field| read_field(walk, field)));
            self.reports.extend(fields.each("report").filter_map(|report| read_report(walk, report)));
            for redirect in fields.each("redirect") {
                let attributes = Attributes::new(walk, redirect, &["ID", "Path"]);
                let (id, path) = (attributes.required("ID"), attributes.required("Path"));
                self.redirects.extend(id.zip(path).map(|(id, path)| (id, path.value)));
            }
            fields.finish();
        }
    }

    /// Names that are used twice, and `@names@` of reports that no field has.
    fn check(&self, walk: &Walk) {
        no_twins(self.fields.iter().map(|field| &field.id), walk);
        no_twins(self.report_fields.iter().map(|field| &field.id), walk);
        let known: Vec<&str> = self.report_fields.iter().map(|field| field.id.value.as_ref()).collect();
        for report in &self.reports {
            for name in placeholders(&report.query.value).filter(|name| !known.contains(name)) {
                let message = format!("report `{}` asks for `@{name}@`, which is no field", report.id.value);
                walk.warn(report.query.span, message, suggest(name, known.iter().copied()));
            }
        }
        if let Some(round) = self.asked_in_a_circle() {
            let message = format!("the choices of field `{}` are asked with its own value", round.id.value);
            walk.error(
                round.id.span,
                message,
                "let its query name other fields only, and those not this one",
            );
        }
    }

    /// A field of reports whose query needs a value of its own, perhaps by way of others: nobody could ever choose it.
    fn asked_in_a_circle(&self) -> Option<&Field> {
        let by_name = |name: &str| self.report_fields.iter().find(|field| &*field.id.value == name);
        self.report_fields.iter().find(|first| {
            let (mut open, mut seen) = (vec![*first], std::collections::BTreeSet::new());
            while let Some(field) = open.pop() {
                let named: Vec<&Field> = placeholders(&field.query).filter_map(by_name).collect();
                if named.iter().any(|field| field.id == first.id) {
                    return true;
                }
                open.extend(named.into_iter().filter(|field| seen.insert(&field.id.value)));
            }
            false
        })
    }
}

fn no_twins<'i>(ids: impl Iterator<Item = &'i At<Arc<str>>>, walk: &Walk) {
    let mut seen = std::collections::BTreeSet::new();
    for id in ids.filter(|id| !seen.insert(&id.value)) {
        walk.error(id.span, format!("ID `{}` is used twice", id.value), "rename one");
    }
}

/// The names between pairs of `@` that look like names. Which of them stand in a comment, the dialect of the database alone can tell.
fn placeholders(query: &str) -> impl Iterator<Item = &str> {
    let is_name = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    let mut rest = query;
    std::iter::from_fn(move || {
        loop {
            let (_, behind) = rest.split_once('@')?;
            let (name, after) = behind.split_once('@')?;
            if is_name(name) {
                rest = after;
                return Some(name);
            }
            // The second may begin a name of its own.
            rest = behind;
        }
    })
}

fn read_connection(fields: Fields<'_, '_>) -> Connection {
    let yes = |text: &str| match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        text => value::truth(text),
    };
    let connection = Connection {
        url: fields.text("url").map(hidden),
        server: fields.text("server"),
        database: fields.text("database"),
        user: fields.text("user"),
        password: fields.text("password").map(hidden),
        use_shared: fields.parsed("use_shared_db", yes).is_some_and(|shared| shared.value),
    };
    let walk = fields.walk();
    fields.finish();
    if connection.url.is_some() {
        let beside = [&connection.server, &connection.database, &connection.user];
        if let Some(unused) = beside.into_iter().flatten().next() {
            let message = format!("`{}` stands beside a <url>, which alone counts", unused.value);
            walk.warn(unused.span, message, "remove one of them");
        }
        if let Some(unused) = &connection.password {
            let message = "<password> stands beside a <url>, which alone counts";
            walk.warn(unused.span, message, "write it into the <url>, behind the user and a colon");
        }
    }
    connection
}

/// The attributes of an element; those that are not known are warned about at once.
struct Attributes<'w, 't> {
    walk: &'w Walk,
    element: Element<'t>,
}

impl<'w, 't> Attributes<'w, 't> {
    fn new(walk: &'w Walk, element: Element<'t>, known: &[&str]) -> Self {
        for (key, _, span) in element.attributes().filter(|(key, _, _)| !known.contains(key)) {
            let message = format!("unknown attribute `{key}` of <{}>", element.name());
            walk.warn(span, message, suggest(key, known.iter().copied()));
        }
        Self { walk, element }
    }

    fn at(&self, key: &str) -> Option<At<Arc<str>>> {
        let (text, span) = self.element.attribute(key)?;
        Some(At::new(self.walk.word(text.trim()), span))
    }

    fn filled(&self, key: &str) -> Option<At<Arc<str>>> {
        self.at(key).filter(|text| !text.value.is_empty())
    }

    fn text(&self, key: &str) -> Arc<str> {
        self.at(key).map(|text| text.value).unwrap_or_default()
    }

    fn required(&self, key: &str) -> Option<At<Arc<str>>> {
        let text = self.filled(key);
        if text.is_none() {
            let message = format!("<{}> without `{key}`", self.element.name());
            self.walk.error(self.element.name_span(), message, format!("write {key}=\"…\""));
        }
        text
    }

    fn choice<T: Copy + Default>(&self, key: &str, words: &[(&'static str, T)]) -> T {
        let Some(text) = self.filled(key) else { return T::default() };
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text.value));
        if found.is_none() {
            let help = suggest(&text.value, words.iter().map(|(word, _)| *word));
            self.walk.error(text.span, format!("`{key}` is `{}`", text.value), help);
        }
        found.map(|(_, value)| *value).unwrap_or_default()
    }

    fn truth(&self, key: &str, default: bool) -> bool {
        let Some(text) = self.filled(key) else { return default };
        value::truth(&text.value).unwrap_or_else(|expected| {
            self.walk.error(text.span, format!("`{key}` is `{}`", text.value), format!("write {expected}"));
            default
        })
    }
}

fn read_field(walk: &Walk, element: Element<'_>) -> Option<Field> {
    const KNOWN: [&str; 9] =
        ["ID", "Type", "SQLQuery", "FieldName", "FromTable", "Label", "GUIDefined", "Mandatory", "Level"];
    let attributes = Attributes::new(walk, element, &KNOWN);
    let kind = attributes.choice("Type", &FIELD_KINDS);
    let query = attributes.text("SQLQuery");
    if matches!(kind, FieldKind::UserSelect | FieldKind::DbSelect) && query.is_empty() {
        let message = "a field that is selected has no `SQLQuery`";
        walk.error(element.name_span(), message, "write the query, or Type=\"UserText\"");
    }
    Some(Field {
        id: attributes.required("ID")?,
        kind,
        query,
        label: attributes.text("Label"),
        visible: attributes.truth("GUIDefined", kind != FieldKind::DbSelect),
        mandatory: attributes.truth("Mandatory", false),
        level: attributes.choice("Level", &FIELD_LEVELS),
    })
}

/// A value that may hold a password.
fn hidden(text: At<Arc<str>>) -> At<Secret> {
    At::new(Secret::new(&*text.value), text.span)
}

fn read_report(walk: &Walk, element: Element<'_>) -> Option<Report> {
    const KNOWN: [&str; 7] = ["ID", "Type", "SQLQuery", "SQLTotal", "SQLCompare", "Folder", "Path"];
    let attributes = Attributes::new(walk, element, &KNOWN);
    let (id, query) = (attributes.required("ID"), attributes.required("SQLQuery"));
    let optional = |key| attributes.filled(key).map(|text| text.value);
    Some(Report {
        kind: attributes.choice("Type", &REPORT_KINDS),
        total: optional("SQLTotal"),
        compare: optional("SQLCompare"),
        folder: optional("Folder"),
        id: id?,
        query: query?,
    })
}
