//! The conversation of engine and EP: JSON text frames over one WebSocket that the EP opens.
//!
//! ```text
//! EP                                engine
//! Hello ──────────────────────────▶          who I am, what I still hold
//!        ◀────────────────────────── Welcome / Refused
//!        ◀────────────────────────── OpenRun, Assign, Assign, …      sent ahead, in order of running
//!        ◀────────────────────────── RunScript                       before or after a run
//! Report{seq} ────────────────────▶          started, ended: from the spool, in order
//!        ◀────────────────────────── Ack{seq}                        stored: the spool may forget
//! (log frames, binary) ───────────▶
//!        ◀────────────────────────── LogStored                       opens the log window again
//! Call{id} ───────────────────────▶          a running test asks something
//!        ◀────────────────────────── Answer{id}
//! Notices ────────────────────────▶          what is wrong with the EP itself, while it is
//!        ◀────────────────────────── AskSessions{id}, OpenConsole     a person wants to see a session, or a device
//! Sessions{id} ───────────────────▶
//! Heartbeat ──────────────────────▶ ◀──────── Heartbeat
//! ```
//!
//! Rules both sides keep:
//! - An EP starts the tests of a lane in the order of their `Assign`s, one at a time.
//! - What an EP reports stands in its spool on disk before it is sent, and until it is acknowledged.
//! - An EP that has heard nothing for `silence_millis` starts no further test until it is connected again; the one
//!   that runs goes on. The engine gives tests away only after that limit and the run's grace time, so that no
//!   test runs twice at once.
//! - Unacknowledged log bytes never exceed `log_window_bytes`; control frames go before log frames.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    console::{ConsoleOrder, OpenSession},
    error::Problem,
    event::Hook,
    guard::{Guard, Raise},
    id::{AttemptId, BlobHash, EpName, Epoch, RunId, SutName, UserName},
    log::Stream,
    plan::{Iteration, Library, LibraryLayout},
    time::Time,
    verdict::{Outcome, Verdict},
};

pub use crate::call::{Call, CallResult, Interact, InteractKind};

/// The WebSocket subprotocol, and the path below the engine's address.
pub const SUBPROTOCOL: &str = "jackfield.v1";
/// Where an EP connects: `ws://engine:8000/link`.
pub const LINK_PATH: &str = "/link";
/// The one protocol version this build speaks.
pub const VERSION: u16 = 1;

/// What an EP says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EpToEngine {
    /// First frame of a connection.
    Hello(Box<Hello>),
    /// A fact, from the spool; repeated after a reconnect until acknowledged.
    Report {
        /// Counts up by one per report over the life of the EP's spool.
        seq: u64,
        /// The fact.
        report: Report,
    },
    /// What an earlier [`EngineToEp::TakeBack`] got back: these were not started and never will be.
    Returned {
        /// The attempts given up.
        attempts: Vec<AttemptId>,
    },
    /// A running test asks the engine something; the answer carries the same id.
    Call {
        /// Chosen by the EP, unique on this connection.
        id: u64,
        /// The test that asks.
        attempt: AttemptId,
        /// The question.
        call: Call,
    },
    /// Everything that is wrong with the EP itself now; said when that changes. What was wrong and is not in it is over.
    Notices {
        /// By code, each once.
        notices: Vec<Notice>,
    },
    /// The answer to [`EngineToEp::AskSessions`].
    Sessions {
        /// Of the question.
        id: u64,
        /// Sorted.
        sessions: Vec<OpenSession>,
    },
    /// I live.
    Heartbeat,
    /// The EP ends on purpose, after what it reported; nothing more comes on this connection.
    Goodbye {
        /// For people.
        reason: String,
    },
}

/// Who an EP is, and what it still holds from before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Oldest protocol version it speaks.
    pub version_min: u16,
    /// Newest protocol version it speaks.
    pub version_max: u16,
    /// Its name: unique in the engine.
    pub ep: EpName,
    /// The secret an administrator made for it (`jackfield token create --scope ep`).
    pub token: String,
    /// The build it runs.
    pub software: String,
    /// The machine.
    pub host: Host,
    /// For placing suites (`site=lab2`, `rack=3`).
    #[serde(default)]
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// What it can run and drive: `python`, `tcl`, `ssh`, `serial` …
    #[serde(default)]
    pub capabilities: Vec<Arc<str>>,
    /// How many tests it runs at once, each on a lane of its own, numbered from 0.
    pub lanes: u16,
    /// The user whose work alone it takes; none means anybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<UserName>,
    /// Attempts it was given and has not seen acknowledged to the end.
    #[serde(default)]
    pub held: Vec<Held>,
    /// Runs it was told to open and not to close: it still has their sessions, files and latches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunId>,
    /// Scripts around runs that it was given and has not seen acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<HeldScript>,
    /// What is wrong with the EP itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

