//! From a project to the plan of a run: suite × repeat × SUT × EP, test × iterators × repeat, ids and dependencies rewritten.
//!
//! [`expand`] goes in four steps, each blind to the next: `prepare` looks everything up and counts, `build` makes the
//! copies, `select` leaves those that were asked for, `depend` joins tests to those they wait for and refuses circles.

mod build;
mod configs;
mod depend;
mod identity;
mod needs;
mod order;
mod place;
mod prepare;
mod select;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::{
    error::{FileProblem, Severity},
    id::{EpName, UserName},
    plan::{HookScript, RunOptions, RunPlan},
};

use jackfield_resource_allocator::needs::Needs;

pub(in crate::project) use self::identity::{of_place, salted_id};
use super::{Project, Script};
use crate::{
    panic::PanicPatterns,
    problem::{Problems, has_errors},
    profile::{read_profiles, shipped},
    test_config::TestConfig,
};

/// What expansion must look up in the lab.
pub trait Lookup {
    /// The EPs that a SUT has for this user; an empty list means any free EP.
    fn sut_eps(&self, sut: &str, user: &UserName) -> Known<SutEps>;
    /// The SUTs there are, for suggestions.
    fn sut_names(&self) -> Vec<String>;
    /// A test configuration with the problems of its file.
    fn test_config(&self, name: &str) -> Known<crate::Read<TestConfig>>;
    /// The test configurations there are, for suggestions.
    fn test_config_names(&self) -> Vec<String>;
    /// A test file or script as the project names it, with `$HOME` and `~` resolved.
    fn resolve(&self, path: &str) -> String;
    /// Whether a test file is there, by its resolved name.
    fn test_file(&self, file: &str) -> Known<()>;
    /// Whether a library is there.
    fn library(&self, name: &str) -> Known<()>;
    /// The libraries there are, for suggestions.
    fn library_names(&self) -> Vec<String> {
        Vec::new()
    }
    /// Why groups of needs can never be met together by what the lab has, one answer for each; none where they can, or where
    /// there is no lab to ask.
    fn unmet(&self, groups: &[Vec<&Needs>]) -> Vec<Option<Unmet>> {
        vec![None; groups.len()]
    }
    /// The lab's own profiles of devices: file name, and text or why it cannot be read.
    fn profiles(&self) -> BTreeMap<String, Result<String, Box<FileProblem>>> {
        BTreeMap::new()
    }

    /// The lab's panic patterns: those of this user, or of all; none where it has none.
    fn panic_patterns(&self, user: Option<&UserName>) -> Option<crate::Read<PanicPatterns>> {
        let _ = user;
        None
    }
}

/// An answer of the lab.
#[derive(Clone, Debug, PartialEq)]
pub enum Known<T> {
    /// It is there.
    Yes(T),
    /// It is not there, or may not be used, for this reason.
    No(String),
    /// There is no lab to ask.
    Unchecked,
}

/// Why needs cannot be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Which clause leaves nothing.
    pub reason: String,
    /// It is the tree that runs get their resources from, and not only the file that this was made of.
    pub certain: bool,
}

/// A SUT as expansion sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SutEps {
    /// `name.user` or `name.system`.
    pub name: String,
    /// Its EPs for the user of the run.
    pub eps: Vec<String>,
}

/// What the person who starts the run decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpandOptions {
    /// Who runs it; none: nobody in particular, as in a check.
    pub user: Option<UserName>,
    /// Run only tests whose file, name or ID is or ends with one of these; empty means all.
    pub only: Vec<String>,
    /// Run on this EP instead of those the project and its SUTs name.
    pub ep: Option<EpName>,
    /// Use this SUT instead of those the project names.
    pub sut: Option<String>,
    /// Leave no trace in statistics, database or mail.
    pub temporary: bool,
    /// Limit of the whole run, waiting included, instead of what the project says.
    pub timeout_millis: Option<u64>,
    /// How long the run may wait until it begins.
    pub wait_millis: Option<u64>,
}

