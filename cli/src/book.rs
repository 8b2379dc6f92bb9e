//! The commands that the book and the program's own messages name: whoever types one finds that it is there.

use std::{fs, path::Path};

use clap::CommandFactory as _;

use crate::Arguments;

/// Why somebody who types this line is refused; none where it is a command with its options.
fn wrong(root: &clap::Command, line: &str) -> Option<String> {
    let mut at = root;
    let mut is_value = false;
    for word in line.split_whitespace() {
        let word = word.trim_matches(|c: char| "[](),.;:\"'…\\".contains(c));
        if word.is_empty() {
            continue;
        }
        if word == "--" || word.starts_with(['#', '|', '>', '<', '&']) {
            return None;
        }
        if let Some(option) = word.strip_prefix("--") {
            let option = option.split('=').next().unwrap_or_default();
            let known = at.get_arguments().chain(root.get_arguments()).filter_map(clap::Arg::get_long);
            if !known.chain(["help", "version"]).any(|known| known == option) {
                return Some(format!("`jackfield {line}`: `{}` has no --{option}", at.get_name()));
            }
        } else if let Some(inner) = at.find_subcommand(word).filter(|_| !is_value) {
            at = inner;
        } else {
            let takes_none = at.has_subcommands() && at.get_positionals().next().is_none();
            if takes_none && !is_value && word.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
                return Some(format!("`jackfield {line}`: `{}` has no command {word}", at.get_name()));
            }
            is_value = true;
        }
    }
    None
}

/// What stands in code behind the name of the program.
fn named(text: &str) -> Vec<&str> {
    let spans = text.split("`jackfield ").skip(1);
    spans.filter_map(|rest| rest.split(['`', '|']).next()).collect()
}

/// The commands of the table in `cli.md`, which names them without the program.
fn of_table(text: &str) -> Vec<&str> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let named = rows.filter_map(|row| row.split('`').next());
    named.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).collect()
}

/// The files below a folder with one of these endings.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "node_modules", "dist", "tests"].contains(&name.as_str()) {
            files(&path, endings, found);
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

/// The commands, with the options that they have from those above them.
fn built() -> clap::Command {
    let mut command = Arguments::command();
    command.build();
    command
}

#[test]
fn every_command_that_is_named_can_be_typed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let command = built();
    let mut all = vec![root.join("README.md"), root.join("CHANGELOG.md")];
    let sources =
        ["cli", "central-engine", "execution-process", "scheduler", "config", "device", "protocol", "sdk"];
    for folder in ["docs"].iter().chain(&sources) {
        files(&root.join(folder), &[".md", ".rs", ".py", ".toml"], &mut all);
    }
    let mut problems = Vec::new();
    let mut count = 0;
    for file in all.iter().filter(|file| !file.ends_with("cli/src/book.rs")) {
        let text = fs::read_to_string(file).unwrap();
        let of_table = if file.ends_with("docs/cli.md") { of_table(&text) } else { Vec::new() };
        for line in named(&text).into_iter().chain(of_table) {
            count += 1;
            problems.extend(wrong(&command, line).map(|why| format!("{}: {why}", file.display())));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(count > 150, "only {count} were found");
}

#[test]
fn what_cannot_be_typed_is_found() {
    let command = built();
    let cases = [
        ("runs keep RUN… [--undo]", None),
        ("runs show 41 --json", None),
        ("resource power RESOURCE on", None),
        ("console RESOURCE --take", None),
        ("eps resume EP-1", Some("`jackfield eps resume EP-1`: `eps` has no command resume")),
        ("runs prune --dry", Some("`jackfield runs prune --dry`: `prune` has no --dry")),
        ("undo", Some("`jackfield undo`: `jackfield` has no command undo")),
    ];
    for (line, expect) in cases {
        assert_eq!(wrong(&command, line).as_deref(), expect, "{line}");
    }
}
