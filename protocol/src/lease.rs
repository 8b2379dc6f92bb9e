//! Leases as they travel: who has, waits for, or has booked something of the lab.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    calendar::{MaintenanceAhead, SeriesView},
    id::{ConsoleId, LeaseId, RunId, UserName},
    time::Time,
};

/// A lease (`GET /leases`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeaseView {
    /// Its number. Whoever has the same thing later has a higher one.
    pub id: LeaseId,
    /// What kind of thing.
    pub kind: LeaseKind,
    /// Its name: an EP, SUTs, or paths of resources.
    pub name: String,
    /// How far it is.
    pub state: LeaseState,
    /// Who: a person, or a run.
    pub holder: HolderKind,
    /// The person, or whose run it is, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserName>,
    /// The run that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Paths of all resources in it, each with what is under it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// What was asked for, where that was not by name: `2x kind=router, ports>=4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// The resources that were given, by the name of the need.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given: BTreeMap<String, Vec<String>>,
    /// Others may have it at the same time, if they share it too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Why, in the holder's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What the holder wants others to know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Free keys: build, image, commit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, String>,
    /// Persons who may use it as the holder does.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub guests: BTreeSet<UserName>,
    /// The higher, the sooner.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// When it was asked for.
    pub asked: Time,
    /// The beginning of a booking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<Time>,
    /// Since when it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Its end, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// When one that waits gives up, one that is offered goes to the next, or one that is taken away is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide_by: Option<Time>,
    /// Its place in the queue, the next being 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u64>,
    /// What one that waits, waits for: who has it, until when, why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// What of it is dirty, under a check or out of service, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfit: Option<String>,
    /// The console that it lasts as long as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<ConsoleId>,
    /// Of a booking that recurs: its series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesView>,
    /// Maintenance that ends it before its own end, or keeps it from beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<MaintenanceAhead>,
    /// The silence of its client that ends it, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_millis: Option<u64>,
    /// How it ended; of one that is taken away, also while it is `ending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<LeaseEnd>,
}

impl LeaseView {
    /// From when on somebody has it, or has booked it; of one that waits and was not booked, since when.
    pub fn begins(&self) -> Time {
        self.begin.or(self.since).unwrap_or(self.asked)
    }

    /// When it was over, if it is.
    pub fn over(&self) -> Option<Time> {
        self.ended.as_ref().filter(|_| self.state == LeaseState::Ended).map(|end| end.at)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields by reference")]
fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// How a lease ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeaseEnd {
    /// When; still to come while it is `ending`.
    pub at: Time,
    /// How.
    pub how: LeaseEnded,
    /// Who took it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserName>,
    /// Why they did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What can be leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum LeaseKind {
    /// A lane of an EP.
    Ep,
    /// A SUT, with the resources that it links to.
    Sut,
    /// Resources, each with what is under it.
    Resource,
}

/// How far a lease is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum LeaseState {
    /// A booking whose beginning has not come.
    Asked,
    /// In the queue.
    Waiting,
    /// Free for its asker, who has to accept it.
    Offered,
    /// Held.
    Active,
    /// Taken away, with time to leave.
    Ending,
    /// Over.
    Ended,
}

/// How a lease came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LeaseEnded {
    /// Its holder gave it back, or handed it over.
    Holder,
    /// Its time was over: that of the lease, of waiting, or of accepting it.
    Expiry,
    /// It was taken away.
    Force,
    /// Its holder was not heard of any more.
    Loss,
    /// Its run is over, or done with it.
    RunEnd,
}

/// Who holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum HolderKind {
    /// A person.
    Person,
    /// A run.
    Run,
    /// The lab itself: maintenance, by whoever has booked it.
    Lab,
}

/// A wish for a lease (`POST /leases`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeaseRequest {
    /// Ids or paths of resources; each with what is under it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Names of SUTs; each with the resources that it links to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suts: Vec<String>,
    /// Instead of names, what is needed: `dut: 2x kind=router, ports>=4 else kind=switch; same bench`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// Others may have it too, if they share it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Why; others read it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What others should know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Free keys: build, image, commit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, String>,
    /// Its beginning, if that is later: a booking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<Time>,
    /// For how long; two hours where it is not given, and as long as its client is there where `patience_millis` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_millis: Option<u64>,
    /// How long to wait for it; 0: not at all.
    #[serde(default)]
    pub wait_millis: u64,
    /// How long it may be accepted when its turn has come; none: it begins by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer_millis: Option<u64>,
    /// The silence of the client that ends it; none: it needs no client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_millis: Option<u64>,
    /// The higher, the sooner; above 0 takes the role `CHANGE_TESTBED`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
}

/// What would come of a wish for a lease, which is not made (`POST /leases/forecast`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeaseForecast {
    /// It could begin at once.
    pub free: bool,
    /// When it would begin, if everybody keeps their word and nobody new comes; none where nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The resources it would be for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// The same by the name of the need.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given: BTreeMap<String, Vec<String>>,
    /// The lease whose end it would wait for last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
