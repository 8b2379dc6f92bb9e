//! A dialogue: a channel, what it has said and nobody has taken yet, and those who listen.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    io,
    task::{Context, Poll, Waker},
    time::Duration,
};

use regex_automata::{Anchored, Input};
use tokio::time::timeout_at;

use super::{
    matcher::{Found, GaveUp, Matcher, Sight},
    outcome::{ExpectError, Match, Seen},
    pattern::Patterns,
};
use crate::{
    channel::{Channel, Window},
    clock::Deadline,
    connect::Wire,
    limits::WINDOW_BYTES_MAX,
    record::Tap,
    screen::Screen,
};

mod breaks;
mod channel;
mod person;
mod screen;
mod send;

/// Why nothing was seen.
enum Unseen {
    Nothing,
    Broken(io::Error),
    GaveUp(GaveUp),
}

/// A live dialogue.
pub struct Dialogue {
    channel: Box<dyn Channel>,
    wire: Option<Wire>,
    buffer: Vec<u8>,
    cut: bool,
    ended: bool,
    settle: Duration,
    /// Time between two bytes that are sent, for a UART without a buffer.
    pace: Option<Duration>,
    window_bytes: usize,
    taps: Vec<Box<dyn Tap>>,
    screen: Option<Box<Screen>>,
}

impl Dialogue {
    /// A dialogue over a channel that has just been made.
    pub fn new(channel: Box<dyn Channel>, settle: Duration, taps: Vec<Box<dyn Tap>>) -> Self {
        let window_bytes = WINDOW_BYTES_MAX;
        Self {
            channel,
            wire: None,
            buffer: Vec::new(),
            cut: false,
            ended: false,
            settle,
            pace: None,
            window_bytes,
            taps,
            screen: None,
        }
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

    /// Quiet time after which a match that could still change is believed.
    pub fn settle(&self) -> Duration {
        self.settle
    }

    /// Leaves time between two bytes that are sent, for a device that loses what comes too fast; none: as fast as it takes them.
    pub fn set_pace(&mut self, pace: Option<Duration>) {
        self.pace = pace.filter(|pace| !pace.is_zero());
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

    /// Takes the first bytes of what has come.
    pub(crate) fn take(&mut self, bytes: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(bytes.min(self.buffer.len()));
        std::mem::replace(&mut self.buffer, rest)
    }

    /// Forgets all that has come but the last bytes: what was cut before is of no account any more.
    pub(crate) fn keep_end(&mut self, bytes: usize) {
        drop(self.take(self.buffer.len().saturating_sub(bytes)));
        self.cut = false;
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
            if let Some(screen) = &mut self.screen {
                screen.feed(fresh);
            }
        }
        result
    }

    /// Waits until one of the patterns is seen, and takes everything up to its end.
    ///
    /// # Errors
    /// It does not come before the deadline or the end of the dialogue; what has come stays and can be awaited again.
    pub async fn expect(&mut self, patterns: &Patterns, deadline: Deadline) -> Result<Match, ExpectError> {
        let settle = self.settle;
        self.expect_settling(patterns, deadline, |_, _| settle).await
    }

    /// The same, where the one who waits says for each match that more bytes could change how long the device must be quiet
    /// before it is believed.
    ///
    /// # Errors
    /// As [`Dialogue::expect`].
    pub async fn expect_settling(
        &mut self,
        patterns: &Patterns,
        deadline: Deadline,
        settle: impl Fn(&[u8], &Found) -> Duration,
    ) -> Result<Match, ExpectError> {
        match self.sight(&mut Matcher::new(patterns), deadline, settle).await {
            Ok(found) => Ok(self.take_match(patterns, found)),
            Err(Unseen::Nothing) => self.nothing_came(patterns, deadline),
            Err(Unseen::Broken(source)) => {
                Err(ExpectError::Broken { awaited: patterns.told(), seen: self.seen(), source })
            }
            Err(Unseen::GaveUp(gave_up)) => Err(gave_up.into()),
        }
    }

    async fn sight(
        &mut self,
        matcher: &mut Matcher<'_>,
        deadline: Deadline,
        settle: impl Fn(&[u8], &Found) -> Duration,
    ) -> Result<Found, Unseen> {
        loop {
            let (until, found) = match matcher.look(&self.buffer).map_err(Unseen::GaveUp)? {
                Sight::Certain(found) => return Ok(found),
                Sight::Tentative(found) => (settle(&self.buffer, &found).min(deadline.left()), Some(found)),
                Sight::Nothing => (deadline.left(), None),
            };
            if self.ended || until.is_zero() || !self.fill(until).await.map_err(Unseen::Broken)? {
                return found.ok_or(Unseen::Nothing);
            }
            if let Some(gone) = self.slide() {
                matcher.forget(gone);
            }
        }
    }

    /// The end of the dialogue or of the time may be what was awaited.
    fn nothing_came(&mut self, patterns: &Patterns, deadline: Deadline) -> Result<Match, ExpectError> {
        match if self.ended { patterns.end() } else { patterns.deadline() } {
            // All that came is before the end, and taken with it; before a deadline it stays, for the next one who waits.
            Some(index) if self.ended => Ok(Match { index, before: self.take_pending(), ..Match::default() }),
            Some(index) => Ok(Match { index, before: self.buffer.clone(), ..Match::default() }),
            None => Err(self.not_seen(patterns.told(), deadline)),
        }
    }

    /// What was awaited did not come: the device has hung up, or the time is over.
    pub(crate) fn not_seen(&self, awaited: String, deadline: Deadline) -> ExpectError {
        if self.ended {
            ExpectError::Ended { awaited, waited: deadline.elapsed(), seen: self.seen() }
        } else {
            self.timed_out(awaited, deadline)
        }
    }

    /// Reads once; false when nothing came in time. The end of the dialogue counts as something.
    async fn fill(&mut self, within: Duration) -> io::Result<bool> {
        let deadline = Deadline::after(within);
        let reading = poll_fn(|cx| {
            let read = self.poll_fill(cx);
            self.poll_answers(cx);
            read
        });
        match timeout_at(deadline.instant(), reading).await {
            Ok(result) => result.map(|_| true),
            Err(_) => Ok(false),
        }
    }

    /// Reads once; false when nothing came in time. The end of the dialogue counts as something.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) async fn read_within(&mut self, within: Duration) -> Result<bool, ExpectError> {
        if self.ended {
            return Ok(true);
        }
        let read = self.fill(within).await;
        self.slide();
        read.map_err(|source| self.broke(source))
    }

