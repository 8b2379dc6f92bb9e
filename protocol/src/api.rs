//! Bodies of the HTTP interface `/api/v1`.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    error::FileProblem,
    event::{RunEvent, RunState},
    id::{AttemptId, EpName, LeaseId, RunId, TestIndex, UserName},
    link::{Host, Notice, Part},
    secret::Secret,
    time::Time,
    verdict::{Cause, DecidedBy, TestState, Verdict},
};

/// One page of a list. Ask for the next with `?after=<next>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// In the list's order.
    pub items: Vec<T>,
    /// What to pass as `after` for more; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `POST /runs`: start a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubmitRun {
    /// A project of the lab folder, by name or path below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The text of a project file instead; [`Self::project`] then only names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xml: Option<String>,
    /// Leave no trace in statistics, database or mail.
    #[serde(default)]
    pub temporary: bool,
    /// Run only tests whose file, name or ID is or ends with one of these; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Run on this EP instead of those the project and its SUTs name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ep: Option<EpName>,
    /// Use this SUT instead of those the project names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sut: Option<String>,
    /// Limit of the whole run in milliseconds, waiting for an EP included; instead of what the project says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_millis: Option<u64>,
    /// How long the run may wait until it begins, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_millis: Option<u64>,
    /// Values of the project's own fields (`UserDefined`, those of `db.xml`), over what the project says: for the run, and
    /// for each suite that has such a field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Labels that an EP must carry to be given a part of it, beside those the project asks for; an empty value is any.
    /// Suites that name their EP keep it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The lease of the caller, or one whose guest they are, that lets the run use what it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseId>,
    /// A key the client chose: the same key again answers with the run it already started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// The answer to `POST /runs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Submitted {
    /// The new run.
    pub run: RunId,
    /// What the project may not have meant.
    pub warnings: Vec<FileProblem>,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunSummary {
    /// Its number.
    pub id: RunId,
    /// The project's name.
    pub project: String,
    /// Who started it.
    pub user: UserName,
    /// Where it stands.
    pub state: RunState,
    /// When it was accepted.
    pub submitted: Time,
    /// When its first test was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
    /// Tests in it.
    pub tests: u32,
    /// How many have ended how.
    pub counts: BTreeMap<Verdict, u32>,
    /// Whether it leaves no trace.
    pub temporary: bool,
    /// Whether somebody wants it kept, whatever the lab's rules for old runs say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
    /// The run whose tests that did not pass it runs again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<RunId>,
    /// What it waits for, while nothing of it has a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waiting>,
}

/// A test of a run, in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TestRow {
    /// Its number in the run.
    pub test: TestIndex,
    /// Its ID in the project.
    pub id: String,
    /// What people see.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Suite names from the outside in.
    pub suite: Vec<String>,
    /// Where it stands.
    pub state: TestState,
    /// What it waits for, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// Who is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The script died.
    #[serde(default)]
    pub crashed: bool,
    /// The rule that decided its verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Box<DecidedBy>>,
    /// The last attempt, where one was sent to an EP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ep: Option<EpName>,
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// How long it took so far, or in all.
    #[serde(default)]
    pub elapsed_millis: u64,
    /// The tests inside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Clean-ups after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleanups: Vec<Part>,
}

/// An EP in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EpRow {
    /// Its name.
    pub name: EpName,
    /// Whether it is connected, and takes work.
    pub state: EpState,
    /// The machine.
    pub host: Host,
    /// The build it runs.
    pub software: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What it can run and drive.
    pub capabilities: Vec<String>,
    /// The user whose work alone it takes; none means anybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<UserName>,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// When it was last heard.
    pub last_seen: Time,
    /// How many tests it runs at once; 0 where it has not said so to this engine.
    #[serde(default, skip_serializing_if = "is_none")]
    pub lanes: u16,
    /// What it runs now.
    pub working: Vec<AttemptId>,
    /// The run that holds it, while one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

fn is_none(count: &u16) -> bool {
    *count == 0
}

/// Modules of Python that tests import, of which connected EPs are to say whether they have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AskModules {
    /// The first parts of their names; at most 500.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub modules: Vec<Arc<str>>,
}

/// What an EP's Python lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EpModules {
    /// Which EP.
    pub ep: EpName,
    /// Those asked for that it does not find.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub missing: Vec<Arc<str>>,
}

/// Whether an EP takes work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EpState {
    /// Connected, nothing to do.
    Idle,
    /// Connected, at work.
    Busy,
    /// Connected, takes nothing new (`jackfield eps drain`).
    Draining,
    /// Not connected, or silent.
    Offline,
}

/// Somebody who uses a device now (`GET /resources/uses`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceUse {
    /// The path of the device.
    pub resource: String,
    /// How.
    pub kind: UseKind,
    /// Who, or whose run.
    pub user: UserName,
    /// The run that does it for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The session, as tests call it, or the SUT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Through which EP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ep: Option<EpName>,
    /// Since when, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// How a device is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum UseKind {
    /// A person types at it.
    Types,
    /// A test has a session with it.
    Session,
    /// A run has leased a SUT that it is part of.
    Lease,
    /// A person looks on.
    Watches,
}

/// Why something waits (`GET /runs/{id}/why`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Waiting {
    /// What waits: a part or a test, as people know it.
    pub what: String,
    /// What it waits for.
    pub waits_for: String,
    /// The same without who has it, where that is told by `blockers`: `a free EP`, `SUT bench.system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wants: Option<String>,
    /// Who has what it waits for, or comes before it; the first of them where there are many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<Blocker>,
}

/// Somebody who has what something waits for, or comes before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Blocker {
    /// What they have: an EP, a SUT, or the paths of resources.
    pub what: String,
    /// How they stand in the way.
    pub how: Blocks,
    /// The run that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The project of that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Who has it, or whose run does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserName>,
    /// Their lease, where it is not that of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseId>,
    /// Since when; of a booking, from when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Until when, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What for, as they said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// How somebody stands in the way of something that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    /// They have it.
    Holds,
    /// They have booked it, too soon for it to be back by then.
    Booked,
    /// They asked for it before.
    AskedBefore,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, how, run, project, user, lease, since, until, reason } = self;
        write!(f, "{what}: ")?;
        match (run, lease) {
            (Some(run), _) => write!(f, "run {run}")?,
            (None, Some(lease)) => write!(f, "lease {lease}")?,
            (None, None) => f.write_str("somebody")?,
        }
        project.iter().try_for_each(|project| write!(f, " ({project})"))?;
        user.iter().try_for_each(|user| write!(f, " of {user}"))?;
        match how {
            Blocks::Holds => since.iter().try_for_each(|since| write!(f, " since {since}"))?,
            Blocks::Booked => since.iter().try_for_each(|since| write!(f, ", booked from {since}"))?,
            Blocks::AskedBefore => f.write_str(", which asked before")?,
        }
        until.iter().try_for_each(|until| write!(f, " until {until}"))?;
        if reason.is_empty() { Ok(()) } else { write!(f, " ({reason})") }
    }
}

/// `POST /login`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Login {
    /// The account.
    pub user: UserName,
    /// Its password.
    #[serde(serialize_with = "Secret::expose_for_peer")]
    pub password: Secret,
}

/// A live page's first frame: everything so far, then events after `seq` follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunSnapshot {
    /// The run.
    pub run: RunSummary,
    /// The newest event that is in it.
    pub seq: u64,
}

/// A list of events (`GET /runs/{id}/events?after=n`).
pub type Events = Page<RunEvent>;
