//! What may be given to somebody who asked for resources by what they are: the resources that fit, and of these the ones
//! that are chosen.
//!
//! What fits is found in the tree, which the book does not know; it comes with the wish, and again whenever the tree has
//! changed ([`super::Book::set_choice`]). Which of it is free is the book's to say.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::time::Time;

use super::lease::{Set, Spot};

/// Sets of alternatives that are tried.
const COMBINATIONS_MAX: usize = 64;
/// Sets of values that all may have the same that are tried.
const GROUPS_MAX: usize = 4_096;
/// Steps of the search for resources that lie apart.
const STEPS_MAX: usize = 20_000;

/// What fits the needs of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The needs, as text: those who ask for the same have the same choice.
    pub text: Arc<str>,
    /// Every resource that fits something, in the order of their paths.
    pub candidates: Vec<Candidate>,
    /// What is needed, in the order in which it was written.
    pub needs: Vec<Options>,
}

/// A resource that may be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub spot: Spot,
    /// Its values of what must be the same, by the scope of the needs; none where it fits none of these.
    pub same: Vec<Option<Vec<String>>>,
}

/// Something that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The name under which it is given.
    pub name: Arc<str>,
    /// What must have the same values, and is leased together: needs that were written together.
    pub scope: usize,
    /// The first that can be had is taken.
    pub alternatives: Vec<Alternative>,
}

/// So many of those that fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// As it was written.
    pub text: String,
    /// How many.
    pub count: usize,
    /// Their places among the candidates.
    pub fits: Vec<usize>,
}

/// The names of what was given, each with its resources.
pub type Given = BTreeMap<String, Vec<String>>;

/// What was chosen: the places of candidates, by need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen(Vec<Vec<usize>>);

/// How candidates are told apart.
pub(crate) struct Taste<'a> {
    /// The lower, the sooner it is taken: wear spreads.
    pub(crate) wear: &'a dyn Fn(&Spot) -> u64,
    /// When it can be had; none: not at all.
    pub(crate) free: &'a dyn Fn(&Spot) -> Option<Time>,
}

impl Choice {
    /// Several that are to be met together, each a scope of its own.
    pub fn together(choices: &[Arc<Self>]) -> Self {
        let mut candidates: BTreeMap<String, Candidate> = BTreeMap::new();
        for (scope, found) in choices
            .iter()
            .enumerate()
            .flat_map(|(scope, choice)| choice.candidates.iter().map(move |found| (scope, found)))
        {
            let none = || Candidate { spot: found.spot.clone(), same: vec![None; choices.len()] };
            let candidate = candidates.entry(found.spot.path.clone()).or_insert_with(none);
            if let Some(same) = candidate.same.get_mut(scope) {
                *same = found.same.first().cloned().flatten();
            }
        }
        let places: BTreeMap<_, _> =
            candidates.keys().enumerate().map(|(place, path)| (path.as_str(), place)).collect();
        let mut needs = Vec::new();
        for (scope, choice) in choices.iter().enumerate() {
            let moved =
                |place: &usize| places.get(choice.candidates.get(*place)?.spot.path.as_str()).copied();
            needs.extend(choice.needs.iter().map(|need| {
                let alternatives = need.alternatives.iter().map(|alternative| Alternative {
                    fits: alternative.fits.iter().filter_map(moved).collect(),
                    ..alternative.clone()
                });
                Options { scope, alternatives: alternatives.collect(), ..need.clone() }
            }));
        }
        let texts: Vec<&str> = choices.iter().map(|choice| &*choice.text).collect();
        let text = Self::text_together(&texts);
        drop(places);
        Self { text, candidates: candidates.into_values().collect(), needs }
    }

    /// By what needs that are to be met together are found.
    pub fn text_together(texts: &[&str]) -> Arc<str> {
        texts.join(" + ").into()
    }

