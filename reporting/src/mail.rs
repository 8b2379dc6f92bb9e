//! The message that tells people a run has ended. Composed here, sent by the shell.
//!
//! Subject and message are those of `email.xml`, with `$name` filled in from all tests ([`variables::merged`]) and the counters
//! below. The plain part is the message and a table; the HTML part is the lab's `e-mail-tmpl.htm`, its own handlebars template,
//! or ours.

mod chart;
mod png;
mod template;
mod trend;

use crate::{
    changes::Changes,
    excerpt::{Logs, NoLogs},
    results::{Results, Row},
    summary::{Summary, rate_number, table},
    text::{escaped, grouped, local, one_line, shortened, span},
    variables,
};
use jackfield_protocol::verdict::Verdict;

pub use chart::ReportChart;
pub use jackfield_protocol::mailbox::Address;
pub use template::TemplateError;
pub use trend::TREND;

/// Most people a message goes to.
pub const RECIPIENTS_MAX: usize = 200;

/// Most rows of `$table`; a last row says how many more there are.
const TABLE_ROWS_MAX: usize = 1000;

/// Most values that stand for one name.
const VALUES_MAX: usize = 50;

/// Most characters of a subject.
const SUBJECT_CHARACTERS_MAX: usize = 250;

/// Names that only mail knows, beside [`variables`]: the date, and Twister's counters.
pub const MAIL_NAMES: [&str; 9] =
    ["date", "texec", "tpass", "tfail", "tabort", "tnexec", "ttimeout", "rate", "table"];

/// What `email.xml` says about the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `From`.
    pub from: String,
    /// `To`: addresses between commas or semicolons; the first is To, the others CC.
    pub to: String,
    /// `Subject`, a template.
    pub subject: String,
    /// `Message`, a template.
    pub message: String,
}

/// Where the HTML part comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HtmlTemplate {
    /// Our own.
    #[default]
    Ours,
    /// `e-mail-tmpl.htm`, with `$texec` … `$table`.
    Twister(String),
    /// A handlebars template of the lab.
    Handlebars(String),
}

/// A message, ready to be sent. No line end is left in what becomes a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who sends it.
    pub from: Address,
    /// The first recipient.
    pub to: Address,
    /// The others.
    pub cc: Vec<Address>,
    /// One line.
    pub subject: String,
    /// The plain part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// Pictures that the HTML part shows, which go along with it.
    pub pictures: Vec<Picture>,
}

/// A picture in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What the HTML part calls it: `cid:` and this.
    pub name: String,
    /// A PNG.
    pub png: Vec<u8>,
}

/// Why there is no message.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// No sender, or one that cannot stand in a header.
    #[error("`From` of email.xml is `{0}`, which is no mail address such as `lab@example.com`")]
    From(String),
    /// No recipient.
    #[error("`To` of email.xml names nobody; write addresses between commas")]
    Nobody,
    /// A recipient that cannot stand in a header.
    #[error("`To` of email.xml holds `{0}`, which is no mail address such as `ana@example.com`")]
    To(String),
    /// More than [`RECIPIENTS_MAX`].
    #[error(
        "it would go to {0} addresses, more than {RECIPIENTS_MAX}; name a mailing list in email.xml or mail.toml"
    )]
    TooMany(usize),
    /// A template of the lab.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// A text with `$name` filled in from the run, as in a subject.
pub fn filled(results: &Results, text: &str) -> String {
    let summary = Summary::of(results);
    template::substitute(text, |name| value_of(results, &NoLogs, &summary, name))
}

/// The message of a run that has ended, with what changed since the last one where that is known, and reports of the lab's database.
///
/// # Errors
/// A sender, recipient or template that cannot be used.
pub fn compose(
    results: &Results,
    logs: &dyn Logs,
    settings: &Settings,
    template: &HtmlTemplate,
    changes: Option<&Changes>,
    charts: &[ReportChart],
) -> Result<Mail, MailError> {
    let summary = Summary::of(results);
    let value = |name: &str| value_of(results, logs, &summary, name);
    let message = template::substitute(&settings.message, value);
    let view = template::View::of(results, logs, &summary, message.trim(), changes, charts);
    let html = match template {
        HtmlTemplate::Twister(text) => template::substitute(text, |name| match name {
            "table" => Some(table_rows(results)),
            other => value(other).map(|value| escaped(&value).to_string()),
        }),
        HtmlTemplate::Handlebars(text) => template::fill("the lab's HTML template", text, &view, false)?,
        HtmlTemplate::Ours => {
            template::fill("our HTML template", include_str!("mail/default.html.hbs"), &view, false)?
        }
    };
    let subject = match settings.subject.trim() {
        "" => crate::summary::headline(results, &summary),
        subject => template::substitute(subject, value),
    };
    let changed = changes.map(|changes| template::changes_text(results, changes));
    let logs_text = template::logs_text(&view);
    let charts_text = charts.iter().map(chart::text).collect::<Vec<_>>().join("\n");
    let parts = [
        message.trim().to_owned(),
        changed.unwrap_or_default(),
        charts_text,
        table(results, &summary),
        logs_text,
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.trim().is_empty()).collect();
    let text = parts.join("\n\n");
    let mail = addressed(settings, &subject, text, html)?;
    let trend =
        changes.map(|changes| Picture { name: TREND.to_owned(), png: trend::picture(&changes.trend) });
    let drawn = (1..).zip(charts).filter_map(|(number, chart)| chart::picture(number, chart));
    // A template of the lab shows what it likes; the others need not go along.
    let is_shown = |picture: &Picture| mail.html.contains(&format!("cid:{}", picture.name));
    let pictures = trend.into_iter().chain(drawn).filter(is_shown).collect();
    Ok(Mail { pictures, ..mail })
}

