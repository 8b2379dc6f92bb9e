//! The library's session and the sluice to the server, on the thread that owns both.

use std::{
    io,
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{BlockDirections, Error, Session};

use super::{pipe::Shared, sluice::Sluice, words::is_waiting};

/// Speaks on one connection.
pub(super) struct Speaker {
    pub(super) session: Session,
    pub(super) shared: Arc<Shared>,
    sluice: Sluice,
    /// Nobody holds the connection any more.
    is_left: Arc<AtomicBool>,
}

/// Why something could not be done to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// The library says so.
    Library(Error),
    /// The system says so.
    System(io::Error),
    /// Nobody waits for it any more.
    Left,
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl Speaker {
    /// On a socket that does not block.
    pub(super) fn new(
        socket: OwnedFd,
        shared: Arc<Shared>,
        is_left: Arc<AtomicBool>,
    ) -> Result<Self, Broken> {
        let mut session = Session::new()?;
        session.set_blocking(false);
        let (sluice, end) = Sluice::new(socket).map_err(Broken::System)?;
        session.set_tcp_stream(end);
        Ok(Self { session, shared, sluice, is_left })
    }

    /// Whether nobody holds the connection any more.
    pub(super) fn is_left(&self) -> bool {
        self.is_left.load(Ordering::Acquire)
    }

    /// Does one thing to its end, and nothing else meanwhile.
    pub(super) fn finish<T>(
        &mut self,
        mut act: impl FnMut(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Broken> {
        loop {
            self.shared.wake.clear();
            if self.is_left() {
                return Err(Broken::Left);
            }
            match act(&mut self.session) {
                Err(error) if is_waiting(&error) => self.wait(true, None).map_err(Broken::System)?,
                done => return Ok(done?),
            };
        }
    }

    /// Whether the library could not send all that it wants to.
    pub(super) fn is_blocked(&self) -> bool {
        matches!(self.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both)
    }

    /// Waits until there is something for the library (where that is wanted) or room for what it says, until somebody wakes us, or so
    /// long. True when the server has said something.
    pub(super) fn wait(&mut self, wants_input: bool, most: Option<Duration>) -> io::Result<bool> {
        let has_room = self.sluice.send_out()?;
        if wants_input && self.sluice.feed()? {
            return Ok(true);
        }
        if has_room && self.is_blocked() {
            return Ok(false);
        }
        let has_come = self.poll(wants_input && self.sluice.wants_input(), most)?;
        if has_come {
            if let Err(error) = self.sluice.take_in() {
                self.shared.fate.lose(system_words(error));
            }
            self.sluice.feed()?;
        }
        Ok(has_come)
    }

    /// Whether the server has taken all that the library said.
    pub(super) fn has_sent_all(&mut self) -> io::Result<bool> {
        self.sluice.send_out()?;
        Ok(!self.sluice.wants_output())
    }

    /// True when the server's socket has something that is wanted.
    fn poll(&self, wants_input: bool, most: Option<Duration>) -> io::Result<bool> {
        let mut interest = PollFlags::empty();
        interest.set(PollFlags::IN, wants_input);
        interest.set(PollFlags::OUT, self.sluice.wants_output());
        let both = &mut [PollFd::new(&self.shared.wake, PollFlags::IN), PollFd::new(&self.sluice, interest)];
        // A socket that nothing is wanted of would end the wait when it is closed, again and again.
        let watched = if interest.is_empty() { both.get_mut(..1).unwrap_or_default() } else { both };
        let most = most.map(|most| Timespec {
            tv_sec: i64::try_from(most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(most.subsec_nanos()),
        });
        match poll(watched, most.as_ref()) {
            Ok(_) => Ok(wants_input
                && watched.get(1).is_some_and(|socket| {
                    socket.revents().intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
                })),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the connection.
    pub(super) fn shut(&self) {
        self.sluice.shut();
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.shut();
    }
}

/// What the system says, without its number.
fn system_words(error: rustix::io::Errno) -> String {
    io::Error::from(error).to_string().split(" (os error").next().unwrap_or_default().to_lowercase()
}
