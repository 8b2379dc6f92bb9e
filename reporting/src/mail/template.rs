//! What templates of mail can say: Twister's `$name`, and handlebars with the numbers and lists of the run.

use handlebars::{Handlebars, RenderErrorReason, no_escape};
use serde::Serialize;

use crate::{
    insert::{Piece, pieces},
    results::{Results, Row},
    summary::{NAMED_SUITES_MAX, SuiteSummary, Summary, did_not_pass, headline, name_not_passed},
    text::{grouped, local, one_line, shortened, span},
};

/// Most characters of a reason in a mail.
const REASON_CHARACTERS_MAX: usize = 300;

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
}

impl View {
    pub(super) fn of(results: &Results, summary: &Summary, message: &str) -> Self {
        let run = &results.run;
        let when = |time| local(time, results.engine.utc_offset_secs, "%Y-%m-%d %H:%M:%S %:z");
        let mut not_passed = Vec::new();
        let more_not_passed = name_not_passed(results, |row| not_passed.push(TestView::of(results, row)));
        Self {
            run: run.id.0,
            project: run.project.clone(),
            user: run.user.to_string(),
            state: run.state.as_str().to_owned(),
            headline: headline(results, summary),
            stopped: results.stopped.clone(),
            message: message.to_owned(),
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
            link: (!results.engine.url.is_empty()).then(|| format!("{}/runs/{}", results.engine.url, run.id)),
            suites: summary.suites.iter().take(NAMED_SUITES_MAX).map(SuiteView::of).collect(),
            more_suites: summary.suites.len().saturating_sub(NAMED_SUITES_MAX),
            not_passed,
            more_not_passed,
        }
    }
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