/// The message by which a lab tries its settings: subject and message as they stand, nothing filled in.
///
/// # Errors
/// A sender or recipient that cannot be used.
pub fn compose_test(settings: &Settings) -> Result<Mail, MailError> {
    let html = format!(
        "<!DOCTYPE html>\n<p>{}</p>\n",
        escaped(&settings.message).to_string().replace('\n', "<br>\n")
    );
    addressed(settings, &format!("Test mail: {}", settings.subject), settings.message.clone(), html)
}

/// A plain text of the lab's own, made from a handlebars template: for chat, tickets, other mail.
///
/// # Errors
/// A template that cannot be used.
pub fn fill_text(results: &Results, template: &str) -> Result<String, TemplateError> {
    let view = template::View::of(results, &NoLogs, &Summary::of(results), "", None, &[]);
    template::fill("the lab's text template", template, &view, true)
}

fn addressed(settings: &Settings, subject: &str, text: String, html: String) -> Result<Mail, MailError> {
    let from = Address::parse(&settings.from).ok_or_else(|| MailError::From(one_line(&settings.from)))?;
    let recipients = Address::split(&settings.to);
    if recipients.len() > RECIPIENTS_MAX {
        return Err(MailError::TooMany(recipients.len()));
    }
    let mut recipients = recipients
        .into_iter()
        .map(|text| Address::parse(text).ok_or_else(|| MailError::To(one_line(text))))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter();
    let to = recipients.next().ok_or(MailError::Nobody)?;
    let subject = shortened(&one_line(subject), SUBJECT_CHARACTERS_MAX);
    Ok(Mail { from, to, cc: recipients.collect(), subject, text, html, pictures: Vec::new() })
}

/// What `$name` stands for in a mail.
fn value_of(results: &Results, logs: &dyn Logs, summary: &Summary, name: &str) -> Option<String> {
    mail_value(results, summary, name).or_else(|| variables::merged(results, logs, name, VALUES_MAX))
}

/// The date and the counters; `executed` are all tests that have a verdict, as Twister counted.
fn mail_value(results: &Results, summary: &Summary, name: &str) -> Option<String> {
    let counts = &summary.counts;
    let number = |verdict| counts.of(verdict).to_string();
    Some(match name {
        "date" => {
            let time = results.run.ended.or(results.run.started).unwrap_or(results.run.submitted);
            local(time, results.engine.utc_offset_secs, "%Y-%m-%d %H:%M")
        }
        "texec" => counts.total().saturating_sub(counts.unfinished).to_string(),
        "tpass" => number(Verdict::Pass),
        "tfail" => number(Verdict::Fail),
        "tabort" => number(Verdict::Aborted),
        "tnexec" => number(Verdict::NotExecuted),
        "ttimeout" => number(Verdict::Timeout),
        "rate" => rate_number(counts.pass_rate()),
        _ => return None,
    })
}

/// The rows of `$table`.
fn table_rows(results: &Results) -> String {
    let mut rows = String::new();
    for row in results.rows().take(TABLE_ROWS_MAX) {
        rows.push_str(&table_row(results, row));
    }
    let left = results.plan.tests.len().saturating_sub(TABLE_ROWS_MAX);
    if left > 0 {
        let left = grouped(u64::try_from(left).unwrap_or(u64::MAX));
        rows.push_str(&format!("<tr><td colspan=\"6\">&nbsp;… and {left} more tests</td></tr>\n"));
    }
    rows
}

