//! `bindings.xml`: which component of a SUT stands for which of a test configuration, as people edit it.

use std::{path::PathBuf, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, web};
use jackfield_config::{
    Lab,
    bindings::{
        Bindings,
        edit::{BindingChange as Change, BindingsFile, BoundItem},
    },
    problem,
    source::Source,
};
use jackfield_protocol::error::{ErrorCode, FileProblem, Problem};
use serde::{Deserialize, Serialize};

use super::{
    Answer,
    lab_file::{self, Part, Seen, WRITING, sent, shown_place, version},
    params::{EMPTY, PutValues, ValuesText},
    project::cancelled,
    project_edit::ItemProblem,
};
use crate::{
    app::App,
    auth::{Guard, MayChangeProjects, MayReadProjects},
    failure::Failure,
    limits,
};

/// What people call it.
const NAME: &str = "bindings.xml";

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/bindings", web::get().to(read))
        .route("/bindings", web::put().to(put))
        .route("/bindings/edit", web::post().to(edit));
}

/// `bindings.xml` to edit.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditBindings {
    /// The text of the draft; without it, that of the file.
    #[serde(default)]
    xml: Option<String>,
    /// What to change, one after the other; all of it or nothing.
    #[serde(default)]
    changes: Vec<BindingChange>,
}

/// A change of what is bound to what.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum BindingChange {
    /// A component of a test configuration stands for one of a SUT, whatever it stood for before.
    Bind {
        /// The test configuration; `default_binding` is for all that have none of their own.
        config: String,
        /// Its component.
        component: String,
        /// The SUT's component: `/router.user/wan`, or its id.
        sut: String,
    },
    /// It stands for none any more.
    Unbind {
        /// The test configuration.
        config: String,
        /// Its component.
        component: String,
    },
}

/// What an item of the file is.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum BindingKind {
    /// The file itself.
    File,
    /// A component that is bound.
    Bind,
}

/// The file, or a component of a test configuration with what it stands for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct BindingItem {
    /// What it is.
    kind: BindingKind,
    /// 0 for the file, 1 for what is in it.
    depth: usize,
    /// The component; empty for the file.
    name: String,
    /// The test configuration, or `default_binding`; empty for the file.
    config: String,
    /// What it stands for; empty for the file.
    sut: String,
    /// Its line in the text, from 1.
    line: u32,
}

/// A draft of the bindings.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EditedBindings {
    /// The file that it is about, below the lab folder.
    file: String,
    /// Its text.
    xml: String,
    /// The version of that text: where nothing was changed, that of the file.
    version: String,
    /// Whether the file is there already.
    exists: bool,
    /// As of other files that are edited; nothing is arranged here.
    about: Vec<Vec<usize>>,
    /// The file, and what is bound, in order; none where the text is not XML.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<BindingItem>>,
    /// Everything that is wrong.
    problems: Vec<ItemProblem>,
    /// Whether it can be used.
    good: bool,
}

impl From<BindingChange> for Change {
    fn from(change: BindingChange) -> Self {
        match change {
            BindingChange::Bind { config, component, sut } => Self::Bind { config, component, sut },
            BindingChange::Unbind { config, component } => Self::Unbind { config, component },
        }
    }
}

/// Changes the draft of `bindings.xml` as the caller's tests see it, or opens one; an empty one where there is none. Nothing is written.
#[utoipa::path(post, path = "/api/v1/bindings/edit", tag = "values", request_body = EditBindings,
    responses((status = 200, body = EditedBindings), (status = 422)))]
pub(super) async fn edit(
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    body: web::Json<EditBindings>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let asked = body.into_inner();
    let edited = web::block(move || edited(&lab, asked));
    Ok(HttpResponse::Ok().json(edited.await.map_err(cancelled)??))
}

fn edited(lab: &Lab, EditBindings { xml, changes }: EditBindings) -> Result<EditedBindings, Failure> {
    if changes.len() > limits::PARAM_CHANGES_MAX {
        let title = format!("{} changes at once at most", limits::PARAM_CHANGES_MAX);
        return Err(Failure::new(ErrorCode::TooLarge, title).field("changes"));
    }
    let (file, there) = (shown_place(lab, &place_of(lab)?), there(lab)?);
    let exists = there.is_some();
    let text = match (xml, there) {
        (Some(xml), _) => Ok(Source::new(NAME, xml)),
        (None, Some(bytes)) => Source::from_bytes(NAME, bytes),
        (None, None) => Ok(Source::new(NAME, EMPTY)),
    };
    let source = Arc::new(text.map_err(|problem| refused(vec![*problem]))?);
    let read = BindingsFile::read(&source);
    let (text, outline) = match read.value {
        Some(mut bindings) => {
            let changes: Vec<Change> = changes.into_iter().map(Change::from).collect();
            bindings.change_all(&changes).map_err(|(at, error)| {
                Failure::new(ErrorCode::BadRequest, error.to_string()).field(&format!("changes[{at}]"))
            })?;
            (bindings.text().to_owned(), Some(bindings.outline()))
        }
        None if changes.is_empty() => (source.text().to_owned(), None),
        None => return Err(refused(read.problems)),
    };
    let problems = Bindings::read(&Arc::new(Source::new(NAME, text.as_str()))).problems;
    Ok(EditedBindings {
        file,
        version: version(text.as_bytes()),
        xml: text,
        exists,
        about: Vec::new(),
        good: !problem::has_errors(&problems),
        problems: problems.into_iter().map(|problem| about(outline.as_deref(), problem)).collect(),
        items: outline.map(items),
    })
}

