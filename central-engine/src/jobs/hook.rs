//! Scripts around a run, on the engine's host, as the engine's user.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Result;
use jackfield_config::FileError;
use jackfield_protocol::{
    event::Hook,
    id::{RunId, UserName},
    script::{self, ScriptEnd, Tail},
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use jackfield_scheduler::Event;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
};

use super::{End, Tried, leftovers};
use crate::{app::App, settings::JobSettings};

/// Which script.
pub(super) struct Script<'a> {
    pub(super) run: RunId,
    pub(super) hook: Hook,
    pub(super) path: &'a str,
}

/// Runs a script and tells the loop how it ended. A script that cannot be started has ended, too.
pub(super) async fn run(app: &App, script: Script<'_>) -> Tried {
    let Script { run, hook, path } = script;
    let (outcome, output) = here(app, run, hook, path).await?;
    // A run that is over takes it, and it changes nothing.
    app.engine.event(Event::HookEnded { run, hook, outcome, output }).await?;
    Ok(End::done())
}

async fn here(app: &App, run: RunId, hook: Hook, path: &str) -> Result<(Outcome, String)> {
    let plan = app.store.plan(run).await?;
    let (project, user) =
        plan.map_or_else(|| (String::new(), "".into()), |plan| (plan.project.clone(), plan.user.clone()));
    let what = script::title(hook, path);
    let mut command = match command(app, &user, path) {
        Ok(command) => command,
        Err(why) => return Ok((not_started(format!("{what} {why}")), String::new())),
    };
    command
        .env("JACKFIELD_RUN", run.to_string())
        .env("JACKFIELD_PROJECT", project)
        .env("JACKFIELD_USER", user.as_str())
        .env("JACKFIELD_HOOK", hook.as_str());
    Ok(execute(app, command, &what).await)
}

/// A file of the lab as a program, for one of its users: what a project names is run on the engine's host, so it is nothing but what the lab
/// has, where it has it now.
pub(super) fn command(app: &App, user: &UserName, path: &str) -> Result<Command, FileError> {
    let lab = app.lab.as_user(user);
    let file = lab.test_file(&lab.layout().resolve(path))?;
    let mut command = Command::new(file.path());
    command.current_dir(&lab.layout().root);
    Ok(command)
}

fn not_started(reason: String) -> Outcome {
    Outcome::not_pass(Verdict::Invalid, Cause::Test, DecidedBy::NotStarted, reason)
}

/// Runs a script on the engine's host, within the lab's limits, and marked as one of this life of the engine.
pub(super) async fn execute(app: &App, mut command: Command, what: &str) -> (Outcome, String) {
    let JobSettings { hook_timeout, hook_grace, hook_output_bytes, .. } = app.jobs;
    command.env(leftovers::LIFE, &app.terms.life);
    watch(command, what, Limits { time: hook_timeout, grace: hook_grace, output: hook_output_bytes }).await
}

/// What a script may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    time: Duration,
    grace: Duration,
    output: u64,
}

/// Runs a command to its end: 0 is PASS, 77 SKIPPED, all else FAIL; over its time it is ended with all its children.
async fn watch(mut command: Command, what: &str, limits: Limits) -> (Outcome, String) {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let remedy =
                "it must be there and executable for the engine's user, with a line such as #!/bin/sh";
            return (not_started(format!("{what} cannot be started: {error}; {remedy}")), String::new());
        }
    };
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let output = tokio::spawn(read_both(child.stdout.take(), child.stderr.take(), limits.output));
    let outcome = match tokio::time::timeout(limits.time, child.wait()).await {
        Ok(Ok(status)) => judge(what, status),
        Ok(Err(error)) => {
            Outcome::not_pass(Verdict::Fail, Cause::Lab, DecidedBy::ProcessLost, format!("{what}: {error}"))
        }
        Err(_) => {
            end(&mut child, group, limits.grace).await;
            let millis = u64::try_from(limits.time.as_millis()).unwrap_or(u64::MAX);
            let reason = format!("{what} took longer than {} s", limits.time.as_secs());
            Outcome::not_pass(Verdict::Timeout, Cause::Time, DecidedBy::TestLimit { millis }, reason)
        }
    };
    // What it left in the background keeps the pipe open, and is no part of the script any more.
    signal(group, Signal::KILL);
    let output = tokio::time::timeout(crate::limits::HOOK_OUTPUT_WAIT, output).await;
    (outcome, output.ok().and_then(Result::ok).unwrap_or_default())
}

