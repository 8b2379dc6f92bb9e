//! The files of projects: read, written, renamed and deleted, each with the version that whoever changes it has seen.
//!
//! A version is a hash of the content: also who edits by hand, beside the engine, makes another one. Between looking at the version and writing
//! nobody else writes by the engine; an editor that saves in that moment goes before or after, as with any two editors.

use std::path::PathBuf;

use actix_web::{HttpRequest, HttpResponse, web};
use jackfield_config::{ExpandOptions, Lab, project::edit::ProjectFile, source::Source};
use jackfield_protocol::error::{ErrorCode, Problem};
use serde::{Deserialize, Serialize};

use super::{
    Answer, body,
    lab_file::{self, Part, Seen, WRITING, cannot, sent, shown_place, version},
    project::{CheckedProject, cancelled, checked_project, options},
};
use crate::{
    app::{App, audit_alone},
    auth::{Guard, MayChangeProjects, MayDeleteProjects, MayPutProjects, MayReadProjects, Role},
    failure::Failure,
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/projects/rename", web::post().to(rename)).service(
        web::resource("/projects/{project:.+}")
            .app_data(body::json(limits::PROJECT_JSON_BYTES_MAX))
            .route(web::get().to(read))
            .route(web::put().to(put))
            .route(web::delete().to(delete)),
    );
}

/// A project's text.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct ProjectText {
    /// The project file.
    xml: String,
    /// Write it although it would not run, as long as it is XML: who edits a project is not done with it in one go.
    #[serde(default)]
    unfinished: bool,
}

/// A project that was written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PutProject {
    /// The file, below the lab folder.
    file: String,
    /// Its version, for the next `If-Match`.
    version: String,
    #[serde(flatten)]
    checked: CheckedProject,
}

/// Another name for a project.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct RenameProject {
    /// The project.
    project: String,
    /// Its new name.
    to: String,
}

/// The text of a project file. Its version is in `ETag`; with `If-None-Match` it is sent only if it is another one.
#[utoipa::path(get, path = "/api/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, content_type = "application/xml", body = String), (status = 304), (status = 404)))]
pub(super) async fn read(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    project: web::Path<String>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let name = project.into_inner();
    let text = web::block(move || read_file(&lab, &name)).await.map_err(cancelled)??;
    Ok(sent(&request, text))
}

/// The bytes of a project's file.
pub(super) fn read_file(lab: &Lab, name: &str) -> Result<Vec<u8>, Failure> {
    let file = lab
        .project_file(name)
        .map_err(|error| Failure::new(ErrorCode::NotFound, format!("project `{name}` {error}")))?;
    file.read().map_err(|error| Failure::new(ErrorCode::Storage, format!("project `{name}`: {error}")))
}

/// Puts a project into the lab folder, over one of the same name; one with errors is refused whole, unless it says that it is unfinished.
/// `If-Match` takes the version that was read, `If-None-Match: *` says that it must be new.
#[utoipa::path(put, path = "/api/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    request_body = ProjectText, responses((status = 200, body = PutProject), (status = 403), (status = 409), (status = 412), (status = 422)))]
pub(super) async fn put(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayPutProjects>,
    project: web::Path<String>,
    body: body::Large<ProjectText>,
) -> Answer {
    let options = options(&guard.caller);
    let lab = app.lab.as_user(&guard.caller.user);
    let seen = Seen::of(&request);
    let (text, _place) = body.into_parts();
    body::check_project(&app, Some(&text.xml))?;
    let name = project.into_inner();
    let may_change = guard.caller.may(Role::ChangeProject);
    let _writing = WRITING.lock().await;
    let asked = name.clone();
    let written = web::block(move || write(&lab, &asked, text, &seen, may_change, &options));
    let (answer, part) = written.await.map_err(cancelled)??;
    part.put(&app, &guard.caller, ("project.put", &name)).await?;
    Ok(lab_file::written(&answer.version, &answer))
}

