//! Somebody who works through pages: opens a terminal where the last one is taken, types, writes files, and compares.

use std::fs;

use crate::{
    page::{Step, shows, steps},
    terminal::{Machine, Terminal},
};

/// Commands that stay, and what they say when they are ready.
const STAYING: [(&str, &str); 4] = [
    ("engine", "the engine listens on"),
    ("ep", "connected to"),
    ("simulate", "telnet "),
    ("demo", "the lab stays up"),
];

/// Whoever reads.
pub(crate) struct Reader<'a> {
    machine: &'a Machine,
    terminals: Vec<Terminal>,
    /// As the engine printed it.
    password: String,
    /// What the newest commands printed.
    seen: String,
    /// How many commands were typed.
    pub(crate) commands: usize,
}

impl<'a> Reader<'a> {
    /// Somebody at this machine.
    pub(crate) fn new(machine: &'a Machine) -> Self {
        Self { machine, terminals: Vec::new(), password: String::new(), seen: String::new(), commands: 0 }
    }

    /// Works through a page.
    ///
    /// # Panics
    /// The page promises what is not so; all of that at once.
    pub(crate) fn follow(&mut self, page: &str) {
        let mut wrong = Vec::new();
        for step in steps(page).unwrap() {
            if let Err(why) = self.take(page, &step) {
                wrong.push(why);
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    fn take(&mut self, page: &str, step: &Step) -> Result<(), String> {
        match step {
            Step::Type { line, text } => self.type_in(page, *line, text),
            Step::Write { line, path, text } => {
                let file = self.machine.home().join(place_of(path));
                let made = file.parent().map_or(Ok(()), |folder| match folder.try_exists() {
                    Ok(true) => Ok(()),
                    _ => Err(format!("{page}:{line}: the folder of {path} is not there")),
                });
                made.and_then(|()| {
                    fs::write(&file, text).map_err(|error| format!("{page}:{line}: {path}: {error}"))
                })
            }
            Step::See { line, text } => {
                let fits = shows(text, &self.seen);
                fits.then_some(()).ok_or_else(|| {
                    format!("{page}:{line}: the page shows:\n{text}\nand what is seen is:\n{}", self.seen)
                })
            }
            // That it stands there is a rule of the book.
            Step::Quote => Ok(()),
            Step::Leave { line, why } => {
                eprintln!("not tried: {page}:{line}: {why}");
                Ok(())
            }
        }
    }

    fn type_in(&mut self, page: &str, line: usize, text: &str) -> Result<(), String> {
        self.seen.clear();
        let mut wrong = Vec::new();
        let mut from = line;
        for typed in typed(text) {
            let lines = typed.text().lines().count();
            let done = match typed {
                Typed::Stays { command, says } => {
                    self.terminal().and_then(|terminal| terminal.stay(command, says))
                }
                Typed::Ends(commands) if commands.contains("apt-get install") => {
                    // The machine has them: a bare one was made with what its page installs.
                    Ok(String::new())
                }
                Typed::Ends(commands) => {
                    let answers = if commands.contains("jackfield login") {
                        self.password.clone()
                    } else {
                        String::new()
                    };
                    self.terminal().and_then(|terminal| terminal.run(commands, &answers)).map(|came| {
                        wrong.extend(unexpected(page, from, commands, &came.failed, &came.output));
                        came.output
                    })
                }
            };
            self.commands += typed.text().lines().filter(|line| !line.trim().is_empty()).count();
            match done {
                Ok(output) => {
                    if let Some(password) =
                        output.split("with password `").nth(1).and_then(|rest| rest.split('`').next())
                    {
                        self.password = password.to_owned() + "\n";
                    }
                    self.seen.push_str(&output);
                }
                Err(error) => wrong.push(format!("{page}:{from}: {error:#}")),
            }
            from += lines;
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    /// The last terminal, or a new one where something runs in that.
    fn terminal(&mut self) -> anyhow::Result<&mut Terminal> {
        if self.terminals.last().is_none_or(Terminal::is_taken) {
            self.terminals.push(self.machine.terminal()?);
        }
        self.terminals.last_mut().ok_or_else(|| anyhow::anyhow!("one was opened"))
    }
}

/// A name alone is a test's.
fn place_of(path: &str) -> String {
    if path.contains('/') { path.to_owned() } else { format!("mylab/tests/{path}") }
}

/// Commands that are typed together.
enum Typed<'a> {
    Ends(&'a str),
    Stays { command: &'a str, says: &'static str },
}

impl Typed<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Ends(text) | Self::Stays { command: text, .. } => text,
        }
    }
}

/// A block, parted at the commands that stay.
fn typed(text: &str) -> Vec<Typed<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut document: Option<String> = None;
    for line in text.split_inclusive('\n') {
        let (from, plain) = (at, line.trim_end());
        at += line.len();
        if let Some(end) = &document {
            if plain == end {
                document = None;
            }
            continue;
        }
        document =
            plain.split_once("<<").map(|(_, word)| word.trim_matches(['\'', '"', '-', ' ']).to_owned());
        if let Some(says) = stays(plain) {
            parts.push(Typed::Ends(text.get(start..from).unwrap_or_default()));
            parts.push(Typed::Stays { command: plain.split('#').next().unwrap_or_default().trim(), says });
            start = at;
        }
    }
    parts.push(Typed::Ends(text.get(start..).unwrap_or_default()));
    parts.retain(|part| !part.text().trim().is_empty());
    parts
}

fn stays(line: &str) -> Option<&'static str> {
    let mut words = line.split_whitespace();
    let (program, command) = (words.next()?, words.next()?);
    let ends = words.any(|word| ["--once", "--print-config", "--help"].contains(&word));
    let staying =
        STAYING.iter().find(|(name, _)| *name == command).filter(|_| program == "jackfield" && !ends);
    staying.map(|(_, says)| *says)
}

/// What failed although the page does not say so, and what the page says would fail and did not.
fn unexpected(page: &str, from: usize, commands: &str, failed: &[(usize, i32)], output: &str) -> Vec<String> {
    let promised =
        |line: &str| line.split("# exit code ").nth(1)?.split_whitespace().next()?.parse::<i32>().ok();
    let promises: Vec<(usize, i32)> =
        (1..).zip(commands.lines()).filter_map(|(number, line)| Some((number, promised(line)?))).collect();
    if promises == failed {
        return Vec::new();
    }
    vec![format!(
        "{page}:{from}: these commands ended otherwise than promised, by line: {failed:?}, promised: {promises:?}\n{commands}\n{output}"
    )]
}

#[test]
fn a_block_is_parted_at_what_stays() {
    let parts =
        typed("a\njackfield engine --lab x   # stays\ncat <<'E'\njackfield ep\nE\njackfield demo --once\n");
    let texts: Vec<_> = parts.iter().map(|part| part.text().trim()).collect();
    assert_eq!(texts, ["a", "jackfield engine --lab x", "cat <<'E'\njackfield ep\nE\njackfield demo --once"]);
}

#[test]
fn a_failure_is_promised_or_told() {
    assert!(unexpected("p", 1, "true\nfalse # exit code 1\n", &[(2, 1)], "").is_empty());
    assert_eq!(unexpected("p", 1, "false\n", &[(1, 1)], "").len(), 1);
    assert_eq!(unexpected("p", 1, "true # exit code 1\n", &[], "").len(), 1);
}
