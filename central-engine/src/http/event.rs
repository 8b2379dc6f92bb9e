//! The events of a run, as a list.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::{Events, Page},
    event::RunEvent,
    id::RunId,
};

use serde::Deserialize;

use super::{Answer, body::PageQuery, run};
use crate::{app::App, auth::SeesRun, store};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/runs/{run}/events", web::get().to(list));
}

/// Which events.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventQuery {
    /// What the page before gave as `next`.
    after: Option<String>,
    /// How many items; at most 1,000.
    limit: Option<u32>,
    /// Only these facts, by name, with commas between: `paused,resumed,note`.
    facts: Option<String>,
}

/// The events of a run that came after one that is known.
#[utoipa::path(get, path = "/api/v1/runs/{run}/events", tag = "runs", params(("run" = RunId, Path), EventQuery),
    responses((status = 200, body = Page<RunEvent>), (status = 404)))]
pub(super) async fn list(
    app: web::Data<App>,
    _: SeesRun,
    run: web::Path<RunId>,
    query: web::Query<EventQuery>,
) -> Answer {
    let mut conn = app.store.read().await?;
    let known = store::run::row(&mut conn, *run).await?.ok_or_else(|| run::no_run(*run))?;
    let EventQuery { after, limit, facts } = query.into_inner();
    let page = PageQuery { after, limit };
    let (after, limit) = (page.after()?.unwrap_or(0), page.limit());
    let (items, is_full) = match &facts {
        Some(facts) => {
            let facts: Vec<&str> = facts.split(',').collect();
            let items = store::event::of_facts(&mut conn, *run, after, limit, &facts).await?;
            let is_full = u32::try_from(items.len()).is_ok_and(|count| count >= limit);
            (items, is_full)
        }
        None => (store::event::after(&mut conn, *run, after, limit).await?, true),
    };
    let next =
        items.last().filter(|event| is_full && event.seq < known.seq).map(|event| event.seq.to_string());
    Ok(HttpResponse::Ok().json(Events { items, next }))
}
