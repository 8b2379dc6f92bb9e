//! Enums that are one word: `golden/v1/words`, each with every word in its order.

use std::fmt::Debug;

use jackfield_protocol::{
    api::{Blocks, EpState, UseKind},
    calendar::{Every, FeedKind, Scope, Weekday},
    console::ConsoleOn,
    error::{ErrorCode, Severity},
    event::{Hook, RunState},
    health::HealthState,
    lease::{HolderKind, LeaseEnded, LeaseKind, LeaseState},
    link::{HeldState, InteractKind},
    log::Stream,
    plan::{IterationSave, LibraryKind, LibraryLayout, OnEpLost, Role, Save},
    power::{PowerAction, PowerState},
    verdict::{Cause, TestState, Verdict},
};
use serde::{Serialize, de::DeserializeOwned};

/// An enum of words, written.
pub(crate) struct Words {
    /// Its file below `golden/v1`, without ending.
    pub name: &'static str,
    /// Every word, as a list.
    pub text: String,
    /// Whether a list of words is read as every value in order.
    pub reads: fn(&str) -> Result<(), String>,
    /// Reads one word.
    pub read_one: fn(&str) -> Result<(), String>,
}

/// Every value of an enum; one that is not listed does not compile.
macro_rules! words {
    ($name:literal, $enum:ty: $([$($value:tt)+])+) => {{
        fn values() -> Vec<$enum> {
            let exhaustive = |value: $enum| match value { $($($value)+)|+ => value };
            [$($($value)+),+].map(exhaustive).to_vec()
        }
        Words {
            name: concat!("words/", $name),
            text: list(&values()),
            reads: |text| same(text, &values()),
            read_one: |text| serde_json::from_str::<$enum>(text).map(drop).map_err(|e| e.to_string()),
        }
    }};
}

fn list<T: Serialize>(values: &[T]) -> String {
    format!("{}\n", serde_json::to_string_pretty(values).unwrap())
}

fn same<T: DeserializeOwned + PartialEq + Debug>(text: &str, values: &[T]) -> Result<(), String> {
    let read: Vec<T> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    if read == values { Ok(()) } else { Err(format!("read as {read:?}, not {values:?}")) }
}

