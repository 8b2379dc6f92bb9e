//! Which nodes are fit, as the model says it: by paths, looked at one by one.

use std::{cmp::Reverse, collections::BTreeMap};

use jackfield_protocol::{
    id::{LeaseId, RunId},
    time::Time,
};
use jackfield_resource_allocator::book::{
    Book, Checked, Ended, Fitness, Health, Holder, Judgement, Lease, Set, Spot, State, Tie, Turn, Used,
};

use super::{Model, Waiter, overlap, set};
use crate::picking::ways;

/// What is known of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Node {
    pub(crate) fit: Condition,
    spoiled: u32,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Condition {
    #[default]
    Fit,
    /// So many checks came to no result; a person stopped one.
    Dirty(u32, bool),
    /// By a run, after so many checks; whether it could not use the node.
    Checked(RunId, u32, bool),
    Out,
}

/// What the tree and the settings say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// Whether what is there is out of service, or in service whatever it is in.
    pub(crate) out: BTreeMap<String, bool>,
    pub(crate) checks: BTreeMap<String, String>,
    pub(crate) spoiled_max: u32,
    pub(crate) after_each: bool,
}

fn is_in(top: &str, path: &str) -> bool {
    top == "/" || path == top || path.starts_with(&format!("{top}/"))
}

impl Model {
    fn node(&mut self, path: &str) -> &mut Node {
        self.health.entry(path.to_owned()).or_default()
    }

    /// Whether something that is wanted is not to be given, of what is not in the lease around; and whether it is broken.
    pub(super) fn unfit(&self, waiter: &Waiter) -> (bool, bool) {
        if waiter.console || waiter.repairs {
            return (false, false);
        }
        let paths: Vec<String> =
            self.outside(waiter).set.nodes.iter().map(|spot| spot.path.clone()).collect();
        let own = |by: RunId| waiter.holder == Holder::Run(by);
        let mut unfit = (false, false);
        for path in paths {
            unfit.1 |= self.is_out(&path);
            for (top, node) in &self.health {
                let unclean = match node.fit {
                    Condition::Dirty(..) => true,
                    Condition::Checked(by, ..) => !own(by),
                    Condition::Fit | Condition::Out => false,
                };
                let checked = self.health.get(&path).map(|node| &node.fit);
                let checks_it = matches!(checked, Some(Condition::Checked(by, ..)) if own(*by));
                unfit.0 |= unclean && ((is_in(top, &path) && !checks_it) || is_in(&path, top));
                unfit.1 |= node.fit == Condition::Out && is_in(top, &path);
            }
        }
        (unfit.0 || unfit.1, unfit.1)
    }

    /// By the nearest word that is said above.
    fn is_out(&self, path: &str) -> bool {
        let said = self.rules.out.iter().filter(|(top, _)| is_in(top, path));
        said.max_by_key(|(top, _)| top.len()).is_some_and(|(_, out)| *out)
    }

    pub(super) fn is_check(&self, holder: &Holder) -> bool {
        self.health
            .values()
            .any(|node| matches!(node.fit, Condition::Checked(by, ..) if *holder == Holder::Run(by)))
    }

    pub(super) fn has_check(&self, path: &str) -> bool {
        let said = self.rules.checks.iter().filter(|(top, _)| is_in(top, path));
        said.max_by_key(|(top, _)| top.len()).is_some_and(|(_, project)| !project.is_empty())
    }

    pub(super) fn after_use(&mut self, lease: &Lease, how: &Ended) {
        let was_used = matches!(lease.state, State::Active | State::Ending { .. });
        if !was_used || matches!(lease.tie, Tie::Console(_)) {
            return;
        }
        let (max, after_each) = (self.rules.spoiled_max, self.rules.after_each);
        let by_check = self.is_check(&lease.holder);
        for spot in set(lease).nodes {
            let has_check = self.has_check(&spot.path);
            let node = self.node(&spot.path);
            if let Condition::Checked(by, _, failed) = &mut node.fit {
                *failed |= matches!(lease.used, Used::Spoiled(_)) && lease.holder == Holder::Run(*by);
                continue;
            }
            match lease.used {
                Used::Sound => node.spoiled = 0,
                Used::Spoiled(_) => node.spoiled += 1,
                Used::Unknown | Used::Left(_) => {}
            }
            if node.fit == Condition::Out {
                continue;
            }
            let spoiled = matches!(lease.used, Used::Spoiled(_));
            let trouble = spoiled || matches!(lease.used, Used::Left(_));
            let taken = matches!(how, Ended::Loss | Ended::Force { .. });
            let each = after_each && !by_check && !matches!(lease.holder, Holder::Lab(_));
            if spoiled && max > 0 && node.spoiled >= max {
                node.fit = Condition::Out;
            } else if has_check && node.fit == Condition::Fit && (trouble || taken || each) {
                node.fit = Condition::Dirty(0, false);
            }
        }
    }

    pub(crate) fn judge(&mut self, spot: &Spot, judgement: &Judgement) {
        let node = self.node(&spot.path);
        match judgement {
            Judgement::Fit => *node = Node::default(),
            Judgement::Dirty(_) => node.fit = Condition::Dirty(0, false),
            Judgement::Out(_) => node.fit = Condition::Out,
        }
    }

