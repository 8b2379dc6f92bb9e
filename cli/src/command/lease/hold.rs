//! `jackfield lease take … -- COMMAND`: a lease for as long as a command runs.
//!
//! The lease lives by this process: it says every few seconds that it is there, so that whatever kills it gives the device
//! back. It ends with the command; with the shell that it was started from, which may die without a word to us; and it ends
//! the command when it is taken away.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command},
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    lease::{LeaseEnded, LeaseRequest, LeaseState, LeaseView},
    plan::need_variable,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use super::{
    LOOK, tell_wait,
    told::{line, now},
};
use crate::{
    Context,
    client::Unreachable,
    exit::Exit,
    output,
    signal::{self, Heard},
};

/// Silence of this process after which the engine gives the device to the next.
const PATIENCE_MILLIS: u64 = 15_000;
/// Between two words to the engine.
const BEAT: Duration = Duration::from_secs(3);
/// What a command has to end in after it was asked to.
const GRACE: Duration = Duration::from_secs(5);
/// The command finds the number of its lease here.
const VARIABLE: &str = "JACKFIELD_LEASE";

/// Takes, runs, and gives back; ends as the command ends.
pub(super) fn run(context: &Context, request: LeaseRequest, command: &[String]) -> Result<Exit> {
    let heard = signal::heard()?;
    let request = LeaseRequest { patience_millis: Some(PATIENCE_MILLIS), ..request };
    let taken: LeaseView = context.client.post("/leases", &request)?;
    let held = Held { context, id: taken.id.to_string() };
    let shell = std::os::unix::process::parent_id();
    let Some(view) = held.wait(taken, &heard, shell)? else { return Ok(Exit::Interrupted) };
    if view.state != LeaseState::Active {
        output::talk(&line(&view, now()));
        return Ok(when_over(&view));
    }
    output::talk(&line(&view, now()));
    let Some((program, arguments)) = command.split_first() else { return Ok(Exit::Done) };
    let mut command = Command::new(program);
    command.args(arguments).env(VARIABLE, &held.id);
    for (name, paths) in &view.given {
        command.env(need_variable(name), paths.join("\n"));
    }
    let child = command.spawn();
    let mut child = match child.with_context(|| format!("cannot start `{program}`")) {
        Ok(child) => child,
        Err(error) => {
            held.give_back();
            return Err(error);
        }
    };
    let code = held.keep(&mut child, &heard, shell)?;
    std::process::exit(code)
}

/// A lease that is ours, or will be.
struct Held<'a> {
    context: &'a Context,
    id: String,
}

impl Held<'_> {
    /// Says that we are there; the answer is how the lease is.
    fn beat(&self) -> Result<LeaseView> {
        self.context.client.post(&format!("/leases/{}/beat", self.id), &json!({}))
    }

    /// Gives it back. Where the engine is not there, it misses us soon.
    fn give_back(&self) {
        let client = self.context.client.hasty(Duration::from_secs(5));
        if let Err(error) = client.post::<LeaseView>(&format!("/leases/{}/release", self.id), &json!({}))
            && !is_over(&error)
        {
            output::talk(&format!(
                "lease {} could not be given back, and ends by itself soon: {error:#}",
                self.id
            ));
        }
    }

    /// Stays until it is ours or the time is over; none where a person had enough of it.
    fn wait(&self, mut view: LeaseView, heard: &Receiver<Heard>, shell: u32) -> Result<Option<LeaseView>> {
        let mut told = None;
        while view.state == LeaseState::Waiting {
            tell_wait(&view, &mut told);
            if heard.recv_timeout(LOOK).is_ok() || std::os::unix::process::parent_id() != shell {
                self.give_back();
                return Ok(None);
            }
            view = match self.beat() {
                Ok(view) => view,
                Err(error) if error.is::<Unreachable>() => continue,
                // Nobody knows it any more: its time was over.
                Err(error) if is_over(&error) => self.context.client.get(&format!("/leases/{}", self.id))?,
                Err(error) => return Err(error),
            };
        }
        Ok(Some(view))
    }

    /// Waits for the command; the answer is how this process ends.
    fn keep(&self, child: &mut Child, heard: &Receiver<Heard>, shell: u32) -> Result<i32> {
        let mut beaten = instant();
        let mut unheard = false;
        loop {
            if let Some(status) = child.try_wait()? {
                self.give_back();
                return Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
            }
            match heard.recv_timeout(Duration::from_millis(50)) {
                Ok(Heard::HangUp) => {
                    end(child)?;
                    continue;
                }
                // The command has it too, by the terminal, and decides.
                Ok(Heard::Interrupt) | Err(_) => {}
            }
            if std::os::unix::process::parent_id() != shell {
                end(child)?;
                continue;
            }
            if beaten.elapsed() < BEAT {
                continue;
            }
            beaten = instant();
            match self.beat() {
                Ok(view) if view.state == LeaseState::Active => unheard = false,
                Ok(view) => output::talk(&line(&view, now())),
                Err(error) if error.is::<Unreachable>() => {
                    if !std::mem::replace(&mut unheard, true) {
                        output::talk(&format!("{error:#}; the lease goes on if the engine is back in time"));
                    }
                }
                Err(error) if is_over(&error) => return self.lost(child),
                Err(error) => output::talk(&format!("{error:#}")),
            }
        }
    }

    /// The lease is over before the command is.
    fn lost(&self, child: &mut Child) -> Result<i32> {
        let told: Result<LeaseView> = self.context.client.get(&format!("/leases/{}", self.id));
        if let Ok(view) = &told {
            output::complain(&format!("{}; the command is ended", line(view, now())));
        }
        // Whatever the engine says: the device is somebody else's.
        end(child)?;
        Ok(when_over(&told?).number().into())
    }
}

/// How a line ends whose lease is over, or was never to be had in time.
pub(super) fn when_over(view: &LeaseView) -> Exit {
    match &view.ended {
        Some(end) if end.how != LeaseEnded::Expiry => Exit::LabFault,
        Some(_) | None => Exit::TimedOut,
    }
}

fn is_over(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Problem>().is_some_and(|problem| problem.code == ErrorCode::NotFound)
}

/// Asks the command to end, and ends it where it does not.
fn end(child: &mut Child) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(child.id())?);
    // It may have ended in this moment.
    let _gone_already = kill(pid, Signal::SIGTERM);
    let asked = instant();
    while asked.elapsed() < GRACE {
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a client waits by its own clock")]
fn instant() -> Instant {
    Instant::now()
}
