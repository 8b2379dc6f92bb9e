//! `jackfield resource …`: the tree of lab resources, by id or path.

mod file;
mod health;
mod history;

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, bail};
use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use jackfield_protocol::{
    api::Page,
    power::{PowerAction, PowerDone, PowerRequest, PowerState},
    secret::names_a_secret,
};
use serde_json::{Value, json};

use crate::{
    Context,
    client::{Client, encoded},
    exit::Exit,
};

/// Resources that are asked for at once.
const PAGE: usize = 1_000;

/// The tree of lab resources.
#[derive(Subcommand)]
pub(crate) enum Resource {
    /// A node, or one property (`/tb1/dev2:ip`).
    Get {
        /// Id or path, with `:key` for one property.
        query: String,
    },
    /// Create a node, or set properties of one.
    Set {
        /// The path of the node; its parent must exist.
        path: String,
        /// `key=value`; a value that is JSON is taken as JSON, `key=` removes the property.
        properties: Vec<String>,
    },
    /// Rename a node or a property.
    Rename {
        /// Id or path, with `:key` for a property.
        query: String,
        /// The new name alone, not a path.
        name: String,
    },
    /// Put a resource with all that is in it into another.
    Move(history::Carry),
    /// The same resources once more, with ids of their own.
    Copy(history::Carry),
    /// Who changed what, newest first.
    History(history::HistoryOf),
    /// Take an edit back, if nobody has changed the same since.
    Undo(history::UndoOf),
    /// What a file would change: `resources.json`, `hwconfig.xml`, CSV, pyATS, labgrid, Ansible, NetBox.
    Plan(file::FileOf),
    /// Make the tree as a file says, as one edit.
    #[command(visible_alias = "import")]
    Apply(file::ApplyOf),
    /// Write the tree as a file.
    Export(file::ExportTo),
    /// Delete a node with everything below it, or one property.
    Delete {
        /// Id or path, with `:key` for a property.
        query: String,
    },
    /// The resources that a selector means: `kind=router, ports>=4, !broken`.
    Find {
        /// What they are; `child(…)`, `below(…)`, `parent(…)`, `above(…)` and `link(…)` look around them.
        selector: String,
        /// Only this node and what is below it.
        #[arg(long, value_name = "PATH", default_value = "/")]
        below: String,
        /// Only those that are so; `unfit` is one of the last three.
        #[arg(long, value_name = "HEALTH", value_parser = ["fit", "unfit", "dirty", "under-check", "out-of-service"])]
        health: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Only their paths.
        #[arg(long)]
        paths: bool,
    },
    /// What is dirty, under a check or out of service; or say that of resources.
    Health(health::HealthOf),
    /// Switch the mains of a device, or ask how they are.
    Power(Power),
    /// Everything below a node.
    Tree {
        /// Id or path.
        #[arg(default_value = "/")]
        query: String,
    },
}

/// The mains of a device.
#[derive(clap::Args)]
pub(crate) struct Power {
    /// Id or path of the resource; its property `power` says how it is switched.
    resource: String,
    /// What to do with them.
    #[arg(value_parser = action_parser())]
    action: PowerAction,
    /// Through this EP.
    #[arg(long, value_name = "NAME")]
    ep: Option<String>,
    /// Also while others use the device.
    #[arg(long)]
    force: bool,
    /// How long each step may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    limit: u64,
}

/// The words for it, which a shell can complete.
fn action_parser() -> impl TypedValueParser<Value = PowerAction> {
    PossibleValuesParser::new(["on", "off", "cycle", "status"]).try_map(|word| word.parse())
}

