//! From a project to a run: read, expand, take a copy of every file it uses, start.
//!
//! Files come from the lab folder as its user sees it; SUTs come from the store, where they live while tests run.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use jackfield_config::{
    ExpandOptions, Known, Lab, Lookup, Project, Read, Source, SutEps, Unmet,
    db::promised::{self, Wanting},
    expand,
    load::imports::{self, WantedModule},
    panic::PanicPatterns,
    problem,
    source::At,
    test_config::TestConfig,
};
use jackfield_protocol::{
    api::{SubmitRun, Submitted},
    error::{ErrorCode, FileProblem, Problem, Severity},
    id::{EpName, LeaseId, RunId, SutName, UserName},
    plan::RunPlan,
};
use jackfield_resource_allocator::{ResourceId, needs::Needs};

use crate::{app::App, blobs::Blobs, engine::Start, lab::resources::Resources, lab_db, run::taking, store};

/// Starts what a client asked for, in the name of a user; the same client key again answers with the run it started.
///
/// # Errors
/// The project cannot be read, or has errors: all of them come at once. Or nothing can be stored.
pub(crate) async fn submit(app: &App, request: SubmitRun, user: &UserName) -> Result<Submitted, Problem> {
    start(app, request, user, None, "run.start").await
}

/// Starts a health check of a resource; the project is given that resource as what it needs by the name of `device`.
///
/// # Errors
/// As of [`submit`].
pub(crate) async fn start_check(
    app: &App,
    request: SubmitRun,
    user: &UserName,
    node: &ResourceId,
) -> Result<Submitted, Problem> {
    start(app, request, user, Some(node.clone()), "run.check").await
}

async fn start(
    app: &App,
    request: SubmitRun,
    user: &UserName,
    checks: Option<ResourceId>,
    action: &'static str,
) -> Result<Submitted, Problem> {
    let key = request.idempotency_key.clone();
    if let Some(run) = started_before(app, user, key.as_deref()).await? {
        return Ok(Submitted { run, warnings: Vec::new() });
    }
    if let Some(lease) = request.lease {
        check_lease(app, lease, user).await?;
    }
    let suts = SutsNow::of(app, user).await?;
    let lab = app.lab.as_user(user);
    let (blobs, by) = (app.blobs.clone(), user.clone());
    let seen = lab.clone();
    let now = LabParts { suts, resources: app.resources.clone() };
    let (plan, mut warnings, modules) =
        blocking(move || prepare((&request, checks.as_ref()), &seen, now, &by, &blobs)).await?;
    if problem::has_errors(&warnings) {
        return Err(wanting(&lab, &plan, warnings).await);
    }
    if plan.tests.is_empty() {
        return Err(nothing_to_run(warnings));
    }
    warnings.extend(not_on_eps(app, &modules).await);
    let deed = (action, plan.project.clone());
    let run = app.engine.start(Start { plan, key, deed }).await?;
    Ok(Submitted { run, warnings })
}

/// What tests import that the Python of an EP does not have which may get them.
pub(crate) async fn not_on_eps(app: &App, wanted: &[WantedModule]) -> Vec<FileProblem> {
    imports::not_there(wanted, &app.eps.modules(&imports::names(wanted)).await)
}

/// Whether a lease lets this user's runs in.
async fn check_lease(app: &App, lease: LeaseId, user: &UserName) -> Result<(), Problem> {
    let user = user.clone();
    let lets_in = app.engine.ask(move |scheduler| {
        scheduler.book().lease(lease).is_some_and(|lease| lease.holds() && lease.admits(&user))
    });
    if lets_in.await? {
        return Ok(());
    }
    let title = format!("lease {lease} is over, or not yours; see `jackfield lease list`");
    Err(Problem::new(ErrorCode::NotFound, title).field("lease"))
}

/// A run whose results the lab's database would not get as the lab wants them: with what each field can be.
async fn wanting(lab: &Lab, plan: &RunPlan, mut problems: Vec<FileProblem>) -> Problem {
    for Wanting { field, database, problem } in promised::wanting(lab, plan) {
        let choices = lab_db::choices::told(&database.config, &field, &lab.layout().root).await;
        let meant = problems.iter_mut().filter(|other| other.message == problem.message);
        meant.for_each(|other| other.help = format!("{}{choices}", other.help));
    }
    let mut problem =
        Problem::new(ErrorCode::BadFile, "fields of db.xml have no value, and the lab wants one");
    problem.problems = problems;
    problem
}

