//! What edits did to the tree, and taking one back.

use actix_web::{HttpRequest, HttpResponse, web};
use jackfield_protocol::{api::Page, error::ErrorCode, id::UserName, time::Time};
use jackfield_resource_allocator::plan::{Changed, Deed, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Answer,
    body::PageQuery,
    resource::{Edited, make},
};
use crate::{
    app::App,
    auth::{Guard, MayEditBench, MayReadBench},
    failure::Failure,
    lab::{resources::Change, veil},
    limits,
    store::{self, edit::EditRow},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/resources/history", web::get().to(list)).route("/resources/undo", web::post().to(undo));
}

/// Which edits.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Only edits of this resource, as it is called now, and of what is below it: a path.
    resource: Option<String>,
    /// Only edits of this person.
    user: Option<UserName>,
    /// What the page before gave as `next`.
    after: Option<String>,
    /// How many; at most 1,000.
    limit: Option<u32>,
}

/// An edit of the tree.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ResourceEditView {
    /// The version of the tree that it led to: its number.
    version: u64,
    /// When.
    #[schema(value_type = String)]
    at: Time,
    /// Who.
    who: String,
    /// What was done: `resource.set`.
    action: String,
    /// The version of the edit that took it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone: Option<u64>,
    /// Whether it can be taken back, if nobody touched the same since.
    can_undo: bool,
    /// How many resources it was about.
    count: usize,
    /// What it did, resource by resource; of many, the first.
    steps: Vec<ResourceStep>,
}

/// What becomes of a resource.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ResourceStep {
    /// Where it is afterwards, or was.
    path: String,
    /// `create`, `change`, `move` or `delete`.
    #[serde(rename = "do")]
    deed: &'static str,
    /// Where it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// Its properties that change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<PropertyStep>,
}

/// A property before and after.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PropertyStep {
    /// Which.
    key: String,
    /// Its value before; none: there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// Its value after; none: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

impl ResourceStep {
    /// As somebody may see it.
    pub(super) fn of(step: Step, sees: bool) -> Self {
        let Step { path, deed, properties } = step;
        let (deed, from) = match deed {
            Deed::Create => ("create", None),
            Deed::Change => ("change", None),
            Deed::Move { from } => ("move", Some(from)),
            Deed::Delete => ("delete", None),
        };
        let properties = properties.into_iter().map(|Changed { key, mut before, mut after }| {
            if !sees {
                before.iter_mut().chain(&mut after).for_each(|value| veil::property(&key, value));
            }
            PropertyStep { key, before, after }
        });
        Self { path, deed, from, properties: properties.collect() }
    }
}

/// An edit to take back.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UndoResourceEdit {
    /// The version that it led to; the newest of one's own that is not taken back, where it is not given.
    version: Option<u64>,
}

/// Who changed what in the tree, newest first.
#[utoipa::path(get, path = "/api/v1/resources/history", tag = "resources", params(HistoryQuery),
    responses((status = 200, body = Page<ResourceEditView>)))]
pub(super) async fn list(
    app: web::Data<App>,
    guard: Guard<MayReadBench>,
    query: web::Query<HistoryQuery>,
) -> Answer {
    let HistoryQuery { resource, user, after, limit } = query.into_inner();
    let page = PageQuery { after, limit };
    let (mut before, limit) = (page.after()?, usize::try_from(page.limit()).unwrap_or(usize::MAX));
    let sees = veil::may_see(&guard.caller);
    let path = resource.map(|path| format!("/{}", path.trim_matches('/')));
    let is_meant = |row: &EditRow| {
        let is_theirs = user.as_ref().is_none_or(|user| user.as_str() == row.who);
        is_theirs && path.as_ref().is_none_or(|path| row.edit.steps.iter().any(|step| is_about(step, path)))
    };
    let mut items = Vec::new();
    let mut conn = app.store.read().await?;
    let next = loop {
        let rows = store::edit::list(&mut conn, before, limits::PAGE_DEFAULT).await?;
        let Some(last) = rows.last().map(|row| row.version) else { break None };
        before = Some(last);
        let mut found = rows.into_iter().filter(&is_meant).map(|row| view(row, sees));
        items.extend(found.by_ref().take(limit.saturating_sub(items.len())));
        if items.len() >= limit {
            break items.last().map(|item: &ResourceEditView| item.version.to_string());
        }
    };
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

fn is_about(step: &Step, path: &str) -> bool {
    let is_in = |other: &str| {
        path == "/" || other == path || other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
    };
    let from = match &step.deed {
        Deed::Move { from } => Some(from),
        Deed::Create | Deed::Change | Deed::Delete => None,
    };
    is_in(&step.path) || from.is_some_and(|from| is_in(from))
}

fn view(row: EditRow, sees: bool) -> ResourceEditView {
    let EditRow { version, at, who, action, undone, edit } = row;
    let steps = edit.steps.into_iter().map(|step| ResourceStep::of(step, sees)).collect();
    let can_undo = edit.undo.is_some() && undone.is_none();
    ResourceEditView { version, at, who, action, undone, can_undo, count: edit.count, steps }
}

/// Takes an edit back, which is an edit of its own and can be taken back. Refused with `changed` where somebody changed the same since.
#[utoipa::path(post, path = "/api/v1/resources/undo", tag = "resources", request_body = UndoResourceEdit,
    responses((status = 200, body = Edited), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn undo(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditBench>,
    body: web::Json<UndoResourceEdit>,
) -> Answer {
    let who = &guard.caller.user;
    let mut conn = app.store.read().await?;
    let row = match body.version {
        Some(version) => store::edit::find(&mut conn, version).await?.ok_or_else(|| {
            let title = format!("no edit led to version {version}, or it is forgotten; `jackfield resource history` lists them");
            Failure::new(ErrorCode::NotFound, title).field("version")
        })?,
        None => store::edit::newest_of(&mut conn, who.as_str()).await?.ok_or_else(|| {
            let title = format!("{who} has made no edit that could be undone; say which one by its version");
            Failure::new(ErrorCode::NotFound, title).field("version")
        })?,
    };
    drop(conn);
    let Some((edit, inverse)) = row.edit.undo else {
        let title =
            format!("the edit of version {} was too large to be kept with all that it changed", row.version);
        return Err(Failure::new(ErrorCode::TooLarge, title).field("version"));
    };
    let change = Change::Undo { version: row.version, edit: Box::new(edit), inverse: Box::new(inverse) };
    make(&request, &app, &guard.caller, change).await
}