/// Checks a project and writes it beside its place.
fn write(
    lab: &Lab,
    name: &str,
    text: ProjectText,
    seen: &Seen,
    may_change: bool,
    options: &ExpandOptions,
) -> Result<(PutProject, Part), Failure> {
    let place = place_of(lab, name, "project")?;
    let there = there(lab, name)?;
    if there.is_some() && !may_change {
        let title = format!("there is a project `{name}`, and to change it needs the role CHANGE_PROJECT");
        return Err(Failure::new(ErrorCode::Forbidden, title));
    }
    seen.check(&called(name), there.as_deref())?;
    let checked = jackfield_config::check_project_text(name, text.xml.clone(), lab, options);
    let is_xml = || ProjectFile::read(&Source::new(name, text.xml.clone()).into()).is_usable();
    if checked.plan.is_none() && !(text.unfinished && is_xml()) {
        let mut problem =
            Problem::new(ErrorCode::BadFile, format!("project {name} has errors; it was not written"));
        problem.problems = checked.problems;
        return Err(problem.into());
    }
    let part = Part::write(place.clone(), &text.xml, there.is_none(), called(name))?;
    let answer = PutProject {
        file: shown_place(lab, &place),
        version: version(text.xml.as_bytes()),
        checked: checked_project(lab, checked.plan.as_ref(), checked.problems),
    };
    Ok((answer, part))
}

/// A project in a message.
fn called(name: &str) -> String {
    format!("project `{name}`")
}

fn place_of(lab: &Lab, name: &str, field: &str) -> Result<PathBuf, Failure> {
    lab.project_place(name).map_err(|error| {
        Failure::new(ErrorCode::BadRequest, format!("project `{name}` {error}")).field(field)
    })
}

/// What a project's file holds now; none where there is no such project.
fn there(lab: &Lab, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    match read_file(lab, name) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(failure) if failure.0.code == ErrorCode::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Gives a project another name. Runs keep the name they were started under.
#[utoipa::path(post, path = "/api/v1/projects/rename", tag = "projects", request_body = RenameProject,
    responses((status = 204), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn rename(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayChangeProjects>,
    body: web::Json<RenameProject>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let RenameProject { project, to } = body.into_inner();
    let seen = Seen::of(&request);
    let _writing = WRITING.lock().await;
    let (from, new) = (project.clone(), to.clone());
    let (from, new, kept) = web::block(move || {
        let text = read_file(&lab, &from)?;
        seen.check(&called(&from), Some(&text))?;
        place_of(&lab, &new, "to")?;
        Seen::new_only()
            .check(&called(&new), there(&lab, &new)?.as_deref())
            .map_err(|failure| failure.field("to"))?;
        let place = place_of(&lab, &from, "project")?;
        let name = format!("{}.xml", new.trim_end_matches(".xml"));
        Ok::<_, Failure>((place.clone(), place.with_file_name(name), version(&text)))
    })
    .await
    .map_err(cancelled)??;
    audit_alone(&app, &guard.caller, "project.rename", &project, &format!("to {to}")).await?;
    // A link first: it is never made over another file.
    let (old, given) = (from.clone(), new.clone());
    let moved =
        web::block(move || std::fs::hard_link(&old, &given).and_then(|()| std::fs::remove_file(&old)));
    match moved.await.map_err(cancelled)? {
        Ok(()) => {
            lab_file::tell(&app, &guard.caller, &from, None);
            lab_file::tell(&app, &guard.caller, &new, Some(kept));
            Ok(HttpResponse::NoContent().finish())
        }
        Err(error) => {
            let why = cannot(&called(&to), "written", &error);
            Err(lab_file::failed(&app, &guard.caller, why, ("project.rename", &project)).await)
        }
    }
}

/// Deletes a project. Its runs stay. `If-Match` takes the version that was read.
#[utoipa::path(delete, path = "/api/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 204), (status = 404), (status = 412)))]
pub(super) async fn delete(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayDeleteProjects>,
    project: web::Path<String>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let name = project.into_inner();
    let seen = Seen::of(&request);
    let _writing = WRITING.lock().await;
    let asked = name.clone();
    let place = web::block(move || {
        seen.check(&called(&asked), Some(&read_file(&lab, &asked)?))?;
        place_of(&lab, &asked, "project")
    });
    let place = place.await.map_err(cancelled)??;
    lab_file::remove(&app, &guard.caller, place, &called(&name), ("project.delete", &name)).await
}
