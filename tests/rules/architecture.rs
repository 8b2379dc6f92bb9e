//! Who may import whom. A dependency between our crates is a decision: it is a change of this table.

use std::{collections::BTreeMap, fs, path::PathBuf};

/// Each crate with the crates of ours that it may import. Tests and chores may import anything.
const ALLOWED: [(&str, &[&str]); 12] = [
    ("protocol", &[]),
    ("tls", &["protocol"]),
    ("resource-allocator", &["protocol"]),
    ("scheduler", &["protocol", "resource-allocator"]),
    ("config", &["protocol", "resource-allocator"]),
    ("reporting", &["protocol"]),
    ("device", &["protocol", "config"]),
    ("run-as", &[]),
    ("execution-process", &["protocol", "tls", "config", "device", "run-as"]),
    ("web-ui", &[]),
    (
        "central-engine",
        &["protocol", "tls", "config", "resource-allocator", "scheduler", "reporting", "web-ui"],
    ),
    (
        "cli",
        &[
            "central-engine",
            "execution-process",
            "device",
            "config",
            "protocol",
            "reporting",
            "tls",
            "run-as",
        ],
    ),
];

/// Crates that do no I/O, read no clock and roll no dice, with the one module that may.
const PURE: [(&str, &str); 5] =
    [("protocol", ""), ("resource-allocator", ""), ("scheduler", ""), ("reporting", ""), ("config", "load")];

/// What a pure crate never names in its production code.
const IMPURE: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "SystemTime",
    "Instant::now",
    "tokio",
    "rand::",
];

pub(super) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).parse().unwrap()
}

/// Every `.rs` file below a folder.
pub(super) fn sources(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn crates_import_only_what_the_table_allows() {
    let table: BTreeMap<_, _> = ALLOWED.into_iter().collect();
    for (folder, allowed) in table {
        let manifest = manifest(folder);
        let imports = manifest["dependencies"].as_table().unwrap().keys();
        for import in imports.filter_map(|name| name.strip_prefix("jackfield-")) {
            assert!(allowed.contains(&import), "{folder} imports {import}, which the table does not allow");
        }
    }
}

#[test]
fn every_crate_of_the_workspace_is_in_the_table() {
    let workspace: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    for member in workspace["workspace"]["members"].as_array().unwrap() {
        let member = member.as_str().unwrap();
        let known =
            ALLOWED.iter().any(|(folder, _)| *folder == member) || ["tests", "xtask"].contains(&member);
        assert!(known, "{member} is in no row of the table");
        let manifest = manifest(member);
        assert_eq!(
            manifest["lints"]["workspace"].as_bool(),
            Some(true),
            "{member} does not use the workspace's lints"
        );
    }
}

#[test]
fn pure_crates_touch_nothing() {
    for (folder, shell) in PURE {
        for file in sources(root().join(folder).join("src")) {
            let of_tests = |part: std::path::Component<'_>| {
                part.as_os_str() == "tests" || part.as_os_str() == "tests.rs"
            };
            let is_shell = |part: &std::path::Path| part.file_stem().is_some_and(|stem| stem == shell);
            if file.ancestors().take(2).any(is_shell) || file.components().rev().take(2).any(of_tests) {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let production = text.split("#[cfg(test)]").next().unwrap();
            for (number, line) in (1..).zip(production.lines()) {
                let code = line.split("//").next().unwrap();
                for word in IMPURE {
                    assert!(!code.contains(word), "{}:{number}: a pure crate names {word}", file.display());
                }
            }
        }
    }
}
