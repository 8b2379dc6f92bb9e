//! The files of the lab's settings as people edit them in the browser: read with stars for their secrets, checked as the engine checks them, and
//! written over the version that was seen. A secret leaves the engine by none of it: where its stars stand, it stays.

mod cover;

use std::{path::PathBuf, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use jackfield_config::{Lab, SettingFile, problem, source::Source};
use jackfield_protocol::error::{ErrorCode, FileProblem, Problem};
use serde::{Deserialize, Serialize};

use super::{
    Answer,
    lab_file::{self, Part, Seen, WRITING, shown_place, version},
    project::cancelled,
};
use crate::{
    app::App,
    auth::{Caller, Guard, MayEditSettings, Role},
    failure::Failure,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/settings/files/{file:.+}", web::get().to(read))
        .route("/settings/files/{file:.+}", web::put().to(put))
        .route("/settings/edit", web::post().to(edit));
}

/// A file of settings to edit.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditSetting {
    /// Which: `engine`, `database`, `mail`, `mail_rules`, `webhooks`, `panic_patterns`, `profiles/NAME.toml` or `templates/NAME.textfsm`.
    file: String,
    /// The text of the draft; without it, that of the file.
    #[serde(default)]
    text: Option<String>,
}

/// A draft of a file of settings.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EditedSetting {
    /// The file, below the lab folder.
    file: String,
    /// Its text, with stars for its secrets.
    text: String,
    /// The version of the file as it is; empty where there is none.
    version: String,
    /// Whether the file is there already.
    exists: bool,
    /// Everything that is wrong.
    problems: Vec<FileProblem>,
    /// Whether it can be used.
    good: bool,
}

/// A text that is put.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingText {
    /// The file; where the stars of a secret stand, that secret stays.
    text: String,
}

/// A file of settings that was written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PutSetting {
    /// The file, below the lab folder.
    file: String,
    /// Its version, for the next `If-Match`.
    version: String,
    /// What may not be meant.
    problems: Vec<FileProblem>,
}

/// A file by its name in an address, and the role that opens it.
fn named(name: &str) -> Result<(SettingFile, Role), Failure> {
    let found = match name {
        "engine" => (SettingFile::Engine, Role::ChangeFwmCfg),
        "database" => (SettingFile::Database, Role::ChangeDbCfg),
        "mail" => (SettingFile::Mail, Role::ChangeEmlCfg),
        "mail_rules" => (SettingFile::MailRules, Role::ChangeEmlCfg),
        "webhooks" => (SettingFile::Webhooks, Role::ChangeEmlCfg),
        "panic_patterns" => (SettingFile::PanicPatterns, Role::ChangeFwmCfg),
        name => {
            let profile = name.strip_prefix("profiles/").map(|name| SettingFile::Profile(name.to_owned()));
            let template =
                || name.strip_prefix("templates/").map(|name| SettingFile::Template(name.to_owned()));
            let file = profile.or_else(template).filter(SettingFile::is_name_fit).ok_or_else(|| {
                let title = format!(
                    "`{name}` is no file of settings; these are: engine, database, mail, mail_rules, webhooks, \
                     panic_patterns, profiles/NAME.toml, templates/NAME.textfsm"
                );
                Failure::new(ErrorCode::NotFound, title)
            })?;
            (file, Role::ChangeFwmCfg)
        }
    };
    Ok(found)
}

fn allowed(caller: &Caller, name: &str) -> Result<SettingFile, Failure> {
    let (file, role) = named(name)?;
    if caller.may(role) {
        return Ok(file);
    }
    let title = format!("{} may not do this; it needs the role {}", caller.user, role.as_str());
    Err(Failure::new(ErrorCode::Forbidden, title))
}

/// A file of settings as it is on the disk.
struct There {
    place: PathBuf,
    bytes: Option<Vec<u8>>,
    /// The secrets in it.
    cover: cover::Cover,
    text: String,
}

impl There {
    fn of(lab: &Lab, file: &SettingFile, name: &str) -> Result<Self, Failure> {
        let wrong = |error| Failure::new(ErrorCode::BadRequest, format!("{name} {error}"));
        let place = lab.setting_place(file).map_err(wrong)?;
        let there = lab.setting_file(file).map_err(wrong)?;
        let read = |path| std::fs::read(path).map_err(|error| lab_file::cannot(name, "read", &error));
        let bytes = there.map(read).transpose()?;
        let source = match &bytes {
            Some(bytes) => Source::from_bytes(&shown_place(lab, &place), bytes.clone())
                .map_err(|problem| refused(name, vec![*problem]))?,
            None => Source::new(&shown_place(lab, &place), ""),
        };
        let source = Arc::new(source);
        let (problems, secrets) = lab.setting_looked_at(file, &source);
        let holds_secrets = matches!(
            file,
            SettingFile::Engine | SettingFile::Database | SettingFile::Mail | SettingFile::Webhooks
        );
        if holds_secrets && bytes.is_some() && secrets.is_empty() && problem::has_errors(&problems) {
            // What cannot be read may hold a password all the same, and nobody knows where.
            return Err(refused(name, problems));
        }
        let cover = cover::Cover::of(source.text(), &secrets).map_err(|what| {
            let title = format!("{name} has {what}, so it is not shown here: edit it in the lab folder");
            Failure::new(ErrorCode::BadFile, title)
        })?;
        Ok(Self { place, bytes, cover, text: source.text().to_owned() })
    }

