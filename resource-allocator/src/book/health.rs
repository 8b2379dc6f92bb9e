//! Whether something is fit to be leased: dirty until a health check has passed, under that check, or out of service.
//!
//! ```text
//!            trouble, or a person's word                 its check begins
//!   fit ──────────────────────────────────▶ dirty ─────────────────────────▶ under check
//!    ▲                                       │ ▲                              │   │   │
//!    ├───────────── a person's word ─────────┘ └─── no result, and some ──────┘   │   │
//!    ├───────────────────────────── it passed ────────────────────────────────────┘   │
//!    │                                                                                │
//!    └──── a person's word ──── out of service ◀── it failed, or too often no result ─┘
//!                                    ▲
//!                                    └── as many uses in a row that the lab spoiled, or a person's word
//! ```
//!
//! What happens to what was used is decided in the step that ends the lease ([`super::Book::end`]): nobody comes between.

use std::{collections::BTreeMap, fmt, sync::Arc};

use jackfield_protocol::{
    id::{RunId, UserName},
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::lease::Spot;
use crate::node::ResourceId;

/// What the book remembers of a node that is not fit, or that the lab spoiled a use of: a row of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Which node.
    pub spot: Spot,
    /// How fit it is.
    pub fitness: Fitness,
    /// Since when.
    pub since: Time,
    /// Uses in a row, up to now, that the lab spoiled.
    #[serde(default)]
    pub spoiled: u32,
}

/// How fit a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fitness {
    /// To be given.
    Fit,
    /// To be given after its health check has passed.
    Dirty {
        /// What happened.
        why: String,
        /// Checks that came to no result since.
        #[serde(default)]
        fruitless: u32,
        /// A person stopped its check: the next one is theirs to want.
        #[serde(default)]
        held_back: bool,
    },
    /// A run looks whether it works.
    UnderCheck {
        /// What happened.
        why: String,
        /// Which run.
        run: RunId,
        /// Checks that came to no result before.
        #[serde(default)]
        fruitless: u32,
        /// What a test of it said that could not use it.
        #[serde(default)]
        found: Option<String>,
    },
    /// To be repaired.
    Out {
        /// What is wrong.
        why: String,
        /// Who took it out; none: it was taken out by itself.
        #[serde(default)]
        by: Option<UserName>,
    },
}

/// What a person says of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It works.
    Fit,
    /// It is to be checked, or cleaned.
    Dirty(String),
    /// It does not work.
    Out(String),
}

/// How a health check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It works.
    Passed,
    /// It does not: what was found.
    Failed(String),
    /// It is not known.
    Fruitless {
        /// The person who stopped the check, if one did.
        by: Option<UserName>,
    },
}

/// What came of a lease so far, for those who have the thing next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Used {
    /// Nobody can tell.
    #[default]
    Unknown,
    /// A test came to a verdict with it.
    Sound,
    /// A test was lost in the middle, and has cleaned nothing up: which, and how.
    Left(String),
    /// A test failed because of it, or of what it hangs on: which, and why.
    Spoiled(String),
}

impl Used {
    /// Whether nobody can tell.
    pub fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }

    /// The worst counts.
    pub(crate) fn is_worse_than(&self, other: &Self) -> bool {
        self.rank() > other.rank()
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Sound => 1,
            Self::Left(_) => 2,
            Self::Spoiled(_) => 3,
        }
    }
}

/// A node that a property takes out of service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Where it is.
    pub path: String,
    /// What is wrong.
    pub why: String,
}

/// How the lab looks after its resources: what the tree says of it, and the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Nodes that are out of service by the word of a property, with all that is under them; none: that is in service, whatever it
    /// is in.
    pub out: BTreeMap<ResourceId, Option<Outage>>,
    /// The projects that check nodes, and all under them where nothing else is said.
    pub checks: BTreeMap<ResourceId, Arc<str>>,
    /// Uses in a row that the lab spoiled, after which a node is taken out; 0: however many.
    pub spoiled_max: u32,
    /// Whether also a node is checked that nobody had trouble with.
    pub after_each: bool,
}

impl Upkeep {
    /// The project that checks a node.
    pub fn check_of(&self, spot: &Spot) -> Option<&Arc<str>> {
        let mut up = std::iter::once(&spot.node).chain(spot.above.iter().rev());
        up.find_map(|node| self.checks.get(node)).filter(|project| !project.is_empty())
    }
}

/// Why something of a set is not to be given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unfit<'a> {
    /// A property says so.
    Outage(&'a Outage),
    /// Something happened to it.
    Health(&'a Health),
}

impl Unfit<'_> {
    /// Whether it has to be repaired, and is not back by itself.
    pub fn is_out(&self) -> bool {
        match self {
            Self::Outage(_) => true,
            Self::Health(health) => health.is_out(),
        }
    }
}

impl Health {
    /// Of which nothing is known.
    pub(crate) fn new(spot: Spot, since: Time) -> Self {
        Self { spot, fitness: Fitness::Fit, since, spoiled: 0 }
    }

    /// Whether there is nothing to remember.
    pub fn is_sound(&self) -> bool {
        self.fitness == Fitness::Fit && self.spoiled == 0
    }

    /// Whether it has to be repaired.
    pub fn is_out(&self) -> bool {
        matches!(self.fitness, Fitness::Out { .. })
    }

    /// Whether it waits for a check, or is under one.
    pub fn is_unclean(&self) -> bool {
        matches!(self.fitness, Fitness::Dirty { .. } | Fitness::UnderCheck { .. })
    }

    /// Whether this run checks it.
    pub(crate) fn is_checked_by(&self, asker: RunId) -> bool {
        matches!(&self.fitness, Fitness::UnderCheck { run, .. } if *run == asker)
    }

    /// Whether it is kept from somebody, who may be the run that checks it.
    pub(crate) fn keeps_out(&self, who: Option<RunId>) -> bool {
        match &self.fitness {
            Fitness::Fit => false,
            Fitness::Dirty { .. } | Fitness::Out { .. } => true,
            Fitness::UnderCheck { run, .. } => who != Some(*run),
        }
    }
}

impl fmt::Display for Unfit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outage(Outage { path, why }) => write!(f, "{path} is out of service ({why})"),
            Self::Health(health) => health.fmt(f),
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spot: Spot { path, .. }, fitness, since, .. } = self;
        match fitness {
            Fitness::Fit => write!(f, "{path} is fit"),
            Fitness::Dirty { why, held_back: false, .. } => {
                write!(f, "{path} is dirty since {since} ({why})")
            }
            Fitness::Dirty { why, held_back: true, .. } => {
                write!(f, "{path} is dirty since {since}, and its health check was stopped ({why})")
            }
            Fitness::UnderCheck { why, run, .. } => {
                write!(f, "{path} is under check by run {run} since {since} ({why})")
            }
            Fitness::Out { why, by } => {
                let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                write!(f, "{path} was taken out of service{by} at {since} ({why})")
            }
        }
    }
}