    /// The sets that were chosen, by scope, and what of them is for which need.
    pub(crate) fn sets(&self, chosen: &Chosen) -> Vec<(Set, Given)> {
        let scopes = self.needs.iter().map(|need| need.scope.saturating_add(1)).max().unwrap_or(0);
        let mut sets = vec![(BTreeSet::new(), Given::new()); scopes];
        for (need, places) in self.needs.iter().zip(&chosen.0) {
            let spots = places.iter().filter_map(|place| self.candidates.get(*place));
            let spots: Vec<&Spot> = spots.map(|found| &found.spot).collect();
            if let Some((nodes, given)) = sets.get_mut(need.scope) {
                given.insert(need.name.to_string(), spots.iter().map(|spot| spot.path.clone()).collect());
                nodes.extend(spots.into_iter().cloned());
            }
        }
        let set = |nodes: BTreeSet<Spot>| Set { suts: BTreeSet::new(), nodes: nodes.into_iter().collect() };
        sets.into_iter().map(|(nodes, given)| (set(nodes), given)).collect()
    }

    /// All that was chosen.
    pub(crate) fn set(&self, chosen: &Chosen) -> (Set, Given) {
        let (mut all, mut names) = (Set::default(), Given::new());
        for (set, given) in self.sets(chosen) {
            all = all.with(&set);
            names.extend(given);
        }
        (all, names)
    }

    /// Whether everything could be given, if nobody had anything.
    pub fn can_be_met(&self) -> bool {
        self.choose(&Taste { wear: &|_| 0, free: &|_| Some(Time(0)) }).is_some()
    }

    /// The same, if a set were somebody's for good.
    pub fn can_be_met_without(&self, set: &Set) -> bool {
        let free = |spot: &Spot| {
            let single = Set { suts: BTreeSet::new(), nodes: vec![spot.clone()] };
            (!single.touches(set)).then_some(Time(0))
        };
        self.choose(&Taste { wear: &|_| 0, free: &free }).is_some()
    }

    /// The choice of those who leave some resources to others, where needs of one scope are concerned.
    #[must_use]
    pub fn leaving(&self, scope: usize, left: &dyn Fn(&Spot) -> bool) -> Self {
        let mut choice = self.clone();
        let is_left: Vec<bool> = self.candidates.iter().map(|found| left(&found.spot)).collect();
        for need in choice.needs.iter_mut().filter(|need| need.scope == scope) {
            for alternative in &mut need.alternatives {
                alternative.fits.retain(|place| is_left.get(*place) == Some(&false));
            }
        }
        choice
    }

    /// Chooses: of the alternatives the first that can be had; then what can be had soonest, then what is worn least.
    pub(crate) fn choose(&self, taste: &Taste<'_>) -> Option<Chosen> {
        let search = Search { choice: self, taste, free: RefCell::new(BTreeMap::new()) };
        let mut wheels = vec![0_usize; self.needs.len()];
        for _ in 0..COMBINATIONS_MAX {
            let mut wanted: Vec<Wanted<'_>> = Vec::new();
            for (need, at) in self.needs.iter().zip(&wheels) {
                wanted.push((need.scope, need.alternatives.get(*at)?));
            }
            if let Some(found) = search.of_all_groups(&wanted) {
                return Some(found);
            }
            if !self.turn(&mut wheels) {
                return None;
            }
        }
        None
    }

    /// The next combination: the last need goes first to its next alternative.
    fn turn(&self, wheels: &mut [usize]) -> bool {
        for (wheel, need) in wheels.iter_mut().zip(&self.needs).rev() {
            *wheel = wheel.saturating_add(1);
            if *wheel < need.alternatives.len() {
                return true;
            }
            *wheel = 0;
        }
        false
    }
}

/// An alternative of a scope.
type Wanted<'a> = (usize, &'a Alternative);

/// When a candidate is free and how worn it is, the less the better.
type Price = (Time, u64, usize);

struct Search<'a> {
    choice: &'a Choice,
    taste: &'a Taste<'a>,
    /// What was asked already.
    free: RefCell<BTreeMap<usize, Option<Time>>>,
}

