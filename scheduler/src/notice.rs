//! What is wrong with an EP itself, told to the runs that have a part there.

use std::collections::BTreeSet;

use jackfield_protocol::{
    event::Fact,
    id::{EpName, Epoch, RunId},
    link::Notice,
};

use crate::{Scheduler, out::Out, part::PartKey};

impl Scheduler {
    /// An EP says all that is wrong with it now. Only what begins or ends is told.
    pub(crate) fn ep_notices(&mut self, out: &mut Out, name: &EpName, epoch: Epoch, notices: Vec<Notice>) {
        if !self.bench.is_current(name, epoch) {
            return;
        }
        let Some(ep) = self.bench.eps.get_mut(name) else { return };
        let runs: BTreeSet<RunId> = ep.lanes.values().map(|key| key.run).collect();
        let before = std::mem::replace(&mut ep.notices, notices.clone());
        let lacks = |list: &[Notice], notice: &Notice| list.iter().all(|other| other.code != notice.code);
        let over = before.iter().filter(|notice| lacks(&notices, notice)).map(|notice| (notice, true));
        let new = notices.iter().filter(|notice| lacks(&before, notice)).map(|notice| (notice, false));
        let facts: Vec<_> = over
            .chain(new)
            .map(|(notice, over)| Fact::EpNotice { ep: name.clone(), notice: notice.clone(), over })
            .collect();
        for id in runs {
            let Some(run) = self.runs.get_mut(&id) else { continue };
            facts.iter().for_each(|fact| run.publish(out, fact.clone()));
        }
    }

    /// A part came to an EP: what is wrong there is news to its run, unless another part of it is there already.
    pub(crate) fn tell_notices(&mut self, out: &mut Out, key: PartKey, name: &EpName) {
        let Some(ep) = self.bench.eps.get(name) else { return };
        let there = ep.lanes.values().filter(|other| other.run == key.run).count();
        let Some(run) = self.runs.get_mut(&key.run).filter(|_| there <= 1) else { return };
        for notice in &ep.notices {
            run.publish(out, Fact::EpNotice { ep: name.clone(), notice: notice.clone(), over: false });
        }
    }
}
