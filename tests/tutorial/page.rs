//! A page as a person works through it: what is typed, what is written into files, what is seen.

use std::{fs, path::Path};

/// One block of a page, with the line of its fence.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// Commands, to be typed in order.
    Type { line: usize, text: String },
    /// A file, whose name stands before it: `mylab/tests/ping.sh`, and a colon.
    Write { line: usize, path: String, text: String },
    /// What the commands before it print; `…` is anything, alone on a line any lines.
    See { line: usize, text: String },
    /// A part of a file of this repository, as it stands there: `<!-- examples/demo/tests/x.py -->`.
    Quote,
    /// Nothing to be tried, for the reason that the page says: `<!-- not tried: why -->`.
    Leave { line: usize, why: String },
}

/// The blocks of a page, in order.
///
/// # Errors
/// A block says not what becomes of it: every one is typed, written, seen, quoted, or left with a reason.
pub(crate) fn steps(name: &str) -> Result<Vec<Step>, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    read(name, &fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?)
}

fn read(name: &str, text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    // What stands on the last line before a block that is not empty.
    let mut before = "";
    let mut lines = (1..).zip(text.lines());
    while let Some((line, text)) = lines.next() {
        let Some(language) = text.trim_start().strip_prefix("```") else {
            if !text.trim().is_empty() {
                before = text.trim();
            }
            continue;
        };
        let inside: Vec<&str> =
            lines.by_ref().map(|(_, text)| text).take_while(|text| text.trim() != "```").collect();
        let block = inside.join("\n") + "\n";
        let is_after_commands = matches!(steps.last(), Some(Step::Type { .. }));
        let step = step(line, language.trim(), before, block, is_after_commands);
        steps.push(step.ok_or_else(|| {
            format!("{name}:{line}: nothing says what becomes of this block; name its file (`path`:) before it, or say <!-- not tried: why -->")
        })?);
        before = "";
    }
    Ok(steps)
}

fn step(line: usize, language: &str, before: &str, text: String, is_after_commands: bool) -> Option<Step> {
    if let Some(comment) = before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
        return Some(match comment.strip_prefix("not tried: ") {
            Some(why) => Step::Leave { line, why: why.to_owned() },
            None => Step::Quote,
        });
    }
    if let Some(path) = file_named(before) {
        return Some(Step::Write { line, path: path.to_owned(), text });
    }
    match language {
        "sh" => Some(Step::Type { line, text }),
        "text" | "toml" if is_after_commands => Some(Step::See { line, text }),
        _ => None,
    }
}

/// The path in code at the end of a line, before its colon.
fn file_named(before: &str) -> Option<&str> {
    let path = before.strip_suffix("`:")?.rsplit('`').next()?;
    (path.contains(['.', '/']) && !path.contains(' ')).then_some(path)
}

/// Whether what was seen is what a page shows, but for the widths of blanks.
pub(crate) fn shows(shown: &str, seen: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: Vec<String> = shown.lines().map(words).filter(|line| !line.is_empty()).collect();
    let seen: Vec<String> = seen.lines().map(words).filter(|line| !line.is_empty()).collect();
    (0..=seen.len()).any(|from| fits(&shown, seen.get(from..).unwrap_or_default()))
}

fn fits(shown: &[String], seen: &[String]) -> bool {
    match (shown, seen) {
        ([], _) => true,
        ([line, rest @ ..], _) if line == "…" => {
            (0..=seen.len()).any(|skip| fits(rest, seen.get(skip..).unwrap_or_default()))
        }
        ([line, rest @ ..], [first, more @ ..]) => fits_line(line, first) && fits(rest, more),
        ([_, ..], []) => false,
    }
}

fn fits_line(shown: &str, seen: &str) -> bool {
    match shown.split_once('…') {
        None => shown == seen,
        Some((start, rest)) => seen.strip_prefix(start.trim_end()).is_some_and(|after| {
            let ends = after.char_indices().map(|(at, _)| at).chain([after.len()]);
            rest.is_empty()
                || ends.clone().any(|at| after.get(at..).is_some_and(|tail| fits_line(rest, tail)))
        }),
    }
}

#[test]
fn every_block_says_what_becomes_of_it() {
    let page = "Do:\n\n```sh\nls\n```\n\n```text\na\n```\n\nIn `a/b.xml`:\n\n```xml\n<x/>\n```\n<!-- not tried: no -->\n```sh\nrm\n```\n";
    let steps = read("p", page).unwrap();
    assert_eq!(steps[0], Step::Type { line: 3, text: "ls\n".to_owned() });
    assert_eq!(steps[1], Step::See { line: 7, text: "a\n".to_owned() });
    assert_eq!(steps[2], Step::Write { line: 13, path: "a/b.xml".to_owned(), text: "<x/>\n".to_owned() });
    assert_eq!(steps[3], Step::Leave { line: 17, why: "no".to_owned() });
    assert!(read("p", "Look:\n```xml\n<x/>\n```\n").unwrap_err().starts_with("p:2:"));
}

#[test]
fn what_is_seen_is_what_is_shown() {
    assert!(shows("a  b\n", "x\na b\ny\n"));
    assert!(shows("a …\n…\nz\n", "a 1\nb\nc\nz\n"));
    assert!(shows("run … of … tests\n", "run 1 of 2 tests\n"));
    assert!(!shows("a\nc\n", "a\nb\nc\n"));
    assert!(!shows("a\n", "b\n"));
    assert!(!shows("run … of tests\n", "run 1 of 2\n"));
}
