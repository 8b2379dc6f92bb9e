//! One day of a lab with a handful of devices and too many who want them.

mod fits;
mod health;
mod later;

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{
    id::{ConsoleId, LeaseId, RunId, UserName},
    time::Time,
};
use jackfield_resource_allocator::{
    ResourceId, Tree,
    book::{
        Ask, Book, Claims, Ended, Health, Holder, Lease, Leased, Rank, Set, Spot, Tie, Turn, Want, Who, Wish,
    },
};
use jackfield_tests::dice::Dice;

use crate::model::{Model, Waiting, both};

const MINUTE: u64 = 60_000;
/// More would wait than the book looks at in one decision, which the model does.
const WAITING_MAX: usize = 8;
/// Different needs that somebody may have.
const NEEDS: u64 = 3;
const PERSONS: [&str; 4] = ["ana", "bob", "cho", "dia"];

/// What the scheduler knows of parts, and the book does not.
#[derive(Clone, Default)]
pub(crate) struct Parts(BTreeMap<(RunId, u32), (bool, bool)>);

impl Parts {
    pub(crate) fn claims(&self, turn: Turn) -> bool {
        match turn {
            Turn::Ask(_) => true,
            Turn::Part { run, part } => self.0.get(&(run, part)).is_some_and(|(claims, _)| *claims),
        }
    }

    pub(crate) fn has_lane(&self, run: RunId, part: u32) -> bool {
        self.0.get(&(run, part)).is_some_and(|(claims, lane)| *claims && *lane)
    }
}

struct Day {
    dice: Dice,
    now: Time,
    spots: Vec<Spot>,
    book: Book,
    model: Model,
    parts: Parts,
    /// The rows as a store keeps them.
    rows: BTreeMap<LeaseId, Lease>,
    health: BTreeMap<ResourceId, Health>,
    runs: u64,
    consoles: u64,
    loud: bool,
}

/// The test beds that everybody fights for.
pub(crate) fn spots(paths: &[&str]) -> Vec<Spot> {
    let mut tree = Tree::new();
    let mut number = 0x100;
    for path in paths.iter().filter(|path| **path != "/") {
        let (parent, name) = path.rsplit_once('/').unwrap();
        number += 1;
        let parent = if parent.is_empty() { "/" } else { parent };
        tree.set(name, parent, BTreeMap::new(), ResourceId::from_number(number)).unwrap();
    }
    paths.iter().map(|path| tree.spot(path).unwrap()).collect()
}

pub(crate) fn play(seed: u64, loud: bool) -> Result<(), String> {
    let mut day = Day {
        dice: Dice::new(seed),
        now: Time(1_000_000_000),
        spots: spots(&["/", "/a", "/a/1", "/a/1/x", "/a/2", "/b", "/b/1", "/c"]),
        book: Book::default(),
        model: Model::default(),
        parts: Parts::default(),
        rows: BTreeMap::new(),
        health: BTreeMap::new(),
        runs: 0,
        consoles: 0,
        loud,
    };
    day.model.spots = day.spots.clone();
    for number in 0..NEEDS {
        day.edit(number);
    }
    day.rules_change();
    for _ in 0..day.dice.between(10, 50) {
        day.step()?;
    }
    day.close()
}

impl Day {
    fn step(&mut self) -> Result<(), String> {
        if self.dice.percent(50) {
            let minutes = self.dice.pick(&[0, 1, 1, 5, 10, 10, 30, 30, 60]).copied().unwrap_or(0);
            let millis = minutes * MINUTE;
            self.sleep(millis)?;
        }
        match self.dice.below(28) {
            26.. => self.book(),
            21.. => self.something_breaks_or_is_mended(),
            20 => {
                let number = self.dice.below(NEEDS);
                self.edit(number);
                self.repromise()?;
            }
            0..=6 => self.ask(),
            7..=12 => self.wish_any(),
            13 | 14 => self.submit(),
            15 | 16 => self.run_moves(),
            17 => self.claims_change(),
            18 => self.kill(),
            _ => self.console(),
        }
        self.agree()
    }

    /// Time passes, and everything happens when it is due.
    fn sleep(&mut self, millis: u64) -> Result<(), String> {
        let wake_up = self.now.plus_millis(millis);
        loop {
            let next = self.book.deadline().into_iter().chain(self.model.next_due()).min();
            let Some(at) = next.filter(|at| *at <= wake_up) else { break };
            self.now = self.now.max(at);
            self.book.pass(self.now);
            self.model.pass(self.now);
            self.agree()?;
        }
        self.now = wake_up;
        Ok(())
    }

