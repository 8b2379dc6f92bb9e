//! Tokens for scripts and EPs. The secret is in the answer that makes one, and nowhere else.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::Page,
    error::ErrorCode,
    id::{EpName, UserName},
    secret::Secret,
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::{
    app::{App, audit},
    auth::{self, Anyone, Caller, Credential, Guard, Role, Scope},
    clock,
    failure::Failure,
    lab::eps::Withdrawn,
    limits,
    store::{
        self,
        token::{Joined, TokenRow},
    },
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/tokens", web::get().to(list))
        .route("/tokens", web::post().to(create))
        .route("/tokens/{token}", web::delete().to(revoke));
}

/// A token without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TokenView {
    /// Its number.
    id: u64,
    /// Whose rights it lends.
    owner: UserName,
    /// What it is for.
    name: String,
    /// What it allows: `ep`, `read`, `run` or `admin`.
    scope: String,
    /// When it was made.
    created: Time,
    /// When it ends; none means never.
    expires: Option<Time>,
    /// When it was last used, to the hour.
    last_used: Option<Time>,
    /// Of one that is for one EP alone: that EP, once it has come.
    ep: Option<EpName>,
}

/// A token to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct NewToken {
    /// What it is for.
    name: String,
    /// What it allows.
    scope: Scope,
    /// Days until it ends, 0 for never; a year where not given.
    #[serde(default)]
    days: Option<u32>,
    /// Of one for EPs: the first that comes with it has it, and no other. Else any number of them may use it.
    #[serde(default)]
    join: bool,
}

/// A token, this once with its secret.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MadeToken {
    /// Its number.
    id: u64,
    /// The secret: keep it now.
    #[serde(serialize_with = "Secret::expose_for_peer")]
    token: Secret,
    /// When it ends; none means never.
    expires: Option<Time>,
}

/// A new row, its name checked.
pub(super) fn row(
    owner: &UserName,
    name: &str,
    scope: Scope,
    now: Time,
    millis: Option<u64>,
) -> Result<TokenRow, Failure> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > limits::NAME_CHARS_MAX {
        let title =
            format!("a token needs a name of at most {} characters: what it is for", limits::NAME_CHARS_MAX);
        return Err(Failure::new(ErrorCode::BadRequest, title).field("name"));
    }
    let expires = millis.map(|millis| now.plus_millis(millis));
    let (owner, name, scope) = (owner.clone(), name.to_owned(), scope.as_str().to_owned());
    Ok(TokenRow { id: 0, owner, name, scope, created: now, expires, used: None, joined: Joined::Any })
}

/// One's own tokens; everybody's for who may change users.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", responses((status = 200, body = Page<TokenView>)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<Anyone>) -> Answer {
    let own = (!guard.caller.may(Role::ChangeUsers)).then_some(&guard.caller.user);
    let tokens = store::token::list(&mut app.store.read().await?, own).await?;
    let items = tokens.into_iter().map(|token| TokenView {
        id: token.id,
        owner: token.owner,
        name: token.name,
        scope: token.scope,
        created: token.created,
        expires: token.expires,
        last_used: token.used,
        ep: match token.joined {
            Joined::By { ep, instance: _ } => Some(ep),
            Joined::Any | Joined::Nobody => None,
        },
    });
    Ok(HttpResponse::Ok().json(Page { items: items.collect(), next: None }))
}

/// A token that lends little must not make one that lends more, nor end others.
pub(super) fn check_credential(caller: &Caller) -> Result<(), Failure> {
    match caller.credential {
        Credential::Session | Credential::Token(Scope::Admin) => Ok(()),
        Credential::Token(_) => Err(Failure::new(
            ErrorCode::Forbidden,
            "only a log-in or an `admin` token can make and end tokens and links to reports, and end sessions",
        )),
    }
}

/// Makes a token of one's own. One for EPs needs `CHANGE_SERVICES`.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = MadeToken), (status = 400), (status = 403)))]
pub(super) async fn create(app: web::Data<App>, guard: Guard<Anyone>, body: web::Json<NewToken>) -> Answer {
    let NewToken { name, scope, days, join } = body.into_inner();
    let caller = &guard.caller;
    check_credential(caller)?;
    if scope == Scope::Ep && !caller.may(Role::ChangeServices) {
        return Err(Failure::new(ErrorCode::Forbidden, "a token for EPs needs the role CHANGE_SERVICES"));
    }
    let millis = match days {
        None => Some(limits::TOKEN_MILLIS_DEFAULT),
        Some(0) => None,
        Some(days) => Some(u64::from(days).saturating_mul(24 * 60 * 60 * 1_000)),
    };
    let mut row = row(&caller.user, &name, scope, clock::now(), millis)?;
    if join && scope != Scope::Ep {
        let title = "only a token of the scope `ep` can be for one EP: leave `join` out";
        return Err(Failure::new(ErrorCode::BadRequest, title).field("join"));
    }
    if join {
        row.joined = Joined::Nobody;
    }
    let token = auth::random_token().map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
    let mut conn = app.store.write().await?;
    let id = store::token::insert(&mut conn, &auth::token_hash(token.expose_for_hash()), &row).await?;
    audit(&mut conn, caller, "token.create", id, &format!("{} ({})", row.name, row.scope)).await?;
    conn.commit().await?;
    let made = MadeToken { id, token: app.with_pin(&token), expires: row.expires };
    Ok(HttpResponse::Created().json(made))
}

/// Ends a token: it works no more from now on, and an EP that came with it is let go.
#[utoipa::path(delete, path = "/api/v1/tokens/{token}", tag = "tokens", params(("token" = u64, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn revoke(app: web::Data<App>, guard: Guard<Anyone>, id: web::Path<u64>) -> Answer {
    check_credential(&guard.caller)?;
    let own = (!guard.caller.may(Role::ChangeUsers)).then_some(&guard.caller.user);
    let mut conn = app.store.write().await?;
    // What one may not see is not there.
    let visible = store::token::list(&mut conn, own).await?.into_iter().any(|token| token.id == *id);
    if !visible || !store::token::delete(&mut conn, *id).await? {
        return Err(Failure::not_found(format!("token {id}")));
    }
    audit(&mut conn, &guard.caller, "token.delete", *id, "").await?;
    conn.commit().await?;
    app.engine.withdraw(Withdrawn::Token(*id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
