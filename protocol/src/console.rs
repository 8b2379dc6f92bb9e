//! A person's terminal on a device, from the CLI or a browser through the engine to the EP that reaches the device.
//!
//! ```text
//! person                         engine                          EP
//! WebSocket /api/v1/console ───▶ OpenConsole{secret} ──link────▶
//!                                /link/console/{id} ◀──────────── WebSocket, with the secret
//! bytes, PersonToEp ────────────▶ copied ───────────────────────▶
//!        ◀─────────────────────── copied ◀────────────────────────  bytes, EpToPerson
//! ```
//!
//! Binary frames are what a terminal sends and shows; text frames are the JSON of [`PersonToEp`] and [`EpToPerson`]. The engine
//! reads neither but for the end, and holds no more than TCP does: who is slow slows the other side down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    error::ErrorCode,
    id::{BlobHash, ConsoleId, EpName, RunId, UserName},
    secret::Secret,
    time::Time,
};

/// Where an EP dials for a console: `ws://engine:8000/link/console/{id}`.
pub const CONSOLE_PATH: &str = "/link/console";
/// The WebSocket subprotocol of both halves.
pub const CONSOLE_SUBPROTOCOL: &str = "jackfield.console.v1";
/// What an EP that knows consoles says among its capabilities.
pub const CONSOLE_CAPABILITY: &str = "console";
/// The header in which an EP sends the secret of a console.
pub const CONSOLE_SECRET: &str = "Jackfield-Console";

/// A session that a run has open on an EP.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpenSession {
    /// Whose.
    pub run: RunId,
    /// As its tests name it.
    pub name: String,
    /// The id of its resource; none where a test said itself how to connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// A console that is open, in lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsoleRow {
    /// Which.
    pub console: ConsoleId,
    /// Who sits at it.
    pub user: UserName,
    /// The path of the resource they look at.
    pub resource: String,
    /// Which EP reaches it.
    pub ep: EpName,
    /// What they are on.
    pub on: ConsoleOn,
    /// The run whose session it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The session, as tests call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Since when.
    pub since: Time,
    /// Since when they type instead of a test; none while they watch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types_since: Option<Time>,
}

/// What kind of thing a console is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsoleOn {
    /// A session of tests.
    Session,
    /// A device that no test uses.
    Device,
    /// A console of somebody else.
    Console,
}

/// A console that an EP is to open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsoleOrder {
    /// Which.
    pub console: ConsoleId,
    /// Proves that the one who dials back was asked to; good for one connection.
    #[serde(serialize_with = "Secret::expose_for_peer")]
    pub secret: Secret,
    /// Who sits at it.
    pub user: UserName,
    /// What they look at.
    pub of: ConsoleOf,
    /// They want to type at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub take: bool,
    /// Why they may only watch; none where they may type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch_only: Option<String>,
}

/// What a console is on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConsoleOf {
    /// A session that tests use.
    Session {
        /// Whose.
        run: RunId,
        /// Which.
        name: String,
    },
    /// A device that no test uses: connect, and log in.
    Device {
        /// Its path in the tree.
        path: String,
        /// How it is reached.
        properties: BTreeMap<String, Value>,
        /// Other resources that these name, by path: the hosts between.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        others: BTreeMap<String, BTreeMap<String, Value>>,
        /// Profiles of devices that the lab has of its own: file name and text.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        profiles: BTreeMap<String, String>,
        /// Connect, and leave the login to the person.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        raw: bool,
    },
    /// A console on a device, which somebody else has.
    Console {
        /// Theirs.
        console: ConsoleId,
    },
}

/// What a person's side says, in text frames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PersonToEp {
    /// The terminal has this size.
    Resize {
        /// Lines.
        rows: u16,
        /// Characters in a line.
        columns: u16,
    },
    /// I want to type; the test waits as soon as its operation has ended.
    Take,
    /// I am done; the test goes on.
    Release,
    /// This is a place to find again in the recordings, of one who types.
    Mark {
        /// What it is called there.
        label: String,
    },
    /// A break on the line, of one who types: what a serial console and a boot loader listen for. An EP of before this
    /// answers nothing.
    Break,
    /// I go; said by the engine for those who went without a word.
    Leave,
}

/// What a person is told, in text frames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EpToPerson {
    /// The console is open; what the device said last follows.
    Begin {
        /// On what: `/tb1/router1`.
        title: String,
        /// Which EP reaches it.
        ep: EpName,
        /// The run whose session it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
    },
    /// Somebody types from now on, or nobody does and tests go on.
    Typing {
        /// Who; none for nobody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserName>,
        /// It is you.
        you: bool,
    },
    /// They asked to type, and may not, or not now.
    Refused {
        /// Why.
        text: String,
    },
    /// For the person to read.
    Notice {
        /// What.
        text: String,
    },
    /// The console is over; the last frame.
    End {
        /// Why.
        reason: String,
        /// What kind of failure; none where it ended as the person wished.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<ErrorCode>,
        /// The recording, where it is no test's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recording: Option<BlobHash>,
    },
}
