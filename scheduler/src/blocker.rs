//! Who has what a part waits for, so that whoever waits knows whom to ask: runs on EPs, runs and people with SUTs and
//! resources, and those who come before.

use jackfield_protocol::{
    api::{Blocker, Blocks},
    event::RunState,
    id::{RunId, SutName},
};
use jackfield_resource_allocator::book::{Holder, Lease, Obstacle, Rank, Set, State, Turn, Want};

use crate::{
    Scheduler,
    bench::{Bench, Ep, Thing},
    part::{Part, PartKey},
    run::Run,
};

/// More would hide the point: whoever waits for any of a hundred EPs is told of these.
pub(crate) const BLOCKERS_MAX: usize = 8;

impl Scheduler {
    /// What a part wants, and who stands in its way; none where it waits for nothing that somebody has.
    pub(crate) fn blockers(&self, key: PartKey) -> Option<(String, Vec<Blocker>)> {
        let run = self.runs.get(&key.run).filter(|run| run.row.state != RunState::Paused)?;
        let waits = |part: &&Part| self.bench.waiters.all.contains(&part.key);
        let part = run.part(key.part).filter(waits)?;
        // An EP is looked for only when everything else is there.
        let found = self
            .blockers_of_suts(run, part)
            .or_else(|| self.blockers_of_needs(run, part))
            .or_else(|| self.blockers_of_lanes(run, part));
        let (wants, found) = found?;
        let mut told: Vec<Blocker> = Vec::new();
        for blocker in found {
            if !told.contains(&blocker) {
                told.push(blocker);
            }
        }
        told.truncate(BLOCKERS_MAX);
        Some((wants, told))
    }

    fn blockers_of_suts(&self, run: &Run, part: &Part) -> Option<(String, Vec<Blocker>)> {
        let rank = Bench::rank(part.key, run.came);
        let open = |sut: &&SutName| !self.bench.uses.contains_key(&(run.id(), Thing::Sut((*sut).clone())));
        let of = |sut: &SutName| {
            let want = self.bench.want(run.id(), std::slice::from_ref(sut), part.inside);
            let wants = format!("SUT {sut}");
            let found = self.blockers_of(&want, &rank, &wants);
            (!found.is_empty()).then_some((wants, found))
        };
        let found: (Vec<_>, Vec<_>) = part.suts.iter().filter(open).filter_map(of).unzip();
        (!found.0.is_empty()).then(|| (found.0.join(" and "), found.1.concat()))
    }

    /// Those who have something of what is wanted; else who comes before.
    fn blockers_of(&self, want: &Want, rank: &Rank, what: &str) -> Vec<Blocker> {
        let Bench { book, now, .. } = &self.bench;
        let holders: Vec<Blocker> =
            book.held_by(want).take(BLOCKERS_MAX).map(|lease| self.lease_blocks(lease)).collect();
        if !holders.is_empty() {
            return holders;
        }
        let obstacle = book.turn_of_others(*now, want, rank, &|turn| self.claims(turn));
        obstacle.and_then(|obstacle| self.obstacle_blocks(&obstacle, what)).into_iter().collect()
    }

    fn blockers_of_needs(&self, run: &Run, part: &Part) -> Option<(String, Vec<Blocker>)> {
        self.blockers_of_bound(run, part).or_else(|| self.blockers_of_choice(run, part))
    }

    /// What it was given before is asked for by name.
    fn blockers_of_bound(&self, run: &Run, part: &Part) -> Option<(String, Vec<Blocker>)> {
        let rank = Bench::rank(part.key, run.came);
        self.bench.open_needs(part).find_map(|need| {
            let set = self.bench.bound.get(&(run.id(), need.0))?.set.clone();
            let wants = set.to_string();
            let found = self.blockers_of(&self.want_set(run, set), &rank, &wants);
            (!found.is_empty()).then_some((wants, found))
        })
    }

    fn blockers_of_choice(&self, run: &Run, part: &Part) -> Option<(String, Vec<Blocker>)> {
        let Bench { book, now, .. } = &self.bench;
        let rank = Bench::rank(part.key, run.came);
        let choice = self.bench.choice_of(part)?;
        let want = self.want_set(run, Set::default());
        let claims = |turn| self.claims(turn);
        if book.pick(*now, &want, &rank, &choice, &claims).is_some() {
            return None;
        }
        let obstacles = book.obstacles(*now, &want, &rank, &choice, &claims);
        let told = obstacles.filter_map(|(spot, obstacle)| self.obstacle_blocks(&obstacle, &spot.path));
        let found: Vec<Blocker> = told.take(BLOCKERS_MAX).collect();
        (!found.is_empty()).then(|| (format!("what fits `{}`", choice.text), found))
    }

