//! The tree from files and into files: what a file would change, doing it, and writing one.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use jackfield_config::{Read, Source, outline::Format};
use jackfield_protocol::error::{ErrorCode, FileProblem, Problem, Severity};
use jackfield_resource_allocator::{
    ResourceId, Tree,
    plan::{Extent, Outline, Plan},
};
use serde::{Deserialize, Serialize};

use super::{Answer, body, resource::root, resource_history::ResourceStep};
use crate::{
    app::App,
    auth::{Guard, MayEditBench, MayReadBench},
    failure::Failure,
    lab::{
        resources::{Bench, Change},
        veil,
    },
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    let json = || body::json(limits::RESOURCE_FILE_BYTES_MAX);
    config
        .route("/resources/export", web::get().to(export))
        .service(web::resource("/resources/plan").app_data(json()).route(web::post().to(plan)))
        .service(web::resource("/resources/apply").app_data(json()).route(web::post().to(apply)));
}

/// A file that says what resources there are.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceFile {
    /// The file.
    text: String,
    /// Its name, by which its kind is told, and which problems name.
    #[serde(default)]
    name: String,
    /// What kind of file it is: `resources`, `hwconfig`, `csv`, `pyats`, `labgrid`, `ansible`, `netbox`; by its name and text, where it is not given.
    format: Option<String>,
    /// Id or path of the node that it is taken into.
    #[serde(default = "root")]
    into: String,
    /// Whether what it does not name goes: resources below that node, and properties of those that it names.
    #[serde(default)]
    exact: bool,
}

/// What a file changes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ResourcePlan {
    /// What kind of file it is.
    format: &'static str,
    /// The version of the tree that it was compared with, or that it led to.
    version: u64,
    /// How many resources change.
    count: usize,
    /// What becomes of them, by path; of more than 1,000, the first.
    steps: Vec<ResourceStep>,
    /// What the file says that is not carried over, and what else is to be known.
    problems: Vec<FileProblem>,
}

/// What is to be written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportQuery {
    /// What kind of file: `resources`, `hwconfig` or `csv`.
    #[serde(default = "resources")]
    format: String,
}

fn resources() -> String {
    Format::Resources.as_str().to_owned()
}

/// A file of the tree.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ExportedResources {
    /// The file.
    text: String,
    /// What of the tree it cannot say.
    problems: Vec<FileProblem>,
}

fn known(format: &str) -> Result<Format, Failure> {
    Format::named(format).ok_or_else(|| {
        let names: Vec<_> = Format::ALL.into_iter().map(Format::as_str).collect();
        let title = format!("`{format}` is no kind of file that is known; these are: {}", names.join(", "));
        Failure::new(ErrorCode::BadRequest, title).field("format")
    })
}

/// What a file says, read off the tasks that others wait for.
async fn read(file: &ResourceFile) -> Result<(Format, Outline, Vec<FileProblem>), Failure> {
    let source = Arc::new(Source::new(file_name(&file.name), file.text.clone()));
    let said = file.format.as_deref().map(known).transpose()?;
    // Also what kind it is may take a look at all of it.
    let read = web::block(move || {
        let format = said.or_else(|| Format::guess(&source))?;
        Some((format, format.read(&source)))
    });
    let read: Option<(Format, Read<Outline>)> = read
        .await
        .map_err(|error| Failure::new(ErrorCode::Internal, format!("the file could not be read: {error}")))?;
    let (format, read) = read.ok_or_else(|| {
        let title = "nobody can tell what kind of file this is; say its `format`";
        Failure::new(ErrorCode::BadRequest, title).field("format")
    })?;
    let (outline, problems) = read.usable().map_err(|problems| {
        let title = format!("{} cannot be taken in", file_name(&file.name));
        Failure::from(Problem { problems, ..Problem::new(ErrorCode::BadFile, title) })
    })?;
    Ok((format, outline, problems))
}

fn file_name(name: &str) -> &str {
    if name.is_empty() { "the file" } else { name }
}

fn extent(file: &ResourceFile) -> Extent {
    if file.exact { Extent::Exact } else { Extent::Named }
}

/// Compares a file with the tree; ids are none that will be given.
async fn compare(app: &App, file: &ResourceFile, outline: Outline) -> Result<(u64, Plan), Failure> {
    let (into, extent) = (file.into.clone(), extent(file));
    let look = app.resources.look(move |bench: &Bench| {
        let mut number = 0;
        let mut ids = || {
            number += 1;
            ResourceId::from_number(number)
        };
        bench.tree.plan(outline, &into, extent, &mut ids).map(|plan| (bench.tree.version(), plan))
    });
    look.await?.map_err(|error| Failure::new(error.code(), error.to_string()))
}

