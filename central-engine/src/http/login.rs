//! Logging in and out, and who one is.

use std::sync::PoisonError;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    web,
};
use jackfield_protocol::{error::ErrorCode, id::UserName, secret::Secret};
use serde::{Deserialize, Serialize};

use super::{Answer, body};
use crate::{
    app::{App, audit},
    auth::{self, Anyone, COOKIE, Caller, Credential, Guard, Role, Scope},
    clock,
    failure::Failure,
    limits,
    store::{self, Store},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/login")
                .app_data(body::json(limits::LOGIN_BYTES_MAX))
                .route(web::post().to(log_in)),
        )
        .route("/logout", web::post().to(log_out))
        .route("/me", web::get().to(me))
        .route("/me/password", web::post().to(change_password));
}

/// Who wants in.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct LoginBody {
    /// The account.
    user: UserName,
    /// Its password.
    password: Secret,
    /// For programs: a name for the token that is answered, in place of a cookie. It may do all that the account may.
    #[serde(default)]
    token: Option<String>,
}

/// Who is asking.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Me {
    /// The account.
    user: UserName,
    /// What they may do.
    roles: Vec<Role>,
    /// The token that was asked for; it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Shown>,
    /// What somebody who may change users should know of the lab's files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notices: Vec<String>,
}

/// A secret in the one answer that shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
struct Shown(#[serde(serialize_with = "Secret::expose_for_peer")] Secret);

/// A new password for oneself.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewPassword {
    /// The one so far.
    old: Secret,
    /// The one from now on.
    new: Secret,
}

fn me_of(caller: &Caller) -> Me {
    Me {
        user: caller.user.clone(),
        roles: caller.roles.iter().copied().collect(),
        token: None,
        notices: Vec::new(),
    }
}

/// Opens a browser session, whose cookie the answer sets; or makes a token, for a program.
#[utoipa::path(post, path = "/api/v1/login", tag = "login", request_body = LoginBody,
    responses((status = 200, body = Me), (status = 401), (status = 429)))]
pub(super) async fn log_in(request: HttpRequest, app: web::Data<App>, login: web::Json<LoginBody>) -> Answer {
    let LoginBody { user, password, token } = login.into_inner();
    if !prove(&request, &app, &user, password).await? {
        return Err(Failure::new(ErrorCode::Unauthenticated, "user name or password is wrong"));
    }
    let secret =
        auth::random_token().map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
    let (now, hash) = (clock::now(), auth::token_hash(secret.expose_for_hash()));
    let mut conn = app.store.write().await?;
    if let Some(name) = &token {
        let token = super::token::row(&user, name, Scope::Admin, now, Some(limits::TOKEN_MILLIS_DEFAULT))?;
        store::token::insert(&mut conn, &hash, &token).await?;
    } else {
        store::session::open(&mut conn, &hash, &user, now, now.plus_millis(limits::SESSION_MILLIS)).await?;
    }
    store::audit::add(&mut conn, now, user.as_str(), ("login", user.as_str()), "").await?;
    conn.commit().await?;
    let caller = match &token {
        Some(_) => auth::of_token(&app.store, secret.expose_for_hash(), now).await?,
        None => auth::of_session(&app.store, secret.expose_for_hash(), now).await?,
    };
    let caller = caller.ok_or_else(|| Failure::new(ErrorCode::Unauthenticated, "this account is closed"))?;
    let mut response = HttpResponse::Ok();
    if token.is_none() {
        response.cookie(cookie(app.limits.proxies.is_https(&request), &secret));
    }
    let notices = notices(&app, &caller).await;
    Ok(response.json(Me { notices, token: token.map(|_| Shown(app.with_pin(&secret))), ..me_of(&caller) }))
}

/// What was edited in files that are read once; nobody is kept out because it cannot be said.
async fn notices(app: &App, caller: &Caller) -> Vec<String> {
    if !caller.may(Role::ChangeUsers) {
        return Vec::new();
    }
    auth::users_file_edits(&app.store, &app.lab, app.kind).await.unwrap_or_else(|error| {
        tracing::warn!("users_and_groups.ini cannot be looked at: {error:#}");
        Vec::new()
    })
}

