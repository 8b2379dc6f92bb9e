//! Commands that the book shows exist, with the options it shows; and those that exist are in the book.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use jackfield_tests::process::jackfield;

use crate::page::{self, Page, split_code};

/// A command line as the book shows it.
#[derive(Debug, PartialEq)]
struct Shown {
    /// The words before the first argument: `runs list`.
    words: Vec<String>,
    /// Options by their long names.
    options: Vec<String>,
}

/// The command line in a piece of code, if it is one of ours.
fn shown(code: &str) -> Option<Shown> {
    let call = code
        .trim_start()
        .strip_prefix("\"$JACKFIELD_BIN\" ")
        .or_else(|| code.trim_start().strip_prefix("jackfield "))?;
    let ends = |token: &&str| !["|", ">", "<", "&&", ";", "||"].contains(token) && !token.starts_with('#');
    let tokens: Vec<&str> = call.split_whitespace().take_while(ends).collect();
    let is_word = |token: &&&str| {
        token.starts_with(|c: char| c.is_ascii_lowercase())
            && token.bytes().all(|c| c.is_ascii_lowercase() || c == b'-')
    };
    let words = tokens.iter().take_while(is_word).map(|token| (*token).to_owned()).collect();
    let options = tokens.iter().filter_map(|token| option(token)).collect();
    Some(Shown { words, options })
}

/// `--lab` of `[--lab`, `--json`, `--engine=URL`.
fn option(token: &str) -> Option<String> {
    let name = token.trim_start_matches('[').strip_prefix("--")?;
    let name: String = name.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
    (!name.is_empty()).then(|| format!("--{name}"))
}

/// Asks the binary for help, each question once.
#[derive(Default)]
struct Binary {
    answers: BTreeMap<Vec<String>, Result<String, String>>,
}

impl Binary {
    fn help(&mut self, words: &[String]) -> Result<String, String> {
        let ask = || {
            let output =
                Command::new(jackfield()).args(words).arg("--help").output().map_err(|e| e.to_string())?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
        };
        self.answers.entry(words.to_vec()).or_insert_with(ask).clone()
    }

    /// What is wrong with a command line.
    fn check(&mut self, shown: &Shown) -> Vec<String> {
        let help = match self.help(&shown.words) {
            Ok(help) => help,
            Err(why) => return vec![why.lines().next().unwrap_or_default().to_owned()],
        };
        let known: BTreeSet<String> =
            help.split(|c: char| c.is_whitespace() || ",[]".contains(c)).filter_map(option).collect();
        let unknown = shown.options.iter().filter(|option| !known.contains(*option));
        unknown.map(|option| format!("there is no option {option}")).collect()
    }
}

/// Every command line of a page, with its line.
fn shown_on(page: &Page) -> Vec<(usize, Shown)> {
    let scripts =
        page.blocks.iter().filter(|block| ["sh", "bash", "console"].contains(&block.language.as_str()));
    let lines = scripts.flat_map(|block| (block.line + 1..).zip(block.text.lines()));
    let spans = page.code.iter().map(|code| (code.line, code.text.as_str()));
    lines.chain(spans).filter_map(|(line, code)| Some((line, shown(code)?))).collect()
}

#[test]
fn every_command_that_is_shown_exists() {
    let mut binary = Binary::default();
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in page::all() {
        for (line, shown) in shown_on(&page) {
            count += 1;
            let told = |why| format!("{}: jackfield {}: {why}", page.at(line), shown.words.join(" "));
            wrong.extend(binary.check(&shown).into_iter().map(told));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 30, "the book shows commands, but only {count} were found");
}

/// The commands of a row of the table in `docs/cli.md`: `runs list`, `show` stands for `runs list`, `runs show`. What
/// follows in the row are options of the first.
fn row_commands(row: &str) -> Vec<Shown> {
    let mut cells = row.trim_matches('|').split('|');
    let (_, names) = split_code(cells.next().unwrap_or_default());
    let mut commands: Vec<Shown> =
        names.iter().filter_map(|name| shown(&format!("jackfield {name}"))).collect();
    let group = commands
        .first()
        .filter(|first| first.words.len() == 2)
        .and_then(|first| first.words.first().cloned());
    for command in commands.iter_mut().filter(|command| command.words.len() == 1) {
        command.words.splice(0..0, group.clone());
    }
    let (_, rest) = split_code(&cells.collect::<Vec<_>>().join("|"));
    if let Some(first) = commands.first_mut() {
        first.options.extend(rest.iter().filter_map(|code| option(code)));
    }
    commands
}

#[test]
fn the_table_of_commands_is_that_of_the_binary() {
    let page = Page::open("docs/cli.md");
    let mut binary = Binary::default();
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    for row in page.rows.iter().filter(|row| row.text.starts_with("| `")) {
        for command in row_commands(&row.text) {
            let told = |why| format!("{}: jackfield {}: {why}", page.at(row.line), command.words.join(" "));
            wrong.extend(binary.check(&command).into_iter().map(told));
            listed.insert(command.words);
        }
    }
    for command in commands_of(&mut binary, &[]) {
        let inner = commands_of(&mut binary, &command);
        // A group is listed by itself (`user`), or by each of its commands.
        let alone = inner.is_empty() || inner.iter().all(|words| !listed.contains(words));
        let told = if alone { vec![command] } else { inner };
        let missing = told.iter().filter(|words| !listed.contains(*words));
        wrong.extend(missing.map(|words| format!("docs/cli.md does not list `{}`", words.join(" "))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The commands below a command, as its help lists them.
fn commands_of(binary: &mut Binary, words: &[String]) -> Vec<Vec<String>> {
    let help = binary.help(words).unwrap();
    let list = help.split_once("\nCommands:\n").map_or("", |(_, list)| list);
    let names = list.lines().take_while(|line| !line.trim().is_empty()).filter_map(|line| {
        // A line of its own begins with two spaces; the rest of a long text with more.
        line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))?.split_whitespace().next()
    });
    names.map(|name| words.iter().cloned().chain([name.to_owned()]).collect()).collect()
}

#[test]
fn a_command_that_does_not_exist_is_seen() {
    let mut binary = Binary::default();
    let mut wrong = |code: &str| binary.check(&shown(code).unwrap());
    assert_eq!(wrong("jackfield runs list --json"), [""; 0]);
    assert_eq!(wrong("jackfield runs lisst").len(), 1);
    assert_eq!(wrong("jackfield runs list --nonsense"), ["there is no option --nonsense"]);
}

#[test]
fn a_command_line_is_taken_apart() {
    let words =
        |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    for (code, command, options) in [
        ("jackfield runs list", "runs list", ""),
        ("jackfield run FILE --junit r.xml --html=r.html  # talk --of", "run", "--junit --html"),
        ("jackfield project check FILE [--lab DIR]", "project check", "--lab"),
        ("\"$JACKFIELD_BIN\" call METHOD '{}'", "call", ""),
        ("jackfield run … --json", "run", "--json"),
    ] {
        assert_eq!(shown(code), Some(Shown { words: words(command), options: words(options) }), "{code}");
    }
    assert_eq!(shown("cargo xtask demo"), None);
    let row = row_commands("| `runs list`, `show` | what ran; `--json` |");
    let names: Vec<String> = row.iter().map(|command| command.words.join(" ")).collect();
    assert_eq!(names, ["runs list", "runs show"]);
    assert_eq!(row[0].options, ["--json"]);
}
