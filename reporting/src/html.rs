//! The HTML report: one file that needs nothing but a browser.
//!
//! It says what happened, then what did not pass with reasons and the ends of logs, then lists all tests. The list is data in
//! the page that a small script shows 200 at a time, so a run of 100,000 tests opens at once; without the script its first 200
//! are there as they are. What is left out is said. Verdicts are words with signs, never colours alone.

mod list;

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use jackfield_protocol::{
    link::Check,
    log::Stream,
    verdict::{Outcome, Verdict},
};

use crate::{
    excerpt::Logs,
    results::{AttemptResult, Results, Row},
    summary::{NAMED_SUITES_MAX, Summary, did_not_pass, headline},
    text::{escaped, grouped, local, one_line, span},
};

/// Most tests in the section of what did not pass.
const DETAILED_TESTS_MAX: usize = 200;

/// Most bytes of a log in it.
const LOG_BYTES_MAX: usize = 8 * 1024;

/// Most bytes of all logs in it together.
const ALL_LOGS_BYTES_MAX: usize = 1024 * 1024;

/// Most parts of a test in it.
const PARTS_MAX: usize = 100;

/// Most checked figures in it.
const FIGURES_MAX: usize = 500;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Writes the report. The writer should be buffered.
///
/// # Errors
/// Those of the writer.
pub fn write(results: &Results, logs: &dyn Logs, out: &mut dyn Write) -> io::Result<()> {
    let summary = Summary::of(results);
    let title = format!("{} run {}", results.run.project, results.run.id);
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<a class=\"skip\" href=\"#tests\">To the list of all tests</a>\n<main>\n",
        escaped(&title)
    )?;
    head(results, &summary, out)?;
    suites(&summary, out)?;
    not_passed(results, &summary, logs, out)?;
    figures(results, out)?;
    list::write(results, out)?;
    write!(out, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n")
}

fn head(results: &Results, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let run = &results.run;
    writeln!(out, "<h1>{} <span class=\"soft\">run {}</span></h1>", escaped(&run.project), run.id)?;
    writeln!(out, "<p>{}</p>", escaped(&headline(results, summary)))?;
    if let Some(stopped) = &results.stopped {
        writeln!(out, "<p class=\"notice\">{}</p>", escaped(stopped))?;
    }
    writeln!(out, "<ul class=\"tally\" aria-label=\"Verdicts\">")?;
    for (verdict, count) in summary.counts.each() {
        let count = grouped(count.into());
        writeln!(out, "<li class=\"{verdict}\"><b>{count}</b> {} {verdict}</li>", sign(Some(verdict)))?;
    }
    if summary.counts.unfinished > 0 {
        writeln!(out, "<li><b>{}</b> … not ended</li>", grouped(summary.counts.unfinished.into()))?;
    }
    writeln!(out, "<li><b>{}</b> pass rate</li>\n</ul>", summary.counts.pass_rate_text())?;
    facts(results, summary, out)
}

fn facts(results: &Results, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let run = &results.run;
    let engine = &results.engine;
    let when = |time| local(time, engine.utc_offset_secs, "%a %Y-%m-%d %H:%M:%S %:z");
    let mut facts = vec![
        ("started by", run.user.to_string()),
        ("project file", results.plan.source.clone()),
        ("submitted", when(run.submitted)),
        ("started", run.started.map(when).unwrap_or_default()),
        ("ended", run.ended.map(when).unwrap_or_default()),
        ("engine", join(&[&engine.software, &engine.hostname, &engine.location])),
        ("pre script", results.pre.as_ref().map(outcome_text).unwrap_or_default()),
        ("post script", results.post.as_ref().map(outcome_text).unwrap_or_default()),
    ];
    let causes: Vec<String> =
        summary.causes.iter().map(|(cause, count)| format!("{cause} {count}")).collect();
    facts.push(("who is to blame", causes.join(", ")));
    if summary.failed_cleanups > 0 {
        facts.push(("clean-ups that did not pass", summary.failed_cleanups.to_string()));
    }
    let defined = results.plan.options.user_defined.iter();
    let defined: Vec<(String, String)> =
        defined.map(|(name, value)| (name.to_string(), value.to_string())).collect();
    writeln!(out, "<dl>")?;
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(value))?;
    }
    for (name, value) in &defined {
        writeln!(out, "<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value))?;
    }
    for (ep, host) in &results.hosts {
        let machine = join(&[&host.name, &host.ip, &host.os]);
        writeln!(out, "<dt>EP {}</dt><dd>{}</dd>", escaped(ep.as_str()), escaped(&machine))?;
    }
    writeln!(out, "</dl>")
}

fn join(words: &[&str]) -> String {
    words.iter().copied().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}

/// `FAIL (lab): exit status 3`.
fn outcome_text(outcome: &Outcome) -> String {
    let cause = outcome.cause.map_or(String::new(), |cause| format!(" ({cause})"));
    let reason = if outcome.reason.is_empty() { String::new() } else { format!(": {}", outcome.reason) };
    format!("{}{cause}{reason}", outcome.verdict)
}

