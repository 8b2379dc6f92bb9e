//! What this EP has to report, on disk before it is said, and until the engine has it.
//!
//! One append-only file of checked records. A record is written (and so survives a kill of this process) before the
//! next test starts; a thread of its own makes what was written durable, many records at a time, and only then are
//! they sent. So neither the disk nor the network stands between two tests. A record that was cut off by a crash
//! is recognised by its check and cut away. When the disk is full, records wait in memory, the caller starts
//! no further test, and [`Spool::retry`] tries again.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_protocol::{
    id::AttemptId,
    link::{Assignment, Report, RunContext},
    time::Time,
};
use record::Record;
use serde::{Deserialize, Serialize};
pub(crate) use sync::Synced;

use crate::limits::SPOOL_ROTATE_BYTES;
use crate::{cleanup::Cleanup, daemon::scripts::ScriptKey, report_size};

mod memory;
mod record;
mod sync;

/// The reports that are not acknowledged, and the tests whose end is not reported.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    file: Arc<File>,
    /// Up to here the file is good; what a failed write left behind it is overwritten.
    length: u64,
    rotate_at: u64,
    next_seq: u64,
    unacked: VecDeque<(u64, Report)>,
    running: BTreeMap<AttemptId, Running>,
    /// Scripts around runs, likewise.
    scripts: BTreeMap<ScriptKey, Running>,
    durable_seq: u64,
    sent_seq: u64,
    /// Some could not be read, and no engine was told yet: more may have been done than is known here.
    records_lost: bool,
    /// Records that are not in the file yet, because the disk would not take them.
    pending: Vec<u8>,
    trouble: Option<String>,
    sync: sync::SyncThread,
}

/// A test that was started and has not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// When.
    pub(crate) at: Time,
    /// Its process, which leads a process group; none where the EP died before it knew.
    pub(crate) pid: Option<i32>,
    /// What is to be done after its end.
    pub(crate) cleanups: Vec<Cleanup>,
    /// A step test whose clean-up is a part of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) steps: Option<Box<StepsLeft>>,
}

/// What another life of this EP needs for the clean-up of a step test. What the lab says of devices is not among it: it has secrets, and is
/// asked for again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StepsLeft {
    /// The test.
    pub(crate) order: Assignment,
    /// Its run.
    pub(crate) context: RunContext,
    /// Its variables, but for secrets.
    pub(crate) learned: BTreeMap<String, String>,
}

