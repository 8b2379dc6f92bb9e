//! The book of leases: who holds what of the lab, who waits for it, and who has booked it. The one place where that is
//! decided, whoever asks: a run, a person, a console.
//!
//! ```text
//!  asked ──its beginning comes──┐
//! (a booking)                   ▼
//!                 ask ──▶    waiting ──free──▶ active ◀──accepted── offered
//!                  │            │                │  │                  ▲ │
//!                  └─free───────┼──────────────▶─┘  │     free, asker  │ │
//!                               └───────────────────┼─────not there────┘ │
//!                                    force with     │                    │
//!                                    time to leave  ▼                    │ not accepted in time
//!                                                ending ──▶ ended ◀──────┘
//!                                                  (by holder, expiry, force, loss, run end)
//! ```
//!
//! Pure: time comes in. A wish or the passing of time changes leases; each changed lease is a row
//! ([`Book::take_rows`]), and a book restored from its rows is the same book. What is freed *wakes* those who may have
//! it now; whoever owns the book lets them begin one by one, in the order of their ranks ([`Book::pop_woken`],
//! [`Book::may_begin`], [`Book::begin`]), because runs need more than the book knows: a lane.
//!
//! ```text
//!   lease.rs    what a lease is              grant.rs    who may have what, and what stands in the way
//!   queue.rs    ranks, and what is wanted    ask.rs      asking
//!   index.rs    all of it by node            wish.rs     extend, release, force, allow, hand over
//!   refusal.rs  why not                      time.rs     what time alone does
//!   check.rs    what always holds            choice.rs   what may be given where the asker leaves the choice
//!   forecast.rs when somebody could have it  choose.rs   choosing it, for those who wait for it
//!                                            search.rs   the search for what goes together
//!   health.rs   how fit a thing is           upkeep.rs   keeping it so: after a use, by checks, by a person's word
//!   place.rs    nodes that were moved             later.rs    what can be booked, and what of a time is free
//!   remind.rs   who is to be told of them         series.rs   bookings that recur, and what becomes of them
//! ```

mod ask;
mod check;
mod choice;
mod choose;
mod forecast;
mod grant;
mod health;
mod index;
mod later;
mod lease;
mod place;
mod queue;
mod refusal;
mod remind;
mod search;
mod series;
mod time;
mod upkeep;
mod wish;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::{
    id::{LeaseId, RunId, SuiteIndex, UserName},
    time::Time,
};

pub use self::{
    ask::Ask,
    choice::{Alternative, Candidate, Choice, Given, Options},
    forecast::{Forecast, Waits},
    grant::{Obstacle, Woken},
    health::{Checked, Fitness, Health, Judgement, Outage, Unfit, Upkeep, Used},
    later::{Free, Slot},
    lease::{Ended, Holder, Lease, Leased, Occurrence, Set, Spot, State, Tie},
    place::{Concern, Moved},
    queue::{Rank, Turn, Want},
    refusal::Refusal,
    remind::Reminder,
    series::{Reschedule, Series},
    wish::{Who, Wish},
};
use self::{index::Index, place::Places};
use crate::node::ResourceId;

/// Whether a part that waits stands in the way of those behind it: not while it has no EP to use its devices with.
pub type Claims<'a> = &'a dyn Fn(Turn) -> bool;

/// Every lease that is not over, and the queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    leases: BTreeMap<LeaseId, Lease>,
    /// The highest number ever given.
    last: LeaseId,
    holders: Index<LeaseId>,
    bookings: Index<LeaseId>,
    waiting: Index<Rank>,
    queue: BTreeMap<Turn, Waiter>,
    /// What fits the needs of those who leave the choice, by the text of the needs.
    choices: BTreeMap<Arc<str>, Arc<Choice>>,
    /// Those who wait for it.
    choosers: BTreeMap<Arc<str>, BTreeSet<Rank>>,
    /// The needs that something fits, of those that somebody waits for.
    wanted: Index<Arc<str>>,
    /// The last lease of a node: the lower, the longer it has rested.
    worn: BTreeMap<ResourceId, LeaseId>,
    /// What time alone changes. A lease that lives by beats may stand here too early, and is then looked at again.
    due: BTreeSet<(Time, LeaseId)>,
    /// When clients of leases that live by beats were last heard.
    heard: BTreeMap<LeaseId, Time>,
    /// How many leases a person has open.
    open: BTreeMap<UserName, u32>,
    /// Those who may be able to begin now.
    woken: BTreeMap<Rank, u32>,
    /// Nodes that are not fit, or that the lab spoiled a use of.
    health: BTreeMap<ResourceId, Health>,
    /// Those of them that are dirty, or under a check.
    unclean: Index<ResourceId>,
    upkeep: Upkeep,
    /// Nodes that were moved, for what was looked up before.
    places: Places,
    /// Leases that changed and are not taken yet.
    rows: Vec<Lease>,
    health_rows: Vec<Health>,
}