fn suites(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "<h2>Suites</h2>\n<table>\n<thead><tr><th scope=\"col\">suite</th><th scope=\"col\">EP</th>\
         <th scope=\"col\" class=\"number\">tests</th><th scope=\"col\">verdicts</th><th scope=\"col\" class=\"number\">pass rate</th>\
         <th scope=\"col\" class=\"number\">time</th></tr></thead>\n<tbody>\n"
    )?;
    for suite in summary.suites.iter().take(NAMED_SUITES_MAX) {
        let eps: Vec<&str> = suite.eps.iter().map(|ep| ep.as_str()).collect();
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"number\">{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            escaped(&suite.path),
            escaped(&eps.join(", ")),
            grouped(suite.counts.total().into()),
            suite.counts.sentence(),
            suite.counts.pass_rate_text(),
            span(suite.elapsed_millis)
        )?;
    }
    writeln!(out, "</tbody>\n</table>")?;
    let left = summary.suites.len().saturating_sub(NAMED_SUITES_MAX);
    if left > 0 {
        writeln!(
            out,
            "<p class=\"notice\">{left} more suites are left out here; the list of all tests names them.</p>"
        )?;
    }
    Ok(())
}

fn not_passed(results: &Results, summary: &Summary, logs: &dyn Logs, out: &mut dyn Write) -> io::Result<()> {
    let all =
        usize::try_from(summary.counts.not_passed().saturating_sub(summary.counts.unfinished)).unwrap_or(0);
    if all == 0 {
        return Ok(());
    }
    writeln!(out, "<h2>What did not pass</h2>")?;
    let mut logs_left = ALL_LOGS_BYTES_MAX;
    for row in results.rows().filter(did_not_pass).take(DETAILED_TESTS_MAX) {
        detail(results, row, out)?;
        if let Some(last) = row.last() {
            logs_left = logs_left.saturating_sub(log(last, logs, logs_left, out)?);
        }
        writeln!(out, "</article>")?;
    }
    let left = all.saturating_sub(DETAILED_TESTS_MAX);
    if left > 0 {
        let left = grouped(u64::try_from(left).unwrap_or(u64::MAX));
        writeln!(out, "<p class=\"notice\">{left} more did not pass; the list below has them all.</p>")?;
    }
    Ok(())
}

fn detail(results: &Results, row: Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    let suite = results.suite_path(row.test.suite).join("/");
    let state = row.state().as_str();
    writeln!(
        out,
        "<article>\n<h3>{} <span class=\"soft\">in {}</span> <span class=\"verdict {state}\">{} {state}</span></h3>",
        escaped(&row.test.name),
        escaped(&suite),
        sign(row.verdict())
    )?;
    if !row.reason().is_empty() {
        writeln!(out, "<p>{}</p>", escaped(row.reason()))?;
    }
    let mut facts = vec![row.test.file.to_string()];
    facts.extend(row.cause().map(|cause| format!("cause: {cause}")));
    facts.extend(row.decided_by().map(|rule| format!("decided by: {}", one_line(&rule.to_string()))));
    facts.extend(row.ep().map(|ep| format!("EP {ep}")));
    facts.extend(row.started().map(|time| local(time, results.engine.utc_offset_secs, "started %H:%M:%S")));
    facts.push(span(row.elapsed_millis()));
    writeln!(out, "<p class=\"soft\">{}</p>", escaped(&facts.join(" · ")))?;
    if let Some((_last, earlier)) = row.result.attempts.split_last() {
        for attempt in earlier {
            let end = attempt.outcome().map_or_else(|| "no end".to_owned(), outcome_text);
            let text = format!("earlier try {} on {}: {end}", attempt.attempt, attempt.ep);
            writeln!(out, "<p class=\"soft\">{}</p>", escaped(&text))?;
        }
    }
    row.last().map_or(Ok(()), |last| parts(last, out))
}

fn parts(last: &AttemptResult, out: &mut dyn Write) -> io::Result<()> {
    for (what, parts) in [("part", last.parts()), ("clean-up", last.cleanups())] {
        if parts.is_empty() {
            continue;
        }
        writeln!(out, "<ul aria-label=\"{what}s\">")?;
        for part in parts.iter().take(PARTS_MAX) {
            let reason =
                if part.reason.is_empty() { String::new() } else { format!(": {}", one_line(&part.reason)) };
            writeln!(
                out,
                "<li>{what} <span class=\"verdict {0}\">{1} {0}</span> {2} ({3}){4}{5}</li>",
                part.verdict,
                sign(Some(part.verdict)),
                escaped(&part.name),
                span(part.elapsed_millis),
                escaped(&reason),
                checks(&part.checks)
            )?;
        }
        let left = parts.len().saturating_sub(PARTS_MAX);
        if left > 0 {
            writeln!(out, "<li>… and {left} more</li>")?;
        }
        writeln!(out, "</ul>")?;
    }
    Ok(())
}

