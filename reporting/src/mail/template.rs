//! What templates of mail can say: Twister's `$name`, and handlebars with the numbers and lists of the run.

use handlebars::{Handlebars, RenderErrorReason, no_escape};
use jackfield_protocol::{id::TestIndex, log::Stream};
use serde::Serialize;

use crate::{
    changes::Changes,
    excerpt::Logs,
    insert::{Piece, pieces},
    results::{Results, Row},
    summary::{NAMED_SUITES_MAX, SuiteSummary, Summary, did_not_pass, headline, name_not_passed},
    text::{grouped, local, one_line, shortened, span},
};

use super::{
    chart::{ChartView, ReportChart},
    trend,
};

/// Most characters of a reason in a mail.
const REASON_CHARACTERS_MAX: usize = 300;

/// Tests that are named of each kind of change; the others are counted.
const CHANGES_NAMED_MAX: usize = 15;

/// Tests whose last lines are quoted; those of the others are behind their links.
const LOGS_QUOTED_MAX: usize = 10;
/// Lines of a log that are quoted, and characters of each.
const LOG_LINES_MAX: usize = 8;
const LINE_CHARACTERS_MAX: usize = 200;
/// How much of a log is looked at for them.
const LOG_BYTES_MAX: usize = 4 * 1024;

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("mail template `{name}`{place} cannot be used: {what}")]
pub struct TemplateError {
    name: String,
    place: String,
    what: String,
}

/// What a handlebars template may name.
#[derive(Debug, Serialize)]
pub(super) struct View {
    run: u64,
    project: String,
    user: String,
    state: String,
    headline: String,
    stopped: Option<String>,
    message: String,
    /// Its lines: Outlook knows no `white-space`.
    message_lines: Vec<String>,
    pass_rate: String,
    tests: String,
    counts: Vec<CountView>,
    started: Option<String>,
    ended: Option<String>,
    elapsed: String,
    engine: String,
    link: Option<String>,
    suites: Vec<SuiteView>,
    more_suites: usize,
    not_passed: Vec<TestView>,
    more_not_passed: u64,
    changes: Option<ChangesView>,
    charts: Vec<ChartView>,
}

/// What changed since the last run; each list has at most so many names as fit on a screen.
#[derive(Debug, Serialize)]
struct ChangesView {
    against: u64,
    sentence: String,
    lists: Vec<ChangeList>,
    trend: Option<TrendView>,
}

/// The picture of the last runs.
#[derive(Debug, Serialize)]
struct TrendView {
    name: &'static str,
    told: String,
    runs: usize,
    width: usize,
    height: usize,
}

