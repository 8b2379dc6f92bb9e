//! A lease: what is held, by whom, on which terms, and how far it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::{
    calendar::Recurrence,
    id::{ConsoleId, EpName, LeaseId, RunId, SuiteIndex, SutName, UserName},
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::{
    choice::Given,
    health::Used,
    queue::{Rank, Turn, Want},
};
use crate::node::ResourceId;

/// A node of the tree, with what the book has to know of its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Spot {
    /// Which.
    pub node: ResourceId,
    /// Its path when it was asked for, for people.
    pub path: String,
    /// The nodes above it, the root first.
    #[serde(default)]
    pub above: Vec<ResourceId>,
}

/// Nodes and SUTs that are taken together, or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Set {
    /// By name; what they link to is among the nodes.
    #[serde(default)]
    pub suts: BTreeSet<SutName>,
    /// Each with all that is under it.
    #[serde(default)]
    pub nodes: Vec<Spot>,
}

/// What a lease is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leased {
    /// One lane of an EP.
    Lane(EpName, u16),
    /// Nodes and SUTs.
    Set(Set),
}

/// Who holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A run.
    Run(RunId),
    /// A person.
    Person(UserName),
    /// The lab itself, by whom it acts: maintenance. It is always booked, and at its beginning it ends what persons have of it.
    Lab(UserName),
}

/// What a lease lives by, beside its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// Nothing.
    #[default]
    Free,
    /// A console that is open; over with it, and with the engine's life.
    Console(ConsoleId),
    /// A client that says now and then that it is there.
    Beat {
        /// Silence that ends the lease.
        patience_millis: u64,
    },
}

/// Which of a series of bookings a lease is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The series: the number of the first lease that was made for it.
    pub series: LeaseId,
    /// When it begins by the rule; it may have been moved.
    pub slot: Time,
    /// As it was asked for.
    pub rule: Arc<Recurrence>,
}

/// How far a lease is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A booking whose beginning has not come.
    Asked {
        /// Its beginning.
        begin: Time,
    },
    /// In the queue.
    Waiting {
        /// When the asker gives up.
        until: Option<Time>,
    },
    /// Free for the asker, who has to accept it.
    Offered {
        /// Then it goes to the next.
        until: Time,
    },
    /// Held.
    Active,
    /// Taken away, with time to leave.
    Ending {
        /// Then it is over.
        until: Time,
        /// Who took it.
        by: UserName,
        /// Why.
        reason: String,
    },
    /// Over.
    Ended {
        /// Since when.
        at: Time,
        /// How.
        how: Ended,
    },
}

/// How a lease came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Its holder gave it back, or handed it over.
    Holder,
    /// Its time was over: that of the lease, of waiting, or of accepting it.
    Expiry,
    /// It was taken away.
    Force {
        /// By whom.
        by: UserName,
        /// Why.
        reason: String,
    },
    /// Its holder was not heard of any more.
    Loss,
    /// Its run is over, or done with it.
    RunEnd,
}

/// Who had what, why, since when and until when: a row of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its number, which is the fence: whoever has the device next has a higher one.
    pub id: LeaseId,
    /// What is held. Of one that waits for whatever fits, what it has been promised for the time being.
    pub what: Leased,
    /// What was asked for, where that was not by name: the text of the needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Arc<str>>,
    /// What of it is for which need.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given: Given,
    /// The suite of a run that needed it; none: the whole run did, or it is no run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<SuiteIndex>,
    /// By whom.
    pub holder: Holder,
    /// Others may hold it at the same time, if they share it too.
    #[serde(default)]
    pub shared: bool,
    /// Why, in the holder's words.
    #[serde(default)]
    pub purpose: String,
    /// What the holder wants others to know.
    #[serde(default)]
    pub note: String,
    /// Free keys for those who search: build, image, commit.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
    /// Persons who may use it as the holder does.
    #[serde(default)]
    pub guests: BTreeSet<UserName>,
    /// The higher, the sooner.
    #[serde(default)]
    pub priority: i32,
    /// Its holder repairs things: what is not fit is for them, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repairs: bool,
    /// Of a booking that recurs, which it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<Occurrence>,
    /// The beginning or the end of which its holder was told last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded: Option<Time>,
    /// What came of it so far.
    #[serde(default, skip_serializing_if = "Used::is_unknown")]
    pub used: Used,
    /// What it lives by.
    #[serde(default)]
    pub tie: Tie,
    /// The lease that lets it in.
    #[serde(default)]
    pub inside: Option<LeaseId>,
    /// When it was asked for.
    pub asked: Time,
    /// When it counts as asked for in the queue.
    pub ranked: Time,
    /// Milliseconds from its beginning to its end; none: it has no end of its own.
    #[serde(default)]
    pub length: Option<u64>,
    /// How long it is offered; none: it begins by itself.
    #[serde(default)]
    pub offer: Option<u64>,
    /// When it became active.
    #[serde(default)]
    pub since: Option<Time>,
    /// Its end, as soon as that is known.
    #[serde(default)]
    pub until: Option<Time>,
    /// How far it is.
    pub state: State,
}

