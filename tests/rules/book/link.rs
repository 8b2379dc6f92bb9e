//! Every page is in the table of contents, and every link leads to something.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use crate::page::{self, Page};

#[test]
fn every_page_is_in_the_table_of_contents() {
    let summary = Page::open("docs/SUMMARY.md");
    let listed: Vec<String> = summary.links.iter().map(|link| format!("docs/{}", link.text)).collect();
    let set: BTreeSet<&String> = listed.iter().collect();
    assert_eq!(set.len(), listed.len(), "docs/SUMMARY.md lists a page twice");
    let pages = page::book();
    let pages: BTreeSet<&String> = pages.iter().filter(|name| *name != "docs/SUMMARY.md").collect();
    let missing: Vec<_> = pages.difference(&set).collect();
    assert!(missing.is_empty(), "docs/SUMMARY.md does not list {missing:?}");
    let extra: Vec<_> = set.difference(&pages).collect();
    assert!(extra.is_empty(), "docs/SUMMARY.md lists what is not there: {extra:?}");
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for page in page::all() {
        for link in &page.links {
            if let Err(why) = follow(&page, &link.text) {
                broken.push(format!("{}: [](…{}…): {why}", page.at(link.line), link.text));
            }
        }
    }
    assert!(broken.is_empty(), "{} broken links:\n{}", broken.len(), broken.join("\n"));
}

fn follow(page: &Page, target: &str) -> Result<(), String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() { PathBuf::from(&page.name) } else { flat(&page.folder().join(path))? };
    let full = page::root().join(&file);
    if path.ends_with('/') && !full.is_dir() {
        return Err(format!("{} is no folder", file.display()));
    }
    if !full.try_exists().map_err(|e| e.to_string())? {
        return Err(format!("{} is not there", file.display()));
    }
    if anchor.is_empty() {
        return if target.contains('#') { Err("# without a name".to_owned()) } else { Ok(()) };
    }
    let there = Page::open(file.to_str().unwrap());
    if there.anchors.iter().any(|known| known == anchor) {
        return Ok(());
    }
    Err(format!("{} has no heading #{anchor}, only {}", there.name, there.anchors.join(", ")))
}

/// The path without `..`; one that leaves the repository is an error.
fn flat(path: &Path) -> Result<PathBuf, String> {
    let mut flat = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if flat.pop() => {}
            Component::Normal(name) => flat.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err("it leaves the repository".to_owned());
            }
        }
    }
    Ok(flat)
}

#[test]
fn a_link_that_leads_nowhere_is_seen() {
    let page = Page::open("README.md");
    assert_eq!(follow(&page, "docs/SUMMARY.md"), Ok(()));
    for broken in ["docs/none.md", "docs/lab-files.md#none", "#none", "../else.md", "docs/book.toml/"] {
        assert!(follow(&page, broken).is_err(), "{broken}");
    }
}
