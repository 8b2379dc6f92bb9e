//! The test files of the lab, for who puts them into a project.

use std::{collections::BTreeMap, io::Read as _, sync::Arc, time::UNIX_EPOCH};

use actix_web::{HttpResponse, web};
use jackfield_protocol::{api::Page, error::ErrorCode, time::Time};
use serde::Serialize;

use super::{Answer, project::cancelled};
use crate::{
    app::App,
    auth::{Guard, MayReadProjects},
    failure::Failure,
    limits,
    run::tags,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/test-files", web::get().to(list)).route("/test-files/{file:.+}", web::get().to(show));
}

/// A test file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TestFile {
    /// Its name, as a project gives it.
    name: String,
    /// How long it is.
    bytes: u64,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<Time>,
    /// What it says of itself in comments: `title`, `description`, `revision`.
    tags: BTreeMap<Arc<str>, Arc<str>>,
}

/// The names of all test files, as a project gives them.
#[utoipa::path(get, path = "/api/v1/test-files", tag = "projects", responses((status = 200, body = Page<String>)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<MayReadProjects>) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let files = web::block(move || lab.test_files().into_keys().collect::<Vec<_>>());
    let items = files.await.map_err(cancelled)?;
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// One test file, by the name that a project gives it: what it says of itself.
#[utoipa::path(get, path = "/api/v1/test-files/{file}", tag = "projects", params(("file" = String, Path)),
    responses((status = 200, body = TestFile), (status = 404)))]
pub(super) async fn show(
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    file: web::Path<String>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let name = file.into_inner();
    let found = web::block(move || {
        let file = lab
            .test_file(&name)
            .map_err(|error| Failure::new(ErrorCode::NotFound, format!("test `{name}` {error}")))?;
        let cannot = |error: std::io::Error| {
            Failure::new(ErrorCode::Storage, format!("test `{name}` cannot be read: {error}"))
        };
        let open = file.open().map_err(cannot)?;
        let about = open.metadata().map_err(cannot)?;
        let mut head = Vec::new();
        let most = u64::try_from(limits::TAG_BYTES).unwrap_or(u64::MAX);
        open.take(most).read_to_end(&mut head).map_err(cannot)?;
        let since_1970 = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let changed = since_1970.and_then(|since| i64::try_from(since.as_millis()).ok()).map(Time);
        let tags = tags::tags_of(&String::from_utf8_lossy(&head));
        Ok::<_, Failure>(TestFile { name, bytes: about.len(), changed, tags })
    });
    Ok(HttpResponse::Ok().json(found.await.map_err(cancelled)??))
}
