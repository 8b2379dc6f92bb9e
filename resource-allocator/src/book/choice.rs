//! What may be given to somebody who asked for resources by what they are: the resources that fit, and of these the ones
//! that are chosen.
//!
//! What fits is found in the tree, which the book does not know; it comes with the wish, and again whenever the tree has
//! changed ([`super::Book::set_choice`]). Which of it is free is the book's to say.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::time::Time;

use super::{
    lease::{Set, Spot},
    search::{Search, Wanted},
};

/// Sets of alternatives that are tried, those left out that have something in common with one that was tried in vain.
const COMBINATIONS_MAX: usize = 1_000;

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
pub(crate) struct Chosen(pub(super) Vec<Vec<usize>>);

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

    /// Whether everything could be given, if nobody had anything. Where there are too many ways to try them all, it is not said
    /// that none leads there.
    pub fn can_be_met(&self) -> bool {
        self.look(&Taste { wear: &|_| 0, free: &|_| Some(Time(0)) }) != Looked::InVain
    }

    /// The same, if a set were somebody's for good.
    pub fn can_be_met_without(&self, set: &Set) -> bool {
        let free = |spot: &Spot| {
            let single = Set { suts: BTreeSet::new(), nodes: vec![spot.clone()] };
            (!single.touches(set)).then_some(Time(0))
        };
        self.look(&Taste { wear: &|_| 0, free: &free }) != Looked::InVain
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
        match self.look(taste) {
            Looked::Found(chosen) => Some(chosen),
            Looked::InVain | Looked::GaveUp => None,
        }
    }

    fn look(&self, taste: &Taste<'_>) -> Looked {
        let search = Search::new(self, taste);
        let mut wheels = vec![0_usize; self.needs.len()];
        for _ in 0..COMBINATIONS_MAX {
            let chosen = self.needs.iter().zip(&wheels);
            let wanted: Option<Vec<Wanted<'_>>> =
                chosen.map(|(need, at)| Some((need.scope, need.alternatives.get(*at)?))).collect();
            let Some(wanted) = wanted else { return Looked::InVain };
            if let Some(found) = search.of_all_groups(&wanted) {
                return Looked::Found(found);
            }
            if !self.turn(&mut wheels, search.in_vain(&wanted)) {
                return if search.has_given_up() { Looked::GaveUp } else { Looked::InVain };
            }
        }
        Looked::GaveUp
    }

    /// The next combination that does not begin with the same so many alternatives: the last of these needs goes first to its
    /// next one.
    fn turn(&self, wheels: &mut [usize], first: usize) -> bool {
        wheels.iter_mut().skip(first).for_each(|wheel| *wheel = 0);
        for (wheel, need) in wheels.iter_mut().zip(&self.needs).take(first).rev() {
            *wheel = wheel.saturating_add(1);
            if *wheel < need.alternatives.len() {
                return true;
            }
            *wheel = 0;
        }
        false
    }
}

/// What came of choosing.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Looked {
    Found(Chosen),
    /// Nothing can be chosen.
    InVain,
    /// Nothing was found, and not everything was tried.
    GaveUp,
}