#[derive(Debug, Serialize)]
struct ChangeList {
    what: &'static str,
    colour: &'static str,
    count: usize,
    tests: Vec<ChangedTest>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct ChangedTest {
    name: String,
    since: Option<u64>,
    reason: String,
}

#[derive(Debug, Serialize)]
struct CountView {
    verdict: &'static str,
    count: u32,
}

#[derive(Debug, Serialize)]
struct SuiteView {
    path: String,
    eps: String,
    tests: String,
    verdicts: String,
    pass_rate: String,
    time: String,
}

#[derive(Debug, Serialize)]
struct TestView {
    suite: String,
    name: String,
    file: String,
    verdict: &'static str,
    cause: &'static str,
    reason: String,
    ep: String,
    time: String,
    attempt: Option<String>,
    /// Where its page is; none where the engine's address is not known.
    link: Option<String>,
    /// The last lines of its log; none where it has none, or enough are quoted.
    log: Vec<String>,
}

impl View {
    pub(super) fn of(
        results: &Results,
        logs: &dyn Logs,
        summary: &Summary,
        message: &str,
        changes: Option<&Changes>,
        charts: &[ReportChart],
    ) -> Self {
        let run = &results.run;
        let when = |time| local(time, results.engine.utc_offset_secs, "%Y-%m-%d %H:%M:%S %:z");
        let mut not_passed = Vec::new();
        let more_not_passed = name_not_passed(results, |row| {
            let log = if not_passed.len() < LOGS_QUOTED_MAX { last_lines(logs, row) } else { Vec::new() };
            not_passed.push(TestView { log, ..TestView::of(results, row) });
        });
        Self {
            run: run.id.0,
            project: run.project.clone(),
            user: run.user.to_string(),
            state: run.state.as_str().to_owned(),
            headline: headline(results, summary),
            stopped: results.stopped.clone(),
            message: message.to_owned(),
            message_lines: message.lines().map(str::to_owned).collect(),
            pass_rate: summary.counts.pass_rate_text(),
            tests: grouped(summary.counts.total().into()),
            counts: summary
                .counts
                .each()
                .map(|(v, count)| CountView { verdict: v.as_str(), count })
                .collect(),
            started: run.started.map(when),
            ended: run.ended.map(when),
            elapsed: span(results.elapsed_millis()),
            engine: results.engine.hostname.clone(),
            link: results.link(),
            suites: summary.suites.iter().take(NAMED_SUITES_MAX).map(SuiteView::of).collect(),
            more_suites: summary.suites.len().saturating_sub(NAMED_SUITES_MAX),
            not_passed,
            more_not_passed,
            changes: changes.map(|changes| ChangesView::of(results, changes)),
            charts: (1..).zip(charts).map(|(number, chart)| ChartView::of(number, chart)).collect(),
        }
    }
}

impl ChangesView {
    fn of(results: &Results, changes: &Changes) -> Self {
        let plain = |tests: &[TestIndex]| tests.iter().map(|test| (*test, None)).collect::<Vec<_>>();
        let still = changes.still.iter().map(|(test, since)| (*test, Some(since.0))).collect();
        let lists = [
            ("newly broken", "#c4232b", plain(&changes.broken)),
            ("mended", "#1a7f37", plain(&changes.mended)),
            ("still broken", "#9a6700", still),
            ("passed only when tried again", "#57606a", plain(&changes.flaky)),
        ];
        let lists = lists.into_iter().filter(|(_, _, tests)| !tests.is_empty());
        let lists = lists.map(|(what, colour, tests)| ChangeList {
            what,
            colour,
            count: tests.len(),
            more: tests.len().saturating_sub(CHANGES_NAMED_MAX),
            tests: tests.iter().take(CHANGES_NAMED_MAX).map(|test| ChangedTest::of(results, *test)).collect(),
        });
        let trend = (changes.trend.len() > 1).then(|| TrendView {
            name: trend::TREND,
            told: trend::told(&changes.trend),
            runs: changes.trend.len(),
            width: trend::WIDTH,
            height: trend::HEIGHT,
        });
        Self { against: changes.against.0, sentence: changes.sentence(), lists: lists.collect(), trend }
    }
}

/// The last lines of the log of a test; what stands before them is behind its link.
fn last_lines(logs: &dyn Logs, row: Row<'_>) -> Vec<String> {
    let excerpt = row.last().and_then(|last| logs.tail(last, Stream::Cli, LOG_BYTES_MAX)).unwrap_or_default();
    let lines: Vec<String> = excerpt.text.lines().map(one_line).filter(|line| !line.is_empty()).collect();
    let first = lines.len().saturating_sub(LOG_LINES_MAX);
    lines.iter().skip(first).map(|line| shortened(line, LINE_CHARACTERS_MAX)).collect()
}

/// The last lines of logs for the plain part; empty where there are none.
pub(super) fn logs_text(view: &View) -> String {
    let mut text = String::new();
    for test in view.not_passed.iter().filter(|test| !test.log.is_empty()) {
        let link = test.link.as_ref().map(|link| format!(" {link}")).unwrap_or_default();
        text.push_str(&format!("{}/{}:{link}\n", one_line(&test.suite), one_line(&test.name)));
        test.log.iter().for_each(|line| text.push_str(&format!("  | {line}\n")));
    }
    text
}

impl ChangedTest {
    fn of(results: &Results, (test, since): (TestIndex, Option<u64>)) -> Self {
        let row = results.row(test);
        let name = row.map(|row| {
            let suite = results.suite_path(row.test.suite).join("/");
            format!("{suite}/{}", row.test.name)
        });
        let reason = row.filter(did_not_pass).map_or("", |row| row.reason());
        Self {
            name: name.unwrap_or_default(),
            since,
            reason: shortened(&one_line(reason), REASON_CHARACTERS_MAX),
        }
    }
}

/// The same for the plain part.
pub(super) fn changes_text(results: &Results, changes: &Changes) -> String {
    let view = ChangesView::of(results, changes);
    let mut text = match &*view.sentence {
        "" => format!("Nothing changed since run {}.\n", view.against),
        sentence => format!("Since run {}: {sentence}.\n", view.against),
    };
    for ChangeList { what, tests, more, .. } in &view.lists {
        text.push_str(&format!("\n{what}:\n"));
        for test in tests {
            let since = test.since.map(|since| format!(" (since run {since})")).unwrap_or_default();
            let reason = if test.reason.is_empty() { String::new() } else { format!(": {}", test.reason) };
            text.push_str(&format!("  {}{since}{reason}\n", one_line(&test.name)));
        }
        if *more > 0 {
            text.push_str(&format!("  … and {more} more\n"));
        }
    }
    text
}

impl SuiteView {
    fn of(suite: &SuiteSummary) -> Self {
        let eps: Vec<&str> = suite.eps.iter().map(|ep| ep.as_str()).collect();
        Self {
            path: suite.path.clone(),
            eps: eps.join(", "),
            tests: grouped(suite.counts.total().into()),
            verdicts: suite.counts.sentence(),
            pass_rate: suite.counts.pass_rate_text(),
            time: span(suite.elapsed_millis),
        }
    }
}

impl TestView {
    fn of(results: &Results, row: Row<'_>) -> Self {
        debug_assert!(did_not_pass(&row), "only such tests are named");
        Self {
            suite: results.suite_path(row.test.suite).join("/"),
            name: row.test.name.to_string(),
            file: row.test.file.to_string(),
            verdict: row.state().as_str(),
            cause: row.cause().map_or("", |cause| cause.as_str()),
            reason: shortened(&one_line(row.reason()), REASON_CHARACTERS_MAX),
            ep: row.ep().map_or(String::new(), ToString::to_string),
            time: span(row.elapsed_millis()),
            attempt: row.last().map(|last| last.attempt.to_string()),
            link: results.link_to(row.index),
            log: Vec::new(),
        }
    }
}

/// Fills a handlebars template; HTML is escaped unless the template is for plain text. A name that does not exist is an
/// error, so that a slip of the pen is found by the test mail and not by its readers.
pub(super) fn fill(name: &str, template: &str, view: &View, plain: bool) -> Result<String, TemplateError> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    if plain {
        registry.register_escape_fn(no_escape);
    }
    let place = |line: Option<usize>, column: Option<usize>| match (line, column) {
        (Some(line), Some(column)) => format!(" at {line}:{column}"),
        (Some(line), None) => format!(" at line {line}"),
        (None, _) => String::new(),
    };
    registry.register_template_string(name, template).map_err(|error| TemplateError {
        name: name.to_owned(),
        place: error.pos().map_or(String::new(), |(line, column)| place(Some(line), Some(column))),
        what: one_line(&error.reason().to_string()),
    })?;
    registry.render(name, view).map_err(|error| TemplateError {
        name: name.to_owned(),
        place: place(error.line_no, error.column_no),
        what: if let RenderErrorReason::MissingVariable(Some(name)) = error.reason() {
            format!("there is no `{name}` in a run")
        } else {
            one_line(&error.reason().to_string())
        },
    })
}

/// Puts values into the places of `$name` and `${name}`; a name without a value stays as it was written.
pub(super) fn substitute(template: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, _)) = rest.split_once('$') {
        filled.push_str(before);
        let from_dollar = rest.get(before.len()..).unwrap_or_default();
        let (piece, length) = pieces::dollar(from_dollar);
        let (written, after) = from_dollar.split_at_checked(length).unwrap_or((from_dollar, ""));
        match piece {
            Some(Piece::Variable(name)) => {
                filled.push_str(&value(&name).unwrap_or_else(|| written.to_owned()))
            }
            Some(Piece::Text(text)) => filled.push_str(&text),
            Some(Piece::Field(_)) | None => filled.push_str(written),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_filled_in_and_others_stay() {
        let value = |name: &str| (name == "user").then(|| "ana $user".to_owned());
        for (template, expected) in [
            (
                "[$user] of $other, ${user}s ${other} $$5 $5 $",
                "[ana $user] of $other, ana $users ${other} $5 $5 $",
            ),
            ("none", "none"),
            ("", ""),
        ] {
            assert_eq!(substitute(template, value), expected);
        }
    }
}
