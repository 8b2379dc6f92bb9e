//! A project while it is edited: changes in, the new text and what is wrong with it out. Nothing is written here: the draft is the editor's own
//! until it puts it.
//!
//! The bytes are edited here and not in a page, so that a page, a script and a command change a file in the same way.

mod kept;
mod shape;
mod since;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use actix_web::{HttpResponse, web};
use jackfield_config::{
    ExpandOptions, Lab,
    project::edit::{
        Change, ItemKind, ProjectFile,
        outline::{self, OutlineItem},
    },
    source::Source,
};
use jackfield_protocol::{
    error::{ErrorCode, FileProblem},
    id::UserName,
    plan::RunPlan,
};
use serde::{Deserialize, Serialize};

pub(super) use self::since::__path_edit as __path_edit_since;
use self::{
    kept::Kept,
    shape::{ProjectChange, ProjectItem},
};
use super::{
    Answer, body,
    lab_file::{shown_place, version},
    project::{cancelled, options},
    project_file::read_file,
};
use crate::{
    app::App,
    auth::{Guard, MayReadProjects},
    failure::Failure,
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/projects/edit")
                .app_data(body::json(limits::PROJECT_JSON_BYTES_MAX))
                .route(web::post().to(edit)),
        )
        .route("/projects/edit/since", web::post().to(since::edit));
}

/// Drafts as they were read last.
static KEPT: Kept = Kept::new();

/// A project to edit.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditProject {
    /// Its name.
    project: String,
    /// The text of the draft; without it, that of its file.
    #[serde(default)]
    xml: Option<String>,
    /// What to change, one after the other; all of it or nothing.
    #[serde(default)]
    changes: Vec<ProjectChange>,
}

/// A draft.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EditedProject {
    /// The file that it is about, below the lab folder.
    file: String,
    /// Its text.
    xml: String,
    /// The version of that text: where nothing was changed, that of the file.
    version: String,
    /// The ways to the items that the last change was about.
    about: Vec<Vec<usize>>,
    /// The project, its suites and tests in order; none where the text is not XML.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<ProjectItem>>)]
    items: Option<Arc<Vec<ProjectItem>>>,
    /// Everything that is wrong.
    problems: Vec<ItemProblem>,
    /// Whether it would run.
    good: bool,
    /// Tests that would run, expanded.
    tests: usize,
    /// What `POST /projects/edit/since` takes: the next change can be said of this answer, without the text; none where the text is not XML.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

/// A problem, and the item that it is about.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ItemProblem {
    /// The number of the item in `items`; none where it is about another file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<usize>,
    #[serde(flatten)]
    pub(super) problem: FileProblem,
}

/// Changes the draft of a project, or opens one: its text, its items and what is wrong with it. Nothing is written.
#[utoipa::path(post, path = "/api/v1/projects/edit", tag = "projects", request_body = EditProject,
    responses((status = 200, body = EditedProject), (status = 404), (status = 422)))]
pub(super) async fn edit(
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    body: body::Large<EditProject>,
) -> Answer {
    let options = options(&guard.caller);
    let lab = app.lab.as_user(&guard.caller.user);
    let (asked, _place) = body.into_parts();
    body::check_project(&app, asked.xml.as_deref())?;
    few(&asked.changes)?;
    let user = guard.caller.user;
    let edited = web::block(move || edited(&lab, &user, asked, &options)).await.map_err(cancelled)??;
    Ok(HttpResponse::Ok().json(edited))
}

/// Refuses more changes than are made at once.
fn few(changes: &[ProjectChange]) -> Result<(), Failure> {
    if changes.len() <= limits::PROJECT_CHANGES_MAX {
        return Ok(());
    }
    let title = format!("{} changes at once at most", limits::PROJECT_CHANGES_MAX);
    Err(Failure::new(ErrorCode::TooLarge, title).field("changes"))
}

/// Where a project of this name is, or would be.
fn place_of(lab: &Lab, project: &str) -> Result<PathBuf, Failure> {
    lab.project_place(project).map_err(|error| {
        Failure::new(ErrorCode::BadRequest, format!("project `{project}` {error}")).field("project")
    })
}

