//! What persons do with leases, and what SUTs link to.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    id::{LeaseId, SutName, UserName},
    time::Time,
};
use jackfield_resource_allocator::book::{
    Ask, Concern, Forecast, Lease, Moved, Refusal, Spot, Turn, Waits, Who, Wish,
};

use crate::{Scheduler, out::Out, part::PartKey};

impl Scheduler {
    pub(crate) fn wish(&mut self, out: &mut Out, lease: LeaseId, who: &Who, wish: Wish) {
        // The book asks which parts claim what they wait for, and parts are the scheduler's.
        let mut book = std::mem::take(&mut self.bench.book);
        let answer = book.wish(out.now, lease, who, wish, &|turn| self.claims(turn));
        self.bench.book = book;
        out.effects.answer = Some(answer);
    }

    /// What a run holds is what was linked when it was granted; a run that waits, waits for what is linked now. A person's is what was
    /// linked when they asked.
    pub(crate) fn suts_linked(&mut self, links: BTreeMap<SutName, Arc<[Spot]>>) {
        let links = self.right_links(links);
        let before = std::mem::replace(&mut self.bench.links, links);
        let is_new = |sut: &SutName| before.get(sut) != self.bench.links.get(sut);
        let concerns = |key: &PartKey| self.part(*key).is_some_and(|part| part.suts.iter().any(is_new));
        let concerned: Vec<PartKey> = self.bench.waiters.all.iter().copied().filter(concerns).collect();
        for key in concerned {
            self.queue_again(key);
        }
    }

    /// What SUTs link to, with the places of today: they were looked up a moment ago.
    fn right_links(&self, mut links: BTreeMap<SutName, Arc<[Spot]>>) -> BTreeMap<SutName, Arc<[Spot]>> {
        let book = &self.bench.book;
        for spots in links.values_mut() {
            if spots.iter().any(|spot| book.right(spot).is_some()) {
                *spots = spots.iter().map(|spot| book.right(spot).unwrap_or_else(|| spot.clone())).collect();
            }
        }
        links
    }

    /// Nodes have other places. Who waits for a SUT, waits for what it links to where that is now.
    pub(crate) fn replaced(&mut self, moved: &[Moved]) {
        self.bench.book.replace(moved);
        let links = self.bench.links.clone();
        self.suts_linked(links);
    }

    /// Why nodes cannot be moved or deleted: somebody has one of them, something in it or what it is in. What is moved, nobody may wait for
    /// either, or have booked it: they would stand in a queue that is elsewhere. A name is changed at any time.
    pub fn keeps_in_place(&self, moved: &[Moved], gone: &[Spot], by: &UserName) -> Option<String> {
        let book = &self.bench.book;
        let elsewhere = moved.iter().filter(|moved| moved.is_elsewhere()).map(|moved| &moved.from);
        let kept = elsewhere.filter_map(|spot| {
            let told = match book.concerned(spot)? {
                Concern::Lease(lease) => self.told_with_number(&lease),
                Concern::Waits(turn) => format!("{} waits for it", book.told_turn(turn)),
            };
            let path = &spot.path;
            Some(format!(
                "{told}, so `{path}` cannot be moved; it can when nobody has, wants or has booked it"
            ))
        });
        let held = gone.iter().filter_map(|spot| {
            let leases = self.leases_on(spot);
            let other = leases.iter().find(|lease| self.lease_user(lease).as_ref() != Some(by))?;
            let told = self.told_with_number(other);
            Some(format!("{told}, so `{}` cannot be deleted; ask them to give it back", spot.path))
        });
        kept.chain(held).next()
    }

    fn told_with_number(&self, lease: &Lease) -> String {
        format!("{} (lease {})", self.lease_told(lease), lease.id)
    }

    /// What would come of a wish for a lease, which is not made.
    ///
    /// # Errors
    /// It would be refused.
    pub fn forecast(&self, now: Time, ask: Ask) -> Result<Forecast, Refusal> {
        self.bench.book.forecast(now, ask, &|turn| self.claims(turn))
    }

    /// What somebody would wait for that has no end anybody knows.
    pub fn waits_told(&self, waits: &Waits) -> String {
        match waits {
            Waits::Told(told) => told.clone(),
            Waits::Turn(turn @ Turn::Ask(_)) => format!("{} asked before", self.bench.book.told_turn(*turn)),
            Waits::Turn(turn @ Turn::Part { run, part }) => {
                let user = self.runs.get(run).map(|run| format!("{}'s ", run.plan.user)).unwrap_or_default();
                let waits = self.part_waits_for(PartKey { run: *run, part: *part });
                let waits = waits.map(|what| format!(", and waits for {what}")).unwrap_or_default();
                format!("{user}{} asked before{waits}", self.bench.book.told_turn(*turn))
            }
        }
    }

    fn part(&self, key: PartKey) -> Option<&crate::part::Part> {
        self.runs.get(&key.run)?.part(key.part)
    }
}