    pub(crate) fn check_begins(&mut self, path: &str, run: RunId) {
        let node = self.node(path);
        if let Condition::Dirty(fruitless, _) = node.fit {
            node.fit = Condition::Checked(run, fruitless, false);
        }
    }

    pub(crate) fn checked(&mut self, run: RunId, checked: &Checked) {
        for node in self.health.values_mut() {
            let Condition::Checked(by, fruitless, failed) = node.fit else { continue };
            if by != run {
                continue;
            }
            match checked {
                _ if failed => node.fit = Condition::Out,
                Checked::Passed => node.fit = Condition::Fit,
                Checked::Failed(_) => node.fit = Condition::Out,
                Checked::Fruitless { by: Some(_) } => node.fit = Condition::Dirty(fruitless, true),
                Checked::Fruitless { by: None } if fruitless >= 2 => node.fit = Condition::Out,
                Checked::Fruitless { by: None } => node.fit = Condition::Dirty(fruitless + 1, false),
            }
        }
    }

    /// Dirty nodes that nobody has, and that a project checks.
    pub(crate) fn to_check(&self) -> Vec<String> {
        let is_free = |path: &str, spots: &[Spot]| {
            let spot = spots.iter().find(|spot| spot.path == path).unwrap();
            let single = Set { nodes: vec![spot.clone()], ..Set::default() };
            self.holding().all(|lease| matches!(lease.tie, Tie::Console(_)) || !overlap(&set(lease), &single))
        };
        let dirty = self.health.iter().filter(|(path, node)| {
            let broken_around =
                self.health.iter().any(|(top, node)| node.fit == Condition::Out && is_in(top, path));
            let is_there = !self.is_out(path) && !broken_around;
            let asks = matches!(node.fit, Condition::Dirty(_, false)) && self.has_check(path);
            let is_unclean = |node: &Node| matches!(node.fit, Condition::Dirty(..) | Condition::Checked(..));
            let unclean_inside = self
                .health
                .iter()
                .any(|(inner, node)| *inner != **path && is_in(path, inner) && is_unclean(node));
            asks && is_there && !unclean_inside && is_free(path, &self.spots)
        });
        dirty.map(|(path, _)| path.clone()).collect()
    }

    /// Whether the book knows the same of every node.
    pub(crate) fn check_health(&self, book: &Book) -> Result<(), String> {
        let told = |health: &Health| {
            let fit = match &health.fitness {
                Fitness::Fit => Condition::Fit,
                Fitness::Dirty { fruitless, held_back, .. } => Condition::Dirty(*fruitless, *held_back),
                Fitness::UnderCheck { run, fruitless, found, .. } => {
                    Condition::Checked(*run, *fruitless, found.is_some())
                }
                Fitness::Out { .. } => Condition::Out,
            };
            (health.spot.path.clone(), Node { fit, spoiled: health.spoiled })
        };
        let book_says: BTreeMap<_, _> = book.health().map(told).collect();
        let own = self.health.iter().filter(|(_, node)| **node != Node::default());
        let model_says: BTreeMap<_, _> = own.map(|(path, node)| (path.clone(), node.clone())).collect();
        if book_says != model_says {
            return Err(format!("the book knows {book_says:?}, and the model {model_says:?}"));
        }
        let mut to_check: Vec<_> = book.to_check().map(|(health, _)| health.spot.path.clone()).collect();
        to_check.sort();
        if to_check != self.to_check() {
            return Err(format!("the book would check {to_check:?}, and the model {:?}", self.to_check()));
        }
        Ok(())
    }

    /// Whether something was promised that fits and works, whenever it is free.
    pub(crate) fn check_way(
        &self,
        needs: &str,
        named: &Set,
        promised: &Set,
        (holder, inside, repairs): (&Holder, Option<LeaseId>, bool),
    ) -> Result<(), String> {
        let (_, choice) = self.choices.iter().find(|(text, _)| &***text == needs).unwrap();
        // What is in a lease that ends is promised until something else changes.
        if inside.is_some() {
            return Ok(());
        }
        let works = |spot: &Spot| {
            let waiter = Waiter {
                rank: (Reverse(0), Time(0), Turn::Ask(LeaseId(0))),
                holder: holder.clone(),
                shared: false,
                inside,
                set: Set { nodes: vec![spot.clone()], ..Set::default() },
                length: None,
                console: false,
                repairs,
                choice: None,
                named: Set::default(),
            };
            (!overlap(named, &waiter.set) && !self.unfit(&waiter).1).then_some(Time(0))
        };
        let ways = ways(choice, &works);
        if ways.iter().any(|(way, _)| way == promised) || (ways.is_empty() && promised.is_empty()) {
            return Ok(());
        }
        Err(format!("{promised} was promised of {choice:?}, and {ways:?} are the ways that work"))
    }

    /// How a lease ends when its time has come.
    pub(super) fn how(lease: &Lease, now: Time) -> Ended {
        let (own, how) = match &lease.state {
            State::Waiting { until } => (*until, Ended::Expiry),
            State::Offered { until } => (Some(*until), Ended::Expiry),
            State::Ending { by, reason, .. } => {
                return Ended::Force { by: by.clone(), reason: reason.clone() };
            }
            State::Asked { .. } | State::Active | State::Ended { .. } => (lease.until, Ended::Expiry),
        };
        if own.is_some_and(|until| until <= now) { how } else { Ended::Loss }
    }
}
