//! Where a secret goes out: each use of a door of `Secret` is in this table. A new line is a decision, seen in a review.

use std::{collections::BTreeMap, fs, path::Path};

use super::architecture::{root, sources};

const CRATES: [&str; 10] = [
    "protocol",
    "tls",
    "config",
    "device",
    "execution-process",
    "central-engine",
    "reporting",
    "resource-allocator",
    "scheduler",
    "cli",
];

/// The doors that a file uses in production, each with how often.
fn doors(text: &str) -> BTreeMap<&str, usize> {
    let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut found = BTreeMap::new();
    for part in production.split("expose_for_").skip(1) {
        let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(part.len());
        *found.entry(part.get(..end).unwrap_or_default()).or_default() += 1;
    }
    found
}

#[test]
fn secrets_go_out_where_the_table_says_and_nowhere_else() {
    let root = root();
    let mut table = Vec::new();
    for krate in CRATES {
        for path in sources(root.join(krate).join("src")) {
            let name = path.strip_prefix(&root).unwrap_or(Path::new("")).display().to_string();
            // The type itself; and tests, which look at what they planted.
            if name == "protocol/src/secret.rs" || name.contains("/tests/") || name.ends_with("/tests.rs") {
                continue;
            }
            for (door, uses) in doors(&fs::read_to_string(&path).unwrap()) {
                table.push(format!("{name}: {door} {uses}"));
            }
        }
    }
    table.sort();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn a_door_is_found_and_a_test_is_none() {
    let text = "a.expose_for_login();\nmap(Secret::expose_for_login)\n#[cfg(test)]\nmod tests { b.expose_for_hash() }";
    assert_eq!(doors(text), BTreeMap::from([("login", 2)]));
}
