//! The engine's own certificate authority as a file: for browsers, and for programs that take one (`curl --cacert`).
//!
//! No log-in, for it is no secret; and no proof of anything, before its fingerprint was compared.

use actix_web::{HttpResponse, http::header, web};

use super::Answer;
use crate::{app::App, failure::Failure};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    let gate = || actix_web::middleware::from_fn(super::gate::keep);
    config.service(web::resource("/authority.pem").wrap(gate()).route(web::get().to(authority)));
}

/// The certificate authority that the engine made for itself, as PEM. Compare its fingerprint before you let a browser believe it.
#[utoipa::path(get, path = "/authority.pem", tag = "health",
    responses((status = 200, content_type = "application/x-pem-file", body = String), (status = 404)))]
pub(super) async fn authority(app: web::Data<App>) -> Answer {
    let own = || {
        Failure::not_found(
            "an authority of the engine's own: its certificate is the lab's (`[tls] certificate`)",
        )
    };
    let answer = app.tls.authority().ok_or_else(own).map(|(pem, _)| {
        HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "application/x-pem-file"))
            .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"jackfield-authority.pem\""))
            .body(pem.to_owned())
    });
    std::future::ready(answer).await
}
