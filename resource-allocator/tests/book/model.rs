//! A book that anybody can check by reading: one list of leases, one list of parts, everything found by looking at all
//! of it, and everybody who waits looked at again after each event.

mod health;
mod later;
mod wish;

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    id::{LeaseId, RunId},
    time::Time,
};
use jackfield_resource_allocator::book::{
    Book, Choice, Ended, Holder, Lease, Leased, Set, Spot, State, Tie, Turn, Used,
};

pub(crate) use self::health::Rules;
use self::{
    health::{Condition, Node},
    later::clears,
};
use crate::{day::Parts, picking::ways};

const HOUR: u64 = 3_600_000;
const MONTH: u64 = 31 * 24 * HOUR;

#[derive(Clone)]
pub(crate) struct Waiting {
    pub(crate) run: RunId,
    pub(crate) part: u32,
    pub(crate) submitted: Time,
    pub(crate) set: Set,
    pub(crate) inside: Option<LeaseId>,
    pub(crate) needs: Option<Arc<str>>,
    /// What fits its needs and was promised to it.
    pub(crate) promised: Set,
}

#[derive(Clone, Default)]
pub(crate) struct Model {
    /// What fits needs, by their text.
    pub(crate) choices: BTreeMap<Arc<str>, Arc<Choice>>,
    pub(crate) leases: Vec<Lease>,
    heard: Vec<(LeaseId, Time)>,
    pub(crate) parts: Vec<Waiting>,
    last: u64,
    /// What there is.
    pub(crate) spots: Vec<Spot>,
    pub(crate) health: BTreeMap<String, Node>,
    pub(crate) rules: Rules,
}

/// Somebody who waits.
#[derive(Clone)]
struct Waiter {
    rank: (Reverse<i32>, Time, Turn),
    holder: Holder,
    shared: bool,
    inside: Option<LeaseId>,
    set: Set,
    /// For how long from now.
    length: Option<u64>,
    console: bool,
    repairs: bool,
    /// What fits, if it does not name what it wants; `set` is what it was promised then.
    choice: Option<Arc<Choice>>,
    /// What it names.
    named: Set,
}

/// Both together.
pub(crate) fn both(one: &Set, other: &Set) -> Set {
    let nodes: std::collections::BTreeSet<_> = one.nodes.iter().chain(&other.nodes).cloned().collect();
    Set { suts: one.suts.union(&other.suts).cloned().collect(), nodes: nodes.into_iter().collect() }
}

pub(crate) fn set(lease: &Lease) -> Set {
    match &lease.what {
        Leased::Set(set) => set.clone(),
        Leased::Lane(..) => Set::default(),
    }
}

/// One is the other, or above it: told by paths.
fn overlap(one: &Set, other: &Set) -> bool {
    let above = |top: &str, below: &str| {
        top == "/" || below == top || below.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'))
    };
    let paths = |set: &Set| set.nodes.iter().map(|spot| spot.path.clone()).collect::<Vec<_>>();
    let same = paths(one)
        .iter()
        .any(|mine| paths(other).iter().any(|theirs| above(mine, theirs) || above(theirs, mine)));
    same || one.suts.iter().any(|sut| other.suts.contains(sut))
}

fn beside(one: (&Holder, bool), other: (&Holder, bool)) -> bool {
    let run = |holder: &Holder| if let Holder::Run(run) = holder { Some(*run) } else { None };
    (one.1 && other.1) || (run(one.0).is_some() && run(one.0) == run(other.0))
}

impl Model {
    fn get(&self, id: LeaseId) -> Option<Lease> {
        self.leases.iter().find(|lease| lease.id == id).cloned()
    }

    fn write(&mut self, lease: Lease) {
        self.leases.retain(|other| other.id != lease.id);
        self.leases.push(lease);
        self.leases.sort_by_key(|lease| lease.id);
    }

