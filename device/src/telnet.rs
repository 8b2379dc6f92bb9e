//! Telnet: the codec on a TCP connection.

pub mod codec;
pub mod option;

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    channel::{Channel, Window, poll_stream, scratch},
    limits::TELNET_OUT_BYTES_MAX,
};

pub use codec::{Codec, Role};

/// A telnet connection.
pub struct Telnet<S> {
    stream: S,
    codec: Codec,
    scratch: Box<[u8]>,
    raw: Vec<u8>,
    out: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Telnet<S> {
    /// A connection that has just been made.
    pub fn new(stream: S, mut codec: Codec, role: Role) -> Self {
        let mut out = Vec::new();
        if role == Role::Server {
            codec.greet(&mut out);
        }
        Self { stream, codec, scratch: scratch(), raw: Vec::new(), out }
    }

    /// What was agreed with the peer.
    pub fn codec(&self) -> &Codec {
        &self.codec
    }

    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.out))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Channel for Telnet<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        let before = into.len();
        loop {
            // Answers go out while we wait to read; a peer that takes none only stops its own answers.
            if let Poll::Ready(Err(error)) = self.poll_out(cx) {
                tracing::debug!(%error, "a telnet answer could not be sent");
                self.out.clear();
            }
            self.raw.clear();
            if ready!(poll_stream(&mut self.stream, cx, &mut self.scratch, &mut self.raw))? == 0 {
                return Poll::Ready(Ok(0));
            }
            self.codec.receive(&self.raw, into, &mut self.out);
            if into.len() > before {
                if let Poll::Ready(Err(error)) = self.poll_out(cx) {
                    tracing::debug!(%error, "a telnet answer could not be sent");
                    self.out.clear();
                }
                return Poll::Ready(Ok(into.len().saturating_sub(before)));
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.out.len() >= TELNET_OUT_BYTES_MAX {
            ready!(self.poll_out(cx))?;
        }
        // All of it is taken at once, so that no CR is parted from its LF.
        self.codec.send(bytes, &mut self.out);
        if let Poll::Ready(Err(error)) = self.poll_out(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn resize(&mut self, window: Window) -> BoxFuture<'_, io::Result<()>> {
        self.codec.resize(window, &mut self.out);
        Box::pin(poll_fn(|cx| self.poll_flush(cx)))
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Err(error) = poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await {
                tracing::debug!(%error, "a telnet connection was closed by its peer first");
            }
        })
    }
}

#[cfg(test)]
mod tests;
