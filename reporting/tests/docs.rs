//! What the book says about reports is what they do.

use std::{fs, path::Path};

use jackfield_reporting::{
    mail::MAIL_NAMES,
    variables::{EP_NAMES, RUN_NAMES, TEST_NAMES},
};

#[test]
fn the_book_names_every_variable_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reports.md");
    let text = fs::read_to_string(path).unwrap();
    let said: Vec<&str> =
        text.split('`').skip(1).step_by(2).map(|code| code.trim_start_matches('$')).collect();
    let names = || RUN_NAMES.iter().chain(&EP_NAMES).chain(&TEST_NAMES);
    for name in names().chain(&MAIL_NAMES) {
        assert!(said.contains(name), "docs/reports.md does not name `{name}`");
    }
    for name in said.iter().filter(|name| name.starts_with("twister_") || name.starts_with("jackfield_")) {
        assert!(names().any(|known| known == name), "docs/reports.md names `{name}`, which is no variable");
    }
}
