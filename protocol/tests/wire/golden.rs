//! Writing gives exactly the file, and reading the file gives the value.

use std::{collections::BTreeSet, fs, path::PathBuf};

use jackfield_protocol::log::LogFrame;

use crate::{log_frame, sample, sample::Reading, versions, word};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v1"))
}

#[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
fn writing() -> bool {
    std::env::var("JACKFIELD_GOLDEN").is_ok_and(|value| value == "write")
}

/// Checks files one after the other and tells of all that differ.
#[derive(Default)]
struct Files {
    seen: BTreeSet<PathBuf>,
    complaints: Vec<String>,
}

impl Files {
    /// The text of a golden file, which is to be `written`.
    fn hold(&mut self, name: &str, written: &str) -> String {
        let path = folder().join(name);
        self.seen.insert(path.clone());
        if writing() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, written).unwrap();
        }
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) => {
                self.complaints.push(format!("{}: {e}", path.display()));
                return String::new();
            }
        };
        if text != written {
            self.complaints.push(format!("{}: written now as\n{written}", path.display()));
        }
        text
    }

    fn expect<T: PartialEq + std::fmt::Debug>(&mut self, name: &str, read: T, expected: T) {
        if read != expected {
            self.complaints.push(format!("{name}: read as {read:?}, not {expected:?}"));
        }
    }

    fn finish(self) {
        let help = "if the change is meant, and no released version wrote the file: JACKFIELD_GOLDEN=write";
        assert!(self.complaints.is_empty(), "{}\n{help}", self.complaints.join("\n"));
    }
}

#[test]
fn everything_is_written_and_read_as_its_file_says() {
    let mut files = Files::default();
    for sample in sample::all() {
        let name = format!("{}.json", sample.name);
        let text = files.hold(&name, &sample.full_text);
        files.expect(&name, sample.read(&text), Ok(Reading::Full));
        if let Some(bare) = &sample.bare_text {
            let name = format!("{}.bare.json", sample.name);
            let text = files.hold(&name, bare);
            files.expect(&name, sample.read(&text), Ok(Reading::Bare));
        }
    }
    for words in word::all() {
        let name = format!("{}.json", words.name);
        let text = files.hold(&name, &words.text);
        files.expect(&name, (words.reads)(&text), Ok(()));
    }
    for frame in log_frame::all() {
        let name = format!("{}.hex", frame.name);
        let bytes = log_frame::bytes_of(&files.hold(&name, &frame.hex()));
        files.expect(&name, LogFrame::decode(&bytes).ok(), Some(frame.frame));
    }
    files.hold("words/error_status.json", &word::error_statuses());
    files.hold("required.json", &versions::required_fields());
    for path in all_files() {
        if !files.seen.contains(&path) {
            files.complaints.push(format!("{}: no message is written so any more", path.display()));
        }
    }
    files.finish();
}

fn all_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}
