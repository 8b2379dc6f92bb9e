//! Keeping what is leased fit: what becomes of it after a use, what a check says, and who may not have it meanwhile.

use std::sync::Arc;

use jackfield_protocol::{
    id::{LeaseId, RunId, UserName},
    time::Time,
};

use super::{
    Book, Lease, Want,
    health::{Checked, Fitness, Health, Judgement, Unfit, Upkeep, Used},
    lease::{Ended, Holder, Set, Spot, State},
    queue::Turn,
};
use crate::node::ResourceId;

/// Checks in a row that come to no result, after which a node is taken out of service.
const FRUITLESS_MAX: u32 = 3;

impl Book {
    /// What the rows say of nodes that are not fit.
    #[must_use]
    pub fn with_health(mut self, rows: impl IntoIterator<Item = Health>) -> Self {
        rows.into_iter().for_each(|health| self.know(health));
        self.wake_all();
        self
    }

    /// Everything that is not fit, or that the lab spoiled a use of.
    pub fn health(&self) -> impl Iterator<Item = &Health> {
        self.health.values()
    }

    /// How the lab looks after its resources.
    pub fn upkeep(&self) -> &Upkeep {
        &self.upkeep
    }

    /// What changed of it since this was asked last, oldest first; the last of a node wins, and one that is sound again is
    /// forgotten.
    pub fn take_health_rows(&mut self) -> Vec<Health> {
        std::mem::take(&mut self.health_rows)
    }

    /// What property and settings say now.
    pub fn set_upkeep(&mut self, upkeep: Upkeep) {
        if self.upkeep != upkeep {
            self.upkeep = upkeep;
            self.promise_all();
            self.wake_all();
        }
    }

    /// A person says how fit a node is.
    pub fn judge(&mut self, now: Time, spot: Spot, judgement: Judgement, by: &UserName) {
        let spot = self.right(&spot).unwrap_or(spot);
        let known = self.health.get(&spot.node);
        let spoiled = known.map_or(0, |known| known.spoiled);
        let (fitness, spoiled) = match judgement {
            Judgement::Fit => (Fitness::Fit, 0),
            Judgement::Dirty(why) => (Fitness::Dirty { why, fruitless: 0, held_back: false }, spoiled),
            Judgement::Out(why) => (Fitness::Out { why, by: Some(by.clone()) }, spoiled),
        };
        self.put_health(Health { spot, fitness, since: now, spoiled });
    }

    /// The node is not there any more.
    pub fn forget_health(&mut self, node: &ResourceId) {
        if let Some(known) = self.health.get(node).cloned() {
            self.put_health(Health::new(known.spot, known.since));
        }
    }

    /// What a test says of what its run has: the worst of a lease counts.
    pub fn used(&mut self, id: LeaseId, used: Used) {
        let Some(lease) = self.leases.get_mut(&id) else { return };
        if used.is_worse_than(&lease.used) {
            lease.used = used;
            self.rows.push(lease.clone());
        }
    }

    /// Dirty nodes that nobody has, each with the project that is to check it.
    pub fn to_check(&self) -> impl Iterator<Item = (&Health, &Arc<str>)> {
        let waits = |health: &&Health| {
            let single = Set::of(&health.spot);
            matches!(health.fitness, Fitness::Dirty { held_back: false, .. })
                // What is in it is checked first.
                && self.unclean.below(&health.spot.node).next().is_none()
                && self.out_at(&health.spot).is_none()
                && self.holding(&single).all(Lease::is_console)
        };
        let dirty = self.health.values().filter(waits);
        dirty.filter_map(|health| Some((health, self.upkeep.check_of(&health.spot)?)))
    }

    /// A run begins that checks a dirty node.
    pub fn check_begins(&mut self, now: Time, node: &ResourceId, run: RunId) {
        let Some(known) = self.health.get(node).cloned() else { return };
        if let Fitness::Dirty { why, fruitless, .. } = known.fitness.clone() {
            let fitness = Fitness::UnderCheck { why, run, fruitless, found: None };
            self.put_health(Health { fitness, since: now, ..known });
        }
    }

