//! `jackfield runs logs`: what a test left to read, to its last byte, also where its end was known before its log had come.
//!
//! A test has several logs. Who names none gets all that have bytes: what a test wrote with `log_msg` must not look as if
//! it had said nothing.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, Read, Write},
};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jackfield_protocol::{
    api::{EpRow, EpState},
    id::{AttemptId, EpName},
    log::Stream,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;

use crate::{
    Context,
    client::encoded,
    exit::Exit,
    output::{complain, say, talk},
};

/// What of an attempt tells whether its log is whole.
#[derive(Deserialize)]
struct Attempt {
    ep: Option<EpName>,
    logs: BTreeMap<Stream, u64>,
    /// None while it runs.
    logs_expected: Option<BTreeMap<Stream, u64>>,
    #[serde(default)]
    artifacts: BTreeMap<String, IgnoredAny>,
}

impl Attempt {
    /// The logs that have bytes, or will have.
    fn streams(&self) -> Vec<Stream> {
        let of = |logs: &BTreeMap<Stream, u64>, stream| logs.get(&stream).is_some_and(|bytes| *bytes > 0);
        let has = |stream: &Stream| {
            of(&self.logs, *stream) || self.logs_expected.as_ref().is_some_and(|logs| of(logs, *stream))
        };
        Stream::ALL.into_iter().filter(has).collect()
    }
}

/// How a log is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// Also what comes while its test runs.
    pub(crate) follow: bool,
    /// Each line after the time at which it came to the engine.
    pub(crate) timestamps: bool,
}

/// Prints one log, or all that have bytes. As JSON: not the logs, but
/// how much of each there is.
pub(crate) fn print(
    context: &Context,
    attempt: AttemptId,
    stream: Option<Stream>,
    shown: Shown,
) -> Result<Exit> {
    let Shown { follow, timestamps } = shown;
    let state = state(context, attempt)?;
    if context.output.json() {
        return print_state(context, attempt, &state, stream);
    }
    if let Some(stream) = stream {
        return print_one(&Log { context, attempt, stream, timestamps }, follow);
    }
    let mut exit = Exit::Done;
    let mut printed = Vec::new();
    if follow {
        // What a test prints is followed; what else it wrote stands below when it has ended.
        exit = worse(exit, print_one(&Log { context, attempt, stream: Stream::Cli, timestamps }, true)?);
        printed.push(Stream::Cli);
    }
    let state = if follow { self::state(context, attempt)? } else { state };
    let streams: Vec<Stream> = state.streams();
    for stream in streams.iter().filter(|stream| !printed.contains(stream)) {
        if streams.len() > 1 {
            say(&format!("==> {} <==", stream.as_str()))?;
        }
        exit = worse(exit, print_one(&Log { context, attempt, stream: *stream, timestamps }, false)?);
    }
    tell_more(attempt, &state, streams.is_empty());
    Ok(exit)
}

fn worse(one: Exit, other: Exit) -> Exit {
    if one == Exit::Done { other } else { one }
}

/// Where the rest of what a test left is.
fn tell_more(attempt: AttemptId, state: &Attempt, is_silent: bool) {
    let recordings = state.artifacts.keys().filter(|name| name.ends_with(".cast")).count();
    let files = state.artifacts.len() - recordings;
    if is_silent {
        let yet = if state.logs_expected.is_none() { " so far" } else { "" };
        talk(&format!("{attempt} has written nothing{yet}"));
    }
    if recordings > 0 {
        talk(&format!("what it said to devices: `jackfield session show {attempt}` ({recordings})"));
    }
    if files > 0 {
        talk(&format!("files it left: `jackfield runs artifacts {attempt}` ({files})"));
    }
}

/// The logs of an attempt that have bytes, or will have.
pub(crate) fn streams(context: &Context, attempt: AttemptId) -> Result<Vec<Stream>> {
    Ok(state(context, attempt)?.streams())
}

fn state(context: &Context, attempt: AttemptId) -> Result<Attempt> {
    context.client.get(&format!("/attempts/{attempt}"))
}

fn print_state(
    context: &Context,
    attempt: AttemptId,
    state: &Attempt,
    stream: Option<Stream>,
) -> Result<Exit> {
    let streams = stream.map_or_else(|| state.streams(), |stream| vec![stream]);
    let of = |logs: &BTreeMap<Stream, u64>, stream| logs.get(&stream).copied().unwrap_or(0);
    let items: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            let expected = state.logs_expected.as_ref().map(|logs| of(logs, stream));
            json!({"attempt": attempt, "stream": stream, "stored": of(&state.logs, stream), "expected": expected})
        })
        .collect();
    context.output.list(&items, |_| String::new())?;
    Ok(Exit::Done)
}

fn print_one(log: &Log<'_>, follow: bool) -> Result<Exit> {
    let attempt = log.attempt;
    let mut out = std::io::stdout().lock();
    let Some(mut have) = log.copy(0, follow, &mut out, &ProgressBar::hidden())? else {
        return Ok(Exit::Done);
    };
    loop {
        let state = state(log.context, attempt)?;
        let Some(expected) = state.logs_expected else {
            talk(&format!("{attempt} has not ended: this is its log up to now; --follow shows what comes"));
            return Ok(Exit::Done);
        };
        let expected = expected.get(&log.stream).copied().unwrap_or(0);
        if have >= expected {
            return Ok(Exit::Done);
        }
        let came = log.rest(have, expected, state.ep.as_ref(), &mut out)?;
        let Some(came) = came else { return Ok(Exit::Done) };
        if came == 0 {
            return Ok(log.incomplete(have, expected, state.ep.as_ref()));
        }
        have = have.saturating_add(came);
    }
}