impl Power {
    fn run(&self, context: &Context) -> Result<()> {
        let limit_millis = self.limit.saturating_mul(1000);
        // A cycle is three steps, each with this limit.
        let client = context.client.patient(Duration::from_millis(limit_millis.saturating_mul(3)));
        let done: PowerDone = if self.action.is_look() {
            let ep = self.ep.as_deref().map_or_else(String::new, |ep| format!("&ep={}", encoded(ep)));
            let resource = encoded(&self.resource);
            let query = format!("resource={resource}&limit_millis={limit_millis}{ep}");
            client.get(&format!("/resources/power?{query}"))?
        } else {
            let request = PowerRequest {
                resource: self.resource.clone(),
                action: self.action,
                ep: self.ep.as_deref().map(Into::into),
                force: self.force,
                limit_millis: Some(limit_millis),
            };
            client.post("/resources/power", &request)?
        };
        context.output.print(&done, told)
    }
}

/// `/lab/r1: on (through EP-1)`, and what the outlet said where nobody can tell what it means.
fn told(done: &PowerDone) -> String {
    let PowerDone { resource, state, said, ep, .. } = done;
    let more = match state {
        PowerState::Unknown if !said.is_empty() => format!(": it said {said:?}"),
        PowerState::On | PowerState::Off | PowerState::Unknown => String::new(),
    };
    format!("{resource}: {state} (through {ep}){more}")
}

impl Resource {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let client = &context.client;
        match self {
            Self::Get { query } => {
                let value: Value = client.get(&format!("/resources?query={}", encoded(query)))?;
                context.output.print(&value, show)?;
            }
            Self::Set { path, properties } => {
                let (parent, name) = split(path)?;
                let body = json!({"parent": parent, "name": name, "properties": read(properties)?});
                let done: Value = client.put("/resources", &body)?;
                context.output.print(&done, |_| format!("{path} is set"))?;
            }
            Self::Rename { query, name } => {
                let _done: Value =
                    client.post("/resources/rename", &json!({"query": query, "name": name}))?;
                context.output.done("renamed", query, &format!("{query} is now named {name}"))?;
            }
            Self::Move(carry) => carry.run(context, "move")?,
            Self::Copy(carry) => carry.run(context, "copy")?,
            Self::History(history) => history.run(context)?,
            Self::Undo(undo) => undo.run(context)?,
            Self::Plan(file) => file.plan(context)?,
            Self::Apply(apply) => apply.run(context)?,
            Self::Export(export) => export.run(context)?,
            Self::Delete { query } => {
                client.delete(&format!("/resources?query={}", encoded(query)))?;
                context.output.done("deleted", query, &format!("{query} is deleted"))?;
            }
            Self::Find { selector, below, health, limit, paths } => {
                let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
                let found = find(client, selector, (below, health.as_deref()), limit)?;
                context.output.list(&found, |found| {
                    if found.is_empty() {
                        return format!("no resource is {selector}");
                    }
                    let line = |node| if *paths { plain(Value::get(node, "path")) } else { in_line(node) };
                    found.iter().map(line).collect::<Vec<_>>().join("\n")
                })?;
            }
            Self::Health(health) => health.run(context)?,
            Self::Power(power) => power.run(context)?,
            Self::Tree { query } => {
                let tree: Value = client.get(&format!("/resources/tree?query={}", encoded(query)))?;
                context.output.print(&tree, |tree| {
                    let mut text = String::new();
                    draw(tree, 0, &mut text);
                    text
                })?;
            }
        }
        Ok(Exit::Done)
    }
}

/// All pages, up to a limit.
fn find(
    client: &Client,
    selector: &str,
    (below, health): (&str, Option<&str>),
    limit: usize,
) -> Result<Vec<Value>> {
    let health = health.map_or_else(String::new, |health| format!("&health={}", health.replace('-', "_")));
    let mut found = Vec::new();
    let mut after = String::new();
    while found.len() < limit {
        let (selector, below) = (encoded(selector), encoded(below));
        let want = limit.saturating_sub(found.len()).min(PAGE);
        let query = format!("selector={selector}&below={below}&limit={want}{health}{after}");
        let page: Page<Value> = client.get(&format!("/resources/find?{query}"))?;
        found.extend(page.items);
        let Some(next) = page.next else { break };
        after = format!("&after={}", encoded(&next));
    }
    Ok(found)
}