/// Checks a password, no more often than the limit allows.
async fn prove(request: &HttpRequest, app: &App, user: &UserName, password: Secret) -> Result<bool, Failure> {
    let address = app.limits.proxies.client(request);
    let throttle = || app.throttle.lock().unwrap_or_else(PoisonError::into_inner);
    if !throttle().begin(user, address, app.limits.login_attempts, clock::now()) {
        let title = "too many tries of passwords from this address, or for this account; one comes back every few seconds";
        return Err(Failure::new(ErrorCode::TooMany, title));
    }
    let is_right = right_password(&app.store, user, password).await?;
    if is_right {
        throttle().succeeded(user, address);
    } else {
        tracing::info!(user.name = %user, peer = %address, "a password was wrong");
    }
    Ok(is_right)
}

async fn right_password(store: &Store, user: &UserName, password: Secret) -> Result<bool, Failure> {
    let account = store::account::fetch(&mut store.read().await?, user).await?;
    let hash =
        account.filter(|account| !account.disabled).map(|account| account.password).unwrap_or_default();
    auth::matches(password, hash).await.map_err(unhashed)
}

fn unhashed(error: auth::PasswordError) -> Failure {
    let code = match &error {
        auth::PasswordError::Busy => ErrorCode::TooMany,
        auth::PasswordError::Short | auth::PasswordError::Long => ErrorCode::BadRequest,
        auth::PasswordError::Hash(_) => ErrorCode::Internal,
    };
    Failure::new(code, error.to_string())
}

fn cookie(is_https: bool, secret: &Secret) -> Cookie<'static> {
    let age = Duration::milliseconds(i64::try_from(limits::SESSION_MILLIS).unwrap_or(i64::MAX));
    Cookie::build(COOKIE, secret.expose_for_owner().to_owned())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_https)
        .max_age(age)
        .finish()
}

/// Ends the browser session.
#[utoipa::path(post, path = "/api/v1/logout", tag = "login", responses((status = 204)))]
pub(super) async fn log_out(request: HttpRequest, app: web::Data<App>, _: Guard<Anyone>) -> Answer {
    if let Some(cookie) = request.cookie(COOKIE) {
        let mut conn = app.store.write().await?;
        store::session::close(&mut conn, &auth::token_hash(cookie.value())).await?;
        conn.commit().await?;
    }
    let mut over = Cookie::build(COOKIE, "").path("/").finish();
    over.make_removal();
    Ok(HttpResponse::NoContent().cookie(over).finish())
}

/// Who the caller is, and what they may do.
#[utoipa::path(get, path = "/api/v1/me", tag = "login", responses((status = 200, body = Me), (status = 401)))]
pub(super) async fn me(guard: Guard<Anyone>) -> Answer {
    std::future::ready(Ok(HttpResponse::Ok().json(me_of(&guard.caller)))).await
}

/// Changes one's own password; every other session of the account ends.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "login", request_body = NewPassword,
    responses((status = 204), (status = 400), (status = 401)))]
pub(super) async fn change_password(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<Anyone>,
    body: web::Json<NewPassword>,
) -> Answer {
    let NewPassword { old, new } = body.into_inner();
    let user = &guard.caller.user;
    if guard.caller.credential != Credential::Session {
        return Err(Failure::new(ErrorCode::Forbidden, "a token cannot change a password; log in"));
    }
    if !prove(&request, &app, user, old).await? {
        return Err(Failure::new(ErrorCode::Unauthenticated, "the old password is wrong").field("old"));
    }
    auth::check_new(&new)
        .map_err(|error| Failure::new(ErrorCode::BadRequest, error.to_string()).field("new"))?;
    let hash = auth::hash(new).await.map_err(unhashed)?;
    let mut conn = app.store.write().await?;
    let account = store::account::fetch(&mut conn, user).await?;
    let account = account.ok_or_else(|| Failure::not_found(format!("user {user}")))?;
    store::account::put(&mut conn, &store::account::Account { password: hash, ..account }).await?;
    store::session::close_all(&mut conn, user).await?;
    if let Some(cookie) = request.cookie(COOKIE) {
        let (now, expires) = (clock::now(), clock::now().plus_millis(limits::SESSION_MILLIS));
        store::session::open(&mut conn, &auth::token_hash(cookie.value()), user, now, expires).await?;
    }
    audit(&mut conn, &guard.caller, "user.password", user, "").await?;
    conn.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}