/// Something about an EP as a whole that a person should know, for as long as it lasts: a disk that is full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notice {
    /// Which condition: `report_spool`, `log_spool`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub code: Arc<str>,
    /// What is wrong, what it leads to, and what to do: the end of a sentence that begins with the EP's name.
    pub text: String,
    /// Since when, by the EP's clock.
    pub since: Time,
}

/// The machine an EP runs on (`twister_ep_hostname`, `_ip`, `_os`, `_python_revision`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Host {
    /// Its name.
    pub name: String,
    /// The address it reaches the engine from.
    pub ip: String,
    /// Operating system and release.
    pub os: String,
    /// The version of the Python that runs tests; empty where there is none.
    #[serde(default)]
    pub python: String,
}

/// An attempt an EP still holds when it connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Which.
    pub attempt: AttemptId,
    /// How far it is.
    pub state: HeldState,
}

/// How far a held attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldState {
    /// Accepted, not started.
    Queued,
    /// Running now.
    Running,
    /// Ended; its report waits in the spool.
    Ended,
}

/// A fact about an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Report {
    /// Its process was started.
    Started {
        /// Which.
        attempt: AttemptId,
        /// When, by the EP's clock.
        at: Time,
    },
    /// It has ended; the last report of an attempt.
    Ended(Box<Ended>),
    /// A script around a run has ended.
    ScriptEnded(Box<ScriptEnded>),
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Which.
    pub attempt: AttemptId,
    /// When, by the EP's clock.
    pub at: Time,
    /// How long its process lived; 0 where a guard forbade it.
    pub elapsed_millis: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The process's exit status, where one ran and ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The tests inside the test (pytest, Robot Framework, JUnit producers, steps).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Clean-ups the EP ran after it, each with its own verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleanups: Vec<Part>,
    /// Custom variables the test set, for SQL and mail.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<Arc<str>, Arc<str>>,
    /// Bytes in each of its logs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub log_bytes: BTreeMap<Stream, u64>,
    /// Files it left (recordings, attachments): name and content, uploaded before this report.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<Arc<str>, BlobHash>,
}

/// The end of a script around a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptEnded {
    /// Of which run.
    pub run: RunId,
    /// Before or after it.
    pub hook: Hook,
    /// When, by the EP's clock.
    pub at: Time,
    /// How long its process lived.
    pub elapsed_millis: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The process's exit status, where one ran and ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// What it printed, cut at the order's limit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// A script that an EP still holds when it connects: its end is not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldScript {
    /// Of which run.
    pub run: RunId,
    /// Before or after it.
    pub hook: Hook,
    /// It has ended; its report waits in the spool.
    pub ended: bool,
}

/// A test inside a test, or a step, or a clean-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Part {
    /// As its framework names it.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How long it took.
    #[serde(default)]
    pub elapsed_millis: u64,
    /// Values it looked at, each with how it was to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// A value that a test looked at, and how it was to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// Whose value.
    pub name: String,
    /// The value as the device or the test wrote it, a long one cut.
    pub value: String,
    /// What it counts, where the test says so beside the value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// What had to hold, by the word of the relation: `at_most`, `contains`; none for a value that is only kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, String>,
    /// PASS or FAIL; INVALID where the limit itself is wrong.
    pub verdict: Verdict,
}

impl Check {
    /// The value with its unit.
    pub fn shown(&self) -> String {
        if self.unit.is_empty() { self.value.clone() } else { format!("{} {}", self.value, self.unit) }
    }

    /// Whether it is a figure, and not a text that was searched: it has a unit, is compared by its size, or is only kept.
    pub fn is_figure(&self) -> bool {
        let by_size = ["above", "below", "at_least", "at_most"];
        self.limits.is_empty()
            || !self.unit.is_empty()
            || by_size.iter().any(|word| self.limits.contains_key(*word))
    }

    /// What had to hold, in words: `at_least 10, at_most 20`.
    pub fn shown_limits(&self) -> String {
        let limits: Vec<String> =
            self.limits.iter().map(|(relation, limit)| format!("{relation} {limit}")).collect();
        limits.join(", ")
    }
}

