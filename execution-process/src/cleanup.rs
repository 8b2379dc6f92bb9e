//! What is to be done after a test, however it ended: run by the EP, each with its own limit and verdict.

use std::{collections::BTreeMap, ffi::OsString, path::Path, time::Duration};

use jackfield_protocol::{link::Part, verdict::Verdict};
use serde::{Deserialize, Serialize};

use crate::{
    clock,
    process::{self, Program, Tree},
};

/// Of what a clean-up wrote, the most that is kept.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// A command a test registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cleanup {
    pub(crate) name: String,
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// Its limit; none means the EP's.
    pub(crate) timeout_millis: Option<u64>,
}

/// Where clean-ups run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) environment: &'a BTreeMap<OsString, OsString>,
    pub(crate) folder: &'a Path,
    pub(crate) limit_millis: u64,
    pub(crate) marks: &'a [&'a str],
}

/// Runs clean-ups, the last registered first, and says what came of each, and what they wrote.
pub(crate) async fn run_all(cleanups: &[Cleanup], around: Surroundings<'_>) -> (Vec<Part>, Vec<u8>) {
    let (mut parts, mut output) = (Vec::new(), Vec::new());
    for cleanup in cleanups.iter().rev() {
        let began = clock::moment();
        let (verdict, reason) = run(cleanup, around, &mut output).await;
        let elapsed_millis = clock::moment().millis_since(began);
        parts.push(Part { name: cleanup.name.clone(), verdict, reason, elapsed_millis, checks: Vec::new() });
    }
    (parts, output)
}

async fn run(cleanup: &Cleanup, around: Surroundings<'_>, output: &mut Vec<u8>) -> (Verdict, String) {
    let limit = cleanup.timeout_millis.unwrap_or(around.limit_millis);
    let command: Vec<OsString> = cleanup.command.iter().map(OsString::from).collect();
    let program = Program { command: &command, environment: around.environment, folder: around.folder };
    let fail = |error: std::io::Error| {
        let program = cleanup.command.first().map(String::as_str).unwrap_or_default();
        (Verdict::Fail, format!("`{program}` cannot be started: {error}"))
    };
    let (pipe, write) = match process::output_pipe() {
        Ok(ends) => ends,
        Err(error) => return fail(error),
    };
    let mut child = match process::start(program, write).await {
        Ok(child) => child,
        Err(error) => return fail(error),
    };
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
    let tree = Tree::new(pid, around.marks);
    let work = async {
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                () = read_some(&pipe, output) => {}
            }
        };
        status.map_err(|error| (Verdict::Fail, error.to_string()))
    };
    let status = tokio::time::timeout(Duration::from_millis(limit), work).await;
    tree.kill().await;
    let _ = child.try_wait();
    keep(&pipe, output);
    match status {
        Err(_) => (Verdict::Timeout, format!("it ran longer than its limit of {limit} ms")),
        Ok(Err(failed)) => failed,
        Ok(Ok(status)) if status.success() => (Verdict::Pass, String::new()),
        Ok(Ok(status)) => (Verdict::Fail, status.to_string()),
    }
}

/// Waits until something was written and reads it; for ever once nobody can write any more.
async fn read_some(pipe: &tokio::net::unix::pipe::Receiver, output: &mut Vec<u8>) {
    if pipe.readable().await.is_err() || keep(pipe, output) {
        std::future::pending::<()>().await;
    }
}

/// Reads what there is, keeps the beginning of it, and says whether the end was reached.
fn keep(pipe: &tokio::net::unix::pipe::Receiver, output: &mut Vec<u8>) -> bool {
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        buffer.clear();
        match pipe.try_read_buf(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {
                let room = OUTPUT_BYTES_MAX.saturating_sub(output.len());
                output.extend(buffer.iter().take(room));
            }
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}
