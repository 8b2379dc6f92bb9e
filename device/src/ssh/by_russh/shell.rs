//! A shell in a terminal, as a channel.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::{Sleep, sleep},
};

use super::super::{SshError, fate::Fate};
use crate::{
    channel::{Channel, Window},
    limits::SSH_LAST_WORDS,
};

/// A shell at the other end of a connection.
pub(super) struct Shell {
    fate: Arc<Fate>,
    reader: ChannelReadHalf,
    control: ChannelWriteHalf<client::Msg>,
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    /// The device said that the shell is over, and may still tell how it ended.
    over: bool,
    last_words: Option<Pin<Box<Sleep>>>,
    remark: Option<String>,
}

impl Shell {
    /// Asks for a shell on a channel.
    pub(super) async fn begin(
        channel: russh::Channel<client::Msg>,
        fate: &Arc<Fate>,
        terminal: &str,
        window: Window,
    ) -> Result<Self, SshError> {
        let (columns, rows) = (u32::from(window.columns), u32::from(window.rows));
        channel.request_pty(false, terminal, columns, rows, 0, 0, &[]).await?;
        channel.request_shell(true).await?;
        let (reader, control) = channel.split();
        let writer = Box::pin(control.make_writer());
        let fate = Arc::clone(fate);
        Ok(Self { fate, reader, control, writer, over: false, last_words: None, remark: None })
    }

    /// The channel has nothing more: the device ended the dialogue, or the connection was lost.
    fn end(&mut self) -> Poll<io::Result<usize>> {
        if self.over || self.fate.said_goodbye() {
            return Poll::Ready(Ok(0));
        }
        Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, self.fate.loss())))
    }
}

impl Channel for Shell {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        loop {
            // `wait` takes one message off a queue: nothing is lost when it is polled anew.
            let message = match std::pin::pin!(self.reader.wait()).poll(cx) {
                Poll::Ready(message) => message,
                Poll::Pending => {
                    let Some(last_words) = &mut self.last_words else { return Poll::Pending };
                    ready!(last_words.as_mut().poll(cx));
                    return Poll::Ready(Ok(0));
                }
            };
            match message {
                None => return self.end(),
                Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => {
                    if !data.is_empty() {
                        into.extend_from_slice(&data);
                        return Poll::Ready(Ok(data.len()));
                    }
                }
                Some(ChannelMsg::Failure) => {
                    return Poll::Ready(Err(io::Error::other("the device refused to open a shell")));
                }
                // The exit status may come between the end of the text and the end of the channel, which some devices never tell.
                Some(ChannelMsg::Eof) => {
                    self.over = true;
                    self.last_words = Some(Box::pin(sleep(SSH_LAST_WORDS)));
                }
                Some(ChannelMsg::Close) => {
                    self.over = true;
                    return Poll::Ready(Ok(0));
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    self.remark = Some(format!("the shell ended with status {exit_status}"));
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    self.remark = Some(format!("the shell was ended by signal {signal_name:?}"));
                }
                // Window sizes and the like say nothing that a dialogue shows.
                Some(_) => {}
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writer.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_flush(cx)
    }

    fn resize(&mut self, window: Window) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            let (columns, rows) = (u32::from(window.columns), u32::from(window.rows));
            self.control.window_change(columns, rows, 0, 0).await.map_err(io::Error::other)
        })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Err(error) = self.writer.shutdown().await {
                tracing::debug!(%error, "an SSH channel was closed by its peer first");
            }
        })
    }

    fn remark(&self) -> Option<String> {
        self.remark.clone()
    }
}
