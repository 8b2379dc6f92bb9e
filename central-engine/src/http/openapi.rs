//! The OpenAPI document: what `/api/v1` takes and answers, made from the handlers themselves.

use actix_web::{HttpResponse, web};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, Ref, RefOr, ResponseBuilder,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    Answer, attempt, audit, authority, binding, blob, calendar, calendar_feed, console, engine, ep, event,
    feed, follow, globals, health, job, lab_db, lab_report, lease, lease_story, live, log, log_growth,
    log_lines, log_search, login, mail, notice, power, project, project_edit, project_file, project_result,
    question, report, report_view, resource, resource_edit, resource_file, resource_find, resource_health,
    resource_history, retention, run, run_control, run_delete, run_plan, session, setting, setting_file,
    share, shared, suite, sut, test, test_config, test_file, test_history, test_text, token, user, webhook,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    let resource = web::resource("/api/openapi.json").wrap(actix_web::middleware::from_fn(super::gate::keep));
    config.service(resource.route(web::get().to(document)));
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Jackfield", description = "The HTTP interface of the Central Engine. Errors are problem documents (RFC 9457): compare `code`, read `title`."),
    modifiers(&LogIns, &OperationNames, &Refusals),
    security(("token" = []), ("session" = [])),
    components(schemas(
        jackfield_protocol::error::Problem, jackfield_protocol::api::RunSnapshot, jackfield_protocol::log::Stream,
        log_search::Find, feed::FeedHello, crate::feed::Edition, crate::feed::Deleted,
        crate::feed::FileChanged,
    )),
    paths(
        login::log_in, login::log_out, login::me, login::change_password,
        run::list, run::start, run::show, run_plan::plan, run::outline, run::why, job::list, job::retry, job::of_run,
        run_control::pause, run_control::resume, run_control::stop, run_control::run_again, run_control::queue,
        run_control::dequeue, run_control::save, run_delete::delete,
        retention::show, retention::prune, retention::keep,
        report::as_junit, report::as_html, report::as_csv, report::as_json, report::as_tap, report::as_text,
        mail::preview, mail::as_page, mail::test, webhook::list, webhook::test, webhook::preview,
        lab_report::list, lab_report::show, lab_report::rows, lab_report::count, lab_report::chart, lab_report::drawing, lab_report::whole,
        share::list, share::create, share::revoke, report_view::list, report_view::put, report_view::delete, lab_db::try_all,
        shared::show, shared::rows, shared::count, shared::chart, shared::drawing, shared::whole,
        test::list, test::show, event::list, live::live, feed::live, follow::follow, lease::list, lease::take, lease::forecast, lease::show, lease::beat, lease::accept, lease::extend, lease::release, lease::force,
        lease::allow, lease::transfer, calendar::list, calendar::book, calendar::check, calendar::move_to, calendar::cancel, calendar_feed::list, calendar_feed::create, calendar_feed::revoke, calendar_feed::read, lease_story::story, lease_story::people, notice::list, question::all, question::list, question::answer,
        attempt::show, log::read, log_lines::lines, log_search::search, log_growth::growth, blob::fetch, blob::put,
        ep::list, ep::show, ep::modules, ep::drain, console::open, console::list,
        resource::get, resource_find::find, resource::set, resource::rename, resource::delete, resource::tree, resource::uses, resource_edit::together, resource_edit::carry, resource_edit::copy, resource_history::list, resource_history::undo, resource_file::plan, resource_file::apply, resource_file::export, resource_health::list, resource_health::judge, power::status, power::switch,
        sut::list, sut::show, sut::put, sut::delete,
        project::list, project::check, project_edit::edit, project_file::read, project_file::put, project_file::rename,
        project_file::delete, project_result::list, project_result::durations, suite::list, suite::read, suite::put, suite::delete, test_file::list, test_file::show, test_file::find, test_file::results,
        test_text::read, test_text::put, test_text::delete, test_history::history, test_history::version,
        test_config::list, test_config::edit, test_config::read, test_config::put, test_config::delete,
        project_edit::edit_since, binding::edit, binding::read, binding::put,
        globals::edit, globals::read, globals::put, globals::set_by_tests, globals::forget,
        user::list, user::create, user::change, user::set_password, user::delete,
        user::groups, user::put_group, user::delete_group, user::roles, audit::list,
        token::list, token::create, token::revoke,
        health::health, health::metrics, authority::authority, engine::show, engine::log, session::list, session::end,
        setting_file::edit, setting_file::read, setting_file::put, setting::list, setting::check_database, setting::panic_patterns,
    )
)]
struct Document;

/// The two ways to say who one is.
struct LogIns;

impl Modify for LogIns {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(crate::auth::COOKIE));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// Handlers have short names; in the document each operation needs one of its own: `get_runs_run_tests`.
struct OperationNames;

impl Modify for OperationNames {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let path = path.trim_start_matches("/api/v1").replace(['{', '}'], "").replace(['/', '.'], "_");
            let methods = [
                ("get", &mut item.get),
                ("put", &mut item.put),
                ("post", &mut item.post),
                ("delete", &mut item.delete),
            ];
            for (method, operation) in methods {
                if let Some(operation) = operation {
                    operation.operation_id = Some(format!("{method}{path}"));
                }
            }
        }
    }
}

/// What every handler may answer before it begins: nobody is there, or not the right one, or the request cannot be read.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let is_open = !path.starts_with("/api/v1/")
                || path.ends_with("/login")
                || path.starts_with("/api/v1/shared/");
            let methods = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
            for operation in methods.into_iter().flatten() {
                let reads = operation.request_body.is_some() || operation.parameters.is_some();
                if is_open {
                    operation.security = Some(vec![SecurityRequirement::default()]);
                }
                let refusals = [
                    ("400", "the request cannot be read", reads),
                    ("401", "no log-in, session or token, or one that has ended", !is_open),
                    ("403", "the caller may not do this", !is_open),
                    ("404", "there is nothing at this address", path.contains('{')),
                ];
                for (status, description, applies) in refusals {
                    if applies && !operation.responses.responses.contains_key(status) {
                        let response = ResponseBuilder::new().description(description).build();
                        operation.responses.responses.insert(status.to_owned(), response.into());
                    }
                }
                for (_, response) in
                    operation.responses.responses.iter_mut().filter(|(status, _)| is_refusal(status))
                {
                    let problem = RefOr::T(Content::new(Some(Ref::from_schema_name("Problem"))));
                    if let RefOr::T(response) = response
                        && response.content.values().all(|content| *content == problem)
                    {
                        response.content = [("application/problem+json".to_owned(), problem)].into();
                    }
                }
            }
        }
    }
}

fn is_refusal(status: &str) -> bool {
    status.starts_with(['4', '5'])
}

/// This document.
async fn document() -> Answer {
    std::future::ready(Ok(HttpResponse::Ok().json(Document::openapi()))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_a_promise() {
        insta::assert_json_snapshot!(Document::openapi());
    }

    #[test]
    fn what_the_document_refers_to_is_in_it() {
        let document = Document::openapi();
        let schemas = document.components.as_ref().unwrap().schemas.keys();
        let known: std::collections::BTreeSet<&str> = schemas.map(String::as_str).collect();
        let text = document.to_json().unwrap();
        let referred = text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
        let missing: Vec<&str> = referred.filter(|name| !known.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let text = Document::openapi().to_json().unwrap();
        let names: Vec<&str> =
            text.split("\"operationId\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let different: std::collections::BTreeSet<&str> = names.iter().copied().collect();
        assert!(names.len() > 50);
        assert_eq!(different.len(), names.len());
    }
}
