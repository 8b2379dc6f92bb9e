//! The Test Anything Protocol, version 14: a plan, a point for each test, and what is known of it as a YAML block.
//!
//! What was skipped is `ok` with a directive, as TAP wants it; nothing else that did not pass is `ok`, also not a test that never ran.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use jackfield_protocol::verdict::Verdict;

use super::Line;
use crate::{
    results::{Results, Row},
    text::one_line,
};

/// Writes it.
pub(super) fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "TAP version 14\n1..{}", results.plan.tests.len())?;
    if let Some(stopped) = &results.stopped {
        writeln!(out, "# {}", one_line(stopped))?;
    }
    for row in results.rows() {
        out.write_all(point(results, row).as_bytes())?;
    }
    Ok(())
}

fn point(results: &Results, row: Row<'_>) -> String {
    let is_skipped = row.verdict() == Some(Verdict::Skipped);
    let is_ok = is_skipped || row.verdict() == Some(Verdict::Pass);
    let line = Line::of(results, row);
    let ok = if is_ok { "ok" } else { "not ok" };
    let name = format!("{}/{}", line.suite, line.name);
    let number = line.test.saturating_add(1);
    let mut text = format!("{ok} {number} - {}", description(&name));
    if is_skipped {
        let reason = description(line.reason);
        let _ = write!(text, " # SKIP{}{reason}", if reason.is_empty() { "" } else { " " });
    }
    text.push('\n');
    if !is_ok {
        block(&mut text, &line);
    }
    text
}

/// What is known of a test that is not `ok`. Values are JSON's texts, which YAML reads as they are.
fn block(text: &mut String, line: &Line<'_>) {
    text.push_str("  ---\n");
    let known = [
        ("message", Some(line.reason).filter(|reason| !reason.is_empty())),
        ("verdict", Some(line.state)),
        ("cause", line.cause),
        ("decided_by", line.decided_by.as_deref()),
        ("file", Some(line.file)),
        ("ep", line.ep),
        ("attempt", line.attempt.as_deref()),
    ];
    for (name, value) in known.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        let _ = writeln!(text, "  {name}: {}", serde_json::Value::from(value));
    }
    let _ = writeln!(text, "  duration_ms: {}\n  ...", line.elapsed_millis);
}

/// One line in which nothing is read as a directive.
fn description(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}
