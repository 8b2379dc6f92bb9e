//! Asking for a lease: now, in the queue, or for later.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::{id::LeaseId, time::Time};

use super::{
    Book, Claims, Refusal,
    choice::{Choice, Given},
    grant::begun,
    health::Used,
    lease::{Holder, Lease, Leased, Set, State, Tie},
    series::booked,
};

/// Each lease that somebody has open puts the next one of theirs back in the queue by so much.
pub(crate) const SHARE_STEP_MILLIS: u64 = 600_000;
/// Leases beyond so many put nobody back further.
const SHARE_STEPS_MAX: u32 = 6;
/// A lease lasts no longer than this at once; it can be extended.
pub(crate) const LENGTH_MAX_MILLIS: u64 = 31 * 24 * 3_600_000;
/// Bookings reach no further ahead.
pub(crate) const AHEAD_MAX_MILLIS: u64 = 2 * 366 * 24 * 3_600_000;
/// Leases that one person may have open at once.
pub(crate) const OPEN_MAX: u32 = 1_000;

/// A wish for a lease.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// All of it at once.
    pub set: Set,
    /// What fits, where it is not asked for by name; the set is empty then.
    pub choice: Option<Arc<Choice>>,
    /// For whom.
    pub holder: Holder,
    /// Others may have it too, if they share it.
    pub shared: bool,
    /// Why.
    pub purpose: String,
    /// What others should know.
    pub note: String,
    /// Free keys for those who search.
    pub context: BTreeMap<String, String>,
    /// The higher, the sooner.
    pub priority: i32,
    /// They repair things: what is not fit is for them, too.
    pub repairs: bool,
    /// What it lives by.
    pub tie: Tie,
    /// The lease that lets it in.
    pub inside: Option<LeaseId>,
    /// Its beginning, if that is later.
    pub begin: Option<Time>,
    /// For how long, in milliseconds; none: until it is given back.
    pub length: Option<u64>,
    /// How long to wait for it, in milliseconds; 0: not at all; none: as long as it takes.
    pub wait: Option<u64>,
    /// How long it is offered when its turn has come; none: it begins by itself.
    pub offer: Option<u64>,
}

impl Ask {
    /// For them alone, now, until it is given back; they do not wait.
    pub fn new(set: Set, holder: Holder) -> Self {
        Self {
            set,
            choice: None,
            holder,
            shared: false,
            purpose: String::new(),
            note: String::new(),
            context: BTreeMap::new(),
            priority: 0,
            repairs: false,
            tie: Tie::Free,
            inside: None,
            begin: None,
            length: None,
            wait: Some(0),
            offer: None,
        }
    }
}

impl Book {
    /// A lease that begins at once, waits, or is booked; nothing but a refusal where that is not wanted or possible.
    ///
    /// # Errors
    /// It is not free and the asker does not wait, a booking clashes, or what is asked makes no sense.
    pub fn ask(&mut self, now: Time, ask: Ask, claims: Claims<'_>) -> Result<LeaseId, Refusal> {
        let set = self.right_set(ask.set);
        let choice = ask.choice.map(|choice| self.right_choice(&choice).unwrap_or(choice));
        let ask = Ask { set, choice, ..ask };
        self.check_ask(now, &ask)?;
        let (begin, wait) = (ask.begin.filter(|begin| *begin > now), ask.wait);
        // Maintenance is a booking, also where it begins at once: it ends what others have.
        let begin = begin.or_else(|| ask.holder.is_lab().then_some(now));
        let choice = ask.choice.clone();
        let lease = self.prepare(now, ask);
        if let Some(begin) = begin {
            let lease = match &choice {
                Some(choice) => self.choose_for_later(lease, begin, choice)?,
                None => lease,
            };
            return self.book(lease, begin);
        }
        if let Some(choice) = choice {
            return self.ask_for_any(now, lease, wait, choice, claims);
        }
        let obstacle = self.obstacle(now, &lease.want(), &lease.rank(), claims);
        match (obstacle, wait) {
            (None, _) => Ok(self.take_in(Lease { offer: None, ..lease }, |lease| begun(lease, now))),
            (Some(obstacle), Some(0)) => Err(self.in_the_way(obstacle, &lease.want())),
            (Some(_), wait) => {
                let until = wait.map(|wait| now.plus_millis(wait));
                Ok(self.queue_up(lease, until))
            }
        }
    }

