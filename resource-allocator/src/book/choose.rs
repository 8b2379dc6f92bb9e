//! Those who take whatever fits: what they are given now, what they are promised while they wait, and why they wait.
//!
//! Somebody who waits so has the *promise* of certain resources: those that will be free soonest. There they stand in
//! the queue like everybody, and are not overtaken; but when anything else that fits is free, they take that. So who asks
//! for two of forty is not passed by for ever by those who ask for one, and keeps nobody from the other thirty-eight.

use std::{collections::BTreeSet, sync::Arc};

use jackfield_protocol::time::Time;

use super::{
    Book, Chooser, Claims, Lease, Leased, Obstacle, Refusal, Want,
    choice::{Choice, Given, Taste},
    grant::LOOKS_MAX,
    lease::{Set, Spot},
    queue::{Rank, Turn},
};

/// Leases that are named to somebody who waits for whatever is free.
const TOLD_MAX: usize = 5;
/// When something is free that nobody says when they give back.
const NEVER: Time = Time(i64::MAX);

impl Book {
    /// What fits needs now, as the tree is: whoever waits for one of them is promised anew. Needs that nobody waits for are
    /// forgotten.
    pub fn set_choices(&mut self, choices: impl IntoIterator<Item = Arc<Choice>>) {
        choices.into_iter().for_each(|choice| self.set_choice(choice));
        let Self { choices, choosers, .. } = self;
        choices.retain(|text, _| choosers.contains_key(text));
    }

    /// What fits certain needs now.
    pub fn set_choice(&mut self, choice: Arc<Choice>) {
        let choice = self.right_choice(&choice).unwrap_or(choice);
        let text = Arc::clone(&choice.text);
        if self.choices.get(&text) == Some(&choice) {
            return;
        }
        let waiting = self.choosers.get(&text).cloned();
        if waiting.is_some() {
            self.unwant(&text);
        }
        self.choices.insert(Arc::clone(&text), choice);
        let Some(waiting) = waiting else { return };
        self.want_any(&text);
        for rank in waiting {
            self.promise(rank.turn);
            self.woken.insert(rank, LOOKS_MAX);
        }
    }

    /// The needs that somebody waits for.
    pub fn needs(&self) -> impl Iterator<Item = &Arc<str>> {
        self.choosers.keys()
    }

    /// Those of them that a person waits for.
    pub fn asked_needs(&self) -> impl Iterator<Item = &Arc<str>> {
        let is_ask = |rank: &Rank| matches!(rank.turn, Turn::Ask(_));
        self.choosers.iter().filter(move |(_, ranks)| ranks.iter().any(is_ask)).map(|(needs, _)| needs)
    }

    /// What fits needs, where somebody waits for them.
    pub fn choice(&self, needs: &str) -> Option<&Arc<Choice>> {
        self.choices.get(needs)
    }

    /// What somebody who leaves the choice can have now, beside what they want by name: by scope of the needs.
    pub fn pick(
        &self,
        now: Time,
        want: &Want,
        rank: &Rank,
        choice: &Choice,
        claims: Claims<'_>,
    ) -> Option<Vec<(Set, Given)>> {
        self.pick_beside(now, (want, rank), choice, claims, &|_| false)
    }

    /// The same, where some leases are given up for it.
    pub fn pick_beside(
        &self,
        now: Time,
        (want, rank): (&Want, &Rank),
        choice: &Choice,
        claims: Claims<'_>,
        given_up: &dyn Fn(&Lease) -> bool,
    ) -> Option<Vec<(Set, Given)>> {
        let free = |spot: &Spot| {
            let single = single(want, spot);
            let is_free = !single.set.touches(&want.set)
                && self.held_by(&single).all(given_up)
                && self.own(&single).all(given_up)
                && self.turn_of_others(now, &single, rank, claims).is_none();
            is_free.then_some(Time(0))
        };
        let chosen = choice.choose(&Taste { wear: &|spot| self.worn_of(spot), free: &free })?;
        Some(choice.sets(&chosen))
    }

