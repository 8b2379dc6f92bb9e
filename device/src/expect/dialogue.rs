//! A dialogue: a channel, what it has said and nobody has taken yet, and those who listen.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use regex_automata::{Anchored, Input};
use tokio::time::timeout_at;

use super::{
    matcher::{Found, Matcher, Sight},
    outcome::{ExpectError, Match, Seen},
    pattern::Patterns,
};
use crate::{
    beside::Beside,
    channel::{Channel, Window},
    clock::Deadline,
    limits::WINDOW_BYTES_MAX,
    line::LineOrder,
    record::Tap,
};

/// A live dialogue.
pub struct Dialogue {
    channel: Box<dyn Channel>,
    buffer: Vec<u8>,
    cut: bool,
    ended: bool,
    settle: Duration,
    window_bytes: usize,
    taps: Vec<Box<dyn Tap>>,
}

impl Dialogue {
    /// A dialogue over a channel that has just been made.
    pub fn new(channel: Box<dyn Channel>, settle: Duration, taps: Vec<Box<dyn Tap>>) -> Self {
        let window_bytes = WINDOW_BYTES_MAX;
        Self { channel, buffer: Vec::new(), cut: false, ended: false, settle, window_bytes, taps }
    }

    /// Sets how many bytes may wait for a match.
    #[must_use]
    pub fn with_window_bytes(mut self, bytes: usize) -> Self {
        self.window_bytes = bytes.max(2);
        self
    }

    /// Quiet time after which a match that could still change is believed.
    pub fn set_settle(&mut self, settle: Duration) {
        self.settle = settle;
    }

    /// What has come and was not taken.
    pub fn pending(&self) -> &[u8] {
        &self.buffer
    }

    /// Whether the peer has ended the dialogue.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Takes what has come and was not taken, as what an error would show.
    pub fn take_pending(&mut self) -> Vec<u8> {
        self.cut = false;
        std::mem::take(&mut self.buffer)
    }