impl Leased {
    /// The set, where it is one.
    pub fn set(&self) -> Option<&Set> {
        match self {
            Self::Set(set) => Some(set),
            Self::Lane(..) => None,
        }
    }
}

impl Set {
    /// One node.
    pub fn of(spot: &Spot) -> Self {
        Self { suts: BTreeSet::new(), nodes: vec![spot.clone()] }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.suts.is_empty() && self.nodes.is_empty()
    }

    /// The names of its SUTs, as lists say them.
    pub fn sut_names(&self) -> String {
        self.suts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Whether a node, of which these are the nodes above it, is in it or under something that is.
    pub fn covers(&self, spot: &Spot) -> bool {
        self.nodes.iter().any(|own| own.node == spot.node || spot.above.contains(&own.node))
    }

    /// Whether one of its nodes is one of the other's.
    pub(crate) fn has_node_of(&self, other: &Self) -> bool {
        self.nodes.iter().any(|spot| other.nodes.iter().any(|own| own.node == spot.node))
    }

    /// Both together.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let nodes: BTreeSet<_> = self.nodes.iter().chain(&other.nodes).cloned().collect();
        Self { suts: self.suts.union(&other.suts).cloned().collect(), nodes: nodes.into_iter().collect() }
    }

    /// Whether all of it is in the other, or under something there.
    pub fn is_within(&self, other: &Self) -> bool {
        self.suts.is_subset(&other.suts) && self.nodes.iter().all(|spot| other.covers(spot))
    }

    /// Whether something of it is in the other, or over or under something there.
    pub fn touches(&self, other: &Self) -> bool {
        let near = |spot: &Spot| other.nodes.iter().any(|own| spot.above.contains(&own.node));
        !self.suts.is_disjoint(&other.suts)
            || self.nodes.iter().any(|spot| other.covers(spot) || near(spot))
            || other.nodes.iter().any(|spot| self.covers(spot))
    }
}

impl std::fmt::Display for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let suts = self.suts.iter().map(|sut| format!("SUT {sut}"));
        // A SUT says what it links to by its name.
        let nodes = self.nodes.iter().map(|spot| spot.path.clone()).filter(|_| self.suts.is_empty());
        let mut names: Vec<_> = suts.chain(nodes).collect();
        names.sort();
        f.write_str(&names.join(", "))
    }
}

impl std::fmt::Display for Leased {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lane(ep, _) => write!(f, "a lane of {ep}"),
            Self::Set(set) => set.fmt(f),
        }
    }
}

impl Holder {
    /// The person whose it is; none of a run, whose owner the book does not know.
    pub fn user(&self) -> Option<&UserName> {
        match self {
            Self::Person(user) => Some(user),
            Self::Run(_) | Self::Lab(_) => None,
        }
    }

    /// Whether it is maintenance.
    pub fn is_lab(&self) -> bool {
        match self {
            Self::Lab(_) => true,
            Self::Person(_) | Self::Run(_) => false,
        }
    }

    /// The run that it is.
    pub fn run(&self) -> Option<RunId> {
        match self {
            Self::Run(run) => Some(*run),
            Self::Person(_) | Self::Lab(_) => None,
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run {run}"),
            Self::Person(user) => user.fmt(f),
            Self::Lab(by) => write!(f, "the lab (by {by})"),
        }
    }
}

impl State {
    /// The word of it, for people and scripts.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "asked",
            Self::Waiting { .. } => "waiting",
            Self::Offered { .. } => "offered",
            Self::Active => "active",
            Self::Ending { .. } => "ending",
            Self::Ended { .. } => "ended",
        }
    }
}