#[derive(Clone, Debug, PartialEq)]
struct Waiter {
    rank: Rank,
    want: Want,
    chooser: Option<Chooser>,
}

/// Somebody who takes whatever fits. What they want is what they have been promised: they are first there, and take
/// something else as soon as that is free.
#[derive(Clone, Debug, PartialEq)]
struct Chooser {
    needs: Arc<str>,
    /// What they want beside it, by name.
    fixed: Set,
}

impl Book {
    /// The book as it was when the rows were written. Consoles are over with the engine that had them; clients have
    /// their whole patience again.
    pub fn restore(now: Time, last: LeaseId, rows: impl IntoIterator<Item = Lease>) -> Self {
        let mut book = Self { last, ..Self::default() };
        for lease in rows {
            book.last = book.last.max(lease.id);
            book.wear(&lease);
            if lease.is_over() {
                continue;
            }
            if matches!(lease.tie, Tie::Beat { .. }) {
                book.heard.insert(lease.id, now);
            }
            book.index(&lease);
            book.leases.insert(lease.id, lease);
        }
        let consoles = book.leases.values().filter(|lease| lease.is_console());
        let consoles: Vec<_> = consoles.map(|lease| lease.id).collect();
        consoles.into_iter().for_each(|id| book.end(now, id, Ended::Loss));
        book.wake_all();
        book
    }

    /// A lease that is not over.
    pub fn lease(&self, id: LeaseId) -> Option<&Lease> {
        self.leases.get(&id)
    }

