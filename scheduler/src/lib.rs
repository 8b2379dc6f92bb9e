//! What happens next in every run: [`Scheduler::handle`] takes one event and answers with effects. Pure: no I/O, no
//! clock, no dice; the same rows and events always lead to the same effects.

pub mod effect;
pub mod event;
pub mod limits;
pub mod restore;
pub mod view;

use jackfield_protocol::time::Time;

pub use crate::{
    effect::Effects,
    event::Event,
    limits::Limits,
    restore::{Restored, RestoredRun},
    view::{EpView, RunView, TestView},
};

/// The core: all runs that have not ended, and all EPs.
#[derive(Debug)]
pub struct Scheduler {
    limits: Limits,
}

impl Scheduler {
    /// What happens next. Due deadlines fire first; then the event counts.
    pub fn handle(&mut self, _now: Time, _event: Event) -> Effects {
        Effects::default()
    }

    /// When [`Event::Tick`] must be said at the latest; none while nothing waits for time to pass.
    pub fn deadline(&self) -> Option<Time> {
        None
    }

    /// Whether every invariant holds; else which does not.
    pub fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
