//! How a conversation begins: who the EP is and what it still holds, and the terms that the engine answers with.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    event::Hook,
    id::{AttemptId, EpName, Epoch, RunId, UserName},
    secret::Secret,
    time::Time,
};

/// Who an EP is, and what it still holds from before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Oldest protocol version it speaks.
    pub version_min: u16,
    /// Newest protocol version it speaks.
    pub version_max: u16,
    /// Its name: unique in the engine.
    pub ep: EpName,
    /// Drawn once for its work folder: tells an EP that is back from another one of its name. Empty for older EPs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instance: String,
    /// [`Welcome::life`] of the connection before: the start of an engine that gave out all it holds, logs included.
    /// Empty where it holds nothing, and for older EPs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub life: String,
    /// The secret an administrator made for it (`jackfield token create NAME --scope ep`).
    #[serde(serialize_with = "Secret::expose_for_peer")]
    pub token: Secret,
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
    /// Its records of what it did were damaged since it was last welcome: what it was given and does not hold may have run, and must not be given
    /// out as if it had not. Never said by older EPs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub records_lost: bool,
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
    /// This start of this engine, drawn anew at each one. The EP writes it down before it takes an order, and says it in
    /// its next Hello. Empty for older engines.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub life: String,
    /// What the EP holds was given out by another engine, or by a time that this one has lost with a restored backup: the EP
    /// forgets all of it before anything else, reports, logs and scripts included, and sends nothing of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign: bool,
    /// What this engine understands beyond version 1, as [`Hello::capabilities`] says it of the EP. A message that an older
    /// engine cannot read is sent only to one that names it here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub can: Vec<Arc<str>>,
}