    fn set(&mut self) -> Set {
        let mut nodes = BTreeSet::new();
        for _ in 0..self.dice.pick(&[1, 1, 1, 2, 3]).copied().unwrap_or(1) {
            nodes.extend(self.dice.pick(&self.spots).cloned());
        }
        let suts: &[&str] = if self.dice.percent(15) { &["s1.system"] } else { &[] };
        Set { suts: suts.iter().map(|sut| (*sut).into()).collect(), nodes: nodes.into_iter().collect() }
    }

    fn person(&mut self) -> UserName {
        self.dice.pick(&PERSONS).copied().unwrap_or("ana").into()
    }

    fn any_lease(&mut self) -> Option<Lease> {
        let leases: Vec<_> = self.book.leases().cloned().collect();
        self.dice.pick(&leases).cloned()
    }

    fn length(&mut self) -> u64 {
        MINUTE * self.dice.pick(&[5, 10, 30, 60, 120]).copied().unwrap_or(5)
    }

    fn ask(&mut self) {
        let holder = self.person();
        let holder = if self.dice.percent(5) { Holder::Lab(holder) } else { Holder::Person(holder) };
        let length = self.length();
        let full = self.book.waiting().count() >= WAITING_MAX;
        let wait = [Some(0), Some(5 * MINUTE), Some(40 * MINUTE), None];
        let wait = if full { Some(0) } else { self.dice.pick(&wait).copied().flatten() };
        let tied = self.dice.percent(20);
        let set = self.set();
        let ask = Ask {
            shared: self.dice.percent(25),
            repairs: self.dice.percent(10),
            purpose: "bug 1234".to_owned(),
            priority: self.dice.pick(&[0, 0, 0, 0, 5, -1]).copied().unwrap_or(0),
            tie: if tied { Tie::Beat { patience_millis: 20 * MINUTE } } else { Tie::Free },
            inside: self.dice.percent(5).then(|| LeaseId(self.dice.between(1, 20))),
            begin: (self.dice.percent(25) && !full).then(|| self.now.plus_millis(self.length())),
            length: (!self.dice.percent(12)).then_some(length),
            wait,
            offer: self.dice.percent(20).then_some(3 * MINUTE),
            ..Ask::new(set, holder)
        };
        let needs = self.dice.below(NEEDS * 3);
        let choice = self.model.choices.get(format!("needs {needs}").as_str()).cloned();
        let set = if choice.is_some() { Set::default() } else { ask.set };
        let ask = Ask { set, choice, ..ask };
        self.wish(LeaseId(0), "ana".into(), false, Wish::Ask(Box::new(ask)));
    }

    fn wish_any(&mut self) {
        let Some(lease) = self.any_lease() else { return };
        let own = lease.holder.user().cloned().unwrap_or_else(|| "ana".into());
        let user = if self.dice.percent(85) { own } else { self.person() };
        let manages = self.dice.percent(15);
        let wish = match self.dice.below(19) {
            16.. => self.rebook(),
            0..=4 => Wish::Release,
            5 | 6 => Wish::Extend { until: self.now.plus_millis(self.length()) },
            7 | 8 => Wish::Accept,
            9 | 10 => Wish::Beat,
            11 => {
                let grace = self.dice.pick(&[0, MINUTE, 20 * MINUTE]).copied().unwrap_or(0);
                Wish::Force { reason: "rack is on fire".to_owned(), grace }
            }
            12 | 13 => Wish::HandOver { to: self.person() },
            _ => Wish::Allow { guest: self.person(), allowed: self.dice.percent(70) },
        };
        self.wish(lease.id, user, manages, wish);
    }

    fn wish(&mut self, id: LeaseId, user: UserName, manages: bool, wish: Wish) {
        let who = Who { user, manages };
        if self.loud {
            println!("{} {id} {who:?} {wish:?}", self.now);
        }
        let book = self.book.wish(self.now, id, &who, wish.clone(), &|turn| self.parts.claims(turn));
        let model = self.model.wish(self.now, id, &who, wish, (&self.parts, &self.book));
        assert_eq!(book.is_ok(), model, "the book says {book:?}");
    }

