//! SUTs: whole trees, read and written as one.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use jackfield_protocol::{api::Page, error::ErrorCode, id::SutName};
use serde::Serialize;
use serde_json::Value;

use super::{Answer, resource};
use crate::{
    app::App,
    auth::{Caller, Guard, MayEditSut, MayReadSuts, Role},
    failure::Failure,
    lab::{resources::Change, veil},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/suts", web::get().to(list))
        .route("/suts/{sut}", web::get().to(show))
        .route("/suts/{sut}", web::put().to(put))
        .route("/suts/{sut}", web::delete().to(delete));
}

/// A SUT in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SutSummary {
    /// `name.user` or `name.system`.
    name: SutName,
    /// Its version.
    version: u64,
    /// How many components it has.
    components: usize,
}

/// All SUTs, by name.
#[utoipa::path(get, path = "/api/v1/suts", tag = "resources", responses((status = 200, body = Page<SutSummary>)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayReadSuts>) -> Answer {
    let items = app.resources.look(|bench| {
        let suts = bench.suts.iter().map(|(name, sut)| SutSummary {
            name: name.clone(),
            version: sut.version(),
            components: sut.len(),
        });
        suts.collect::<Vec<_>>()
    });
    Ok(HttpResponse::Ok().json(Page { items: items.await?, next: None }))
}

/// A SUT, in the shape of its file.
#[utoipa::path(get, path = "/api/v1/suts/{sut}", tag = "resources", params(("sut" = SutName, Path)),
    responses((status = 200, body = Value), (status = 404)))]
pub(super) async fn show(app: web::Data<App>, guard: Guard<MayReadSuts>, sut: web::Path<SutName>) -> Answer {
    let name = sut.into_inner();
    let wanted = name.clone();
    let found =
        app.resources.look(move |bench| bench.suts.sut(&wanted).map(|sut| (sut.version(), sut.to_json())));
    let (version, mut body) = found.await?.ok_or_else(|| Failure::not_found(format!("SUT {name}")))?;
    if !veil::may_see(&guard.caller) {
        veil::node(&mut body);
    }
    Ok(HttpResponse::Ok().insert_header((header::ETAG, format!("\"{version}\""))).json(body))
}

/// One's own SUTs, or shared ones; those of others only for who may change users.
fn check_owner(caller: &Caller, sut: &SutName) -> Result<(), Failure> {
    let owner = sut.as_str().rsplit_once('.').map_or("", |(_, owner)| owner);
    if owner == "system" || owner == caller.user.as_str() || caller.may(Role::ChangeUsers) {
        return Ok(());
    }
    Err(Failure::new(ErrorCode::Forbidden, format!("SUT {sut} is {owner}'s own")))
}

/// Makes or replaces a SUT. `If-Match` takes the version that was read; 0 means that it must be new.
#[utoipa::path(put, path = "/api/v1/suts/{sut}", tag = "resources", params(("sut" = SutName, Path)),
    request_body = Value, responses((status = 200, body = resource::Edited), (status = 201, body = resource::Edited), (status = 412), (status = 422)))]
pub(super) async fn put(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditSut>,
    sut: web::Path<SutName>,
    body: web::Json<Value>,
) -> Answer {
    check_owner(&guard.caller, &sut)?;
    let change = Change::PutSut { name: sut.into_inner(), body: body.into_inner() };
    resource::make(&request, &app, &guard.caller, change).await
}

/// Deletes a SUT.
#[utoipa::path(delete, path = "/api/v1/suts/{sut}", tag = "resources", params(("sut" = SutName, Path)),
    responses((status = 200, body = resource::Edited), (status = 404), (status = 412)))]
pub(super) async fn delete(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditSut>,
    sut: web::Path<SutName>,
) -> Answer {
    check_owner(&guard.caller, &sut)?;
    let change = Change::DeleteSut { name: sut.into_inner() };
    resource::make(&request, &app, &guard.caller, change).await
}
