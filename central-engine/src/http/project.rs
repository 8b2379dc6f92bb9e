//! Projects of the lab folder: listing, reading, and checking without running.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use actix_web::{HttpResponse, http::header, web};
use jackfield_config::{ExpandOptions, Lab, db::FieldKind};
use jackfield_protocol::{
    api::Page,
    error::{ErrorCode, FileProblem, Problem},
    plan::{PlannedSuite, PlannedTest, RunPlan},
};
use serde::{Deserialize, Serialize};

use super::{Answer, body};
use crate::{
    app::{App, audit_alone},
    auth::{Caller, Guard, MayChangeProjects, MayReadProjects},
    failure::Failure,
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/projects", web::get().to(list))
        .service(
            web::resource("/projects/check")
                .app_data(body::json(limits::PROJECT_JSON_BYTES_MAX))
                .route(web::post().to(check)),
        )
        .service(
            web::resource("/projects/{project:.+}")
                .app_data(body::json(limits::PROJECT_JSON_BYTES_MAX))
                .route(web::get().to(read))
                .route(web::put().to(put)),
        );
}

/// A project to check.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct CheckProject {
    /// A project of the lab folder, by name or path; with `xml`, what messages call that text.
    project: String,
    /// The text of a project file instead.
    #[serde(default)]
    xml: Option<String>,
}

/// A project's text.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct ProjectText {
    /// The project file.
    xml: String,
}

/// What is wrong with a project, and what would run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CheckedProject {
    /// Whether it would run.
    good: bool,
    /// Suites, expanded.
    suites: usize,
    /// Tests, expanded.
    tests: usize,
    /// Everything that is wrong.
    problems: Vec<FileProblem>,
    /// The suites that would run, by number; none where it would not.
    preview: Vec<PreviewSuite>,
    /// The tests that would run, in order; of more than 5,000 the first.
    preview_tests: Vec<PreviewTest>,
    /// Fields that whoever starts it may fill: those of `db.xml`, and those the project defines.
    fields: Vec<PreviewField>,
}

/// A suite that would run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PreviewSuite {
    /// As people know it.
    name: String,
    /// The number of the suite around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<u32>,
    /// The EP that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    ep: Option<String>,
    /// Its SUT.
    #[serde(skip_serializing_if = "Option::is_none")]
    sut: Option<String>,
}

/// A test that would run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PreviewTest {
    /// Its ID in the run: what `only` of a submission takes.
    id: String,
    /// What people see.
    name: String,
    /// Its file.
    file: String,
    /// The number of its suite.
    suite: u32,
    /// Whether it would be run, not only listed.
    runnable: bool,
}

/// A field that whoever starts a run may fill.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PreviewField {
    /// Its name: what `fields` of a submission takes.
    name: String,
    /// What people see.
    label: String,
    /// Whether it must have a value.
    mandatory: bool,
    /// What the project says.
    value: String,
}

/// The names of the projects the caller may run.
#[utoipa::path(get, path = "/api/v1/projects", tag = "projects", responses((status = 200, body = Page<String>)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<MayReadProjects>) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let items = web::block(move || lab.project_names()).await.map_err(cancelled)?;
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// The text of a project file.
#[utoipa::path(get, path = "/api/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, content_type = "application/xml", body = String), (status = 404)))]
pub(super) async fn read(
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    project: web::Path<String>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let name = project.into_inner();
    let asked = name.clone();
    let found =
        web::block(move || lab.project_file(&asked).map(|file| file.read())).await.map_err(cancelled)?;
    let text =
        found.map_err(|error| Failure::new(ErrorCode::NotFound, format!("project `{name}` {error}")))?;
    let text =
        text.map_err(|error| Failure::new(ErrorCode::Storage, format!("project `{name}`: {error}")))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/xml"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment"))
        .body(text))
}

/// Checks a project as if it were started: all problems at once, each with its place.
#[utoipa::path(post, path = "/api/v1/projects/check", tag = "projects", request_body = CheckProject,
    responses((status = 200, body = CheckedProject), (status = 404)))]
pub(super) async fn check(
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    body: body::Large<CheckProject>,
) -> Answer {
    let options = options(&guard.caller);
    let lab = app.lab.as_user(&guard.caller.user);
    let (CheckProject { project, xml }, _place) = body.into_parts();
    body::check_project(&app, xml.as_deref())?;
    let work = web::block(move || match xml {
        Some(text) => Ok(jackfield_config::check_project_text(&project, text, &lab, &options)),
        None => match lab.project_file(&project) {
            Ok(file) => Ok(jackfield_config::check_project(file.path(), &lab, &options)),
            Err(error) => Err(Failure::new(ErrorCode::NotFound, format!("project `{project}` {error}"))),
        },
    });
    let checked = work.await.map_err(cancelled)??;
    let lab = app.lab.as_user(&guard.caller.user);
    let checked = web::block(move || checked_project(&lab, checked.plan.as_ref(), checked.problems)).await;
    Ok(HttpResponse::Ok().json(checked.map_err(cancelled)?))
}