    /// What would be free soonest, by what its holders say: the promise to somebody who waits.
    pub(super) fn promised(&self, want: &Want, choice: &Choice) -> Set {
        let free = |spot: &Spot| {
            let single = single(want, spot);
            let unfit = self.unfit_for(&single);
            if single.set.touches(&want.set) || unfit.is_some_and(|unfit| unfit.is_out()) {
                return None;
            }
            let ends = self.held_by(&single).map(|lease| lease.until.unwrap_or(NEVER));
            let own = self.own(&single).next().map(|_| NEVER).or(unfit.map(|_| NEVER));
            Some(ends.chain(own).max().unwrap_or(Time(0)))
        };
        let chosen = choice.choose(&Taste { wear: &|spot| self.worn_of(spot), free: &free });
        chosen.map(|chosen| choice.set(&chosen).0).unwrap_or_default()
    }

    /// Promises anew what is free soonest.
    pub(super) fn promise(&mut self, turn: Turn) {
        let Some(waiter) = self.queue.get(&turn) else { return };
        let Some(Chooser { needs, fixed }) = &waiter.chooser else { return };
        let Some(choice) = self.choices.get(needs) else { return };
        let (rank, before) = (waiter.rank, waiter.want.set.clone());
        let set = fixed.with(&self.promised(&Want { set: fixed.clone(), ..waiter.want.clone() }, choice));
        if set == before {
            return;
        }
        if let Turn::Ask(id) = turn {
            if let Some(lease) = self.leases.get(&id).cloned() {
                self.put(Lease { what: Leased::Set(set), ..lease });
            }
        } else {
            self.waiting.remove_set(&before, rank);
            self.waiting.insert_set(&set, rank);
            if let Some(waiter) = self.queue.get_mut(&turn) {
                waiter.want.set = set;
            }
        }
        self.wake(&before);
    }

    /// What is free for the whole of a time to come.
    pub(super) fn choose_for_later(
        &self,
        lease: Lease,
        begin: Time,
        choice: &Choice,
    ) -> Result<Lease, Refusal> {
        let Some(length) = lease.length else { return Err(Refusal::NoEnd) };
        let (want, end) = (lease.want(), begin.plus_millis(length));
        let free = |spot: &Spot| {
            let single = single(&want, spot);
            let is_taken =
                self.waits_for_repair(&single) || self.taken(&single, (begin, end), &|_| false).is_some();
            (!is_taken).then_some(Time(0))
        };
        let chosen = choice.choose(&Taste { wear: &|spot| self.worn_of(spot), free: &free });
        let Some(chosen) = chosen else {
            let told = format!("of what fits `{}`, not enough is free from {begin} to {end}", choice.text);
            return Err(Refusal::Booked { told, until: None });
        };
        let (set, given) = choice.set(&chosen);
        Ok(Lease { what: Leased::Set(set), given, ..lease })
    }

    /// Who has what of it, as a refusal says it.
    pub(super) fn none_free(&self, now: Time, lease: &Lease, choice: &Choice, claims: Claims<'_>) -> String {
        self.why_none_free(now, &lease.want(), &lease.rank(), choice, (claims, &|lease| self.told(lease)))
    }

