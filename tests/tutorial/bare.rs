//! The README and the first hour on a bare Debian 12, word for word: what a newcomer has, and no package more than the
//! pages install.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use jackfield_tests::{present::asked_for, shell::sh};

use crate::{
    page::{Step, steps},
    reader::Reader,
    terminal::Machine,
};

/// Whether it is asked for: it fetches a root file system.
fn is_wanted() -> bool {
    asked_for(
        "container",
        "it needs root and Debian's mmdebstrap, and fetches a bare Debian 12 to target/ (a minute, 200 MB, once)",
    )
}

/// What a page installs.
fn packages(page: &str) -> Vec<String> {
    let installs = |step: Step| match step {
        Step::Type { text, .. } => text,
        Step::Write { .. } | Step::See { .. } | Step::Quote | Step::Leave { .. } => String::new(),
    };
    let texts: Vec<String> = steps(page).unwrap().into_iter().map(installs).collect();
    let lists =
        texts.iter().flat_map(|text| text.lines()).filter_map(|line| line.split_once("apt-get install "));
    lists.flat_map(|(_, names)| names.split_whitespace()).map(str::to_owned).collect()
}

/// A bare Debian with these packages, made once.
fn root_file_system(packages: &[String]) -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let target = here.ancestors().nth(3).context("test binaries are in target/<profile>/deps")?;
    let name = format!("bare-{}", packages.join("-"));
    let (root, half) = (target.join(&name), target.join(format!("{name}.half")));
    if !is_there(&root) {
        drop(fs::remove_dir_all(&half));
        let include =
            if packages.is_empty() { String::new() } else { format!("--include={}", packages.join(",")) };
        sh(&format!(
            "mmdebstrap --quiet --variant=minbase --aptopt='APT::Install-Recommends \"false\"' {include} bookworm {}",
            half.display()
        ))
        .context("apt-get install mmdebstrap")?;
        fs::write(half.join("usr/local/bin/jackfield"), "")?;
        fs::rename(&half, &root)?;
    }
    Ok(root)
}

fn is_there(root: &Path) -> bool {
    root.try_exists().unwrap_or(false)
}

fn follow(page: &str) {
    let packages = packages(page);
    assert!(!packages.is_empty(), "{page} installs what its tests use");
    let root = root_file_system(&packages).unwrap();
    let machine = Machine::start(Some(&root)).unwrap();
    Reader::new(&machine).follow(page);
}

#[test]
fn the_readme_on_a_bare_machine() {
    if is_wanted() {
        follow("README.md");
    }
}

#[test]
fn the_first_hour_on_a_bare_machine() {
    if is_wanted() {
        follow("docs/first-hour.md");
    }
}