fn checked_project(lab: &Lab, plan: Option<&RunPlan>, problems: Vec<FileProblem>) -> CheckedProject {
    let none = CheckedProject {
        good: false,
        suites: 0,
        tests: 0,
        problems,
        preview: Vec::new(),
        preview_tests: Vec::new(),
        fields: Vec::new(),
    };
    let Some(plan) = plan else { return none };
    let suite = |suite: &PlannedSuite| PreviewSuite {
        name: suite.name.to_string(),
        parent: suite.parent.map(|parent| parent.0),
        ep: suite.place.ep.as_ref().map(ToString::to_string),
        sut: suite.sut.as_ref().map(ToString::to_string),
    };
    let test = |test: &PlannedTest| PreviewTest {
        id: test.origin.to_string(),
        name: test.name.to_string(),
        file: test.file.to_string(),
        suite: test.suite.0,
        runnable: test.runnable,
    };
    CheckedProject {
        good: true,
        suites: plan.suites.len(),
        tests: plan.tests.len(),
        preview: plan.suites.iter().map(suite).collect(),
        preview_tests: plan.tests.iter().take(limits::PREVIEW_TESTS_MAX).map(test).collect(),
        fields: fields(lab, plan),
        ..none
    }
}

/// Fields of `db.xml` that people fill, then what else the project defines.
fn fields(lab: &Lab, plan: &RunPlan) -> Vec<PreviewField> {
    let defined = |name: &str| {
        let suites = plan.suites.iter().find_map(|suite| suite.user_defined.get(name));
        suites.or_else(|| plan.options.user_defined.get(name)).map(ToString::to_string)
    };
    let database = lab.db().and_then(|read| read.value).map_or_else(Vec::new, |db| db.fields);
    let written = database
        .into_iter()
        .filter(|field| field.visible && matches!(field.kind, FieldKind::UserText | FieldKind::UserSelect));
    let mut fields: Vec<PreviewField> = written
        .map(|field| PreviewField {
            name: field.id.value.to_string(),
            label: if field.label.is_empty() { field.id.value.to_string() } else { field.label.to_string() },
            mandatory: field.mandatory,
            value: defined(&field.id.value).unwrap_or_default(),
        })
        .collect();
    let own = plan.suites.iter().flat_map(|suite| suite.user_defined.keys());
    let own: BTreeSet<_> = own.chain(plan.options.user_defined.keys()).collect();
    for name in own {
        if !fields.iter().any(|field| field.name == **name) {
            let value = defined(name).unwrap_or_default();
            fields.push(PreviewField {
                name: name.to_string(),
                label: name.to_string(),
                mandatory: false,
                value,
            });
        }
    }
    fields
}

/// Puts a project into the lab folder, over one of the same name; one with errors is refused whole.
#[utoipa::path(put, path = "/api/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    request_body = ProjectText, responses((status = 200, body = CheckedProject), (status = 403), (status = 422)))]
pub(super) async fn put(
    app: web::Data<App>,
    guard: Guard<MayChangeProjects>,
    project: web::Path<String>,
    body: body::Large<ProjectText>,
) -> Answer {
    let options = options(&guard.caller);
    let lab = app.lab.as_user(&guard.caller.user);
    let (ProjectText { xml }, _place) = body.into_parts();
    body::check_project(&app, Some(&xml))?;
    let name = project.into_inner();
    let asked = name.clone();
    let Written { checked, part, place } =
        web::block(move || write(&lab, &asked, xml, &options)).await.map_err(cancelled)??;
    // Before the deed, which no transaction of the store can hold: what cannot be written down is not done.
    audit_alone(&app, &guard.caller, "project.put", &name, "").await?;
    let put = web::block(move || part.persist(place)).await.map_err(cancelled)?;
    if let Err(error) = put {
        let failed = cannot_write(&name, &error.error);
        audit_alone(&app, &guard.caller, "project.put", &name, &format!("failed: {failed}")).await?;
        return Err(failed);
    }
    Ok(HttpResponse::Ok().json(checked))
}

/// A project on its way into the lab folder: whole on the disk, and not yet under its name. Dropped, it is gone.
struct Written {
    checked: CheckedProject,
    part: tempfile::NamedTempFile,
    place: PathBuf,
}

/// Checks a project and writes it beside its place.
fn write(lab: &Lab, name: &str, xml: String, options: &ExpandOptions) -> Result<Written, Failure> {
    let place = lab.project_place(name).map_err(|error| {
        Failure::new(ErrorCode::BadRequest, format!("project `{name}` {error}")).field("project")
    })?;
    let checked = jackfield_config::check_project_text(name, xml.clone(), lab, options);
    let Some(plan) = checked.plan else {
        let mut problem =
            Problem::new(ErrorCode::BadFile, format!("project {name} has errors; it was not written"));
        problem.problems = checked.problems;
        return Err(problem.into());
    };
    let folder = place.parent().unwrap_or(&place);
    let part = write_part(folder, &xml).map_err(|error| cannot_write(name, &error))?;
    Ok(Written { checked: checked_project(lab, Some(&plan), checked.problems), part, place })
}

/// A hidden file with this text, safe on the disk: a power cut after it has its name leaves no empty project.
fn write_part(folder: &Path, xml: &str) -> io::Result<tempfile::NamedTempFile> {
    std::fs::create_dir_all(folder)?;
    let readable = std::fs::Permissions::from_mode(0o644);
    let mut part =
        tempfile::Builder::new().prefix(".").suffix(".part").permissions(readable).tempfile_in(folder)?;
    part.write_all(xml.as_bytes())?;
    part.as_file().sync_all()?;
    Ok(part)
}

fn cannot_write(name: &str, error: &io::Error) -> Failure {
    Failure::new(ErrorCode::Storage, format!("project `{name}` cannot be written: {error}"))
}

fn options(caller: &Caller) -> ExpandOptions {
    ExpandOptions { user: Some(caller.user.clone()), ..ExpandOptions::default() }
}

fn cancelled(error: actix_web::error::BlockingError) -> Failure {
    Failure::new(ErrorCode::Internal, error.to_string())
}
