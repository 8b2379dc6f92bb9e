//! What the EPs of a story's lab say beside what they do with tests.

use jackfield_protocol::{
    event::Hook,
    id::{EpName, Epoch},
    link::{Notice, ScriptEnded},
    time::Time,
    verdict::Outcome,
};

use super::lab::{Lab, RUN};
use crate::{Event, event::EpOffer};

impl Lab {
    /// An EP connects that takes only the work of one user.
    pub(super) fn join_pool(&mut self, ep: &str, pool: &str) {
        let name = EpName::from(ep);
        let epoch = self.epochs.entry(name.clone()).or_default();
        *epoch += 1;
        let epoch = Epoch(*epoch);
        let offer = EpOffer { lanes: 1, pool: Some(pool.into()), ..EpOffer::default() };
        self.say(Event::EpConnected {
            ep: name,
            epoch,
            offer,
            held: Vec::new(),
            runs: Vec::new(),
            scripts: Vec::new(),
            records_lost: false,
        });
    }

    /// An EP reports the end of a script of the first run.
    pub(super) fn end_script(&mut self, ep: &str, hook: Hook, outcome: Outcome) {
        let epoch = Epoch(self.epochs[&EpName::from(ep)]);
        let (at, exit_code, output) = (Time(0), None, String::new());
        let ended = ScriptEnded { run: RUN, hook, at, elapsed_millis: 1, outcome, exit_code, output };
        self.say(Event::ScriptEnded { ep: ep.into(), epoch, ended: Box::new(ended) });
    }

    /// An EP says what is wrong with it.
    pub(super) fn notice(&mut self, ep: &str, texts: &[&str]) {
        let notice = |text: &&str| Notice { code: (*text).into(), text: (*text).to_owned(), since: Time(0) };
        let epoch = Epoch(self.epochs[&EpName::from(ep)]);
        let notices = texts.iter().map(notice).collect();
        self.say(Event::EpNotices { ep: ep.into(), epoch, notices });
    }
}
