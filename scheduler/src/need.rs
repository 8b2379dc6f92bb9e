//! What runs need of the lab by what it is: the resources that fit, what was given, and what stands in the way.
//!
//! What was given once stays: a part that lent its lane, or lost its EP, goes on with the same resources, for its first
//! tests have changed them. So what was given is then asked for by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::id::{RunId, SuiteIndex};
use jackfield_resource_allocator::book::{Choice, Given, Lease, Set, Spot, Want};

use crate::{
    Scheduler,
    bench::{Bench, Thing},
    part::{Part, PartKey},
    run::Run,
};

/// Something that a part needs: of its suite, or of the whole run where there is none, and its text.
pub(crate) type Need = (Option<SuiteIndex>, Arc<str>);

/// What a need is met with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Met {
    pub(crate) need: Need,
    pub(crate) set: Set,
    pub(crate) given: Given,
}

/// What a run was given for a need, until it ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bound {
    pub(crate) set: Set,
    pub(crate) given: Given,
}

/// Paths by the name of the need, as a test is told.
type Told = BTreeMap<Arc<str>, Vec<Arc<str>>>;

/// Why a part cannot have what it needs.
pub(crate) enum Lacking {
    /// What fits is not known yet: the tree is asked.
    Unknown,
    /// What stands in the way, as people say it.
    Told(String),
}

impl Bench {
    /// The needs of a part that its run does not hold.
    pub(crate) fn open_needs<'a>(&'a self, part: &'a Part) -> impl Iterator<Item = &'a Need> {
        let run = part.key.run;
        part.needs.iter().filter(move |(suite, _)| !self.uses.contains_key(&(run, Thing::Needs(*suite))))
    }

    /// Those of them that were never met: whatever fits will do.
    fn unmet<'a>(&'a self, part: &'a Part) -> impl Iterator<Item = &'a Need> {
        let run = part.key.run;
        self.open_needs(part).filter(move |(suite, _)| !self.bound.contains_key(&(run, *suite)))
    }

    /// By what the book knows what fits all of the unmet needs of a part; none where it has none.
    pub(crate) fn needs_text(&self, part: &Part) -> Option<Arc<str>> {
        let texts: Vec<&str> = self.unmet(part).map(|(_, text)| &**text).collect();
        (!texts.is_empty()).then(|| Choice::text_together(&texts))
    }

    /// What fits all of the unmet needs of a part, as far as the tree has told it.
    pub(crate) fn choice_of(&self, part: &Part) -> Option<Arc<Choice>> {
        let found: Option<Vec<_>> =
            self.unmet(part).map(|(_, text)| self.choices.get(text).cloned()).collect();
        match found?.as_slice() {
            [] => None,
            [one] => Some(Arc::clone(one)),
            several => Some(Arc::new(Choice::together(several))),
        }
    }

    /// What was given before for what a part needs, by name. Also what its run holds now: another part may give that back
    /// before this one has it, and then it is this one's turn.
    pub(crate) fn bound_set(&self, part: &Part) -> Set {
        let run = part.key.run;
        let bound = part.needs.iter().filter_map(|(suite, _)| self.bound.get(&(run, *suite)));
        let nodes: BTreeSet<_> = bound.flat_map(|bound| bound.set.nodes.iter().cloned()).collect();
        Set { suts: BTreeSet::new(), nodes: nodes.into_iter().collect() }
    }

    /// What a test of a part is told of what was given: for what the whole run needs, and for what its own suite does.
    pub(crate) fn given_to(&self, part: &Part, own: Option<&Arc<str>>) -> Told {
        let told = part.needs.iter().filter(|(suite, text)| suite.is_none() || own == Some(text));
        let bound = told.filter_map(|(suite, _)| self.bound.get(&(part.key.run, *suite)));
        let path = |path: &String| Arc::from(path.as_str());
        let given = bound.flat_map(|bound| &bound.given);
        given.map(|(name, paths)| (name.as_str().into(), paths.iter().map(path).collect())).collect()
    }

    /// A part waits, or waits no more: what fits its needs is to be told, or need not be.
    pub(crate) fn count_needs(&mut self, part: &Part, waits: bool) {
        for (_, text) in &part.needs {
            let waiting = self.needed.entry(Arc::clone(text)).or_default();
            *waiting = if waits { waiting.saturating_add(1) } else { waiting.saturating_sub(1) };
            if *waiting == 0 {
                self.needed.remove(text);
            }
        }
    }