impl Search<'_> {
    /// The best that candidates with the same values allow, whatever values these are.
    fn of_all_groups(&self, wanted: &[Wanted<'_>]) -> Option<Chosen> {
        let scopes: BTreeSet<usize> = wanted.iter().map(|(scope, _)| *scope).collect();
        let mut groups: Vec<Vec<&[String]>> = vec![Vec::new()];
        for scope in scopes {
            let (_, first) = wanted.iter().find(|(of, _)| *of == scope)?;
            let values: BTreeSet<&[String]> =
                first.fits.iter().filter_map(|place| self.same(*place, scope)).collect();
            let longer = groups
                .iter()
                .flat_map(|before| values.iter().map(move |value| [before.as_slice(), &[*value]].concat()));
            groups = longer.take(GROUPS_MAX).collect();
        }
        let found = groups.into_iter().filter_map(|group| self.of_group(wanted, &group));
        found.min_by_key(|(worst, _)| *worst).map(|(_, chosen)| chosen)
    }

    fn same(&self, place: usize, scope: usize) -> Option<&[String]> {
        self.choice.candidates.get(place)?.same.get(scope)?.as_deref()
    }

    /// One candidate for each place that is to be filled, those of a scope with the same values.
    fn of_group(&self, wanted: &[Wanted<'_>], group: &[&[String]]) -> Option<(Price, Chosen)> {
        // As many for each need as there are places in all: others cannot take more of them away.
        let total: usize = wanted.iter().map(|(_, wanted)| wanted.count).sum();
        let few: Vec<_> = wanted.iter().map(|wanted| self.best(wanted, group, total)).collect();
        let found = soonest(&few, &|lists| placed(wanted, match_slots(&slots(wanted, lists)?)?))?;
        if self.lie_apart(&found) {
            return chosen(wanted, found);
        }
        // One is in another: then it has to be looked further.
        let all: Vec<_> = wanted.iter().map(|wanted| self.best(wanted, group, usize::MAX)).collect();
        let found = soonest(&all, &|lists| placed(wanted, self.apart(&slots(wanted, lists)?)?))?;
        chosen(wanted, found)
    }

    /// The best candidates for a need, and not more than are enough.
    fn best(&self, (scope, wanted): &Wanted<'_>, group: &[&[String]], enough: usize) -> Vec<Price> {
        let own = wanted.fits.iter().filter(|place| self.same(**place, *scope) == group.get(*scope).copied());
        let mut worn: Vec<_> = own
            .filter_map(|place| {
                let candidate = self.choice.candidates.get(*place)?;
                Some(((self.taste.wear)(&candidate.spot), *place))
            })
            .collect();
        worn.sort_unstable();
        let priced = worn.into_iter().filter_map(|(wear, place)| Some((self.free(place)?, wear, place)));
        let mut best: Vec<Price> = Vec::new();
        for price in priced {
            best.push(price);
            // Nothing behind is free sooner than at once, or worn less.
            if best.len() >= enough && best.iter().filter(|(free, ..)| *free == Time(0)).count() >= enough {
                break;
            }
        }
        best.sort_unstable();
        best.truncate(enough);
        best
    }

    fn free(&self, place: usize) -> Option<Time> {
        if let Some(known) = self.free.borrow().get(&place) {
            return *known;
        }
        let found = self.choice.candidates.get(place).and_then(|found| (self.taste.free)(&found.spot));
        self.free.borrow_mut().insert(place, found);
        found
    }

    /// Whether none is in another.
    fn lie_apart(&self, filled: &[Price]) -> bool {
        let spots: Vec<&Spot> = filled
            .iter()
            .filter_map(|(_, _, place)| self.choice.candidates.get(*place))
            .map(|candidate| &candidate.spot)
            .collect();
        let nodes: BTreeSet<_> = spots.iter().map(|spot| &spot.node).collect();
        nodes.len() == spots.len() && !spots.iter().any(|spot| spot.above.iter().any(|id| nodes.contains(id)))
    }

    /// Tries one after the other, goes back where none is left, and gives up after some time.
    fn apart(&self, slots: &[Slot<'_>]) -> Option<Vec<Price>> {
        let mut filled: Vec<Price> = Vec::new();
        let mut next = vec![0_usize];
        for _ in 0..STEPS_MAX {
            let (_, list) = slots.get(filled.len())?;
            let at = next.last_mut()?;
            let Some(price) = list.get(*at) else {
                next.pop();
                filled.pop()?;
                continue;
            };
            *at = at.saturating_add(1);
            filled.push(*price);
            if !self.lie_apart(&filled) {
                filled.pop();
            } else if filled.len() == slots.len() {
                return Some(filled);
            } else {
                next.push(0);
            }
        }
        None
    }
}

/// A place to fill: for which need, and with what.
type Slot<'a> = (usize, &'a [Price]);

/// One for each resource that is wanted; none where there are not as many.
fn slots<'a>(wanted: &[Wanted<'_>], lists: &'a [Vec<Price>]) -> Option<Vec<Slot<'a>>> {
    let mut slots = Vec::new();
    for (need, ((_, wanted), list)) in wanted.iter().zip(lists).enumerate() {
        if list.len() < wanted.count {
            return None;
        }
        slots.extend(std::iter::repeat_n((need, list.as_slice()), wanted.count));
    }
    Some(slots)
}