/// What the engine calls a draft in what it says of it.
fn name_of(place: &Path) -> String {
    place.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn edited(
    lab: &Lab,
    user: &UserName,
    asked: EditProject,
    options: &ExpandOptions,
) -> Result<EditedProject, Failure> {
    let EditProject { project, xml, changes } = asked;
    let place = place_of(lab, &project)?;
    let name = name_of(&place);
    let source = match xml {
        Some(xml) => Source::new(&name, xml),
        None => Source::from_bytes(&name, read_file(lab, &project)?)
            .map_err(|problem| bad_file(vec![*problem]))?,
    };
    let source = Arc::new(source);
    let read = KEPT.read(&source);
    let Some(mut file) = read.value else {
        if !changes.is_empty() {
            return Err(bad_file(read.problems));
        }
        let problems = read.problems.into_iter().map(|problem| ItemProblem { item: None, problem }).collect();
        return Ok(EditedProject {
            file: shown_place(lab, &place),
            version: version(source.text().as_bytes()),
            xml: source.text().to_owned(),
            about: Vec::new(),
            items: None,
            problems,
            good: false,
            tests: 0,
            answer: None,
        });
    };
    let about = change_all(lab, &mut file, changes)?;
    let Looked { items, problems, good, tests } = Looked::at(&file, lab, options);
    let (xml, items) = (file.text().to_owned(), Arc::new(items));
    let answer = kept::Answer::new(user.clone(), Arc::clone(&items));
    let number = answer.number.clone();
    KEPT.keep(file, answer);
    Ok(EditedProject {
        file: shown_place(lab, &place),
        version: version(xml.as_bytes()),
        about,
        problems,
        good,
        tests,
        items: Some(items),
        xml,
        answer: Some(number),
    })
}

/// Makes all changes, or none. Answers the ways to what the last one was about.
fn change_all(
    lab: &Lab,
    file: &mut ProjectFile,
    changes: Vec<ProjectChange>,
) -> Result<Vec<Vec<usize>>, Failure> {
    let changes: Vec<Change> =
        changes.into_iter().map(|change| change.made(lab)).collect::<Result<_, Failure>>()?;
    file.change_all(&changes).map_err(|(at, error)| {
        Failure::new(ErrorCode::BadRequest, error.to_string()).field(&format!("changes[{at}]"))
    })
}

/// What is said of a draft.
struct Looked {
    items: Vec<ProjectItem>,
    problems: Vec<ItemProblem>,
    good: bool,
    tests: usize,
}

impl Looked {
    fn at(file: &ProjectFile, lab: &Lab, options: &ExpandOptions) -> Self {
        let (outline, name) = (file.outline(), file.name());
        let checked = jackfield_config::check_project_file(file, lab, options);
        let about_item = |problem: FileProblem| {
            let item =
                (problem.file == name).then(|| outline::item_at(&outline, (problem.line, problem.column)));
            ItemProblem { item, problem }
        };
        let problems = checked.problems.into_iter().map(about_item).collect();
        Self {
            problems,
            good: checked.plan.is_some(),
            tests: checked.plan.as_ref().map_or(0, |plan| plan.tests.len()),
            items: project_items(outline, checked.plan.as_ref()),
        }
    }
}

/// Items with what would become of them in a run.
fn project_items(outline: Vec<OutlineItem>, plan: Option<&RunPlan>) -> Vec<ProjectItem> {
    let mut attempts: BTreeMap<&str, usize> = BTreeMap::new();
    for test in plan.into_iter().flat_map(|plan| &plan.tests) {
        let count = attempts.entry(&test.origin).or_default();
        *count = count.saturating_add(1);
    }
    let ids = outline::ids(&outline);
    let shown = |(item, id): (OutlineItem, Option<Arc<str>>)| {
        let is_test = item.kind == ItemKind::Test;
        let attempts =
            id.as_deref().filter(|_| is_test).and_then(|id| attempts.get(id).copied()).unwrap_or(0);
        ProjectItem::new(item, id, attempts)
    };
    outline.into_iter().zip(ids).map(shown).collect()
}

fn bad_file(problems: Vec<FileProblem>) -> Failure {
    let mut problem = jackfield_protocol::error::Problem::new(
        ErrorCode::BadFile,
        "the project cannot be read, so nothing in it can be changed; mend its text first",
    );
    problem.problems = problems;
    problem.into()
}
