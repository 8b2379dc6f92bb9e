//! The run and its tests as one object; each test on a line of its own, so that it is read without all the others, too.

use std::io::{self, Write};

use jackfield_protocol::link::Part;
use serde::Serialize;

use super::Line;
use crate::{results::Results, summary::Summary};

/// A test, with what was found inside it.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    /// The tests inside it, with what each checked.
    #[serde(skip_serializing_if = "<[Part]>::is_empty")]
    parts: &'a [Part],
}

/// Writes it.
pub(super) fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let run = serde_json::to_string(&Summary::of(results).run(results))?;
    let stopped = serde_json::to_string(&results.stopped)?;
    write!(out, "{{\"run\":{run},\n\"stopped\":{stopped},\n\"tests\":[")?;
    let mut comma = "";
    for row in results.rows() {
        let whole =
            Whole { line: Line::of(results, row), parts: row.last().map_or(&[], |last| last.parts()) };
        write!(out, "{comma}\n{}", serde_json::to_string(&whole)?)?;
        comma = ",";
    }
    writeln!(out, "\n]}}")
}
