//! The test files of the lab, for who puts them into a project, looks for one, or looks after one: what each says of itself, who uses it, and what
//! came of it lately.

mod find;
mod results;

use std::{collections::BTreeMap, io::Read as _, sync::Arc, time::UNIX_EPOCH};

use actix_web::{HttpResponse, web};
use jackfield_config::{InRoom, Lab, project::edit::ItemKind};
use jackfield_protocol::{api::Page, error::ErrorCode, time::Time};
use serde::Serialize;

pub(super) use self::{find::find, results::results};
use super::{
    Answer,
    lab_file::shown_place,
    project::{cancelled, outlines_with},
};
use crate::{
    app::App,
    auth::{Guard, MayReadProjects},
    failure::Failure,
    limits,
    run::tags,
};

// Utoipa looks for them beside their handlers.
pub(super) use self::{find::__path_find, results::__path_results};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/test-files", web::get().to(list))
        .route("/test-finds", web::get().to(find))
        .route("/test-results", web::get().to(results))
        .route("/test-files/{file:.+}", web::get().to(show));
}

/// A test file.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TestFile {
    /// Its name, as a project gives it.
    name: String,
    /// Where it is, below the lab folder.
    file: String,
    /// How long it is.
    bytes: u64,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<Time>,
    /// What it says of itself in comments: `title`, `description`, `revision`.
    tags: BTreeMap<Arc<str>, Arc<str>>,
    /// The projects that have it, with how often; only where one file was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by: Option<BTreeMap<String, usize>>,
}

/// The names of all test files, as a project gives them.
#[utoipa::path(get, path = "/api/v1/test-files", tag = "projects", responses((status = 200, body = Page<String>)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<MayReadProjects>) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let files = web::block(move || lab.test_files().into_keys().collect::<Vec<_>>());
    let items = files.await.map_err(cancelled)?;
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// One test file, by the name that a project gives it: what it says of itself, and who uses it.
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
        let file = known(&lab, &name)?;
        let (about, _) = about(&lab, &name, &file, limits::TAG_BYTES)?;
        Ok::<_, Failure>(TestFile { used_by: Some(users(&lab, &name)), ..about })
    });
    Ok(HttpResponse::Ok().json(found.await.map_err(cancelled)??))
}

/// The file of a name.
pub(super) fn known(lab: &Lab, name: &str) -> Result<InRoom, Failure> {
    lab.test_file(name).map_err(|error| Failure::new(ErrorCode::NotFound, format!("test `{name}` {error}")))
}

/// What a file says of itself, and its beginning.
fn about(lab: &Lab, name: &str, file: &InRoom, bytes_max: usize) -> Result<(TestFile, Vec<u8>), Failure> {
    let cannot = |error: std::io::Error| {
        Failure::new(ErrorCode::Storage, format!("test `{name}` cannot be read: {error}"))
    };
    let open = file.open().map_err(cannot)?;
    let about = open.metadata().map_err(cannot)?;
    let mut head = Vec::new();
    let most = u64::try_from(bytes_max.max(limits::TAG_BYTES)).unwrap_or(u64::MAX);
    open.take(most).read_to_end(&mut head).map_err(cannot)?;
    let since_1970 = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let changed = since_1970.and_then(|since| i64::try_from(since.as_millis()).ok()).map(Time);
    let tags = tags::tags_of(&String::from_utf8_lossy(head.get(..limits::TAG_BYTES).unwrap_or(&head)));
    let (name, file) = (name.to_owned(), shown_place(lab, file.path()));
    Ok((TestFile { name, file, bytes: about.len(), changed, tags, used_by: None }, head))
}

/// How often each project has a test file.
fn users(lab: &Lab, file: &str) -> BTreeMap<String, usize> {
    let mut used = BTreeMap::new();
    let stem = file.rsplit('/').next().unwrap_or(file);
    let is_it = |name: &str| lab.layout().resolve(name) == file;
    for (project, items) in outlines_with(lab, stem) {
        let count = items.iter().filter(|item| item.kind == ItemKind::Test && is_it(&item.name)).count();
        if count > 0 {
            used.insert(project, count);
        }
    }
    used
}
