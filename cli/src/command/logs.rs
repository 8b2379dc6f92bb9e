//! `jackfield runs logs`: the log of an attempt to its last byte, also where its end was known before its log had come.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, Read, Write},
};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jackfield_protocol::{
    api::{EpRow, EpState},
    id::{AttemptId, EpName},
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Context,
    client::encoded,
    exit::Exit,
    output::{complain, talk},
};

/// What of an attempt tells whether its log is whole.
#[derive(Deserialize)]
struct Attempt {
    ep: Option<EpName>,
    logs: BTreeMap<String, u64>,
    /// None while it runs.
    logs_expected: Option<BTreeMap<String, u64>>,
}

/// How a log is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// Also what comes while its test runs.
    pub(crate) follow: bool,
    /// Each line after the time at which it came to the engine.
    pub(crate) timestamps: bool,
}

/// Prints a log. As JSON: not the log, but how much of it there is.
pub(crate) fn print(context: &Context, attempt: AttemptId, stream: &str, shown: Shown) -> Result<Exit> {
    let log = Log { context, attempt, stream };
    if context.output.json() {
        return log.print_state();
    }
    if shown.timestamps {
        return log.print_stamped(shown.follow);
    }
    let follow = shown.follow;
    let mut out = std::io::stdout().lock();
    let path = log.path();
    let first = if follow { format!("{path}?follow=true") } else { path };
    let Some(mut have) = log.copy(&first, &mut out, &ProgressBar::hidden())? else { return Ok(Exit::Done) };
    loop {
        let state = log.state()?;
        let Some(expected) = state.logs_expected else {
            talk(&format!("{attempt} has not ended: this is its log up to now; --follow shows what comes"));
            return Ok(Exit::Done);
        };
        let expected = expected.get(stream).copied().unwrap_or(0);
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
    stream: &'a str,
}

impl Log<'_> {
    fn path(&self) -> String {
        format!("/attempts/{}/logs/{}", self.attempt, self.stream)
    }

    fn state(&self) -> Result<Attempt> {
        self.context.client.get(&format!("/attempts/{}", self.attempt))
    }

    fn print_state(&self) -> Result<Exit> {
        let Attempt { logs, logs_expected, .. } = self.state()?;
        let of = |logs: &BTreeMap<String, u64>| logs.get(self.stream).copied().unwrap_or(0);
        let (stored, expected) = (of(&logs), logs_expected.as_ref().map(of));
        let state =
            json!({"attempt": self.attempt, "stream": self.stream, "stored": stored, "expected": expected});
        self.context.output.print(&state, |_| String::new())?;
        Ok(Exit::Done)
    }

    /// The log with times: the engine puts them before its lines. What is still on its way is waited for as well.
    fn print_stamped(&self, follow: bool) -> Result<Exit> {
        let before = self.state()?;
        let waits = follow || before.logs_expected.is_some();
        let path = format!("{}?timestamps=true&follow={waits}", self.path());
        let mut out = std::io::stdout().lock();
        if self.copy(&path, &mut out, &ProgressBar::hidden())?.is_none() {
            return Ok(Exit::Done);
        }
        let Attempt { ep, logs, logs_expected } = self.state()?;
        let of = |logs: &BTreeMap<String, u64>| logs.get(self.stream).copied().unwrap_or(0);
        let Some(expected) = logs_expected.as_ref().map(of) else {
            talk(&format!(
                "{} has not ended: this is its log up to now; --follow shows what comes",
                self.attempt
            ));
            return Ok(Exit::Done);
        };
        let have = of(&logs);
        Ok(if have >= expected { Exit::Done } else { self.incomplete(have, expected, ep.as_ref()) })
    }

    /// Copies an answer of the engine; how many bytes it had, or none where nobody reads them any more.
    fn copy(&self, path: &str, out: &mut impl Write, bar: &ProgressBar) -> Result<Option<u64>> {
        let mut body = self.context.client.get_response(path)?.into_body().into_reader();
        let mut chunk = vec![0; 256 * 1024];
        let mut copied = 0_u64;
        loop {
            let count = body.read(&mut chunk)?;
            let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            let count = u64::try_from(count)?;
            copied = copied.saturating_add(count);
            bar.inc(count);
            match out.write_all(bytes) {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(None),
                done => done?,
            }
        }
        match out.flush() {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(None),
            done => Ok(done.map(|()| Some(copied))?),
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
        let came = self.copy(&format!("{}?follow=true&from={have}", self.path()), out, &bar);
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
