//! The library's session and its socket, on the thread that owns both.

use std::{
    io,
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{Shutdown, shutdown},
};
use ssh2::{BlockDirections, Error, Session};

use super::{pipe::Shared, words::is_waiting};

/// Speaks on one connection.
pub(super) struct Speaker {
    pub(super) session: Session,
    pub(super) shared: Arc<Shared>,
    socket: OwnedFd,
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
        let own = socket.try_clone().map_err(Broken::System)?;
        session.set_tcp_stream(own);
        Ok(Self { session, shared, socket, is_left })
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

    /// Waits until the socket has something (where that is wanted) or takes what is left to send, until somebody wakes us, or so long.
    /// True when the socket has something.
    pub(super) fn wait(&self, wants_input: bool, most: Option<Duration>) -> io::Result<bool> {
        let mut interest = PollFlags::empty();
        interest.set(PollFlags::IN, wants_input);
        interest.set(PollFlags::OUT, self.is_blocked());
        let both = &mut [PollFd::new(&self.shared.wake, PollFlags::IN), PollFd::new(&self.socket, interest)];
        // A socket that nothing is wanted of would end the wait when it is closed, again and again.
        let watched = if interest.is_empty() { both.get_mut(..1).unwrap_or_default() } else { both };
        let most = most.map(|most| Timespec {
            tv_sec: i64::try_from(most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(most.subsec_nanos()),
        });
        match poll(watched, most.as_ref()) {
            Ok(_) => Ok(watched.get(1).is_some_and(|socket| {
                socket.revents().intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
            })),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the connection. The library frees nothing while it waits for a server; a socket that is shut lets it wait for none.
    pub(super) fn shut(&self) {
        if let Err(error) = shutdown(&self.socket, Shutdown::Both) {
            tracing::debug!(%error, "an SSH connection was closed by its peer first");
        }
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.shut();
    }
}