/// One line for a node: its path, then its properties.
fn in_line(node: &Value) -> String {
    let mut text = plain(node.get("path"));
    for (key, value) in node.get("meta").and_then(Value::as_object).into_iter().flatten() {
        text.push_str(&format!("  {key}={}", shown(key, value)));
    }
    if let Some(health) = node.get("health").and_then(Value::as_str) {
        text.push_str(&format!("  ({health})"));
    }
    text
}

/// `/tb1/dev2` is `dev2` in `/tb1`.
fn split(path: &str) -> Result<(&str, &str)> {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", name)) if !name.is_empty() => Ok(("/", name)),
        Some((parent, name)) if parent.starts_with('/') => Ok((parent, name)),
        _ => bail!("`{path}` is not a path such as /tb1/dev2"),
    }
}

fn read(properties: &[String]) -> Result<BTreeMap<String, Value>> {
    properties
        .iter()
        .map(|property| match property.split_once('=') {
            Some((key, "")) => Ok((key.to_owned(), Value::Null)),
            Some((key, value)) => {
                let value = serde_json::from_str(value).unwrap_or_else(|_text| value.into());
                Ok((key.to_owned(), value))
            }
            None => bail!("`{property}` is not a property such as ip=10.0.0.1"),
        })
        .collect()
}

fn show(value: &Value) -> String {
    let Some(node) = value.as_object().filter(|node| node.contains_key("path")) else {
        return plain(Some(value));
    };
    let mut text = format!("{}  {}\n", plain(node.get("path")), plain(node.get("id")));
    for (key, value) in node.get("meta").and_then(Value::as_object).into_iter().flatten() {
        text.push_str(&format!("  {key} = {}\n", shown(key, value)));
    }
    text
}

/// A value as a person who looks over a shoulder may see it; asked for alone (`/tb1/dev2:password`), or as JSON, it is told.
fn shown(key: &str, value: &Value) -> String {
    if names_a_secret(key) { "***".to_owned() } else { plain(Some(value)) }
}

fn plain(value: Option<&Value>) -> String {
    let Some(value) = value else { return String::new() };
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// One line a node, indented by its depth: name, then properties.
fn draw(node: &Value, depth: usize, text: &mut String) {
    let name = match plain(node.get("name")) {
        name if name.is_empty() => "/".to_owned(),
        name => name,
    };
    text.push_str(&"  ".repeat(depth));
    text.push_str(&name);
    for (key, value) in node.get("meta").and_then(Value::as_object).into_iter().flatten() {
        text.push_str(&format!("  {key}={}", shown(key, value)));
    }
    text.push('\n');
    for child in node.get("children").and_then(Value::as_array).into_iter().flatten() {
        draw(child, depth.saturating_add(1), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_parent_and_name() {
        assert_eq!(split("/tb1").unwrap(), ("/", "tb1"));
        assert_eq!(split("/tb1/dev2/").unwrap(), ("/tb1", "dev2"));
        assert!(split("tb1").is_err());
        assert!(split("/").is_err());
    }

    #[test]
    fn an_answer_of_an_outlet_is_told_where_nobody_understands_it() {
        let done = |state, said: &str| PowerDone {
            resource: "/lab/r1".to_owned(),
            action: PowerAction::Status,
            state,
            said: said.to_owned(),
            ep: "EP-1".into(),
        };
        assert_eq!(told(&done(PowerState::On, "1")), "/lab/r1: on (through EP-1)");
        assert_eq!(
            told(&done(PowerState::Unknown, "busy")),
            "/lab/r1: unknown (through EP-1): it said \"busy\""
        );
    }

    #[test]
    fn properties_are_text_unless_they_are_json() {
        let read = read(&["ip=10.0.0.1".to_owned(), "port=23".to_owned(), "old=".to_owned()]).unwrap();
        assert_eq!(read["ip"], json!("10.0.0.1"));
        assert_eq!(read["port"], json!(23));
        assert_eq!(read["old"], Value::Null);
    }
}
