//! The way to the device: all at once, or byte by byte for one that loses what comes too fast.

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::timeout_at;

use super::{Dialogue, ExpectError};
use crate::clock::Deadline;

impl Dialogue {
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

    /// Sends bytes; listeners see something else, or nothing where that is empty.
    ///
    /// # Errors
    /// As [`Dialogue::send`].
    pub async fn send_shown(
        &mut self,
        bytes: &[u8],
        shown: &[u8],
        deadline: Deadline,
    ) -> Result<(), ExpectError> {
        for tap in &mut self.taps {
            if shown != bytes {
                tap.secret(bytes);
            }
            tap.input(shown);
        }
        let Some(pace) = self.pace else { return self.write(bytes, deadline).await };
        for byte in bytes.chunks(1) {
            self.write(byte, deadline).await?;
            // What the device echoes meanwhile is taken, so that it is never locked.
            self.read_for(pace.min(deadline.left())).await?;
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), ExpectError> {
        let mut left = bytes;
        let writing = poll_fn(|cx| self.poll_send(cx, &mut left));
        let awaited = "the device to take what was sent".to_owned();
        let Ok(result) = timeout_at(deadline.instant(), writing).await else {
            return Err(self.timed_out(awaited, deadline));
        };
        result.map_err(|source| ExpectError::Broken { awaited, seen: self.seen(), source })
    }

    /// Reads for so long, whatever comes.
    async fn read_for(&mut self, span: Duration) -> Result<(), ExpectError> {
        let limit = Deadline::after(span);
        while !limit.left().is_zero() {
            if self.ended {
                tokio::time::sleep_until(limit.instant()).await;
                break;
            }
            if let Err(source) = self.fill(limit.left()).await {
                let awaited = "the device to take what was sent".to_owned();
                return Err(ExpectError::Broken { awaited, seen: self.seen(), source });
            }
            self.slide();
        }
        Ok(())
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
}
