//! Any value reads back as it was written.

use std::{fmt::Debug, str::FromStr};

use jackfield_protocol::{
    event::{Fact, RunEvent},
    guard::Latch,
    id::{AttemptId, BlobHash, EpName, Epoch, LeaseId, RunId, SuiteIndex, SutName, TestIndex, UserName},
    log::{LogFrame, Stream},
    time::Time,
    verdict::{Verdict, VerdictSet},
};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

fn json<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    let text = serde_json::to_string(value).unwrap();
    let read = serde_json::from_str::<T>(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
    prop_assert_eq!(&read, value);
    Ok(())
}

fn text<T: ToString + FromStr<Err: Debug> + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    prop_assert_eq!(&value.to_string().parse::<T>().unwrap(), value);
    Ok(())
}

fn any_attempt() -> impl Strategy<Value = AttemptId> {
    any::<(u64, u32, u16)>().prop_map(|(run, test, attempt)| AttemptId {
        run: RunId(run),
        test: TestIndex(test),
        attempt,
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers(long in any::<u64>(), short in any::<u32>()) {
        json(&RunId(long))?;
        text(&RunId(long))?;
        json(&Epoch(long))?;
        text(&Epoch(long))?;
        json(&LeaseId(long))?;
        text(&LeaseId(long))?;
        json(&TestIndex(short))?;
        text(&TestIndex(short))?;
        json(&SuiteIndex(short))?;
        text(&SuiteIndex(short))?;
        json(&Latch(short))?;
    }

    #[test]
    fn names(name in any::<String>()) {
        json(&EpName::from(name.as_str()))?;
        json(&UserName::from(name.as_str()))?;
        json(&SutName::from(name.as_str()))?;
    }

    #[test]
    fn attempts(attempt in any_attempt()) {
        json(&attempt)?;
        text(&attempt)?;
    }

    #[test]
    fn hashes(bytes in any::<[u8; 32]>()) {
        json(&BlobHash(bytes))?;
        text(&BlobHash(bytes))?;
    }

    #[test]
    fn no_other_text_is_a_hash(bytes in any::<[u8; 32]>(), place in 0_usize..64, byte in "[ -~]") {
        let mut text = BlobHash(bytes).to_string();
        text.replace_range(place..=place, &byte);
        let hexadecimal = text.bytes().all(|digit| digit.is_ascii_hexdigit());
        prop_assert_eq!(text.parse::<BlobHash>().is_ok(), hexadecimal, "{}", text);
    }

    #[test]
    fn no_other_text_is_an_attempt(parts in prop::collection::vec("[+-]?[0-9]{0,2}[ a]?", 2..5)) {
        let number = |part: &String| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
        let text = parts.join(".");
        prop_assert_eq!(text.parse::<AttemptId>().is_ok(), parts.len() == 3 && parts.iter().all(number), "{}", text);
    }

    #[test]
    fn instants(millis in any::<i64>(), likely in -377_705_023_201_000_i64..=253_402_207_200_000) {
        json(&Time(millis))?;
        json(&Time(likely))?;
    }

    #[test]
    fn sets_of_verdicts(verdicts in prop::sample::subsequence(Verdict::ALL.to_vec(), 0..=Verdict::ALL.len())) {
        json(&VerdictSet(verdicts.into_iter().collect()))?;
    }

    #[test]
    fn log_frames(
        attempt in any_attempt(),
        stream in prop::sample::select(Stream::ALL.to_vec()),
        offset in any::<u64>(),
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let frame = LogFrame { attempt, stream, offset, bytes: &bytes };
        let written = frame.encode();
        prop_assert_eq!(LogFrame::decode(&written).unwrap(), frame);
    }

    #[test]
    fn bytes_that_are_a_frame_are_written_as_they_came(
        mut bytes in prop::collection::vec(any::<u8>(), 0..64),
        stream in 0_u8..16,
    ) {
        if let Some(byte) = bytes.get_mut(14) {
            *byte = stream;
        }
        if let Ok(frame) = LogFrame::decode(&bytes) {
            let written = frame.encode();
            prop_assert_eq!(&written[..15], &bytes[..15]);
            prop_assert_eq!(&written[16..], &bytes[16..]);
        } else {
            prop_assert!(bytes.len() < 24 || stream > 7);
        }
    }

    /// As many digits as a device can mean.
    #[test]
    fn measures(digits in -999_999_999_999_999_i64..=999_999_999_999_999, places in 0_u32..=12) {
        let number: f64 = format!("{digits}e-{places}").parse().unwrap();
        json(&Fact::Answered { question: 1, by: None, answer: Value::from(number) })?;
    }

    #[test]
    fn whatever_a_test_says_or_answers(said in any::<String>(), answer in any_json(), at in any::<i64>()) {
        let event = |fact| RunEvent { run: RunId(1), seq: 1, at: Time(at), fact };
        json(&event(Fact::Note { text: said }))?;
        json(&event(Fact::Answered { question: 1, by: None, answer }))?;
    }
}
