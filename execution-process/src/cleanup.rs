//! What is to be done after a test, however it ended: run by the EP, each with its own limit and verdict.

use std::{collections::BTreeMap, ffi::OsString, path::Path, time::Duration};

use jackfield_protocol::{
    link::Part,
    verdict::{Cause, Outcome, Verdict},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{
    clock,
    limits::{CLEANUP_OUTPUT_BYTES, FAR},
    process::{self, Exit, Owner, Program, Running, Source, Tree},
};

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

/// A clean-up while it runs: its limit, and the beginning of what all of them write.
struct Following<'a> {
    over: Option<Instant>,
    limit_millis: u64,
    output: &'a mut Vec<u8>,
}

impl Owner for Following<'_> {
    async fn attend(&mut self) -> Option<Outcome> {
        let Some(over) = self.over else { return std::future::pending().await };
        tokio::time::sleep_until(over).await;
        self.over = None;
        let reason = format!("it ran longer than its limit of {} ms", self.limit_millis);
        Some(Outcome::not_pass(Verdict::Timeout, Cause::Time, reason))
    }

    fn take(&mut self, _source: Source, bytes: &[u8]) -> Option<Outcome> {
        let room = CLEANUP_OUTPUT_BYTES.saturating_sub(self.output.len());
        self.output.extend(bytes.iter().take(room));
        None
    }
}

async fn run(cleanup: &Cleanup, around: Surroundings<'_>, output: &mut Vec<u8>) -> (Verdict, String) {
    let limit_millis = cleanup.timeout_millis.unwrap_or(around.limit_millis);
    let command: Vec<OsString> = cleanup.command.iter().map(OsString::from).collect();
    let program = Program { command: &command, environment: around.environment, folder: around.folder };
    let fail = |error: std::io::Error| {
        let program = cleanup.command.first().map(String::as_str).unwrap_or_default();
        (Verdict::Fail, format!("`{program}` cannot be started: {error}"))
    };
    let (pipes, outputs) = match process::pipes(false) {
        Ok(ends) => ends,
        Err(error) => return fail(error),
    };
    let child = match process::start(program, outputs).await {
        Ok(child) => child,
        Err(error) => return fail(error),
    };
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
    let tree = Tree::new(pid, around.marks);
    let over = Instant::now() + Duration::from_millis(limit_millis).min(FAR);
    let mut following = Following { over: Some(over), limit_millis, output };
    // Its test has had its grace already.
    let grace = Duration::ZERO;
    let ended = process::watch(Running::Child(Box::new(child)), &tree, pipes, grace, &mut following).await;
    match (ended.forced, ended.exit) {
        (Some(outcome), _) => (outcome.verdict, outcome.reason),
        (None, Exit::Code(0)) => (Verdict::Pass, String::new()),
        (None, Exit::Code(code)) => (Verdict::Fail, format!("exit status: {code}")),
        (None, Exit::Signal(number)) => (Verdict::Fail, format!("it was ended by signal {number}")),
        (None, Exit::Lost(reason)) => (Verdict::Fail, reason),
        (None, Exit::None) => (Verdict::Fail, "it was not started".to_owned()),
    }
}
