//! What fits needs, which changes while somebody waits.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_resource_allocator::book::{
    Alternative, Candidate, Choice, Holder, Leased, Options, Set, Spot, Turn,
};

use super::Day;
use crate::model::Waiting;

impl Day {
    /// Something else fits certain needs from now on.
    pub(super) fn edit(&mut self, number: u64) {
        let together = self.dice.percent(30);
        let bed = |spot: &Spot| spot.path.split('/').nth(1).unwrap_or_default().to_owned();
        let candidates: Vec<_> = self
            .spots
            .iter()
            .map(|spot| Candidate {
                spot: spot.clone(),
                same: vec![Some(together.then(|| bed(spot)).into_iter().collect())],
            })
            .collect();
        let mut needs = Vec::new();
        for name in ["dut", "peer"].into_iter().take(if self.dice.percent(70) { 1 } else { 2 }) {
            let mut alternatives = Vec::new();
            for _ in 0..if self.dice.percent(70) { 1 } else { 2 } {
                let fits = (0..candidates.len()).filter(|_| self.dice.percent(45)).collect();
                alternatives.push(Alternative {
                    text: String::new(),
                    count: if self.dice.percent(75) { 1 } else { 2 },
                    fits,
                });
            }
            needs.push(Options { name: name.into(), scope: 0, alternatives });
        }
        let text: Arc<str> = format!("needs {number}").into();
        let choice = Arc::new(Choice { text: Arc::clone(&text), candidates, needs });
        if self.loud {
            println!("{} {choice:?}", self.now);
        }
        self.model.choices.insert(text, choice);
    }

    /// The book is told what fits now, and promises anew.
    pub(super) fn repromise(&mut self) -> Result<(), String> {
        let before: BTreeMap<_, _> =
            self.book.needs().map(|text| (text.clone(), self.book.choice(text).cloned())).collect();
        self.book.set_choices(self.model.choices.values().cloned());
        let is_new = |text: &Arc<str>| {
            before.get(text).is_some_and(|before| before.as_ref() != Some(&self.model.choices[text]))
        };
        let mut leases = self.model.leases.clone();
        for lease in leases.iter_mut().filter(|lease| lease.is_waiting() && lease.leaves_choice()) {
            let text = lease.needs.clone().unwrap_or_default();
            let promised = self.book.lease(lease.id).map(crate::model::set).unwrap_or_default();
            if is_new(&text) {
                let terms = (&lease.holder, lease.shared, lease.inside, lease.repairs);
                self.model.check_promise(&text, terms, &Set::default(), &promised)?;
                lease.what = Leased::Set(promised);
            }
        }
        self.model.leases = leases;
        let mut parts = self.model.parts.clone();
        for part in &mut parts {
            let Some(text) = part.needs.clone().filter(|text| is_new(text)) else { continue };
            part.promised = self.promised(part);
            let holder = Holder::Run(part.run);
            self.model.check_promise(
                &text,
                (&holder, false, part.inside, false),
                &part.set,
                &part.promised,
            )?;
        }
        self.model.parts = parts;
        Ok(())
    }

    /// What the book has promised to a part of a run, told by what is not named.
    pub(super) fn promised(&self, part: &Waiting) -> Set {
        let (run, number) = (part.run, part.part);
        let wants = self.book.waiter(Turn::Part { run, part: number }).map(|(_, want)| want.set.clone());
        let mut nodes = wants.unwrap_or_default().nodes;
        nodes.retain(|spot| !part.set.nodes.contains(spot));
        Set { nodes, ..Set::default() }
    }
}