fn told(format: Format, version: u64, plan: Plan, problems: Vec<FileProblem>, sees: bool) -> ResourcePlan {
    let count = plan.steps.len();
    let steps = plan.steps.into_iter().take(limits::PLAN_STEPS_TOLD_MAX);
    let steps = steps.map(|step| ResourceStep::of(step, sees)).collect();
    ResourcePlan { format: format.as_str(), version, count, steps, problems }
}

/// What is told of a file beside what it changes: ids are carried over only where they are free.
fn all_problems(mut problems: Vec<FileProblem>, plan: &Plan, file: &ResourceFile) -> Vec<FileProblem> {
    let left = plan.ids_left.iter().map(|(path, id)| FileProblem {
        severity: Severity::Warning,
        file: file_name(&file.name).to_owned(),
        line: 0,
        column: 0,
        message: format!("the id {id} of `{path}` is not carried over"),
        help: "the resource is here under another id, by which SUTs link to it".to_owned(),
    });
    problems.extend(left.take(limits::PLAN_STEPS_TOLD_MAX));
    problems
}

/// What a file would change in the tree, and what of it is not carried over; nothing is done. It needs the role `CHANGE_TESTBED`, as doing it does:
/// who may not see secrets could find them out by comparing.
#[utoipa::path(post, path = "/api/v1/resources/plan", tag = "resources", request_body = ResourceFile,
    responses((status = 200, body = ResourcePlan), (status = 400), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn plan(
    app: web::Data<App>,
    guard: Guard<MayEditBench>,
    body: web::Json<ResourceFile>,
) -> Answer {
    let file = body.into_inner();
    let (format, outline, problems) = read(&file).await?;
    let (version, plan) = compare(&app, &file, outline).await?;
    let problems = all_problems(problems, &plan, &file);
    let told = told(format, version, plan, problems, veil::may_see(&guard.caller));
    Ok(HttpResponse::Ok().insert_header((header::ETAG, format!("\"{version}\""))).json(told))
}

/// Makes the tree as a file says, as one edit. `If-Match` takes the version of the plan. Refused where somebody has what would be moved or deleted.
#[utoipa::path(post, path = "/api/v1/resources/apply", tag = "resources", request_body = ResourceFile,
    responses((status = 200, body = ResourcePlan), (status = 400), (status = 404), (status = 409), (status = 412), (status = 422)))]
pub(super) async fn apply(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditBench>,
    body: web::Json<ResourceFile>,
) -> Answer {
    let file = body.into_inner();
    let expected = body::if_match(&request)?;
    let (format, outline, problems) = read(&file).await?;
    let (seen, plan) = compare(&app, &file, outline.clone()).await?;
    let change = Change::TakeIn { outline, into: file.into.clone(), extent: extent(&file) };
    // What is told is what was compared, so nothing may come between.
    let done = app.resources.edit(&guard.caller.user, Some(expected.unwrap_or(seen)), change).await?;
    let problems = all_problems(problems, &plan, &file);
    let told = told(format, done.version, plan, problems, veil::may_see(&guard.caller));
    Ok(HttpResponse::Ok().insert_header((header::ETAG, format!("\"{}\"", done.version))).json(told))
}

/// The tree as a file, and what of the tree such a file cannot say. Who may not see secrets reads stars.
#[utoipa::path(get, path = "/api/v1/resources/export", tag = "resources", params(ExportQuery),
    responses((status = 200, body = ExportedResources), (status = 400)))]
pub(super) async fn export(
    app: web::Data<App>,
    guard: Guard<MayReadBench>,
    query: web::Query<ExportQuery>,
) -> Answer {
    let format = known(&query.format)?;
    let sees = veil::may_see(&guard.caller);
    let (version, tree) =
        app.resources.look(|bench: &Bench| (bench.tree.version(), bench.tree.clone())).await?;
    let written = web::block(move || {
        let tree = if sees { Some(tree) } else { covered(&tree) };
        tree.and_then(|tree| format.write(&tree))
    });
    let written = written.await.map_err(|error| {
        Failure::new(ErrorCode::Internal, format!("the file could not be written: {error}"))
    })?;
    let Some((text, problems)) = written else {
        let title = format!(
            "files of the kind `{}` are read and not written; `resources`, `hwconfig` and `csv` are",
            format.as_str()
        );
        return Err(Failure::new(ErrorCode::BadRequest, title).field("format"));
    };
    let etag = (header::ETAG, format!("\"{version}\""));
    Ok(HttpResponse::Ok().insert_header(etag).json(ExportedResources { text, problems }))
}

/// A tree with stars for its secrets.
fn covered(tree: &Tree) -> Option<Tree> {
    let rows = tree.rows().cloned().map(|mut row| {
        veil::properties(&mut row.properties);
        row
    });
    Tree::from_rows(tree.version(), rows).ok()
}
