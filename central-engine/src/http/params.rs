//! Files of named values while they are edited: test configurations and global parameters. Changes in, the new text and what is wrong with it
//! out; nothing is written here.

mod shape;

use std::{path::Path, sync::Arc};

use jackfield_config::{
    Lab,
    params::{
        Params,
        edit::{ParamChange, ParamItem, ParamsFile},
    },
    problem,
    source::Source,
    test_config::TestConfig,
};
use jackfield_protocol::error::{ErrorCode, FileProblem, Problem};
use serde::{Deserialize, Serialize};

pub(super) use self::shape::ValueChange;
use self::shape::ValueItem;
use super::{
    lab_file::{shown_place, version},
    project_edit::ItemProblem,
};
use crate::{failure::Failure, limits};

/// A draft of a file of named values.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EditedValues {
    /// The file that it is about, below the lab folder.
    file: String,
    /// Its text.
    xml: String,
    /// The version of that text: where nothing was changed, that of the file.
    version: String,
    /// Whether the file is there already.
    exists: bool,
    /// The ways to the items that the last change was about.
    about: Vec<Vec<usize>>,
    /// The file, its folders and values in order; none where the text is not XML.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ValueItem>>,
    /// Everything that is wrong.
    problems: Vec<ItemProblem>,
    /// Whether it can be used.
    good: bool,
    /// How many copies its iterators make of a test, all taken together.
    copies: u64,
}

/// A text that is put.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct ValuesText {
    /// The file.
    pub(super) xml: String,
    /// Write it although it cannot be used, as long as it is XML: who edits it is not done with it in one go.
    #[serde(default)]
    pub(super) unfinished: bool,
}

/// A file of named values that was written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PutValues {
    /// The file, below the lab folder.
    pub(super) file: String,
    /// Its version, for the next `If-Match`.
    pub(super) version: String,
    /// Whether it can be used.
    pub(super) good: bool,
    /// Everything that is wrong.
    pub(super) problems: Vec<FileProblem>,
}

/// What a new file of named values holds.
pub(super) const EMPTY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<root>\n</root>\n";

/// A text that is edited: where it goes, and what it is of.
#[derive(Debug)]
pub(super) struct Draft {
    /// The file, below the lab folder.
    pub(super) file: String,
    /// What messages call it.
    pub(super) name: String,
    /// What the file holds, if it is there.
    pub(super) there: Option<Vec<u8>>,
    /// The text so far; without it, that of the file.
    pub(super) xml: Option<String>,
    /// Whether iterators mean something in it.
    pub(super) iterates: bool,
}

/// Changes a draft, or opens one.
pub(super) fn edited(draft: Draft, changes: Vec<ValueChange>) -> Result<EditedValues, Failure> {
    if changes.len() > limits::PARAM_CHANGES_MAX {
        let title = format!("{} changes at once at most", limits::PARAM_CHANGES_MAX);
        return Err(Failure::new(ErrorCode::TooLarge, title).field("changes"));
    }
    let exists = draft.there.is_some();
    let text = match (draft.xml, draft.there) {
        (Some(xml), _) => Ok(Source::new(&draft.name, xml)),
        (None, Some(bytes)) => Source::from_bytes(&draft.name, bytes),
        (None, None) => Ok(Source::new(&draft.name, EMPTY)),
    };
    let source = Arc::new(text.map_err(|problem| refused(vec![*problem]))?);
    let read = ParamsFile::read(&source);
    let Some(mut file) = read.value else {
        if !changes.is_empty() {
            return Err(refused(read.problems));
        }
        let problems = read.problems.into_iter().map(|problem| ItemProblem { item: None, problem });
        return Ok(EditedValues {
            file: draft.file,
            version: version(source.text().as_bytes()),
            xml: source.text().to_owned(),
            exists,
            about: Vec::new(),
            items: None,
            problems: problems.collect(),
            good: false,
            copies: 0,
        });
    };
    let changes: Vec<ParamChange> = changes.into_iter().map(ParamChange::from).collect();
    let about = file.change_all(&changes).map_err(|(at, error)| {
        Failure::new(ErrorCode::BadRequest, error.to_string()).field(&format!("changes[{at}]"))
    })?;
    let (outline, xml) = (file.outline(), file.text().to_owned());
    let (problems, copies) = checked(&draft.name, &xml, draft.iterates);
    let good = !problem::has_errors(&problems);
    let about_item = |problem: FileProblem| {
        let item = (problem.file == draft.name).then(|| item_at(&outline, (problem.line, problem.column)));
        ItemProblem { item, problem }
    };
    let problems = problems.into_iter().map(about_item).collect();
    Ok(EditedValues {
        file: draft.file,
        version: version(xml.as_bytes()),
        exists,
        about,
        problems,
        good,
        copies,
        items: Some(outline.into_iter().map(ValueItem::from).collect()),
        xml,
    })
}

/// Everything that is wrong with a text, and how many copies of a test it makes.
fn checked(name: &str, xml: &str, iterates: bool) -> (Vec<FileProblem>, u64) {
    let source = Arc::new(Source::new(name, xml));
    if !iterates {
        return (Params::read(&source).problems, 1);
    }
    let read = TestConfig::read(name, &source);
    (read.problems, read.value.map_or(1, |config| config.copies()))
}

/// A text that is put, checked: refused whole where it cannot be used, unless it says that it is unfinished.
pub(super) fn accepted(
    lab: &Lab,
    place: &Path,
    name: &str,
    text: &ValuesText,
    iterates: bool,
) -> Result<PutValues, Failure> {
    let source = Arc::new(Source::new(name, text.xml.clone()));
    let is_xml = ParamsFile::read(&source).is_usable();
    let (problems, _) = checked(name, &text.xml, iterates);
    let good = !problem::has_errors(&problems);
    let is_taken = good || (text.unfinished && is_xml);
    if !is_taken {
        let mut problem = Problem::new(ErrorCode::BadFile, format!("{name} has errors; it was not written"));
        problem.problems = problems;
        return Err(problem.into());
    }
    let file = shown_place(lab, place);
    Ok(PutValues { file, version: version(text.xml.as_bytes()), good, problems })
}

/// The innermost item around a place; the file where nothing is.
fn item_at(outline: &[ParamItem], place: (u32, u32)) -> usize {
    let around = outline.iter().rposition(|item| item.begins <= place && item.ends >= place);
    around.unwrap_or(0)
}

fn refused(problems: Vec<FileProblem>) -> Failure {
    let title = "the file cannot be read, so nothing in it can be changed; mend its text first";
    let mut problem = Problem::new(ErrorCode::BadFile, title);
    problem.problems = problems;
    problem.into()
}