    /// A run comes, with a part or two.
    fn submit(&mut self) {
        if self.book.waiting().count() + 2 > WAITING_MAX {
            return;
        }
        self.runs += 1;
        let run = RunId(self.runs);
        for part in 0..u32::try_from(self.dice.between(1, 2)).unwrap() {
            let inside = self.any_lease().filter(|lease| lease.holds() && self.dice.percent(20));
            let needs = self.dice.below(NEEDS * 2);
            let needs = self
                .model
                .choices
                .get_key_value(format!("needs {needs}").as_str())
                .map(|(text, _)| text.clone());
            let named = needs.is_none() || self.dice.percent(30);
            let waiting = Waiting {
                run,
                part,
                submitted: self.now,
                set: if named { self.set() } else { Set::default() },
                inside: inside.map(|lease| lease.id),
                needs,
                promised: Set::default(),
            };
            let claims = self.dice.percent(80);
            self.parts.0.insert((run, part), (claims, self.dice.percent(70)));
            self.model.parts.push(waiting.clone());
            self.enlist(&waiting);
            self.book.set_choices(self.model.choices.values().cloned());
            let promised = self.promised(&waiting);
            self.model.parts.last_mut().unwrap().promised = promised;
        }
        self.book.wake_all();
    }

    fn enlist(&mut self, waiting: &Waiting) {
        let want = Want {
            set: waiting.set.clone(),
            holder: Holder::Run(waiting.run),
            shared: false,
            inside: waiting.inside,
            length: None,
            console: false,
            repairs: false,
        };
        self.book.enlist(waiting.run, waiting.part, waiting.submitted, want, waiting.needs.clone());
    }

    /// A run gives something back, or a part of one is taken out of the queue.
    fn run_moves(&mut self) {
        let held: Vec<_> =
            self.book.leases().filter(|lease| lease.holder.run().is_some()).map(|lease| lease.id).collect();
        if let Some(id) = self.dice.pick(&held).copied() {
            self.book.end(self.now, id, Ended::RunEnd);
            self.model.end(self.now, id, Ended::RunEnd);
        } else if let Some(Waiting { run, part, .. }) = self.dice.pick(&self.model.parts).cloned() {
            self.book.delist(run, part);
            self.model.parts.retain(|waiting| (waiting.run, waiting.part) != (run, part));
        }
    }

    /// An EP comes or goes.
    fn claims_change(&mut self) {
        let parts: Vec<_> = self.parts.0.keys().copied().collect();
        if let Some(key) = self.dice.pick(&parts).copied() {
            self.parts.0.insert(key, (self.dice.percent(60), self.dice.percent(60)));
            self.book.wake_all();
        }
    }

    /// A person opens a console on a device, or one is over.
    fn console(&mut self) {
        let open: Vec<_> =
            self.book.leases().filter(|lease| lease.is_console()).map(|lease| lease.id).collect();
        if let Some(id) = self.dice.pick(&open).copied().filter(|_| self.dice.percent(50)) {
            self.book.end(self.now, id, Ended::Holder);
            return self.model.end(self.now, id, Ended::Holder);
        }
        let user = self.person();
        let Some(spot) = self.dice.pick(&self.spots).cloned() else { return };
        let inside = self.book.leases().find(|lease| {
            lease.holds() && lease.admits(&user) && lease.what.set().is_some_and(|set| set.covers(&spot))
        });
        let inside = inside.map(|lease| lease.id);
        self.consoles += 1;
        let set = Set { nodes: vec![spot], ..Set::default() };
        let ask = Ask {
            purpose: "console".to_owned(),
            tie: Tie::Console(ConsoleId(self.consoles)),
            inside,
            ..Ask::new(set, Holder::Person(user.clone()))
        };
        self.wish(LeaseId(0), user, false, Wish::Ask(Box::new(ask)));
    }

    /// The engine dies, and starts again from its rows.
    fn kill(&mut self) {
        if self.loud {
            println!("{} killed", self.now);
        }
        let last = self.rows.keys().max().copied().unwrap_or_default();
        assert_eq!(last, self.book.last(), "a number could be given twice");
        let rows = self.rows.values().cloned();
        let mut restored = Book::restore(self.now, last, rows).with_health(self.health.values().cloned());
        restored.set_upkeep(self.upkeep());
        let before: Vec<_> = self.book.leases().cloned().collect();
        let stored: Vec<_> = self.rows.values().filter(|lease| !lease.is_over()).cloned().collect();
        assert_eq!(before, stored, "the rows are not what the book is");
        self.book = restored;
        for waiting in self.model.parts.clone() {
            self.enlist(&waiting);
        }
        self.book.wake_all();
        self.model.restart(self.now);
        self.book.set_choices(self.model.choices.values().cloned());
        // Nobody has promised anything to parts before: they are not stored.
        let mut parts = self.model.parts.clone();
        parts.iter_mut().for_each(|part| part.promised = self.promised(part));
        self.model.parts = parts;
        let mut leases = self.model.leases.clone();
        for lease in leases.iter_mut().filter(|lease| lease.is_waiting() && lease.leaves_choice()) {
            lease.what = Leased::Set(self.book.lease(lease.id).map(crate::model::set).unwrap_or_default());
        }
        self.model.leases = leases;
    }

