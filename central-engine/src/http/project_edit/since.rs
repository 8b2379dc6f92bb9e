//! A change that is said of an answer: neither the text nor what is as it was goes over the wire. A project of ten thousand tests is a megabyte and a
//! half of text, and four of items.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use jackfield_config::{ExpandOptions, Lab};
use jackfield_protocol::{error::ErrorCode, id::UserName};
use serde::{Deserialize, Serialize};

use super::{
    Answer, ItemProblem, KEPT, Looked, change_all, few, kept, name_of, place_of,
    shape::{ProjectChange, ProjectItem},
};
use crate::{
    app::App,
    auth::{Guard, MayReadProjects},
    failure::Failure,
    http::{
        lab_file::version,
        project::{cancelled, options},
    },
};

/// A change of what was answered.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct EditSince {
    /// The project's name.
    project: String,
    /// The `answer` that the text is of.
    answer: String,
    /// What to change, one after the other; all of it or nothing.
    changes: Vec<ProjectChange>,
}

/// What is different since that answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct EditedSince {
    /// The version of the text.
    version: String,
    /// Where the text is another one.
    text: TextSplice,
    /// Where the items are.
    items: ItemSplice,
    /// The ways to the items that the last change was about.
    about: Vec<Vec<usize>>,
    /// Everything that is wrong.
    problems: Vec<ItemProblem>,
    /// Whether it would run.
    good: bool,
    /// Tests that would run, expanded.
    tests: usize,
    /// What the next change can be said of.
    answer: String,
}

/// From a place on a text has something else; all around it is as it was. Counted in UTF-16 units, as browsers do.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
struct TextSplice {
    /// Where.
    at: usize,
    /// How much is gone there.
    removed: usize,
    /// What came in its place.
    added: String,
}

/// From a number on there are other items; those behind them have moved by lines alone.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ItemSplice {
    /// Where.
    at: usize,
    /// How many are gone there.
    removed: usize,
    /// What came in their place.
    added: Vec<ProjectItem>,
    /// How many lines those behind them have moved by.
    lines: i64,
}

/// Changes the draft that an answer of `POST /projects/edit`, or of this, was of, and says what is different. Where the engine does not have it any
/// more, it is not found: send the text. Nothing is written.
#[utoipa::path(post, path = "/api/v1/projects/edit/since", tag = "projects", request_body = EditSince,
    responses((status = 200, body = EditedSince), (status = 404), (status = 422)))]
pub(in crate::http) async fn edit(
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    body: web::Json<EditSince>,
) -> Answer {
    let options = options(&guard.caller);
    let user = guard.caller.user;
    let lab = app.lab.as_user(&user);
    let asked = body.into_inner();
    few(&asked.changes)?;
    let edited = web::block(move || edited(&lab, &user, asked, &options)).await.map_err(cancelled)??;
    Ok(HttpResponse::Ok().json(edited))
}

fn edited(
    lab: &Lab,
    user: &UserName,
    asked: EditSince,
    options: &ExpandOptions,
) -> Result<EditedSince, Failure> {
    let EditSince { project, answer, changes } = asked;
    let name = name_of(&place_of(lab, &project)?);
    let (mut file, before) = KEPT.after(&answer, user, &name).ok_or_else(|| {
        let title = format!("answer `{answer}` is not kept any more; send the text to /projects/edit");
        Failure::new(ErrorCode::NotFound, title).field("answer")
    })?;
    let text = file.text().to_owned();
    let about = match change_all(lab, &mut file, changes) {
        Ok(about) => about,
        Err(refused) => {
            // It is as it was, and the next change is said of the same.
            KEPT.keep(file, before);
            return Err(refused);
        }
    };
    let Looked { items, problems, good, tests } = Looked::at(&file, lab, options);
    let (now, items) = (file.text().to_owned(), Arc::new(items));
    let edited = EditedSince {
        version: version(now.as_bytes()),
        text: text_splice(&text, &now),
        items: item_splice(&before.items, &items),
        about,
        problems,
        good,
        tests,
        answer: String::new(),
    };
    let answer = kept::Answer::new(user.clone(), items);
    let number = answer.number.clone();
    KEPT.keep(file, answer);
    Ok(EditedSince { answer: number, ..edited })
}

/// How many of two rows of things are the same from the begin on, and then from the end.
fn same_around<T>(
    (before, after): (&[T], &[T]),
    is_first: impl Fn(&T, &T) -> bool,
    is_last: impl Fn(&T, &T) -> bool,
) -> (usize, usize) {
    let first = before.iter().zip(after).take_while(|(before, after)| is_first(before, after)).count();
    let rest = before.len().min(after.len()).saturating_sub(first);
    let last = before.iter().rev().zip(after.iter().rev()).take(rest);
    (first, last.take_while(|(before, after)| is_last(before, after)).count())
}

fn text_splice(before: &str, after: &str) -> TextSplice {
    let same = |one: &u8, other: &u8| one == other;
    let (mut first, mut last) = same_around((before.as_bytes(), after.as_bytes()), same, same);
    // A letter of several bytes is the same or another one, never half of each.
    while !(before.is_char_boundary(first) && after.is_char_boundary(first)) {
        first = first.saturating_sub(1);
    }
    let ends = |last: usize| (before.len().saturating_sub(last), after.len().saturating_sub(last));
    while !(before.is_char_boundary(ends(last).0) && after.is_char_boundary(ends(last).1)) {
        last = last.saturating_sub(1);
    }
    let (end_before, end_after) = ends(last);
    let units = |text: Option<&str>| text.unwrap_or_default().chars().map(char::len_utf16).sum();
    TextSplice {
        at: units(before.get(..first)),
        removed: units(before.get(first..end_before)),
        added: after.get(first..end_after).unwrap_or_default().to_owned(),
    }
}

fn item_splice(before: &[ProjectItem], after: &[ProjectItem]) -> ItemSplice {
    let line = |items: &[ProjectItem]| items.last().map_or(0, |item| i64::from(item.line()));
    let lines = line(after).saturating_sub(line(before));
    let (first, last) = same_around(
        (before, after),
        |before, after| after.is_as(before, 0),
        |before, after| after.is_as(before, lines),
    );
    let end = after.len().saturating_sub(last);
    ItemSplice {
        at: first,
        removed: before.len().saturating_sub(first).saturating_sub(last),
        added: after.get(first..end).unwrap_or_default().to_vec(),
        lines: if last == 0 { 0 } else { lines },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a browser makes the text of it.
    fn made(before: &str, TextSplice { at, removed, added }: &TextSplice) -> String {
        let units: Vec<u16> = before.encode_utf16().collect();
        let mut after = units[..*at].to_vec();
        after.extend(added.encode_utf16());
        after.extend(&units[at + removed..]);
        String::from_utf16(&after).unwrap()
    }

    #[test]
    fn a_text_is_told_by_what_is_different_in_it() {
        let texts =
            ["", "a", "ab", "aab", "abab", "häb", "hüb", "h😀b", "h😁b", "😀", "😀😀", "é", "è", "x\ny\n"];
        for before in texts {
            for after in texts {
                let splice = text_splice(before, after);
                assert_eq!(made(before, &splice), after, "{before:?} to {after:?}: {splice:?}");
            }
        }
        let long = "<TestCase/>\n".repeat(1_000);
        let splice = text_splice(&long, &long.replacen("<TestCase/>\n", "<TestCase a='1'/>\n", 1));
        assert!(splice.added.len() < 20, "{splice:?}");
    }
}
