//! What somebody should look after.

use actix_web::{HttpResponse, web};
use jackfield_protocol::api::Page;

use super::Answer;
use crate::{
    app::App,
    auth::{Guard, MayRead},
    run::notices::{self, EngineNotice},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/notices", web::get().to(list));
}

/// What somebody should look after: work of runs that fails, or was given up. What is wrong with an EP, the EP says.
#[utoipa::path(get, path = "/api/v1/notices", tag = "health", responses((status = 200, body = Page<EngineNotice>)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayRead>) -> Answer {
    Ok(HttpResponse::Ok().json(Page { items: notices::notices(&app).await?, next: None }))
}
