//! `jackfield project …`: project files, checked and expanded without any engine.

mod step_tests;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use jackfield_config::{
    Checked, ExpandOptions, Lab, check_project,
    load::imports::{self, WantedModule},
    problem,
};
use jackfield_protocol::{
    api::{AskModules, EpModules, Page},
    error::FileProblem,
    link::MODULES_MAX,
    plan::{Place, PlannedTest, Role, RunPlan},
};
use serde_json::{Value, json};

use crate::{
    Context,
    client::encoded,
    exit::Exit,
    names::Names,
    output::{self, table, tests_of},
};

/// How long EPs are waited for.
const EPS_LIMIT: Duration = Duration::from_secs(5);

/// Check project files and see what they become; needs no engine.
#[derive(Subcommand)]
pub(crate) enum Project {
    /// Everything that is wrong in a project file and in those it names.
    Check {
        #[command(flatten)]
        file: ProjectFile,
    },
    /// What would run, in order: every repetition, SUT, EP and iteration.
    Expand {
        #[command(flatten)]
        file: ProjectFile,
    },
    /// Put a project file into the engine's lab folder, if it has no errors.
    Import {
        /// The file.
        file: PathBuf,
        /// Its name there, without .xml; else that of the file.
        #[arg(long)]
        name: Option<String>,
    },
    /// Get a project file out of the engine's lab folder.
    Export {
        /// Its name there.
        name: String,
        /// Where to write it; standard output without it.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Every project in the engine's lab folder.
    List,
}

/// A project file, and the lab it belongs to.
#[derive(clap::Args)]
pub(crate) struct ProjectFile {
    /// The file.
    file: PathBuf,
    /// The lab folder or Twister home; else the one the file lies in. Without any, what the project names is not looked up.
    #[arg(long)]
    lab: Option<PathBuf>,
    /// Expand it for this user, whose private files come first.
    #[arg(long)]
    user: Option<String>,
}

impl Project {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        match self {
            Self::Check { file } => check(context, file),
            Self::Expand { file } => expand(context, file),
            Self::Import { file, name } => import(context, file, name.as_deref()),
            Self::Export { name, output } => export(context, name, output.as_deref()),
            Self::List => list(context),
        }
    }
}

impl ProjectFile {
    fn check(&self) -> Result<Checked> {
        let lab = match self.lab.as_deref().or_else(|| lab_around(&self.file)) {
            Some(folder) => Lab::open(folder)?,
            None => Lab::nowhere(),
        };
        let options =
            ExpandOptions { user: self.user.as_deref().map(Into::into), ..ExpandOptions::default() };
        let mut checked = check_project(&self.file, &lab, &options);
        let lab = options.user.as_ref().map_or_else(|| lab.clone(), |user| lab.as_user(user));
        if let Some(plan) = &checked.plan {
            checked.problems.extend(step_tests::problems(plan, &lab));
            checked.problems.extend(jackfield_config::db::promised::problems(&lab, plan));
            if !plan.options.temporary {
                checked.problems.extend(lab.hearers_problems());
            }
        }
        Ok(checked)
    }
}

/// The Twister home around a file, else the nearest folder that looks like a lab folder.
fn lab_around(file: &Path) -> Option<&Path> {
    let around = || file.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    let has = |folder: &Path, marks: &[&str]| {
        marks.iter().any(|mark| folder.join(mark).try_exists().unwrap_or(false))
    };
    let twister =
        around().find(|folder| has(folder, &["config/fwmconfig.xml", "twister/config/fwmconfig.xml"]));
    twister.or_else(|| around().find(|folder| has(folder, &["engine.toml", ".jackfield", "projects"])))
}

fn check(context: &Context, file: &ProjectFile) -> Result<Exit> {
    let Checked { plan, mut problems, modules, .. } = file.check()?;
    if !modules.is_empty() {
        problems.extend(not_on_eps(context, &modules));
    }
    let tests = plan.as_ref().map(|plan| plan.tests.len());
    context.output.print(&json!({"problems": problems, "tests": tests}), |_| {
        let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        if let Some(tests) = tests {
            lines.push(format!("{}: {} would run", file.file.display(), tests_of(tests)));
        }
        lines.join("\n")
    })?;
    Ok(if problem::has_errors(&problems) || tests.is_none() { Exit::BadInput } else { Exit::Done })
}