    /// All that are not over, by number.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.values()
    }

    /// The highest number ever given.
    pub fn last(&self) -> LeaseId {
        self.last
    }

    /// Those who wait, by number: leases, then parts of runs.
    pub fn waiting(&self) -> impl Iterator<Item = (Rank, &Want)> {
        self.queue.values().map(|waiter| (waiter.rank, &waiter.want))
    }

    /// What changed since this was asked last, oldest first; the last of a number wins.
    pub fn take_rows(&mut self) -> Vec<Lease> {
        std::mem::take(&mut self.rows)
    }

    /// When [`Self::pass`] must be called at the latest.
    pub fn deadline(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Whether somebody may be able to begin, or something has changed that was not taken.
    pub fn has_news(&self) -> bool {
        !self.woken.is_empty() || !self.rows.is_empty() || !self.health_rows.is_empty()
    }

    /// A part of a run waits from now on: for what it names, and for what fits its needs.
    pub fn enlist(&mut self, run: RunId, part: u32, submitted: Time, want: Want, needs: Option<Arc<str>>) {
        let turn = Turn::Part { run, part };
        self.delist(run, part);
        let want = Want { set: self.right_set(want.set), ..want };
        let rank = Rank::new(0, submitted, turn);
        let chooser = needs.map(|needs| Chooser { needs, fixed: want.set.clone() });
        self.join_queue(Waiter { rank, want, chooser });
        self.promise(turn);
    }

    /// It does not wait any more.
    pub fn delist(&mut self, run: RunId, part: u32) {
        if let Some(waiter) = self.leave_queue(Turn::Part { run, part }) {
            self.wake(&waiter.want.set);
        }
    }

    /// The place of somebody who waits, and what they wait for.
    pub fn waiter(&self, turn: Turn) -> Option<(Rank, &Want)> {
        self.queue.get(&turn).map(|waiter| (waiter.rank, &waiter.want))
    }

    /// Gives something to a run, which has made sure that it may have it.
    pub fn give(&mut self, now: Time, run: RunId, what: Leased, inside: Option<LeaseId>) -> LeaseId {
        self.give_for(now, run, what, inside, None)
    }

    /// The same, for needs that were met so.
    pub fn give_for(
        &mut self,
        now: Time,
        run: RunId,
        what: Leased,
        inside: Option<LeaseId>,
        needs: Option<(Option<SuiteIndex>, Arc<str>, Given)>,
    ) -> LeaseId {
        let what = self.right_leased(what);
        let id = self.next();
        let lease = Lease::of_run(id, run, what, inside, now);
        self.put(match needs {
            Some((suite, needs, given)) => Lease { suite, needs: Some(needs), given, ..lease },
            None => lease,
        });
        id
    }

    /// A lease is over, and with it the consoles that were inside. Those who wait for what it held are woken.
    pub fn end(&mut self, now: Time, id: LeaseId, how: Ended) {
        let Some(lease) = self.leases.get(&id).cloned() else { return };
        let inside: Vec<_> = self.consoles_inside(&lease);
        inside.into_iter().for_each(|console| self.end(now, console, how.clone()));
        self.put(Lease { state: State::Ended { at: now, how: how.clone() }, ..lease.clone() });
        self.after_use(now, &lease, &how);
    }

    fn consoles_inside(&self, lease: &Lease) -> Vec<LeaseId> {
        let inside = self.inside(lease).into_iter();
        inside.filter(Lease::is_console).map(|other| other.id).collect()
    }

    /// What is held inside of a lease, each once.
    fn inside(&self, lease: &Lease) -> Vec<Lease> {
        let Leased::Set(set) = &lease.what else { return Vec::new() };
        let inside = self.holding(set).filter(|other| other.inside == Some(lease.id));
        let by_number: BTreeMap<_, _> = inside.map(|other| (other.id, other.clone())).collect();
        by_number.into_values().collect()
    }

    fn next(&mut self) -> LeaseId {
        self.last = LeaseId(self.last.0.saturating_add(1));
        self.last
    }

    /// Writes a lease as it is now: into everything by which it is found, and as a row.
    fn put(&mut self, lease: Lease) {
        if let Some(before) = self.leases.remove(&lease.id) {
            self.unindex(&before);
        }
        self.wear(&lease);
        if lease.is_over() {
            self.heard.remove(&lease.id);
        } else {
            self.index(&lease);
            self.leases.insert(lease.id, lease.clone());
        }
        match &lease.what {
            Leased::Set(_) if lease.is_waiting() && lease.until.is_none() => {}
            // Also what begins is news: those who share have room beside it.
            Leased::Set(set) if lease.holds() && !lease.shared => self.wake_beside(set),
            Leased::Set(set) => self.wake(set),
            Leased::Lane(..) => {}
        }
        self.rows.push(lease);
    }

    fn index(&mut self, lease: &Lease) {
        if lease.holds() {
            self.holders.insert(&lease.what, lease.id);
        } else if lease.is_waiting() {
            let needs = lease.needs.clone().filter(|_| lease.leaves_choice());
            let chooser = needs.map(|needs| Chooser { needs, fixed: Set::default() });
            self.join_queue(Waiter { rank: lease.rank(), want: lease.want(), chooser });
        } else {
            self.bookings.insert(&lease.what, lease.id);
        }
        if let Some(user) = lease.holder.user().filter(|_| lease.is_open()) {
            let open = self.open.entry(user.clone()).or_default();
            *open = open.saturating_add(1);
        }
        if let Some(at) = lease.due(self.heard.get(&lease.id).copied()) {
            self.due.insert((at, lease.id));
        }
    }

    fn unindex(&mut self, lease: &Lease) {
        if lease.holds() {
            self.holders.remove(&lease.what, lease.id);
        } else if lease.is_waiting() {
            self.leave_queue(Turn::Ask(lease.id));
        } else {
            self.bookings.remove(&lease.what, lease.id);
        }
        if let Some(user) = lease.holder.user().filter(|_| lease.is_open())
            && let Some(open) = self.open.get_mut(user)
        {
            *open = open.saturating_sub(1);
            if *open == 0 {
                self.open.remove(user);
            }
        }
        // What beats have moved is found at its own time, and is then of nobody.
        if let Some(at) = lease.due(self.heard.get(&lease.id).copied()) {
            self.due.remove(&(at, lease.id));
        }
    }

    fn join_queue(&mut self, waiter: Waiter) {
        self.waiting.insert_set(&waiter.want.set, waiter.rank);
        if let Some(Chooser { needs, .. }) = &waiter.chooser {
            self.choosers_join(needs, waiter.rank);
        }
        self.queue.insert(waiter.rank.turn, waiter);
    }

    fn leave_queue(&mut self, turn: Turn) -> Option<Waiter> {
        let waiter = self.queue.remove(&turn)?;
        self.waiting.remove_set(&waiter.want.set, waiter.rank);
        if let Some(Chooser { needs, .. }) = &waiter.chooser {
            self.choosers_leave(needs, waiter.rank);
        }
        self.woken.remove(&waiter.rank);
        Some(waiter)
    }
}
