//! The channel under a dialogue: what is asked of it directly, and what happens when it is lost.

use std::{future::poll_fn, io, sync::Arc, task::Poll};

use super::Dialogue;
use crate::{
    beside::Beside,
    connect::{Connected, Wire},
    line::{LineOrder, ModemLines},
};

impl Dialogue {
    /// Does something to the line that carries the dialogue.
    ///
    /// # Errors
    /// There is no such line, or it does not do it.
    pub async fn order(&mut self, order: LineOrder) -> io::Result<()> {
        self.channel.order(order).await
    }

    /// The modem lines of the line that carries the dialogue.
    ///
    /// # Errors
    /// It has none, or cannot tell.
    pub async fn modem_lines(&mut self) -> io::Result<ModemLines> {
        self.channel.modem_lines().await
    }

    /// What the connection carries beside the dialogue.
    pub fn beside(&self) -> Option<Arc<dyn Beside>> {
        self.channel.beside()
    }

    /// Whether the connection is gone; looks at what has come, and does not wait.
    pub(crate) async fn is_lost(&mut self) -> bool {
        poll_fn(|cx| {
            // The end stands behind what came before it.
            while !self.ended && self.buffer.len() < self.window_bytes {
                match self.poll_fill(cx) {
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(_)) => self.ended = true,
                    Poll::Pending => break,
                }
            }
            Poll::Ready(self.ended)
        })
        .await
    }

    /// Says what carries the channel, so that a silent network is told from a silent device.
    pub(crate) fn set_wire(&mut self, wire: Option<Wire>) {
        self.wire = wire;
    }

    pub(super) fn unheard(&self) -> Option<String> {
        self.wire.and_then(Wire::unheard)
    }

    /// Goes on over another channel; what came over the old one is in the records.
    pub(crate) fn go_on_with(&mut self, connected: Connected) {
        self.take_pending();
        (self.channel, self.wire) = (connected.channel, connected.wire);
        if let Some(screen) = &mut self.screen {
            screen.clear();
        }
        self.ended = false;
    }

    /// Gives the connection up.
    pub(crate) fn lose(&mut self) {
        self.ended = true;
    }
}
