//! Bytes in and out of a device, whatever carries them.
//!
//! A channel is polled, not awaited: one future can read what the device says while it writes what the device is slow to take,
//! so that a device which echoes as it is fed cannot lock both sides.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    beside::Beside,
    limits::READ_BYTES,
    line::{LineOrder, ModemLines},
};

/// A terminal's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

impl Default for Window {
    /// Wide and long, so that devices neither wrap nor page more than they must.
    fn default() -> Self {
        Self { rows: 200, columns: 250 }
    }
}

/// A way to a device.
pub trait Channel: Send {
    /// Appends what has arrived. Ready with 0 when the peer has ended it.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>>;

    /// Takes some of the bytes, and sees that they go out.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Sends what was taken and still waits.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Tells the device the size of the terminal.
    fn resize(&mut self, window: Window) -> BoxFuture<'_, io::Result<()>>;

    /// Ends it in good order, as far as the peer lets it.
    fn close(&mut self) -> BoxFuture<'_, ()>;

    /// What someone who waits in vain should know of the connection: it is part of the error.
    fn remark(&self) -> Option<String> {
        None
    }

    /// Does something to the line that carries the dialogue.
    fn order(&mut self, order: LineOrder) -> BoxFuture<'_, io::Result<()>> {
        let _ = order;
        Box::pin(async {
            let why = "this session has no serial line: only serial and rfc2217 sessions have, and telnet knows a break";
            Err(io::Error::new(io::ErrorKind::Unsupported, why))
        })
    }

    /// The modem lines as the other end has them now.
    fn modem_lines(&mut self) -> BoxFuture<'_, io::Result<ModemLines>> {
        Box::pin(async {
            let why = "this session has no modem lines: only serial and rfc2217 sessions have";
            Err(io::Error::new(io::ErrorKind::Unsupported, why))
        })
    }

    /// Takes one break that came over the line and was not told yet. It may come without a byte: then a read that is pending takes note of it.
    ///
    /// # Errors
    /// There is no serial line, or it cannot tell.
    fn take_break(&mut self) -> io::Result<bool> {
        let why = "this session has no serial line that could tell of a break: only serial, rfc2217 and telnet sessions have";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    /// What the connection carries beside the dialogue; none where it carries nothing else.
    fn beside(&self) -> Option<Arc<dyn Beside>> {
        None
    }
}

/// Reads once from a channel; 0 at its end.
///
/// # Errors
/// What the channel says.
pub async fn read(channel: &mut dyn Channel, into: &mut Vec<u8>) -> io::Result<usize> {
    poll_fn(|cx| channel.poll_read(cx, into)).await
}

/// Appends what a stream has, without holding more than [`READ_BYTES`] at once.
pub(crate) fn poll_stream<S: AsyncRead + Unpin>(
    stream: &mut S,
    cx: &mut Context<'_>,
    scratch: &mut [u8],
    into: &mut Vec<u8>,
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(scratch);
    ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
    into.extend_from_slice(buffer.filled());
    Poll::Ready(Ok(buffer.filled().len()))
}

/// A place to read into.
pub(crate) fn scratch() -> Box<[u8]> {
    vec![0; READ_BYTES].into_boxed_slice()
}

/// A plain stream as a channel: a raw TCP console, or one half of a pipe in tests.
pub struct Raw<S> {
    stream: S,
    scratch: Box<[u8]>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Raw<S> {
    /// A channel of a stream that carries nothing but the dialogue.
    pub fn new(stream: S) -> Self {
        Self { stream, scratch: scratch() }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Channel for Raw<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        poll_stream(&mut self.stream, cx, &mut self.scratch, into)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn resize(&mut self, _window: Window) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Err(error) = poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await {
                tracing::debug!(%error, "a console was closed by its peer first");
            }
        })
    }
}
