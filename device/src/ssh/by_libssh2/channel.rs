//! The near end of a channel as what it is used for: a shell, a program, a stream.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pipe::Near;
use crate::{
    beside::{Program, Said, Status},
    channel::{Channel, Window},
};

/// A shell in a terminal.
pub(super) struct Shell {
    near: Near,
    remark: Option<String>,
}

impl Shell {
    pub(super) fn new(near: Near) -> Self {
        Self { near, remark: None }
    }
}

impl Channel for Shell {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        loop {
            match ready!(self.near.poll_said(cx))? {
                None => return Poll::Ready(Ok(0)),
                Some(Said::Output(mut bytes) | Said::Error(mut bytes)) => {
                    let count = bytes.len();
                    into.append(&mut bytes);
                    self.near.give_back(bytes);
                    return Poll::Ready(Ok(count));
                }
                // The library says zero as well where the device said nothing of it.
                Some(Said::Status(Status::Code(0))) => {}
                Some(Said::Status(Status::Code(code))) => {
                    self.remark = Some(format!("the shell ended with status {code}"));
                }
                Some(Said::Status(Status::Signal(name))) => {
                    self.remark = Some(format!("the shell was ended by signal {name}"));
                }
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.near.poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What was taken goes out by itself.
        Poll::Ready(Ok(()))
    }

    fn resize(&mut self, window: Window) -> BoxFuture<'_, io::Result<()>> {
        let told = self.near.resize(window);
        Box::pin(async { told })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.near.finish();
        Box::pin(async {})
    }

    fn remark(&self) -> Option<String> {
        self.remark.clone()
    }
}

impl Program for Near {
    fn poll_said(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Said>>> {
        Self::poll_said(self, cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Self::poll_write(self, cx, bytes)
    }

    fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_end(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.finish();
        Poll::Ready(Ok(()))
    }
}

/// Bytes both ways, to where a host has connected on to.
pub(super) struct Onward {
    near: Near,
    heard: Vec<u8>,
    at: usize,
}

impl Onward {
    pub(super) fn new(near: Near) -> Self {
        Self { near, heard: Vec::new(), at: 0 }
    }
}

impl AsyncRead for Onward {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.at >= this.heard.len() {
            match ready!(this.near.poll_said(cx))? {
                None => return Poll::Ready(Ok(())),
                Some(Said::Output(bytes)) => {
                    this.near.give_back(std::mem::replace(&mut this.heard, bytes));
                    this.at = 0;
                }
                Some(Said::Error(_) | Said::Status(_)) => {}
            }
        }
        let left = this.heard.get(this.at..).unwrap_or_default();
        let taken = left.get(..into.remaining()).unwrap_or(left);
        into.put_slice(taken);
        this.at = this.at.saturating_add(taken.len());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Onward {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().near.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().near.finish();
        Poll::Ready(Ok(()))
    }
}
