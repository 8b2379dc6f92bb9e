//! Files by the hash of their content. What has a name never changes, so everyone may cache it for ever.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use futures_util::{StreamExt as _, stream};
use jackfield_protocol::{error::ErrorCode, id::BlobHash};

use super::{
    Answer,
    body::{self, Wanted},
};
use crate::{
    app::App,
    auth::{Guard, Hold, MayFetchFiles, MayStoreFiles},
    blobs::{BlobError, Upload},
    failure::Failure,
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/blobs/{hash}")
            .route(web::get().to(fetch))
            .route(web::head().to(fetch))
            .route(web::put().to(put)),
    );
}

/// A file, or a `Range` of it.
#[utoipa::path(get, path = "/api/v1/blobs/{hash}", tag = "blobs", params(("hash" = BlobHash, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = [u8]), (status = 206), (status = 304), (status = 404)))]
pub(super) async fn fetch(
    request: HttpRequest,
    app: web::Data<App>,
    _: Guard<MayFetchFiles>,
    hash: web::Path<BlobHash>,
) -> Answer {
    let hash = *hash;
    let etag = format!("\"{hash}\"");
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == etag)) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish());
    }
    let blobs = app.blobs.clone();
    let found =
        web::block(move || blobs.open_blob(&hash)).await.map_err(io::Error::other).and_then(|found| found);
    let (file, size) =
        found.map_err(BlobError::from)?.ok_or_else(|| Failure::not_found(format!("file {hash}")))?;
    let mut response = HttpResponse::Ok();
    let (from, to) = match body::range(&request, size) {
        Wanted::All => (0, size),
        Wanted::Beyond => {
            let range = (header::CONTENT_RANGE, format!("bytes */{size}"));
            return Ok(HttpResponse::RangeNotSatisfiable().insert_header(range).finish());
        }
        Wanted::Range(from, to) => {
            let last = to.saturating_sub(1);
            response = HttpResponse::PartialContent();
            response.insert_header((header::CONTENT_RANGE, format!("bytes {from}-{last}/{size}")));
            (from, to)
        }
    };
    response
        .insert_header((header::CONTENT_TYPE, "application/octet-stream"))
        .insert_header((header::CACHE_CONTROL, "private, max-age=31536000, immutable"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::ETAG, etag))
        .no_chunking(to.saturating_sub(from));
    let rest = Some((file, from, to));
    Ok(response.streaming(stream::unfold(rest, |rest| async {
        let (file, from, to) = rest?;
        read(file, from, to).await
    })))
}

type Rest = Option<(File, u64, u64)>;

/// The next piece of a file; none at its end. After an error nothing more comes, so the client sees a broken answer.
async fn read(file: File, from: u64, to: u64) -> Option<(Result<web::Bytes, Failure>, Rest)> {
    let length = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX).min(limits::COPY_BYTES);
    if length == 0 {
        return None;
    }
    let read = web::block(move || {
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, from).map(|()| (bytes, file))
    });
    Some(match read.await.map_err(io::Error::other).and_then(|read| read) {
        Ok((bytes, file)) => {
            let next = from.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
            (Ok(bytes.into()), Some((file, next, to)))
        }
        Err(error) => (Err(BlobError::from(error).into()), None),
    })
}

/// Stores a file under its hash; the content must have it.
#[utoipa::path(put, path = "/api/v1/blobs/{hash}", tag = "blobs", params(("hash" = BlobHash, Path)),
    request_body(content = [u8], content_type = "application/octet-stream"),
    responses((status = 201), (status = 204, description = "it was there already"), (status = 400), (status = 413), (status = 507)))]
pub(super) async fn put(
    app: web::Data<App>,
    _: Guard<MayStoreFiles>,
    hold: Hold,
    hash: web::Path<BlobHash>,
    mut body: web::Payload,
) -> Answer {
    let hash = *hash;
    let blobs = app.blobs.clone();
    if on_disk(move || Ok(blobs.claim(&hash))).await? {
        return Ok(HttpResponse::NoContent().finish());
    }
    let blobs = app.blobs.clone();
    let bytes_max = app.limits.upload_bytes;
    let mut upload = on_disk(move || blobs.begin(bytes_max)).await?;
    let mut waiting = Vec::new();
    // A file may come for as long as it goes on.
    let mut over = std::pin::pin!(hold.until_less());
    loop {
        let piece = tokio::select! {
            biased;
            () = &mut over => {
                let title = "whoever sends this file may not do so any more";
                return Err(Failure::new(ErrorCode::Forbidden, title));
            }
            piece = body.next() => piece,
        };
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|error| {
            Failure::new(ErrorCode::BadRequest, format!("the file broke off: {error}; send it again"))
        })?;
        waiting.extend_from_slice(&piece);
        if waiting.len() >= limits::COPY_BYTES {
            upload = write(upload, std::mem::take(&mut waiting)).await?;
        }
    }
    let upload = write(upload, waiting).await?;
    on_disk(move || upload.finish(Some(hash))).await?;
    Ok(HttpResponse::Created().finish())
}

async fn write(mut upload: Upload, bytes: Vec<u8>) -> Result<Upload, Failure> {
    on_disk(move || upload.write(&bytes).map(|()| upload)).await
}

async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, Failure> {
    let done = web::block(work).await.map_err(|error| BlobError::Io(io::Error::other(error)))?;
    Ok(done?)
}