    fn want_set(&self, run: &Run, set: Set) -> Want {
        Want { set, ..self.bench.want(run.id(), &[], run.plan.options.lease) }
    }

    fn blockers_of_lanes(&self, run: &Run, part: &Part) -> Option<(String, Vec<Blocker>)> {
        let user = &run.plan.user;
        let able = |ep: &&Ep| ep.is_connected() && !ep.row.drained && ep.serves(user);
        let eps: Vec<&Ep> = match part.bound_to() {
            Some(name) => self.bench.eps.get(name).filter(able).into_iter().collect(),
            None => self.bench.eps.values().filter(able).filter(|ep| ep.fits(user, part)).collect(),
        };
        if eps.iter().any(|ep| ep.free_lane().is_some()) {
            return None;
        }
        let lanes = eps.iter().flat_map(|ep| ep.lanes.values().map(|key| (ep.row.ep.to_string(), *key)));
        let told = lanes.map(|(ep, key)| {
            let place = self.runs.get(&key.run).and_then(|run| run.part(key.part)?.place.as_ref());
            let lease = place.and_then(|place| self.bench.book.lease(place.lease));
            Blocker { since: lease.and_then(|lease| lease.since), ..self.run_blocks(key.run, ep) }
        });
        // A run with many lanes of one EP is told once.
        let found: Vec<Blocker> = told.take(BLOCKERS_MAX * 4).collect();
        let wants = part.bound_to().map_or_else(|| free_ep(part), ToString::to_string);
        (!found.is_empty()).then_some((wants, found))
    }

    fn obstacle_blocks(&self, obstacle: &Obstacle, what: &str) -> Option<Blocker> {
        let before =
            |blocker: Blocker| Blocker { how: Blocks::AskedBefore, what: what.to_owned(), ..blocker };
        match obstacle {
            Obstacle::Held(id) | Obstacle::Booked(id) => {
                self.bench.book.lease(*id).map(|lease| self.lease_blocks(lease))
            }
            Obstacle::Behind(Turn::Ask(id)) => {
                self.bench.book.lease(*id).map(|lease| before(self.lease_blocks(lease)))
            }
            Obstacle::Behind(Turn::Part { run, .. }) => Some(before(self.run_blocks(*run, String::new()))),
            // Nobody has it: what it lacks is said by what is waited for.
            Obstacle::Unfit => None,
        }
    }

    fn lease_blocks(&self, lease: &Lease) -> Blocker {
        let what = lease.what.to_string();
        let (how, since) = match &lease.state {
            State::Asked { begin } => (Blocks::Booked, Some(*begin)),
            State::Waiting { .. } => (Blocks::AskedBefore, None),
            State::Offered { .. } | State::Active | State::Ending { .. } | State::Ended { .. } => {
                (Blocks::Holds, lease.since)
            }
        };
        let blocker = match &lease.holder {
            Holder::Run(run) => self.run_blocks(*run, what),
            Holder::Person(_) | Holder::Lab(_) => Blocker {
                user: self.lease_user(lease),
                lease: Some(lease.id),
                reason: lease.purpose.clone(),
                ..nobody(what)
            },
        };
        Blocker { how, since, until: lease.until, ..blocker }
    }

    fn run_blocks(&self, run: RunId, what: String) -> Blocker {
        let plan = self.runs.get(&run).map(|run| &run.plan);
        Blocker {
            run: Some(run),
            project: plan.map(|plan| plan.project.clone()),
            user: plan.map(|plan| plan.user.clone()),
            ..nobody(what)
        }
    }
}

/// What a part wants that any EP may take: `a free EP with os=linux`.
pub(crate) fn free_ep(part: &Part) -> String {
    let labels: Vec<_> = part.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if labels.is_empty() { "a free EP".to_owned() } else { format!("a free EP with {}", labels.join(", ")) }
}

fn nobody(what: String) -> Blocker {
    Blocker {
        what,
        how: Blocks::Holds,
        run: None,
        project: None,
        user: None,
        lease: None,
        since: None,
        until: None,
        reason: String::new(),
    }
}