    fn holding(&self) -> impl Iterator<Item = &Lease> {
        let holds =
            |state: &State| matches!(state, State::Active | State::Offered { .. } | State::Ending { .. });
        self.leases.iter().filter(move |lease| holds(&lease.state))
    }

    pub(crate) fn end(&mut self, now: Time, id: LeaseId, how: Ended) {
        let Some(lease) = self.get(id) else { return };
        self.vanish(now, id, &how);
        self.after_use(&lease, &how);
    }

    /// It is gone, as is a lease that is handed over, and no use of it is over.
    fn vanish(&mut self, now: Time, id: LeaseId, how: &Ended) {
        let inside: Vec<_> = self
            .holding()
            .filter(|other| other.inside == Some(id) && matches!(other.tie, Tie::Console(_)))
            .map(|other| other.id)
            .collect();
        inside.into_iter().for_each(|other| self.end(now, other, how.clone()));
        self.leases.retain(|lease| lease.id != id);
    }

    /// Runs that check something.
    pub(crate) fn checks(&self) -> Vec<RunId> {
        let run = |node: &Node| if let Condition::Checked(run, ..) = node.fit { Some(run) } else { None };
        self.health.values().filter_map(run).collect()
    }

    fn waiters(&self, now: Time) -> Vec<Waiter> {
        let leases = self.leases.iter().filter(|lease| matches!(lease.state, State::Waiting { .. }));
        let asks = leases.map(|lease| {
            let until = lease.until.or(lease.length.map(|length| now.plus_millis(length)));
            let of_lab = matches!(lease.holder, Holder::Lab(_));
            let booked = if of_lab { i32::MAX } else { i32::MAX - 1 };
            let priority = if lease.until.is_some() { booked } else { lease.priority };
            // What was booked begins although maintenance ends it.
            let cut = lease.until.and_then(|_| self.first_maintenance(lease));
            let until = until.map(|until| cut.map_or(until, |cut| until.min(cut)));
            Waiter {
                rank: (Reverse(priority), lease.ranked, Turn::Ask(lease.id)),
                holder: lease.holder.clone(),
                shared: lease.shared,
                inside: lease.inside,
                set: set(lease),
                length: until.map(|until| until.millis_since(now)),
                console: false,
                repairs: lease.repairs,
                choice: lease
                    .needs
                    .as_ref()
                    .filter(|_| lease.given.is_empty())
                    .map(|needs| self.choices[needs].clone()),
                named: Set::default(),
            }
        });
        let parts = self.parts.iter().map(|part| Waiter {
            rank: (Reverse(0), part.submitted, Turn::Part { run: part.run, part: part.part }),
            holder: Holder::Run(part.run),
            shared: false,
            inside: part.inside,
            set: both(&part.set, &part.promised),
            length: None,
            console: false,
            repairs: false,
            choice: part.needs.as_ref().map(|needs| self.choices[needs].clone()),
            named: part.set.clone(),
        });
        let mut all: Vec<_> = asks.chain(parts).collect();
        all.sort_by_key(|waiter| waiter.rank);
        all
    }

    fn in_hands(&self, waiter: &Waiter) -> Vec<&Lease> {
        let touching = self.holding().filter(|lease| overlap(&set(lease), &waiter.set));
        // Two consoles are in each other's way on the same node only.
        let other_screen = |lease: &Lease| {
            let same = set(lease).nodes.iter().any(|spot| waiter.set.nodes.contains(spot));
            waiter.console && matches!(lease.tie, Tie::Console(_)) && !same
        };
        let keeps_out = |lease: &&Lease| {
            if waiter.console && matches!(lease.tie, Tie::Console(_)) {
                return !other_screen(lease);
            }
            !beside((&waiter.holder, waiter.shared), (&lease.holder, lease.shared))
                && waiter.inside != Some(lease.id)
        };
        touching.filter(keeps_out).collect()
    }

