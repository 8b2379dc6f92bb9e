//! The web pages: files of `web-ui`, which talk to `/api/v1` like everyone else.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::Answer;

use crate::failure::Failure;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.default_service(web::get().to(page));
}

/// A page by its address. Pages hold no data of the lab, so they need no log-in: what they show, they ask for.
async fn page(request: HttpRequest) -> Answer {
    let found = jackfield_web_ui::page(request.path());
    let page = found.ok_or_else(|| Failure::not_found(format!("page {}", request.path())))?;
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let etag = format!("\"{}\"", blake3::hash(page.content.as_bytes()).to_hex());
    let fresh = known == Some(&*etag);
    let mut response = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::CONTENT_TYPE, page.kind))
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ));
    std::future::ready(Ok(response.body(if fresh { "" } else { page.content }))).await
}
