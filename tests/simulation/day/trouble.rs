//! What breaks: networks, machines, the engine itself, and its clock.

use jackfield_protocol::{event::Fact, link::Notice, time::Time};
use jackfield_scheduler::{Event, Scheduler};

use super::{Day, Happening};
use crate::lab::SILENCE;

impl Day {
    /// Something breaks.
    pub(super) fn trouble(&mut self) -> Result<(), String> {
        let ep =
            usize::try_from(self.dice.below(u64::try_from(self.eps.len()).expect("small"))).expect("small");
        let away = match self.dice.below(4) {
            0 => self.dice.below(1_000),
            1 | 2 => self.dice.below(15_000),
            _ => self.dice.below(90_000),
        };
        match self.dice.below(10) {
            0..=3 => {
                self.cut(ep);
                self.eps[ep].disconnect();
                self.plan_in(away, Happening::Connect { ep });
            }
            4..=6 => {
                self.cut(ep);
                let (disk, careful) = (self.dice.percent(80), self.dice.percent(50));
                let torn = self.dice.percent(25);
                self.eps[ep].die(self.now, disk, careful, torn);
                if !torn && self.dice.percent(30) {
                    self.eps[ep].offer.lanes = if self.dice.percent(50) { 2 } else { 1 };
                }
                self.plan_in(away, Happening::Connect { ep });
            }
            7 => return self.ail(ep),
            8 => return self.restart(),
            _ => {
                let forth = i64::try_from(self.dice.below(100_000)).expect("small");
                self.skew += if self.dice.percent(50) { forth } else { -(forth / 10) };
            }
        }
        Ok(())
    }

    /// A disk is full, or has room again.
    fn ail(&mut self, ep: usize) -> Result<(), String> {
        let Some(epoch) = self.current.get(&ep).and_then(|link| self.wires.get(link)?.epoch) else {
            return Ok(());
        };
        let notice = Notice { code: "report_spool".into(), text: "is full".to_owned(), since: Time(0) };
        let notices = if self.dice.percent(60) { vec![notice] } else { Vec::new() };
        self.engine(Event::EpNotices { ep: self.eps[ep].name.clone(), epoch, notices })
    }

    /// A connection ends: some of what is under way is lost, and the engine may take long to notice.
    pub(super) fn cut(&mut self, ep: usize) {
        let link = self.eps[ep].link;
        let lost_after = self.now + self.dice.below(40);
        let notice = if self.dice.percent(50) { self.dice.below(200) } else { self.dice.below(SILENCE) };
        let Some(wire) = self.wires.get_mut(&link) else { return };
        wire.cut = wire.cut.min(lost_after);
        if let Some(epoch) = wire.epoch {
            self.plan_in(notice, Happening::Noticed { ep, epoch });
        }
    }

    /// The engine dies and starts again from its rows.
    pub(super) fn restart(&mut self) -> Result<(), String> {
        for ep in 0..self.eps.len() {
            if let Some(wire) = self.wires.get_mut(&self.eps[ep].link) {
                wire.cut = self.now;
            }
            if self.eps[ep].link != 0 {
                self.eps[ep].disconnect();
                let back = self.dice.below(8_000);
                self.plan_in(back, Happening::Connect { ep });
            }
        }
        self.current.clear();
        self.agenda.retain(|_, happening| !matches!(happening, Happening::Noticed { .. }));
        let now = self.engine_time();
        let restored = Scheduler::restore(
            now,
            self.store.restored(self.limits, (self.linked.clone(), self.upkeep.clone())),
        );
        let mut before = std::mem::replace(&mut self.scheduler, restored);
        let eps: Vec<_> =
            before.ep_view().filter(|ep| ep.gone.is_none()).map(|ep| (ep.ep, ep.epoch)).collect();
        let mut stands_still = true;
        for (ep, epoch) in eps {
            let effects = before.handle(now, Event::EpGone { ep, epoch });
            // With one EP gone and another not yet, a part may have found a place that no row knows of.
            stands_still &= !effects.publish.iter().any(|event| matches!(event.fact, Fact::Placed { .. }));
        }
        before.handle(now, Event::Tick);
        self.engine(Event::Tick)?;
        self.engine(Event::NeedsFit { choices: self.choices.clone() })?;
        if stands_still { self.same_as(&before) } else { Ok(()) }
    }

    /// The restored scheduler knows what the one before knew.
    pub(super) fn same_as(&self, before: &Scheduler) -> Result<(), String> {
        let runs: Vec<_> = before.runs().collect();
        if runs != self.live() {
            return Err(format!("runs {runs:?} became {:?} in a restart", self.live()));
        }
        for run in runs {
            let view = |scheduler: &Scheduler| {
                scheduler
                    .run_view(run)
                    .map(|view| (view.state, view.started, view.stopped, view.tests, view.counts))
            };
            let (old, new) = (view(before), view(&self.scheduler));
            if old != new {
                return Err(format!("run {run}: {old:?} became {new:?} in a restart"));
            }
            for (old, new) in before.test_views(run).zip(self.scheduler.test_views(run)) {
                if old != new {
                    return Err(format!("run {run}: {old:?} became {new:?} in a restart"));
                }
            }
            // Whether a part was lent or given up before, and which part of a circle saw it first, stands in no row, so
            // what they wait for may be said otherwise.
            let waiting = |scheduler: &Scheduler| {
                scheduler.why(run).into_iter().map(|waiting| waiting.what).collect::<Vec<_>>()
            };
            let (old, new) = (waiting(before), waiting(&self.scheduler));
            if old != new {
                return Err(format!("in run {run} {old:?} waited, and {new:?} after a restart"));
            }
        }
        Ok(())
    }
}
