//! The engine's face to people and programs: `/api/v1`, and the pages.
//!
//! One file per noun. Each handler says in its signature who may call it ([`crate::auth::Guard`]), and answers failures
//! as problem documents ([`Failure`]). The routes of a noun stand at the top of its file.

mod attempt;
mod audit;
mod authority;
mod binding;
mod blob;
mod body;
mod calendar;
mod calendar_feed;
mod console;
mod engine;
mod ep;
mod event;
mod feed;
mod follow;
mod gate;
mod globals;
pub(crate) mod health;
mod job;
mod lab_db;
mod lab_file;
mod lab_report;
mod lease;
mod lease_story;
mod live;
mod log;
mod log_growth;
mod log_lines;
mod log_search;
mod log_stamp;
mod login;
mod mail;
mod notice;
mod openapi;
mod page;
mod params;
mod power;
mod project;
mod project_edit;
mod project_file;
mod project_result;
mod question;
mod report;
mod report_view;
mod resource;
mod resource_edit;
mod resource_file;
mod resource_find;
pub(crate) mod resource_health;
mod resource_history;
mod retention;
mod run;
mod run_control;
mod run_delete;
mod run_plan;
mod session;
mod setting;
mod setting_file;
mod share;
mod shared;
mod suite;
mod sut;
mod test;
mod test_config;
mod test_file;
mod test_history;
mod test_text;
mod token;
mod user;
mod webhook;

use actix_web::web;

use crate::{
    auth,
    failure::{self, Failure},
    limits,
};

/// A handler's answer.
pub(crate) type Answer = Result<actix_web::HttpResponse, Failure>;

/// All routes but the EPs' link.
pub fn configure(config: &mut web::ServiceConfig) {
    let json = body::json(limits::JSON_BYTES_MAX);
    let query = web::QueryConfig::default().error_handler(|error, _| Failure::from_query(&error).into());
    let path = web::PathConfig::default().error_handler(|error, _| Failure::from_path(&error).into());
    config.app_data(json).app_data(query).app_data(path).service(
        web::scope("/api/v1")
            .wrap(actix_web::middleware::from_fn(auth::identify))
            .wrap(actix_web::middleware::from_fn(gate::keep))
            .configure(routes_of_runs)
            .configure(routes_of_the_lab)
            .default_service(web::to(failure::no_such_address)),
    );
    config
        .configure(openapi::routes)
        .configure(health::routes)
        .configure(authority::routes)
        .configure(page::routes);
}

/// Runs, what comes of them, and who is told.
fn routes_of_runs(config: &mut web::ServiceConfig) {
    config
        .configure(login::routes)
        .configure(run::routes)
        .configure(run_control::routes)
        .configure(run_delete::routes)
        .configure(retention::routes)
        .configure(job::routes)
        .configure(report::routes)
        .configure(lab_report::routes)
        .configure(report_view::routes)
        .configure(share::routes)
        .configure(shared::routes)
        .configure(lab_db::routes)
        .configure(mail::routes)
        .configure(webhook::routes)
        .configure(test::routes)
        .configure(event::routes)
        .configure(live::routes)
        .configure(feed::routes)
        .configure(follow::routes)
        .configure(lease::routes)
        .configure(lease_story::routes)
        .configure(calendar::routes)
        .configure(calendar_feed::routes)
        .configure(notice::routes)
        .configure(question::routes)
        .configure(log::routes)
        .configure(log_lines::routes)
        .configure(log_search::routes)
        .configure(log_growth::routes)
        .configure(attempt::routes)
        .configure(blob::routes);
}

/// EPs, devices, files and people.
fn routes_of_the_lab(config: &mut web::ServiceConfig) {
    config
        .configure(ep::routes)
        .configure(engine::routes)
        .configure(console::routes)
        .configure(resource::routes)
        .configure(resource_find::routes)
        .configure(resource_edit::routes)
        .configure(resource_history::routes)
        .configure(resource_file::routes)
        .configure(resource_health::routes)
        .configure(power::routes)
        .configure(sut::routes)
        .configure(project::routes)
        .configure(project_result::routes)
        .configure(suite::routes)
        .configure(test_file::routes)
        .configure(test_text::routes)
        .configure(test_history::routes)
        .configure(test_config::routes)
        .configure(binding::routes)
        .configure(globals::routes)
        .configure(user::routes)
        .configure(token::routes)
        .configure(session::routes)
        .configure(setting::routes)
        .configure(setting_file::routes)
        .configure(audit::routes);
}

#[cfg(test)]
mod tests;