/// Makes the plan of a run; none where a problem is an error. All problems come at once.
pub fn expand(
    project: &Project,
    lab: &dyn Lookup,
    options: &ExpandOptions,
) -> (Option<RunPlan>, Vec<FileProblem>) {
    let mut problems = Problems::new(&project.source);
    let mut prepared = prepare::prepare(project, lab, options, &mut problems);
    needs::check(project, &mut problems);
    let mut list = std::mem::take(&mut prepared.foreign);
    let mut plan = RunPlan {
        project: project.name.to_string(),
        source: project.source.name().to_owned(),
        user: options.user.clone().unwrap_or_else(|| UserName::from("")),
        options: run_options(project, lab, options),
        suites: Vec::new(),
        tests: Vec::new(),
        files: std::collections::BTreeMap::new(),
        libraries: std::collections::BTreeMap::new(),
        folders: Default::default(),
        panic_patterns: Vec::new(),
        profiles: Default::default(),
        templates: None,
        private: Default::default(),
    };
    if !prepared.too_large {
        let mut origins = build::build(&prepared, &mut plan);
        select::select(&options.only, &mut plan, &mut origins, &mut problems);
        depend::join(&prepared, &origins, &mut plan, &mut problems);
        needs::look_up(project, &plan, lab, &mut problems);
        if plan.tests.is_empty() && !project.suites.is_empty() {
            let place = project.suites.first().map(|suite| suite.span).unwrap_or_default();
            problems.warn(
                place,
                "the run has no test",
                "add a <TestCase>, or set its property Running to true",
            );
        }
    }
    list.extend(take_panic_patterns(&mut plan, lab, options));
    list.extend(take_profiles(&mut plan, lab));
    list.splice(0..0, problems.finish());
    (Some(plan).filter(|_| !has_errors(&list)), list)
}

/// Adds the lab's profiles; one that cannot be read is told of, and stands in the way of those alone who use it.
fn take_profiles(plan: &mut RunPlan, lab: &dyn Lookup) -> Vec<FileProblem> {
    let mut problems = Vec::new();
    for (file, read) in lab.profiles() {
        match read {
            Ok(text) => drop(plan.profiles.insert(file, text)),
            Err(problem) => problems.push(*problem),
        }
    }
    let files: Vec<(&String, &String)> = plan.profiles.iter().collect();
    problems.extend(read_profiles(&files, &shipped::texts()).1);
    problems.into_iter().map(|problem| FileProblem { severity: Severity::Warning, ..problem }).collect()
}

/// Adds what the lab watches for, where a suite wants its output watched; the answer is what is wrong there.
fn take_panic_patterns(plan: &mut RunPlan, lab: &dyn Lookup, options: &ExpandOptions) -> Vec<FileProblem> {
    if !plan.suites.iter().any(|suite| suite.panic_detect) {
        return Vec::new();
    }
    let Some(crate::Read { value, problems }) = lab.panic_patterns(options.user.as_ref()) else {
        return Vec::new();
    };
    plan.panic_patterns = value.map(|patterns| patterns.enabled(plan.user.as_str())).unwrap_or_default();
    problems
}

fn run_options(project: &Project, lab: &dyn Lookup, options: &ExpandOptions) -> RunOptions {
    let head = &project.head;
    let script =
        |script: &Script| HookScript { path: lab.resolve(&script.path.value).into(), ep: script.ep.clone() };
    RunOptions {
        stop_on_fail: head.stop_on_fail,
        pre_post_mandatory: head.pre_post_mandatory,
        library_layout: head.library_layout,
        script_pre: head.script_pre.as_ref().map(script),
        script_post: head.script_post.as_ref().map(script),
        libraries: head.libraries.iter().map(|library| Arc::clone(&library.value)).collect(),
        save: head.save,
        delay_millis: head.delay_millis,
        timeout_millis: options.timeout_millis.or(head.timeout_millis),
        timeout_from_submit: options.timeout_millis.is_some(),
        wait_millis: options.wait_millis,
        needs: head.needs.as_ref().map(|needs| needs.value.to_string().into()),
        lease: None,
        checks: None,
        retry_of: None,
        on_ep_lost: head.on_ep_lost,
        user_defined: head.user_defined.clone(),
        temporary: options.temporary,
    }
}

/// The files a plan needs, by the names under which [`RunPlan::files`] and [`RunPlan::libraries`] keep them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanFiles {
    /// Test files.
    pub tests: BTreeSet<Arc<str>>,
    /// Test configurations.
    pub configs: BTreeSet<Arc<str>>,
    /// Libraries.
    pub libraries: BTreeSet<Arc<str>>,
    /// Scripts that an EP runs, not the engine's host.
    pub scripts: BTreeSet<Arc<str>>,
}

/// The files that a plan needs.
pub fn plan_files(plan: &RunPlan) -> PlanFiles {
    let options = &plan.options;
    let scripts = [&options.script_pre, &options.script_post].into_iter().flatten();
    let libraries = options.libraries.iter().chain(plan.suites.iter().flat_map(|suite| &suite.libraries));
    PlanFiles {
        tests: plan.tests.iter().map(|test| Arc::clone(&test.file)).collect(),
        configs: plan
            .tests
            .iter()
            .flat_map(|test| &test.configs)
            .chain(plan.suites.iter().flat_map(|suite| &suite.configs))
            .map(Arc::clone)
            .collect(),
        libraries: libraries.map(Arc::clone).collect(),
        scripts: scripts
            .filter(|script| script.ep.is_some())
            .map(|script| Arc::clone(&script.path))
            .collect(),
    }
}
