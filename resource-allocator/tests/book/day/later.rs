//! Bookings for later: again and again, of a rack for maintenance, and what becomes of them.

use std::{collections::BTreeSet, sync::Arc};

use jackfield_protocol::{
    calendar::{Every, Recurrence, Repeat, Scope},
    id::LeaseId,
    time::Time,
};
use jackfield_resource_allocator::book::{Ask, Holder, Reschedule, Series, Wish};

use super::Day;

impl Day {
    /// Somebody books something again and again, or the lab a rack for maintenance.
    pub(super) fn book(&mut self) {
        let holder = self.person();
        let holder = if self.dice.percent(30) { Holder::Lab(holder) } else { Holder::Person(holder) };
        let ask = Ask {
            length: Some(self.length()),
            shared: self.dice.percent(10),
            ..Ask::new(self.set(), holder)
        };
        let ask = Ask { purpose: "night".to_owned(), ..ask };
        let rule = self.dice.percent(80).then(|| Arc::new(rule()));
        let mut begins = self.begins();
        if rule.is_none() {
            begins.truncate(1);
        }
        let series = Series { ask, begins, rule, partly: self.dice.percent(30) };
        self.wish(LeaseId(0), "ana".into(), false, Wish::Book(Box::new(series)));
    }

    /// Times of a series: some of them too close to each other.
    fn begins(&mut self) -> Vec<Time> {
        let first = self.now.plus_millis(self.length());
        let step = self.length() * 2;
        (0..self.dice.between(1, 4)).map(|number| first.plus_millis(number * step)).collect()
    }

    /// What becomes of a booking, or of its series.
    pub(super) fn rebook(&mut self) -> Wish {
        let length = self.dice.percent(40).then(|| self.length());
        match self.dice.below(5) {
            4 => Wish::Reminded { of: self.now.plus_millis(self.length()) },
            0 => Wish::Move { begin: self.now.plus_millis(self.length()), length },
            1 => {
                let (begins, partly) = (self.begins(), self.dice.percent(40));
                Wish::Reschedule(Box::new(Reschedule { begins, rule: Arc::new(rule()), length, partly }))
            }
            2 => Wish::Cancel(Scope::Following),
            _ => Wish::Cancel(self.dice.pick(&[Scope::One, Scope::Series]).copied().unwrap_or_default()),
        }
    }
}

/// A rule, which the book keeps and does not read.
fn rule() -> Recurrence {
    let repeat = Repeat { every: Every::Day, interval: 1, days: BTreeSet::new(), until: None, times: None };
    Recurrence {
        from: "2026-12-01".parse().unwrap(),
        at: "06:00".parse().unwrap(),
        zone: "UTC".to_owned(),
        repeat,
    }
}