    /// A run that checked a node is over. If a person has said something of the node meanwhile, that counts.
    pub fn checked(&mut self, now: Time, run: RunId, checked: &Checked) {
        let Some(known) = self.health.values().find(|health| health.is_checked_by(run)).cloned() else {
            return;
        };
        let Fitness::UnderCheck { why, fruitless, found, .. } = known.fitness.clone() else { return };
        let found = found.map(Checked::Failed);
        let checked = found.as_ref().unwrap_or(checked);
        let out = |why: String| Fitness::Out { why, by: None };
        let fitness = match checked {
            Checked::Passed => Fitness::Fit,
            Checked::Failed(found) => out(format!("its health check failed in run {run}: {found}")),
            Checked::Fruitless { by: Some(by) } => {
                let why = format!("{why}; {by} stopped its health check, run {run}");
                Fitness::Dirty { why, fruitless, held_back: true }
            }
            Checked::Fruitless { by: None } if fruitless.saturating_add(1) < FRUITLESS_MAX => {
                Fitness::Dirty { why, fruitless: fruitless.saturating_add(1), held_back: false }
            }
            Checked::Fruitless { by: None } => {
                let told = format!(
                    "{FRUITLESS_MAX} health checks in a row came to no result, the last in run {run}; before that: {why}"
                );
                out(told)
            }
        };
        // That a check passes and uses are spoiled all the same is no reason to forget them.
        self.put_health(Health { fitness, since: now, ..known });
    }

