//! `jackfield db …`: the lab's own database, as `db.xml` says; needs no engine.

mod report;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use jackfield_central_engine::lab_db::check::{self, Checked};
use jackfield_config::{problem, source::Source};
use serde_json::json;

use crate::{Context, exit::Exit};

/// The lab's own database, as db.xml says; needs no engine.
#[derive(Subcommand)]
pub(crate) enum Db {
    /// Connect, and have the database look at every statement, query and report. Nothing is executed.
    Check {
        /// The file.
        #[arg(default_value = "db.xml")]
        file: PathBuf,
        /// The folder that relative paths in it lie in; else that of the file.
        #[arg(long)]
        lab: Option<PathBuf>,
    },
    /// List the reports of a file.
    Reports {
        /// The file.
        #[arg(default_value = "db.xml")]
        file: PathBuf,
    },
    /// Make a report, in a session in which the database refuses to write.
    Run(report::Run),
}

impl Db {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        match self {
            Self::Check { file, lab } => check(context, file, lab.as_deref()),
            Self::Reports { file } => report::list(context, file),
            Self::Run(run) => run.run(context),
        }
    }
}

fn check(context: &Context, file: &Path, lab: Option<&Path>) -> Result<Exit> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| format!("reading {name}"))?;
    let checked = match Source::from_bytes(&name, bytes) {
        Ok(source) => {
            let root = root_of(file, lab);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.context("starting the runtime")?.block_on(check::check(&Arc::new(source), root))
        }
        Err(problem) => Checked { database: None, tried: 0, problems: vec![*problem] },
    };
    let Checked { database, tried, problems } = checked;
    context.output.print(&json!({"database": database, "tried": tried, "problems": problems}), |_| {
        let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        if let Some(database) = database.as_ref().filter(|_| tried > 0) {
            lines.push(format!("{name}: {database} has looked at {tried} statements and queries"));
        }
        lines.join("\n")
    })?;
    Ok(if problem::has_errors(&problems) { Exit::BadInput } else { Exit::Done })
}

fn source_of(file: &Path) -> Result<Arc<Source>> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| format!("reading {name}"))?;
    Source::from_bytes(&name, bytes).map(Arc::new).map_err(|problem| anyhow::anyhow!("{problem}"))
}

/// The folder that relative paths of a file lie in.
fn root_of<'p>(file: &'p Path, lab: Option<&'p Path>) -> &'p Path {
    let around = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    lab.or(around).unwrap_or(Path::new("."))
}
