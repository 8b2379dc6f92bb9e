//! The events of a run, as a list.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::{Events, Page},
    event::RunEvent,
    id::RunId,
};

use super::{Answer, body::PageQuery, run};
use crate::{app::App, auth::SeesRun, store};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/runs/{run}/events", web::get().to(list));
}

/// The events of a run that came after one that is known.
#[utoipa::path(get, path = "/api/v1/runs/{run}/events", tag = "runs", params(("run" = RunId, Path), PageQuery),
    responses((status = 200, body = Page<RunEvent>), (status = 404)))]
pub(super) async fn list(
    app: web::Data<App>,
    _: SeesRun,
    run: web::Path<RunId>,
    query: web::Query<PageQuery>,
) -> Answer {
    let mut conn = app.store.read().await?;
    let known = store::run::row(&mut conn, *run).await?.ok_or_else(|| run::no_run(*run))?;
    let (after, limit) = (query.after()?.unwrap_or(0), query.limit());
    let items = store::event::after(&mut conn, *run, after, limit).await?;
    let next = items.last().filter(|event| event.seq < known.seq).map(|event| event.seq.to_string());
    Ok(HttpResponse::Ok().json(Events { items, next }))
}