    /// Why something of a set is kept from whoever wants it: the thing itself, or what it is in, is not fit; or something in it is
    /// dirty, which cannot be checked while somebody has all of it.
    pub fn unfit(&self, set: &Set, who: Option<RunId>) -> Option<Unfit<'_>> {
        set.nodes.iter().find_map(|spot| self.unfit_at(spot, who))
    }

    /// The same of what somebody wants who is not there to repair it. What is in the lease that lets them in is theirs as it is.
    pub fn unfit_for(&self, want: &Want) -> Option<Unfit<'_>> {
        self.minded(want).find_map(|spot| self.unfit_at(spot, want.holder.run()))
    }

    /// Whether somebody wants what has to be repaired: as long as they cannot have that, they keep nobody from the rest.
    pub(super) fn waits_for_repair(&self, want: &Want) -> bool {
        self.broken_for(want).is_some()
    }

    /// What somebody wants that has to be repaired.
    pub(super) fn broken_for(&self, want: &Want) -> Option<Unfit<'_>> {
        self.minded(want).find_map(|spot| self.out_at(spot))
    }

    /// The nodes that somebody wants to be fit.
    fn minded<'a>(&'a self, want: &'a Want) -> impl Iterator<Item = &'a Spot> {
        let is_all_fit = self.upkeep.out.is_empty() && self.health.is_empty();
        let minds = !is_all_fit && !want.console && !want.repairs;
        let around = want.inside.filter(|_| minds).and_then(|id| self.leases.get(&id));
        let room = around.and_then(|around| around.what.set());
        let nodes = want.set.nodes.iter().filter(move |_| minds);
        nodes.filter(move |spot| !room.is_some_and(|room| room.covers(spot)))
    }

    fn unfit_at(&self, spot: &Spot, who: Option<RunId>) -> Option<Unfit<'_>> {
        let unclean = |node: &ResourceId| {
            self.health.get(node).filter(|health| health.is_unclean() && health.keeps_out(who))
        };
        let below = || self.unclean.below(&spot.node).find_map(unclean);
        // Who checks it has it before what it is in is checked: that one waits for it.
        let own_check = who.zip(self.health.get(&spot.node));
        let checks_it = own_check.is_some_and(|(run, health)| health.is_checked_by(run));
        let above = || up(spot).filter(|_| !checks_it).find_map(unclean);
        let own = || above().or_else(below).map(Unfit::Health);
        self.out_at(spot).or_else(own)
    }

    fn out_at(&self, spot: &Spot) -> Option<Unfit<'_>> {
        let said = up(spot).find_map(|node| self.upkeep.out.get(node));
        let outage = said.and_then(Option::as_ref).map(Unfit::Outage);
        let broken = || up(spot).filter_map(|node| self.health.get(node)).find(|health| health.is_out());
        outage.or_else(|| broken().map(Unfit::Health))
    }

    /// Whether a run is a health check: nobody's turn is before its own, since all of them wait for what it finds.
    pub(super) fn is_check(&self, holder: &Holder) -> bool {
        holder.run().is_some_and(|run| self.health.values().any(|health| health.is_checked_by(run)))
    }

    /// What a use leads to, for each node that was used.
    pub(super) fn after_use(&mut self, now: Time, lease: &Lease, how: &Ended) {
        let was_used = matches!(lease.state, State::Active | State::Ending { .. }) && !lease.is_console();
        let Some(set) = lease.what.set().filter(|_| was_used) else { return };
        for spot in &set.nodes {
            let known = self.health.get(&spot.node).cloned();
            let known = known.unwrap_or_else(|| Health::new(spot.clone(), now));
            let next = self.health_after(now, &known, lease, how);
            if next != known {
                self.put_health(next);
            }
        }
    }

    fn health_after(&self, now: Time, known: &Health, lease: &Lease, how: &Ended) -> Health {
        if let Fitness::UnderCheck { .. } = known.fitness {
            return found_by_check(known, lease);
        }
        let (spoiled, last) = match &lease.used {
            Used::Unknown | Used::Left(_) => (known.spoiled, ""),
            Used::Sound => (0, ""),
            Used::Spoiled(why) => (known.spoiled.saturating_add(1), why.as_str()),
        };
        let too_often = self.upkeep.spoiled_max > 0 && spoiled >= self.upkeep.spoiled_max;
        let fitness = match &known.fitness {
            Fitness::Fit | Fitness::Dirty { .. } if too_often && !last.is_empty() => {
                let uses = if spoiled == 1 { "use".to_owned() } else { format!("{spoiled} uses in a row") };
                let why = format!("the lab spoiled {uses}; the last was {}: {last}", lease.holder);
                Fitness::Out { why, by: None }
            }
            Fitness::Fit => match self.trouble(lease, how) {
                Some(why) if self.upkeep.check_of(&known.spot).is_some() => {
                    Fitness::Dirty { why, fruitless: 0, held_back: false }
                }
                Some(_) | None => Fitness::Fit,
            },
            Fitness::Dirty { .. } | Fitness::UnderCheck { .. } | Fitness::Out { .. } => known.fitness.clone(),
        };
        let since = if fitness == known.fitness { known.since } else { now };
        Health { fitness, since, spoiled, ..known.clone() }
    }

    /// Why a node should be looked at before somebody else has it.
    fn trouble(&self, lease: &Lease, how: &Ended) -> Option<String> {
        let holder = &lease.holder;
        match (&lease.used, how) {
            (Used::Spoiled(why), _) => Some(format!("{holder} had trouble with it: {why}")),
            (Used::Left(why), _) => Some(format!("{holder} was cut off: {why}")),
            (Used::Unknown | Used::Sound, Ended::Loss) => Some(format!("{holder} was not heard of any more")),
            (Used::Unknown | Used::Sound, Ended::Force { by, reason }) => {
                Some(format!("{by} took it from {holder}: {reason}"))
            }
            (Used::Unknown | Used::Sound, Ended::Holder | Ended::Expiry | Ended::RunEnd) => {
                // What a check took along is left as it was, or it would be checked for ever.
                let counts =
                    self.upkeep.after_each && !self.is_check(holder) && !matches!(holder, Holder::Lab(_));
                counts.then(|| format!("{holder} has used it"))
            }
        }
    }

    /// Writes the health of a node as it is now, and wakes whom it concerns.
    pub(super) fn put_health(&mut self, health: Health) {
        let was_out = self.health.get(&health.spot.node).is_some_and(Health::is_out);
        let repaired_or_broken = was_out != health.is_out();
        let set = Set::of(&health.spot);
        self.know(health.clone());
        self.health_rows.push(health);
        if repaired_or_broken {
            // Those who wait for it claim nothing meanwhile, wherever that is, and are promised something else.
            self.promise_all();
            self.wake_all();
        } else {
            self.wake(&set);
        }
    }

    pub(super) fn know(&mut self, health: Health) {
        if let Some(before) = self.health.remove(&health.spot.node)
            && before.is_unclean()
        {
            self.unclean.remove_set(&Set::of(&before.spot), before.spot.node);
        }
        if health.is_unclean() {
            self.unclean.insert_set(&Set::of(&health.spot), health.spot.node.clone());
        }
        if !health.is_sound() {
            self.health.insert(health.spot.node.clone(), health);
        }
    }

    /// Those who leave the choice are promised anew.
    fn promise_all(&mut self) {
        let choosers: Vec<Turn> = self.choosers.values().flatten().map(|rank| rank.turn).collect();
        choosers.into_iter().for_each(|turn| self.promise(turn));
    }
}

/// The run that checks says in the end what it found; that a test of it could not use the node is known now.
fn found_by_check(known: &Health, lease: &Lease) -> Health {
    let mut next = known.clone();
    if let (Fitness::UnderCheck { run, found, .. }, Used::Spoiled(why)) = (&mut next.fitness, &lease.used)
        && lease.holder.run() == Some(*run)
    {
        *found = Some(why.clone());
    }
    next
}

/// A node and those above it, the nearest first.
fn up(spot: &Spot) -> impl Iterator<Item = &ResourceId> {
    std::iter::once(&spot.node).chain(spot.above.iter().rev())
}