    /// Sends bytes; reads meanwhile, so that a device which talks while it listens is never locked.
    ///
    /// # Errors
    /// The device takes them too slowly, or the connection broke.
    pub async fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), ExpectError> {
        self.send_shown(bytes, bytes, deadline).await
    }

    /// Sends a secret: listeners see stars.
    ///
    /// # Errors
    /// As [`Dialogue::send`].
    pub async fn send_secret(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), ExpectError> {
        self.send_shown(bytes, b"********", deadline).await
    }

    async fn send_shown(
        &mut self,
        bytes: &[u8],
        shown: &[u8],
        deadline: Deadline,
    ) -> Result<(), ExpectError> {
        for tap in &mut self.taps {
            tap.input(shown);
        }
        let mut left = bytes;
        let writing = poll_fn(|cx| self.poll_send(cx, &mut left));
        let awaited = "the device to take what was sent".to_owned();
        let Ok(result) = timeout_at(deadline.instant(), writing).await else {
            return Err(self.timed_out(awaited, deadline));
        };
        result.map_err(|source| ExpectError::Broken { awaited, seen: self.seen(), source })
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, left: &mut &[u8]) -> Poll<io::Result<()>> {
        loop {
            let step = if left.is_empty() {
                self.channel.poll_flush(cx).map_ok(|()| None)
            } else {
                self.channel.poll_write(cx, left).map_ok(Some)
            };
            match step {
                Poll::Ready(Ok(None)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(Some(0))) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(Some(taken))) => *left = left.get(taken..).unwrap_or_default(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    // It does not listen now; perhaps it must talk first.
                    if self.ended || self.poll_fill(cx)?.is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let before = self.buffer.len();
        let result = self.channel.poll_read(cx, &mut self.buffer);
        if let Poll::Ready(Ok(0)) = result {
            self.ended = true;
        }
        let fresh = self.buffer.get(before..).unwrap_or_default();
        if !fresh.is_empty() {
            for tap in &mut self.taps {
                tap.output(fresh);
            }
        }
        result
    }

    /// Waits until one of the patterns is seen, and takes everything up to its end.
    ///
    /// # Errors
    /// It does not come before the deadline or the end of the dialogue; what has come stays and can be awaited again.
    pub async fn expect(&mut self, patterns: &Patterns, deadline: Deadline) -> Result<Match, ExpectError> {
        let mut matcher = Matcher::new(patterns);
        loop {
            let sight = matcher.look(&self.buffer)?;
            let (until, found) = match sight {
                Sight::Certain(found) => return Ok(self.take(patterns, found)),
                Sight::Tentative(found) => (self.settle.min(deadline.left()), Some(found)),
                Sight::Nothing => (deadline.left(), None),
            };
            if self.ended || until.is_zero() {
                return self.end_of_wait(patterns, found, deadline);
            }
            match self.fill(until).await {
                Ok(true) => {}
                Ok(false) => return self.end_of_wait(patterns, found, deadline),
                Err(source) => {
                    return Err(ExpectError::Broken { awaited: patterns.told(), seen: self.seen(), source });
                }
            }
            if let Some(gone) = self.slide() {
                matcher.forget(gone);
            }
        }
    }

    fn end_of_wait(
        &mut self,
        patterns: &Patterns,
        found: Option<Found>,
        deadline: Deadline,
    ) -> Result<Match, ExpectError> {
        match found {
            Some(found) => Ok(self.take(patterns, found)),
            None if self.ended => Err(ExpectError::Ended {
                awaited: patterns.told(),
                waited: deadline.elapsed(),
                seen: self.seen(),
            }),
            None => Err(self.timed_out(patterns.told(), deadline)),
        }
    }

    /// Reads once; false when nothing came in time. The end of the dialogue counts as something.
    async fn fill(&mut self, within: Duration) -> io::Result<bool> {
        let deadline = Deadline::after(within);
        match timeout_at(deadline.instant(), poll_fn(|cx| self.poll_fill(cx))).await {
            Ok(result) => result.map(|_| true),
            Err(_) => Ok(false),
        }
    }

    /// Reads until nothing has come for so long, or the deadline; what came waits to be taken.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn drain(&mut self, quiet: Duration, deadline: Deadline) -> Result<(), ExpectError> {
        while !self.ended && !deadline.left().is_zero() {
            match self.fill(quiet.min(deadline.left())).await {
                Ok(true) => drop(self.slide()),
                Ok(false) => break,
                Err(source) => {
                    let awaited = "the device to be quiet".to_owned();
                    return Err(ExpectError::Broken { awaited, seen: self.seen(), source });
                }
            }
        }
        Ok(())
    }

    /// Forgets the oldest half when more waits than may.
    fn slide(&mut self) -> Option<usize> {
        if self.buffer.len() <= self.window_bytes {
            return None;
        }
        let gone = self.buffer.len().saturating_sub(self.window_bytes / 2);
        self.buffer.drain(..gone);
        self.cut = true;
        Some(gone)
    }

    fn take(&mut self, patterns: &Patterns, found: Found) -> Match {
        let mut groups = Vec::new();
        let mut named = BTreeMap::new();
        if let Some(regex) = patterns.captures(found.index).filter(|regex| regex.captures_len() > 1) {
            let mut captures = regex.create_captures();
            let input = Input::new(&self.buffer).range(found.start..found.end).anchored(Anchored::Yes);
            regex.search_captures(&input, &mut captures);
            let text =
                |span: regex_automata::Span| self.buffer.get(span.range()).unwrap_or_default().to_vec();
            groups = captures.iter().skip(1).map(|span| span.map(text)).collect();
            let names = regex.group_info().pattern_names(regex_automata::PatternID::ZERO).skip(1);
            named = names
                .zip(&groups)
                .filter_map(|(name, group)| Some((name?.to_owned(), group.clone()?)))
                .collect();
        }
        let rest = self.buffer.split_off(found.end);
        let mut before = std::mem::replace(&mut self.buffer, rest);
        let text = before.split_off(found.start);
        Match { index: found.index, before, text, groups, named, cut: std::mem::take(&mut self.cut) }
    }

    fn timed_out(&self, awaited: String, deadline: Deadline) -> ExpectError {
        ExpectError::Timeout { awaited, waited: deadline.span(), seen: self.seen() }
    }

    /// The last of what has come, for an error.
    pub fn seen(&self) -> Seen {
        Seen::new(&self.buffer, self.channel.remark())
    }

    /// Does something to the line that carries the dialogue.
    ///
    /// # Errors
    /// There is no such line, or it does not do it.
    pub async fn order(&mut self, order: LineOrder) -> io::Result<()> {
        self.channel.order(order).await
    }

    /// What the connection carries beside the dialogue.
    pub fn beside(&self) -> Option<Arc<dyn Beside>> {
        self.channel.beside()
    }

    /// Tells the device and the listeners the size of the terminal.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn resize(&mut self, window: Window) -> io::Result<()> {
        for tap in &mut self.taps {
            tap.resize(window);
        }
        self.channel.resize(window).await
    }

    /// Marks a place in the records.
    pub fn mark(&mut self, label: &str) {
        for tap in &mut self.taps {
            tap.mark(label);
        }
    }

    /// Ends the dialogue.
    pub async fn close(&mut self) {
        let limit = Deadline::after(crate::limits::CLOSE_TIMEOUT);
        if timeout_at(limit.instant(), self.channel.close()).await.is_err() {
            tracing::debug!("a device did not close its side in time");
        }
        self.ended = true;
        self.end_records();
    }

    fn end_records(&mut self) {
        for mut tap in self.taps.drain(..) {
            tap.end();
        }
    }
}

impl Drop for Dialogue {
    /// A dialogue that is cut still leaves whole records.
    fn drop(&mut self) {
        self.end_records();
    }
}

#[cfg(test)]
mod tests;
