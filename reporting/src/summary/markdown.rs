//! The page for CI servers that show Markdown (job summaries of GitHub, GitLab, Gitea).

use std::fmt::Write;

use super::{
    NAMED_SUITES_MAX, REASON_CHARACTERS_MAX, Summary, did_not_pass, headline, name_not_passed, suite_row,
};
use crate::{
    results::{Results, Row},
    text::{grouped, one_line, shortened},
};

/// The counts of a run and what did not pass.
pub fn markdown(results: &Results) -> String {
    let summary = Summary::of(results);
    let mut text = format!("## {}\n\n", cell(&headline(results, &summary)));
    if let Some(stopped) = &results.stopped {
        let _ = writeln!(text, "**{}**\n", cell(stopped));
    }
    let _ = writeln!(text, "Pass rate **{}**.\n", summary.counts.pass_rate_text());
    text.push_str("| suite | tests | pass | fail | other | time |\n|---|---:|---:|---:|---:|---:|\n");
    for suite in summary.suites.iter().take(NAMED_SUITES_MAX) {
        let _ = writeln!(text, "| {} |", suite_row(suite).map(|field| cell(&field)).join(" | "));
    }
    let left = summary.suites.len().saturating_sub(NAMED_SUITES_MAX);
    if left > 0 {
        let _ = writeln!(text, "\n… and {left} more suites.");
    }
    if results.rows().any(|row| did_not_pass(&row)) {
        text.push_str(
            "\n### What did not pass\n\n| test | verdict | cause | reason | EP |\n|---|---|---|---|---|\n",
        );
        let left = name_not_passed(results, |row| text.push_str(&markdown_row(results, row)));
        if left > 0 {
            let _ = writeln!(text, "\n… and {} more.", grouped(left));
        }
    }
    text
}

fn markdown_row(results: &Results, row: Row<'_>) -> String {
    let suite = results.suite_path(row.test.suite).join("/");
    let fields = [
        format!("{suite}/{}", row.test.name),
        row.state().as_str().to_owned(),
        row.cause().map_or("", |cause| cause.as_str()).to_owned(),
        shortened(row.reason(), REASON_CHARACTERS_MAX),
        row.ep().map_or("", |ep| ep.as_str()).to_owned(),
    ];
    format!("| {} |\n", fields.map(|field| cell(&field)).join(" | "))
}

/// Text that stays in its cell of a Markdown table and starts no markup of its own.
fn cell(text: &str) -> String {
    let mut escaped = String::new();
    for character in one_line(text).chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '~' | '#' | '>' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}
