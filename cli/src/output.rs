//! What commands print: tables for people, JSON for scripts; data on standard output, talk on standard error.

use std::{
    io::{IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::Result;
use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use jackfield_protocol::{
    error::Problem,
    verdict::{TestState, Verdict},
};
use serde::Serialize;
use serde_json::{Value, json};

/// How to print. As JSON there is one document on standard output, always: what was asked for, or the problem.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

/// Whether this process has printed its document.
static PRINTED: AtomicBool = AtomicBool::new(false);

impl Output {
    /// JSON, or tables.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether JSON is wanted.
    pub(crate) fn json(self) -> bool {
        self.json
    }

    /// Prints a value as JSON, or as what `show` makes of it for people.
    pub(crate) fn print<T: Serialize>(self, value: &T, show: impl FnOnce(&T) -> String) -> Result<()> {
        if self.json {
            PRINTED.store(true, Ordering::Relaxed);
            say(&serde_json::to_string_pretty(value)?)
        } else {
            say(&show(value))
        }
    }

    /// Prints a list: as JSON an array, as every list is.
    pub(crate) fn list<T: Serialize>(self, items: &[T], show: impl FnOnce(&[T]) -> String) -> Result<()> {
        self.print(&items, |items| show(items))
    }

    /// The same of a page of the engine's.
    pub(crate) fn page(self, page: &Value, show: impl FnOnce(&Value) -> String) -> Result<()> {
        let items = page.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        self.print(&items, |_| show(page))
    }

    /// Says that something was done: a sentence, or an object with the word for it and to what it was done.
    pub(crate) fn done(self, word: &str, to: impl Serialize, sentence: &str) -> Result<()> {
        self.print(&json!({"done": word, "to": to}), |_| sentence.to_owned())
    }

    /// Prints what went wrong as JSON, unless the document is printed already.
    pub(crate) fn problem(self, problem: &Problem) {
        if self.json && !PRINTED.load(Ordering::Relaxed) {
            // Where nobody reads it, standard error has the sentence.
            let _ = self.print(problem, |_| String::new());
        }
    }
}

/// `1 test`, `13 tests`.
pub(crate) fn tests_of(count: impl TryInto<u64>) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    if count == 1 { "1 test".to_owned() } else { format!("{count} tests") }
}

/// Prints one text to standard output. A reader that has closed its end (`| head`) is no error.
pub(crate) fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Talks on standard error.
#[expect(clippy::print_stderr, reason = "talk goes to standard error from here")]
pub(crate) fn talk(text: &str) {
    eprintln!("{text}");
}

/// Says an error on standard error.
pub(crate) fn complain(text: &str) {
    // https://no-color.org: whatever it says, if it says anything.
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|word| !word.is_empty());
    let (red, plain) =
        if std::io::stderr().is_terminal() && !is_plain { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    talk(&format!("{red}error:{plain} {text}"));
}

/// A table with these headings, plain enough for `grep`.
pub(crate) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(headings);
    if !std::io::stdout().is_terminal() {
        table.force_no_tty();
    }
    table
}

/// A state with its colour; the word is always there too.
pub(crate) fn state_cell(state: TestState) -> Cell {
    Cell::new(state.as_str()).fg(match state {
        TestState::Ended(Verdict::Pass) => Color::Green,
        TestState::Ended(Verdict::Fail | Verdict::Invalid | Verdict::Timeout) => Color::Red,
        TestState::Ended(Verdict::Aborted | Verdict::NotExecuted) => Color::Magenta,
        TestState::Ended(Verdict::Skipped) | TestState::Waiting => Color::Yellow,
        TestState::Working => Color::Cyan,
        TestState::Pending => Color::Reset,
    })
}

/// A span as people read it: `0.04 s`, `12.3 s`, `3 min 05 s`, `2 h 10 min`.
pub(crate) fn span(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..10 => format!("{}.{:02} s", seconds, millis % 1000 / 10),
        10..60 => format!("{}.{} s", seconds, millis % 1000 / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Reads a time as people write it: `90`, `90s`, `500ms`, `10m`, `2h`.
pub(crate) fn span_of(text: &str) -> Result<std::time::Duration, String> {
    let refuse =
        || format!("`{text}` is no time; write seconds, or a number with ms, s, m or h: 90s, 10m, 2h");
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_not_a_number| refuse())?;
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(refuse()),
    };
    let millis = number.checked_mul(unit).filter(|millis| *millis > 0).ok_or_else(refuse)?;
    Ok(std::time::Duration::from_millis(millis))
}
