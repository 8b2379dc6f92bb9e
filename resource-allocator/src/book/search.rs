//! The search for what meets needs together, of one alternative each: candidates with the same values, each given once, all of
//! it free as soon as can be.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use jackfield_protocol::time::Time;

use super::{
    choice::{Alternative, Choice, Chosen, Taste},
    lease::Spot,
};

/// Sets of values that all may have the same that are tried.
const GROUPS_MAX: usize = 4_096;
/// Steps of the search for resources that lie apart.
const STEPS_MAX: usize = 20_000;

/// An alternative of a scope.
pub(super) type Wanted<'a> = (usize, &'a Alternative);

/// When a candidate is free and how worn it is, the less the better.
type Price = (Time, u64, usize);

/// What is chosen from, and what is known of it already.
pub(super) struct Search<'a> {
    choice: &'a Choice,
    taste: &'a Taste<'a>,
    /// What was asked already.
    free: RefCell<BTreeMap<usize, Option<Time>>>,
    /// Something was not looked at, because there is too much of it.
    gave_up: Cell<bool>,
}

impl<'a> Search<'a> {
    pub(super) fn new(choice: &'a Choice, taste: &'a Taste<'a>) -> Self {
        Self { choice, taste, free: RefCell::new(BTreeMap::new()), gave_up: Cell::new(false) }
    }

    /// Whether something was not looked at, because there is too much of it.
    pub(super) fn has_given_up(&self) -> bool {
        self.gave_up.get()
    }

    /// How many of the first needs cannot be met together already, where all of them cannot.
    pub(super) fn in_vain(&self, wanted: &[Wanted<'_>]) -> usize {
        let (mut from, mut to) = (1, wanted.len());
        while from < to {
            let middle = from.midpoint(to);
            match wanted.get(..middle).and_then(|first| self.of_all_groups(first)) {
                Some(_) => from = middle.saturating_add(1),
                None => to = middle,
            }
        }
        to
    }

    /// The best that candidates with the same values allow, whatever values these are.
    pub(super) fn of_all_groups(&self, wanted: &[Wanted<'_>]) -> Option<Chosen> {
        let scopes: BTreeSet<usize> = wanted.iter().map(|(scope, _)| *scope).collect();
        let mut groups: Vec<Vec<&[String]>> = vec![Vec::new()];
        for scope in scopes {
            let (_, first) = wanted.iter().find(|(of, _)| *of == scope)?;
            let values: BTreeSet<&[String]> =
                first.fits.iter().filter_map(|place| self.same(*place, scope)).collect();
            if groups.len().saturating_mul(values.len()) > GROUPS_MAX {
                self.gave_up.set(true);
            }
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
        self.gave_up.set(true);
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