    /// A run has ended.
    pub(crate) fn forget_bound(&mut self, run: RunId) {
        self.bound.retain(|(of, _), _| *of != run);
    }
}

impl Scheduler {
    /// The needs that somebody waits for: what fits them is to be told by [`crate::Event::NeedsFit`].
    pub fn needs(&self) -> BTreeSet<Arc<str>> {
        let asked = self.bench.book.asked_needs().cloned();
        asked.chain(self.bench.needed.keys().cloned()).collect()
    }

    /// What fits needs, as the tree is now.
    pub(crate) fn needs_fit(&mut self, choices: BTreeMap<Arc<str>, Arc<Choice>>) {
        let before = std::mem::replace(&mut self.bench.choices, choices);
        self.bench.book.set_choices(self.bench.choices.values().cloned());
        let is_new = |text: &Arc<str>| before.get(text) != self.bench.choices.get(text);
        let concerns = |key: &PartKey| {
            let part = self.runs.get(&key.run).and_then(|run| run.part(key.part));
            part.is_some_and(|part| part.needs.iter().any(|(_, text)| is_new(text)))
        };
        let concerned: Vec<_> = self.bench.waiters.all.iter().copied().filter(concerns).collect();
        concerned.into_iter().for_each(|key| self.queue_again(key));
    }

    /// A part that waits, waits for something else from now on.
    pub(crate) fn queue_again(&mut self, key: PartKey) {
        let Some(run) = self.runs.get(&key.run) else { return };
        let Some(part) = run.part(key.part) else { return };
        self.bench.queue(part, run.came);
        self.bench.news.insert(key);
    }

    /// What a part gets for its needs, all of it or nothing.
    pub(crate) fn find_needs(
        &self,
        run: &Run,
        part: &Part,
        evict: &mut BTreeSet<PartKey>,
    ) -> Result<Vec<Met>, Lacking> {
        let mut met = Vec::new();
        for need in self.bench.open_needs(part) {
            let Some(bound) = self.bench.bound.get(&(run.id(), need.0)) else { continue };
            let want = self.want_of(run, bound.set.clone());
            self.find_set(run, part.key, &want, evict)
                .map_err(|lease| Lacking::Told(self.told_bound(need, bound, lease)))?;
            met.push(Met { need: need.clone(), set: bound.set.clone(), given: bound.given.clone() });
        }
        let Some(text) = self.bench.needs_text(part) else { return Ok(met) };
        let choice = self.bench.book.choice(&text).cloned().or_else(|| self.bench.choice_of(part));
        let choice = choice.ok_or(Lacking::Unknown)?;
        let named = self.bench.want(run.id(), &part.suts, part.inside).set;
        let fixed = met.iter().fold(named, |all, met| all.with(&met.set));
        let want = self.want_of(run, fixed);
        let picked = self.pick_leaving(run, part, &want, choice, evict).map_err(Lacking::Told)?;
        let unmet = self.bench.unmet(part).cloned();
        met.extend(unmet.zip(picked).map(|(need, (set, given))| Met { need, set, given }));
        Ok(met)
    }

    fn want_of(&self, run: &Run, set: Set) -> Want {
        Want { set, ..self.bench.want(run.id(), &[], run.plan.options.lease) }
    }

    /// What is given for the whole run leaves what only its other suites can use.
    fn pick_leaving(
        &self,
        run: &Run,
        part: &Part,
        want: &Want,
        mut choice: Arc<Choice>,
        evict: &mut BTreeSet<PartKey>,
    ) -> Result<Vec<(Set, Given)>, String> {
        let is_whole = self.bench.unmet(part).next().is_some_and(|(suite, _)| suite.is_none());
        if is_whole {
            choice = self.apart_from_suts(run, choice);
        }
        let mut lent = evict.clone();
        let mut picked = self.pick_for(run, part.key, want, &choice, &mut lent);
        let others = if is_whole { self.other_needs(run, part) } else { Vec::new() };
        let leaves = |set: &Set| others.iter().all(|other| other.can_be_met_without(set));
        if picked.as_ref().and_then(|sets| sets.first()).is_some_and(|(set, _)| !leaves(set)) {
            let left = |spot: &Spot| !leaves(&Set { suts: BTreeSet::new(), nodes: vec![spot.clone()] });
            choice = Arc::new(choice.leaving(0, &left));
            lent = evict.clone();
            picked = self.pick_for(run, part.key, want, &choice, &mut lent);
        }
        let picked = picked.ok_or_else(|| self.told_none(run, part.key, want, &choice))?;
        *evict = lent;
        Ok(picked)
    }