    /// The same of a lease that waits.
    pub fn why_none_of(
        &self,
        now: Time,
        lease: &Lease,
        choice: &Choice,
        how: (Claims<'_>, &dyn Fn(&Lease) -> String),
    ) -> String {
        self.why_none_free(now, &lease.want_from(now), &lease.rank(), choice, how)
    }

    /// Who stands in the way of somebody who leaves the choice: how much of what fits is free, and who has the rest.
    pub fn why_none_free(
        &self,
        now: Time,
        want: &Want,
        rank: &Rank,
        choice: &Choice,
        (claims, told): (Claims<'_>, &dyn Fn(&Lease) -> String),
    ) -> String {
        let mut lines = Vec::new();
        let mut obstacles: Vec<(&Spot, Obstacle)> = Vec::new();
        for alternative in choice.needs.iter().flat_map(|need| &need.alternatives) {
            let spots = alternative.fits.iter().filter_map(|place| choice.candidates.get(*place));
            let mut free = 0_usize;
            for candidate in spots {
                let single = single(want, &candidate.spot);
                let own = self.own(&single).next().map(|lease| Obstacle::Held(lease.id));
                match own.or_else(|| self.obstacle(now, &single, rank, claims)) {
                    None => free = free.saturating_add(1),
                    Some(obstacle) => obstacles.push((&candidate.spot, obstacle)),
                }
            }
            if free < alternative.count {
                let fits = alternative.fits.len();
                lines.push(format!("{free} of {fits} that fit `{}` are free", alternative.text));
            }
        }
        if lines.is_empty() {
            lines.push(format!("what is free of `{}` cannot be given together", choice.text));
        }
        let holders = self.told_obstacles(want, &obstacles, told);
        if holders.is_empty() { lines.join("; ") } else { format!("{}: {holders}", lines.join("; ")) }
    }

    /// Those of what fits that are not free, each with what stands in the way.
    pub fn obstacles<'a>(
        &'a self,
        now: Time,
        want: &'a Want,
        rank: &'a Rank,
        choice: &'a Choice,
        claims: Claims<'a>,
    ) -> impl Iterator<Item = (&'a Spot, Obstacle)> {
        choice.candidates.iter().filter_map(move |candidate| {
            let single = single(want, &candidate.spot);
            let own = self.own(&single).next().map(|lease| Obstacle::Held(lease.id));
            Some((&candidate.spot, own.or_else(|| self.obstacle(now, &single, rank, claims))?))
        })
    }

    fn told_obstacles(
        &self,
        want: &Want,
        obstacles: &[(&Spot, Obstacle)],
        told: &dyn Fn(&Lease) -> String,
    ) -> String {
        let mut holders: Vec<String> = Vec::new();
        for (spot, obstacle) in obstacles {
            let line = match obstacle {
                Obstacle::Held(id) | Obstacle::Booked(id) => self.leases.get(id).map(told),
                Obstacle::Behind(turn) => {
                    Some(format!("{} asked before for {}", self.told_turn(*turn), spot.path))
                }
                Obstacle::Unfit => Some(self.told_unfit(&single(want, spot))),
            };
            holders.extend(line.filter(|line| !holders.contains(line)));
        }
        let more = holders.len().saturating_sub(TOLD_MAX);
        holders.truncate(TOLD_MAX);
        if more > 0 {
            holders.push(format!("and {more} more"));
        }
        holders.join(", ")
    }

    /// What the run that wants it has of it already, for something else.
    pub fn own<'a>(&'a self, want: &'a Want) -> impl Iterator<Item = &'a Lease> {
        let run = want.holder.run();
        self.holding(&want.set).filter(move |lease| run.is_some() && lease.holder.run() == run)
    }

    fn worn_of(&self, spot: &Spot) -> u64 {
        self.worn.get(&spot.node).map_or(0, |lease| lease.0)
    }

    /// What a lease has used.
    pub(super) fn wear(&mut self, lease: &Lease) {
        let uses = lease.since.is_some() || lease.holds();
        let Some(set) = lease.what.set().filter(|_| uses) else { return };
        for spot in &set.nodes {
            let worn = self.worn.entry(spot.node.clone()).or_default();
            *worn = lease.id.max(*worn);
        }
    }

    pub(super) fn choosers_join(&mut self, needs: &Arc<str>, rank: Rank) {
        let is_first = !self.choosers.contains_key(needs);
        self.choosers.entry(Arc::clone(needs)).or_default().insert(rank);
        if is_first {
            self.want_any(needs);
        }
    }

    pub(super) fn choosers_leave(&mut self, needs: &Arc<str>, rank: Rank) {
        let Some(ranks) = self.choosers.get_mut(needs) else { return };
        ranks.remove(&rank);
        if ranks.is_empty() {
            self.choosers.remove(needs);
            self.unwant(needs);
        }
    }

    /// Whatever fits concerns those who wait for it.
    fn want_any(&mut self, needs: &Arc<str>) {
        if let Some(set) = self.choices.get(needs).map(|choice| all_of(choice)) {
            self.wanted.insert_set(&set, Arc::clone(needs));
        }
    }

    fn unwant(&mut self, needs: &Arc<str>) {
        if let Some(set) = self.choices.get(needs).map(|choice| all_of(choice)) {
            self.wanted.remove_set(&set, Arc::clone(needs));
        }
    }
}

fn all_of(choice: &Choice) -> Set {
    let nodes = choice.candidates.iter().map(|candidate| candidate.spot.clone()).collect();
    Set { suts: BTreeSet::new(), nodes }
}

/// The same want, for one resource.
fn single(want: &Want, spot: &Spot) -> Want {
    Want { set: Set::of(spot), ..want.clone() }
}