/// What tests import that no EP has. Without an engine nobody knows; that is said, and is no fault of the project.
fn not_on_eps(context: &Context, wanted: &[WantedModule]) -> Vec<FileProblem> {
    let asked = AskModules { modules: imports::names(wanted).into_iter().take(MODULES_MAX).collect() };
    let told: Result<Page<EpModules>> = context.client.hasty(EPS_LIMIT).post("/eps/modules", &asked);
    match told {
        Ok(eps) => imports::not_there(wanted, &eps.items),
        Err(error) => {
            let first = wanted.first().map_or("", |wanted| &wanted.module);
            let more = asked.modules.len().saturating_sub(1);
            let others = if more == 0 { String::new() } else { format!(" and {more} more") };
            output::talk(&format!("whether EPs have the module `{first}`{others} was not asked: {error}"));
            Vec::new()
        }
    }
}

fn expand(context: &Context, file: &ProjectFile) -> Result<Exit> {
    let Checked { plan, problems, .. } = file.check()?;
    problems.iter().for_each(|problem| output::talk(&problem.to_string()));
    let Some(plan) = plan else { return Ok(Exit::BadInput) };
    context.output.print(&plan, show)?;
    Ok(Exit::Done)
}

fn show(plan: &RunPlan) -> String {
    let mut rows = table(&["#", "SUITE", "TEST", "EP", "SUT", "ROLE", "ITERATION", "DEPENDS ON"]);
    for (number, test) in plan.tests.iter().enumerate() {
        let chain: Vec<_> = plan.suite_chain(test.suite).map(|(_, suite)| suite).collect();
        let names: Vec<&str> = chain.iter().rev().map(|suite| suite.name.as_ref()).collect();
        let sut = chain.iter().find_map(|suite| suite.sut.as_ref()).map_or("", |sut| sut.as_str());
        rows.add_row(vec![
            number.to_string(),
            names.join(" / "),
            test.name.to_string(),
            chain.last().map_or(String::new(), |top| place(&top.place)),
            sut.to_owned(),
            role(test).to_owned(),
            test.iteration.as_ref().map_or(String::new(), |iteration| iteration.text.to_string()),
            test.depends.iter().map(|dependency| dependency.text.as_ref()).collect::<Vec<_>>().join(" "),
        ]);
    }
    rows.trim_fmt()
}

fn place(place: &Place) -> String {
    let ep = match &place.ep {
        Some(ep) => ep.to_string(),
        None if place.labels.is_empty() => "any".to_owned(),
        None => {
            let labels = place.labels.iter().map(|(key, value)| format!("{key}={value}"));
            labels.collect::<Vec<_>>().join(" ")
        }
    };
    place.needs.as_ref().map_or_else(|| ep.clone(), |needs| format!("{ep}, needs {needs}"))
}

fn role(test: &PlannedTest) -> &'static str {
    match test.role {
        Role::Setup => "setup",
        Role::Teardown => "teardown",
        Role::Unsaved => "not saved",
        Role::Test if !test.runnable => "not runnable",
        Role::Test if test.optional => "optional",
        Role::Test => "",
    }
}

fn import(context: &Context, file: &Path, name: Option<&str>) -> Result<Exit> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.unwrap_or(&stem);
    let answer: Value = context.client.put(&format!("/projects/{}", encoded(name)), &json!({"xml": text}))?;
    for warning in answer.get("problems").and_then(Value::as_array).into_iter().flatten() {
        if let Ok(warning) = serde_json::from_value::<jackfield_protocol::error::FileProblem>(warning.clone())
        {
            output::talk(&warning.to_string());
        }
    }
    context.output.done("imported", name, &format!("project {name} is in the lab"))?;
    Ok(Exit::Done)
}

fn export(context: &Context, name: &str, file: Option<&Path>) -> Result<Exit> {
    let text = context.client.text(&format!("/projects/{}", encoded(name)));
    let text = Names::Projects.or_known(text, &context.client, name)?;
    match file {
        Some(file) => {
            std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
            context.output.done("exported", name, &format!("project {name} is in {}", file.display()))?;
        }
        None => context.output.print(&json!({"project": name, "xml": text}), |_| text.clone())?,
    }
    Ok(Exit::Done)
}

fn list(context: &Context) -> Result<Exit> {
    let projects: Value = context.client.get("/projects")?;
    context.output.page(&projects, |projects| {
        let names = projects.get("items").and_then(Value::as_array).into_iter().flatten();
        let names =
            names.filter_map(|item| item.as_str().or_else(|| item.get("name").and_then(Value::as_str)));
        names.collect::<Vec<_>>().join("\n")
    })?;
    Ok(Exit::Done)
}
