//! Test configurations of the lab folder: which there are, who uses them, and editing them.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use jackfield_config::{InRoom, Lab, test_config::TestConfig};
use jackfield_protocol::{api::Page, error::Severity};
use serde::{Deserialize, Serialize};

use super::{
    Answer,
    lab_file::{self, Kind, Part, Seen, WRITING, shown_place},
    params::{self, Draft, EditedValues, PutValues, ValueChange, ValuesText},
    project::{cancelled, outlines_with},
};
use crate::{
    app::App,
    auth::{Guard, MayChangeProjects, MayReadProjects},
    failure::Failure,
};

static CONFIG: Kind = Kind {
    noun: "test configuration",
    field: "config",
    content_type: "application/xml",
    bytes_max: usize::MAX,
    file: Lab::test_config_file,
    place: Lab::test_config_place,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/test-configs", web::get().to(list))
        .route("/test-configs/edit", web::post().to(edit))
        .route("/test-configs/{config:.+}", web::get().to(read))
        .route("/test-configs/{config:.+}", web::put().to(put))
        .route("/test-configs/{config:.+}", web::delete().to(delete));
}

/// A test configuration in the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TestConfigRow {
    /// Its name, as projects give it.
    name: String,
    /// The file, below the lab folder.
    file: String,
    /// How many iterators it has.
    iterators: usize,
    /// How many copies they make of a test, all taken together.
    copies: u64,
    /// How many errors it has.
    errors: usize,
    /// The projects that name it, with how often.
    used_by: BTreeMap<String, usize>,
}

/// A test configuration to edit.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditTestConfig {
    /// Its name.
    config: String,
    /// The text of the draft; without it, that of its file.
    #[serde(default)]
    xml: Option<String>,
    /// What to change, one after the other; all of it or nothing.
    #[serde(default)]
    changes: Vec<ValueChange>,
}

/// All test configurations, with the projects that use them.
#[utoipa::path(get, path = "/api/v1/test-configs", tag = "values", responses((status = 200, body = Page<TestConfigRow>)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<MayReadProjects>) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let items = web::block(move || rows(&lab)).await.map_err(cancelled)?;
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

fn rows(lab: &Lab) -> Vec<TestConfigRow> {
    let mut used = users(lab);
    let row = |(name, file): (String, InRoom)| {
        let (config, errors) = match lab.test_config(&name) {
            Ok(read) => {
                let errors = read.problems.iter().filter(|problem| problem.severity == Severity::Error);
                (read.value, errors.count())
            }
            // It went since it was found.
            Err(_) => (None, 1),
        };
        TestConfigRow {
            file: shown_place(lab, file.path()),
            iterators: config.as_ref().map_or(0, |config| config.iterators.len()),
            copies: config.as_ref().map_or(1, TestConfig::copies),
            errors,
            used_by: used.remove(&name).unwrap_or_default(),
            name,
        }
    };
    lab.test_configs().into_iter().map(row).collect()
}

/// How often each test configuration is named, by project.
fn users(lab: &Lab) -> BTreeMap<String, BTreeMap<String, usize>> {
    let mut used: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for (project, items) in outlines_with(lab, "<Config") {
        for config in items.into_iter().flat_map(|item| item.configs) {
            let name = config.name.trim_start_matches('/').trim_end_matches(".xml").to_owned();
            let count = used.entry(name).or_default().entry(project.clone()).or_default();
            *count = count.saturating_add(1);
        }
    }
    used
}

/// Changes the draft of a test configuration, or opens one; of one that is not there, an empty one. Nothing is written.
#[utoipa::path(post, path = "/api/v1/test-configs/edit", tag = "values", request_body = EditTestConfig,
    responses((status = 200, body = EditedValues), (status = 422)))]
pub(super) async fn edit(
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    body: web::Json<EditTestConfig>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let EditTestConfig { config, xml, changes } = body.into_inner();
    let edited = web::block(move || {
        let place = CONFIG.place_of(&lab, &config)?;
        let there = CONFIG.there(&lab, &config)?;
        let file = shown_place(&lab, &place);
        params::edited(Draft { file, name: config, there, xml, iterates: true }, changes)
    });
    Ok(HttpResponse::Ok().json(edited.await.map_err(cancelled)??))
}

/// The text of a test configuration. Its version is in `ETag`; with `If-None-Match` it is sent only if it is another one.
#[utoipa::path(get, path = "/api/v1/test-configs/{config}", tag = "values", params(("config" = String, Path)),
    responses((status = 200, content_type = "application/xml", body = String), (status = 304), (status = 404)))]
pub(super) async fn read(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    config: web::Path<String>,
) -> Answer {
    CONFIG.read(&request, &app, &guard.caller, config.into_inner()).await
}

/// Puts a test configuration into the lab folder; one with errors is refused whole, unless it says that it is unfinished.
/// `If-Match` takes the version that was read, `If-None-Match: *` says that it must be new.
#[utoipa::path(put, path = "/api/v1/test-configs/{config}", tag = "values", params(("config" = String, Path)),
    request_body = ValuesText, responses((status = 200, body = PutValues), (status = 409), (status = 412), (status = 422)))]
pub(super) async fn put(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayChangeProjects>,
    config: web::Path<String>,
    body: web::Json<ValuesText>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let (seen, text, name) = (Seen::of(&request), body.into_inner(), config.into_inner());
    let _writing = WRITING.lock().await;
    let asked = name.clone();
    let written = web::block(move || {
        let place = CONFIG.place_of(&lab, &asked)?;
        let there = CONFIG.there(&lab, &asked)?;
        seen.check(&CONFIG.called(&asked), there.as_deref())?;
        let answer = params::accepted(&lab, &place, &asked, &text, true)?;
        Ok::<_, Failure>((answer, Part::write(place, &text.xml, there.is_none(), CONFIG.called(&asked))?))
    });
    let (answer, part): (PutValues, Part) = written.await.map_err(cancelled)??;
    part.put(&app, &guard.caller, ("test-config.put", &name)).await?;
    Ok(lab_file::written(&answer.version, &answer))
}

/// Deletes a test configuration. `If-Match` takes the version that was read.
#[utoipa::path(delete, path = "/api/v1/test-configs/{config}", tag = "values", params(("config" = String, Path)),
    responses((status = 204), (status = 404), (status = 412)))]
pub(super) async fn delete(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayChangeProjects>,
    config: web::Path<String>,
) -> Answer {
    CONFIG.delete(&request, &app, &guard.caller, ("test-config.delete", &config)).await
}
