//! Predefined suites: listed for who puts them into a project, and made of the suites of one.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use jackfield_config::{
    InRoom, Lab,
    project::edit::{ItemKind, ProjectFile},
    source::Source,
};
use jackfield_protocol::{
    api::Page,
    error::{ErrorCode, Problem},
};
use serde::{Deserialize, Serialize};

use super::{
    Answer, body,
    lab_file::{self, Kind, Part, Seen, WRITING, shown_place, version},
    project::cancelled,
};
use crate::{
    app::App,
    auth::{Guard, MayDeleteProjects, MayPutProjects, MayReadProjects, Role},
    failure::Failure,
    limits,
};

static SUITE: Kind = Kind {
    noun: "predefined suite",
    field: "suite",
    content_type: "application/xml",
    bytes_max: usize::MAX,
    file: Lab::suite_file,
    place: Lab::suite_place,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/suites", web::get().to(list)).service(
        web::resource("/suites/{suite}")
            .app_data(body::json(limits::PROJECT_JSON_BYTES_MAX))
            .route(web::get().to(read))
            .route(web::put().to(put))
            .route(web::delete().to(delete)),
    );
}

/// A file of predefined suites.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SuiteRow {
    /// Its name: what the change `suite` of a project takes.
    name: String,
    /// The file, below the lab folder.
    file: String,
    /// Its version, for `If-Match`.
    version: String,
    /// The suites that stand outermost in it.
    suites: Vec<String>,
    /// How many tests are in it.
    tests: usize,
    /// Why it cannot be put anywhere; none where it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Suites of a project that become predefined.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportSuites {
    /// The text of the project, saved or not.
    xml: String,
    /// The ways to the suites.
    items: Vec<Vec<usize>>,
}

/// A file of predefined suites that was written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PutSuites {
    /// The file, below the lab folder.
    file: String,
    /// Its version, for the next `If-Match`.
    version: String,
}

/// All files of predefined suites.
#[utoipa::path(get, path = "/api/v1/suites", tag = "projects", responses((status = 200, body = Page<SuiteRow>)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<MayReadProjects>) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let rows = web::block(move || lab.suite_files().into_iter().map(|file| row(&lab, file)).collect());
    Ok(HttpResponse::Ok().json(Page { items: rows.await.map_err(cancelled)?, next: None }))
}

fn row(lab: &Lab, (name, file): (String, InRoom)) -> SuiteRow {
    let shown = shown_place(lab, file.path());
    let none = |problem: String| SuiteRow {
        name: name.clone(),
        file: shown.clone(),
        version: String::new(),
        suites: Vec::new(),
        tests: 0,
        problem: Some(problem),
    };
    let bytes = match file.read() {
        Ok(bytes) => bytes,
        Err(error) => return none(error.to_string()),
    };
    let version = version(&bytes);
    let read = Source::from_bytes(&shown, bytes).map_err(|problem| vec![*problem]);
    match read.and_then(|source| ProjectFile::read(&Arc::new(source)).usable()) {
        Ok((file, _)) => {
            let outline = file.outline();
            let is_suite = |kind: ItemKind| kind == ItemKind::Suite;
            // One that Twister saved has nothing around it.
            let top = outline.iter().filter(|item| is_suite(item.kind)).map(|item| item.depth).min();
            let tops = outline.iter().filter(|item| is_suite(item.kind) && Some(item.depth) == top);
            let suites: Vec<String> = tops.map(|item| item.name.clone()).collect();
            let problem = suites.is_empty().then(|| "there is no suite in it".to_owned());
            let tests = outline.iter().filter(|item| item.kind == ItemKind::Test).count();
            SuiteRow { version, suites, tests, problem, ..none(String::new()) }
        }
        Err(problems) => {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            SuiteRow { version, ..none(first) }
        }
    }
}

