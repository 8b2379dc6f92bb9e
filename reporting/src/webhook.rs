//! What a webhook is told of a run that has ended: as JSON for programs, as a message for Slack, Mattermost and Teams.
//!
//! Chats have limits and marks of their own. What a test or a project wrote is text there, whatever it looks like: it mentions nobody, makes no
//! links and no headings.

mod chat;

use jackfield_protocol::id::{RunId, TestIndex};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    changes::{Changes, Tally},
    results::{Results, Row},
    summary::{Summary, headline, name_not_passed},
    text::{one_line, shortened},
};

pub use self::chat::{mattermost, mattermost_test, slack, slack_test, teams, teams_test};

/// Tests that are named of each kind of change; the others are counted.
const CHANGES_NAMED_MAX: usize = 100;
/// Most characters of a reason.
const REASON_CHARACTERS_MAX: usize = 300;

/// A test that is named.
#[derive(Debug, Serialize)]
struct Named {
    test: u32,
    suite: String,
    name: String,
    file: String,
    verdict: &'static str,
    cause: Option<&'static str>,
    reason: String,
    ep: Option<String>,
    link: Option<String>,
    /// Since which run it does not pass, where it did not before either.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<RunId>,
}

impl Named {
    fn of(results: &Results, row: Row<'_>) -> Self {
        Self {
            test: row.index.0,
            suite: results.suite_path(row.test.suite).join("/"),
            name: row.test.name.to_string(),
            file: row.test.file.to_string(),
            verdict: row.state().as_str(),
            cause: row.cause().map(|cause| cause.as_str()),
            reason: shortened(&one_line(row.reason()), REASON_CHARACTERS_MAX),
            ep: row.ep().map(ToString::to_string),
            link: results.link_to(row.index),
            since: None,
        }
    }
}

/// Tests of one kind: how many, and the first of them.
#[derive(Debug, Serialize)]
struct Several {
    count: usize,
    tests: Vec<Named>,
}

/// A run, as programs read it. `id` is the same each time it is told, so that who hears it twice can tell.
pub fn json(results: &Results, changes: Option<&Changes>, id: &str) -> String {
    let summary = Summary::of(results);
    let mut named = Vec::new();
    let more = name_not_passed(results, |row| named.push(Named::of(results, row)));
    let whole = json!({
        "type": "run.ended",
        "id": id,
        "headline": headline(results, &summary),
        "run": summary.run(results),
        "stopped": results.stopped,
        "pass_rate": summary.counts.pass_rate(),
        "link": results.link(),
        "changes": changes.map(|changes| changed(results, changes)),
        "not_passed": named,
        "more_not_passed": more,
    });
    whole.to_string()
}

/// What says nothing but that it arrives.
pub fn json_test(lab: &str, id: &str) -> String {
    json!({"type": "test", "id": id, "headline": test_text(lab)}).to_string()
}

fn test_text(lab: &str) -> String {
    format!("A test from Jackfield on {lab}: this webhook works.")
}

fn changed(results: &Results, changes: &Changes) -> Value {
    let plain = |tests: &[TestIndex]| each(results, tests.iter().map(|test| (*test, None)));
    let trend = changes
        .trend
        .iter()
        .map(|Tally { run, passed, failed }| json!({"run": run, "passed": passed, "failed": failed}));
    json!({
        "against": changes.against,
        "sentence": changes.sentence(),
        "broken": plain(&changes.broken),
        "mended": plain(&changes.mended),
        "still": each(results, changes.still.iter().map(|(test, since)| (*test, Some(*since)))),
        "flaky": plain(&changes.flaky),
        "new": changes.new,
        "gone": changes.gone,
        "trend": trend.collect::<Vec<_>>(),
    })
}

fn each(results: &Results, tests: impl ExactSizeIterator<Item = (TestIndex, Option<RunId>)>) -> Several {
    let count = tests.len();
    let named = tests
        .take(CHANGES_NAMED_MAX)
        .filter_map(|(test, since)| Some(Named { since, ..Named::of(results, results.row(test)?) }));
    Several { count, tests: named.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn changes() -> Changes {
        Changes {
            against: RunId(40),
            broken: vec![TestIndex(3)],
            mended: vec![TestIndex(1)],
            still: vec![(TestIndex(6), RunId(37))],
            trend: vec![Tally { run: RunId(40), passed: 9, failed: 2 }],
            ..Changes::default()
        }
    }

    fn pretty(body: &str) -> String {
        let value: Value = serde_json::from_str(body).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    }

    #[test]
    fn a_run_for_programs() {
        insta::assert_snapshot!(pretty(&json(&fixture::demo(), Some(&changes()), "run-41.ci")));
        assert_eq!(
            serde_json::from_str::<Value>(&json(&fixture::demo(), None, "x")).unwrap()["changes"],
            Value::Null
        );
    }

    #[test]
    fn a_run_for_slack() {
        insta::assert_snapshot!(pretty(&slack(&fixture::demo(), Some(&changes()))));
    }

    #[test]
    fn a_run_for_mattermost() {
        insta::assert_snapshot!(pretty(&mattermost(&fixture::demo(), Some(&changes()))));
    }

    #[test]
    fn a_run_for_teams() {
        insta::assert_snapshot!(pretty(&teams(&fixture::demo(), Some(&changes()))));
    }

    #[test]
    fn messages_stay_within_the_limits_of_chats() {
        let mut results = fixture::large(100_000);
        results.run.project = "<!channel> @all ".repeat(500);
        for test in results.tests.iter_mut().filter_map(|test| test.outcome.as_mut()) {
            test.reason = "*bold* `code` @here <https://evil|here> ".repeat(100);
        }
        let changes = Changes { broken: (0..100_000).map(TestIndex).collect(), ..changes() };
        let slack = slack(&results, Some(&changes));
        let body: Value = serde_json::from_str(&slack).unwrap();
        for block in body["blocks"].as_array().unwrap() {
            let (kind, text) = (&block["type"], block["text"]["text"].as_str().unwrap());
            assert!(text.chars().count() <= if kind == "header" { 150 } else { 3_000 }, "{kind}: {text}");
        }
        assert!(!slack.contains("<!channel>") && !slack.contains("<https://evil"), "{slack}");
        let mattermost = mattermost(&results, Some(&changes));
        assert!(
            mattermost.chars().count() < 16_000
                && !mattermost.contains("@all")
                && !mattermost.contains("@here")
        );
        assert!(teams(&results, Some(&changes)).len() < 28_000);
        assert!(json(&results, Some(&changes), "x").len() < 500_000);
    }
}
