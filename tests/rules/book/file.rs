//! Files that the book shows are read by the readers that read a lab's own.

use std::{fs, path::Path, sync::Arc};

use jackfield_config::{
    EngineSettings, EpSettings, Project, Read, Source, bindings::Bindings, db::DbFile, email::EmailConfig,
    mail_rules::MailRules, params::Params, profile::Profile, simulated::DeviceModel, steps::StepTest,
    test_config::TestConfig, webhooks::Webhooks,
};
use jackfield_protocol::error::FileProblem;

use crate::page::{self, Block, Page};

type Reader = fn(&str, &str) -> Vec<FileProblem>;

/// Files by what introduces them in prose, or by their names in a script, each with its reader. The last one named before
/// a block is meant.
const READERS: [(&str, &str, Reader); 14] = [
    ("toml", "mail.toml", |name, text| problems(MailRules::read(&source(name, text)))),
    ("toml", "webhooks.toml", |name, text| problems(Webhooks::read(&source(name, text)))),
    ("toml", "engine.toml", |name, text| problems(EngineSettings::read(&source(name, text)))),
    ("toml", "ep.toml", |name, text| problems(EpSettings::read(&source(name, text)))),
    ("toml", ".steps.toml", |name, text| StepTest::parse(name, text).err().unwrap_or_default()),
    ("toml", "profiles/", |name, text| Profile::parse(name, text).err().unwrap_or_default()),
    ("toml", "device model", |name, text| DeviceModel::parse(name, text).err().unwrap_or_default()),
    ("xml", "projects/", |name, text| problems(Project::read(name, &source(name, text)))),
    ("xml", "suites/", |name, text| problems(Project::read(name, &source(name, text)))),
    ("xml", "configs/", |name, text| problems(TestConfig::read(name, &source(name, text)))),
    ("xml", "bindings.xml", |name, text| problems(Bindings::read(&source(name, text)))),
    ("xml", "globals.xml", |name, text| problems(Params::read(&source(name, text)))),
    ("xml", "db.xml", |name, text| problems(DbFile::read(&source(name, text)))),
    ("xml", "email.xml", |name, text| problems(EmailConfig::read(&source(name, text)))),
];

fn source(name: &str, text: &str) -> Arc<Source> {
    Arc::new(Source::new(name, text))
}

/// Warnings too: what the book shows is clean.
fn problems<T>(read: Read<T>) -> Vec<FileProblem> {
    read.problems
}

/// The reader of what was named last in a text.
fn reader(language: &str, text: &str) -> Option<Reader> {
    READERS
        .iter()
        .filter(|(kind, _, _)| *kind == language)
        .filter_map(|(_, named, read)| Some((end_of_word(text, named)?, *read)))
        .max_by_key(|(place, _)| *place)
        .map(|(_, read)| read)
}

/// Where a name last ends in a text; `step.toml` does not name `ep.toml`.
fn end_of_word(text: &str, named: &str) -> Option<usize> {
    let stands_alone = |at: &usize| {
        let before = text.split_at(*at).0.chars().next_back();
        named.starts_with('.') || before.is_none_or(|c| !c.is_alphanumeric() && c != '.')
    };
    text.match_indices(named).map(|(at, _)| at).filter(stands_alone).last().map(|at| at + named.len())
}

/// A block with the files of ours that it includes.
fn with_includes(page: &Page, block: &Block) -> String {
    let line =
        |line: &str| match line.trim().strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}")) {
            None => line.to_owned(),
            Some(path) => {
                let path = page::root().join(page.folder()).join(path);
                fs::read_to_string(&path)
                    .unwrap_or_else(|e| panic!("{}: {}: {e}", page.at(block.line), path.display()))
            }
        };
    block.text.lines().map(|text| line(text) + "\n").collect()
}

#[test]
fn every_file_that_is_shown_can_be_read() {
    let mut wrong = Vec::new();
    let mut read = 0;
    for page in page::all() {
        for block in page.blocks.iter().filter(|block| ["toml", "xml"].contains(&block.language.as_str())) {
            let at = page.at(block.line);
            let Some(reader) = reader(&block.language, &block.before) else {
                let known: Vec<_> = READERS.iter().map(|(_, named, _)| *named).collect();
                wrong.push(format!("{at}: nothing before it says what file this is ({})", known.join(", ")));
                continue;
            };
            read += 1;
            wrong.extend(reader(&at, &with_includes(&page, block)).iter().map(ToString::to_string));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(read > 5, "the book shows files, but only {read} were found");
}

#[test]
fn every_file_that_a_script_makes_can_be_read() {
    let mut wrong = Vec::new();
    let mut read = 0;
    for page in page::all() {
        for block in page.blocks.iter().filter(|block| block.language == "sh") {
            for (name, text) in made_files(&block.text) {
                let language = Path::new(name).extension().and_then(|end| end.to_str()).unwrap_or_default();
                let Some(reader) = reader(language, name) else { continue };
                read += 1;
                wrong.extend(
                    reader(&format!("{} {name}", page.at(block.line)), &text).iter().map(ToString::to_string),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(read > 1, "the book's scripts make files, but only {read} were found");
}

/// Files that a script makes with `cat > NAME <<'END'`.
fn made_files(script: &str) -> Vec<(&str, String)> {
    let mut files = Vec::new();
    let mut lines = script.lines();
    while let Some(line) = lines.next() {
        let Some((name, end)) = line.strip_prefix("cat > ").and_then(|rest| rest.split_once(" <<")) else {
            continue;
        };
        let end = end.trim_matches(['\'', '"']);
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        files.push((name, text.join("\n") + "\n"));
    }
    files
}

#[test]
fn every_snippet_of_an_example_stands_in_it() {
    let mut wrong = Vec::new();
    for page in page::all() {
        for block in &page.blocks {
            let last = block.before.trim_end().lines().last().unwrap_or_default();
            let Some(path) = last.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) else {
                continue;
            };
            // What is not tried says why: tests/tutorial.
            if path.starts_with("not tried: ") {
                continue;
            }
            let at = page.at(block.line);
            match fs::read_to_string(page::root().join(path)) {
                Ok(text) if text.contains(&block.text) => {}
                Ok(_) => wrong.push(format!("{at}: {path} does not hold these lines any more")),
                Err(e) => wrong.push(format!("{at}: {path}: {e}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_wrong_in_a_shown_file_is_seen() {
    let wrong =
        |language, before, text| reader(language, before).map(|reader| !reader("page", text).is_empty());
    assert_eq!(wrong("toml", "As `engine.toml` or `ep.toml`:", "nonsense = 1\n"), Some(true));
    assert_eq!(
        wrong("toml", "A test, `a.steps.toml`:", "title = 'a'\n[[steps]]\nnonsense = 1\n"),
        Some(true)
    );
    assert_eq!(wrong("xml", "In `projects/`:", "<Root><Nonsense/></Root>"), Some(true));
    assert_eq!(
        wrong(
            "toml",
            "As `engine.toml` or `ep.toml`:",
            "[runners.lua]\nkind = 'command'\ncommand = ['lua5.4']\n"
        ),
        Some(false)
    );
    assert_eq!(wrong("toml", "A step.toml:", ""), None);
    assert_eq!(made_files("cat > ep.toml <<'E'\na = 1\nE\nls\n"), [("ep.toml", "a = 1\n".to_owned())]);
}
