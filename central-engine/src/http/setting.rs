//! The lab's settings in one place: which files they are, what is wrong with each, and tries that tell the true answer. Nothing of what stands in
//! them is told: they hold passwords.

use std::path::{Path, PathBuf};

use actix_web::{HttpResponse, web};
use jackfield_config::{
    Lab,
    panic::PanicPattern,
    problem::has_errors,
    profile::{read_profiles, shipped},
};
use jackfield_protocol::{api::Page, error::FileProblem};
use serde::Serialize;

use super::{Answer, lab_db, lab_file::shown_place, project::cancelled};
use crate::{
    app::App,
    auth::{Guard, MayOperate, MaySeeSettings},
    lab_db::check::Checked,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/settings", web::get().to(list))
        .route("/settings/database/check", web::post().to(check_database))
        .route("/settings/panic-patterns", web::get().to(panic_patterns));
}

/// What a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum SettingKind {
    Engine,
    Database,
    Mail,
    MailRules,
    Webhooks,
    PanicPatterns,
    Globals,
    Bindings,
    Profiles,
    Templates,
}

/// Files of settings of one kind.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Setting {
    /// What it is about.
    kind: SettingKind,
    /// The file or folder, below the lab folder; where there is none, where it would be.
    file: String,
    /// Whether it is there.
    exists: bool,
    /// How many there are, of what is a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    /// Their file names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    /// Everything that is wrong.
    problems: Vec<FileProblem>,
}

/// What a database said of the statements of `db.xml`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DatabaseChecked {
    /// The databases, without their passwords; none where the file names none.
    database: Option<String>,
    /// How many statements and queries it has looked at.
    tried: usize,
    /// Whether all of them can be used.
    good: bool,
    /// Everything that is wrong.
    problems: Vec<FileProblem>,
}

/// An expression that ends a test when its output matches.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PanicView {
    /// Its name in the file.
    id: String,
    /// The regular expression.
    expression: String,
    /// Whether it counts.
    enabled: bool,
}

/// The files of settings that the caller's runs go by, with what is wrong in each.
#[utoipa::path(get, path = "/api/v1/settings", tag = "engine", responses((status = 200, body = Page<Setting>)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<MaySeeSettings>) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let items = web::block(move || settings(&lab)).await.map_err(cancelled)?;
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

fn settings(lab: &Lab) -> Vec<Setting> {
    let layout = lab.layout();
    let one = |kind: SettingKind, places: &[PathBuf], problems: Option<Vec<FileProblem>>| {
        let there = places.iter().find(|place| place.is_file());
        let file = there.or(places.last()).map(|place| shown_place(lab, place)).unwrap_or_default();
        let problems = problems.unwrap_or_default().into_iter().map(|problem| below(lab, problem)).collect();
        Setting { kind, file, exists: there.is_some(), count: None, names: Vec::new(), problems }
    };
    let user = lab.user().cloned();
    vec![
        one(SettingKind::Engine, &layout.engine, Some(lab.engine_settings().problems)),
        one(SettingKind::Database, &layout.db, lab.databases().map(|databases| databases.problems)),
        one(SettingKind::Mail, &layout.email, lab.email().map(|read| read.problems)),
        one(SettingKind::MailRules, &layout.mail_rules, lab.mail_rules().map(|read| read.problems)),
        one(SettingKind::Webhooks, &layout.webhooks, lab.webhooks().map(|read| read.problems)),
        one(
            SettingKind::PanicPatterns,
            &layout.panic_patterns,
            lab.panic_patterns(user.as_ref()).map(|read| read.problems),
        ),
        one(SettingKind::Globals, &layout.globals, lab.globals().map(|read| read.problems)),
        one(SettingKind::Bindings, &layout.bindings, lab.bindings().map(|read| read.problems)),
        profiles(lab),
        templates(lab),
    ]
}

fn profiles(lab: &Lab) -> Setting {
    let mut problems = Vec::new();
    let mut texts = Vec::new();
    let profiles = lab.profiles();
    let names: Vec<String> = profiles.keys().cloned().collect();
    for (file, read) in profiles {
        match read {
            Ok(text) => texts.push((file, text)),
            Err(problem) => problems.push(*problem),
        }
    }
    problems.extend(read_profiles(&texts, &shipped::texts()).1);
    folder(lab, SettingKind::Profiles, &lab.layout().profiles, names, problems)
}

fn templates(lab: &Lab) -> Setting {
    let (templates, problems) = lab.templates();
    folder(lab, SettingKind::Templates, &lab.layout().templates, templates.into_keys().collect(), problems)
}

fn folder(
    lab: &Lab,
    kind: SettingKind,
    places: &[PathBuf],
    names: Vec<String>,
    problems: Vec<FileProblem>,
) -> Setting {
    let file = places.last().map(|place| format!("{}/", shown_place(lab, place))).unwrap_or_default();
    let problems = problems.into_iter().map(|problem| below(lab, problem)).collect();
    Setting { kind, file, exists: !names.is_empty(), count: Some(names.len()), names, problems }
}

/// The file of a problem as people know it.
fn below(lab: &Lab, problem: FileProblem) -> FileProblem {
    FileProblem { file: shown_place(lab, Path::new(&problem.file)), ..problem }
}

/// Has the database of the caller's `db.xml` look at every statement and query of it; nothing is executed.
#[utoipa::path(post, path = "/api/v1/settings/database/check", tag = "engine",
    responses((status = 200, body = DatabaseChecked)))]
pub(super) async fn check_database(app: web::Data<App>, guard: Guard<MayOperate>) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let file = lab.layout().db.iter().find(|place| place.is_file()).cloned();
    let Checked { database, tried, problems } = match file {
        Some(file) => lab_db::look(&app, file).await?,
        None => Checked { database: None, tried: 0, problems: Vec::new() },
    };
    let good = !has_errors(&problems) && tried > 0;
    let problems = problems.into_iter().map(|problem| below(&lab, problem)).collect();
    Ok(HttpResponse::Ok().json(DatabaseChecked { database, tried, good, problems }))
}

/// The caller's panic patterns: each can be searched for in any stored log.
#[utoipa::path(get, path = "/api/v1/settings/panic-patterns", tag = "engine",
    responses((status = 200, body = Page<PanicView>)))]
pub(super) async fn panic_patterns(app: web::Data<App>, guard: Guard<MayOperate>) -> Answer {
    let user = guard.caller.user;
    let lab = app.lab.as_user(&user);
    let read = web::block(move || {
        let mut patterns = lab.panic_patterns(Some(&user))?.value?;
        patterns.by_user.remove(user.as_str())
    });
    let patterns = read.await.map_err(cancelled)?.unwrap_or_default();
    let view = |(id, PanicPattern { expression, enabled })| PanicView { id, expression, enabled };
    let items: Vec<PanicView> = patterns.into_iter().map(view).collect();
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}
