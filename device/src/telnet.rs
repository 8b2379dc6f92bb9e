//! Telnet: the codec on a TCP connection.

pub mod codec;
mod com_port;
pub mod option;

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout_at,
};

use self::com_port::{Order, grants, orders};
use crate::{
    channel::{Channel, Window, poll_stream, scratch},
    clock::Deadline,
    limits::{BREAK_MAX, COM_PORT_TIMEOUT, TELNET_ANSWERS_MAX, TELNET_OUT_BYTES_MAX},
    line::{Line, LineOrder, ModemLines},
};

pub use codec::{Codec, Role};

/// A telnet connection.
pub struct Telnet<S> {
    stream: S,
    codec: Codec,
    role: Role,
    scratch: Box<[u8]>,
    raw: Vec<u8>,
    out: Vec<u8>,
    /// Data that came while an answer was awaited.
    kept: Vec<u8>,
    ended: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Telnet<S> {
    /// A connection that has just been made.
    pub fn new(stream: S, mut codec: Codec, role: Role) -> Self {
        let mut out = Vec::new();
        codec.greet(&mut out);
        let (raw, kept) = (Vec::new(), Vec::new());
        Self { stream, codec, role, scratch: scratch(), raw, out, kept, ended: false }
    }

    /// Waits until the peer lets us at its serial line, and sets that.
    ///
    /// # Errors
    /// The peer has none, does not set it so, or is gone.
    pub(crate) async fn open_line(&mut self, line: Option<Line>) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await?;
        let has_line = self.until(|codec| codec.has_line()).await?;
        if !has_line {
            let why = "it speaks telnet, but not RFC 2217: use protocol = telnet";
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        self.codec.ask_signature(&mut self.out);
        self.codec.ask_breaks(&mut self.out);
        let Some(line) = line else { return Ok(()) };
        let Line { speed, framing, flow } = line;
        self.give(LineOrder::Set { speed: Some(speed), framing: Some(framing), flow: Some(flow) }).await
    }

    /// Has the terminal server tell the modem lines: it does when it is asked to tell every change from now on.
    async fn read_modem(&mut self) -> io::Result<ModemLines> {
        let unsupported = |why: &str| io::Error::new(io::ErrorKind::Unsupported, why.to_owned());
        let nothing =
            "telnet alone knows no modem lines: use protocol = rfc2217 where the terminal server speaks it";
        let order = self.codec.com_port().ok_or_else(|| unsupported(nothing))?.ask_modem();
        self.codec.order(&order, &mut self.out);
        poll_fn(|cx| self.poll_flush(cx)).await?;
        let limit = Deadline::after(COM_PORT_TIMEOUT);
        let told = self.until(|codec| codec.com_port()?.modem_lines());
        let mute = "the terminal server does not tell the modem lines; the line behind it may have none";
        timeout_at(limit.instant(), told).await.map_err(|_late| unsupported(mute))?
    }

    /// Gives the orders that one order of ours takes, and sees that each is granted.
    async fn give(&mut self, order: LineOrder) -> io::Result<()> {
        let mut hold = match order {
            LineOrder::Break(span) => Some(span.min(BREAK_MAX)),
            LineOrder::Set { .. } | LineOrder::Dtr(_) | LineOrder::Rts(_) | LineOrder::Purge => None,
        };
        for order in orders(order) {
            if let Some(line) = self.codec.com_port() {
                line.forget_answers();
            }
            self.codec.order(&order, &mut self.out);
            poll_fn(|cx| self.poll_flush(cx)).await?;
            self.see_granted(&order).await?;
            if let Some(span) = hold.take() {
                tokio::time::sleep(span).await;
            }
        }
        Ok(())
    }

    async fn see_granted(&mut self, order: &Order) -> io::Result<()> {
        let limit = Deadline::after(COM_PORT_TIMEOUT);
        let answer = self.until(|codec| codec.com_port()?.answer(order));
        let unsupported = |why: String| Err(io::Error::new(io::ErrorKind::Unsupported, why));
        match timeout_at(limit.instant(), answer).await {
            Err(_) => unsupported(format!(
                "the terminal server gave no answer to {} within {:.1?}: it does not support it",
                order.what,
                limit.span()
            )),
            Ok(answer) => {
                let answer = answer?;
                if grants(order, &answer) {
                    return Ok(());
                }
                let is = match <[u8; 4]>::try_from(answer.as_slice()) {
                    Ok(speed) => u32::from_be_bytes(speed).to_string(),
                    Err(_) => format!("{answer:?}"),
                };
                unsupported(format!("the terminal server did not take {}: it says {is}", order.what))
            }
        }
    }

    /// Reads until the codec has what is looked for; data that come are kept.
    async fn until<T>(&mut self, mut look: impl FnMut(&mut Codec) -> Option<T>) -> io::Result<T> {
        loop {
            if let Some(found) = look(&mut self.codec) {
                return Ok(found);
            }
            if self.ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            poll_fn(|cx| {
                let mut kept = std::mem::take(&mut self.kept);
                let step = self.poll_step(cx, &mut kept);
                self.kept = kept;
                step
            })
            .await?;
        }
    }

    /// Reads once: data, orders, or the end.
    fn poll_step(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<()>> {
        // Answers go out while we wait to read; a peer that takes none only stops its own answers.
        self.answer(cx);
        self.raw.clear();
        if ready!(poll_stream(&mut self.stream, cx, &mut self.scratch, &mut self.raw))? == 0 {
            self.ended = true;
            return Poll::Ready(Ok(()));
        }
        let was_suspended = self.is_suspended();
        self.codec.receive(&self.raw, into, &mut self.out);
        if was_suspended && !self.is_suspended() {
            // Somebody may wait to write.
            cx.waker().wake_by_ref();
        }
        self.answer(cx);
        Poll::Ready(Ok(()))
    }

    fn answer(&mut self, cx: &mut Context<'_>) {
        if let Poll::Ready(Err(error)) = self.poll_out(cx) {
            tracing::debug!(%error, "a telnet answer could not be sent");
            self.out.clear();
        }
    }

    /// The terminal server has no room for more data.
    fn is_suspended(&mut self) -> bool {
        self.codec.com_port().is_some_and(|line| line.suspended)
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
        if !self.kept.is_empty() {
            let count = self.kept.len();
            into.append(&mut self.kept);
            return Poll::Ready(Ok(count));
        }
        let before = into.len();
        while !self.ended {
            ready!(self.poll_step(cx, into))?;
            if into.len() > before {
                return Poll::Ready(Ok(into.len().saturating_sub(before)));
            }
        }
        Poll::Ready(Ok(0))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_suspended() {
            // Whoever writes reads as well, and so hears when there is room again.
            return Poll::Pending;
        }
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

    fn remark(&self) -> Option<String> {
        self.codec.is_weary().then(|| {
            format!("it negotiates telnet options without end, and is no longer answered after {TELNET_ANSWERS_MAX}")
        })
    }

    fn take_break(&mut self) -> io::Result<bool> {
        Ok(self.codec.take_break())
    }

    fn modem_lines(&mut self) -> BoxFuture<'_, io::Result<ModemLines>> {
        Box::pin(self.read_modem())
    }

    fn order(&mut self, order: LineOrder) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            if self.codec.com_port().is_some() {
                return self.give(order).await;
            }
            match order {
                LineOrder::Break(_) if self.role == Role::Client => {
                    Codec::send_break(&mut self.out);
                    poll_fn(|cx| self.poll_flush(cx)).await
                }
                LineOrder::Break(_)
                | LineOrder::Set { .. }
                | LineOrder::Dtr(_)
                | LineOrder::Rts(_)
                | LineOrder::Purge => {
                    let why = "telnet alone knows no serial line: use protocol = rfc2217 where the terminal server speaks it";
                    Err(io::Error::new(io::ErrorKind::Unsupported, why))
                }
            }
        })
    }
}

#[cfg(test)]
mod tests;
