//! The web pages: built from `web-ui/src` into `web-ui/dist`, which the engine's build takes into the binary.
//!
//! Nothing that is made here is in a commit. What was made from the same sources is not made again: the hash of all that
//! goes in stands beside what came out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::command::{self, root};

/// What a build of the pages is made from; files, and folders with all that is in them.
const SOURCES: [&str; 11] = [
    "web-ui/package.json",
    "web-ui/package-lock.json",
    "web-ui/vite.config.ts",
    "web-ui/svelte.config.js",
    "web-ui/tsconfig.json",
    "web-ui/index.html",
    "web-ui/public",
    "web-ui/scripts",
    "web-ui/src",
    "central-engine/src/http/snapshots",
    "docs",
];

/// What else their tests read.
const TEST_SOURCES: [&str; 3] = ["web-ui/e2e", "web-ui/.prettierrc.json", "web-ui/.prettierignore"];

/// Where npm puts a project's packages, and where we note from which lock file they came.
const PACKAGES: &str = "web-ui/node_modules";

/// Builds the pages, unless they are there.
pub(crate) fn build() -> Result<()> {
    install()?;
    unless_done("web-ui/dist/.made-from", &SOURCES, || npm(&["run", "build"]))
}

/// Types, formatting, and tests that need no browser.
pub(crate) fn check() -> Result<()> {
    install()?;
    let sources = [&SOURCES[..], &TEST_SOURCES[..]].concat();
    unless_done("web-ui/node_modules/.checked", &sources, || npm(&["run", "check"]))
}

/// Tests that need no browser.
pub(crate) fn test() -> Result<()> {
    install()?;
    npm(&["run", "test"])
}

/// Stories in a browser, against the binary that was built last.
pub(crate) fn stories() -> Result<()> {
    install()?;
    npm(&["run", "stories"])
}

/// Figures of the pages in a browser, for a binary, into a file.
pub(crate) fn measures(binary: &Path, figures: &Path) -> Result<()> {
    install()?;
    let mut npm = Command::new("npm");
    npm.args(["run", "measures"]).current_dir(root().join("web-ui"));
    command::run(npm.env("JACKFIELD_BIN", binary).env("JACKFIELD_MEASURES", figures))
}

/// The packages of the lock file, exactly.
fn install() -> Result<()> {
    let mark = format!("{PACKAGES}/.made-from");
    unless_done(&mark, &["web-ui/package.json", "web-ui/package-lock.json"], || {
        npm(&["ci", "--no-audit", "--no-fund"])
    })
}

/// Does something, unless `mark` says that it was done with the same sources.
fn unless_done(mark: &str, sources: &[&str], make: impl FnOnce() -> Result<()>) -> Result<()> {
    let (mark, wanted) = (root().join(mark), hash(sources)?);
    if fs::read_to_string(&mark).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    make()?;
    fs::write(&mark, wanted).with_context(|| format!("writing {}", mark.display()))
}

/// The hash of files and folders, with the names of what is in them.
fn hash(sources: &[&str]) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    for source in sources {
        let mut files = Vec::new();
        collect(&root().join(source), &mut files)?;
        files.sort();
        for file in files {
            let content = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
            hasher.update(file.to_string_lossy().as_bytes());
            hasher.update(&content.len().to_le_bytes());
            hasher.update(&content);
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Every file below a path, but for what the build of the pages makes itself.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("reading {}", path.display()))? {
            collect(&entry?.path(), files)?;
        }
    } else if !path.ends_with("src/api/schema.ts") {
        files.push(path.to_owned());
    }
    Ok(())
}

fn npm(arguments: &[&str]) -> Result<()> {
    if !command::succeeds(Command::new("npm").arg("--version")) {
        bail!(
            "the pages need Node 20.19 or newer with npm, which is not on the PATH; Debian's `nodejs` of bookworm is too \
             old: take https://nodejs.org/"
        );
    }
    command::run(Command::new("npm").args(arguments).current_dir(root().join("web-ui")))
}
