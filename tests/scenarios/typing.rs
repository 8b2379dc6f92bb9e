//! Command lines as somebody types them in the lab's folder: alone, or as a page of the book shows them.

use std::{fs, path::Path, process::Command};

use jackfield_tests::{Bench, api::Api, process::jackfield};
use serde_json::Value;

/// How a line ended, and what it said.
pub(crate) fn typed(bench: &Bench, api: &Api, line: &str) -> (i32, String) {
    let mut command = Command::new("sh");
    let folder = jackfield().parent().unwrap().display().to_string();
    let line = format!("PATH={folder}:$PATH\n{line}");
    command.args(["-c", &line]).current_dir(bench.lab());
    api.typed(&mut command).unwrap()
}

#[track_caller]
pub(crate) fn done(bench: &Bench, api: &Api, line: &str) -> String {
    let (code, said) = typed(bench, api, line);
    assert_eq!(code, 0, "{line}: {said}");
    said
}

#[track_caller]
pub(crate) fn refused(bench: &Bench, api: &Api, line: &str, why: &str) {
    let (code, said) = typed(bench, api, line);
    assert_eq!(code, 2, "{line}: {said}");
    assert!(said.contains(why), "{line}: {said}");
}

/// Works through a page of the book: lines of `console` are typed and say what the page shows, `json` is left to the caller, and any other
/// block is written into the file that is named before it. The answer is how many lines were typed, and the JSON.
pub(crate) fn follow(bench: &Bench, page: &str) -> (usize, Vec<Value>) {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page)).unwrap();
    let mut blocks = page.split("```");
    let (mut lines, mut bodies) = (0, Vec::new());
    while let (Some(before), Some(block)) = (blocks.next(), blocks.next()) {
        let (kind, text) = block.split_once('\n').unwrap();
        match kind {
            "console" => lines += type_in(bench, &bench.api, text, plain),
            "json" => bodies.push(serde_json::from_str(text).unwrap()),
            _ => bench.write(before.trim_end().rsplit('`').nth(1).unwrap(), text).unwrap(),
        }
    }
    (lines, bodies)
}

/// Types each line of a `console` block: what it says is what stands below it, as far as `told` goes. The answer is how many lines there are.
pub(crate) fn type_in(bench: &Bench, api: &Api, block: &str, told: fn(&str) -> String) -> usize {
    let mut lines = 0;
    for typed in block.split("$ ").skip(1) {
        let (line, wanted) = typed.split_once('\n').unwrap();
        assert_eq!(told(&done(bench, api, line)), told(wanted), "{line}");
        lines += 1;
    }
    lines
}

/// What was said with its instants made alike, and columns no wider than they need be.
fn plain(text: &str) -> String {
    let word = |word: &str| {
        let is_instant = word.starts_with("20") && word.ends_with('Z');
        if is_instant { "T".to_owned() } else { word.to_owned() }
    };
    let lines = text.lines().map(|line| line.split_whitespace().map(word).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}
