//! SSH by libssh2, for devices that get on better with it, or that know nothing but what only it still knows.
//!
//! The library is C, blocks, and takes one caller at a time: a thread of its own owns each connection with all its channels, and nobody
//! else touches them. It never blocks in the library, only in one `poll` of the socket and of a [`wake::Wake`]. Each channel is a
//! [`pipe`] of bounded size: bytes are put in at one end and taken out at the other, and either end wakes the other. Between the library
//! and the socket is a [`sluice::Sluice`], so that the last words before an end are heard.
//!
//! ```text
//!  async                                       │ thread of the connection
//!  Shell, Program, Stream ── near end of a pipe ┼─ far end ── channel ─┐
//!  Link ─────────────────── orders: open, leave ┼──────────── opening ─┼─ session
//!                                         wake ─┼─ poll ────────────── sluice ── socket
//! ```

mod algorithms;
mod channel;
mod entering;
mod link;
mod offer;
mod opening;
mod pipe;
mod port;
mod serving;
mod sluice;
mod speaker;
mod wake;
mod words;

pub(super) use link::enter;