    fn booked(&self, waiter: &Waiter, from: Time, to: Time, but: Option<LeaseId>) -> bool {
        self.leases.iter().any(|lease| {
            let State::Asked { begin } = lease.state else { return false };
            let end = begin.plus_millis(lease.length.unwrap_or(HOUR));
            Some(lease.id) != but
                && !clears(waiter, lease)
                && overlap(&set(lease), &waiter.set)
                && begin < to
                && from < end
                && !beside((&waiter.holder, waiter.shared), (&lease.holder, lease.shared))
                && waiter.inside != Some(lease.id)
        })
    }

    /// What is not in the lease around.
    fn outside(&self, waiter: &Waiter) -> Waiter {
        let Some(around) = waiter.inside.and_then(|id| self.get(id)) else { return waiter.clone() };
        let room = set(&around);
        let covered = |path: &str| {
            let single = |spot: &&jackfield_resource_allocator::book::Spot| {
                spot.path == "/" || path == spot.path || path.starts_with(&format!("{}/", spot.path))
            };
            room.nodes.iter().any(|spot| single(&spot))
        };
        let suts = waiter.set.suts.iter().filter(|sut| !room.suts.contains(*sut)).cloned().collect();
        let nodes = waiter.set.nodes.iter().filter(|spot| !covered(&spot.path)).cloned().collect();
        Waiter { set: Set { suts, nodes }, ..waiter.clone() }
    }

    /// Whether somebody who asked before keeps a waiter out: at each thing that is waited for, the first who would.
    fn overtakes(&self, now: Time, waiter: &Waiter, parts: &Parts) -> bool {
        let all = self.waiters(now);
        let mut units: Vec<Set> = Vec::new();
        for other in &all {
            let suts = other.set.suts.iter().map(|sut| Set { suts: [sut.clone()].into(), nodes: vec![] });
            let nodes =
                other.set.nodes.iter().map(|spot| Set { nodes: vec![spot.clone()], ..Set::default() });
            units.extend(suts.chain(nodes).filter(|unit| overlap(unit, &waiter.set)));
        }
        units.iter().any(|unit| {
            let at_unit = |other: &&Waiter| {
                unit.nodes.iter().all(|spot| other.set.nodes.contains(spot))
                    && unit.suts.iter().all(|sut| other.set.suts.contains(sut))
            };
            let first = all.iter().filter(at_unit).find(|other| {
                other.rank < waiter.rank
                    && !beside((&waiter.holder, waiter.shared), (&other.holder, other.shared))
                    && parts.claims(other.rank.2)
                    && !self.unfit(other).1
            });
            let Some(first) = first else { return false };
            let holders = self.in_hands(first);
            let frees: Option<Vec<Time>> = holders.iter().map(|lease| lease.until).collect();
            let free_at = frees.and_then(|ends| ends.into_iter().max());
            let end = waiter.length.map(|length| now.plus_millis(length));
            !matches!((end, free_at), (Some(end), Some(free_at)) if end <= free_at)
        })
    }

    /// What somebody may be given who takes whatever fits.
    fn may_have(&self, now: Time, waiter: &Waiter, choice: &Choice, parts: &Parts) -> Vec<Set> {
        let named = Waiter { set: waiter.named.clone(), choice: None, ..waiter.clone() };
        let is_named =
            |spot: &Spot| overlap(&waiter.named, &Set { nodes: vec![spot.clone()], ..Set::default() });
        if !self.may_begin(now, &named, parts) {
            return Vec::new();
        }
        let free =
            |spot: &Spot| (!is_named(spot) && self.is_free(now, waiter, spot, parts)).then_some(Time(0));
        ways(choice, &free).into_iter().map(|(set, _)| both(&waiter.named, &set)).collect()
    }

