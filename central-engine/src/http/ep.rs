//! EPs: listing, and giving them no further work.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::{AskModules, EpModules, EpRow, Page},
    error::ErrorCode,
    id::EpName,
    link::MODULES_MAX,
};
use jackfield_scheduler::Event;
use serde::Deserialize;

use super::Answer;
use crate::{
    app::App,
    auth::{Guard, MayOperate, MayRead},
    failure::Failure,
    store::audit::Deed,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/eps", web::get().to(list))
        // Names of EPs come after what has a word of its own.
        .route("/eps/modules", web::post().to(modules))
        .route("/eps/{ep}", web::get().to(show))
        .route("/eps/{ep}/drain", web::post().to(drain));
}

/// Whether an EP is to take work.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct Drain {
    /// True: nothing more; false: work again.
    drained: bool,
}

async fn rows(app: &App) -> Result<Vec<EpRow>, Failure> {
    let views = app.engine.ask(|scheduler| scheduler.ep_view().collect::<Vec<_>>()).await?;
    Ok(views.into_iter().map(|view| app.eps.row(view)).collect())
}

/// Every EP that was ever connected, by name.
#[utoipa::path(get, path = "/api/v1/eps", tag = "eps", responses((status = 200, body = Page<EpRow>)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayRead>) -> Answer {
    Ok(HttpResponse::Ok().json(Page { items: rows(&app).await?, next: None }))
}

/// One EP.
#[utoipa::path(get, path = "/api/v1/eps/{ep}", tag = "eps", params(("ep" = EpName, Path)),
    responses((status = 200, body = EpRow), (status = 404)))]
pub(super) async fn show(app: web::Data<App>, _: Guard<MayRead>, ep: web::Path<EpName>) -> Answer {
    let row = rows(&app).await?.into_iter().find(|row| row.name == *ep);
    Ok(HttpResponse::Ok().json(row.ok_or_else(|| Failure::not_found(format!("EP {ep}")))?))
}

/// Asks connected EPs which of these modules their Pythons do not find. An EP that cannot say is left out.
#[utoipa::path(post, path = "/api/v1/eps/modules", tag = "eps", request_body = AskModules,
    responses((status = 200, body = Page<EpModules>), (status = 400)))]
pub(super) async fn modules(app: web::Data<App>, _: Guard<MayRead>, body: web::Json<AskModules>) -> Answer {
    let AskModules { modules } = body.into_inner();
    if modules.len() > MODULES_MAX {
        let title = format!("at most {MODULES_MAX} modules at once");
        return Err(Failure::new(ErrorCode::BadRequest, title).field("modules"));
    }
    Ok(HttpResponse::Ok().json(Page { items: app.eps.modules(&modules).await, next: None }))
}

/// Gives an EP no further work (what it has goes on), or work again.
#[utoipa::path(post, path = "/api/v1/eps/{ep}/drain", tag = "eps", params(("ep" = EpName, Path)),
    request_body = Drain, responses((status = 204), (status = 404)))]
pub(super) async fn drain(
    app: web::Data<App>,
    guard: Guard<MayOperate>,
    ep: web::Path<EpName>,
    body: web::Json<Drain>,
) -> Answer {
    let (ep, drained) = (ep.into_inner(), body.drained);
    if !rows(&app).await?.iter().any(|row| row.name == ep) {
        return Err(Failure::not_found(format!("EP {ep}")));
    }
    let deed = Deed::new(&guard.caller.user, if drained { "ep.drain" } else { "ep.undrain" }, &ep, "");
    let by = guard.caller.user.clone();
    app.engine.deed(vec![Event::EpDrained { ep: ep.clone(), drained, by }], deed).await?;
    Ok(HttpResponse::NoContent().finish())
}
