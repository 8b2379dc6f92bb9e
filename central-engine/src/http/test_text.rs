//! What stands in test files: read, written and deleted, each with the version that whoever changes it has seen.

use std::path::PathBuf;

use actix_web::{HttpRequest, web};
use futures_util::StreamExt as _;
use jackfield_config::Lab;
use jackfield_protocol::error::ErrorCode;
use serde::Serialize;

use super::{
    Answer,
    lab_file::{self, Part, Seen, WRITING, sent_as, shown_place, version},
    project::cancelled,
};
use crate::{
    app::App,
    auth::{Guard, MayEditTests, MayReadProjects},
    failure::Failure,
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/test-texts/{file:.+}")
            .route(web::get().to(read))
            .route(web::put().to(put))
            .route(web::delete().to(delete)),
    );
}

/// A test file that was written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PutTest {
    /// The file, below the lab folder.
    file: String,
    /// Its version, for the next `If-Match`.
    version: String,
}

/// The content of a test file. Its version is in `ETag`; with `If-None-Match` it is sent only if it is another one.
#[utoipa::path(get, path = "/api/v1/test-texts/{file}", tag = "projects", params(("file" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = [u8]), (status = 304), (status = 404), (status = 413)))]
pub(super) async fn read(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    file: web::Path<String>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let name = file.into_inner();
    let text = web::block(move || there(&lab, &name)?.ok_or_else(|| Failure::not_found(called(&name))));
    Ok(sent_as(&request, "application/octet-stream", text.await.map_err(cancelled)??))
}

/// Writes a test file, over the one of this name or as a new one. `If-Match` takes the version that was read, `If-None-Match: *` says that it must be
/// new.
#[utoipa::path(put, path = "/api/v1/test-texts/{file}", tag = "projects", params(("file" = String, Path)),
    request_body(content = [u8], content_type = "application/octet-stream"),
    responses((status = 200, body = PutTest), (status = 409), (status = 412), (status = 413)))]
pub(super) async fn put(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditTests>,
    file: web::Path<String>,
    body: web::Payload,
) -> Answer {
    let bytes = whole(body).await?;
    let lab = app.lab.as_user(&guard.caller.user);
    let (seen, name) = (Seen::of(&request), file.into_inner());
    let _writing = WRITING.lock().await;
    let wanted = name.clone();
    let written = web::block(move || {
        let place = place_of(&lab, &wanted)?;
        let there = there(&lab, &wanted)?;
        seen.check(&called(&wanted), there.as_deref())?;
        let answer = PutTest { file: shown_place(&lab, &place), version: version(&bytes) };
        Ok::<_, Failure>((answer, Part::write(place, &bytes, there.is_none(), called(&wanted))?))
    });
    let (answer, part) = written.await.map_err(cancelled)??;
    part.put(&app, &guard.caller, ("test.put", &name)).await?;
    Ok(lab_file::written(&answer.version, &answer))
}

/// A body that is no larger than a test file may be.
async fn whole(mut body: web::Payload) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| {
            Failure::new(ErrorCode::BadRequest, format!("the file broke off: {error}; send it again"))
        })?;
        if bytes.len().saturating_add(piece.len()) > limits::TEST_BYTES_MAX {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn too_large() -> Failure {
    let title = format!(
        "a test file of more than {} MiB is not read or written here; put it into the lab folder by hand",
        limits::TEST_BYTES_MAX / (1024 * 1024)
    );
    Failure::new(ErrorCode::TooLarge, title)
}

/// Deletes a test file. Projects that have it keep its name, and their tests are skipped. `If-Match` takes the version that was read.
#[utoipa::path(delete, path = "/api/v1/test-texts/{file}", tag = "projects", params(("file" = String, Path)),
    responses((status = 204), (status = 404), (status = 412)))]
pub(super) async fn delete(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditTests>,
    file: web::Path<String>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let (seen, name) = (Seen::of(&request), file.into_inner());
    let _writing = WRITING.lock().await;
    let asked = name.clone();
    let place = web::block(move || {
        let there = there(&lab, &asked)?.ok_or_else(|| Failure::not_found(called(&asked)))?;
        seen.check(&called(&asked), Some(&there))?;
        place_of(&lab, &asked)
    });
    let place = place.await.map_err(cancelled)??;
    lab_file::remove(&app, &guard.caller, place, &called(&name), ("test.delete", &name)).await
}

fn called(name: &str) -> String {
    format!("test file `{name}`")
}

fn place_of(lab: &Lab, name: &str) -> Result<PathBuf, Failure> {
    lab.test_file_place(name).map_err(|error| {
        Failure::new(ErrorCode::BadRequest, format!("{} {error}", called(name))).field("file")
    })
}

/// What the file holds; none where there is none.
fn there(lab: &Lab, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let Ok(file) = lab.test_file(name) else { return Ok(None) };
    let cannot = |error| lab_file::cannot(&called(name), "read", &error);
    let most = u64::try_from(limits::TEST_BYTES_MAX).unwrap_or(u64::MAX);
    if file.open().and_then(|open| open.metadata()).map_err(cannot)?.len() > most {
        return Err(too_large());
    }
    file.read().map(Some).map_err(cannot)
}
