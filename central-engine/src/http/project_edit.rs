//! A project while it is edited: changes in, the new text and what is wrong with it out. Nothing is written here: the draft is the editor's own
//! until it puts it.
//!
//! The bytes are edited here and not in a page, so that a page, a script and a command change a file in the same way.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::{HttpResponse, web};
use jackfield_config::{
    ExpandOptions, Lab,
    project::edit::{Change, ItemKind, NewItem, ProjectFile, outline},
    source::Source,
};
use jackfield_protocol::error::{ErrorCode, FileProblem};
use serde::{Deserialize, Serialize};

use super::{
    Answer, body,
    project::{cancelled, options},
    project_file::{read_file, shown_place, version},
};
use crate::{
    app::App,
    auth::{Guard, MayReadProjects},
    failure::Failure,
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/projects/edit")
            .app_data(body::json(limits::PROJECT_JSON_BYTES_MAX))
            .route(web::post().to(edit)),
    );
}

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

/// A change of a project. A way says where an item is: `[]` is the project, `[0, 2]` the third item of the first suite.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
enum ProjectChange {
    /// Another text for a field, such as `Repeat`; an empty one takes its element away.
    Set { at: Vec<usize>, field: String, value: String },
    /// Another value of a property, or of what a suite or the project defines; without one it goes.
    Property {
        at: Vec<usize>,
        name: String,
        #[serde(default)]
        nth: usize,
        #[serde(default)]
        value: Option<String>,
    },
    /// New suites and tests, before the item with number `before`.
    Insert { parent: Vec<usize>, before: usize, items: Vec<NewProjectItem> },
    /// Takes items away.
    Remove { items: Vec<Vec<usize>> },
    /// Puts items somewhere else.
    Move { items: Vec<Vec<usize>>, parent: Vec<usize>, before: usize },
    /// Puts copies of items somewhere, with IDs made from the salt.
    Copy { items: Vec<Vec<usize>>, parent: Vec<usize>, before: usize, salt: String },
}

/// A new suite or test.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum NewProjectItem {
    /// A suite with its name.
    Suite {
        name: String,
        #[serde(default)]
        id: Option<String>,
    },
    /// A test with its file.
    Test {
        file: String,
        #[serde(default)]
        id: Option<String>,
    },
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
    items: Option<Vec<ProjectItem>>,
    /// Everything that is wrong.
    problems: Vec<ItemProblem>,
    /// Whether it would run.
    good: bool,
    /// Tests that would run, expanded.
    tests: usize,
}

/// What stands in a project.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum ProjectItemKind {
    Project,
    Suite,
    Test,
}

/// The project, a suite or a test.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ProjectItem {
    kind: ProjectItemKind,
    /// How many items stand around it; the project itself counts.
    depth: usize,
    /// Its name, or its file.
    name: String,
    /// The line on which it begins.
    line: u32,
    /// Fields that say something, by name.
    fields: BTreeMap<&'static str, String>,
    /// Properties of a test, user-defined values of a suite or the project.
    pairs: Vec<ProjectPair>,
    /// Test configurations; those that are not enabled stand in brackets.
    configs: Vec<String>,
}

/// A property, or a user-defined value.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ProjectPair {
    /// Its name.
    name: String,
    /// What it says.
    value: String,
}

/// A problem, and the item that it is about.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ItemProblem {
    /// The number of the item in `items`; none where it is about another file.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<usize>,
    #[serde(flatten)]
    problem: FileProblem,
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
    if asked.changes.len() > limits::PROJECT_CHANGES_MAX {
        let title = format!("{} changes at once at most", limits::PROJECT_CHANGES_MAX);
        return Err(Failure::new(ErrorCode::TooLarge, title).field("changes"));
    }
    let edited = web::block(move || edited(&lab, asked, &options)).await.map_err(cancelled)??;
    Ok(HttpResponse::Ok().json(edited))
}

fn edited(lab: &Lab, asked: EditProject, options: &ExpandOptions) -> Result<EditedProject, Failure> {
    let EditProject { project, xml, changes } = asked;
    let place = lab.project_place(&project).map_err(|error| {
        Failure::new(ErrorCode::BadRequest, format!("project `{project}` {error}")).field("project")
    })?;
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let source = match xml {
        Some(xml) => Source::new(&name, xml),
        None => Source::from_bytes(&name, read_file(lab, &project)?)
            .map_err(|problem| bad_file(vec![*problem]))?,
    };
    let source = Arc::new(source);
    let read = ProjectFile::read(&source);
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
        });
    };
    let changes: Vec<Change> = changes.into_iter().map(Change::from).collect();
    let about = file.change_all(&changes).map_err(|(at, error)| {
        Failure::new(ErrorCode::BadRequest, error.to_string()).field(&format!("changes[{at}]"))
    })?;
    let items = file.outline();
    let xml = file.text().to_owned();
    let checked = jackfield_config::check_project_text(&name, xml.clone(), lab, options);
    let about_item = |problem: FileProblem| {
        let item = (problem.file == name).then(|| outline::item_at(&items, (problem.line, problem.column)));
        ItemProblem { item, problem }
    };
    Ok(EditedProject {
        file: shown_place(lab, &place),
        version: version(xml.as_bytes()),
        about,
        problems: checked.problems.into_iter().map(about_item).collect(),
        good: checked.plan.is_some(),
        tests: checked.plan.map_or(0, |plan| plan.tests.len()),
        items: Some(items.into_iter().map(ProjectItem::from).collect()),
        xml,
    })
}

fn bad_file(problems: Vec<FileProblem>) -> Failure {
    let mut problem = jackfield_protocol::error::Problem::new(
        ErrorCode::BadFile,
        "the project cannot be read, so nothing in it can be changed; mend its text first",
    );
    problem.problems = problems;
    problem.into()
}

impl From<ProjectChange> for Change {
    fn from(change: ProjectChange) -> Self {
        match change {
            ProjectChange::Set { at, field, value } => Self::Set { at, field, value },
            ProjectChange::Property { at, name, nth, value } => Self::Property { at, name, nth, value },
            ProjectChange::Insert { parent, before, items } => {
                Self::Insert { parent, at: before, items: items.into_iter().map(NewItem::from).collect() }
            }
            ProjectChange::Remove { items } => Self::Remove { items },
            ProjectChange::Move { items, parent, before } => Self::Move { items, parent, to: before },
            ProjectChange::Copy { items, parent, before, salt } => {
                Self::Copy { items, parent, to: before, salt }
            }
        }
    }
}

impl From<NewProjectItem> for NewItem {
    fn from(item: NewProjectItem) -> Self {
        match item {
            NewProjectItem::Suite { name, id } => Self::Suite { name, id },
            NewProjectItem::Test { file, id } => Self::Test { file, id },
        }
    }
}

impl From<outline::OutlineItem> for ProjectItem {
    fn from(item: outline::OutlineItem) -> Self {
        Self {
            kind: match item.kind {
                ItemKind::Project => ProjectItemKind::Project,
                ItemKind::Suite => ProjectItemKind::Suite,
                ItemKind::Test => ProjectItemKind::Test,
            },
            depth: item.depth,
            name: item.name,
            line: item.begins.0,
            fields: item.fields,
            pairs: item.pairs.into_iter().map(|(name, value)| ProjectPair { name, value }).collect(),
            configs: item.configs,
        }
    }
}
