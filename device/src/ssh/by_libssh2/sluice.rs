//! The bytes between the library and the server.
//!
//! The library forgets what a server said last: where data and the end of the connection come at once, it tells of the end, and the data
//! is gone. So it does not read from the server's socket, but from a pair of ours, in which the end never stands beside what came before
//! it: of all that has come, the last bytes are put in when everything before them was taken out, and the end after those.

use std::{
    io::{self, ErrorKind, Write},
    net::Shutdown,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags, recv, send},
};

use crate::limits::READ_BYTES;

/// Fewer than the shortest goodbye has with its padding and its message check: nothing ends in front of it within these.
const LAST_BYTES: usize = 32;

pub(super) struct Sluice {
    server: OwnedFd,
    library: UnixStream,
    /// Came from the server, and is for the library.
    came: Waiting,
    /// Is for the server.
    goes: Waiting,
    end: End,
}

/// Bytes on their way.
struct Waiting {
    bytes: Box<[u8]>,
    from: usize,
    to: usize,
}

impl Waiting {
    fn none() -> Self {
        Self { bytes: vec![0; READ_BYTES].into_boxed_slice(), from: 0, to: 0 }
    }

    fn left(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    fn take(&mut self, count: usize) {
        self.from = self.from.saturating_add(count);
    }

    /// Puts in what a socket has, behind what is left; how much that is.
    fn fill(&mut self, socket: impl AsFd) -> Result<usize, Errno> {
        self.bytes.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to.saturating_sub(self.from));
        let room = self.bytes.get_mut(self.to..).unwrap_or_default();
        let count = recv(socket, room, RecvFlags::empty())?.0;
        self.to = self.to.saturating_add(count);
        Ok(count)
    }
}

/// What is known of the server's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    NotYet,
    Seen,
    Fed,
}

impl Sluice {
    /// The sluice, and the end of it that the library speaks on.
    pub(super) fn new(server: OwnedFd) -> io::Result<(Self, UnixStream)> {
        let (library, end) = UnixStream::pair()?;
        library.set_nonblocking(true)?;
        end.set_nonblocking(true)?;
        Ok((Self { server, library, came: Waiting::none(), goes: Waiting::none(), end: End::NotYet }, end))
    }

    /// Whether the server's socket must be asked for more.
    pub(super) fn wants_input(&self) -> bool {
        self.came.left().is_empty() && self.end == End::NotYet
    }

    /// Whether something waits for the server's socket to take it.
    pub(super) fn wants_output(&self) -> bool {
        !self.goes.left().is_empty()
    }

    /// Gives the library the next of what came, or the end of it. False where there is nothing.
    pub(super) fn feed(&mut self) -> io::Result<bool> {
        // Where more has come meanwhile, the last bytes were not the last.
        let is_last = (1..=LAST_BYTES).contains(&self.came.left().len());
        if is_last && self.end == End::NotYet && self.came.fill(&self.server) == Ok(0) {
            self.end = End::Seen;
        }
        let left = self.came.left();
        if left.is_empty() {
            if self.end != End::Seen {
                return Ok(false);
            }
            self.end = End::Fed;
            self.library.shutdown(Shutdown::Write)?;
            return Ok(true);
        }
        let first = left.len().checked_sub(LAST_BYTES).filter(|first| *first > 0).unwrap_or(left.len());
        match self.library.write(left.get(..first).unwrap_or(left)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            taken => self.came.take(taken?),
        }
        Ok(true)
    }

    /// Takes what the server has said; an error is why it says nothing more.
    pub(super) fn take_in(&mut self) -> Result<(), Errno> {
        match self.came.fill(&self.server) {
            Ok(0) => self.end = End::Seen,
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => {
                self.end = End::Seen;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sends what the library said, as far as the server takes it. True where the library has room again.
    pub(super) fn send_out(&mut self) -> io::Result<bool> {
        let mut has_room = false;
        loop {
            while !self.goes.left().is_empty() {
                match send(&self.server, self.goes.left(), SendFlags::NOSIGNAL) {
                    Ok(sent) => self.goes.take(sent),
                    Err(Errno::AGAIN | Errno::INTR) => return Ok(has_room),
                    // It is gone: what it said before is still heard, and then its end.
                    Err(_) => self.goes.from = self.goes.to,
                }
            }
            match self.goes.fill(&self.library) {
                Ok(0) | Err(Errno::AGAIN | Errno::INTR) => return Ok(has_room),
                Ok(_) => has_room = true,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends it on both sides. The library frees nothing while it waits for a server; a socket that is shut lets it wait for none.
    pub(super) fn shut(&self) {
        let ended = rustix::net::shutdown(&self.server, rustix::net::Shutdown::Both).map_err(io::Error::from);
        if let Err(error) = ended.and(self.library.shutdown(Shutdown::Both)) {
            tracing::debug!(%error, "an SSH connection was closed by its peer first");
        }
    }
}

impl AsFd for Sluice {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.server.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// A server's socket, the sluice, and what the library reads from.
    fn sluice() -> (UnixStream, Sluice, UnixStream) {
        let (server, ours) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let (sluice, library) = Sluice::new(ours.into()).unwrap();
        (server, sluice, library)
    }

    fn read(library: &mut UnixStream) -> Option<usize> {
        let mut bytes = [0; 1000];
        library.read(&mut bytes).ok()
    }

    #[test]
    fn the_end_never_stands_beside_what_came_before_it() {
        let (mut server, mut sluice, mut library) = sluice();
        server.write_all(&[7; 100]).unwrap();
        drop(server);
        sluice.take_in().unwrap();
        let mut seen = Vec::new();
        loop {
            if sluice.wants_input() {
                sluice.take_in().unwrap();
            }
            if !sluice.feed().unwrap() {
                break;
            }
            seen.push(read(&mut library));
            assert!(seen.last() == Some(&Some(0)) || read(&mut library).is_none(), "{seen:?}");
        }
        assert_eq!(seen, [Some(100 - LAST_BYTES), Some(LAST_BYTES), Some(0)]);
        assert!(!sluice.wants_input());
    }

    #[test]
    fn what_the_library_says_is_sent_as_the_server_takes_it() {
        let (mut server, mut sluice, mut library) = sluice();
        let mut said = 0;
        // Until nothing takes more.
        loop {
            let written = library.write(&[1; 10_000]);
            let has_room = sluice.send_out().unwrap();
            said += written.as_ref().unwrap_or(&0);
            if written.is_err() && !has_room {
                break;
            }
        }
        assert!(sluice.wants_output());
        server.set_nonblocking(true).unwrap();
        let (mut heard, mut piece) = (0, vec![0; 1 << 20]);
        while let Ok(read) = server.read(&mut piece) {
            heard += read;
            sluice.send_out().unwrap();
        }
        assert_eq!(heard, said);
        // A server that is gone takes everything.
        drop(server);
        library.write_all(&[1; 10_000]).unwrap();
        assert!(sluice.send_out().unwrap() && !sluice.wants_output());
    }
}
