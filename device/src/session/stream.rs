//! An answer that goes into a file as it comes: gigabytes in the memory of a few megabytes.
//!
//! Its end is proven as that of any other answer; only its beginning is let go of meanwhile, in whole lines. What needs all of an answer at
//! once is not done: a code that moves the cursor up reaches the lines that have not been written yet, the last tens of kilobytes, and not
//! those above. Where a profile ends its answers by a command of its own, or lets them go on behind a prompt, an answer is read whole first.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{fs::File, io::AsyncWriteExt};

use super::{
    Session, SessionError,
    answer::Answering,
    echo::{self, Sought},
    order::Order,
    parts::{Parts, lines_before},
};
use crate::{clock::Deadline, transfer::TransferError};

/// Bytes that wait before the whole lines among them are written.
const KEPT_BYTES_MAX: usize = 256 * 1024;
/// Bytes that are not written before more has come: the end is looked for in them.
const TAIL_BYTES: usize = 64 * 1024;
/// Bytes that are read at once where a device is faster than the disk.
pub(super) const STREAM_READ_BYTES_MAX: usize = 1024 * 1024;

/// An answer that has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the file.
    pub bytes: u64,
}

/// A file that an answer goes into, beside its place until no more comes.
pub(super) struct Stream {
    path: PathBuf,
    part: PathBuf,
    file: File,
    bytes: u64,
    /// The last of it is no end of a line.
    is_open: bool,
    /// The first line that the profile calls a refusal.
    refusal: Option<String>,
    /// What had come and was not written when no more came.
    rest: Vec<u8>,
}

impl Stream {
    async fn create(path: &Path) -> Result<Self, SessionError> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part).await.map_err(|source| local(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            part,
            file,
            bytes: 0,
            is_open: false,
            refusal: None,
            rest: Vec::new(),
        })
    }

    /// No more comes, and this was not written.
    pub(super) fn keep(&mut self, rest: Vec<u8>) {
        self.rest = rest;
    }

    async fn write(&mut self, text: &str) -> Result<(), SessionError> {
        self.file.write_all(text.as_bytes()).await.map_err(|source| local(&self.path, source))?;
        self.bytes = self.bytes.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX));
        if !text.is_empty() {
            self.is_open = !text.ends_with('\n');
        }
        Ok(())
    }

    /// No more comes: the last line is ended, and the file takes its place.
    async fn finish(&mut self) -> Result<Written, SessionError> {
        if self.is_open {
            self.write("\n").await?;
        }
        let placed = async {
            self.file.flush().await?;
            tokio::fs::rename(&self.part, &self.path).await
        };
        placed.await.map_err(|source| local(&self.path, source))?;
        Ok(Written { bytes: self.bytes })
    }
}

fn local(path: &Path, source: std::io::Error) -> SessionError {
    SessionError::Transfer(TransferError::Local { path: path.to_owned(), source })
}

impl Session {
    /// Gives a command whose answer goes into a file as it comes, without echo, pager and prompt, its lines ended by LF. The file appears when
    /// the answer is whole, or when no more of it comes: its last line says then why.
    ///
    /// # Errors
    /// As [`Session::give`]; or the file cannot be written. What came is in the file.
    pub async fn give_to_file(
        &mut self,
        order: &Order,
        path: &Path,
        timeout: Duration,
    ) -> Result<Written, SessionError> {
        let deadline = Deadline::after(timeout);
        let written = self.run_to_file(order, path, deadline).await;
        written.map_err(|error| self.starred(error))
    }

