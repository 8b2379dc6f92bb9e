//! Browser sessions: one's own, and for who looks after people those of all.

use actix_web::{HttpRequest, HttpResponse, web};
use jackfield_protocol::{api::Page, id::UserName, time::Time};
use serde::Serialize;

use super::{Answer, token::check_credential};
use crate::{
    app::{App, audit},
    auth::{self, Anyone, COOKIE, Guard, Role},
    clock,
    failure::Failure,
    store::{self, session::SessionRow},
};

/// So much of the hash of its secret names a session: enough that no two share it, and no use to who reads it.
const ID_CHARS: usize = 16;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/sessions", web::get().to(list)).route("/sessions/{session}", web::delete().to(end));
}

/// A browser that is signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SessionView {
    /// Its name, for who ends it.
    id: String,
    /// Whose.
    user: UserName,
    /// Since when.
    since: Time,
    /// When it ends by itself.
    expires: Time,
    /// Whether it is the one that asks.
    here: bool,
}

/// Who is signed in with a browser, newest first: everybody for who operates the engine or changes users, else oneself.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "users", responses((status = 200, body = Page<SessionView>)))]
pub(super) async fn list(request: HttpRequest, app: web::Data<App>, guard: Guard<Anyone>) -> Answer {
    let sees_all = guard.caller.may(Role::ChangeServices) || guard.caller.may(Role::ChangeUsers);
    let of = (!sees_all).then_some(&guard.caller.user);
    let sessions = store::session::list(&mut app.store.read().await?, clock::now(), of).await?;
    let own = own(&request);
    let view = |row: SessionRow| SessionView {
        id: id(&row).to_owned(),
        here: own.as_ref() == Some(&row.hash),
        user: row.user,
        since: row.since,
        expires: row.expires,
    };
    let items = sessions.into_iter().map(view).collect();
    Ok(HttpResponse::Ok().json(Page::<SessionView> { items, next: None }))
}

/// Signs a browser out: one's own, and for who changes users any.
#[utoipa::path(delete, path = "/api/v1/sessions/{session}", tag = "users", params(("session" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn end(app: web::Data<App>, guard: Guard<Anyone>, session: web::Path<String>) -> Answer {
    // A token that lends little ends nothing.
    check_credential(&guard.caller)?;
    let of = (!guard.caller.may(Role::ChangeUsers)).then_some(&guard.caller.user);
    let mut conn = app.store.write().await?;
    // What one may not see is not there.
    let all = store::session::list(&mut conn, clock::now(), of).await?;
    let meant = all.into_iter().find(|row| id(row) == session.as_str());
    let Some(SessionRow { hash, user, .. }) = meant else {
        return Err(Failure::not_found(format!("session {session}")));
    };
    store::session::close(&mut conn, &hash).await?;
    audit(&mut conn, &guard.caller, "session.end", &user, "").await?;
    conn.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

fn id(row: &SessionRow) -> &str {
    row.hash.get(..ID_CHARS).unwrap_or(&row.hash)
}

fn own(request: &HttpRequest) -> Option<String> {
    request.cookie(COOKIE).map(|cookie| auth::token_hash(cookie.value()))
}