impl Spool {
    /// Opens the spool and says with `synced` from its own thread what has become durable. What cannot be read is told and put aside; a spool
    /// that `should_be_there` and is not has lost everything.
    ///
    /// # Errors
    /// The file cannot be read, or a good copy of it cannot be written.
    pub(crate) fn open(
        path: &Path,
        should_be_there: bool,
        synced: impl Fn(Synced) + Send + 'static,
    ) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut &file, &mut bytes)?;
        let mut spool = Self {
            path: path.to_owned(),
            file: Arc::new(file),
            length: 0,
            rotate_at: SPOOL_ROTATE_BYTES,
            next_seq: 1,
            unacked: VecDeque::new(),
            running: BTreeMap::new(),
            scripts: BTreeMap::new(),
            durable_seq: 0,
            sent_seq: 0,
            records_lost: false,
            pending: Vec::new(),
            trouble: None,
            sync: sync::SyncThread::start(synced)?,
        };
        let (records, unread) = record::read_all(&bytes);
        let is_missing = should_be_there && records.is_empty();
        records.into_iter().for_each(|record| spool.replay(record));
        if unread > 0 || is_missing {
            spool.records_lost = true;
            tell_damage(path, bytes.len(), unread);
        }
        spool.rotate()?;
        spool.durable_seq = spool.next_seq.saturating_sub(1);
        Ok(spool)
    }

    /// Writes a report down; it is sent when it is durable. One that is too large for the link would stop all behind it, and is cut.
    pub(crate) fn report(&mut self, mut report: Report) {
        report_size::fit(&mut report);
        let seq = self.next_seq;
        self.next_seq = seq.saturating_add(1);
        self.note_running(&report);
        self.append(&Record::Report { seq, report: report.clone() });
        self.unacked.push_back((seq, report));
        if self.trouble.is_none() {
            self.sync.request(&self.file, seq);
        }
    }

    /// Remembers that a test is about to be started. It is written, and so survives a kill of this EP, when this returns.
    pub(crate) fn beginning(&mut self, attempt: AttemptId, at: Time) {
        self.note_beginning(attempt, at);
        self.append(&Record::Beginning { attempt, at });
    }

    /// Remembers the process of a started test, so that a later life of this EP can end what is left of it.
    pub(crate) fn process(&mut self, attempt: AttemptId, pid: i32) {
        self.note_pid(attempt, pid);
        self.append(&Record::Process { attempt, pid });
    }

    /// Remembers a script around a run that begins; its end is a report.
    pub(crate) fn script_begun(&mut self, script: ScriptKey, at: Time) {
        self.note_script(script, at);
        self.append(&Record::Script { script, at });
    }

    /// Remembers the process of a script.
    pub(crate) fn script_process(&mut self, script: ScriptKey, pid: i32) {
        self.note_script_pid(script, pid);
        self.append(&Record::ScriptProcess { script, pid });
    }

    /// Remembers what is to be done after the end of a test, also where this EP does not live to see it.
    pub(crate) fn cleanup(&mut self, attempt: AttemptId, cleanup: Cleanup) {
        self.note_cleanup(attempt, cleanup.clone());
        self.append(&Record::Cleanup { attempt, cleanup });
    }

    /// Remembers a step test that begins, for its clean-up.
    pub(crate) fn steps(&mut self, attempt: AttemptId, steps: Box<StepsLeft>) {
        self.note_steps(attempt, steps.clone());
        self.append(&Record::Steps { attempt, steps });
    }

    /// Remembers what a step test learned.
    pub(crate) fn learned(&mut self, attempt: AttemptId, name: String, value: String) {
        self.note_learned(attempt, name.clone(), value.clone());
        self.append(&Record::Learned { attempt, name, value });
    }

    /// The engine does not want this test; nothing will be reported of it.
    pub(crate) fn dropped(&mut self, attempt: AttemptId) {
        if self.running.remove(&attempt).is_some() {
            self.append(&Record::Dropped { attempt });
        }
    }

    /// The engine has stored everything up to here.
    pub(crate) fn acked(&mut self, seq: u64) {
        if self.unacked.front().is_none_or(|(first, _)| *first > seq) {
            return;
        }
        self.forget(seq);
        self.append(&Record::Acked { seq });
        if self.length > self.rotate_at
            && self.trouble.is_none()
            && let Err(error) = self.rotate()
        {
            self.fail(&error);
        }
    }

    /// A new connection, whose engine has stored everything up to `acked_seq`: what is left is to be sent again.
    ///
    /// An engine that knows more reports than this spool ever wrote knew an EP of this name with another work
    /// folder; the count goes on from there, or the engine would take new reports for old ones.
    pub(crate) fn connected(&mut self, acked_seq: u64) {
        // The engine has stored what it made of that.
        let was_lost = std::mem::take(&mut self.records_lost);
        if was_lost && let Err(error) = self.rotate() {
            self.fail(&error);
        }
        if acked_seq < self.next_seq {
            self.acked(acked_seq);
        } else {
            let mut seq = acked_seq;
            for (number, _) in &mut self.unacked {
                seq = seq.saturating_add(1);
                *number = seq;
            }
            self.next_seq = seq.saturating_add(1);
            if let Err(error) = self.rotate() {
                self.fail(&error);
            }
            self.durable_seq = self.durable_seq.max(acked_seq);
        }
        self.sent_seq = self.unacked.front().map_or(0, |(first, _)| first.saturating_sub(1));
    }

    /// Forgets all of it: another engine gave it out. The numbers go on.
    pub(crate) fn forget_all(&mut self) {
        self.unacked.clear();
        self.running.clear();
        self.scripts.clear();
        self.pending.clear();
        self.sent_seq = self.next_seq.saturating_sub(1);
        if let Err(error) = self.rotate() {
            self.fail(&error);
        }
    }

    /// Whether more may have been done than is known here, and no engine was told yet.
    pub(crate) fn records_lost(&self) -> bool {
        self.records_lost
    }

    /// The disk has everything up to this report.
    pub(crate) fn durable(&mut self, synced: &Synced) {
        match synced {
            Synced::UpTo(seq) => self.durable_seq = self.durable_seq.max(*seq),
            Synced::Failed(reason) => self.trouble = Some(reason.clone()),
        }
    }

    /// What may be sent now and was not yet sent on this connection.
    pub(crate) fn take_ready(&mut self) -> Vec<(u64, Report)> {
        let (from, to) = (self.sent_seq, self.durable_seq);
        if from >= to {
            return Vec::new();
        }
        let ready = self.unacked.iter().rev().take_while(|(seq, _)| *seq > from);
        let mut ready: Vec<_> = ready.filter(|(seq, _)| *seq <= to).cloned().collect();
        ready.reverse();
        self.sent_seq = ready.last().map_or(from, |(seq, _)| *seq);
        ready
    }

    /// Tries again to write what the disk would not take. True when all is well.
    pub(crate) fn retry(&mut self) -> bool {
        if self.trouble.is_none() {
            return true;
        }
        // A disk that failed to sync may have lost what it was given: only a whole new copy is to be trusted.
        match self.rotate() {
            Ok(()) => {
                self.trouble = None;
                self.pending.clear();
                self.sync.request(&self.file, self.next_seq.saturating_sub(1));
            }
            Err(error) => self.fail(&error),
        }
        self.trouble.is_none()
    }

    /// Why nothing can be written, while that is so.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Tests that were started and whose end is not reported.
    pub(crate) fn running(&self) -> &BTreeMap<AttemptId, Running> {
        &self.running
    }

    /// Scripts that were started and whose end is not reported.
    pub(crate) fn scripts(&self) -> &BTreeMap<ScriptKey, Running> {
        &self.scripts
    }

    /// Scripts whose end waits to be acknowledged.
    pub(crate) fn ended_scripts(&self) -> impl Iterator<Item = ScriptKey> {
        self.unacked.iter().filter_map(|(_, report)| match report {
            Report::ScriptEnded(ended) => Some((ended.run, ended.hook)),
            Report::Started { .. } | Report::Ended(_) => None,
        })
    }

    /// Attempts whose end waits to be acknowledged.
    pub(crate) fn ended(&self) -> impl Iterator<Item = AttemptId> {
        self.unacked.iter().filter_map(|(_, report)| match report {
            Report::Ended(ended) => Some(ended.attempt),
            Report::Started { .. } | Report::ScriptEnded(_) => None,
        })
    }

    /// Reports that are not acknowledged.
    pub(crate) fn unacked(&self) -> usize {
        self.unacked.len()
    }

    fn append(&mut self, record: &Record) {
        record::write(&mut self.pending, record);
        if self.trouble.is_some() {
            return;
        }
        match self.file.write_all_at(&self.pending, self.length) {
            Ok(()) => {
                self.length = self.length.saturating_add(bytes(&self.pending));
                self.pending.clear();
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Writes a new file with only what still matters, and puts it in the old one's place.
    fn rotate(&mut self) -> io::Result<()> {
        let mut text = Vec::new();
        for (seq, report) in &self.unacked {
            record::write(&mut text, &Record::Report { seq: *seq, report: report.clone() });
        }
        // After the reports, so that reading their starts again changes nothing about what runs.
        let running = self.running.iter().map(|(attempt, running)| (*attempt, running.clone())).collect();
        let scripts = self.scripts.iter().map(|(script, running)| (*script, running.clone())).collect();
        record::write(
            &mut text,
            &Record::Base { next_seq: self.next_seq, running, scripts, records_lost: self.records_lost },
        );
        let new = self.path.with_extension("new");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&new)?;
        file.write_all(&text)?;
        file.sync_data()?;
        std::fs::rename(&new, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        self.file = Arc::new(file);
        self.length = bytes(&text);
        self.rotate_at = SPOOL_ROTATE_BYTES.max(self.length.saturating_mul(2));
        Ok(())
    }

    fn fail(&mut self, error: &io::Error) {
        let reason = format!("`{}` cannot be written: {error}", self.path.display());
        if self.trouble.is_none() {
            tracing::error!("{reason}; no further test is started until it can; free disk space");
        }
        self.trouble = Some(reason);
    }
}

/// Says what is lost, and keeps what could not be read for whoever wants to know why.
fn tell_damage(path: &Path, length: usize, unread: usize) {
    let aside = path.with_extension("damaged");
    let kept = std::fs::copy(path, &aside).map_or_else(
        |error| format!("cannot be kept: {error}"),
        |_| format!("is kept as `{}`", aside.display()),
    );
    tracing::error!(
        "`{}`, with what this execution process did and has to report, is damaged: {unread} of its {length} bytes cannot be read. What it was given and \
         cannot account for is told as lost. The damaged file {kept}; look after the disk",
        path.display()
    );
}

fn bytes(slice: &[u8]) -> u64 {
    u64::try_from(slice.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
