//! Things break, are judged, checked and repaired.

use std::sync::Arc;

use jackfield_protocol::id::{LeaseId, RunId};
use jackfield_resource_allocator::book::{
    Checked, Ended, Holder, Judgement, Leased, Outage, Set, Upkeep, Used,
};

use super::{Day, WAITING_MAX};
use crate::model::{Rules, Waiting};

impl Day {
    pub(super) fn something_breaks_or_is_mended(&mut self) {
        match self.dice.below(8) {
            0 => self.judge(),
            1 => self.rules_change(),
            2..=4 => self.use_something(),
            5 | 6 => self.check_begins(),
            _ => self.check_ends(),
        }
    }

    fn judge(&mut self) {
        let Some(spot) = self.dice.pick(&self.spots).cloned() else { return };
        let why = "the display is dead".to_owned();
        let judgement = match self.dice.below(5) {
            0..=2 => Judgement::Fit,
            3 => Judgement::Dirty(why),
            _ => Judgement::Out(why),
        };
        if self.loud {
            println!("{} {} is {judgement:?}", self.now, spot.path);
        }
        self.model.judge(&spot, &judgement);
        self.book.judge(self.now, spot, judgement, &"ana".into());
    }

    pub(super) fn rules_change(&mut self) {
        let mut rules = Rules {
            spoiled_max: u32::try_from(self.dice.below(4)).unwrap(),
            after_each: self.dice.percent(20),
            ..Rules::default()
        };
        for path in self.spots.clone().into_iter().map(|spot| spot.path) {
            if self.dice.percent(6) {
                rules.out.insert(path.clone(), self.dice.percent(70));
            }
            if self.dice.percent(30) {
                let project = if self.dice.percent(80) { "check.xml" } else { "" };
                rules.checks.insert(path, project.to_owned());
            }
        }
        if self.loud {
            println!("{} {rules:?}", self.now);
        }
        self.model.rules = rules;
        self.book.set_upkeep(self.upkeep());
    }

    /// A test of a run says how it went.
    fn use_something(&mut self) {
        let held: Vec<LeaseId> =
            self.book.leases().filter(|lease| lease.holder.run().is_some()).map(|lease| lease.id).collect();
        let Some(id) = self.dice.pick(&held).copied() else { return };
        let said = [
            Used::Unknown,
            Used::Sound,
            Used::Left("EP lost".to_owned()),
            Used::Spoiled("no answer".to_owned()),
            Used::Spoiled("no answer".to_owned()),
        ];
        let said = self.dice.pick(&said).cloned().unwrap_or_default();
        if self.loud {
            println!("{} lease {id}: {said:?}", self.now);
        }
        let rank = |used: &Used| match used {
            Used::Unknown => 0,
            Used::Sound => 1,
            Used::Left(_) => 2,
            Used::Spoiled(_) => 3,
        };
        let lease = self.model.leases.iter_mut().find(|lease| lease.id == id).unwrap();
        if rank(&said) > rank(&lease.used) {
            lease.used = said.clone();
        }
        self.book.used(id, said);
    }

    /// A run comes that checks a dirty node.
    fn check_begins(&mut self) {
        let to_check = self.model.to_check();
        let Some(path) = self.dice.pick(&to_check).cloned() else { return };
        if self.book.waiting().count() + 1 > WAITING_MAX {
            return;
        }
        let spot = self.spots.iter().find(|spot| spot.path == path).unwrap().clone();
        self.runs += 1;
        let run = RunId(self.runs);
        if self.loud {
            println!("{} run {run} checks {path}", self.now);
        }
        self.book.check_begins(self.now, &spot.node, run);
        self.model.check_begins(&path, run);
        let waiting = Waiting {
            run,
            part: 0,
            submitted: self.now,
            set: Set { nodes: vec![spot], ..Set::default() },
            inside: None,
            needs: None,
            promised: Set::default(),
        };
        self.parts.0.insert((run, 0), (true, true));
        self.enlist(&waiting);
        self.model.parts.push(waiting);
        self.book.wake_all();
    }

    /// It is over, whether it ever began or not.
    fn check_ends(&mut self) {
        let runs: Vec<RunId> = self.model.checks();
        let Some(run) = self.dice.pick(&runs).copied() else { return };
        let checked = match self.dice.below(6) {
            0 => Checked::Failed("no answer".to_owned()),
            1 => Checked::Fruitless { by: Some("ana".into()) },
            2 => Checked::Fruitless { by: None },
            _ => Checked::Passed,
        };
        if self.loud {
            println!("{} run {run}: {checked:?}", self.now);
        }
        let held: Vec<LeaseId> = self
            .book
            .leases()
            .filter(|lease| lease.holder.run() == Some(run))
            .map(|lease| lease.id)
            .collect();
        for id in held {
            self.book.end(self.now, id, Ended::RunEnd);
            self.model.end(self.now, id, Ended::RunEnd);
        }
        self.book.delist(run, 0);
        self.model.parts.retain(|waiting| waiting.run != run);
        self.book.checked(self.now, run, &checked);
        self.model.checked(run, &checked);
    }

    /// Those who leave the choice may have been promised something else, since something broke or was mended; what they are
    /// promised fits and works.
    pub(super) fn promised_anew(&mut self) -> Result<(), String> {
        let mut model = self.model.clone();
        for lease in model.leases.iter_mut().filter(|lease| lease.is_waiting() && lease.leaves_choice()) {
            let promised = self.book.lease(lease.id).map(crate::model::set).unwrap_or_default();
            let text = lease.needs.clone().unwrap_or_default();
            let terms = (&lease.holder, lease.inside, lease.repairs);
            self.model.check_way(&text, &Set::default(), &promised, terms)?;
            lease.what = Leased::Set(promised);
        }
        for part in model.parts.iter_mut().filter(|part| part.needs.is_some()) {
            let promised = self.promised(part);
            let text = part.needs.clone().unwrap_or_default();
            let terms = (&Holder::Run(part.run), part.inside, false);
            self.model.check_way(&text, &part.set, &promised, terms)?;
            part.promised = promised;
        }
        self.model = model;
        Ok(())
    }

    /// Everything works at the end of the day.
    pub(super) fn mend_all(&mut self) {
        self.model.rules = Rules::default();
        self.book.set_upkeep(Upkeep::default());
        for spot in self.spots.clone() {
            self.model.judge(&spot, &Judgement::Fit);
            self.book.judge(self.now, spot, Judgement::Fit, &"ana".into());
        }
    }

    /// The engine kept what the book said of nodes.
    pub(super) fn store_health(&mut self) {
        for health in self.book.take_health_rows() {
            if self.loud {
                println!("    {health}");
            }
            if health.is_sound() {
                self.health.remove(&health.spot.node);
            } else {
                self.health.insert(health.spot.node.clone(), health);
            }
        }
    }

    /// The upkeep as the engine tells it after a restart.
    pub(super) fn upkeep(&self) -> Upkeep {
        let node = |path: &String| self.spots.iter().find(|spot| spot.path == *path).unwrap().node.clone();
        let Rules { out, checks, spoiled_max, after_each } = &self.model.rules;
        let outage = |path: &String| Outage { path: path.clone(), why: "moved".to_owned() };
        let said = |(path, is_out): (&String, &bool)| (node(path), is_out.then(|| outage(path)));
        Upkeep {
            out: out.iter().map(said).collect(),
            checks: checks.iter().map(|(path, project)| (node(path), Arc::from(project.as_str()))).collect(),
            spoiled_max: *spoiled_max,
            after_each: *after_each,
        }
    }
}
