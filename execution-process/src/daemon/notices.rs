//! What is wrong with this EP itself, told to the engine when it changes: a person should not need this machine's log.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::link::{EpToEngine, Notice};

use super::Daemon;
use crate::clock;

/// The file with what is to be reported cannot be written: nothing is started.
const REPORT_SPOOL: &str = "report_spool";
/// The folder with what tests write cannot be written: they wait.
pub(crate) const LOG_SPOOL: &str = "log_spool";

/// What `[cgroup]` of its settings asks for, and this machine does not have.
const CGROUP: &str = "cgroup";

/// What is wrong, and what of it the engine was told.
#[derive(Debug, Default)]
pub(super) struct Notices {
    now: BTreeMap<&'static str, Notice>,
    told: Vec<Notice>,
}

impl Notices {
    /// Something is wrong, or is not any more. Why may be worded otherwise from moment to moment: the first counts.
    pub(super) fn set(&mut self, code: &'static str, text: Option<String>) {
        match text {
            Some(text) => {
                let notice = || Notice { code: Arc::from(code), text, since: clock::wall() };
                self.now.entry(code).or_insert_with(notice);
            }
            None => drop(self.now.remove(code)),
        }
    }

    /// All of it, for a Hello, which tells it.
    pub(super) fn greet(&mut self) -> Vec<Notice> {
        self.told = self.now.values().cloned().collect();
        self.told.clone()
    }

    /// All of it, where the engine was told otherwise.
    fn news(&mut self) -> Option<Vec<Notice>> {
        (!self.now.values().eq(&self.told)).then(|| self.greet())
    }
}

impl Daemon {
    /// Tells what was seen at the start, and stays so.
    pub(super) fn tell_what_stays(&mut self) {
        let missing = self.station.cgroups.missing.as_ref();
        let text = missing
            .map(|missing| format!("runs tests without all that [cgroup] in its ep.toml says: {missing}"));
        if let Some(text) = &text {
            tracing::warn!("this EP {text}");
        }
        self.notices.set(CGROUP, text);
    }

    /// Looks after the spool, and tells what has changed.
    pub(super) fn tell_notices(&mut self) {
        let text = self.spool.trouble().map(|trouble| {
            format!(
                "cannot write its reports and starts no test until it can; free disk space there: {trouble}"
            )
        });
        self.notices.set(REPORT_SPOOL, text);
        if self.link.control.is_none() {
            return;
        }
        if let Some(notices) = self.notices.news() {
            self.say(EpToEngine::Notices { notices });
        }
    }
}
