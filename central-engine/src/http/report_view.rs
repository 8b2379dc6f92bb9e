//! Views of reports that people keep under a name: their own, and those that others keep for everybody.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use jackfield_protocol::{api::Page, error::ErrorCode, id::UserName};
use serde::{Deserialize, Serialize};

use super::{Answer, share::check_size};
use crate::{
    app::App,
    auth::{Guard, MayKeepViews, MayRead},
    failure::Failure,
    limits,
    store::{
        self,
        report_view::{Shown, ViewRow},
    },
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/report-views", web::get().to(list))
        .route("/report-views/{view}", web::put().to(put))
        .route("/report-views/{view}", web::delete().to(delete));
}

/// A view of a report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct KeptView {
    /// Whose it is.
    owner: UserName,
    /// What it is called.
    name: String,
    /// The report.
    report: String,
    /// What the address of its page says.
    query: BTreeMap<String, String>,
    /// Whether everybody sees it.
    everybody: bool,
}

/// A view to keep.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ViewToKeep {
    /// The report.
    report: String,
    /// What the address of its page says: `f.NAME` for a field, `sort`, `text`, `c.NUMBER` for a column.
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// Whether everybody sees it, or oneself alone.
    #[serde(default)]
    everybody: bool,
}

/// One's own views, and those that others keep for everybody.
#[utoipa::path(get, path = "/api/v1/report-views", tag = "reports", responses((status = 200, body = Page<KeptView>)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<MayRead>) -> Answer {
    let views = store::report_view::list(&mut app.store.read().await?).await?;
    let seen = views.into_iter().filter(|view| view.shown.everybody || view.owner == guard.caller.user);
    let items = seen.map(|ViewRow { owner, name, shown: Shown { report, query, everybody } }| KeptView {
        owner,
        name,
        report,
        query,
        everybody,
    });
    Ok(HttpResponse::Ok().json(Page { items: items.collect(), next: None }))
}

/// Keeps a view under a name, in the place of one's own of that name.
#[utoipa::path(put, path = "/api/v1/report-views/{view}", tag = "reports", request_body = ViewToKeep,
    params(("view" = String, Path)), responses((status = 204), (status = 400)))]
pub(super) async fn put(
    app: web::Data<App>,
    guard: Guard<MayKeepViews>,
    name: web::Path<String>,
    body: web::Json<ViewToKeep>,
) -> Answer {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > limits::NAME_CHARS_MAX {
        let title = format!("a view needs a name of at most {} characters", limits::NAME_CHARS_MAX);
        return Err(Failure::new(ErrorCode::BadRequest, title).field("view"));
    }
    let ViewToKeep { report, query, everybody } = body.into_inner();
    check_size(&query, "query")?;
    if report.len() > limits::REPORT_QUERY_BYTES_MAX {
        return Err(Failure::new(ErrorCode::BadRequest, "no report has so long a name").field("report"));
    }
    let owner = guard.caller.user.clone();
    let mut conn = app.store.write().await?;
    let views = store::report_view::list(&mut conn).await?;
    let is_new = !views.iter().any(|view| view.owner == owner && view.name == name);
    if is_new && views.iter().filter(|view| view.owner == owner).count() >= limits::REPORT_VIEWS_EACH_MAX {
        let title = format!("{owner} has {} views; forget some first", limits::REPORT_VIEWS_EACH_MAX);
        return Err(Failure::new(ErrorCode::TooMany, title));
    }
    let view = ViewRow { owner, name: name.to_owned(), shown: Shown { report, query, everybody } };
    store::report_view::put(&mut conn, &view).await?;
    conn.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Forgets a view of one's own.
#[utoipa::path(delete, path = "/api/v1/report-views/{view}", tag = "reports", params(("view" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn delete(
    app: web::Data<App>,
    guard: Guard<MayKeepViews>,
    name: web::Path<String>,
) -> Answer {
    let mut conn = app.store.write().await?;
    // As it was kept.
    let name = name.trim();
    if !store::report_view::delete(&mut conn, &guard.caller.user, name).await? {
        return Err(Failure::not_found(format!("view `{name}` of {}", guard.caller.user)));
    }
    conn.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}