    fn version(&self) -> String {
        self.bytes.as_deref().map(version).unwrap_or_default()
    }
}

fn refused(name: &str, problems: Vec<FileProblem>) -> Failure {
    let title = format!("{name} cannot be read; mend it in the lab folder first");
    Problem { problems, ..Problem::new(ErrorCode::BadFile, title) }.into()
}

/// A text with its secrets back in it, which is to be checked or written.
fn uncovered(there: &There, name: &str, text: &str) -> Result<String, Failure> {
    there.cover.taken_off(text).ok_or_else(|| {
        let title = format!(
            "stars in {name} stand for a secret that its file does not have any more; write the secret itself, or its \
             place (`env:NAME`, `file:PATH`)"
        );
        Failure::new(ErrorCode::BadFile, title).field("text")
    })
}

/// What is wrong with a text; no message of it shows a secret.
fn checked(lab: &Lab, file: &SettingFile, there: &There, text: &str) -> Vec<FileProblem> {
    let source = Arc::new(Source::new(&shown_place(lab, &there.place), text));
    let (mut problems, secrets) = lab.setting_looked_at(file, &source);
    let cover = cover::Cover::of(text, &secrets).unwrap_or_default();
    for problem in &mut problems {
        problem.message = cover.struck_out(&there.cover.struck_out(&problem.message));
        problem.help = cover.struck_out(&there.cover.struck_out(&problem.help));
    }
    problems
}

/// Checks a draft of a file of settings as the engine does when it reads it, or opens one. Nothing is written.
#[utoipa::path(post, path = "/api/v1/settings/edit", tag = "engine", request_body = EditSetting,
    responses((status = 200, body = EditedSetting), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn edit(
    app: web::Data<App>,
    guard: Guard<MayEditSettings>,
    body: web::Json<EditSetting>,
) -> Answer {
    let EditSetting { file: name, text } = body.into_inner();
    let file = allowed(&guard.caller, &name)?;
    let lab = app.lab.as_user(&guard.caller.user);
    let edited = web::block(move || {
        let there = There::of(&lab, &file, &name)?;
        let plain = match &text {
            Some(text) => uncovered(&there, &name, text)?,
            None => there.text.clone(),
        };
        let problems = checked(&lab, &file, &there, &plain);
        Ok::<_, Failure>(EditedSetting {
            file: shown_place(&lab, &there.place),
            text: text.unwrap_or_else(|| there.cover.put_on(&there.text)),
            version: there.version(),
            exists: there.bytes.is_some(),
            good: !problem::has_errors(&problems),
            problems,
        })
    });
    Ok(HttpResponse::Ok().json(edited.await.map_err(cancelled)??))
}

/// The text of a file of settings, with stars for its secrets. Its version is in `ETag`; with `If-None-Match` it is sent only if it is another one.
#[utoipa::path(get, path = "/api/v1/settings/files/{file}", tag = "engine", params(("file" = String, Path)),
    responses((status = 200, content_type = "text/plain", body = String), (status = 304), (status = 403), (status = 404)))]
pub(super) async fn read(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditSettings>,
    file: web::Path<String>,
) -> Answer {
    let name = file.into_inner();
    let file = allowed(&guard.caller, &name)?;
    let lab = app.lab.as_user(&guard.caller.user);
    let asked = name.clone();
    let there = web::block(move || There::of(&lab, &file, &asked)).await.map_err(cancelled)??;
    if there.bytes.is_none() {
        return Err(Failure::not_found(name));
    }
    let etag = format!("\"{}\"", there.version());
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.trim().trim_start_matches("W/") == etag) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish());
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::ETAG, etag))
        .body(there.cover.put_on(&there.text)))
}

/// Writes a file of settings; one with errors is refused whole. Where the stars of a secret stand, that secret stays. `If-Match` takes the version
/// that was read, `If-None-Match: *` says that it must be new. `engine.toml` counts when the engine starts, all others at once.
#[utoipa::path(put, path = "/api/v1/settings/files/{file}", tag = "engine", params(("file" = String, Path)),
    request_body = SettingText,
    responses((status = 200, body = PutSetting), (status = 403), (status = 404), (status = 409), (status = 412), (status = 422)))]
pub(super) async fn put(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditSettings>,
    file: web::Path<String>,
    body: web::Json<SettingText>,
) -> Answer {
    let name = file.into_inner();
    let file = allowed(&guard.caller, &name)?;
    let lab = app.lab.as_user(&guard.caller.user);
    let (seen, text, asked) = (Seen::of(&request), body.into_inner().text, name.clone());
    let _writing = WRITING.lock().await;
    let written = web::block(move || {
        let there = There::of(&lab, &file, &asked)?;
        seen.check(&asked, there.bytes.as_deref())?;
        let plain = uncovered(&there, &asked, &text)?;
        let problems = checked(&lab, &file, &there, &plain);
        if problem::has_errors(&problems) {
            let title = format!("{asked} has errors; it was not written");
            return Err(Problem { problems, ..Problem::new(ErrorCode::BadFile, title) }.into());
        }
        let answer = PutSetting {
            file: shown_place(&lab, &there.place),
            version: version(plain.as_bytes()),
            problems,
        };
        Ok::<_, Failure>((answer, Part::write(there.place, &plain, there.bytes.is_none(), asked)?))
    });
    let (answer, part): (PutSetting, Part) = written.await.map_err(cancelled)??;
    part.put(&app, &guard.caller, ("settings.put", &name)).await?;
    Ok(lab_file::written(&answer.version, &answer))
}
