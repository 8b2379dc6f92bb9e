//! Global parameters: `globals.xml` as people edit it, and beside it what tests have set, which goes before the file.

use actix_web::{HttpRequest, HttpResponse, web};
use jackfield_config::Lab;
use jackfield_protocol::{api::Page, error::ErrorCode};
use serde::{Deserialize, Serialize};

use super::{
    Answer,
    lab_file::{self, Part, Seen, WRITING, sent, shown_place},
    params::{self, Draft, EditedValues, PutValues, ValueChange, ValuesText},
    project::cancelled,
};
use crate::{
    app::{App, audit},
    auth::{Guard, MayChangeGlobals, MayReadGlobals},
    failure::Failure,
    store,
};

/// What people call it.
const NAME: &str = "globals.xml";

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/globals", web::get().to(read))
        .route("/globals", web::put().to(put))
        .route("/globals/edit", web::post().to(edit))
        .route("/globals/set-by-tests", web::get().to(set_by_tests))
        .route("/globals/set-by-tests/{path:.+}", web::delete().to(forget));
}

/// `globals.xml` to edit.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditGlobals {
    /// The text of the draft; without it, that of the file.
    #[serde(default)]
    xml: Option<String>,
    /// What to change, one after the other; all of it or nothing.
    #[serde(default)]
    changes: Vec<ValueChange>,
}

/// A global parameter that a test of the caller has set.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct GlobalSet {
    /// `Level_A/global1`.
    path: String,
    /// What it was set to.
    #[schema(value_type = Object)]
    value: serde_json::Value,
}

/// Changes the draft of `globals.xml` as the caller's tests see it, or opens one; an empty one where there is none. Nothing is written.
#[utoipa::path(post, path = "/api/v1/globals/edit", tag = "values", request_body = EditGlobals,
    responses((status = 200, body = EditedValues), (status = 422)))]
pub(super) async fn edit(
    app: web::Data<App>,
    guard: Guard<MayReadGlobals>,
    body: web::Json<EditGlobals>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let EditGlobals { xml, changes } = body.into_inner();
    let edited = web::block(move || {
        let file = shown_place(&lab, &place_of(&lab)?);
        let draft = Draft { file, name: NAME.to_owned(), there: there(&lab)?, xml, iterates: false };
        params::edited(draft, changes)
    });
    Ok(HttpResponse::Ok().json(edited.await.map_err(cancelled)??))
}

/// The text of `globals.xml`. Its version is in `ETag`; with `If-None-Match` it is sent only if it is another one.
#[utoipa::path(get, path = "/api/v1/globals", tag = "values",
    responses((status = 200, content_type = "application/xml", body = String), (status = 304), (status = 404)))]
pub(super) async fn read(request: HttpRequest, app: web::Data<App>, guard: Guard<MayReadGlobals>) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let text = web::block(move || there(&lab)?.ok_or_else(|| Failure::not_found(NAME)));
    Ok(sent(&request, text.await.map_err(cancelled)??))
}

/// Writes `globals.xml`; one with errors is refused whole, unless it says that it is unfinished. Tests that run see it at once.
/// `If-Match` takes the version that was read, `If-None-Match: *` says that it must be new.
#[utoipa::path(put, path = "/api/v1/globals", tag = "values", request_body = ValuesText,
    responses((status = 200, body = PutValues), (status = 409), (status = 412), (status = 422)))]
pub(super) async fn put(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayChangeGlobals>,
    body: web::Json<ValuesText>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let (seen, text) = (Seen::of(&request), body.into_inner());
    let _writing = WRITING.lock().await;
    let written = web::block(move || {
        let (place, there) = (place_of(&lab)?, there(&lab)?);
        seen.check(NAME, there.as_deref())?;
        let answer = params::accepted(&lab, &place, NAME, &text, false)?;
        Ok::<_, Failure>((answer, Part::write(place, &text.xml, there.is_none(), NAME.to_owned())?))
    });
    let (answer, part): (PutValues, Part) = written.await.map_err(cancelled)??;
    part.put(&app, &guard.caller, ("globals.put", NAME)).await?;
    Ok(lab_file::written(&answer.version, &answer))
}

/// What the caller's tests have set: it goes before what the file says, until it is forgotten.
#[utoipa::path(get, path = "/api/v1/globals/set-by-tests", tag = "values", responses((status = 200, body = Page<GlobalSet>)))]
pub(super) async fn set_by_tests(app: web::Data<App>, guard: Guard<MayReadGlobals>) -> Answer {
    let set = store::global::list(&mut app.store.read().await?, &guard.caller.user).await?;
    let items: Vec<GlobalSet> = set.into_iter().map(|(path, value)| GlobalSet { path, value }).collect();
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// Forgets what the caller's tests have set a parameter to: the file counts again.
#[utoipa::path(delete, path = "/api/v1/globals/set-by-tests/{path}", tag = "values", params(("path" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn forget(
    app: web::Data<App>,
    guard: Guard<MayChangeGlobals>,
    path: web::Path<String>,
) -> Answer {
    let mut conn = app.store.write().await?;
    if !store::global::forget(&mut conn, &guard.caller.user, &path).await? {
        return Err(Failure::not_found(format!("global parameter `{path}` among those that tests have set")));
    }
    audit(&mut conn, &guard.caller, "globals.forget", &*path, "").await?;
    conn.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

fn place_of(lab: &Lab) -> Result<std::path::PathBuf, Failure> {
    lab.globals_place().map_err(|error| Failure::new(ErrorCode::BadRequest, format!("{NAME} {error}")))
}

fn there(lab: &Lab) -> Result<Option<Vec<u8>>, Failure> {
    let file =
        lab.globals_file().map_err(|error| Failure::new(ErrorCode::BadRequest, format!("{NAME} {error}")))?;
    file.map(|file| std::fs::read(file).map_err(|error| lab_file::cannot(NAME, "read", &error))).transpose()
}
