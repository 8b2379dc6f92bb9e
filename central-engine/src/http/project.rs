//! Projects of the lab folder: listing, and checking without running.

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{HttpResponse, web};
use jackfield_config::{
    ExpandOptions, Lab,
    db::FieldKind,
    project::edit::{ProjectFile, outline::OutlineItem},
    source::Source,
};
use jackfield_protocol::{
    api::Page,
    error::{ErrorCode, FileProblem},
    plan::{PlannedSuite, PlannedTest, RunPlan},
};
use serde::{Deserialize, Serialize};

use super::{Answer, body, project_edit, project_file};
use crate::{
    app::App,
    auth::{Caller, Guard, MayReadProjects},
    failure::Failure,
    limits,
    run::submit,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/projects", web::get().to(list)).service(
        web::resource("/projects/check")
            .app_data(body::json(limits::PROJECT_JSON_BYTES_MAX))
            .route(web::post().to(check)),
    );
    // Names of projects come after what has a word of its own.
    project_edit::routes(config);
    project_file::routes(config);
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
    let mut checked = work.await.map_err(cancelled)??;
    checked.problems.extend(submit::not_on_eps(&app, &checked.modules).await);
    let lab = app.lab.as_user(&guard.caller.user);
    let checked = web::block(move || checked_project(&lab, checked.plan.as_ref(), checked.problems)).await;
    Ok(HttpResponse::Ok().json(checked.map_err(cancelled)?))
}

pub(super) fn checked_project(
    lab: &Lab,
    plan: Option<&RunPlan>,
    problems: Vec<FileProblem>,
) -> CheckedProject {
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
    let databases = lab.databases().unwrap_or_default().inserts;
    let written = databases
        .into_iter()
        .flat_map(|database| database.config.fields)
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

pub(super) fn options(caller: &Caller) -> ExpandOptions {
    ExpandOptions { user: Some(caller.user.clone()), ..ExpandOptions::default() }
}

/// The projects whose text has this somewhere, each with its items. Most have it not, and need not be understood for that.
pub(super) fn outlines_with(lab: &Lab, text: &str) -> impl Iterator<Item = (String, Vec<OutlineItem>)> {
    lab.project_names().into_iter().filter_map(move |project| {
        let bytes = lab.project_file(&project).ok()?.read().ok()?;
        let xml = String::from_utf8(bytes).ok().filter(|xml| xml.contains(text))?;
        let file = ProjectFile::read(&Arc::new(Source::new(&project, xml))).value?;
        Some((project, file.outline()))
    })
}

pub(super) fn cancelled(error: actix_web::error::BlockingError) -> Failure {
    Failure::new(ErrorCode::Internal, error.to_string())
}
