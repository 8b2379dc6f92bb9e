//! The web pages: files of `web-ui`, which talk to `/api/v1` like everyone else.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::Answer;

use crate::failure::Failure;

/// What pages may do: run our own scripts and styles, and talk to us. Nothing inside of a page's text is ever run, and no
/// request leaves for another host. `data:` and `blob:` pictures are those that a page draws itself, of bytes it has.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; worker-src 'self'; \
     img-src 'self' data: blob:; media-src 'self' blob:; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.default_service(web::get().to(page));
}

/// A page by its address. Pages hold no data of the lab, so they need no log-in: what they show, they ask for.
async fn page(request: HttpRequest) -> Answer {
    let found = jackfield_web_ui::page(request.path());
    let page = found.ok_or_else(|| Failure::not_found(format!("page {}", request.path())))?;
    let asked = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let packed =
        page.packed.filter(|_| asked(header::ACCEPT_ENCODING).is_some_and(|kinds| kinds.contains("gzip")));
    let content = packed.unwrap_or(page.content);
    let etag = format!("\"{}\"", blake3::hash(content).to_hex());
    let fresh = asked(header::IF_NONE_MATCH) == Some(&*etag);
    let caching = if page.lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::CONTENT_TYPE, page.kind))
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, caching))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header((header::CONTENT_ENCODING, if packed.is_some() { "gzip" } else { "identity" }))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY));
    std::future::ready(Ok(response.body(if fresh { &[] } else { content }))).await
}