async fn started_before(app: &App, user: &UserName, key: Option<&str>) -> Result<Option<RunId>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let mut conn = app.store.read().await?;
    Ok(store::submission::find(&mut conn, user, key).await?)
}

fn nothing_to_run(problems: Vec<FileProblem>) -> Problem {
    let mut problem = Problem::new(ErrorCode::BadFile, "the project has no test to run");
    problem.problems = problems;
    problem
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Problem::new(ErrorCode::Internal, format!("preparing the run: {error}"))))
}

/// Everything that reads files, on a thread of its own.
fn prepare(
    (request, checks): (&SubmitRun, Option<&ResourceId>),
    lab: &Lab,
    now: LabParts,
    user: &UserName,
    blobs: &Blobs,
) -> Result<(RunPlan, Vec<FileProblem>, Vec<WantedModule>), Problem> {
    let (name, source) = source(request, lab)?;
    let Read { value: project, mut problems } = Project::read(&name, &source);
    let options = ExpandOptions {
        user: Some(user.clone()),
        only: request.only.clone(),
        ep: request.ep.clone(),
        sut: request.sut.clone(),
        temporary: request.temporary,
        timeout_millis: request.timeout_millis,
        wait_millis: request.wait_millis,
    };
    let lookup = LabNow { lab, now };
    let plan = project.and_then(|mut project| {
        if let Some(node) = checks {
            let written = project.head.needs.take();
            let span = written.as_ref().map(|needs| needs.span).unwrap_or_default();
            let needs = Needs::of_check(written.map(|needs| needs.value).as_ref(), node);
            project.head.needs = Some(At::new(needs, span));
        }
        let (plan, more) = expand(&project, &lookup, &options);
        problems.extend(more);
        plan
    });
    let errors = problem::has_errors(&problems);
    let Some(mut plan) = plan.filter(|_| !errors) else {
        let count = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        let title = format!("project {name} has {count} error{}", if count == 1 { "" } else { "s" });
        let mut problem = Problem::new(ErrorCode::BadFile, title);
        problem.problems = problems;
        return Err(problem);
    };
    give(&mut plan, request);
    plan.options.checks = checks.map(|node| node.as_str().into());
    problems.extend(promised::problems(lab, &plan));
    if !plan.options.temporary {
        problems.extend(lab.hearers_problems());
    }
    let (not_along, modules) = taking::take_files(&mut plan, lab, blobs)?;
    problems.extend(not_along);
    problems.extend(taking::take_templates(&mut plan, lab, blobs)?);
    Ok((plan, problems, modules))
}

/// What whoever starts the run wants of it beside what its project says.
fn give(plan: &mut RunPlan, request: &SubmitRun) {
    plan.options.lease = request.lease;
    for (name, value) in &request.fields {
        let (name, value): (Arc<str>, Arc<str>) = (name.as_str().into(), value.as_str().into());
        // A suite's own value goes before the run's, so it is this one too.
        for suite in &mut plan.suites {
            if let Some(own) = suite.user_defined.get_mut(&name) {
                *own = Arc::clone(&value);
            }
        }
        plan.options.user_defined.insert(name, value);
    }
    let labels = request.labels.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into()));
    let labels: BTreeMap<Arc<str>, Arc<str>> = labels.collect();
    for suite in plan.suites.iter_mut().filter(|suite| suite.parent.is_none() && suite.place.ep.is_none()) {
        suite.place.labels.extend(labels.clone());
    }
}

