//! The mail of a run as it would be sent, and a test of the lab's mail server.

use actix_web::{HttpResponse, http::header, web};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jackfield_protocol::{error::ErrorCode, id::RunId};
use jackfield_reporting::mail::Picture;
use serde::{Deserialize, Serialize};

use super::{Answer, run};
use crate::{
    app::App,
    auth::{Guard, MayOperate, SeesRun},
    failure::Failure,
    jobs::mail,
    store,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/runs/{run}/mail", web::get().to(preview))
        .route("/runs/{run}/mail.html", web::get().to(as_page))
        .route("/mail/test", web::post().to(test));
}

/// The mail of a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MailView {
    /// Who gets it: the first is To, the others get copies; nobody where no rule wants it.
    to: Vec<String>,
    /// Who sends it.
    from: String,
    /// One line.
    subject: String,
    /// The plain part.
    text: String,
    /// The HTML part.
    html: String,
}

/// Where a test mail goes.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(super) struct TestMail {
    /// An address; none: everybody that `email.xml` names.
    to: Option<String>,
}

/// Who got a test mail.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TestMailSent {
    /// Addresses that the mail server took.
    to: Vec<String>,
}

/// The mail of a run as it would be sent now.
#[utoipa::path(get, path = "/api/v1/runs/{run}/mail", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, body = MailView), (status = 404), (status = 422)))]
pub(super) async fn preview(app: web::Data<App>, _: SeesRun, id: web::Path<RunId>) -> Answer {
    store::run::row(&mut app.store.read().await?, *id).await?.ok_or_else(|| run::no_run(*id))?;
    let mail = mail::preview(&app, *id).await.map_err(unusable)?;
    let view = mail.map(|mail| MailView {
        to: [&mail.to].into_iter().chain(&mail.cc).map(ToString::to_string).collect(),
        from: mail.from.to_string(),
        subject: mail.subject,
        text: mail.text,
        html: with_pictures(&mail.html, &mail.pictures),
    });
    let nobody = || MailView {
        to: Vec::new(),
        from: String::new(),
        subject: String::new(),
        text: String::new(),
        html: String::new(),
    };
    Ok(HttpResponse::Ok().json(view.unwrap_or_else(nobody)))
}

/// The HTML part of the mail of a run, as a page of its own.
#[utoipa::path(get, path = "/api/v1/runs/{run}/mail.html", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, content_type = "text/html", body = String), (status = 404), (status = 422)))]
pub(super) async fn as_page(app: web::Data<App>, _: SeesRun, id: web::Path<RunId>) -> Answer {
    store::run::row(&mut app.store.read().await?, *id).await?.ok_or_else(|| run::no_run(*id))?;
    let mail = mail::preview(&app, *id).await.map_err(unusable)?;
    let mail =
        mail.ok_or_else(|| Failure::not_found(format!("mail of run {id}: no rule sends it to anybody")))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, super::gate::REPORT_POLICY))
        .body(with_pictures(&mail.html, &mail.pictures)))
}

/// The HTML part for a browser, which has no parts beside it: pictures stand in it.
fn with_pictures(html: &str, pictures: &[Picture]) -> String {
    let inline = |html: String, picture: &Picture| {
        let png = STANDARD.encode(&picture.png);
        html.replace(&format!("cid:{}", picture.name), &format!("data:image/png;base64,{png}"))
    };
    pictures.iter().fold(html.to_owned(), inline)
}

/// Sends a test mail by the lab's server, also where mail is not enabled.
#[utoipa::path(post, path = "/api/v1/mail/test", tag = "engine", request_body = TestMail,
    responses((status = 200, body = TestMailSent), (status = 422)))]
pub(super) async fn test(
    app: web::Data<App>,
    guard: Guard<MayOperate>,
    body: Option<web::Json<TestMail>>,
) -> Answer {
    let TestMail { to } = body.map(web::Json::into_inner).unwrap_or_default();
    let to = mail::test(&app, &guard.caller.user, to.as_deref()).await.map_err(unusable)?;
    Ok(HttpResponse::Ok().json(TestMailSent { to }))
}

fn unusable(error: anyhow::Error) -> Failure {
    Failure::new(ErrorCode::BadFile, format!("{error:#}"))
}
