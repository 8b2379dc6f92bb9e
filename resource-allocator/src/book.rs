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
//!   check.rs    what always holds
//! ```

mod ask;
mod check;
mod grant;
mod index;
mod lease;
mod queue;
mod refusal;
mod time;
mod wish;

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{
    id::{LeaseId, RunId, UserName},
    time::Time,
};

use self::index::Index;
pub use self::{
    ask::Ask,
    grant::{Obstacle, Woken},
    lease::{Ended, Holder, Lease, Leased, Set, Spot, State, Tie},
    queue::{Rank, Turn, Want},
    refusal::Refusal,
    wish::{Who, Wish},
};

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
    /// What time alone changes. A lease that lives by beats may stand here too early, and is then looked at again.
    due: BTreeSet<(Time, LeaseId)>,
    /// When clients of leases that live by beats were last heard.
    heard: BTreeMap<LeaseId, Time>,
    /// How many leases a person has open.
    open: BTreeMap<UserName, u32>,
    /// Those who may be able to begin now.
    woken: BTreeMap<Rank, u32>,
    /// Leases that changed and are not taken yet.
    rows: Vec<Lease>,
}

#[derive(Clone, Debug, PartialEq)]
struct Waiter {
    rank: Rank,
    want: Want,
}

impl Book {
    /// The book as it was when the rows were written. Consoles are over with the engine that had them; clients have
    /// their whole patience again.
    pub fn restore(now: Time, last: LeaseId, rows: impl IntoIterator<Item = Lease>) -> Self {
        let mut book = Self { last, ..Self::default() };
        for lease in rows.into_iter().filter(|lease| !lease.is_over()) {
            book.last = book.last.max(lease.id);
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
        !self.woken.is_empty() || !self.rows.is_empty()
    }

    /// A part of a run waits from now on.
    pub fn enlist(&mut self, run: RunId, part: u32, submitted: Time, want: Want) {
        let turn = Turn::Part { run, part };
        self.delist(run, part);
        let rank = Rank::new(0, submitted, turn);
        self.waiting.insert_set(&want.set, rank);
        self.queue.insert(turn, Waiter { rank, want });
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
        let id = self.next();
        self.put(Lease::of_run(id, run, what, inside, now));
        id
    }

    /// A lease is over, and with it the consoles that were inside. Those who wait for what it held are woken.
    pub fn end(&mut self, now: Time, id: LeaseId, how: Ended) {
        let Some(lease) = self.leases.get(&id).cloned() else { return };
        let inside: Vec<_> = self.consoles_inside(&lease);
        inside.into_iter().for_each(|console| self.end(now, console, how.clone()));
        self.put(Lease { state: State::Ended { at: now, how }, ..lease });
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
            let (rank, want) = (lease.rank(), lease.want());
            self.waiting.insert_set(&want.set, rank);
            self.queue.insert(rank.turn, Waiter { rank, want });
        } else {
            self.bookings.insert(&lease.what, lease.id);
        }
        if let Some(user) = lease.holder.user() {
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
        if let Some(user) = lease.holder.user()
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

    fn leave_queue(&mut self, turn: Turn) -> Option<Waiter> {
        let waiter = self.queue.remove(&turn)?;
        self.waiting.remove_set(&waiter.want.set, waiter.rank);
        self.woken.remove(&waiter.rank);
        Some(waiter)
    }
}
