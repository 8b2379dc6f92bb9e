//! A serial line of this machine. It is ours alone while it is open, and survives being unplugged: the session waits, and goes on when the
//! device file is there again.

mod lock;
mod marks;
mod port;

use std::{
    io,
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::time::{Instant, Sleep, sleep};

use self::{marks::Marks, port::Port};
use crate::{
    channel::{Channel, Window, scratch},
    clock::now,
    limits::{BREAK_MAX, REPLUG_POLL},
    line::{Line, LineOrder, ModemLines},
};

/// The kernel holds a line down for this long at a time.
const BREAK_PIECE: Duration = Duration::from_millis(250);

/// An open line.
pub struct Serial {
    device: PathBuf,
    line: Line,
    port: Option<Port>,
    /// Since when it has been gone, and when to look again.
    gone: Option<(Instant, Pin<Box<Sleep>>)>,
    returns: u32,
    marks: Marks,
    scratch: Box<[u8]>,
}

impl Serial {
    /// Opens a line and sets it.
    ///
    /// # Errors
    /// There is no such line, somebody else has it, or it cannot be set so.
    pub async fn open(device: PathBuf, line: Line) -> io::Result<Self> {
        let path = device.clone();
        let opening = tokio::task::spawn_blocking(move || Port::open(&path, line));
        let port = opening.await.map_err(io::Error::other)??;
        Ok(Self {
            device,
            line,
            port: Some(port),
            gone: None,
            returns: 0,
            marks: Marks::default(),
            scratch: scratch(),
        })
    }

    /// The line when it is there; waits for it to come back when it is not.
    fn poll_port(&mut self, cx: &mut Context<'_>) -> Poll<&mut Port> {
        while let Some((_, look)) = &mut self.gone {
            ready!(look.poll_unpin(cx));
            match Port::try_open(&self.device, self.line) {
                Ok(port) => {
                    tracing::info!(device = %self.device.display(), "a serial line is back");
                    self.port = Some(port);
                    self.gone = None;
                    self.marks.begin_anew();
                    self.returns = self.returns.saturating_add(1);
                }
                Err(error) => {
                    tracing::debug!(%error, device = %self.device.display(), "a serial line is not back yet");
                    look.as_mut().reset(now() + REPLUG_POLL);
                }
            }
        }
        match &mut self.port {
            Some(port) => Poll::Ready(port),
            // Not reached: a line that is not gone is there.
            None => Poll::Pending,
        }
    }

    fn lose(&mut self) {
        tracing::info!(device = %self.device.display(), "a serial line is gone");
        self.port = None;
        self.gone = Some((now(), Box::pin(sleep(REPLUG_POLL))));
    }

    fn plugged(&self) -> io::Result<&Port> {
        let away = || io::Error::new(io::ErrorKind::NotConnected, "the serial line is unplugged");
        self.port.as_ref().ok_or_else(away)
    }

    async fn do_order(&mut self, order: LineOrder) -> io::Result<()> {
        let port = self.plugged()?;
        match order {
            LineOrder::Set { .. } => {
                let line = order.applied_to(self.line);
                port.set(line)?;
                self.line = line;
                Ok(())
            }
            LineOrder::Break(span) => {
                let span = span.min(BREAK_MAX);
                let mut held = Duration::ZERO;
                while held < span.max(BREAK_PIECE) {
                    let line = port.another_hold()?;
                    let pressing = tokio::task::spawn_blocking(move || rustix::termios::tcsendbreak(line));
                    pressing.await.map_err(io::Error::other)??;
                    held = held.saturating_add(BREAK_PIECE);
                }
                Ok(())
            }
            LineOrder::Purge => port.purge(),
            LineOrder::Dtr(is_on) => port.modem(|line| line.set_dtr(is_on)),
            LineOrder::Rts(is_on) => port.modem(|line| line.set_rts(is_on)),
        }
    }
}

impl Channel for Serial {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        loop {
            let mut scratch = std::mem::take(&mut self.scratch);
            let read = match self.poll_port(cx) {
                Poll::Ready(port) => port.poll_read(cx, &mut scratch),
                Poll::Pending => Poll::Pending,
            };
            let before = into.len();
            if let Poll::Ready(Ok(count @ 1..)) = read {
                self.marks.read(scratch.get(..count).unwrap_or_default(), into);
            }
            self.scratch = scratch;
            match ready!(read) {
                Ok(0) => self.lose(),
                Err(error) if port::is_gone(&error) => self.lose(),
                Err(error) => return Poll::Ready(Err(error)),
                // Nothing but marks: a break is no byte, and no end.
                Ok(_) if into.len() == before => {}
                Ok(_) => return Poll::Ready(Ok(into.len().saturating_sub(before))),
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let port = ready!(self.poll_port(cx));
            match ready!(port.poll_write(cx, bytes)) {
                Err(error) if port::is_gone(&error) => self.lose(),
                result => return Poll::Ready(result),
            }
        }
    }

    fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn resize(&mut self, _window: Window) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.port = None;
        Box::pin(async {})
    }

    fn remark(&self) -> Option<String> {
        let device = self.device.display();
        match (&self.gone, self.returns) {
            (Some((since, _)), _) => {
                let gone = now().saturating_duration_since(*since);
                Some(format!("`{device}` has been gone for {gone:.1?}: is it unplugged?"))
            }
            (None, 0) => None,
            (None, times) => Some(format!("`{device}` was unplugged and came back, {times} times so far")),
        }
    }

    fn order(&mut self, order: LineOrder) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(self.do_order(order))
    }

    fn take_break(&mut self) -> io::Result<bool> {
        Ok(self.marks.take_break())
    }

    fn modem_lines(&mut self) -> BoxFuture<'_, io::Result<ModemLines>> {
        Box::pin(async {
            self.plugged()?.modem(|line| {
                Ok(ModemLines {
                    cts: line.read_cts()?,
                    dsr: line.read_dsr()?,
                    ri: line.read_ri()?,
                    cd: line.read_cd()?,
                })
            })
        })
    }
}
