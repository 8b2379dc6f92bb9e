//! A command that a message tells people to run is one that runs.

use std::fs;

use super::architecture::{root, sources};

const CRATES: [&str; 4] = ["protocol", "execution-process", "central-engine", "cli"];

#[test]
fn whoever_is_told_to_make_a_token_is_told_that_it_has_a_name() {
    let mut found = Vec::new();
    for krate in CRATES {
        for path in sources(root().join(krate).join("src")) {
            if fs::read_to_string(&path).unwrap().contains("token create --") {
                found.push(path);
            }
        }
    }
    assert!(found.is_empty(), "`jackfield token create` wants NAME first: {found:?}");
}
