//! A line for each test, under a line of names.

use std::io::{self, Write};

use super::Line;
use crate::{
    results::Results,
    table::{Cell, csv_row},
};

/// The names of [`cells`].
const NAMES: [&str; 16] = [
    "test",
    "suite",
    "name",
    "file",
    "iteration",
    "state",
    "cause",
    "reason",
    "decided_by",
    "ep",
    "started",
    "finished",
    "elapsed_millis",
    "tries",
    "attempt",
    "exit_code",
];

/// Writes them all.
pub(super) fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let mut line = Vec::new();
    csv_row(&mut line, &NAMES.map(|name| Cell::Text(name.to_owned())));
    for row in results.rows() {
        out.write_all(&line)?;
        line.clear();
        csv_row(&mut line, &cells(Line::of(results, row)));
    }
    out.write_all(&line)
}

fn cells(line: Line<'_>) -> [Cell; 16] {
    let Line {
        test,
        suite,
        name,
        file,
        iteration,
        state,
        cause,
        reason,
        decided_by,
        ep,
        started,
        finished,
        elapsed_millis,
        tries,
        attempt,
        exit_code,
    } = line;
    let known = |text: Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.to_owned()));
    let owned = |text: Option<String>| text.map_or(Cell::Null, Cell::Text);
    [
        Cell::Number(test.to_string()),
        Cell::Text(suite),
        known(Some(name)),
        known(Some(file)),
        known(iteration),
        known(Some(state)),
        known(cause),
        known(Some(reason).filter(|reason| !reason.is_empty())),
        owned(decided_by),
        known(ep),
        owned(started),
        owned(finished),
        Cell::Number(elapsed_millis.to_string()),
        Cell::Number(tries.to_string()),
        owned(attempt),
        exit_code.map_or(Cell::Null, |code| Cell::Number(code.to_string())),
    ]
}