    /// Reads what is there, and waits for nothing; whether there was something.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) fn read_what_is_there(&mut self) -> Result<bool, ExpectError> {
        self.read_at_most(usize::MAX)
    }

    /// The same until about so many bytes wait to be taken.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) fn read_at_most(&mut self, most: usize) -> Result<bool, ExpectError> {
        let before = self.buffer.len();
        let most = most.min(self.window_bytes);
        let cx = &mut Context::from_waker(Waker::noop());
        while !self.ended && self.buffer.len() < most {
            match self.poll_fill(cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Err(self.broke(error)),
                Poll::Pending => break,
            }
        }
        self.poll_answers(cx);
        Ok(self.ended || self.buffer.len() > before)
    }

    /// Whether so much has come that the beginning of what waits was forgotten.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut
    }

    fn broke(&self, source: io::Error) -> ExpectError {
        ExpectError::Broken { awaited: "the prompt".to_owned(), seen: self.seen(), source }
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

    fn take_match(&mut self, patterns: &Patterns, found: Found) -> Match {
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
        Match { groups, named, ..self.take_plain(found) }
    }

    fn take_plain(&mut self, found: Found) -> Match {
        let rest = self.buffer.split_off(found.end);
        let mut before = std::mem::replace(&mut self.buffer, rest);
        let text = before.split_off(found.start);
        Match { index: found.index, before, text, cut: std::mem::take(&mut self.cut), ..Match::default() }
    }

    fn timed_out(&self, awaited: String, deadline: Deadline) -> ExpectError {
        ExpectError::Timeout { awaited, waited: deadline.span(), seen: self.seen() }
    }

    /// The last of what has come, for an error.
    pub fn seen(&self) -> Seen {
        Seen::new(&self.buffer, self.channel.remark()).with_unheard(self.unheard())
    }

    /// Tells the device and the listeners the size of the terminal.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn resize(&mut self, window: Window) -> io::Result<()> {
        for tap in &mut self.taps {
            tap.resize(window);
        }
        if let Some(screen) = &mut self.screen {
            screen.resize(window);
        }
        self.channel.resize(window).await
    }

    /// Marks a place in the records.
    pub fn mark(&mut self, label: &str) {
        for tap in &mut self.taps {
            tap.mark(label);
        }
    }

    /// Tells the listeners what a text of the device was taken for: a key of its profile.
    pub fn took(&mut self, text: &str, key: &str) {
        for tap in &mut self.taps {
            tap.taken(text.trim(), key);
        }
    }

    /// Ends the dialogue.
    pub async fn close(&mut self) {
        self.hang_up().await;
        self.end_records();
    }

    /// Ends the connection; listeners stay for the next one.
    pub(crate) async fn hang_up(&mut self) {
        let limit = Deadline::after(crate::limits::CLOSE_TIMEOUT);
        if timeout_at(limit.instant(), self.channel.close()).await.is_err() {
            tracing::debug!("a device did not close its side in time");
        }
        self.ended = true;
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