fn judge(what: &str, status: ExitStatus) -> Outcome {
    match (status.code(), status.signal()) {
        (Some(code), _) => script::judge(what, ScriptEnd::Status(code)),
        (None, Some(number)) => script::judge(what, ScriptEnd::Signal(number)),
        (None, None) => {
            let reason = format!("{what}: {status}");
            Outcome::not_pass(Verdict::Fail, Cause::Lab, DecidedBy::ProcessLost, reason)
        }
    }
}

/// TERM, grace, KILL, to the whole group.
async fn end(child: &mut Child, group: Option<Pid>, grace: Duration) {
    signal(group, Signal::TERM);
    if tokio::time::timeout(grace, child.wait()).await.is_err() {
        signal(group, Signal::KILL);
        drop(child.wait().await);
    }
}

fn signal(group: Option<Pid>, signal: Signal) {
    // A group that is gone needs no signal.
    group.map(|group| kill_process_group(group, signal).is_ok());
}

/// Both outputs as they come; the end of them, when there is too much.
async fn read_both(
    out: Option<impl AsyncRead + Unpin>,
    err: Option<impl AsyncRead + Unpin>,
    bytes_max: u64,
) -> String {
    let (Some(mut out), Some(mut err)) = (out, err) else { return String::new() };
    let mut tail = Tail::new(bytes_max);
    let (mut out_open, mut err_open) = (true, true);
    let (mut one, mut other) = (vec![0; 8 * 1024], vec![0; 8 * 1024]);
    while out_open || err_open {
        tokio::select! {
            read = out.read(&mut one), if out_open => out_open = take(&mut tail, &one, read),
            read = err.read(&mut other), if err_open => err_open = take(&mut tail, &other, read),
        }
    }
    tail.text()
}

/// Takes what was read; false at the end.
fn take(tail: &mut Tail, buffer: &[u8], read: std::io::Result<usize>) -> bool {
    let bytes = buffer.get(..read.unwrap_or(0)).unwrap_or_default();
    tail.take(bytes);
    !bytes.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str, limits: Limits) -> (Outcome, String) {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script);
        watch(command, "the pre script x", limits).await
    }

    fn limits() -> Limits {
        Limits { time: Duration::from_secs(30), grace: Duration::from_millis(200), output: 100 }
    }

    #[tokio::test]
    async fn exit_codes_are_verdicts() {
        let (outcome, output) = sh("echo out; echo err >&2", limits()).await;
        assert_eq!(outcome, Outcome::pass(DecidedBy::ExitStatus { status: 0 }));
        assert!(output.contains("out\n") && output.contains("err\n"), "{output}");
        let (outcome, _) = sh("exit 3", limits()).await;
        assert_eq!(outcome.verdict, Verdict::Fail);
        assert_eq!(outcome.reason, "the pre script x ended with exit code 3");
        assert_eq!(sh("exit 77", limits()).await.0.verdict, Verdict::Skipped);
        assert!(sh("kill -9 $$", limits()).await.0.crashed);
    }

    #[tokio::test]
    async fn a_script_over_its_time_ends_with_its_children() {
        let short = Limits { time: Duration::from_millis(200), ..limits() };
        // Both ignore TERM; the child holds the pipe open.
        let script =
            "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $!; while :; do sleep 1; done";
        let (outcome, output) = sh(script, short).await;
        assert_eq!(outcome.verdict, Verdict::Timeout);
        let child: i32 = output.trim().parse().unwrap();
        let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{state}");
    }

    #[tokio::test]
    async fn much_output_keeps_its_end() {
        let (_, output) = sh("seq 1 10000", limits()).await;
        assert!(output.starts_with("[the beginning is left out]\n"), "{output}");
        assert!(output.ends_with("9999\n10000\n"), "{output}");
        assert!(output.len() < 150);
    }

    #[tokio::test]
    async fn a_script_that_is_not_there_is_said_to_be() {
        let (outcome, _) = watch(Command::new("/nowhere/x"), "the post script x", limits()).await;
        assert_eq!(outcome.verdict, Verdict::Invalid);
        assert!(
            outcome.reason.starts_with("the post script x cannot be started: No such file"),
            "{}",
            outcome.reason
        );
    }
}
