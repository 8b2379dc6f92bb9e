//! Records of the spool: length, check, JSON.

use jackfield_protocol::{id::AttemptId, link::Report, time::Time};
use serde::{Deserialize, Serialize};

use super::{Running, StepsLeft};
use crate::{cleanup::Cleanup, daemon::scripts::ScriptKey};

/// One line of the spool's story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Record {
    /// Once in each file, after the reports it begins with: the number of the next report, and what runs.
    Base {
        next_seq: u64,
        running: Vec<(AttemptId, Running)>,
        #[serde(default)]
        scripts: Vec<(ScriptKey, Running)>,
        /// Records before it were damaged, and no engine was told yet.
        #[serde(default)]
        records_lost: bool,
    },
    /// A fact for the engine.
    Report { seq: u64, report: Report },
    /// A test is about to be started: from here on nobody may say that it was not.
    Beginning { attempt: AttemptId, at: Time },
    /// The process of a running test.
    Process { attempt: AttemptId, pid: i32 },
    /// What is to be done after the end of a running test.
    Cleanup { attempt: AttemptId, cleanup: Cleanup },
    /// A step test begins that has a clean-up.
    Steps { attempt: AttemptId, steps: Box<StepsLeft> },
    /// What a step test learned that its clean-up may need.
    Learned { attempt: AttemptId, name: String, value: String },
    /// A script around a run begins.
    Script { script: ScriptKey, at: Time },
    /// The process of a script.
    ScriptProcess { script: ScriptKey, pid: i32 },
    /// The engine has everything up to here.
    Acked { seq: u64 },
    /// A running test was given up without a report.
    Dropped { attempt: AttemptId },
}

const HEAD_BYTES: usize = 8;

/// Adds a record to what will be written.
pub(crate) fn write(out: &mut Vec<u8>, record: &Record) {
    let text = serde_json::to_vec(record).expect("records have text keys, which is all that JSON can refuse");
    let length = u32::try_from(text.len()).expect("a record is far smaller than 4 GiB");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&check(&text));
    out.extend_from_slice(&text);
}

/// Every whole record from the start on, and how many bytes are left: the first record that is cut off or damaged ends the story, because what
/// stands behind it may rest on it.
pub(crate) fn read_all(mut bytes: &[u8]) -> (Vec<Record>, usize) {
    let mut records = Vec::new();
    while let Some((record, rest)) = read(bytes) {
        bytes = rest;
        records.push(record);
    }
    (records, bytes.len())
}

fn read(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let [a, b, c, d, sum @ ..] = *head;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    let (text, rest) = rest.split_at_checked(length)?;
    if check(text) != sum {
        return None;
    }
    Some((serde_json::from_slice(text).ok()?, rest))
}

fn check(text: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = *blake3::hash(text).as_bytes();
    [a, b, c, d]
}
