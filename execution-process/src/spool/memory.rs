//! What the spool remembers: the same whether a record was just written or read back after a restart.

use jackfield_protocol::{id::AttemptId, link::Report, time::Time};

use super::{Running, Spool, StepsLeft, record::Record};
use crate::{cleanup::Cleanup, daemon::scripts::ScriptKey, report_size};

impl Spool {
    pub(super) fn replay(&mut self, record: Record) {
        match record {
            Record::Base { next_seq, running, scripts, records_lost } => {
                self.records_lost |= records_lost;
                self.next_seq = next_seq;
                self.running = running.into_iter().collect();
                self.scripts = scripts.into_iter().collect();
            }
            Record::Report { seq, mut report } => {
                // An earlier build wrote them at any size.
                report_size::fit(&mut report);
                self.note_running(&report);
                self.next_seq = self.next_seq.max(seq.saturating_add(1));
                self.unacked.push_back((seq, report));
            }
            Record::Beginning { attempt, at } => self.note_beginning(attempt, at),
            Record::Process { attempt, pid } => self.note_pid(attempt, pid),
            Record::Cleanup { attempt, cleanup } => self.note_cleanup(attempt, cleanup),
            Record::Steps { attempt, steps } => self.note_steps(attempt, steps),
            Record::Learned { attempt, name, value } => self.note_learned(attempt, name, value),
            Record::Script { script, at } => self.note_script(script, at),
            Record::ScriptProcess { script, pid } => self.note_script_pid(script, pid),
            Record::Acked { seq } => self.forget(seq),
            Record::Dropped { attempt } => {
                self.running.remove(&attempt);
            }
        }
    }

    pub(super) fn note_running(&mut self, report: &Report) {
        match report {
            Report::Started { attempt, at } => self.note_beginning(*attempt, *at),
            Report::Ended(ended) => {
                self.running.remove(&ended.attempt);
            }
            Report::ScriptEnded(ended) => {
                self.scripts.remove(&(ended.run, ended.hook));
            }
        }
    }

    pub(super) fn note_beginning(&mut self, attempt: AttemptId, at: Time) {
        self.running
            .entry(attempt)
            .or_insert_with(|| Running { at, pid: None, cleanups: Vec::new(), steps: None })
            .at = at;
    }

    pub(super) fn note_script(&mut self, script: ScriptKey, at: Time) {
        self.scripts.insert(script, Running { at, pid: None, cleanups: Vec::new(), steps: None });
    }

    pub(super) fn note_script_pid(&mut self, script: ScriptKey, pid: i32) {
        if let Some(running) = self.scripts.get_mut(&script) {
            running.pid = Some(pid);
        }
    }

    pub(super) fn note_pid(&mut self, attempt: AttemptId, pid: i32) {
        if let Some(running) = self.running.get_mut(&attempt) {
            running.pid = Some(pid);
        }
    }

    pub(super) fn note_cleanup(&mut self, attempt: AttemptId, cleanup: Cleanup) {
        if let Some(running) = self.running.get_mut(&attempt) {
            running.cleanups.push(cleanup);
        }
    }

    pub(super) fn note_steps(&mut self, attempt: AttemptId, steps: Box<StepsLeft>) {
        if let Some(running) = self.running.get_mut(&attempt) {
            running.steps = Some(steps);
        }
    }

    pub(super) fn note_learned(&mut self, attempt: AttemptId, name: String, value: String) {
        if let Some(steps) = self.running.get_mut(&attempt).and_then(|running| running.steps.as_mut()) {
            steps.learned.insert(name, value);
        }
    }

    pub(super) fn forget(&mut self, seq: u64) {
        while self.unacked.front().is_some_and(|(first, _)| *first <= seq) {
            self.unacked.pop_front();
        }
    }
}
