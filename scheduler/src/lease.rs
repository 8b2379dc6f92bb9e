//! What persons do with leases, and what SUTs link to.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    id::{LeaseId, SutName},
    time::Time,
};
use jackfield_resource_allocator::book::{Ask, Forecast, Refusal, Spot, Turn, Waits, Who, Wish};

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
        let before = std::mem::replace(&mut self.bench.links, links);
        let is_new = |sut: &SutName| before.get(sut) != self.bench.links.get(sut);
        let concerns = |key: &PartKey| self.part(*key).is_some_and(|part| part.suts.iter().any(is_new));
        let concerned: Vec<PartKey> = self.bench.waiters.all.iter().copied().filter(concerns).collect();
        for key in concerned {
            self.queue_again(key);
        }
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