    fn is_free(&self, now: Time, waiter: &Waiter, spot: &Spot, parts: &Parts) -> bool {
        let set = Set { nodes: vec![spot.clone()], ..Set::default() };
        let own = matches!(waiter.holder, Holder::Run(_))
            && self
                .holding()
                .any(|lease| lease.holder == waiter.holder && overlap(&crate::model::set(lease), &set));
        let single = Waiter { set, choice: None, ..waiter.clone() };
        !own && self.may_begin(now, &single, parts)
    }

    /// Whether a promise is what is free soonest.
    pub(crate) fn check_promise(
        &self,
        needs: &str,
        (holder, shared, inside, repairs): (&Holder, bool, Option<LeaseId>, bool),
        named: &Set,
        promised: &Set,
    ) -> Result<(), String> {
        let (_, choice) = self.choices.iter().find(|(text, _)| &***text == needs).unwrap();
        let rank = (Reverse(0), Time(0), Turn::Ask(LeaseId(0)));
        let free = |spot: &Spot| {
            let set = Set { nodes: vec![spot.clone()], ..Set::default() };
            if overlap(named, &set) {
                return None;
            }
            let own = self.holding().any(|lease| {
                matches!(holder, Holder::Run(_))
                    && lease.holder == *holder
                    && overlap(&crate::model::set(lease), &set)
            });
            let waiter = Waiter {
                rank,
                holder: holder.clone(),
                shared,
                inside,
                set,
                length: None,
                console: false,
                repairs,
                choice: None,
                named: Set::default(),
            };
            let (unfit, broken) = self.unfit(&waiter);
            if broken {
                return None;
            }
            let own = own || unfit;
            let ends = self.in_hands(&waiter).into_iter().map(|lease| lease.until.unwrap_or(Time(i64::MAX)));
            Some(ends.chain(own.then_some(Time(i64::MAX))).max().unwrap_or(Time(0)))
        };
        let ways = ways(choice, &free);
        let best = ways.iter().map(|(_, at)| *at).min();
        let right = ways.iter().any(|(set, at)| set == promised && Some(*at) == best)
            || (ways.is_empty() && promised.is_empty());
        if right {
            Ok(())
        } else {
            Err(format!("{promised} was promised of {choice:?}, and {ways:?} are the ways"))
        }
    }

    fn may_begin(&self, now: Time, waiter: &Waiter, parts: &Parts) -> bool {
        if let Some(choice) = &waiter.choice {
            return !self.may_have(now, waiter, choice, parts).is_empty();
        }
        let rest = self.outside(waiter);
        let end = now.plus_millis(waiter.length.unwrap_or(HOUR));
        self.in_hands(waiter).is_empty()
            && !self.unfit(&rest).0
            && !self.booked(&rest, now, end, None)
            && (self.is_check(&waiter.holder) || !self.overtakes(now, &rest, parts))
    }

