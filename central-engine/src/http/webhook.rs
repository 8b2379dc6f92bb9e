//! The webhooks of the lab: which there are, what one would be told of a run, and a test of one.

use actix_web::{HttpResponse, web};
use jackfield_config::webhooks::Webhook;
use jackfield_protocol::{error::ErrorCode, id::RunId};
use serde::Serialize;

use super::{Answer, run};
use crate::{
    app::App,
    auth::{Guard, MayOperate, MayRead, SeesRun},
    failure::Failure,
    jobs::webhook,
    store,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/webhooks", web::get().to(list))
        .route("/webhooks/{webhook}/test", web::post().to(test))
        .route("/runs/{run}/webhooks/{webhook}", web::get().to(preview));
}

/// A webhook. Its address stays with the engine: whoever knows it can write there.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct WebhookView {
    /// Its name.
    name: String,
    /// `json`, `slack`, `teams` or `mattermost`.
    format: &'static str,
    /// Whether what it is told is signed.
    signed: bool,
    /// Of which runs it hears.
    of: String,
}

impl From<&Webhook> for WebhookView {
    fn from(webhook: &Webhook) -> Self {
        Self {
            name: webhook.name.clone(),
            format: webhook.format.as_str(),
            signed: webhook.secret.is_some(),
            of: webhook.of.told(),
        }
    }
}

/// A webhook that took a test.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct WebhookTested {
    /// Its name.
    webhook: String,
}

/// The webhooks of `webhooks.toml`.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "engine",
    responses((status = 200, body = Vec<WebhookView>), (status = 422)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<MayRead>) -> Answer {
    let read = webhook::read(&app, &guard.caller.user).await.map_err(unusable)?;
    let webhooks = read.map_err(unusable)?.unwrap_or_default();
    let views: Vec<WebhookView> = webhooks.webhooks.iter().map(WebhookView::from).collect();
    Ok(HttpResponse::Ok().json(views))
}

/// Calls a webhook with a message that says that it arrives.
#[utoipa::path(post, path = "/api/v1/webhooks/{webhook}/test", tag = "engine", params(("webhook" = String, Path)),
    responses((status = 200, body = WebhookTested), (status = 422)))]
pub(super) async fn test(app: web::Data<App>, guard: Guard<MayOperate>, name: web::Path<String>) -> Answer {
    webhook::test(&app, &guard.caller.user, &name).await.map_err(unusable)?;
    Ok(HttpResponse::Ok().json(WebhookTested { webhook: name.into_inner() }))
}

/// What a webhook would be told of a run now.
#[utoipa::path(get, path = "/api/v1/runs/{run}/webhooks/{webhook}", tag = "runs",
    params(("run" = RunId, Path), ("webhook" = String, Path)),
    responses((status = 200, body = Object), (status = 404), (status = 422)))]
pub(super) async fn preview(app: web::Data<App>, _: SeesRun, path: web::Path<(RunId, String)>) -> Answer {
    let (id, name) = path.into_inner();
    store::run::row(&mut app.store.read().await?, id).await?.ok_or_else(|| run::no_run(id))?;
    let body = webhook::preview(&app, id, &name).await.map_err(unusable)?;
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}

fn unusable(error: anyhow::Error) -> Failure {
    Failure::new(ErrorCode::BadFile, format!("{error:#}"))
}
