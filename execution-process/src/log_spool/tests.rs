use jackfield_protocol::id::{RunId, TestIndex};
use proptest::prelude::*;

use super::*;

const WINDOW: u64 = 1 << 30;

fn id(test: u32) -> AttemptId {
    AttemptId { run: RunId(1), test: TestIndex(test), attempt: 1 }
}

fn push(spool: &mut LogSpool, test: u32, offset: u64, bytes: &[u8]) {
    spool.push(&LogFrame { attempt: id(test), stream: Stream::Cli, offset, bytes }).unwrap();
}

/// Sends all there is, and says what arrived.
fn drain(spool: &mut LogSpool, window: u64) -> Vec<(u32, u64, Vec<u8>)> {
    let mut out = Vec::new();
    while let Some(bytes) = spool.next(window).unwrap() {
        let frame = LogFrame::decode(&bytes).unwrap();
        out.push((frame.attempt.test.0, frame.offset, frame.bytes.to_vec()));
    }
    out
}

#[test]
fn what_was_not_stored_is_sent_again_after_a_reconnect_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = LogSpool::open(folder.path(), WINDOW).unwrap();
    push(&mut spool, 1, 0, b"one\xff");
    push(&mut spool, 2, 0, b"two");
    push(&mut spool, 1, 4, b"three");
    assert_eq!(drain(&mut spool, WINDOW).len(), 3);
    spool.stored(id(1), Stream::Cli, 4);
    let rest = [(2, 0, b"two".to_vec()), (1, 4, b"three".to_vec())];
    spool.disconnected();
    assert_eq!(drain(&mut spool, WINDOW), rest);
    drop(spool);
    let mut spool = LogSpool::open(folder.path(), WINDOW).unwrap();
    assert_eq!(drain(&mut spool, WINDOW).len(), 3);
    spool.stored(id(1), Stream::Cli, 9);
    spool.stored(id(2), Stream::Cli, 3);
    assert!(spool.is_empty());
    push(&mut spool, 3, 0, b"four");
    assert_eq!(drain(&mut spool, WINDOW), [(3, 0, b"four".to_vec())]);
}

#[test]
fn the_window_bounds_what_is_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = LogSpool::open(folder.path(), WINDOW).unwrap();
    (0..10).for_each(|part| push(&mut spool, 1, part * 100, &[b'x'; 100]));
    assert_eq!(drain(&mut spool, 250).len(), 3);
    spool.stored(id(1), Stream::Cli, 200);
    assert_eq!(drain(&mut spool, 250).len(), 2);
    assert_eq!(spool.abandon(), [(id(1), 300)]);
    assert!(!spool.waits());
}

#[test]
fn a_long_log_uses_a_bounded_piece_of_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = LogSpool::open(folder.path(), 20 << 20).unwrap();
    let chunk = vec![7; 64 * 1024];
    let (mut offset, mut arrived) = (0, 0);
    while !spool.is_full() {
        push(&mut spool, 1, offset, &chunk);
        offset += 64 * 1024;
    }
    assert!(spool.memory_bytes <= LOG_MEMORY_BYTES);
    while let Some(bytes) = spool.next(WINDOW).unwrap() {
        let frame = LogFrame::decode(&bytes).unwrap();
        assert_eq!(frame.offset, arrived);
        arrived += u64::try_from(frame.bytes.len()).unwrap();
        spool.stored(id(1), Stream::Cli, arrived);
    }
    assert_eq!(arrived, offset);
    assert!(!spool.is_full());
    assert!(std::fs::read_dir(folder.path()).unwrap().count() <= 1);
}

#[test]
fn a_frame_that_was_cut_off_is_cut_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = LogSpool::open(folder.path(), WINDOW).unwrap();
    push(&mut spool, 1, 0, b"whole");
    push(&mut spool, 1, 5, b"broken");
    drop(spool);
    let path = folder.path().join("0.log");
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 1).unwrap();
    let mut spool = LogSpool::open(folder.path(), WINDOW).unwrap();
    assert_eq!(drain(&mut spool, WINDOW), [(1, 0, b"whole".to_vec())]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever is sent, stored, and cut: each log arrives whole and in order.
    #[test]
    fn every_byte_arrives(steps in prop::collection::vec((0..6_u8, 0..3_u32, 1..200_usize), 1..80)) {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = LogSpool::open(folder.path(), WINDOW).unwrap();
        let mut written: BTreeMap<u32, u64> = BTreeMap::new();
        let mut arrived: BTreeMap<u32, u64> = BTreeMap::new();
        let receive = |spool: &mut LogSpool, arrived: &mut BTreeMap<u32, u64>, window| {
            for (test, offset, bytes) in drain(spool, window) {
                let at = arrived.entry(test).or_default();
                assert!(offset <= *at, "a gap in the log of {test}");
                *at = (*at).max(offset + u64::try_from(bytes.len()).unwrap());
            }
        };
        for (step, test, size) in steps {
            match step {
                0..=2 => {
                    let at = written.entry(test).or_default();
                    push(&mut spool, test, *at, &vec![1; size]);
                    *at += u64::try_from(size).unwrap();
                }
                3 => receive(&mut spool, &mut arrived, 300),
                4 => spool.stored(id(test), Stream::Cli, arrived.get(&test).copied().unwrap_or(0)),
                _ => spool.disconnected(),
            }
        }
        spool.disconnected();
        receive(&mut spool, &mut arrived, WINDOW);
        prop_assert_eq!(&arrived, &written);
        for (test, bytes) in arrived {
            spool.stored(id(test), Stream::Cli, bytes);
        }
        prop_assert!(spool.is_empty());
    }
}
