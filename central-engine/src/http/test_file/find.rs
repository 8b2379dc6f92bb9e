//! Test files by what they are called, what they say of themselves, and what stands in them.

use actix_web::{HttpResponse, web};
use jackfield_config::Lab;
use serde::{Deserialize, Serialize};

use super::{TestFile, about};
use crate::{
    app::App,
    auth::{Guard, MayReadProjects},
    http::{Answer, project::cancelled},
    limits,
};

/// What is looked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct FindQuery {
    /// Words that must all be there, in any order and case; without any, all files.
    #[serde(default)]
    words: String,
    /// Look into the files as well: for lines that have all the words.
    #[serde(default)]
    content: bool,
}

/// Test files that were found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct FoundFiles {
    /// By name; of more than 200 the first.
    items: Vec<FoundFile>,
    /// How many were found, also those that are not listed.
    count: usize,
    /// Some files were not looked into: all together are too large.
    cut: bool,
}

/// A test file that was found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct FoundFile {
    #[serde(flatten)]
    file: TestFile,
    /// The first line that has the words, where it was found by what stands in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<FoundLine>,
}

/// A line of a file.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
struct FoundLine {
    /// Its number, from 1.
    number: usize,
    /// What it says; a long one is cut.
    text: String,
}

/// Test files by name, by what they say of themselves, and where that is wanted by what stands in them.
#[utoipa::path(get, path = "/api/v1/test-finds", tag = "projects", params(FindQuery),
    responses((status = 200, body = FoundFiles)))]
pub(in crate::http) async fn find(
    app: web::Data<App>,
    guard: Guard<MayReadProjects>,
    query: web::Query<FindQuery>,
) -> Answer {
    let lab = app.lab.as_user(&guard.caller.user);
    let query = query.into_inner();
    let found = web::block(move || found(&lab, &query)).await.map_err(cancelled)?;
    Ok(HttpResponse::Ok().json(found))
}

fn found(lab: &Lab, query: &FindQuery) -> FoundFiles {
    let words: Vec<String> = query.words.split_whitespace().map(str::to_lowercase).collect();
    let mut found = FoundFiles { items: Vec::new(), count: 0, cut: false };
    let mut left = limits::FOUND_BYTES_MAX;
    for (name, file) in lab.test_files() {
        let is_listed = found.items.len() < limits::FOUND_FILES_MAX;
        // What is known by its name is opened only to be shown.
        let by_name = has_all(&name, &words);
        if by_name && !is_listed {
            found.count = found.count.saturating_add(1);
            continue;
        }
        if left == 0 && !by_name {
            found.cut = true;
            continue;
        }
        let most = if query.content && !by_name { limits::FOUND_FILE_BYTES_MAX } else { limits::TAG_BYTES };
        // One that went meanwhile, or that the engine may not read, is not found.
        let Ok((file, head)) = about(lab, &name, &file, most) else { continue };
        left = left.saturating_sub(head.len());
        let of_itself = file.tags.values().fold(name, |all, tag| format!("{all}\n{tag}"));
        let by_itself = by_name || has_all(&of_itself, &words);
        let line = (query.content && !by_itself).then(|| line_with(&head, &words)).flatten();
        if by_itself || line.is_some() {
            found.count = found.count.saturating_add(1);
            if is_listed {
                found.items.push(FoundFile { file, line });
            }
        }
    }
    found
}

fn has_all(text: &str, words: &[String]) -> bool {
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// The first line that has all words; none in what is no text.
fn line_with(head: &[u8], words: &[String]) -> Option<FoundLine> {
    if head.contains(&0) {
        return None;
    }
    let text = String::from_utf8_lossy(head);
    let found = text.lines().enumerate().find(|(_, line)| has_all(line, words));
    found.map(|(at, line)| FoundLine {
        number: at.saturating_add(1),
        text: line.trim().chars().take(limits::FOUND_LINE_CHARS_MAX).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_words_in_any_order_and_case() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let head = b"import os\n\n  # Reboots the ROUTER\nrouter()\n";
        let line = line_with(head, &words("router reboots")).unwrap();
        assert_eq!(line, FoundLine { number: 3, text: "# Reboots the ROUTER".to_owned() });
        assert_eq!(line_with(head, &words("router os")), None);
        assert_eq!(line_with(b"a\0router", &words("router")), None, "an executable");
    }
}
