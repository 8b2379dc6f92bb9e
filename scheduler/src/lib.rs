//! What happens next in every run: [`Scheduler::handle`] takes one event and answers with effects. Pure: no I/O, no
//! clock, no dice; the same rows and events always lead to the same effects.
//!
//! ```text
//! run      Queued ──first lane──▶ Running ◀──▶ Paused        (pre script, tests, post script all in Running)
//!             │                     │ │           │
//!             └───────stop──────────┼─┴───stop────┘
//!                                   │     ▼
//!                                   │  Stopping              (teardown of begun suites, post script)
//!                                   ▼     ▼
//!                              Completed  Stopped
//!
//! part     waits for its dependency ──▶ waits for lane and SUTs ──▶ placed ──▶ ended
//!                      ▲                         ▲                    │
//!                      └──────────── lent, or given up (reassign) ────┘
//!
//! attempt  Assigned ──▶ Started ──▶ Ended
//!             ├───────────────────▶ Ended        a guard forbade it on the EP
//!             └──▶ Returned                      taken back, or its EP was given up; another attempt follows
//! ```
//!
//! Who asks whom: an event changes a run or an EP and *wakes* the parts that it may concern; [`Scheduler::handle`]
//! then advances every woken part ([`advance`]) and places waiting parts on lanes ([`place`]) until nothing moves.
//! A part advances by one question, answered purely: what is the next step? Decide a test without an EP, send it
//! ahead, wait for a dependency, seek a lane, or end.
//!
//! Rules between tests are latches ([`latch`]), so that an EP with tests sent ahead decides as the scheduler would.
//! The cost of an event grows with what it changes, not with the size of the run or with what has ended.

mod advance;
mod attempt;
mod bench;
mod blocker;
mod check;
mod cycle;
mod decide;
mod dependency;
pub mod effect;
mod ep;
pub mod event;
mod health;
mod hook;
mod latch;
mod lease;
mod lease_view;
pub mod limits;
mod lost;
mod need;
mod notice;
mod order;
mod out;
mod part;
mod pause;
mod place;
mod queue;
mod recall;
pub mod restore;
mod run;
mod script;
mod send;
mod stop;
#[cfg(test)]
mod stories;
mod submit;
mod timer;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{id::RunId, time::Time};
use jackfield_resource_allocator::book::Book;

use crate::{bench::Bench, out::Out, part::PartKey, run::Run, timer::Timers};
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
    runs: BTreeMap<RunId, Run>,
    bench: Bench,
    timers: Timers,
    /// Parts that may be able to take a step.
    woken: BTreeSet<PartKey>,
}

impl Scheduler {
    /// What happens next. Due deadlines fire first; then the event counts.
    pub fn handle(&mut self, now: Time, event: Event) -> Effects {
        self.bench.now = now;
        let mut out = Out::new(now);
        self.fire_due(&mut out);
        self.take(&mut out, event);
        self.settle(&mut out);
        self.close(out)
    }

    /// When [`Event::Tick`] must be said at the latest; none while nothing waits for time to pass.
    pub fn deadline(&self) -> Option<Time> {
        // A restored scheduler has not looked at its parts yet; an instant long past says so.
        if !self.woken.is_empty() || self.bench.book.has_news() {
            return Some(Time::default());
        }
        [self.timers.first(), self.bench.book.deadline()].into_iter().flatten().min()
    }

    /// Who holds what, and who waits for it.
    pub fn book(&self) -> &Book {
        &self.bench.book
    }

    fn take(&mut self, out: &mut Out, event: Event) {
        match event {
            Event::RunSubmitted { run, plan } => self.submit(out, run, plan),
            Event::HookEnded { run, hook, outcome, output } => {
                self.hook_ended(out, run, hook, outcome, output);
            }
            Event::RunPaused { run, by } => self.pause(out, run, by),
            Event::RunResumed { run, by } => self.resume(out, run, by),
            Event::RunStopped { run, by, reason, at_once } => {
                self.stop_by_person(out, run, by, reason, at_once);
            }
            Event::TestsQueued { run, suite, tests, by } => self.queue(out, run, suite, tests, by),
            Event::TestsDequeued { run, tests, by } => self.dequeue(out, run, tests, &by),
            Event::ScriptEnded { ep, epoch, ended } => self.script_ended(out, &ep, epoch, *ended),
            Event::EpConnected { ep, epoch, offer, held, runs, scripts, records_lost } => {
                self.ep_connected(out, ep.clone(), epoch, offer, ep::Memory { held: &held, records_lost });
                self.close_strays(out, &ep, epoch, &held, &runs);
                self.scripts_connected(out, &ep, epoch, &scripts, records_lost);
            }
            Event::EpGone { ep, epoch } => self.ep_gone(out, &ep, epoch),
            Event::EpDrained { ep, drained, by } => self.ep_drained(out, &ep, drained, by),
            Event::EpNotices { ep, epoch, notices } => self.ep_notices(out, &ep, epoch, notices),
            Event::AttemptStarted { ep, epoch, attempt, at } => {
                self.attempt_started(out, &ep, epoch, attempt, at);
            }
            Event::AttemptEnded { ep, epoch, ended } => self.attempt_ended(out, &ep, epoch, *ended),
            Event::AttemptsReturned { ep, epoch, attempts } => {
                self.attempts_returned(out, &ep, epoch, &attempts);
            }
            Event::Lease { lease, who, wish } => self.wish(out, lease, &who, wish),
            Event::SutsLinked { links } => self.suts_linked(links),
            Event::Replaced { moved, gone: _, by: _ } => self.replaced(&moved),
            Event::NeedsFit { choices } => self.needs_fit(choices),
            Event::Upkept { upkeep } => self.bench.book.set_upkeep(upkeep),
            Event::Judged { spot, judgement, by } => {
                self.bench.book.judge(out.now, spot, judgement, &by);
            }
            Event::Forgotten { nodes } => {
                nodes.iter().for_each(|node| self.bench.book.forget_health(node));
            }
            Event::Noted { run, fact } => self.note(out, run, fact),
            Event::Tick => {}
        }
    }

    fn note(&mut self, out: &mut Out, run: RunId, fact: jackfield_protocol::event::Fact) {
        if let Some(run) = self.runs.get_mut(&run) {
            run.publish(out, fact);
        }
    }

    /// Advances parts and places them until nothing moves.
    fn settle(&mut self, out: &mut Out) {
        loop {
            if let Some(key) = self.woken.pop_first() {
                self.advance(out, key);
            } else if self.bench.has_news() {
                self.place_waiting(out);
            } else if let Some(woken) = self.bench.book.pop_woken() {
                self.take_turn(out, woken);
            } else {
                return;
            }
        }
    }

    /// Writes the row of every run that something was published of.
    fn close(&mut self, mut out: Out) -> Effects {
        for run in std::mem::take(&mut out.touched) {
            if let Some(run) = self.runs.get_mut(&run) {
                run.flush(&mut out);
                out.store(effect::Row::Run(run.row.clone()));
            }
        }
        let leases = self.bench.book.take_rows().into_iter();
        out.effects.store.extend(leases.map(|lease| effect::Row::Lease(Box::new(lease))));
        let health = self.bench.book.take_health_rows().into_iter();
        out.effects.store.extend(health.map(|health| effect::Row::Health(Box::new(health))));
        out.effects
    }
}