fn items(outline: Vec<BoundItem>) -> Vec<BindingItem> {
    let file = BindingItem {
        kind: BindingKind::File,
        depth: 0,
        name: String::new(),
        config: String::new(),
        sut: String::new(),
        line: 1,
    };
    let bind = |BoundItem { config, component, sut, begins, .. }| BindingItem {
        kind: BindingKind::Bind,
        depth: 1,
        name: component,
        config,
        sut,
        line: begins.0,
    };
    std::iter::once(file).chain(outline.into_iter().map(bind)).collect()
}

/// A problem with the item that it is about; what is about none is about the file.
fn about(outline: Option<&[BoundItem]>, problem: FileProblem) -> ItemProblem {
    let place = (problem.line, problem.column);
    let item = outline.map(|outline| {
        let around = outline.iter().position(|item| item.begins <= place && item.ends >= place);
        around.map_or(0, |at| at.saturating_add(1))
    });
    ItemProblem { item, problem }
}

fn refused(problems: Vec<FileProblem>) -> Failure {
    let title = "the file cannot be read, so nothing in it can be changed; mend its text first";
    Problem { problems, ..Problem::new(ErrorCode::BadFile, title) }.into()
}

/// The text of `bindings.xml`. Its version is in `ETag`; with `If-None-Match` it is sent only if it is another one.
#[utoipa::path(get, path = "/api/v1/bindings", tag = "values",
    responses((status = 200, content_type = "application/xml", body = String), (status = 304), (status = 404)))]
pub(super) async fn read(request: HttpRequest, app: web::Data<App>, guard: Guard<MayReadProjects>) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let text = web::block(move || there(&lab)?.ok_or_else(|| Failure::not_found(NAME)));
    Ok(sent(&request, text.await.map_err(cancelled)??))
}

/// Writes `bindings.xml`; one with errors is refused whole, unless it says that it is unfinished. Tests that run see it at once.
/// `If-Match` takes the version that was read, `If-None-Match: *` says that it must be new.
#[utoipa::path(put, path = "/api/v1/bindings", tag = "values", request_body = ValuesText,
    responses((status = 200, body = PutValues), (status = 409), (status = 412), (status = 422)))]
pub(super) async fn put(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayChangeProjects>,
    body: web::Json<ValuesText>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let (seen, text) = (Seen::of(&request), body.into_inner());
    let _writing = WRITING.lock().await;
    let written = web::block(move || {
        let (place, there) = (place_of(&lab)?, there(&lab)?);
        seen.check(NAME, there.as_deref())?;
        let answer = accepted(shown_place(&lab, &place), &text)?;
        Ok::<_, Failure>((answer, Part::write(place, &text.xml, there.is_none(), NAME.to_owned())?))
    });
    let (answer, part): (PutValues, Part) = written.await.map_err(cancelled)??;
    part.put(&app, &guard.caller, ("bindings.put", NAME)).await?;
    Ok(lab_file::written(&answer.version, &answer))
}

/// A text that is put, checked: refused whole where it cannot be used, unless it says that it is unfinished.
fn accepted(file: String, text: &ValuesText) -> Result<PutValues, Failure> {
    let source = Arc::new(Source::new(NAME, text.xml.clone()));
    let is_xml = BindingsFile::read(&source).is_usable();
    let problems = Bindings::read(&source).problems;
    let good = !problem::has_errors(&problems);
    if !(good || (text.unfinished && is_xml)) {
        let title = format!("{NAME} has errors; it was not written");
        return Err(Problem { problems, ..Problem::new(ErrorCode::BadFile, title) }.into());
    }
    Ok(PutValues { file, version: version(text.xml.as_bytes()), good, problems })
}

fn place_of(lab: &Lab) -> Result<PathBuf, Failure> {
    lab.bindings_place().map_err(|error| Failure::new(ErrorCode::BadRequest, format!("{NAME} {error}")))
}

fn there(lab: &Lab) -> Result<Option<Vec<u8>>, Failure> {
    let file = lab
        .bindings_file()
        .map_err(|error| Failure::new(ErrorCode::BadRequest, format!("{NAME} {error}")))?;
    file.map(|file| std::fs::read(file).map_err(|error| lab_file::cannot(NAME, "read", &error))).transpose()
}
