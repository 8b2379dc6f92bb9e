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
//! Call{id}, Ask{id} ──────────────▶          a running test asks the engine, or a person
//!        ◀────────────────────────── Answer{id}
//! Notices ────────────────────────▶          what is wrong with the EP itself, while it is
//!        ◀────────────────────────── AskSessions{id}, OpenConsole     a person wants to see a session, or a device
//! Sessions{id} ───────────────────▶
//!        ◀────────────────────────── AskModules{id}                  what tests import, before a run of them starts
//! Modules{id} ────────────────────▶
//!        ◀────────────────────────── Power{id}                       a person switches a device
//! PowerDone{id} ──────────────────▶
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

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    console::{ConsoleOrder, OpenSession},
    error::Problem,
    event::Hook,
    id::{AttemptId, RunId},
    log::Stream,
    power::{PowerOrder, PowerResult},
    verdict::Outcome,
};

mod greeting;
mod order;
mod report;

pub use self::{
    greeting::{Held, HeldScript, HeldState, Hello, Host, Notice, Welcome},
    order::{Assignment, RunContext, ScriptOrder, TestOrder},
    report::{Check, Ended, Part, Report, ScriptEnded},
};
pub use crate::call::{Ask, Call, CallResult, Interact, InteractKind};

/// The WebSocket subprotocol, and the path below the engine's address.
pub const SUBPROTOCOL: &str = "jackfield.v1";
/// Where an EP connects: `ws://engine:8000/link`.
pub const LINK_PATH: &str = "/link";
/// What an engine can that draws a [`Welcome::life`] and tells an EP what of its spool is foreign.
pub const LIFE_CAPABILITY: &str = "life";
/// What an EP can that tells which modules its Python has ([`EngineToEp::AskModules`]).
pub const MODULES_CAPABILITY: &str = "modules";
/// The most modules of one question.
pub const MODULES_MAX: usize = 500;
/// The longest message of an EP that an engine takes, log frames included; what is longer is no message, and ends the connection.
pub const MESSAGE_BYTES_MAX: usize = 8 << 20;
/// The longest [`Report`] and [`Call`], as JSON: what tests say is cut or refused where it is said, well below what the link takes.
pub const SAID_BYTES_MAX: usize = 4 << 20;
/// The longest [`EngineToEp::Answer`], as JSON; an EP takes messages of twice that.
pub const ANSWER_BYTES_MAX: usize = 32 << 20;
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
    /// A running test asks a person something; the answer carries the same id, out of one sequence with that of `Call`.
    Ask {
        /// Chosen by the EP, unique on this connection.
        id: u64,
        /// The test that asks.
        attempt: AttemptId,
        /// The question.
        ask: Ask,
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
    /// The answer to [`EngineToEp::AskModules`].
    Modules {
        /// Of the question.
        id: u64,
        /// Those of the question that its Python does not find; none where that cannot be asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missing: Option<Vec<Arc<str>>>,
    },
    /// The answer to [`EngineToEp::Power`].
    PowerDone {
        /// Of the order.
        id: u64,
        /// What came of it.
        result: PowerResult,
    },
    /// I live.
    Heartbeat,
    /// The EP ends on purpose, after what it reported; nothing more comes on this connection.
    Goodbye {
        /// For people.
        reason: String,
    },
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
    /// The answer to a `Call` or an `Ask`.
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
    /// Which of these modules does the Python of tests not find? Only for EPs that can do [`MODULES_CAPABILITY`].
    AskModules {
        /// For the answer.
        id: u64,
        /// The first parts of their names, at most [`MODULES_MAX`].
        modules: Vec<Arc<str>>,
    },
    /// A person wants a console: dial back for it. Only for EPs that can do [`crate::console::CONSOLE_CAPABILITY`].
    OpenConsole(Box<ConsoleOrder>),
    /// A person switches the mains of a device. Only for EPs that can do [`crate::power::POWER_CAPABILITY`].
    Power(Box<PowerOrder>),
    /// I live.
    Heartbeat,
}
