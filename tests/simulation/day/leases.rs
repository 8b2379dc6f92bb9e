//! Persons who want for themselves what runs want too: devices, whole racks, SUTs; for now, for later, or in the queue.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::{
    calendar::{Every, Recurrence, Repeat, Scope},
    id::{LeaseId, SutName, UserName},
};
use jackfield_resource_allocator::{
    ResourceId,
    book::{
        Alternative, Ask, Candidate, Choice, Holder, Judgement, Lease, Options, Outage, Series, Set, Spot,
        Tie, Upkeep, Who, Wish,
    },
};
use jackfield_scheduler::Event;

use super::Day;

/// A rack with three devices. Both SUTs that projects name have the third in them.
fn spot(number: u64) -> Spot {
    let rack = ResourceId::from_number(0xa0);
    match number {
        0 => Spot { node: rack, path: "/rack".to_owned(), above: vec![ResourceId::root()] },
        device => Spot {
            node: ResourceId::from_number(device),
            path: format!("/rack/{device}"),
            above: vec![ResourceId::root(), rack],
        },
    }
}

/// What the SUTs link to; people link them to something else now and then.
pub(super) fn links(edition: u64) -> BTreeMap<SutName, Arc<[Spot]>> {
    let of = |devices: &[u64]| devices.iter().map(|device| spot(*device)).collect::<Arc<[Spot]>>();
    let (one, other): (&[u64], &[u64]) = match edition % 3 {
        0 => (&[1, 3], &[2, 3]),
        1 => (&[1], &[2]),
        _ => (&[2], &[]),
    };
    [("s0.user".into(), of(one)), ("s1.user".into(), of(other))].into()
}

/// What fits the needs of runs and persons: one or two of a few devices.
pub(super) fn choices(edition: u64) -> BTreeMap<Arc<str>, Arc<Choice>> {
    let of = |text: String, count: usize, devices: &[u64]| {
        let candidates = devices
            .iter()
            .map(|device| Candidate { spot: spot(*device), same: vec![Some(Vec::new())] })
            .collect();
        let fits = (0..devices.len()).collect();
        let alternatives = vec![Alternative { text: text.clone(), count, fits }];
        let needs = vec![Options { name: "dut".into(), scope: 0, alternatives }];
        let text: Arc<str> = text.into();
        (text.clone(), Arc::new(Choice { text, candidates, needs }))
    };
    // Whatever one part needs can be met together.
    let some: &[u64] = if edition.is_multiple_of(2) { &[4, 5, 6, 7] } else { &[6, 7] };
    let suites = (0..super::NEEDS).map(|number| match number {
        0 => of("needs 0".to_owned(), 1, some),
        1 => of("needs 1".to_owned(), 2, &[5, 6, 8]),
        _ => of(format!("needs {number}"), 1, &[8]),
    });
    suites.chain([of("needs of all".to_owned(), 1, &[8, 9])]).collect()
}

impl Day {
    pub(super) fn lease(&mut self) -> Result<(), String> {
        let persons = |lease: &&Lease| lease.holder.run().is_none();
        let leases: Vec<Lease> = self.scheduler.book().leases().filter(persons).cloned().collect();
        let known = self.dice.pick(&leases).cloned();
        match (self.dice.below(10), known) {
            (0, _) if self.dice.percent(30) => {
                self.choices = choices(self.dice.below(2));
                let choices = self.choices.clone();
                self.engine(Event::NeedsFit { choices })
            }
            (0, _) if self.dice.percent(60) => self.something_breaks(),
            (0, _) => {
                self.linked = links(self.dice.below(3));
                let links = self.linked.clone();
                self.engine(Event::SutsLinked { links })
            }
            (1..=3, Some(lease)) => {
                let wish = match self.dice.below(8) {
                    6 => Wish::Move {
                        begin: self.engine_time().plus_millis(self.dice.below(60_000)),
                        length: None,
                    },
                    7 => Wish::Cancel(
                        self.dice.pick(&[Scope::Following, Scope::Series]).copied().unwrap_or_default(),
                    ),
                    0 => Wish::Extend { until: self.engine_time().plus_millis(self.dice.below(60_000)) },
                    1 => Wish::Force { reason: "now".to_owned(), grace: self.dice.below(2) * 5_000 },
                    2 => Wish::HandOver { to: "bob".into() },
                    3 => Wish::Accept,
                    _ => Wish::Release,
                };
                let manages = self.dice.percent(30);
                let user = lease.holder.user().cloned().unwrap_or_else(|| "ana".into());
                self.wish(lease.id, user, manages, wish)
            }
            _ => self.ask_for_lease(),
        }
    }

