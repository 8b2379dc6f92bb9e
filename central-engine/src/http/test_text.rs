//! What stands in test files: read, written and deleted, each with the version that whoever changes it has seen.

use actix_web::{HttpRequest, web};
use futures_util::StreamExt as _;
use jackfield_config::Lab;
use jackfield_protocol::error::ErrorCode;
use serde::Serialize;

use super::{
    Answer,
    lab_file::{self, Kind, Part, Seen, WRITING, shown_place, version},
    project::cancelled,
};
use crate::{
    app::App,
    auth::{Guard, MayEditTests, MayReadProjects},
    failure::Failure,
    limits,
};

static TEST: Kind = Kind {
    noun: "test file",
    field: "file",
    content_type: "application/octet-stream",
    bytes_max: limits::TEST_BYTES_MAX,
    file: Lab::test_file,
    place: Lab::test_file_place,
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
    TEST.read(&request, &app, &guard.caller, file.into_inner()).await
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
        let place = TEST.place_of(&lab, &wanted)?;
        let there = TEST.there(&lab, &wanted)?;
        seen.check(&TEST.called(&wanted), there.as_deref())?;
        let answer = PutTest { file: shown_place(&lab, &place), version: version(&bytes) };
        Ok::<_, Failure>((answer, Part::write(place, &bytes, there.is_none(), TEST.called(&wanted))?))
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
        if bytes.len().saturating_add(piece.len()) > TEST.bytes_max {
            return Err(TEST.too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// Deletes a test file. Projects that have it keep its name, and their tests are skipped. `If-Match` takes the version that was read.
#[utoipa::path(delete, path = "/api/v1/test-texts/{file}", tag = "projects", params(("file" = String, Path)),
    responses((status = 204), (status = 404), (status = 412), (status = 413)))]
pub(super) async fn delete(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditTests>,
    file: web::Path<String>,
) -> Answer {
    TEST.delete(&request, &app, &guard.caller, ("test.delete", &file)).await
}
