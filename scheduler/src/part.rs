//! The part of a run that stays together on one EP lane: all suites of a named EP, or one suite that any EP may take.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    id::{EpName, LeaseId, RunId, SuiteIndex, SutName, TestIndex},
    plan::RunPlan,
    time::Time,
    verdict::Outcome,
};

use crate::{
    effect::PartRow,
    need::Need,
    order::{Order, Position},
};

/// A part of a run, by its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PartKey {
    pub(crate) run: RunId,
    pub(crate) part: u32,
}

/// Where a part runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) ep: EpName,
    pub(crate) lane: u16,
    pub(crate) lease: LeaseId,
}

/// A test that an EP holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flight {
    pub(crate) test: TestIndex,
    pub(crate) attempt: u16,
    pub(crate) assigned: Time,
    /// By the EP's clock.
    pub(crate) started: Option<Time>,
    /// It was asked back; the EP has not answered.
    pub(crate) recalled: bool,
    /// What the EP, back again, has yet to report of it.
    pub(crate) owes: Option<Owed>,
    /// How the test ends if it comes back.
    pub(crate) wanted: Option<Outcome>,
}

/// A report that an EP made while it was away. It may have been restarted since, and know no latches: until it has
/// told everything, nothing is sent behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    Start,
    End,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) key: PartKey,
    pub(crate) suites: Vec<SuiteIndex>,
    pub(crate) order: Order,
    /// The first test that may still have to be sent or decided; none at the end.
    pub(crate) cursor: Option<Position>,
    /// What the EP holds, in order of running.
    pub(crate) flight: Vec<Flight>,
    pub(crate) place: Option<Place>,
    /// The EP the project names.
    pub(crate) named: Option<EpName>,
    pub(crate) labels: BTreeMap<Arc<str>, Arc<str>>,
    pub(crate) suts: Vec<SutName>,
    /// What it needs by what it is: first of the whole run, then of its suites.
    pub(crate) needs: Vec<Need>,
    /// The lease of a person that lets the run in.
    pub(crate) inside: Option<LeaseId>,
    /// Parts of a run with the same labels, SUTs and needs and no EP named are of one class.
    pub(crate) class: u32,
    /// Where it was placed last.
    pub(crate) home: Option<EpName>,
    /// Its EP was given up; any that fits may take the rest.
    pub(crate) loose: bool,
    pub(crate) ended: bool,
    /// Whether anything was ever sent: the first test waits for no delay.
    pub(crate) sent: bool,
    /// When its EP is given up.
    pub(crate) lost_at: Option<Time>,
    /// What people were last told it waits for.
    pub(crate) waits: Option<String>,
}

impl Part {
    /// The one EP that may take it; none where any that fits may.
    pub(crate) fn bound_to(&self) -> Option<&EpName> {
        if self.loose { None } else { self.home.as_ref().or(self.named.as_ref()) }
    }

    /// No further test may be sent until the EP has answered.
    pub(crate) fn held_back(&self) -> bool {
        self.flight.iter().any(|flight| flight.recalled || flight.owes.is_some())
    }

    pub(crate) fn holds(&self, test: TestIndex, attempt: u16) -> Option<usize> {
        self.flight.iter().position(|flight| flight.test == test && flight.attempt == attempt)
    }

    /// The cursor goes back to a test that has to be looked at again.
    pub(crate) fn look_again(&mut self, position: Position) {
        self.cursor = Some(self.cursor.map_or(position, |cursor| cursor.min(position)));
    }

    pub(crate) fn row(&self) -> PartRow {
        PartRow {
            run: self.key.run,
            part: self.key.part,
            suites: self.suites.clone(),
            place: self.place.as_ref().map(|place| (place.ep.clone(), place.lane)),
            ended: self.ended,
        }
    }
}

/// Divides a plan: a named EP's suites in document order stay together, every other top-level suite stands alone.
pub(crate) fn divide(run: RunId, plan: &RunPlan) -> Vec<Part> {
    let mut by_ep: BTreeMap<&EpName, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<SuiteIndex>> = Vec::new();
    for (index, suite) in (0..).zip(&plan.suites).filter(|(_, suite)| suite.parent.is_none()) {
        let group =
            suite.place.ep.as_ref().map_or(groups.len(), |ep| *by_ep.entry(ep).or_insert(groups.len()));
        match groups.get_mut(group) {
            Some(group) => group.push(SuiteIndex(index)),
            None => groups.push(vec![SuiteIndex(index)]),
        }
    }
    let mut classes = BTreeMap::new();
    (0..)
        .zip(groups)
        .map(|(part, suites)| {
            let mut part = build(PartKey { run, part }, plan, suites);
            let next = u32::try_from(classes.len()).unwrap_or(u32::MAX);
            let needs: Vec<_> = part.needs.iter().map(|(_, text)| Arc::clone(text)).collect();
            let class = (part.labels.clone(), part.suts.clone(), needs);
            part.class = *classes.entry(class).or_insert(next);
            part
        })
        .collect()
}

fn build(key: PartKey, plan: &RunPlan, suites: Vec<SuiteIndex>) -> Part {
    let planned = || suites.iter().filter_map(|suite| plan.suite(*suite));
    let order = Order::new(planned().map(|suite| suite.tests.clone()));
    let mut suts: Vec<_> = planned().filter_map(|suite| suite.sut.clone()).collect();
    suts.sort();
    suts.dedup();
    let mut needs: Vec<Need> = plan.options.needs.clone().map(|needs| (None, needs)).into_iter().collect();
    for index in &suites {
        let own = plan.suite(*index).and_then(|suite| suite.place.needs.clone());
        // Suites of a part run one after the other, and share what they need alike.
        let is_new = |own: &Arc<str>| !needs.iter().any(|(suite, text)| suite.is_some() && text == own);
        if let Some(own) = own.filter(is_new) {
            needs.push((Some(*index), own));
        }
    }
    let place = planned().next().map(|suite| suite.place.clone()).unwrap_or_default();
    Part {
        key,
        cursor: order.first().map(|(position, _)| position),
        suites,
        order,
        flight: Vec::new(),
        place: None,
        named: place.ep,
        labels: place.labels,
        suts,
        needs,
        inside: plan.options.lease,
        class: 0,
        home: None,
        loose: false,
        ended: false,
        sent: false,
        lost_at: None,
        waits: None,
    }
}