#[rustfmt::skip]
pub(crate) fn all() -> Vec<Words> {
    vec![
        words!("cause", Cause: [Cause::Product] [Cause::Test] [Cause::Lab] [Cause::Time] [Cause::Person]
            [Cause::Unfinished]),
        words!("health_state", HealthState: [HealthState::Fit] [HealthState::Dirty] [HealthState::UnderCheck]
            [HealthState::OutOfService]),
        words!("blocks", Blocks: [Blocks::Holds] [Blocks::Booked] [Blocks::AskedBefore]),
        words!("use_kind", UseKind: [UseKind::Types] [UseKind::Session] [UseKind::Lease] [UseKind::Watches]),
        words!("every", Every: [Every::Day] [Every::Week]),
        words!("weekday", Weekday: [Weekday::Mon] [Weekday::Tue] [Weekday::Wed] [Weekday::Thu] [Weekday::Fri]
            [Weekday::Sat] [Weekday::Sun]),
        words!("scope", Scope: [Scope::One] [Scope::Following] [Scope::Series]),
        words!("feed_kind", FeedKind: [FeedKind::User] [FeedKind::Group] [FeedKind::Resource]),
        words!("lease_kind", LeaseKind: [LeaseKind::Ep] [LeaseKind::Sut] [LeaseKind::Resource]),
        words!("lease_state", LeaseState: [LeaseState::Asked] [LeaseState::Waiting] [LeaseState::Offered]
            [LeaseState::Active] [LeaseState::Ending] [LeaseState::Ended]),
        words!("lease_ended", LeaseEnded: [LeaseEnded::Holder] [LeaseEnded::Expiry] [LeaseEnded::Force]
            [LeaseEnded::Loss] [LeaseEnded::RunEnd]),
        words!("holder_kind", HolderKind: [HolderKind::Person] [HolderKind::Run] [HolderKind::Lab]),
        words!("ep_state", EpState: [EpState::Idle] [EpState::Busy] [EpState::Draining] [EpState::Offline]),
        words!("console_on", ConsoleOn: [ConsoleOn::Session] [ConsoleOn::Device] [ConsoleOn::Console]),
        words!("error_code", ErrorCode: [ErrorCode::BadRequest] [ErrorCode::BadFile] [ErrorCode::Unauthenticated]
            [ErrorCode::Forbidden] [ErrorCode::NotFound] [ErrorCode::AlreadyExists] [ErrorCode::Held]
            [ErrorCode::Changed] [ErrorCode::WrongState] [ErrorCode::TooLarge] [ErrorCode::TooMany]
            [ErrorCode::ProtocolVersion] [ErrorCode::NameTaken] [ErrorCode::Storage] [ErrorCode::Unavailable]
            [ErrorCode::Internal]),
        words!("held_state", HeldState: [HeldState::Queued] [HeldState::Running] [HeldState::Ended]),
        words!("hook", Hook: [Hook::Pre] [Hook::Post]),
        words!("interact_kind", InteractKind: [InteractKind::Message] [InteractKind::Input] [InteractKind::Decide]
            [InteractKind::Options]),
        words!("iteration_save", IterationSave: [IterationSave::All] [IterationSave::Failed]),
        words!("library_kind", LibraryKind: [LibraryKind::File] [LibraryKind::Folder] [LibraryKind::Archive]),
        words!("library_layout", LibraryLayout: [LibraryLayout::Flat] [LibraryLayout::Deep]),
        words!("on_ep_lost", OnEpLost: [OnEpLost::WaitThenAbort] [OnEpLost::Wait] [OnEpLost::Reassign]
            [OnEpLost::Abort]),
        words!("power_action", PowerAction: [PowerAction::On] [PowerAction::Off] [PowerAction::Cycle]
            [PowerAction::Status]),
        words!("power_state", PowerState: [PowerState::On] [PowerState::Off] [PowerState::Unknown]),
        words!("role", Role: [Role::Test] [Role::Setup] [Role::Teardown] [Role::Unsaved]),
        words!("run_state", RunState: [RunState::Queued] [RunState::Running] [RunState::Paused] [RunState::Stopping]
            [RunState::Completed] [RunState::Stopped]),
        words!("save", Save: [Save::Save] [Save::Ask] [Save::NoSave]),
        words!("severity", Severity: [Severity::Warning] [Severity::Error]),
        words!("stream", Stream: [Stream::Cli] [Stream::Stdout] [Stream::Stderr] [Stream::Running] [Stream::Debug]
            [Stream::Test] [Stream::Custom] [Stream::Ep]),
        words!("test_state", TestState: [TestState::Pending] [TestState::Waiting] [TestState::Working]
            [TestState::Ended(Verdict::Pass)] [TestState::Ended(Verdict::Fail)] [TestState::Ended(Verdict::Skipped)]
            [TestState::Ended(Verdict::Aborted)] [TestState::Ended(Verdict::NotExecuted)]
            [TestState::Ended(Verdict::Timeout)] [TestState::Ended(Verdict::Invalid)]),
        words!("verdict", Verdict: [Verdict::Pass] [Verdict::Fail] [Verdict::Skipped] [Verdict::Aborted]
            [Verdict::NotExecuted] [Verdict::Timeout] [Verdict::Invalid]),
    ]
}

/// Each error code with the status that carries it, as scripts rely on.
pub(crate) fn error_statuses() -> String {
    let words = all().into_iter().find(|words| words.name == "words/error_code").unwrap();
    let codes: Vec<ErrorCode> = serde_json::from_str(&words.text).unwrap();
    let table: Vec<_> = codes.into_iter().map(|code| (code, code.status())).collect();
    list(&table)
}

#[test]
fn a_word_of_a_later_version_is_refused_by_name() {
    for words in all() {
        let error = (words.read_one)("\"zz_later\"").unwrap_err();
        assert!(error.contains("`zz_later`"), "{}: {error}", words.name);
        let known: Vec<String> = serde_json::from_str(&words.text).unwrap();
        assert!(
            known.iter().all(|word| error.contains(word.as_str())),
            "{} says not what it knows: {error}",
            words.name
        );
    }
}

#[test]
fn the_word_for_people_is_the_word_on_the_wire() {
    let wire = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    for verdict in Verdict::ALL {
        assert_eq!(wire(serde_json::to_value(verdict).unwrap()), verdict.as_str());
    }
    for state in TestState::ALL {
        assert_eq!(wire(serde_json::to_value(state).unwrap()), state.as_str());
    }
    for stream in Stream::ALL {
        assert_eq!(wire(serde_json::to_value(stream).unwrap()), stream.as_str());
    }
    for cause in [Cause::Product, Cause::Test, Cause::Lab, Cause::Time, Cause::Person, Cause::Unfinished] {
        assert_eq!(wire(serde_json::to_value(cause).unwrap()), cause.as_str());
    }
    for state in [
        RunState::Queued,
        RunState::Running,
        RunState::Paused,
        RunState::Stopping,
        RunState::Completed,
        RunState::Stopped,
    ] {
        assert_eq!(wire(serde_json::to_value(state).unwrap()), state.as_str());
    }
}
