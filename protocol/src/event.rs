//! What happened to a run, numbered: the one source of live pages, reports, history and mail.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    attempt::AttemptEnd,
    id::{AttemptId, EpName, RunId, SuiteIndex, TestIndex, UserName},
    link::{Interact, Notice},
    time::Time,
    verdict::{Outcome, Verdict},
};

/// A fact about a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunEvent {
    /// Which run.
    pub run: RunId,
    /// Counts up by one from 1 in each run; a reader that knows `n` asks for what came after `n`.
    pub seq: u64,
    /// When the engine knew it.
    pub at: Time,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// It was accepted.
    Submitted {
        /// Who runs it.
        by: UserName,
        /// The project's name.
        project: String,
        /// Tests in it.
        tests: u32,
    },
    /// Its first test is about to be sent to an EP (its pre script has run).
    Started,
    /// A part of it was given to an EP.
    Placed {
        /// The top-level suites of the part.
        suites: Vec<SuiteIndex>,
        /// The EP.
        ep: EpName,
    },
    /// A part waits for an EP or a lease; said again when the reason changes.
    PartWaits {
        /// The top-level suites of the part.
        suites: Vec<SuiteIndex>,
        /// What it waits for: `EP-1002, which is not connected`.
        waits_for: String,
    },
    /// A test's turn has come, but something it needs has not.
    TestWaits {
        /// Which.
        test: TestIndex,
        /// What it waits for: `test_login.py (41.3) to end`.
        waits_for: String,
    },
    /// A test was started.
    TestStarted {
        /// The attempt.
        attempt: AttemptId,
        /// Where.
        ep: EpName,
        /// By the EP's clock.
        started: Time,
    },
    /// A test has its verdict.
    TestEnded(Box<TestEnded>),
    /// Many tests got the same verdict at once without being sent anywhere.
    TestsEnded {
        /// Ranges of test indices, `[from, to)`.
        tests: Vec<(u32, u32)>,
        /// With this.
        outcome: Outcome,
    },
    /// Tests were added at the end of a suite while it ran; their numbers are those after the last so far.
    TestsQueued {
        /// The suite.
        suite: SuiteIndex,
        /// Their numbers.
        tests: Vec<TestIndex>,
        /// Who.
        by: UserName,
    },
    /// An EP of the run is not heard any more; its running attempt may yet come back.
    EpSilent {
        /// Which.
        ep: EpName,
        /// When the engine gives it up.
        until: Time,
    },
    /// It is back, in time.
    EpReturned {
        /// Which.
        ep: EpName,
    },
    /// It did not come back in time.
    EpLost {
        /// Which.
        ep: EpName,
    },
    /// Something is wrong with an EP of the run, or is mended.
    EpNotice {
        /// Which.
        ep: EpName,
        /// What.
        notice: Notice,
        /// It is over.
        #[serde(default, skip_serializing_if = "is_no")]
        over: bool,
    },
    /// A test asks a person.
    Asked {
        /// The attempt.
        attempt: AttemptId,
        /// Number of the question in the run, for the answer.
        question: u64,
        /// The question.
        interact: Interact,
    },
    /// It got its answer.
    Answered {
        /// Of the question.
        question: u64,
        /// Who; none when the time was over and the default was taken.
        by: Option<UserName>,
        /// The answer.
        answer: serde_json::Value,
    },
    /// No further test starts until it is resumed.
    Paused {
        /// Who.
        by: UserName,
    },
    /// It goes on.
    Resumed {
        /// Who.
        by: UserName,
    },
    /// It is being stopped: what runs is ended, teardown follows.
    Stopping {
        /// Who; none for the run's own time limit.
        by: Option<UserName>,
        /// Why.
        reason: String,
        /// Without teardown and post script; said again when a person decides so later.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        at_once: bool,
    },
    /// A script around the run ended.
    HookEnded {
        /// `pre` or `post`.
        hook: Hook,
        /// How.
        outcome: Outcome,
        /// What it printed, cut at a limit.
        output: String,
    },
    /// Something a person should know that changes nothing: a disk that is full, a report that came too late.
    Note {
        /// A sentence.
        text: String,
    },
    /// Every test has its verdict.
    Ended {
        /// How it ended as a whole.
        state: RunState,
        /// How many tests ended how.
        counts: BTreeMap<Verdict, u32>,
    },
}

/// A test has its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TestEnded {
    /// Which.
    pub test: TestIndex,
    /// The attempt, where one was sent to an EP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ep: Option<EpName>,
    /// When it started, by the EP's clock; none where it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// How it ended.
    #[serde(flatten)]
    pub end: AttemptEnd,
}

/// Which script around the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Hook {
    /// Before the first test.
    Pre,
    /// After the last.
    Post,
}

impl Hook {
    /// The word for files, pages and people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pre => "pre",
            Self::Post => "post",
        }
    }
}

impl std::fmt::Display for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Accepted; nothing has been sent.
    Queued,
    /// It runs.
    Running,
    /// It runs, but starts nothing more until it is resumed.
    Paused,
    /// It is ending before its time: teardown and post script are left.
    Stopping,
    /// Every test ended by itself or by rule.
    Completed,
    /// A person, a limit or a failed mandatory pre script ended it early.
    Stopped,
}

impl RunState {
    /// Whether nothing will change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Stopped)
    }

    /// The word for files, pages and people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
        }
    }
}

fn is_no(value: &bool) -> bool {
    !*value
}

impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