    fn ask_for_lease(&mut self) -> Result<(), String> {
        let mut set = Set::default();
        if self.dice.percent(30) {
            let sut: SutName = format!("s{}.user", self.dice.below(2)).into();
            set.nodes.extend(self.linked.get(&sut).into_iter().flat_map(|spots| spots.iter().cloned()));
            set.suts.insert(sut);
        } else {
            let number = self.dice.below(4);
            set.nodes.push(spot(number));
        }
        let choice = if self.dice.percent(25) {
            set = Set::default();
            self.choices.values().nth(usize::try_from(self.dice.below(super::NEEDS)).expect("few")).cloned()
        } else {
            None
        };
        let user = UserName::from(if self.dice.percent(50) { "ana" } else { "bob" });
        let of_lab = choice.is_none() && self.dice.percent(10);
        let holder = if of_lab { Holder::Lab(user.clone()) } else { Holder::Person(user.clone()) };
        let ask = Ask {
            set,
            choice,
            holder,
            shared: self.dice.percent(20),
            purpose: "bug 1234".to_owned(),
            note: String::new(),
            context: BTreeMap::new(),
            priority: self.dice.pick(&[0, 0, 0, 1]).copied().unwrap_or(0),
            repairs: self.dice.percent(10),
            // Nobody beats: whoever has to, is lost.
            tie: if self.dice.percent(20) { Tie::Beat { patience_millis: 20_000 } } else { Tie::Free },
            inside: None,
            begin: self.dice.percent(20).then(|| self.engine_time().plus_millis(self.dice.below(60_000))),
            length: Some(self.dice.between(1, 120_000)),
            wait: Some(self.dice.pick(&[0, 20_000, 90_000]).copied().unwrap_or(0)),
            offer: self.dice.percent(20).then_some(10_000),
        };
        if self.dice.percent(15) {
            return self.book(user, ask);
        }
        self.wish(LeaseId(0), user, false, Wish::Ask(Box::new(ask)))
    }

    /// Again and again.
    fn book(&mut self, user: UserName, ask: Ask) -> Result<(), String> {
        let (first, step) =
            (self.engine_time().plus_millis(self.dice.below(30_000)), self.dice.between(1, 60_000));
        let begins = (0..self.dice.between(1, 4)).map(|number| first.plus_millis(number * step)).collect();
        let repeat =
            Repeat { every: Every::Day, interval: 1, days: BTreeSet::new(), until: None, times: None };
        let (from, at) = ("2026-12-01".parse().expect("a date"), "06:00".parse().expect("a time of day"));
        let rule = Some(Arc::new(Recurrence { from, at, zone: "UTC".to_owned(), repeat }));
        let ask = Ask { wait: None, offer: None, begin: None, ..ask };
        let series = Series { ask, begins, rule, partly: self.dice.percent(50) };
        self.wish(LeaseId(0), user, false, Wish::Book(Box::new(series)))
    }

    fn wish(&mut self, lease: LeaseId, user: UserName, manages: bool, wish: Wish) -> Result<(), String> {
        self.engine(Event::Lease { lease, who: Who { user, manages }, wish })
    }

    /// The rows say what the book says.
    pub(super) fn check_rows(&self) -> Result<(), String> {
        let book = self.scheduler.book().leases();
        if !book.eq(self.store.leases()) {
            return Err("the rows of leases are not what the book is".to_owned());
        }
        if !self.scheduler.book().health().eq(self.store.health()) {
            return Err("the rows of health are not what the book knows".to_owned());
        }
        Ok(())
    }

    /// Something breaks, is repaired, or is looked after in another way.
    fn something_breaks(&mut self) -> Result<(), String> {
        if self.mended {
            return Ok(());
        }
        let device = spot(self.dice.below(10));
        let why = "the display is dead".to_owned();
        let judged = |judgement| Event::Judged { spot: device.clone(), judgement, by: "ana".into() };
        let event = match self.dice.below(6) {
            0..=2 => judged(Judgement::Fit),
            3 => judged(Judgement::Dirty(why)),
            4 => judged(Judgement::Out(why)),
            _ => {
                let spoiled_max = u32::try_from(self.dice.below(4)).expect("few");
                let checks = [(ResourceId::root(), "check.xml".into())].into();
                let outage = Outage { path: device.path.clone(), why };
                let out =
                    if self.dice.percent(30) { Some((device.node.clone(), Some(outage))) } else { None };
                let after_each = self.dice.percent(20);
                self.upkeep = Upkeep { out: out.into_iter().collect(), checks, spoiled_max, after_each };
                Event::Upkept { upkeep: self.upkeep.clone() }
            }
        };
        self.engine(event)
    }

    /// Everything works from now on.
    pub(super) fn repair(&mut self) -> Result<(), String> {
        self.upkeep = Upkeep::default();
        self.engine(Event::Upkept { upkeep: Upkeep::default() })?;
        for number in 0..10 {
            let (spot, by) = (spot(number), "ana".into());
            self.engine(Event::Judged { spot, judgement: Judgement::Fit, by })?;
        }
        Ok(())
    }

    /// The id of something that is to be checked.
    pub(super) fn dirty(&mut self) -> Option<Arc<str>> {
        let dirty: Vec<Arc<str>> =
            self.scheduler.book().to_check().map(|(health, _)| health.spot.node.as_str().into()).collect();
        self.dice.pick(&dirty).cloned()
    }
}
