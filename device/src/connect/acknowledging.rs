//! A TCP connection that acknowledges at once what is short.
//!
//! A device writes the echo of a command and then its answer. Most telnet servers leave Nagle's algorithm on: the answer waits until the
//! echo is acknowledged, which the kernel of one who also sends puts off by 40 ms. The kernel forgets the wish, so it is made again: where
//! somebody waits for more. What is sent takes the acknowledgement along.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use rustix::net::sockopt;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// More than this at once is no echo: floods are acknowledged by their amount.
const SHORT_BYTES_MAX: usize = 4096;

/// The connection.
#[derive(Debug)]
pub(super) struct Acknowledging {
    stream: TcpStream,
    /// Something short has come, and nothing went out with which its acknowledgement could go.
    owes: bool,
}

impl Acknowledging {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, owes: false }
    }
}

/// Whether somebody waits: who only looks what is there has a waker that wakes nobody, and may send next.
fn is_waiting(cx: &Context<'_>) -> bool {
    !cx.waker().will_wake(Waker::noop())
}

impl AsyncRead for Acknowledging {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        match &read {
            Poll::Pending if self.owes && is_waiting(cx) => {
                self.owes = false;
                // A connection that is gone says so when it is read again.
                let _ = sockopt::set_tcp_quickack(&self.stream, true);
            }
            Poll::Ready(Ok(())) => {
                self.owes = buffer.filled().len().saturating_sub(before) <= SHORT_BYTES_MAX
            }
            Poll::Pending | Poll::Ready(Err(_)) => {}
        }
        read
    }
}

impl AsyncWrite for Acknowledging {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.owes &= written.is_pending();
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn what_is_short_is_acknowledged_at_once_however_long_the_talk() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut device, mut us) = (listener.accept().await.unwrap().0, Acknowledging::new(stream));
        let mut byte = [0];
        let (mut put_off, mut looked) = (0, 0);
        for _ in 0..50 {
            us.write_all(b"?").await.unwrap();
            device.read_exact(&mut byte).await.unwrap();
            // One who answers what came is taken for one whose acknowledgements can wait for the next answer.
            put_off += u32::from(!sockopt::tcp_quickack(&us.stream).unwrap());
            device.write_all(b"!").await.unwrap();
            us.read_exact(&mut byte).await.unwrap();
            let look = &mut Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut us).poll_read(look, &mut ReadBuf::new(&mut [0])).is_pending());
            looked += u32::from(!sockopt::tcp_quickack(&us.stream).unwrap());
            assert!(poll!(Box::pin(us.read(&mut byte))).is_pending());
            assert!(sockopt::tcp_quickack(&us.stream).unwrap());
        }
        assert!(put_off > 0 && looked > 0, "the kernel puts nothing off: this test shows nothing");
    }
}
