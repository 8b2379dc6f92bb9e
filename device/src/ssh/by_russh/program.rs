//! A program at the other end, on a channel of its own.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client::Msg};
use tokio::io::AsyncWrite;

use super::super::fate::Fate;
use crate::beside::{Program, Said, Status};

pub(super) struct SshProgram {
    reader: ChannelReadHalf,
    /// Kept so that the channel stays open.
    _control: ChannelWriteHalf<Msg>,
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    early: Vec<ChannelMsg>,
    over: bool,
    fate: Arc<Fate>,
}

impl SshProgram {
    /// A program that was asked for; waits until the server has said whether it starts it.
    pub(super) async fn begin(
        channel: Channel<Msg>,
        fate: &Arc<Fate>,
        refused: impl Fn() -> io::Error,
    ) -> io::Result<Self> {
        let (mut reader, control) = channel.split();
        let mut early = Vec::new();
        loop {
            match reader.wait().await {
                Some(ChannelMsg::Success) => break,
                Some(ChannelMsg::Failure | ChannelMsg::Close) => return Err(refused()),
                None => return Err(io::Error::new(io::ErrorKind::ConnectionReset, fate.loss())),
                Some(other) => early.push(other),
            }
        }
        early.reverse();
        let writer = Box::pin(control.make_writer());
        Ok(Self { reader, _control: control, writer, early, over: false, fate: Arc::clone(fate) })
    }
}

impl Program for SshProgram {
    fn poll_said(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Said>>> {
        loop {
            let message = match self.early.pop() {
                Some(early) => Some(early),
                None => ready!(std::pin::pin!(self.reader.wait()).poll(cx)),
            };
            let said = match message {
                Some(ChannelMsg::Data { data }) => Said::Output(data.to_vec()),
                Some(ChannelMsg::ExtendedData { data, .. }) => Said::Error(data.to_vec()),
                Some(ChannelMsg::ExitStatus { exit_status }) => Said::Status(Status::Code(exit_status)),
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    Said::Status(Status::Signal(format!("{signal_name:?}")))
                }
                Some(ChannelMsg::Eof) => {
                    self.over = true;
                    continue;
                }
                Some(ChannelMsg::Close) => return Poll::Ready(Ok(None)),
                None if self.over || self.fate.said_goodbye() => return Poll::Ready(Ok(None)),
                None => {
                    let lost = io::Error::new(io::ErrorKind::ConnectionReset, self.fate.loss());
                    return Poll::Ready(Err(lost));
                }
                Some(_) => continue,
            };
            return Poll::Ready(Ok(Some(said)));
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writer.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_flush(cx)
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_shutdown(cx)
    }
}
