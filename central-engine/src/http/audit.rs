//! The audit log, looked through.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{api::Page, time::Time};
use serde::Deserialize;

use super::{Answer, body::PageQuery};
use crate::{
    app::App,
    auth::{Guard, MayOperate},
    limits,
    store::{self, audit::AuditRow},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/audit", web::get().to(list));
}

/// Which lines of the audit log.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// What the page before gave as `next`.
    after: Option<String>,
    /// How many items; at most 1,000.
    limit: Option<u32>,
    /// Only what this user did; `engine` for the engine itself.
    who: Option<String>,
    /// Only deeds whose name begins so: `run.`, `user.create`.
    action: Option<String>,
    /// Only lines with all of these words in them, in any case.
    text: Option<String>,
    /// Only from then on.
    from: Option<Time>,
    /// Only before then.
    until: Option<Time>,
}

/// Who changed what, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "users", params(AuditQuery),
    responses((status = 200, body = Page<AuditRow>)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayOperate>, query: web::Query<AuditQuery>) -> Answer {
    let AuditQuery { after, limit, who, action, text, from, until } = query.into_inner();
    let page = PageQuery { after, limit };
    let (after, limit) = (page.after()?, page.limit());
    let words = text
        .unwrap_or_default()
        .split_whitespace()
        .take(limits::AUDIT_WORDS_MAX)
        .map(str::to_owned)
        .collect();
    let filter = store::audit::Filter { who, action, words, from, until };
    let items = store::audit::list(&mut app.store.read().await?, &filter, after, limit).await?;
    let full = u32::try_from(items.len()).is_ok_and(|count| count == limit);
    let next = items.last().filter(|_| full).map(|row| row.id.to_string());
    Ok(HttpResponse::Ok().json(Page { items, next }))
}