fn table_row(results: &Results, row: Row<'_>) -> String {
    let state = row.state().as_str();
    let cells = [
        row.ep().map_or(String::new(), ToString::to_string),
        results.suite_path(row.test.suite).join("/"),
        row.test.name.to_string(),
        state.to_owned(),
        span(row.elapsed_millis()),
        row.finished()
            .map_or(String::new(), |time| local(time, results.engine.utc_offset_secs, "%a %b %d, %H:%M:%S")),
    ];
    let cells: String = cells.iter().map(|cell| format!("<td>&nbsp;{}</td>", escaped(cell))).collect();
    format!("<tr class=\"{state}\">{cells}</tr>\n")
}

#[cfg(test)]
mod clients;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    pub(super) fn settings() -> Settings {
        Settings {
            from: "Lab <lab@example.com>".to_owned(),
            to: "ana@example.com; \"Pop, Dan\" <dan@example.com>, it@example.com".to_owned(),
            subject: "Report for [$twister_user] [$date] $unknown".to_owned(),
            message: "suites: $twister_suite_name\nEPs: $twister_ep_name\nrate: $rate% of $texec\n$unknown"
                .to_owned(),
        }
    }

    pub(super) fn changes() -> Changes {
        use jackfield_protocol::id::{RunId, TestIndex};

        use crate::changes::Tally;
        Changes {
            against: RunId(40),
            broken: vec![TestIndex(2)],
            mended: vec![TestIndex(1), TestIndex(4)],
            still: vec![(TestIndex(6), RunId(37))],
            flaky: vec![TestIndex(4)],
            new: 1,
            gone: 2,
            trend: vec![
                Tally { run: RunId(40), passed: 9, failed: 2 },
                Tally { run: RunId(41), passed: 4, failed: 7 },
            ],
        }
    }

    fn shown(mail: &Mail) -> String {
        let cc: Vec<String> = mail.cc.iter().map(ToString::to_string).collect();
        format!(
            "From: {}\nTo: {}\nCc: {}\nSubject: {}\n\n{}\n----\n{}",
            mail.from,
            mail.to,
            cc.join(", "),
            mail.subject,
            mail.text,
            mail.html
        )
    }

    #[test]
    fn our_message() {
        let mail = compose(&fixture::demo(), &NoLogs, &settings(), &HtmlTemplate::Ours, None, &[]).unwrap();
        insta::assert_snapshot!(shown(&mail));
    }

    #[test]
    fn our_message_quotes_the_ends_of_logs() {
        use jackfield_protocol::log::Stream;
        let log: String = (0..40).map(|line| format!("  \x1b[31mline\x1b[0m {line} <b>\r\n\r\n")).collect();
        let failed = fixture::demo()
            .rows()
            .find(|row| row.verdict() == Some(Verdict::Fail))
            .unwrap()
            .last()
            .unwrap()
            .attempt;
        let logs = std::collections::BTreeMap::from([((failed, Stream::Cli), log.into_bytes())]);
        let mail = compose(&fixture::demo(), &logs, &settings(), &HtmlTemplate::Ours, None, &[]).unwrap();
        assert!(
            mail.html.contains("line 32 &lt;b&gt;<br>line 33") && !mail.html.contains("line 31"),
            "{}",
            mail.html
        );
        assert!(mail.text.contains("  | line 39 <b>\n"), "{}", mail.text);
        assert!(mail.html.contains("/runs/41/tests/"), "each has its link");
    }

    #[test]
    fn our_message_says_first_what_changed() {
        let changes = changes();
        let mail = compose(&fixture::demo(), &NoLogs, &settings(), &HtmlTemplate::Ours, Some(&changes), &[])
            .unwrap();
        insta::assert_snapshot!(shown(&mail));
        let [picture] = &*mail.pictures else { panic!("the trend goes along") };
        assert!(mail.html.contains(&format!("cid:{}", picture.name)));
    }

    #[test]
    fn our_message_shows_reports_of_the_labs_database() {
        use super::chart::tests::chart;
        use crate::chart::ChartKind;
        let two = &[Some(3.0), Some(1.0)][..];
        let charts = [
            chart(ChartKind::Pie, &["PASS", "FAIL"], &[("tests", two)]),
            chart(ChartKind::Bar, &["run 1", "run <2>"], &[("tests", two), ("seconds", &[Some(0.5), None])]),
            chart(ChartKind::Line, &["1", "2"], &[("rate", two)]),
            ReportChart { drawn: Err("the database is away".to_owned()), ..chart(ChartKind::Bar, &[], &[]) },
        ];
        let mail =
            compose(&fixture::demo(), &NoLogs, &settings(), &HtmlTemplate::Ours, None, &charts).unwrap();
        let names: Vec<&str> = mail.pictures.iter().map(|picture| &*picture.name).collect();
        assert_eq!(names, ["chart3"]);
        let (_, from) = mail.html.split_once("<h2").unwrap();
        let (drawn, _) = from.split_once("What did not pass").unwrap();
        let text = "Rate & <co>:\n  PASS: 3\n  FAIL: 1\n  (more than 5000 rows)\n\nRate & <co>:\n  run 1: tests 3, seconds 0.5\n  run <2>: tests 1, seconds none\n";
        assert!(mail.text.contains(text), "{}", mail.text);
        insta::assert_snapshot!(format!("<h2{drawn}"));
    }

    #[test]
    fn our_message_of_a_run_that_left_little() {
        let mut results = fixture::demo();
        (results.stopped, results.run.started, results.run.ended) = (None, None, None);
        results.engine.url.clear();
        results.tests.iter_mut().for_each(|test| test.attempts.clear());
        let plain = Settings { subject: String::new(), message: String::new(), ..settings() };
        let mail = compose(&results, &NoLogs, &plain, &HtmlTemplate::Ours, None, &[]).unwrap();
        assert!(mail.subject.starts_with("run 41 of demo stopped: 4 PASS, 4 FAIL"));
        assert!(mail.html.contains("of 13 tests, started by ana.") && !mail.html.contains("<a "));
    }

    #[test]
    fn a_template_of_twister() {
        let template = "<style>.PASS {color: #DCFFD6;}</style>\nexecuted: $texec<br>\npassed: $tpass, failed: $tfail, \
                        aborted: $tabort, not exec: $tnexec, timeout: $ttimeout<br>\nrate: $rate%<br>\n$twister_tc_name $x\n\
                        <table>\n$table</table>";
        let mail = compose(
            &fixture::demo(),
            &NoLogs,
            &settings(),
            &HtmlTemplate::Twister(template.to_owned()),
            None,
            &[],
        );
        insta::assert_snapshot!(mail.unwrap().html);
    }

    #[test]
    fn a_template_of_the_lab() {
        let compose = |text: &str| {
            compose(
                &fixture::demo(),
                &NoLogs,
                &settings(),
                &HtmlTemplate::Handlebars(text.to_owned()),
                None,
                &[],
            )
        };
        let mail = compose(
            "{{project}}: {{#each counts}}{{verdict}} {{count}} {{/each}}{{stopped}} & {{not_passed.[2].name}}",
        );
        insta::assert_snapshot!(mail.unwrap().html, @"demo: PASS 4 FAIL 4 SKIPPED 1 NOT_EXECUTED 1 TIMEOUT 1 INVALID 1 stopped by ana: wrong branch & &lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;co&quot; | x.py");
        insta::assert_snapshot!(compose("a\n{{projekt}}").unwrap_err().to_string());
        insta::assert_snapshot!(compose("a {{#if}").unwrap_err().to_string());
        let text = fill_text(&fixture::demo(), "{{project}} & {{not_passed.[2].name}}").unwrap();
        assert_eq!(text, "demo & <script>alert(1)</script> & \"co\" | x.py");
    }

    #[test]
    fn no_header_can_be_slipped_in() {
        let mut results = fixture::demo();
        results.run.user = "ana\r\nBcc: all@example.com\r\n\r\nhello".into();
        let mail = compose(&results, &NoLogs, &settings(), &HtmlTemplate::Ours, None, &[]).unwrap();
        assert_eq!(mail.subject, "Report for [ana Bcc: all@example.com hello] [2026-11-21 01:02] $unknown");
        let mut hostile = settings();
        hostile.subject = "x\r\nBcc: y@z".to_owned();
        assert!(!compose_test(&hostile).unwrap().subject.contains(['\r', '\n']));
        hostile.to = "ana@example.com\r\nBcc: y@z".to_owned();
        assert!(matches!(compose_test(&hostile), Err(MailError::To(_))));
    }

    #[test]
    fn faults_of_the_settings_are_named() {
        let refuse = |change: &dyn Fn(&mut Settings)| {
            let mut changed = settings();
            change(&mut changed);
            compose_test(&changed).unwrap_err().to_string()
        };
        let errors = [
            refuse(&|settings| settings.from.clear()),
            refuse(&|settings| settings.to = " ; ".to_owned()),
            refuse(&|settings| settings.to = "ana".to_owned()),
            refuse(&|settings| settings.to = "a@b,".repeat(201)),
        ];
        insta::assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn a_large_run_makes_a_mail_that_can_be_sent() {
        let template = HtmlTemplate::Twister("$table $twister_tc_name".to_owned());
        let mail = compose(&fixture::large(100_000), &NoLogs, &settings(), &template, None, &[]).unwrap();
        assert!(mail.html.len() < 300_000 && mail.text.len() < 50_000);
        assert!(mail.html.contains("… and 99,000 more tests"));
    }
}
