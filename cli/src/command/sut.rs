//! `jackfield sut …`: systems under test, as the files that they are.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use crate::{Context, client::encoded, exit::Exit, names::Names, output::table};

/// Systems under test: abstract names that are linked to resources.
#[derive(Subcommand)]
pub(crate) enum Sut {
    /// Every SUT.
    List,
    /// One SUT with its components, and what each is linked to.
    Show {
        /// Its name: `name.user`, or `name.system` for one that all share.
        sut: String,
    },
    /// Make or replace a SUT from a file, as `export` writes it.
    Import {
        /// The file: JSON.
        file: PathBuf,
        /// Its name there; else that of the file.
        #[arg(long, value_name = "SUT")]
        name: Option<String>,
    },
    /// Write a SUT into a file.
    Export {
        /// Its name.
        sut: String,
        /// Where to write it; standard output without it.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Link a component to a resource: tests that ask for the component get the resource.
    Link {
        /// SUT and component, such as `lab.system/router`.
        component: String,
        /// Id or path of the resource.
        resource: String,
    },
    /// Delete a SUT.
    Delete {
        /// Its name.
        sut: String,
    },
}

impl Sut {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let client = &context.client;
        match self {
            Self::List => {
                let suts: Value = client.get("/suts")?;
                context.output.page(&suts, list)?;
            }
            Self::Show { sut } => {
                let body = fetch(context, sut)?;
                context.output.print(&body, |body| show(sut, body))?;
            }
            Self::Import { file, name } => import(context, file, name.as_deref())?,
            Self::Export { sut, output } => export(context, sut, output.as_deref())?,
            Self::Link { component, resource } => link(context, component, resource)?,
            Self::Delete { sut } => {
                Names::Suts.or_known(client.delete(&address(sut)), client, sut)?;
                context.output.done("deleted", sut, &format!("SUT {sut} is deleted"))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn address(sut: &str) -> String {
    format!("/suts/{}", encoded(sut))
}

fn fetch(context: &Context, sut: &str) -> Result<Value> {
    Names::Suts.or_known(context.client.get(&address(sut)), &context.client, sut)
}

fn import(context: &Context, file: &Path, name: Option<&str>) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let body: Value = serde_json::from_str(&text).map_err(|error| {
        anyhow::anyhow!(
            "{}:{}:{}: error: it is not JSON: {error}",
            file.display(),
            error.line(),
            error.column()
        )
    })?;
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.unwrap_or(&stem);
    let _edited: Value = context.client.put(&address(name), &body)?;
    context.output.done("imported", name, &format!("SUT {name} is in the lab"))
}

fn export(context: &Context, sut: &str, file: Option<&Path>) -> Result<()> {
    let body = fetch(context, sut)?;
    let text = serde_json::to_string_pretty(&body)? + "\n";
    match file {
        Some(file) => {
            std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
            context.output.done("exported", sut, &format!("SUT {sut} is in {}", file.display()))
        }
        None => context.output.print(&body, |_| text.clone()),
    }
}

fn link(context: &Context, component: &str, resource: &str) -> Result<()> {
    let Some((sut, path)) = component.split_once('/') else {
        bail!("`{component}` names no component; write SUT/COMPONENT, such as lab.system/router");
    };
    let node: Value = context.client.get(&format!("/resources?query={}", encoded(resource)))?;
    let id = node
        .get("id")
        .and_then(Value::as_str)
        .with_context(|| format!("`{resource}` is a property, not a resource"))?;
    let mut body = fetch(context, sut)?;
    let mut at = &mut body;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let known: Vec<String> = at
            .get("children")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        at = at.get_mut("children").and_then(|children| children.get_mut(name)).with_context(|| {
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            format!("SUT {sut} has no component `{name}` there; there are: {known}")
        })?;
    }
    let meta = at.get_mut("meta").and_then(Value::as_object_mut).context("a component has properties")?;
    meta.insert("_id".to_owned(), id.into());
    let _edited: Value = context.client.put(&address(sut), &body)?;
    context.output.done(
        "linked",
        json!({"component": component, "id": id}),
        &format!("{component} is {resource} now"),
    )
}

fn list(suts: &Value) -> String {
    let mut rows = table(&["SUT", "COMPONENTS", "VERSION"]);
    for sut in suts.get("items").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| {
            sut.get(key).map_or_else(String::new, |value| {
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            })
        };
        rows.add_row(["name", "components", "version"].map(text).to_vec());
    }
    rows.trim_fmt()
}

/// A line for each component, indented by its depth, with the id that it is linked to.
fn show(name: &str, body: &Value) -> String {
    let mut text = String::new();
    draw(name, body, 0, &mut text);
    text
}

fn draw(name: &str, node: &Value, depth: usize, text: &mut String) {
    text.push_str(&"  ".repeat(depth));
    text.push_str(name);
    for (key, value) in node.get("meta").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.push_str(&if key == "_id" { format!("  -> {value}") } else { format!("  {key}={value}") });
    }
    text.push('\n');
    for (name, child) in node.get("children").and_then(Value::as_object).into_iter().flatten() {
        draw(name, child, depth + 1, text);
    }
}