/// The values that a part checked, each with what had to hold.
fn checks(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks.iter().take(PARTS_MAX) {
        let limits =
            if check.limits.is_empty() { String::new() } else { format!(" ({})", check.shown_limits()) };
        let shown = escaped(&one_line(&format!("{}: {}{limits}", check.name, check.shown()))).to_string();
        let verdict = check.verdict;
        let sign = sign(Some(verdict));
        let _ = write!(text, "<li><span class=\"verdict {verdict}\">{sign} {verdict}</span> {shown}</li>");
    }
    let left = checks.len().saturating_sub(PARTS_MAX);
    if left > 0 {
        let _ = write!(text, "<li>… and {left} more</li>");
    }
    if text.is_empty() { text } else { format!("\n<ul aria-label=\"checked values\">{text}</ul>") }
}

/// The figures that tests checked or kept, also of those that passed.
fn figures(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let all = results.rows().flat_map(|row| checks_of(row).map(move |check| (row, check)));
    let mut all = all.filter(|(_, check)| check.is_figure()).peekable();
    if all.peek().is_none() {
        return Ok(());
    }
    write!(
        out,
        "<h2>Figures</h2>\n<table>\n<thead><tr><th scope=\"col\">test</th><th scope=\"col\">what</th>\
         <th scope=\"col\" class=\"number\">value</th><th scope=\"col\">had to be</th><th scope=\"col\">verdict</th></tr></thead>\n<tbody>\n"
    )?;
    for (row, check) in all.by_ref().take(FIGURES_MAX) {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"number\">{}</td><td>{}</td><td><span class=\"verdict {4}\">{5} {4}</span></td></tr>",
            escaped(&row.test.name),
            escaped(&one_line(&check.name)),
            escaped(&one_line(&check.shown())),
            escaped(&one_line(&check.shown_limits())),
            check.verdict,
            sign(Some(check.verdict))
        )?;
    }
    let more = all.count();
    writeln!(out, "</tbody>\n</table>")?;
    if more > 0 {
        writeln!(
            out,
            "<p class=\"notice\">{more} more figures are left out here; the JUnit file and the API have them.</p>"
        )?;
    }
    Ok(())
}

fn checks_of(row: Row<'_>) -> impl Iterator<Item = &Check> {
    row.last().into_iter().flat_map(AttemptResult::parts).flat_map(|part| &part.checks)
}

/// Writes the end of a log; how many bytes of it.
fn log(last: &AttemptResult, logs: &dyn Logs, left: usize, out: &mut dyn Write) -> io::Result<usize> {
    let bytes_max = LOG_BYTES_MAX.min(left);
    if bytes_max == 0 {
        writeln!(
            out,
            "<p class=\"soft\">Its log is left out, this page is long: jackfield runs logs {}</p>",
            last.attempt
        )?;
        return Ok(0);
    }
    let Some(excerpt) = logs.tail(last, Stream::Cli, bytes_max) else { return Ok(0) };
    writeln!(
        out,
        "<details><summary>end of its log</summary><pre tabindex=\"0\">{}</pre></details>",
        escaped(&excerpt.shown(last.attempt))
    )?;
    Ok(excerpt.text.len())
}

/// A sign beside the word of a verdict, for eyes that tell no colours apart.
fn sign(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "✔",
        Some(Verdict::Fail) => "✘",
        Some(Verdict::Skipped) => "↷",
        Some(Verdict::Aborted) => "■",
        Some(Verdict::NotExecuted) => "–",
        Some(Verdict::Timeout) => "⏱",
        Some(Verdict::Invalid) => "!",
        None => "…",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{excerpt::NoLogs, fixture};

    fn page(results: &Results, logs: &dyn Logs) -> String {
        let mut out = Vec::new();
        write(results, logs, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn body(page: &str) -> &str {
        page.split_once("</style>").unwrap().1.rsplit_once("<script>").unwrap().0
    }

    #[test]
    fn the_page_of_a_run() {
        insta::assert_snapshot!(body(&page(&fixture::demo(), &fixture::logs())));
    }

    #[test]
    fn nothing_in_it_is_taken_for_markup_or_fetched() {
        let page = page(&fixture::demo(), &fixture::logs());
        assert!(!page.contains("<script>alert"));
        assert!(!page.contains("<b>bad"));
        assert!(!page.contains("src=") && !page.contains("@import") && !page.contains("url("));
        let data = page.split_once("application/json\">").unwrap().1.split_once("</script>").unwrap().0;
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["rows"].as_array().unwrap().len(), 13);
        let name = data["rows"][6][2].as_u64().unwrap();
        assert_eq!(
            data["strings"][usize::try_from(name).unwrap()],
            "<script>alert(1)</script> & \"co\" | x.py"
        );
    }

    #[test]
    fn a_large_run_stays_small_and_says_what_it_leaves_out() {
        let page = page(&fixture::large(100_000), &NoLogs);
        assert!(page.len() < 6_000_000, "{} bytes", page.len());
        assert_eq!(page.matches("<article>").count(), DETAILED_TESTS_MAX);
        assert_eq!(page.matches("<tr><td").count(), list::LISTED_TESTS_MAX);
        assert!(page.contains("800 more did not pass; the list below has them all."));
        assert!(page.contains("the first 200 of 100,000 tests; the rest needs JavaScript"));
    }
}