/// What the engine says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EngineToEp {
    /// The answer to a good Hello.
    Welcome(Welcome),
    /// The answer to a Hello that cannot be served; the connection closes after it.
    Refused(Problem),
    /// What holds for every test of a run; before its first `Assign` on this connection.
    OpenRun(Box<RunContext>),
    /// A test to run when the lane's earlier ones have ended, if its guards allow.
    Assign(Box<Assignment>),
    /// Give up these, if they are not started; answered with [`EpToEngine::Returned`].
    TakeBack {
        /// Attempts that were assigned.
        attempts: Vec<AttemptId>,
    },
    /// End these, running or not: TERM, grace, KILL. Each is reported ended with this outcome.
    Stop {
        /// Attempts that were assigned.
        attempts: Vec<AttemptId>,
        /// What they end with.
        outcome: Outcome,
    },
    /// Run a script around a run, beside whatever the lanes do. One that is here already is not run again.
    RunScript(Box<ScriptOrder>),
    /// End a script: TERM, grace, KILL. It is reported ended with this outcome.
    StopScript {
        /// Of which run.
        run: RunId,
        /// Before or after it.
        hook: Hook,
        /// What it ends with.
        outcome: Outcome,
    },
    /// The EP's part of a run is over: close its sessions, forget its latches and caches.
    CloseRun {
        /// Which.
        run: RunId,
    },
    /// Reports up to this one are stored.
    Ack {
        /// The last stored report.
        seq: u64,
    },
    /// Log bytes up to this offset are stored.
    LogStored {
        /// Whose log.
        attempt: AttemptId,
        /// Which log.
        stream: Stream,
        /// Bytes of it that are safe.
        bytes: u64,
    },
    /// The answer to a `Call`.
    Answer {
        /// Of the call.
        id: u64,
        /// What came of it.
        result: CallResult,
    },
    /// Which sessions do tests have open? Only for EPs that can do [`crate::console::CONSOLE_CAPABILITY`].
    AskSessions {
        /// For the answer.
        id: u64,
    },
    /// A person wants a console: dial back for it. Only for EPs that can do [`crate::console::CONSOLE_CAPABILITY`].
    OpenConsole(Box<ConsoleOrder>),
    /// I live.
    Heartbeat,
}

/// The terms of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version spoken from here on.
    pub version: u16,
    /// This connection.
    pub epoch: Epoch,
    /// The engine's name and build.
    pub engine: String,
    /// Send something at least this often.
    pub heartbeat_millis: u64,
    /// Silence after which either side gives the connection up.
    pub silence_millis: u64,
    /// Most log bytes under way.
    pub log_window_bytes: u64,
    /// The last report that is stored: the spool may forget up to here.
    pub acked_seq: u64,
    /// Held attempts that go on; all others are dropped, running ones killed, without a report.
    pub keep: Vec<AttemptId>,
}

/// What holds for every test of a run on an EP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunContext {
    /// Which run.
    pub run: RunId,
    /// The project's name.
    pub project: Arc<str>,
    /// Who runs it.
    pub user: UserName,
    /// How library folders are laid out.
    pub library_layout: LibraryLayout,
    /// Libraries by name, those of suites included.
    pub libraries: BTreeMap<Arc<str>, Library>,
    /// Regular expressions that end a test of a suite with panic detection.
    #[serde(default)]
    pub panic_patterns: Vec<String>,
    /// Profiles of devices that the lab has of its own: file name and text. An EP reads them when it opens a session.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, String>,
    /// Tests in the whole run, for `count_project_files`.
    pub tests_total: u32,
}

/// A script around a run, with all that is needed to run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptOrder {
    /// Of which run.
    pub run: RunId,
    /// Before or after it.
    pub hook: Hook,
    /// The project's name.
    pub project: Arc<str>,
    /// Who runs it.
    pub user: UserName,
    /// The file as the project names it.
    pub path: Arc<str>,
    /// Its content.
    pub content: BlobHash,
    /// End it after this long.
    pub timeout_millis: u64,
    /// Of what it prints, the end of this length is kept.
    pub output_bytes: u64,
}

/// One test, with all that is needed to run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Which.
    pub attempt: AttemptId,
    /// The lane that runs it; its tests run in the order they arrive.
    pub lane: u16,
    /// Wait this long after the lane's previous test.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_millis: u64,
    /// End it after this long.
    pub timeout_millis: u64,
    /// Latches that forbid it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<Guard>,
    /// Latches that its end sets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raises: Vec<Raise>,
    /// The test itself.
    pub test: TestOrder,
}

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestOrder {
    /// Unique in the run (`FILE_ID`).
    pub id: Arc<str>,
    /// What people see.
    pub name: Arc<str>,
    /// The file as the project names it (`FILE_NAME`); its ending chooses the runner.
    pub file: Arc<str>,
    /// Its content; none where the file was not there when the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<BlobHash>,
    /// False: prepare and skip.
    pub runnable: bool,
    /// The suite (`SUITE_ID`).
    pub suite_id: Arc<str>,
    /// The suite's name (`SUITE_NAME`).
    pub suite_name: Arc<str>,
    /// Place in its suite, from 0, and how many there are (`current_fsuite_index`, `count_suite_files`).
    pub suite_position: (u32, u32),
    /// The SUT (`SUT`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sut: Option<SutName>,
    /// The script's arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Arc<str>>,
    /// `PROPERTIES`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<Arc<str>, Arc<str>>,
    /// Test configurations in order, with content (`CONFIG`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configs: Vec<(Arc<str>, BlobHash)>,
    /// Iterator values (`ITERATION`, `FIRST_ITERATOR_*`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iteration: Option<Iteration>,
    /// Library names, the run's first, then each suite's from the outside in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub libraries: Vec<Arc<str>>,
    /// Watch its output for the run's panic patterns.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub panic_detect: bool,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}
