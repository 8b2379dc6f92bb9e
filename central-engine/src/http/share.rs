//! Links that open one report without an account: made, listed, taken back by whoever may see reports. What such a link opens is in `shared`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use jackfield_protocol::{api::Page, error::ErrorCode, id::UserName, secret::Secret, time::Time};
use serde::{Deserialize, Serialize};

use super::{Answer, lab_report, token::check_credential};
use crate::{
    app::{App, audit},
    auth::{self, Anyone, Guard, MayShare, Role},
    clock,
    failure::Failure,
    lab_db::report,
    limits,
    store::{self, share::ShareRow},
};

const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/shares", web::get().to(list))
        .route("/shares", web::post().to(create))
        .route("/shares/{share}", web::delete().to(revoke));
}

/// A link to a report, without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ShareView {
    /// Its number.
    id: u64,
    /// Who gave it away.
    owner: UserName,
    /// The report.
    report: String,
    /// The values of its fields.
    values: BTreeMap<String, String>,
    /// When it was made.
    created: Time,
    /// When it ends.
    expires: Time,
    /// When it was last used, to the hour.
    last_used: Option<Time>,
}

/// A link to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewShare {
    /// The report.
    report: String,
    /// A value for each of its fields.
    #[serde(default)]
    values: BTreeMap<String, String>,
    /// Days until it ends, at most 365; 30 where not given.
    #[serde(default)]
    days: Option<u32>,
}

/// A link, this once with its secret.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MadeShare {
    /// Its number.
    id: u64,
    /// The secret. The page is `/shared/` and this; the data are at `/api/v1/shared/` and this.
    #[serde(serialize_with = "Secret::expose_for_peer")]
    link: Secret,
    /// When it ends.
    expires: Time,
}

/// One's own links to reports that have not ended; everybody's for who may change users.
#[utoipa::path(get, path = "/api/v1/shares", tag = "reports", responses((status = 200, body = Page<ShareView>)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<Anyone>) -> Answer {
    let own = (!guard.caller.may(Role::ChangeUsers)).then_some(&guard.caller.user);
    let shares = store::share::list(&mut app.store.read().await?, own, clock::now()).await?;
    let items = shares.into_iter().map(|share| ShareView {
        id: share.id,
        owner: share.owner,
        report: share.report,
        values: share.given,
        created: share.created,
        expires: share.expires,
        last_used: share.used,
    });
    Ok(HttpResponse::Ok().json(Page { items: items.collect(), next: None }))
}

/// Makes a link that opens one report with these values, to be read by whoever has it, until it ends or is taken back.
#[utoipa::path(post, path = "/api/v1/shares", tag = "reports", request_body = NewShare,
    responses((status = 201, body = MadeShare), (status = 400), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn create(app: web::Data<App>, guard: Guard<MayShare>, body: web::Json<NewShare>) -> Answer {
    let NewShare { report, values, days } = body.into_inner();
    let caller = &guard.caller;
    let days = days.unwrap_or(limits::SHARE_DAYS_DEFAULT);
    if days == 0 || days > limits::SHARE_DAYS_MAX {
        let title = format!("a link ends after 1 to {} days, not after {days}", limits::SHARE_DAYS_MAX);
        return Err(Failure::new(ErrorCode::BadRequest, title).field("days"));
    }
    check_size(&values, "values")?;
    let databases = lab_report::databases(&app, &caller.user);
    let found = report::find(&databases, &report).map_err(lab_report::refusal)?;
    found.check(&app.lab.layout().root, &values).await.map_err(lab_report::refusal)?;
    let now = clock::now();
    let expires = now.plus_millis(u64::from(days).saturating_mul(DAY_MILLIS));
    let row = ShareRow {
        id: 0,
        owner: caller.user.clone(),
        report,
        given: values,
        created: now,
        expires,
        used: None,
    };
    let link = auth::random_token().map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
    let mut conn = app.store.write().await?;
    if store::share::list(&mut conn, Some(&caller.user), now).await?.len() >= limits::SHARES_EACH_MAX {
        let title = format!("{} has {} links; take some back first", caller.user, limits::SHARES_EACH_MAX);
        return Err(Failure::new(ErrorCode::TooMany, title));
    }
    let id = store::share::insert(&mut conn, &auth::token_hash(link.expose_for_hash()), &row).await?;
    audit(&mut conn, caller, "share.create", id, &format!("{} for {days} days", row.report)).await?;
    conn.commit().await?;
    Ok(HttpResponse::Created().json(MadeShare { id, link, expires }))
}

/// Takes a link back: it opens nothing from now on.
#[utoipa::path(delete, path = "/api/v1/shares/{share}", tag = "reports", params(("share" = u64, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn revoke(app: web::Data<App>, guard: Guard<Anyone>, id: web::Path<u64>) -> Answer {
    check_credential(&guard.caller)?;
    let own = (!guard.caller.may(Role::ChangeUsers)).then_some(&guard.caller.user);
    let mut conn = app.store.write().await?;
    // What one may not see is not there.
    let shares = store::share::list(&mut conn, own, clock::now()).await?;
    let share = shares.into_iter().find(|share| share.id == *id);
    let Some(share) = share else { return Err(Failure::not_found(format!("link {id}"))) };
    store::share::delete(&mut conn, *id).await?;
    audit(&mut conn, &guard.caller, "share.delete", *id, &share.report).await?;
    conn.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What people write into links and views is no place to keep files in.
pub(super) fn check_size(values: &BTreeMap<String, String>, field: &'static str) -> Result<(), Failure> {
    let bytes = values.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum::<usize>();
    if bytes <= limits::REPORT_QUERY_BYTES_MAX {
        return Ok(());
    }
    let most = limits::REPORT_QUERY_BYTES_MAX / 1024;
    Err(Failure::new(ErrorCode::BadRequest, format!("values and filters may have {most} KB")).field(field))
}