struct Log<'a> {
    context: &'a Context,
    attempt: AttemptId,
    stream: Stream,
    timestamps: bool,
}

impl Log<'_> {
    /// Copies what there is from a place on, with `follow` also what comes; how many bytes it was, or none where nobody
    /// reads them any more.
    fn copy(&self, from: u64, follow: bool, out: &mut impl Write, bar: &ProgressBar) -> Result<Option<u64>> {
        let mut counter = Counter::new(self.timestamps);
        let path = format!("/attempts/{}/logs/{}", self.attempt, self.stream.as_str());
        loop {
            let at = from.saturating_add(counter.bytes);
            let (follow_too, timestamps) = (follow, self.timestamps);
            let query = format!("?from={at}&follow={follow_too}&timestamps={timestamps}");
            // Without any of these it is the log as it is, which the engine gives out fastest.
            let query = if follow || timestamps { query } else { String::new() };
            let mut body = self.context.client.bytes(&format!("{path}{query}"))?;
            match pour(&mut body, out, bar, &mut counter) {
                Ok(true) => return Ok(Some(counter.bytes)),
                Ok(false) => return Ok(None),
                // A test may be silent for days; an engine may not.
                Err(error) if follow && is_silence(&error) && self.context.client.answers() => {}
                Err(error) => return Err(self.context.client.lost(error)),
            }
        }
    }

    /// Copies what comes of the rest until it is there, or nothing comes any more.
    fn rest(
        &self,
        have: u64,
        expected: u64,
        ep: Option<&EpName>,
        out: &mut impl Write,
    ) -> Result<Option<u64>> {
        let away = ep.filter(|ep| !self.is_connected(ep));
        talk(&match away {
            Some(ep) => format!(
                "{have} of {expected} bytes of this log have come, and {ep}, which has the rest, is not connected; waiting for it"
            ),
            None => format!("{have} of {expected} bytes of this log have come; waiting for the rest"),
        });
        let bar = progress(have, expected);
        let came = self.copy(have, true, out, &bar);
        bar.finish_and_clear();
        came
    }

    fn is_connected(&self, ep: &EpName) -> bool {
        let row = self.context.client.get::<EpRow>(&format!("/eps/{}", encoded(ep.as_str())));
        row.is_ok_and(|row| row.state != EpState::Offline)
    }

    /// Says that the log is not whole, and why.
    fn incomplete(&self, have: u64, expected: u64, ep: Option<&EpName>) -> Exit {
        let why = match ep {
            Some(ep) if self.is_connected(ep) => {
                format!("nothing more comes from {ep}; see that EP's own log")
            }
            Some(ep) => format!("{ep}, which has the rest, is not connected; ask again when it is back"),
            None => "no EP has the rest".to_owned(),
        };
        complain(&format!(
            "the log of {} is not whole: {have} of {expected} bytes have come, and {why}",
            self.attempt
        ));
        Exit::LabFault
    }
}

/// Counts the bytes of a log, without the times that the engine puts before its lines.
struct Counter {
    bytes: u64,
    timestamps: bool,
    in_time: bool,
}

impl Counter {
    fn new(timestamps: bool) -> Self {
        Self { bytes: 0, timestamps, in_time: timestamps }
    }

    /// How many of these are the log's.
    fn count(&mut self, bytes: &[u8]) -> u64 {
        let all = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let count = if self.timestamps { self.untimed(bytes) } else { all };
        self.bytes = self.bytes.saturating_add(count);
        count
    }

    /// Up to its first blank a line is a time.
    fn untimed(&mut self, bytes: &[u8]) -> u64 {
        let mut count = 0;
        for byte in bytes {
            if self.in_time {
                self.in_time = *byte != b' ';
            } else {
                count += 1;
                self.in_time = *byte == b'\n';
            }
        }
        count
    }
}

/// Copies an answer of the engine and counts it; whether somebody still reads what is written.
fn pour(
    body: &mut impl Read,
    out: &mut impl Write,
    bar: &ProgressBar,
    counter: &mut Counter,
) -> std::io::Result<bool> {
    let is_read = |done: std::io::Result<()>| match done {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        done => done.map(|()| true),
    };
    let mut chunk = vec![0; 256 * 1024];
    loop {
        let count = body.read(&mut chunk)?;
        let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return is_read(out.flush());
        };
        bar.inc(counter.count(bytes));
        // What a running test prints is seen as it comes.
        if !is_read(out.write_all(bytes).and_then(|()| out.flush()))? {
            return Ok(false);
        }
    }
}

/// Whether a read ended because nothing came, rather than because the connection broke.
fn is_silence(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    matches!(inner, Some(ureq::Error::Timeout(_)))
}

fn progress(have: u64, expected: u64) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(expected), target);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
    {
        bar.set_style(style);
    }
    bar.set_position(have);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_log_are_counted_without_their_times() {
        let mut counter = Counter::new(true);
        for piece in ["2026-11-30T04:03:53.004Z on", "e\n- \n2026-11-30T04:0", "3:53.004Z a b"] {
            counter.count(piece.as_bytes());
        }
        assert_eq!(counter.bytes, 4 + 1 + 3);
        assert_eq!(Counter::new(false).count(b"a b\n"), 4);
    }
}