/// The project's text, and its name.
fn source(request: &SubmitRun, lab: &Lab) -> Result<(String, Arc<Source>), Problem> {
    let asked = request.project.as_deref().filter(|name| !name.is_empty()).unwrap_or("project.xml");
    let stem =
        |path: &Path| path.file_stem().map_or(String::new(), |stem| stem.to_string_lossy().into_owned());
    if let Some(xml) = &request.xml {
        return Ok((stem(Path::new(asked)), Arc::new(Source::new(asked, xml.as_str()))));
    }
    if request.project.is_none() {
        let title = "say which project to run: its name in the lab folder, or its text in `xml`";
        return Err(Problem::new(ErrorCode::BadRequest, title).field("project"));
    }
    let file = lab.project_file(asked).map_err(|error| {
        Problem::new(ErrorCode::NotFound, format!("project `{asked}` {error}")).field("project")
    })?;
    let limit = jackfield_config::limits::PROJECT_BYTES_MAX;
    let source = jackfield_config::load::read_source(file.path(), limit).map_err(|problem| {
        let mut bad = Problem::new(ErrorCode::BadFile, format!("project `{asked}` cannot be read"));
        bad.problems = vec![*problem];
        bad
    })?;
    Ok((stem(file.path()), source))
}

/// The SUTs as they are now, with their EPs for one user.
pub(crate) struct SutsNow(BTreeMap<SutName, Vec<EpName>>);

impl SutsNow {
    /// Asks the owner of the tree.
    pub(crate) async fn of(app: &App, user: &UserName) -> Result<Self, Problem> {
        let user = user.clone();
        let all = app.resources.look(move |bench| {
            let suts = bench.suts.iter().map(|(name, _)| (name.clone(), bench.suts.eps(name, &user)));
            suts.collect()
        });
        Ok(Self(all.await?))
    }
}

/// What of the lab is not in its folder.
pub(crate) struct LabParts {
    pub(crate) suts: SutsNow,
    pub(crate) resources: Resources,
}

/// The lab as it is now: files from its folder, SUTs and resources from the store. Used on threads of its own, which may wait.
pub(crate) struct LabNow<'a> {
    pub(crate) lab: &'a Lab,
    pub(crate) now: LabParts,
}

impl Lookup for LabNow<'_> {
    fn sut_eps(&self, sut: &str, _user: &UserName) -> Known<SutEps> {
        let sut = sut.trim_start_matches('/');
        let named = [sut.to_owned(), format!("{sut}.user"), format!("{sut}.system")];
        let found =
            named.iter().find_map(|name| self.now.suts.0.get_key_value(&SutName::from(name.as_str())));
        match found {
            None => Known::No("is not in the lab".to_owned()),
            Some((name, eps)) => Known::Yes(SutEps {
                name: name.to_string(),
                eps: eps.iter().map(ToString::to_string).collect(),
            }),
        }
    }

    fn sut_names(&self) -> Vec<String> {
        self.now.suts.0.keys().map(ToString::to_string).collect()
    }

    fn test_config(&self, name: &str) -> Known<Read<TestConfig>> {
        Lookup::test_config(self.lab, name)
    }

    fn test_config_names(&self) -> Vec<String> {
        self.lab.test_config_names()
    }

    fn resolve(&self, path: &str) -> String {
        Lookup::resolve(self.lab, path)
    }

    fn test_file(&self, file: &str) -> Known<()> {
        Lookup::test_file(self.lab, file)
    }

    fn library(&self, name: &str) -> Known<()> {
        Lookup::library(self.lab, name)
    }

    fn library_names(&self) -> Vec<String> {
        self.lab.library_names()
    }

    fn unmet(&self, groups: &[Vec<&Needs>]) -> Vec<Option<Unmet>> {
        let wanted: Vec<Vec<Needs>> =
            groups.iter().map(|group| group.iter().copied().cloned().collect()).collect();
        let look = self.now.resources.look(move |bench| {
            let unmet = |group: &Vec<Needs>| {
                let group: Vec<&Needs> = group.iter().collect();
                let error = Needs::fit_together(&bench.tree, &group).err()?;
                Some(Unmet { reason: error.to_string(), certain: true })
            };
            wanted.iter().map(unmet).collect()
        });
        // An engine that goes down starts no run anyway.
        tokio::runtime::Handle::current().block_on(look).unwrap_or_else(|_gone| vec![None; groups.len()])
    }

    fn profiles(&self) -> BTreeMap<String, Result<String, Box<FileProblem>>> {
        Lookup::profiles(self.lab)
    }

    fn panic_patterns(&self, user: Option<&UserName>) -> Option<Read<PanicPatterns>> {
        Lookup::panic_patterns(self.lab, user)
    }
}
