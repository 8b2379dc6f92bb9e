//! `jackfield resource plan`, `apply` and `export`: the tree from files and into files.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;
use jackfield_config::Source;
use jackfield_protocol::error::FileProblem;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::history::{Step, lines};
use crate::{
    Context,
    client::encoded,
    output::{self, talk},
};

/// What a hundred thousand resources may take on a machine that has much else to do.
pub(super) const LARGE_FILE: Duration = Duration::from_secs(300);

/// A file that says what resources there are.
#[derive(clap::Args)]
pub(crate) struct FileOf {
    /// The file; `-` for standard input.
    file: PathBuf,
    /// What kind of file it is; told by its name and its text without it.
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    format: Option<String>,
    /// The resource that it is taken into.
    #[arg(long, value_name = "PATH", default_value = "/")]
    into: String,
    /// What the file does not name goes: resources there, and properties of those that it names.
    #[arg(long)]
    exact: bool,
}

/// A file to apply.
#[derive(clap::Args)]
pub(crate) struct ApplyOf {
    #[command(flatten)]
    file: FileOf,
    /// Only if the tree is still of this version, which `plan` showed.
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
}

/// A file to write.
#[derive(clap::Args)]
pub(crate) struct ExportTo {
    /// What kind of file.
    #[arg(long, value_name = "FORMAT", default_value = "resources", value_parser = ["resources", "hwconfig", "csv"])]
    format: String,
    /// Where to write it; standard output without it.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(
        jackfield_config::outline::Format::ALL.map(jackfield_config::outline::Format::as_str),
    )
}

/// What a file changes, as the engine tells it.
#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    format: String,
    version: u64,
    count: usize,
    steps: Vec<Step>,
    problems: Vec<FileProblem>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Exported {
    text: String,
    problems: Vec<FileProblem>,
}

impl FileOf {
    fn body(&self) -> Result<serde_json::Value> {
        let (bytes, name) = if self.file == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).context("reading standard input")?;
            (bytes, "standard input".to_owned())
        } else {
            let name = self.file.display().to_string();
            (std::fs::read(&self.file).with_context(|| format!("reading {name}"))?, name)
        };
        let source = Source::from_bytes(&name, bytes).map_err(|problem| anyhow::anyhow!("{problem}"))?;
        let Self { file: _, format, into, exact } = self;
        Ok(json!({"text": source.text(), "name": name, "format": format, "into": into, "exact": exact}))
    }

    pub(super) fn plan(&self, context: &Context) -> Result<()> {
        let client = context.client.patient(LARGE_FILE);
        let plan: Plan = client.post("/resources/plan", &self.body()?)?;
        plan.problems.iter().for_each(|problem| talk(&problem.to_string()));
        context.output.print(&plan, |plan| {
            let mut lines = lines(&plan.steps, plan.count);
            lines.push(match plan.count {
                0 => format!("the tree is as the file says (version {})", plan.version),
                count => format!(
                    "{}, compared with version {}; nothing is done yet",
                    resources(count),
                    plan.version
                ),
            });
            lines.join("\n")
        })
    }
}

impl ApplyOf {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let body = self.file.body()?;
        let client = context.client.patient(LARGE_FILE);
        let plan: Plan = client.post_at("/resources/apply", &body, self.if_version)?;
        plan.problems.iter().for_each(|problem| talk(&problem.to_string()));
        context.output.print(&plan, |plan| {
            let mut lines = lines(&plan.steps, plan.count);
            lines.push(match plan.count {
                0 => format!("the tree is as the file says (version {})", plan.version),
                count => {
                    format!("{}; `jackfield resource undo {}` takes it back", resources(count), plan.version)
                }
            });
            lines.join("\n")
        })
    }
}

fn resources(count: usize) -> String {
    if count == 1 { "1 resource changes".to_owned() } else { format!("{count} resources change") }
}

impl ExportTo {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        // A file is what it is, and no text for a terminal.
        let client = context.client.clone().verbatim(true);
        let exported: Exported =
            client.get(&format!("/resources/export?format={}", encoded(&self.format)))?;
        exported.problems.iter().for_each(|problem| talk(&problem.to_string()));
        match &self.output {
            Some(file) => {
                let shown = file.display().to_string();
                std::fs::write(file, &exported.text).with_context(|| format!("writing {shown}"))?;
                context.output.done("exported", &shown, &format!("the tree is in {shown}"))
            }
            None if context.output.json() => {
                context.output.print(&exported, |exported| exported.text.clone())
            }
            None => output::say(exported.text.trim_end_matches('\n')),
        }
    }
}