impl Lease {
    /// What a run has since then.
    pub fn of_run(id: LeaseId, run: RunId, what: Leased, inside: Option<LeaseId>, since: Time) -> Self {
        Self {
            id,
            what,
            needs: None,
            given: Given::new(),
            suite: None,
            holder: Holder::Run(run),
            shared: false,
            purpose: String::new(),
            note: String::new(),
            context: BTreeMap::new(),
            guests: BTreeSet::new(),
            priority: 0,
            repairs: false,
            occurrence: None,
            reminded: None,
            used: Used::Unknown,
            tie: Tie::Free,
            inside,
            asked: since,
            ranked: since,
            length: None,
            offer: None,
            since: Some(since),
            until: None,
            state: State::Active,
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Ended { .. })
    }

    /// Whether nobody else can have what it is for.
    pub fn holds(&self) -> bool {
        matches!(self.state, State::Offered { .. } | State::Active | State::Ending { .. })
    }

    /// Whether somebody may use it: its holder, whoever maintains it, its guests.
    pub fn admits(&self, user: &UserName) -> bool {
        let own = match &self.holder {
            Holder::Person(holder) | Holder::Lab(holder) => holder == user,
            Holder::Run(_) => false,
        };
        own || self.guests.contains(user)
    }

    /// The series that it is of.
    pub fn series(&self) -> Option<LeaseId> {
        self.occurrence.as_ref().map(|occurrence| occurrence.series)
    }

    /// The beginning of a booking that has not begun.
    pub fn booked_for(&self) -> Option<Time> {
        match self.state {
            State::Asked { begin } => Some(begin),
            State::Waiting { .. }
            | State::Offered { .. }
            | State::Active
            | State::Ending { .. }
            | State::Ended { .. } => None,
        }
    }

    /// When a booking begins; of one that still waits, when it should have begun.
    pub fn should_begin(&self) -> Option<Time> {
        let late = self.until.zip(self.length).filter(|_| self.is_late());
        self.booked_for().or(late.map(|(until, length)| Time(until.0.saturating_sub_unsigned(length))))
    }

    /// Whether it counts among those that its holder has open: of a series only what has begun does.
    pub(crate) fn is_open(&self) -> bool {
        self.occurrence.is_none() || self.booked_for().is_none()
    }

    /// Whether it was booked, and waits for what should be free by now.
    pub(crate) fn is_late(&self) -> bool {
        self.is_waiting() && self.until.is_some()
    }

    /// Whether it is that of a console.
    pub fn is_console(&self) -> bool {
        matches!(self.tie, Tie::Console(_))
    }

    /// Whether it is still open what it will be for.
    pub fn leaves_choice(&self) -> bool {
        self.needs.is_some() && self.given.is_empty()
    }

    /// Whether it is in the queue.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    /// Its place in every queue. What was booked is due, and goes before all that was not; maintenance before that.
    pub(crate) fn rank(&self) -> Rank {
        let priority = match self.is_late() {
            true if self.holder.is_lab() => i32::MAX,
            true => i32::MAX - 1,
            false => self.priority,
        };
        Rank::new(priority, self.ranked, Turn::Ask(self.id))
    }

    pub(crate) fn want(&self) -> Want {
        Want {
            set: self.what.set().cloned().unwrap_or_default(),
            holder: self.holder.clone(),
            shared: self.shared,
            inside: self.inside,
            length: self.length,
            console: self.is_console(),
            repairs: self.repairs,
        }
    }

    /// When time alone changes it. Of one that lives by beats, as if it had last been heard then.
    pub(crate) fn due(&self, heard: Option<Time>) -> Option<Time> {
        let silent = match self.tie {
            Tie::Beat { patience_millis } => heard.map(|heard| heard.plus_millis(patience_millis)),
            Tie::Free | Tie::Console(_) => None,
        };
        let own = match &self.state {
            State::Asked { begin } => return Some(*begin),
            State::Waiting { until } => *until,
            State::Offered { until } | State::Ending { until, .. } => Some(*until),
            State::Active => self.until,
            State::Ended { .. } => return None,
        };
        [own, silent].into_iter().flatten().min()
    }
}