    /// What a part of a run is given now.
    fn find(&self, waiting: &Waiting, want: &Want, rank: &Rank, claims: Claims<'_>) -> Option<Set> {
        let named = Want { set: waiting.set.clone(), ..want.clone() };
        if self.book.obstacle(self.now, &named, rank, claims).is_some() {
            return None;
        }
        let Some(needs) = &waiting.needs else { return Some(named.set) };
        let picked = self.book.pick(self.now, &named, rank, &self.model.choices[needs], claims)?;
        Some(picked.iter().fold(waiting.set.clone(), |all, (set, _)| both(&all, set)))
    }

    /// Everybody who can begin does; then book and model must say the same.
    fn agree(&mut self) -> Result<(), String> {
        self.promised_anew()?;
        let parts = self.parts.clone();
        let claims = |turn| parts.claims(turn);
        let mut placed = BTreeMap::new();
        while let Some(woken) = self.book.pop_woken() {
            let rank = woken.rank;
            match rank.turn {
                Turn::Ask(id) if self.book.try_begin(self.now, id, &claims) => {}
                Turn::Ask(_) => self.book.passed(woken, true),
                Turn::Part { run, part } => {
                    let Some(want) = self.book.waiter(rank.turn).map(|(_, want)| want.clone()) else {
                        continue;
                    };
                    let waiting =
                        self.model.parts.iter().find(|other| (other.run, other.part) == (run, part));
                    let found = self.find(waiting.unwrap(), &want, &rank, &claims);
                    if let Some(set) = found.filter(|_| parts.has_lane(run, part)) {
                        self.book.delist(run, part);
                        placed.insert((run, part), set.clone());
                        self.book.give(self.now, run, Leased::Set(set), want.inside);
                    } else {
                        self.book.passed(woken, claims(rank.turn));
                    }
                }
            }
        }
        self.model.settle(self.now, &self.parts, &self.book, &placed)?;
        for row in self.book.take_rows() {
            if let Some(before) = self.rows.get(&row.id).filter(|before| before.is_over()) {
                return Err(format!("{before:?} is over, and is written again as {row:?}"));
            }
            if self.loud {
                println!("    {}", self.book.told(&row));
            }
            self.rows.insert(row.id, row);
        }
        self.store_health();
        self.model.check_health(&self.book)?;
        self.book.check()?;
        let book: Vec<_> = self.book.leases().cloned().collect();
        if book != self.model.leases {
            let said =
                |leases: &[Lease]| leases.iter().map(|lease| format!("\n  {lease:?}")).collect::<String>();
            return Err(format!("the book has{}\nthe model{}", said(&book), said(&self.model.leases)));
        }
        let parts = self.book.waiting().filter(|(rank, _)| matches!(rank.turn, Turn::Part { .. })).count();
        if parts != self.model.parts.len() {
            return Err(format!("{parts} parts wait, and {} in the model", self.model.parts.len()));
        }
        Ok(())
    }

    /// The day ends: runs end, persons go home, and nothing is left.
    fn close(&mut self) -> Result<(), String> {
        self.parts.0.clear();
        self.mend_all();
        for Waiting { run, part, .. } in std::mem::take(&mut self.model.parts) {
            self.book.delist(run, part);
        }
        for _ in 0..100 {
            // What was handed over by a client has a month.
            let tomorrow = self.now.plus_millis(24 * 60 * MINUTE);
            let open: Vec<_> = self
                .book
                .leases()
                .filter(|lease| {
                    // What nobody can give any more is waited for until somebody has enough of it.
                    let hopeless = lease.leaves_choice() && crate::model::set(lease).is_empty();
                    lease.until.is_none_or(|until| until > tomorrow) && (!lease.is_waiting() || hopeless)
                })
                .map(|lease| lease.id)
                .collect();
            for id in open {
                self.book.end(self.now, id, Ended::Holder);
                self.model.end(self.now, id, Ended::Holder);
            }
            self.agree()?;
            if self.book.leases().next().is_none() {
                return Ok(());
            }
            self.sleep(60 * MINUTE)?;
        }
        Err(format!("somebody waits for ever: {:?}", self.book.leases().collect::<Vec<_>>()))
    }
}