/// The text of a file of predefined suites. Its version is in `ETag`; with `If-None-Match` it is sent only if it is another one.
#[utoipa::path(get, path = "/api/v1/suites/{suite}", tag = "projects", params(("suite" = String, Path)),
    responses((status = 200, content_type = "application/xml", body = String), (status = 304), (status = 404)))]
pub(super) async fn read(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    suite: web::Path<String>,
) -> Answer {
    SUITE.read(&request, &app, &guard.caller, suite.into_inner()).await
}

/// Makes suites of a project predefined: a file of their own, with all that is in them. `If-Match` takes the version that was read,
/// `If-None-Match: *` says that it must be new.
#[utoipa::path(put, path = "/api/v1/suites/{suite}", tag = "projects", params(("suite" = String, Path)),
    request_body = ExportSuites,
    responses((status = 200, body = PutSuites), (status = 409), (status = 412), (status = 422)))]
pub(super) async fn put(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayPutProjects>,
    suite: web::Path<String>,
    body: body::Large<ExportSuites>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let (asked, _place) = body.into_parts();
    body::check_project(&app, Some(&asked.xml))?;
    let (seen, name) = (Seen::of(&request), suite.into_inner());
    let may_change = guard.caller.may(Role::ChangeProject);
    let _writing = WRITING.lock().await;
    let wanted = name.clone();
    let written = web::block(move || {
        let place = SUITE.place_of(&lab, &wanted)?;
        let there = SUITE.there(&lab, &wanted)?;
        if there.is_some() && !may_change {
            let title =
                format!("there is {}, and to change it needs the role CHANGE_PROJECT", SUITE.called(&wanted));
            return Err(Failure::new(ErrorCode::Forbidden, title));
        }
        seen.check(&SUITE.called(&wanted), there.as_deref())?;
        let text = extracted(&asked)?;
        let answer = PutSuites { file: shown_place(&lab, &place), version: version(text.as_bytes()) };
        Ok((answer, Part::write(place, &text, there.is_none(), SUITE.called(&wanted))?))
    });
    let (answer, part) = written.await.map_err(cancelled)??;
    part.put(&app, &guard.caller, ("suite.put", &name)).await?;
    Ok(lab_file::written(&answer.version, &answer))
}

/// The suites alone.
fn extracted(ExportSuites { xml, items }: &ExportSuites) -> Result<String, Failure> {
    if items.is_empty() {
        let title = "name at least one suite of the project, by its way";
        return Err(Failure::new(ErrorCode::BadRequest, title).field("items"));
    }
    let read = ProjectFile::read(&Arc::new(Source::new("the project", xml.as_str())));
    let (file, _) = read.usable().map_err(|problems| {
        let mut problem = Problem::new(ErrorCode::BadFile, "the project cannot be read; mend its text first");
        problem.problems = problems;
        Failure::from(problem)
    })?;
    file.extract(items).map_err(|error| Failure::new(ErrorCode::BadRequest, error.to_string()).field("items"))
}

/// Deletes a file of predefined suites; projects that took them keep them. `If-Match` takes the version that was read.
#[utoipa::path(delete, path = "/api/v1/suites/{suite}", tag = "projects", params(("suite" = String, Path)),
    responses((status = 204), (status = 404), (status = 412)))]
pub(super) async fn delete(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayDeleteProjects>,
    suite: web::Path<String>,
) -> Answer {
    SUITE.delete(&request, &app, &guard.caller, ("suite.delete", &suite)).await
}

/// The text of predefined suites that are put into a project.
pub(super) fn text_of(lab: &Lab, name: &str) -> Result<String, Failure> {
    let bytes = SUITE.found(lab, name)?;
    let source = Source::from_bytes(&format!("{name}.xml"), bytes).map_err(|problem| {
        let mut refused = Problem::new(ErrorCode::BadFile, format!("{} cannot be read", SUITE.called(name)));
        refused.problems = vec![*problem];
        Failure::from(refused)
    })?;
    Ok(source.text().to_owned())
}