    /// What the whole run needs, apart from what its SUTs link to, if it can ever be met so: it has that to its end, beside its SUTs.
    fn apart_from_suts(&self, run: &Run, choice: Arc<Choice>) -> Arc<Choice> {
        let suts = run.parts.iter().filter(|part| !part.ended).flat_map(|part| &part.suts);
        let nodes: BTreeSet<&Spot> =
            suts.filter_map(|sut| self.bench.links.get(sut)).flat_map(|spots| spots.iter()).collect();
        if nodes.is_empty() {
            return choice;
        }
        let linked = Set { suts: BTreeSet::new(), nodes: nodes.into_iter().cloned().collect() };
        let apart = choice.leaving(0, &|spot| Set::of(spot).touches(&linked));
        if apart.can_be_met() { Arc::new(apart) } else { choice }
    }

    /// What fits the needs of the other parts of a run that have not ended.
    fn other_needs(&self, run: &Run, part: &Part) -> Vec<Arc<Choice>> {
        let others = run.parts.iter().filter(|other| other.key != part.key && !other.ended);
        let of = |other: &Part| {
            let own = other.needs.iter().filter(|(suite, _)| suite.is_some());
            let found: Option<Vec<_>> = own.map(|(_, text)| self.bench.choices.get(text).cloned()).collect();
            found.filter(|found| !found.is_empty()).map(|found| Arc::new(Choice::together(&found)))
        };
        others.filter_map(of).collect()
    }

    /// What is free; else also what parts lend.
    fn pick_for(
        &self,
        run: &Run,
        key: PartKey,
        want: &Want,
        choice: &Choice,
        evict: &mut BTreeSet<PartKey>,
    ) -> Option<Vec<(Set, Given)>> {
        let Bench { book, now, .. } = &self.bench;
        let rank = Bench::rank(key, run.came);
        let claims = |turn| self.claims(turn);
        if let Some(free) = book.pick(*now, want, &rank, choice, &claims) {
            return Some(free);
        }
        let is_lent = |lease: &Lease| {
            let mut users = self.bench.users_of(lease).peekable();
            users.peek().is_some() && users.all(|part| self.lends(part, key))
        };
        let picked = book.pick_beside(*now, (want, &rank), choice, &claims, &is_lent)?;
        for (set, _) in &picked {
            let lent = book.holding(set).filter(|lease| is_lent(lease));
            evict.extend(lent.flat_map(|lease| self.bench.users_of(lease)));
        }
        Some(picked)
    }

    fn told_none(&self, run: &Run, key: PartKey, want: &Want, choice: &Choice) -> String {
        if !choice.can_be_met() {
            return format!("`{}`, which nothing in the lab can meet any more", choice.text);
        }
        let rank = Bench::rank(key, run.came);
        let told = |lease: &Lease| self.lease_told(lease);
        let why = self.bench.book.why_none_free(
            self.bench.now,
            want,
            &rank,
            choice,
            (&|turn| self.claims(turn), &told),
        );
        format!("what it needs: {why}")
    }

    fn told_bound(&self, (_, text): &Need, bound: &Bound, lease: String) -> String {
        let paths: Vec<&str> = bound.set.nodes.iter().map(|spot| spot.path.as_str()).collect();
        format!("{}, which it had for `{text}`: {lease}", paths.join(", "))
    }
}

/// What is needed for what, as a line of the run's events: `router: /tb1/r1; phone: /tb2/p1, /tb2/p2`.
pub(crate) fn told(met: &[Met]) -> Option<String> {
    let given = met.iter().flat_map(|met| &met.given);
    let lines: Vec<String> = given.map(|(name, paths)| format!("{name}: {}", paths.join(", "))).collect();
    (!lines.is_empty()).then(|| format!("given for what it needs: {}", lines.join("; ")))
}
