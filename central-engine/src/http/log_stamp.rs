//! The times of its lines before the lines of a log: for who reads a log as text.

use actix_web::web;
use futures_util::{
    StreamExt as _,
    stream::{self, LocalBoxStream},
};

use crate::{
    failure::Failure,
    logs::{Arrivals, LogKey, Logs},
};

/// Puts before each line when it came. A piece that begins inside a line begins with its time, too.
pub(super) struct Stamper {
    logs: Logs,
    key: LogKey,
    /// Where the next piece begins.
    at: u64,
    /// Whether a line begins there.
    is_begin: bool,
}

impl Stamper {
    pub(super) fn new(logs: &Logs, key: LogKey, from: u64) -> Self {
        Self { logs: logs.clone(), key, at: from, is_begin: true }
    }

    /// The pieces of the log, with times.
    pub(super) fn stamped(
        self,
        pieces: LocalBoxStream<'static, Result<web::Bytes, Failure>>,
    ) -> LocalBoxStream<'static, Result<web::Bytes, Failure>> {
        stream::unfold((pieces, self), |(mut pieces, mut stamper)| async {
            let piece = match pieces.next().await? {
                Ok(bytes) => stamper.stamp(&bytes).await,
                Err(failure) => Err(failure),
            };
            Some((piece, (pieces, stamper)))
        })
        .boxed_local()
    }

    async fn stamp(&mut self, bytes: &[u8]) -> Result<web::Bytes, Failure> {
        // After the bytes: they have their times.
        let arrivals = self.logs.arrivals(self.key).await?;
        let mut text = Vec::with_capacity(bytes.len().saturating_mul(3) / 2);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.is_begin {
                text.extend_from_slice(time(&arrivals, self.at).as_bytes());
            }
            text.extend_from_slice(line);
            self.is_begin = line.ends_with(b"\n");
            self.at = self.at.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        }
        Ok(text.into())
    }
}

fn time(arrivals: &Arrivals, at: u64) -> String {
    arrivals.at(at).map_or_else(|| "- ".to_owned(), |time| format!("{time} "))
}
