//! The history of a test file, where its folder is a Git repository.

use std::path::PathBuf;

use actix_web::{HttpRequest, HttpResponse, web};
use jackfield_protocol::error::ErrorCode;

use super::{Answer, lab_file::sent_as, project::cancelled, test_file};
use crate::{
    app::App,
    auth::{Caller, Guard, MayReadProjects},
    failure::Failure,
    lab::git::{self, FileHistory, GitError},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/test-history/{file:.+}", web::get().to(history))
        .route("/test-versions/{commit}/{file:.+}", web::get().to(version));
}

/// How a test file stands to what was committed, and the commits that changed it; 404 where it is in no repository.
#[utoipa::path(get, path = "/api/v1/test-history/{file}", tag = "projects", params(("file" = String, Path)),
    responses((status = 200, body = FileHistory), (status = 404), (status = 503)))]
pub(super) async fn history(
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    file: web::Path<String>,
) -> Answer {
    let name = file.into_inner();
    let place = place(&app, &guard.caller, name.clone()).await?;
    let history = git::history(&place).await.map_err(|error| refused(&name, &error))?;
    Ok(HttpResponse::Ok().json(history))
}

/// A test file as it was committed.
#[utoipa::path(get, path = "/api/v1/test-versions/{commit}/{file}", tag = "projects",
    params(("commit" = String, Path), ("file" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = [u8]), (status = 404), (status = 503)))]
pub(super) async fn version(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    named: web::Path<(String, String)>,
) -> Answer {
    let (commit, name) = named.into_inner();
    let place = place(&app, &guard.caller, name.clone()).await?;
    let text = git::version(&place, &commit).await.map_err(|error| refused(&name, &error))?;
    Ok(sent_as(&request, "application/octet-stream", text))
}

/// Where the file really is.
async fn place(app: &App, caller: &Caller, name: String) -> Result<PathBuf, Failure> {
    let lab = app.lab.as_user(&caller.user);
    let found = web::block(move || test_file::known(&lab, &name).map(|file| file.path().to_owned()));
    found.await.map_err(cancelled)?
}

fn refused(name: &str, error: &GitError) -> Failure {
    let code = match error {
        GitError::NoRepository | GitError::NoVersion => ErrorCode::NotFound,
        GitError::NoGit | GitError::Silent | GitError::TooLong | GitError::Said(_) => ErrorCode::Unavailable,
    };
    Failure::new(code, format!("test file `{name}`: {error}"))
}
