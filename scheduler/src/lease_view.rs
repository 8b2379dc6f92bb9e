//! Leases as people see them: with the person behind a run, the place in the queue, and what is waited for.

use std::collections::BTreeMap;

use jackfield_protocol::{
    calendar::{MaintenanceAhead, SeriesView},
    id::UserName,
    lease::{HolderKind, LeaseEnd, LeaseEnded, LeaseKind, LeaseState, LeaseView},
};
use jackfield_resource_allocator::book::{
    Ended, Holder, Lease, Leased, Obstacle, Set, Spot, State, Tie, Turn,
};

use crate::Scheduler;

/// Places in a queue that are counted; whoever is further back is told no place.
pub(crate) const PLACES_MAX: usize = 100;

impl Scheduler {
    /// A lease, over or not, as people see it.
    pub fn lease_view(&self, lease: &Lease) -> LeaseView {
        let decide_by = match &lease.state {
            State::Waiting { until } => *until,
            State::Offered { until } | State::Ending { until, .. } => Some(*until),
            State::Asked { .. } | State::Active | State::Ended { .. } => None,
        };
        let waits = lease.is_waiting();
        LeaseView {
            id: lease.id,
            kind: kind(&lease.what),
            name: match &lease.needs {
                Some(needs) if lease.leaves_choice() => needs.to_string(),
                Some(_) | None => name(&lease.what),
            },
            state: state(&lease.state),
            holder: holder(&lease.holder),
            user: self.lease_user(lease),
            run: lease.holder.run(),
            resources: if lease.leaves_choice() { Vec::new() } else { paths(&lease.what) },
            needs: lease.needs.as_ref().map(ToString::to_string),
            given: lease.given.clone(),
            shared: lease.shared,
            reason: lease.purpose.clone(),
            note: lease.note.clone(),
            context: lease.context.clone(),
            guests: lease.guests.clone(),
            priority: lease.priority,
            asked: lease.asked,
            begin: lease.should_begin(),
            since: lease.since,
            until: lease.until,
            decide_by,
            place: if waits { self.bench.book.place(lease.id, PLACES_MAX) } else { None },
            waits_for: if waits { self.lease_waits_for(lease) } else { None },
            unfit: self.lease_unfit(lease),
            console: match lease.tie {
                Tie::Console(console) => Some(console),
                Tie::Free | Tie::Beat { .. } => None,
            },
            series: lease.occurrence.as_ref().map(|occurrence| SeriesView {
                id: occurrence.series,
                rule: occurrence.rule.as_ref().clone(),
                told: occurrence.rule.to_string(),
                slot: occurrence.slot,
            }),
            maintenance: self.bench.book.maintained(lease).and_then(|lab| self.maintenance_ahead(lab)),
            patience_millis: match lease.tie {
                Tie::Beat { patience_millis } => Some(patience_millis),
                Tie::Free | Tie::Console(_) => None,
            },
            ended: ended(&lease.state),
        }
    }

    fn maintenance_ahead(&self, lab: &Lease) -> Option<MaintenanceAhead> {
        let told = self.bench.book.told(lab);
        Some(MaintenanceAhead { lease: lab.id, begin: lab.booked_for()?, end: lab.until?, told })
    }

    /// What is not over: first all that is held or booked, then those who wait, by number, and no more than so many.
    pub fn leases(&self, most: usize) -> Vec<LeaseView> {
        let held = self.bench.book.leases().filter(|lease| !lease.is_waiting());
        let waiting = self.bench.book.leases().filter(|lease| lease.is_waiting());
        held.chain(waiting).take(most).map(|lease| self.lease_view(lease)).collect()
    }

