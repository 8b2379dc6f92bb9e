//! What is to be done after a test, however it ended: run by the EP, each with its own limit and verdict.

use std::{collections::BTreeMap, ffi::OsString, path::Path, sync::Arc, time::Duration};

use jackfield_protocol::{
    link::Part,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::Instant};

use crate::{
    account::Account,
    cgroup::Group,
    clock,
    event::End,
    limits::{CLEANUP_OUTPUT_BYTES, CLEANUPS_LIMIT, FAR},
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
    /// The longest that any of them may take, whatever it asked for.
    pub(crate) limit_millis_max: u64,
    pub(crate) marks: &'a [&'a str],
    /// As whom, where it is not this EP's own user.
    pub(crate) account: Option<&'a Arc<Account>>,
    /// Their control group, where they have one.
    pub(crate) group: Option<&'a Arc<Group>>,
}

/// Runs clean-ups, the last registered first, and says what came of each, and what they wrote. Whoever wants an end while they run gets it:
/// then the one that runs is ended, and those that are left do not run.
pub(crate) async fn run_all(
    cleanups: &[Cleanup],
    around: Surroundings<'_>,
    end: &mut watch::Receiver<End>,
) -> (Vec<Part>, Vec<u8>) {
    let (mut parts, mut output) = (Vec::new(), Vec::new());
    let all_over = Instant::now() + CLEANUPS_LIMIT;
    let mut left_out = None;
    for cleanup in cleanups.iter().rev() {
        let began = clock::moment();
        let (verdict, reason) = match &left_out {
            Some(why) => (Verdict::NotExecuted, String::clone(why)),
            None => {
                let limit =
                    (cleanup.timeout_millis.unwrap_or(around.limit_millis)).min(around.limit_millis_max);
                let over = (Instant::now() + Duration::from_millis(limit).min(FAR)).min(all_over);
                let mut following = Following {
                    over: Some(over),
                    limit_millis: limit,
                    output: &mut output,
                    end: &mut *end,
                    wanted: false,
                };
                let done = run(cleanup, around, &mut following).await;
                left_out =
                    following.wanted.then(|| "an end at once was asked for before it began".to_owned());
                if left_out.is_none() && Instant::now() >= all_over {
                    left_out = Some(format!(
                        "those before it took {CLEANUPS_LIMIT:?}, which is the limit of all together"
                    ));
                }
                done
            }
        };
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
    /// How the test is to end, now that its clean-ups run.
    end: &'a mut watch::Receiver<End>,
    /// It is to end at once.
    wanted: bool,
}

impl Owner for Following<'_> {
    async fn attend(&mut self) -> Option<Outcome> {
        let Some(over) = self.over else { return std::future::pending().await };
        let is_wanted = tokio::select! {
            biased;
            () = end_wanted(self.end) => true,
            () = tokio::time::sleep_until(over) => false,
        };
        self.over = None;
        if is_wanted {
            self.wanted = true;
            let reason = "an end at once was asked for while it ran";
            return Some(Outcome::not_pass(Verdict::Aborted, Cause::Person, DecidedBy::EpStopped, reason));
        }
        let reason = format!("it ran longer than its limit of {} ms", self.limit_millis);
        let by = DecidedBy::TestLimit { millis: self.limit_millis };
        Some(Outcome::not_pass(Verdict::Timeout, Cause::Time, by, reason))
    }

    fn take(&mut self, _source: Source, bytes: &[u8]) -> Option<Outcome> {
        let room = CLEANUP_OUTPUT_BYTES.saturating_sub(self.output.len());
        self.output.extend(bytes.iter().take(room));
        None
    }
}

/// Waits until somebody wants an end who did not before.
async fn end_wanted(end: &mut watch::Receiver<End>) {
    loop {
        if end.changed().await.is_err() {
            // The daemon is gone, and nobody can want anything any more.
            return std::future::pending().await;
        }
        if end.borrow_and_update().is_now() {
            return;
        }
    }
}

async fn run(
    cleanup: &Cleanup,
    around: Surroundings<'_>,
    following: &mut Following<'_>,
) -> (Verdict, String) {
    let command: Vec<OsString> = cleanup.command.iter().map(OsString::from).collect();
    let (environment, folder) = (around.environment, around.folder);
    let account = around.account.map(AsRef::as_ref);
    let group = around.group.map(AsRef::as_ref);
    let program = Program { command: &command, environment, folder, account, group };
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
    let tree = Tree::new(pid, around.marks).all_of(around.account).in_group(around.group);
    // Its test has had its grace already.
    let grace = Duration::ZERO;
    let ended = process::watch(Running::Child(Box::new(child)), &tree, pipes, grace, following).await;
    match (ended.forced, ended.exit) {
        (Some(outcome), _) => (outcome.verdict, outcome.reason),
        (None, Exit::Code(0)) => (Verdict::Pass, String::new()),
        (None, Exit::Code(code)) => (Verdict::Fail, format!("exit status: {code}")),
        (None, Exit::Signal(number)) => (Verdict::Fail, format!("it was ended by signal {number}")),
        (None, Exit::Lost(reason)) => (Verdict::Fail, reason),
        (None, Exit::None) => (Verdict::Fail, "it was not started".to_owned()),
    }
}
