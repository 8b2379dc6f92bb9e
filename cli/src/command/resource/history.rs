//! `jackfield resource history` and `undo`: who changed what of the tree, and taking it back; `move` and `copy`.

use anyhow::Result;
use jackfield_protocol::{api::Page, secret::names_a_secret};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{file::LARGE_FILE, plain};
use crate::{Context, client::encoded};

/// A resource, and where it is to be.
#[derive(clap::Args)]
pub(crate) struct Carry {
    /// Id or path.
    resource: String,
    /// Id or path of the resource that it goes into; `/` for the top.
    into: String,
    /// Its name there; the one it has without it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// Who changed what, newest first.
#[derive(clap::Args)]
pub(crate) struct HistoryOf {
    /// Only of this resource, and of what is in it: a path.
    resource: Option<String>,
    /// Only what this person did.
    #[arg(long, value_name = "USER")]
    by: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// Take an edit back.
#[derive(clap::Args)]
pub(crate) struct UndoOf {
    /// The number that `resource history` shows; your newest edit without it.
    #[arg(value_name = "VERSION")]
    edit: Option<u64>,
}

/// An edit as the engine tells it.
#[derive(Debug, Serialize, Deserialize)]
struct Edit {
    version: u64,
    at: String,
    who: String,
    action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undone: Option<u64>,
    can_undo: bool,
    count: usize,
    steps: Vec<Step>,
}

/// What becomes of a resource.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Step {
    path: String,
    #[serde(rename = "do")]
    deed: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Property {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

impl Carry {
    pub(super) fn run(&self, context: &Context, verb: &str) -> Result<()> {
        let Self { resource, into, name } = self;
        let body = json!({"query": resource, "parent": into, "name": name});
        let done: Value = context.client.post(&format!("/resources/{verb}"), &body)?;
        let id = plain(done.get("id"));
        let there: Value = context.client.get(&format!("/resources?query={}", encoded(&id)))?;
        let path = plain(there.get("path"));
        let told = if verb == "move" {
            format!("{resource} is {path} now")
        } else {
            format!("{path} is a copy of {resource}")
        };
        context.output.print(&done, |_| told)
    }
}

impl HistoryOf {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let Self { resource, by, limit } = self;
        let resource =
            resource.as_deref().map_or_else(String::new, |path| format!("&resource={}", encoded(path)));
        let by = by.as_deref().map_or_else(String::new, |user| format!("&user={}", encoded(user)));
        let page: Page<Edit> =
            context.client.get(&format!("/resources/history?limit={limit}{resource}{by}"))?;
        context.output.list(&page.items, |edits| {
            if edits.is_empty() {
                return "nobody has changed anything".to_owned();
            }
            edits.iter().map(told).collect::<Vec<_>>().join("\n")
        })
    }
}

impl UndoOf {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let client = context.client.patient(LARGE_FILE);
        let done: Value = client.post("/resources/undo", &json!({"version": self.edit}))?;
        let version = done.get("version").and_then(Value::as_u64).unwrap_or_default();
        context
            .output
            .print(&done, |_| format!("it is taken back; `jackfield resource undo {version}` makes it again"))
    }
}

/// An edit with what it did, a line each.
fn told(edit: &Edit) -> String {
    let Edit { version, at, who, action, undone, can_undo: _, count, steps } = edit;
    let undone = undone.map_or_else(String::new, |by| format!(", taken back by {by}"));
    let word = action.strip_prefix("resource.").unwrap_or(action);
    let mut text = format!("{version}  {at}  {who}: {word}{undone}");
    for line in lines(steps, *count) {
        text.push_str(&format!("\n  {line}"));
    }
    text
}

/// The first of so many steps, a line each.
pub(super) fn lines(steps: &[Step], count: usize) -> Vec<String> {
    let mut lines: Vec<_> = steps.iter().map(line).collect();
    let more = count.saturating_sub(steps.len());
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// `~ /tb1/r1  ports: 4 -> 8`, with a sign for what is done.
fn line(step: &Step) -> String {
    let Step { path, deed, from, properties } = step;
    let mut text = match (deed.as_str(), from) {
        ("create", _) => format!("+ {path}"),
        ("delete", _) => format!("- {path}"),
        (_, Some(from)) => format!("> {path}  (was {from})"),
        (_, None) => format!("~ {path}"),
    };
    for Property { key, before, after } in properties {
        let shown = |value: &Value| if names_a_secret(key) { "***".to_owned() } else { plain(Some(value)) };
        text.push_str(&match (before, after) {
            (Some(before), Some(after)) => format!("  {key}: {} -> {}", shown(before), shown(after)),
            (None, Some(after)) => format!("  {key}={}", shown(after)),
            (Some(before), None) => format!("  {key}: {} -> nothing", shown(before)),
            (None, None) => format!("  {key}"),
        });
    }
    text
}