/// As many as are wanted, or none.
fn placed(wanted: &[Wanted<'_>], filled: Vec<Price>) -> Option<Vec<Price>> {
    let total: usize = wanted.iter().map(|(_, wanted)| wanted.count).sum();
    (filled.len() == total).then_some(filled)
}

/// Fills the slots from these lists.
type Fill<'a> = &'a dyn Fn(&[Vec<Price>]) -> Option<Vec<Price>>;

/// Fills the slots so that all of it is free as soon as can be.
fn soonest(lists: &[Vec<Price>], fill: Fill<'_>) -> Option<Vec<Price>> {
    let times: BTreeSet<Time> = lists.iter().flatten().map(|(free, ..)| *free).collect();
    let times: Vec<Time> = times.into_iter().collect();
    let by = |time: Time| {
        let until = |list: &Vec<Price>| list.iter().filter(|(free, ..)| *free <= time).copied().collect();
        fill(&lists.iter().map(until).collect::<Vec<_>>())
    };
    // What can be had by some time can be had by every later one.
    let (mut from, mut to) = (0, times.len());
    let mut best = None;
    while from < to {
        let middle = from.midpoint(to);
        match by(*times.get(middle)?) {
            Some(found) => {
                best = Some(found);
                to = middle;
            }
            None => from = middle.saturating_add(1),
        }
    }
    best
}

/// What fills the slots, by need, and the worst of it.
fn chosen(wanted: &[Wanted<'_>], filled: Vec<Price>) -> Option<(Price, Chosen)> {
    let worst = filled.iter().copied().max()?;
    let mut filled = filled.into_iter().map(|(_, _, place)| place);
    let chosen = wanted.iter().map(|(_, wanted)| {
        let mut places: Vec<usize> = filled.by_ref().take(wanted.count).collect();
        places.sort_unstable();
        places
    });
    Some((worst, Chosen(chosen.collect())))
}

/// Fills each slot with a candidate of its own: who is taken already is moved, if they can be.
fn match_slots(slots: &[Slot<'_>]) -> Option<Vec<Price>> {
    let mut taken: BTreeMap<usize, (usize, Price)> = BTreeMap::new();
    for slot in 0..slots.len() {
        if !augment(slots, slot, &mut BTreeSet::new(), &mut taken) {
            return None;
        }
    }
    let by_slot: BTreeMap<usize, Price> = taken.into_values().collect();
    Some(by_slot.into_values().collect())
}

/// A path of as many moves as there are slots at most.
fn augment(
    slots: &[Slot<'_>],
    slot: usize,
    tried: &mut BTreeSet<usize>,
    taken: &mut BTreeMap<usize, (usize, Price)>,
) -> bool {
    let Some((_, list)) = slots.get(slot) else { return false };
    for price in *list {
        let (_, _, place) = price;
        if !tried.insert(*place) {
            continue;
        }
        let moves = match taken.get(place).map(|(other, _)| *other) {
            None => true,
            Some(other) => augment(slots, other, tried, taken),
        };
        if moves {
            taken.insert(*place, (slot, *price));
            return true;
        }
    }
    false
}