    /// The leases that hold a node, or something above or below it.
    pub fn leases_on(&self, spot: &Spot) -> Vec<Lease> {
        let set = Set { nodes: vec![spot.clone()], ..Set::default() };
        let found = self.bench.book.holding(&set).map(|lease| (lease.id, lease.clone()));
        found.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// The person who has it, or whose run does.
    pub fn lease_user(&self, lease: &Lease) -> Option<UserName> {
        match &lease.holder {
            Holder::Run(run) => self.runs.get(run).map(|run| run.plan.user.clone()),
            Holder::Person(user) | Holder::Lab(user) => Some(user.clone()),
        }
    }

    /// Who has what, until when and why, with whose run it is.
    pub fn lease_told(&self, lease: &Lease) -> String {
        let told = self.bench.book.told(lease);
        match (&lease.holder, self.lease_user(lease)) {
            (Holder::Run(_), Some(user)) => format!("{user}'s {told}"),
            (Holder::Run(_) | Holder::Person(_) | Holder::Lab(_), _) => told,
        }
    }

    /// What of a lease that is held is not fit; what one that waits lacks, it says itself.
    fn lease_unfit(&self, lease: &Lease) -> Option<String> {
        let set = lease.what.set().filter(|_| lease.holds())?;
        self.bench.book.unfit(set, lease.holder.run()).map(|unfit| unfit.to_string())
    }

    fn lease_waits_for(&self, lease: &Lease) -> Option<String> {
        let book = &self.bench.book;
        let lease = book.lease(lease.id).filter(|lease| lease.is_waiting())?;
        let claims = |turn| self.claims(turn);
        if let Some(needs) = lease.needs.as_ref().filter(|_| lease.leaves_choice()) {
            let Some(choice) = book.choice(needs) else {
                return Some("the resources to be looked at".to_owned());
            };
            if !choice.can_be_met() {
                return Some(format!("`{needs}`, which nothing in the lab can meet any more"));
            }
            let told = |lease: &Lease| self.lease_told(lease);
            return Some(book.why_none_of(self.bench.now, lease, choice, (&claims, &told)));
        }
        Some(match book.in_front_of(self.bench.now, lease, &claims)? {
            Obstacle::Held(id) | Obstacle::Booked(id) => self.lease_told(book.lease(id)?),
            Obstacle::Behind(turn) => format!("{} asked before", book.told_turn(turn)),
            Obstacle::Unfit => book.told_unfit(book.waiter(Turn::Ask(lease.id))?.1),
        })
    }
}

/// The paths of the resources in it.
fn paths(what: &Leased) -> Vec<String> {
    let mut paths: Vec<String> =
        what.set().into_iter().flat_map(|set| &set.nodes).map(|spot| spot.path.clone()).collect();
    paths.sort();
    paths
}

fn kind(what: &Leased) -> LeaseKind {
    match what {
        Leased::Lane(..) => LeaseKind::Ep,
        Leased::Set(set) if set.suts.is_empty() => LeaseKind::Resource,
        Leased::Set(_) => LeaseKind::Sut,
    }
}

/// As lists name it: an EP, SUTs, or paths.
fn name(what: &Leased) -> String {
    match what {
        Leased::Lane(ep, _) => ep.to_string(),
        Leased::Set(set) if set.suts.is_empty() => set.to_string(),
        Leased::Set(set) => set.sut_names(),
    }
}

fn holder(holder: &Holder) -> HolderKind {
    match holder {
        Holder::Run(_) => HolderKind::Run,
        Holder::Person(_) => HolderKind::Person,
        Holder::Lab(_) => HolderKind::Lab,
    }
}

fn state(state: &State) -> LeaseState {
    match state {
        State::Asked { .. } => LeaseState::Asked,
        State::Waiting { .. } => LeaseState::Waiting,
        State::Offered { .. } => LeaseState::Offered,
        State::Active => LeaseState::Active,
        State::Ending { .. } => LeaseState::Ending,
        State::Ended { .. } => LeaseState::Ended,
    }
}

fn ended(state: &State) -> Option<LeaseEnd> {
    match state {
        State::Ended { at, how } => {
            let (by, reason) = match how {
                Ended::Force { by, reason } => (Some(by.clone()), reason.clone()),
                Ended::Holder | Ended::Expiry | Ended::Loss | Ended::RunEnd => (None, String::new()),
            };
            let how = match how {
                Ended::Holder => LeaseEnded::Holder,
                Ended::Expiry => LeaseEnded::Expiry,
                Ended::Force { .. } => LeaseEnded::Force,
                Ended::Loss => LeaseEnded::Loss,
                Ended::RunEnd => LeaseEnded::RunEnd,
            };
            Some(LeaseEnd { at: *at, how, by, reason })
        }
        State::Ending { until, by, reason } => Some(LeaseEnd {
            at: *until,
            how: LeaseEnded::Force,
            by: Some(by.clone()),
            reason: reason.clone(),
        }),
        State::Asked { .. } | State::Waiting { .. } | State::Offered { .. } | State::Active => None,
    }
}
