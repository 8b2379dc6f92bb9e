//! Wishes of people that make no sense in the state their run is in.

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    event::RunState,
};
use jackfield_scheduler::{Event, Scheduler};

/// Why a person's wish cannot be met in the state its run is in.
pub(super) fn refusal(scheduler: &Scheduler, event: &Event) -> Option<Problem> {
    if let Event::Replaced { moved, gone, by } = event {
        let told = scheduler.keeps_in_place(moved, gone, by)?;
        return Some(Problem::new(ErrorCode::Held, told));
    }
    let (run, wish) = match event {
        Event::RunPaused { run, .. } => (*run, "paused"),
        Event::RunResumed { run, .. } => (*run, "resumed"),
        Event::RunStopped { run, .. } => (*run, "stopped"),
        Event::TestsQueued { run, .. } => (*run, "given more tests"),
        Event::TestsDequeued { run, .. } => (*run, "relieved of tests"),
        Event::RunSubmitted { .. }
        | Event::HookEnded { .. }
        | Event::EpConnected { .. }
        | Event::EpGone { .. }
        | Event::EpDrained { .. }
        | Event::EpNotices { .. }
        | Event::ScriptEnded { .. }
        | Event::AttemptStarted { .. }
        | Event::AttemptEnded { .. }
        | Event::AttemptsReturned { .. }
        | Event::Lease { .. }
        | Event::SutsLinked { .. }
        | Event::Replaced { .. }
        | Event::Noted { .. }
        | Event::NeedsFit { .. }
        | Event::Upkept { .. }
        | Event::Judged { .. }
        | Event::Forgotten { .. }
        | Event::Tick => return None,
    };
    let wrong = |state: &str| {
        Some(Problem::new(ErrorCode::WrongState, format!("run {run} is {state}; it cannot be {wish}")))
    };
    let Some(view) = scheduler.run_view(run) else {
        return wrong("over, or was never started");
    };
    match (event, view.state) {
        (Event::RunStopped { at_once: true, .. }, _) => None,
        (Event::RunStopped { .. }, RunState::Stopping) => Some(Problem::new(
            ErrorCode::WrongState,
            format!(
                "run {run} is being stopped, and cleans up; to end that too: `jackfield runs stop {run} --now`"
            ),
        )),
        (Event::RunResumed { .. }, RunState::Paused) => None,
        (Event::RunResumed { .. }, state) => wrong(state.as_str()),
        (Event::RunPaused { .. }, RunState::Paused) => wrong("paused already"),
        (_, RunState::Stopping) => wrong("being stopped"),
        _ => None,
    }
}
