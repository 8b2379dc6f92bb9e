//! Breaks that the device sends: they come beside the bytes of a serial line, and are waited for beside them.

use std::{future::poll_fn, io, task::Poll};

use tokio::time::timeout_at;

use super::{Dialogue, ExpectError};
use crate::clock::Deadline;

impl Dialogue {
    /// Takes a break that came and was not told, or waits for one; what the device says meanwhile can still be awaited. An error where the line
    /// under the dialogue cannot tell of breaks.
    ///
    /// # Errors
    /// None came before the deadline or the end of the dialogue.
    pub(crate) async fn wait_break(&mut self, deadline: Deadline) -> io::Result<Result<(), ExpectError>> {
        let waiting = poll_fn(|cx| {
            loop {
                if self.channel.take_break()? {
                    return Poll::Ready(Ok(true));
                }
                if self.ended {
                    return Poll::Ready(Ok(false));
                }
                match self.poll_fill(cx) {
                    Poll::Ready(read) => drop((read?, self.slide())),
                    // One without a byte after it wakes us, and is no byte.
                    Poll::Pending if self.channel.take_break()? => return Poll::Ready(Ok(true)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        let came: io::Result<bool> = match timeout_at(deadline.instant(), waiting).await {
            Ok(came) => came,
            Err(_late) => Ok(false),
        };
        if came? { Ok(Ok(())) } else { Ok(Err(self.not_seen("a break".to_owned(), deadline))) }
    }
}
