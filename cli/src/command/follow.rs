//! Watching a run to its end: the event stream, with reconnects, as lines and a progress bar.

use std::{
    collections::BTreeMap,
    io::{BufRead, IsTerminal},
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use jackfield_protocol::{
    api::{Page, RunSummary, TestRow},
    event::{Fact, RunEvent},
    id::{RunId, TestIndex},
    verdict::Verdict,
};

use crate::{
    client::{Client, Unreachable},
    output::{self, span},
    visible::visible_value,
};

/// How long an engine may be away, for a restart or an upgrade, before the wait is given up.
const AWAY_MAX: Duration = Duration::from_secs(180);
/// Wait between two looks for it.
const RECONNECT_WAIT: Duration = Duration::from_millis(400);
/// How often somebody who reads a file of what we say hears that the run goes on.
const WORD: Duration = Duration::from_secs(60);

/// How a wait came to its end.
pub(crate) enum Watched {
    /// The run has ended.
    Ended,
    /// A person pressed Ctrl-C.
    Interrupted,
    /// It took longer than somebody wanted to wait.
    TimeOver,
}

/// Shows every event of a run until it ends. Survives a restart of the engine: it asks for what came after the last event.
pub(crate) fn watch(
    client: &Client,
    run: RunId,
    interrupts: &mpsc::Receiver<()>,
    limit: Option<Duration>,
) -> Result<Watched> {
    let until = limit.and_then(|limit| steady().checked_add(limit));
    let mut screen = Screen::open(client, run)?;
    let mut seq = 0;
    let mut away_since = None;
    loop {
        match follow(client, run, &mut seq, (interrupts, until), &mut screen) {
            Ok(Some(watched)) => return Ok(watched),
            Ok(None) => away_since = None,
            Err(error) if error.is::<Unreachable>() => {
                if away_since.is_none() {
                    screen.line("the engine does not answer; waiting for it to return");
                }
                if away_since.get_or_insert_with(steady).elapsed() >= AWAY_MAX {
                    screen.line(&format!("run {run} is not watched any more; `jackfield runs wait {run}` when the engine is back"));
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        if interrupts.recv_timeout(RECONNECT_WAIT).is_ok() {
            return Ok(Watched::Interrupted);
        }
        if is_over(until) {
            return Ok(Watched::TimeOver);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the limit of a wait, by the steady clock")]
fn steady() -> Instant {
    Instant::now()
}

fn is_over(until: Option<Instant>) -> bool {
    until.is_some_and(|until| steady() >= until)
}

/// One connection's worth of events; none where the stream broke off.
fn follow(
    client: &Client,
    run: RunId,
    seq: &mut u64,
    (interrupts, until): (&mpsc::Receiver<()>, Option<Instant>),
    screen: &mut Screen,
) -> Result<Option<Watched>> {
    let lines = lines_of(client, format!("/runs/{run}/live?after={seq}"))?;
    let mut kind = String::new();
    loop {
        if interrupts.try_recv().is_ok() {
            return Ok(Some(Watched::Interrupted));
        }
        if is_over(until) {
            return Ok(Some(Watched::TimeOver));
        }
        screen.tick();
        let line = match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => line?,
            Err(mpsc::RecvTimeoutError::Timeout) => continue,
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
        };
        if let Some(event) = line.strip_prefix("event:") {
            event.trim().clone_into(&mut kind);
        }
        let Some(data) = line.strip_prefix("data:").filter(|_| kind == "run") else { continue };
        let mut event = serde_json::from_str(data.trim()).context("reading an event")?;
        visible_value(&mut event);
        let event: RunEvent = serde_json::from_value(event).context("reading an event")?;
        if event.seq <= *seq {
            continue;
        }
        *seq = event.seq;
        screen.show(&event);
        if matches!(event.fact, Fact::Ended { .. }) {
            return Ok(Some(Watched::Ended));
        }
    }
}

/// The lines of a stream, read by a thread, so that a person who interrupts is heard also where nothing comes. It ends
/// with its stream: the engine closes that when the run has ended, or with our process.
fn lines_of(client: &Client, path: String) -> Result<mpsc::Receiver<Result<String>>> {
    let (sender, lines) = mpsc::channel();
    let client = client.clone();
    std::thread::Builder::new().name("live".to_owned()).spawn(move || {
        let mut stream = match client.stream(&path) {
            Ok(stream) => stream,
            // Whoever does not listen any more needs no error.
            Err(error) => return drop(sender.send(Err(error))),
        };
        let mut line = String::new();
        while stream.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            if sender.send(Ok(std::mem::take(&mut line))).is_err() {
                break;
            }
        }
    })?;
    Ok(lines)
}

/// What a person sees while a run goes on.
struct Screen {
    bar: ProgressBar,
    names: BTreeMap<TestIndex, String>,
    total: u64,
    begin: Instant,
    /// When we said something last.
    said: Instant,
}

impl Screen {
    fn open(client: &Client, run: RunId) -> Result<Self> {
        let rows = tests_of(client, run, "")?;
        let total = u64::try_from(rows.len())?;
        let bar =
            if std::io::stderr().is_terminal() { ProgressBar::new(total) } else { ProgressBar::hidden() };
        bar.set_style(ProgressStyle::with_template("{bar:32} {pos}/{len} {elapsed} {wide_msg}")?);
        // The clock goes on where nothing happens: a long test is seen to live.
        bar.enable_steady_tick(Duration::from_secs(1));
        let names = rows.iter().map(|row| row.test).zip(labels(&rows)).collect();
        Ok(Self { bar, names, total, begin: steady(), said: steady() })
    }

    fn line(&mut self, text: &str) {
        self.said = steady();
        if self.bar.is_hidden() { output::talk(text) } else { self.bar.println(text) }
    }

    /// Without a terminal there is no clock: a line now and then says that the run goes on.
    fn tick(&mut self) {
        if self.bar.is_hidden() && self.said.elapsed() >= WORD {
            let passed = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
            let text = format!(
                "{} of {} tests have ended after {}; {}",
                self.bar.position(),
                self.total,
                span(passed),
                self.bar.message()
            );
            self.line(text.trim_end_matches("; "));
        }
    }

    fn name(&self, test: TestIndex) -> String {
        self.names.get(&test).cloned().unwrap_or_else(|| format!("test {test}"))
    }

    fn show(&mut self, event: &RunEvent) {
        match &event.fact {
            Fact::TestStarted { attempt, ep, .. } => {
                self.bar.set_message(format!("{ep}: {}", self.name(attempt.test)));
            }
            Fact::TestEnded(ended) => {
                self.bar.inc(1);
                let reason = if ended.end.outcome.reason.is_empty() { "" } else { ": " };
                let name = self.name(ended.test);
                let verdict = painted(ended.end.outcome.verdict);
                let time = span(ended.end.elapsed_millis);
                let at = ended.ep.as_ref().map_or(String::new(), |ep| format!(" on {ep}"));
                self.line(&format!("{verdict} {name}{at} ({time}){reason}{}", ended.end.outcome.reason));
            }
            Fact::TestsEnded { tests, outcome } => {
                let count: u64 = tests.iter().map(|(from, to)| u64::from(to.saturating_sub(*from))).sum();
                self.bar.inc(count);
                self.line(&format!("{} {count} tests: {}", painted(outcome.verdict), outcome.reason));
            }
            Fact::TestsQueued { tests, by, .. } => {
                self.total += u64::try_from(tests.len()).unwrap_or(0);
                self.bar.set_length(self.total);
                self.line(&format!("{by} queued {} more tests", tests.len()));
            }
            Fact::Asked { question, interact, .. } => self.line(&format!(
                "a test asks: {} (answer with `jackfield runs answer {} {question} ANSWER`)",
                interact.message, event.run
            )),
            Fact::Submitted { .. }
            | Fact::Started
            | Fact::Placed { .. }
            | Fact::PartWaits { .. }
            | Fact::TestWaits { .. }
            | Fact::EpSilent { .. }
            | Fact::EpReturned { .. }
            | Fact::EpLost { .. }
            | Fact::EpNotice { .. }
            | Fact::Answered { .. }
            | Fact::Paused { .. }
            | Fact::Resumed { .. }
            | Fact::Stopping { .. }
            | Fact::HookEnded { .. }
            | Fact::Note { .. }
            | Fact::Ended { .. } => sentence(&event.fact).into_iter().for_each(|text| self.line(&text)),
        }
    }
}

/// Facts that one plain sentence tells.
fn sentence(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::PartWaits { waits_for, .. } => format!("waiting for {waits_for}"),
        Fact::TestWaits { test, waits_for } => format!("test {test} waits for {waits_for}"),
        Fact::EpSilent { ep, until } => {
            format!("{ep} is not heard any more; it has until {until} to come back")
        }
        Fact::EpReturned { ep } => format!("{ep} is back"),
        Fact::EpLost { ep } => format!("{ep} did not come back in time"),
        Fact::EpNotice { ep, notice, over: false } => format!("{ep} {}", notice.text),
        Fact::EpNotice { ep, notice, over: true } => format!("mended: {ep} {}", notice.text),
        Fact::Answered { by, answer, .. } => match by {
            Some(by) => format!("{by} answered {answer}"),
            None => format!("nobody answered in time; the default {answer} was taken"),
        },
        Fact::Paused { by } => format!("paused by {by}"),
        Fact::Resumed { by } => format!("resumed by {by}"),
        Fact::Stopping { by: Some(by), at_once: true, .. } => {
            format!("{by} ends it at once: no teardown, no post script")
        }
        Fact::Stopping { by, reason, .. } => match by {
            // A page says no more than who, which is said already.
            Some(by) if reason.is_empty() || *reason == format!("stopped by {by}") => {
                format!("stopped by {by}")
            }
            Some(by) => format!("stopped by {by}: {reason}"),
            None => format!("stopped: {reason}"),
        },
        Fact::HookEnded { hook, outcome, .. } => {
            let ended = format!("the {hook:?} script ended").to_lowercase();
            let text = format!("{ended} {}: {}", outcome.verdict, outcome.reason);
            text.trim_end_matches(": ").to_owned()
        }
        Fact::Note { text } => text.clone(),
        Fact::Submitted { .. }
        | Fact::Started
        | Fact::Placed { .. }
        | Fact::TestStarted { .. }
        | Fact::TestEnded(_)
        | Fact::TestsEnded { .. }
        | Fact::TestsQueued { .. }
        | Fact::Asked { .. }
        | Fact::Ended { .. } => return None,
    })
}

/// A verdict, coloured where the talk goes to a terminal.
fn painted(verdict: Verdict) -> String {
    if !std::io::stderr().is_terminal() {
        return format!("{verdict:<12}");
    }
    let colour = match verdict {
        Verdict::Pass => 32,
        Verdict::Fail | Verdict::Timeout | Verdict::Invalid => 31,
        Verdict::Aborted | Verdict::NotExecuted => 35,
        Verdict::Skipped => 33,
    };
    format!("\x1b[{colour}m{verdict:<12}\x1b[0m")
}

/// `Suite / inner suite / test`.
fn label(row: &TestRow) -> String {
    let mut label = row.suite.join(" / ");
    if !label.is_empty() {
        label.push_str(" / ");
    }
    label.push_str(&row.name);
    label
}

/// The labels of the tests of a run. Copies of a test have the same: their places among them tell them apart.
pub(crate) fn labels(rows: &[TestRow]) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let plain: Vec<String> = rows.iter().map(label).collect();
    plain.iter().for_each(|label| *counts.entry(label.clone()).or_default() += 1);
    let mut seen: BTreeMap<&String, usize> = BTreeMap::new();
    let numbered = plain.iter().map(|label| {
        let number = seen.entry(label).or_default();
        *number += 1;
        if counts.get(label).is_some_and(|count| *count > 1) {
            format!("{label} #{number}")
        } else {
            label.clone()
        }
    });
    numbered.collect()
}

/// Every test of a run, page by page; `filter` is `&state=…` or empty.
pub(crate) fn tests_of(client: &Client, run: RunId, filter: &str) -> Result<Vec<TestRow>> {
    let mut rows = Vec::new();
    let mut after = String::new();
    loop {
        let page: Page<TestRow> = client.get(&format!("/runs/{run}/tests?limit=1000{after}{filter}"))?;
        rows.extend(page.items);
        match page.next {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(rows),
        }
    }
}

/// The run as it stands.
pub(crate) fn summary_of(client: &Client, run: RunId) -> Result<RunSummary> {
    client.get(&format!("/runs/{run}"))
}
