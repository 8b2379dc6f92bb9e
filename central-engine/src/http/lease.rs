//! Who has what.

use actix_web::{HttpResponse, web};
use jackfield_protocol::api::{LeaseView, Page};

use super::Answer;
use crate::{
    app::App,
    auth::{Guard, MayRead},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/leases", web::get().to(list));
}

/// The lanes of EPs and the SUTs that runs have now.
#[utoipa::path(get, path = "/api/v1/leases", tag = "resources", responses((status = 200, body = Page<LeaseView>)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayRead>) -> Answer {
    let items = app.engine.ask(|scheduler| scheduler.leases()).await?;
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}