    /// Everybody who can begin does, in order, until nobody can.
    pub(crate) fn settle(
        &mut self,
        now: Time,
        parts: &Parts,
        book: &Book,
        placed: &BTreeMap<(RunId, u32), Set>,
    ) -> Result<(), String> {
        'again: loop {
            for waiter in self.waiters(now) {
                if !self.may_begin(now, &waiter, parts) {
                    continue;
                }
                // What of all that fits is given is the book's choice; it is looked at whether it may be.
                let chosen = |set: Option<Set>| {
                    let Some(choice) = &waiter.choice else { return Ok(waiter.set.clone()) };
                    let ways = self.may_have(now, &waiter, choice, parts);
                    set.filter(|set| ways.contains(set))
                        .ok_or_else(|| format!("{:?} may have one of {ways:?}", waiter.rank.2))
                };
                match waiter.rank.2 {
                    Turn::Ask(id) => {
                        let Some(lease) = self.get(id) else { continue };
                        let given = book.lease(id).filter(|lease| lease.holds());
                        let set = chosen(given.map(set))?;
                        let given = given.map(|lease| lease.given.clone()).unwrap_or_default();
                        self.write(begun(Lease { what: Leased::Set(set), given, ..lease }, now));
                        continue 'again;
                    }
                    Turn::Part { run, part } if parts.has_lane(run, part) => {
                        let set = chosen(placed.get(&(run, part)).cloned())?;
                        self.parts.retain(|other| (other.run, other.part) != (run, part));
                        self.give(now, run, set, waiter.inside);
                        continue 'again;
                    }
                    Turn::Part { .. } => {}
                }
            }
            return Ok(());
        }
    }

    fn give(&mut self, now: Time, run: RunId, set: Set, inside: Option<LeaseId>) {
        self.last += 1;
        self.leases.push(Lease {
            id: LeaseId(self.last),
            what: Leased::Set(set),
            needs: None,
            given: Default::default(),
            suite: None,
            holder: Holder::Run(run),
            shared: false,
            purpose: String::new(),
            note: String::new(),
            context: Default::default(),
            guests: Default::default(),
            priority: 0,
            repairs: false,
            occurrence: None,
            reminded: None,
            used: Used::Unknown,
            tie: Tie::Free,
            inside,
            asked: now,
            ranked: now,
            length: None,
            offer: None,
            since: Some(now),
            until: None,
            state: State::Active,
        });
    }

    fn hear(&mut self, id: LeaseId, now: Time) {
        self.heard.retain(|(other, _)| *other != id);
        self.heard.push((id, now));
    }

    /// What time alone does, at its own time and in its own order.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.leases.iter().filter_map(|lease| self.due(lease)).min()
    }

    fn due(&self, lease: &Lease) -> Option<Time> {
        let heard = self.heard.iter().find(|(id, _)| *id == lease.id).map(|(_, at)| *at);
        let silent = match lease.tie {
            Tie::Beat { patience_millis } => heard.map(|at| at.plus_millis(patience_millis)),
            Tie::Free | Tie::Console(_) => None,
        };
        let own = match &lease.state {
            State::Asked { begin } => return Some(*begin),
            State::Waiting { until } => *until,
            State::Offered { until } | State::Ending { until, .. } => Some(*until),
            State::Active => lease.until,
            State::Ended { .. } => return None,
        };
        own.into_iter().chain(silent).min()
    }

    pub(crate) fn pass(&mut self, now: Time) {
        while let Some(lease) = self
            .leases
            .iter()
            .filter(|lease| self.due(lease).is_some_and(|due| due <= now))
            .min_by_key(|lease| (self.due(lease), lease.id))
            .cloned()
        {
            let is_booked = matches!(lease.state, State::Asked { .. });
            if is_booked && lease.until.is_some_and(|until| until > now) {
                self.write(Lease {
                    state: State::Waiting { until: lease.until },
                    offer: None,
                    ..lease.clone()
                });
                self.drain(now, &lease);
            } else {
                self.end(now, lease.id, Self::how(&lease, now));
            }
        }
    }

    /// The engine is killed and starts again.
    pub(crate) fn restart(&mut self, now: Time) {
        let consoles: Vec<_> = self
            .leases
            .iter()
            .filter(|lease| matches!(lease.tie, Tie::Console(_)))
            .map(|lease| lease.id)
            .collect();
        consoles.into_iter().for_each(|id| self.end(now, id, Ended::Loss));
        let ids: Vec<_> = self.leases.iter().map(|lease| lease.id).collect();
        ids.into_iter().for_each(|id| self.hear(id, now));
    }
}

fn begun(lease: Lease, now: Time) -> Lease {
    let until = lease.until.or(lease.length.map(|length| now.plus_millis(length)));
    match (lease.offer, &lease.state) {
        (Some(offer), State::Waiting { .. }) => {
            Lease { state: State::Offered { until: now.plus_millis(offer) }, ..lease }
        }
        _ => Lease { state: State::Active, since: Some(now), until, ..lease },
    }
}
