//! The loop of a connection's thread: what is wanted, what has come, and when to ask whether the server lives.

use std::time::Duration;

use ssh2::Error;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    opening::{Opened, Opening, Progress, What},
    port::Port,
    speaker::{Broken, Speaker},
    words::{end, is_waiting},
};
use crate::{
    clock::now,
    limits::{CLOSE_TIMEOUT, KEEPALIVE_MAX, READ_BYTES, SSH_PARTING},
    ssh::fate::NO_ANSWER,
};

/// The library asks no more often than this.
const KEEPALIVE_MIN: Duration = Duration::from_secs(2);
/// The library reads its clock at another instant than we do.
const KEEPALIVE_SLACK: Duration = Duration::from_millis(20);

/// What others want of the thread.
#[derive(Debug)]
pub(super) enum Order {
    /// A channel.
    Open(What, Opened),
    /// The end, in good order; what is given is dropped when it has come.
    Leave(oneshot::Sender<()>),
}

/// How long it has been silent.
struct Silence {
    /// None where nobody asks.
    interval: Option<Duration>,
    asks_at: Instant,
    unanswered: u32,
}

/// One connection, from the login to its end.
pub(super) struct Serving {
    speaker: Speaker,
    orders: mpsc::Receiver<Order>,
    opening: Option<Opening>,
    ports: Vec<Port>,
    silence: Silence,
    leaves_by: Option<Instant>,
    leaver: Option<oneshot::Sender<()>>,
    scratch: Box<[u8]>,
}

impl Serving {
    pub(super) fn new(speaker: Speaker, orders: mpsc::Receiver<Order>, keepalive: Duration) -> Self {
        let interval = (!keepalive.is_zero()).then(|| keepalive.max(KEEPALIVE_MIN));
        // The library counts whole seconds; never more than we do, so that it asks whenever we want it to.
        let seconds = interval.map_or(0, |interval| u32::try_from(interval.as_secs()).unwrap_or(u32::MAX));
        speaker.session.set_keepalive(true, seconds);
        let asks_at = now() + interval.unwrap_or_default();
        let silence = Silence { interval, asks_at, unanswered: 0 };
        let scratch = vec![0; READ_BYTES].into_boxed_slice();
        let (opening, ports, leaves_by, leaver) = (None, Vec::new(), None, None);
        Self { speaker, orders, opening, ports, silence, leaves_by, leaver, scratch }
    }

    /// Serves until it is left, or over; what is given back is dropped when nothing is left of it.
    pub(super) fn run(mut self) -> Option<oneshot::Sender<()>> {
        let ended = self.serve();
        let fate = &self.speaker.shared.fate;
        match &ended {
            Ok(()) | Err(Broken::Left) => fate.lose("it was closed here".to_owned()),
            Err(Broken::Library(error)) => end(fate, error),
            Err(Broken::System(error)) => fate.lose(error.to_string()),
        }
        self.orders.close();
        self.speaker.shut();
        // Channels first: the library frees them through their session. Their other ends learn that it is over.
        self.ports.clear();
        self.opening = None;
        self.leaver.take()
    }

    fn serve(&mut self) -> Result<(), Broken> {
        loop {
            self.speaker.shared.wake.clear();
            self.take_orders();
            self.open()?;
            for port in &mut self.ports {
                port.turn(&self.speaker, &mut self.scratch)?;
            }
            self.ports.retain(|port| !port.is_gone);
            if self.may_leave() {
                return self.part();
            }
            self.rest()?;
        }
    }

    fn take_orders(&mut self) {
        if self.speaker.is_left() {
            self.leaves_by.get_or_insert_with(|| now() + SSH_PARTING);
        }
        // One channel at a time: the library keeps the state of only one that is being opened.
        while self.opening.is_none() {
            match self.orders.try_recv() {
                Ok(Order::Open(what, opened)) => self.opening = Some(Opening::new(what, opened)),
                Ok(Order::Leave(leaver)) => {
                    self.leaver = Some(leaver);
                    self.leaves_by = Some(now() + CLOSE_TIMEOUT);
                }
                Err(_) => return,
            }
        }
    }

    fn open(&mut self) -> Result<(), Error> {
        let Some(opening) = self.opening.take() else { return Ok(()) };
        match opening.go_on(&self.speaker)? {
            Progress::Waits(opening) => self.opening = Some(opening),
            Progress::Done(port) => {
                self.ports.extend(port);
                // There may be the next order; it must not wait for the socket.
                self.speaker.shared.wake.wake();
            }
        }
        Ok(())
    }

    fn may_leave(&self) -> bool {
        let has_said_all = || !self.ports.iter().any(Port::has_to_say);
        self.leaves_by.is_some_and(|limit| has_said_all() || now() >= limit)
    }

    /// Says goodbye, as far as the server lets us.
    fn part(&mut self) -> Result<(), Broken> {
        let limit = self.leaves_by.unwrap_or_else(now);
        let mut has_said = false;
        while now() < limit && !(has_said && self.speaker.has_sent_all().map_err(Broken::System)?) {
            if !has_said {
                let goodbye = self.speaker.session.disconnect(None, "", None);
                has_said = !matches!(&goodbye, Err(error) if is_waiting(error));
            }
            if !has_said || !self.speaker.has_sent_all().map_err(Broken::System)? {
                let most = limit.saturating_duration_since(now());
                self.speaker.wait(false, Some(most)).map_err(Broken::System)?;
            }
        }
        Ok(())
    }

    /// Waits for something to do.
    fn rest(&mut self) -> Result<(), Broken> {
        let wants_input = self.opening.is_some() || self.ports.iter().any(|port| port.wants_input);
        let alarms = [self.leaves_by, self.silence.interval.map(|_| self.silence.asks_at)];
        let last_words = self.ports.iter().filter_map(|port| port.last_words);
        let next = alarms.into_iter().flatten().chain(last_words).min();
        let most = next.map(|next| next.saturating_duration_since(now()));
        let has_input = self.speaker.wait(wants_input, most).map_err(Broken::System)?;
        self.ask_if_silent(has_input, wants_input)
    }

    fn ask_if_silent(&mut self, has_input: bool, wants_input: bool) -> Result<(), Broken> {
        let Some(interval) = self.silence.interval else { return Ok(()) };
        let now = now();
        // Where nobody takes what comes, its silence says nothing.
        if has_input || !wants_input {
            self.silence.unanswered = 0;
            self.silence.asks_at = now + interval + KEEPALIVE_SLACK;
        } else if now >= self.silence.asks_at {
            if self.silence.unanswered >= KEEPALIVE_MAX {
                self.speaker.shared.fate.lose(NO_ANSWER.to_owned());
                return Err(Broken::Left);
            }
            self.silence.unanswered = self.silence.unanswered.saturating_add(1);
            self.silence.asks_at = now + interval + KEEPALIVE_SLACK;
            if !self.speaker.is_blocked() {
                self.speaker.session.keepalive_send()?;
            }
        }
        Ok(())
    }
}
