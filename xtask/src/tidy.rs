//! The rules of the house that Clippy cannot know.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::command::root;

/// Lines of a file before its first `#[cfg(test)]`; more and it is two ideas.
const PRODUCTION_LINES_MAX: usize = 500;

/// Reads every source file that Git knows, or would.
pub(crate) fn run() -> Result<()> {
    let files = sources()?;
    if files.is_empty() {
        bail!("tidy: found no source file; is this a Git checkout?");
    }
    let mut faults = Vec::new();
    for file in &files {
        let text =
            fs::read_to_string(root().join(file)).with_context(|| format!("reading {}", file.display()))?;
        check(file, &text, &mut faults);
    }
    if faults.is_empty() {
        eprintln!("tidy: {} files are in order", files.len());
        return Ok(());
    }
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    bail!("tidy: {} faults", faults.len());
}

fn sources() -> Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"])
        .current_dir(root())
        .output()
        .context("asking git for the files")?;
    let names = String::from_utf8(listed.stdout)?;
    Ok(names.lines().map(PathBuf::from).filter(|file| fs::metadata(root().join(file)).is_ok()).collect())
}

/// Adds what is wrong with one file.
fn check(file: &Path, text: &str, faults: &mut Vec<String>) {
    let production: Vec<&str> = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").collect();
    let is_test = file.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
    let mut fault = |line: usize, what: &str| faults.push(format!("{}:{line}: {what}", file.display()));

    // What a file of tests beside its module is for, the module says.
    let is_beside = is_test && file.components().any(|part| part.as_os_str() == "src");
    if !text.starts_with("//!") && !is_beside {
        fault(1, "a file opens with `//!` and what it is for");
    }
    if production.len() > PRODUCTION_LINES_MAX && !is_test {
        fault(PRODUCTION_LINES_MAX, "more than 500 production lines; which two ideas are in it?");
    }
    let of_databases = ["central-engine/src/store", "central-engine/src/lab_db"];
    let may_have_sql =
        of_databases.iter().any(|room| file.starts_with(room) || file.with_extension("").ends_with(room));
    for (number, line) in (1..).zip(text.lines()) {
        let is_mark = |word: &str| unfinished().iter().any(|mark| mark == word);
        if line.split(|c: char| !c.is_ascii_alphanumeric()).any(is_mark) {
            fault(number, "unfinished; do it, or write it down as an open point in docs/");
        }
        if line.contains(concat!("#[", "allow(")) {
            fault(number, "use #[expect(lint, reason = \"…\")], which ends itself");
        }
        if line.contains("sqlx::query") && file.starts_with("central-engine") && !may_have_sql {
            fault(number, "SQL stands in store/ and lab_db/ only");
        }
    }
}

/// The marks of unfinished work, put together here so that this file has none.
fn unfinished() -> [String; 3] {
    ["TO", "FIX", "XX"].map(|first| match first {
        "TO" => format!("{first}DO"),
        "FIX" => format!("{first}ME"),
        _ => format!("{first}X"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(file: &str, text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        check(Path::new(file), text, &mut faults);
        faults
    }

    #[test]
    fn a_file_in_order_has_no_fault() {
        assert_eq!(faults("device/src/a.rs", "//! What it is for.\nfn a() {}\n"), Vec::<String>::new());
    }

    #[test]
    fn each_rule_is_seen() {
        assert_eq!(faults("a/src/a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(faults("a/src/a.rs", &format!("//! A.\n{}", "fn a() {}\n".repeat(500))).len(), 1);
        assert_eq!(faults("a/src/a.rs", &format!("//! A.\n// {}\n", unfinished()[0])).len(), 1);
        assert_eq!(faults("central-engine/src/http/a.rs", "//! A.\nsqlx::query(q)\n").len(), 1);
        assert_eq!(faults("central-engine/src/store/a.rs", "//! A.\nsqlx::query(q)\n").len(), 0);
    }
}