    async fn run_to_file(
        &mut self,
        order: &Order,
        path: &Path,
        deadline: Deadline,
    ) -> Result<Written, SessionError> {
        order.check()?;
        self.be_connected(deadline).await?;
        let mut stream = Stream::create(path).await?;
        let failed = match self.run_into(order, &mut stream, deadline).await {
            Ok(()) => {
                let written = stream.finish().await?;
                match stream.refusal.take().filter(|_| order.is_checked) {
                    None => return Ok(written),
                    Some(answer) => SessionError::Refused { line: order.line.clone(), answer },
                }
            }
            Err(failed) => {
                let failed = self.starred(failed);
                let note =
                    format!("{}[the answer ends here: {failed}]", if stream.is_open { "\n" } else { "" });
                stream.write(&note).await?;
                stream.finish().await?;
                failed
            }
        };
        Err(SessionError::Kept { failed: Box::new(failed), path: path.to_owned() })
    }

    async fn run_into(
        &mut self,
        order: &Order,
        stream: &mut Stream,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        let profile = &self.kind.profile;
        let is_help = profile.help.as_ref().is_some_and(|help| order.line.ends_with(&help.key));
        if is_help || profile.answer_end.is_some() || !profile.goes_on.is_empty() {
            let answer = self.run_order(order, deadline).await?;
            stream.refusal = self.refusal_of(&order.line, &answer);
            return stream.write(&answer).await;
        }
        match self.send_and_await(order, deadline, Some(stream)).await {
            Ok((rest, done)) => {
                self.check_end(&rest, order, &done)?;
                let mut text = self.cleaned(rest, order);
                if stream.bytes == 0 {
                    self.take_beginning_off(&mut text, done.is_echoed);
                }
                self.take_end_off(&mut text, done.proof);
                self.write_to(stream, &text, order).await
            }
            Err(failed) => {
                let text = self.rest_of(stream, order);
                self.write_to(stream, &text, order).await?;
                Err(failed)
            }
        }
    }

    /// What has come of an answer that does not come to its end; it stays, since it may still be awaited.
    fn rest_of(&mut self, stream: &mut Stream, order: &Order) -> String {
        let mut rest = std::mem::take(&mut stream.rest);
        let is_first = stream.bytes == 0 && rest.is_empty();
        rest.extend_from_slice(self.dialogue.pending());
        let sought =
            Sought { command: &order.line, prompt: self.known.last(), encoding: self.kind.profile.encoding };
        let echo = echo::end_of(&rest, sought);
        if let Some(echo) = echo.filter(|_| is_first) {
            rest.drain(..echo.min(rest.len()));
        }
        self.cleaned(rest, order)
    }

    /// Lets go of what has come and is no end of the answer.
    pub(super) async fn let_go(
        &mut self,
        stream: &mut Stream,
        parts: &mut Parts,
        answering: &mut Answering<'_>,
        order: &Order,
    ) -> Result<(), SessionError> {
        let pending = self.dialogue.pending();
        if pending.len() > KEPT_BYTES_MAX {
            if answering.lacks_echo(pending) {
                return Err(order.uncertain(format!(
                    "{} KiB came, but not the echo of the command, which this device has sent before each answer",
                    pending.len() / 1024
                )));
            }
            let (begin, text) = (answering.begin(), answering.text_begin());
            let head = lines_before(pending, TAIL_BYTES).max(text);
            let before = pending.get(..begin).unwrap_or_default();
            self.unasked.add(before);
            parts.add(self.dialogue.take(head), text);
            answering.forget(head);
        }
        if parts.len() > KEPT_BYTES_MAX {
            let lines = parts.take_lines(TAIL_BYTES);
            let mut text = self.cleaned(lines, order);
            if stream.bytes == 0 {
                self.take_beginning_off(&mut text, answering.is_echoed());
            }
            self.write_to(stream, &text, order).await?;
        }
        Ok(())
    }

    async fn write_to(&mut self, stream: &mut Stream, text: &str, order: &Order) -> Result<(), SessionError> {
        let may_refuse = stream.bytes == 0 || !self.kind.asks_for_logs(&order.line);
        if may_refuse && stream.refusal.is_none() {
            stream.refusal = self.refusal_of(&order.line, text);
        }
        stream.write(text).await
    }
}

#[cfg(test)]
mod tests;