    /// Whatever of it is free, or a place in the queue with the promise of what is free soonest.
    fn ask_for_any(
        &mut self,
        now: Time,
        lease: Lease,
        wait: Option<u64>,
        choice: Arc<Choice>,
        claims: Claims<'_>,
    ) -> Result<LeaseId, Refusal> {
        let picked = self.pick(now, &lease.want(), &lease.rank(), &choice, claims);
        if let Some((set, given)) = picked.and_then(|sets| sets.into_iter().next()) {
            let lease = Lease { what: Leased::Set(set), given, offer: None, ..lease };
            return Ok(self.take_in(lease, |lease| begun(lease, now)));
        }
        if wait == Some(0) {
            return Err(Refusal::NoneFree { told: self.none_free(now, &lease, &choice, claims) });
        }
        let until = wait.map(|wait| now.plus_millis(wait));
        let set = self.promised(&lease.want(), &choice);
        self.set_choice(choice);
        let lease = Lease { what: Leased::Set(set), ..lease };
        Ok(self.queue_up(lease, until))
    }

    fn queue_up(&mut self, lease: Lease, until: Option<Time>) -> LeaseId {
        let id = self.take_in(lease, |lease| Lease { state: State::Waiting { until }, ..lease });
        self.wake_behind(id);
        id
    }

    pub(super) fn take_in(&mut self, lease: Lease, state: impl FnOnce(Lease) -> Lease) -> LeaseId {
        let id = self.next();
        let lease = state(Lease { id, ..lease });
        if matches!(lease.tie, Tie::Beat { .. }) {
            self.heard.insert(id, lease.asked);
        }
        self.put(lease);
        id
    }

    /// For later: nobody else may have it then.
    fn book(&mut self, lease: Lease, begin: Time) -> Result<LeaseId, Refusal> {
        let Some(length) = lease.length else { return Err(Refusal::NoEnd) };
        self.may_be_booked(&lease.want(), (begin, begin.plus_millis(length)), &|_| false)?;
        Ok(self.take_in(lease, |lease| booked(lease, begin, length)))
    }

    /// The lease as it would be, with no number yet.
    pub(super) fn prepare(&self, now: Time, ask: Ask) -> Lease {
        let has = ask.holder.user().and_then(|user| self.open.get(user)).copied().unwrap_or(0);
        let back = SHARE_STEP_MILLIS.saturating_mul(u64::from(has.min(SHARE_STEPS_MAX)));
        let Ask {
            set,
            choice,
            holder,
            shared,
            purpose,
            note,
            context,
            priority,
            repairs,
            tie,
            inside,
            length,
            offer,
            ..
        } = ask;
        // Whoever maintains something repairs it, alone, and needs no client for it.
        let is_lab = holder.is_lab();
        Lease {
            needs: choice.map(|choice| Arc::clone(&choice.text)),
            given: Given::new(),
            suite: None,
            id: LeaseId(self.last.0.saturating_add(1)),
            what: Leased::Set(set),
            shared: shared && !is_lab,
            purpose,
            note,
            context,
            guests: BTreeSet::new(),
            priority,
            repairs: repairs || is_lab,
            occurrence: None,
            reminded: None,
            used: Used::Unknown,
            tie: if is_lab { Tie::Free } else { tie },
            inside: inside.filter(|_| !is_lab),
            holder,
            asked: now,
            ranked: now.plus_millis(back),
            length,
            offer,
            since: None,
            until: None,
            state: State::Active,
        }
    }

    pub(super) fn check_ask(&self, now: Time, ask: &Ask) -> Result<(), Refusal> {
        match &ask.choice {
            None if ask.set.is_empty() => return Err(Refusal::Nothing),
            Some(_) if !ask.set.is_empty() => return Err(Refusal::NamedAndNeeded),
            Some(_) if ask.holder.is_lab() => return Err(Refusal::MaintenanceByNeeds),
            Some(choice) if !choice.can_be_met() => {
                return Err(Refusal::Unfit { needs: choice.text.to_string() });
            }
            Some(_) | None => {}
        }
        if ask.length == Some(0) {
            return Err(Refusal::NoTime);
        }
        if ask.length.is_some_and(|length| length > LENGTH_MAX_MILLIS) {
            return Err(Refusal::TooLong { days: LENGTH_MAX_MILLIS / (24 * 3_600_000) });
        }
        if ask.begin.is_some_and(|begin| begin.millis_since(now) > AHEAD_MAX_MILLIS) {
            return Err(Refusal::TooFar);
        }
        let has = ask.holder.user().and_then(|user| self.open.get(user)).copied().unwrap_or(0);
        if has >= OPEN_MAX {
            return Err(Refusal::TooMany { most: OPEN_MAX });
        }
        let Some(inside) = ask.inside else { return Ok(()) };
        let around = self.leases.get(&inside).filter(|lease| lease.holds());
        let Some(around) = around else { return Err(Refusal::NoSuch { lease: inside }) };
        match ask.holder.user() {
            // Who may go into what a run has, or into maintenance, is known to those who know whose run it is, and who repairs things.
            Some(_) if around.holder.user().is_none() => Ok(()),
            Some(user) if around.admits(user) => Ok(()),
            Some(_) | None => Err(Refusal::NotTheirs { told: self.told(around), lease: inside }),
        }
    }
}
