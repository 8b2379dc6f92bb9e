use std::sync::mpsc;

use jackfield_protocol::{
    attempt::AttemptEnd,
    event::Hook,
    id::{RunId, TestIndex},
    link::{Ended, ScriptEnded},
    verdict::{DecidedBy, Outcome},
};
use proptest::prelude::*;

use super::*;

fn id(test: u32) -> AttemptId {
    AttemptId { run: RunId(7), test: TestIndex(test), attempt: 1 }
}

fn start(test: u32) -> Report {
    Report::Started { attempt: id(test), at: Time(1000) }
}

fn end(test: u32) -> Report {
    Report::Ended(Box::new(Ended {
        attempt: id(test),
        at: Time(2000),
        end: AttemptEnd {
            elapsed_millis: 1000,
            exit_code: Some(0),
            ..AttemptEnd::of(Outcome::pass(DecidedBy::Declared))
        },
        artifacts: BTreeMap::new(),
    }))
}

fn open(path: &Path) -> (Spool, mpsc::Receiver<Synced>) {
    let (send, receive) = mpsc::channel();
    let spool = Spool::open(path, false, move |synced| {
        let _ = send.send(synced);
    });
    (spool.unwrap(), receive)
}

fn wait_for(spool: &mut Spool, synced: &mpsc::Receiver<Synced>, seq: u64) {
    while spool.durable_seq < seq {
        spool.durable(&synced.recv().unwrap());
    }
}

fn seqs(reports: &[(u64, Report)]) -> Vec<u64> {
    reports.iter().map(|(seq, _)| *seq).collect()
}

#[test]
fn a_report_is_sent_once_it_is_durable_and_again_after_a_reconnect() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, synced) = open(&folder.path().join("reports"));
    spool.connected(0);
    spool.report(start(1));
    assert_eq!(seqs(&spool.take_ready()), [0_u64; 0]);
    spool.report(end(1));
    wait_for(&mut spool, &synced, 2);
    assert_eq!(seqs(&spool.take_ready()), [1, 2]);
    assert_eq!(seqs(&spool.take_ready()), [0_u64; 0]);
    spool.connected(1);
    assert_eq!(seqs(&spool.take_ready()), [2]);
    spool.acked(2);
    assert_eq!(spool.unacked(), 0);
}

#[test]
fn a_later_life_knows_what_ran_and_what_is_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports");
    {
        let (mut spool, _synced) = open(&path);
        spool.report(start(1));
        spool.process(id(1), 4711);
        spool.report(end(1));
        spool.report(start(2));
        spool.process(id(2), 4712);
        spool.report(start(3));
        spool.dropped(id(3));
        spool.acked(1);
    }
    for _ in 0..2 {
        let (mut spool, _synced) = open(&path);
        assert_eq!(
            spool.running().clone(),
            BTreeMap::from([(
                id(2),
                Running { at: Time(1000), pid: Some(4712), cleanups: Vec::new(), steps: None }
            )])
        );
        assert_eq!(spool.ended().collect::<Vec<_>>(), [id(1)]);
        spool.connected(1);
        assert_eq!(seqs(&spool.take_ready()), [2, 3, 4]);
        assert_eq!(spool.next_seq, 5);
    }
}

#[test]
fn an_engine_that_knew_another_folder_of_this_name_is_not_confused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports");
    let (mut spool, synced) = open(&path);
    spool.connected(500);
    spool.report(start(1));
    wait_for(&mut spool, &synced, 501);
    assert_eq!(seqs(&spool.take_ready()), [501]);
}

#[test]
fn a_full_disk_stops_nothing_but_says_so_and_is_retried() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports");
    let (mut spool, synced) = open(&path);
    spool.connected(0);
    spool.file = Arc::new(OpenOptions::new().write(true).open("/dev/full").unwrap());
    spool.report(start(1));
    spool.report(end(1));
    assert!(spool.trouble().unwrap().contains("No space left"));
    assert_eq!(seqs(&spool.take_ready()), [0_u64; 0]);
    assert!(spool.retry());
    wait_for(&mut spool, &synced, 2);
    assert_eq!(seqs(&spool.take_ready()), [1, 2]);
    drop(spool);
    assert_eq!(seqs(&Vec::from(open(&path).0.unacked)), [1, 2]);
}

#[test]
fn a_long_file_is_rewritten_without_what_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports");
    let (mut spool, _synced) = open(&path);
    spool.rotate_at = 4096;
    for test in 0..100 {
        spool.report(start(test));
        spool.report(end(test));
        spool.acked(u64::from(test) * 2 + 1);
    }
    drop(spool);
    let (spool, _synced) = open(&path);
    assert_eq!((spool.unacked(), spool.next_seq), (1, 201));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// A kill at any byte loses at most the records from that byte on, and never brings back or invents one.
    #[test]
    fn any_prefix_of_the_file_is_a_good_spool(cut in 0.0..1.0_f64, flip in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reports");
        {
            let (mut spool, _synced) = open(&path);
            for test in 0..5 {
                spool.report(start(test));
                spool.process(id(test), 100);
                spool.report(end(test));
            }
        }
        let mut bytes = std::fs::read(&path).unwrap();
        let whole = record::read_all(&bytes).0.len();
        #[expect(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
        let at = (cut * bytes.len() as f64) as usize;
        if flip { bytes[at] ^= 0x10 } else { bytes.truncate(at) }
        let (left, unread) = record::read_all(&bytes);
        prop_assert!(left.len() < whole);
        std::fs::write(&path, &bytes).unwrap();
        let (mut spool, _synced) = open(&path);
        let found: Vec<u64> = spool.unacked.iter().map(|(seq, _)| *seq).collect();
        prop_assert_eq!(found, (1..spool.next_seq).collect::<Vec<_>>());
        prop_assert!(spool.running().len() <= 1);
        prop_assert_eq!(spool.records_lost(), unread > 0);
        let next = spool.next_seq;
        spool.report(start(77));
        prop_assert_eq!(spool.next_seq, next + 1);
    }
}

#[test]
fn a_damaged_spool_says_so_until_an_engine_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports");
    let lost = |should_be_there| {
        let (mut spool, _synced) = {
            let (send, receive) = mpsc::channel();
            let told = move |synced| drop(send.send(synced));
            (Spool::open(&path, should_be_there, told).unwrap(), receive)
        };
        let lost = spool.records_lost();
        spool.report(start(1));
        lost
    };
    assert!(!lost(false), "a folder of an EP that never was welcome has none");
    assert!(!lost(true));
    let whole = std::fs::read(&path).unwrap();
    let damages: [fn(&mut Vec<u8>); 4] =
        [Vec::clear, |bytes| bytes.truncate(bytes.len() - 1), |bytes| bytes[20] ^= 1, |bytes| bytes.fill(0)];
    for damage in damages {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        std::fs::write(&path, &bytes).unwrap();
        assert!(lost(true) && lost(true), "it is said again after a further restart");
        assert_eq!(std::fs::read(path.with_extension("damaged")).unwrap(), bytes);
        open(&path).0.connected(0);
        assert!(!lost(true), "an engine was told");
    }
}

#[test]
fn a_test_that_was_about_to_begin_is_not_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports");
    open(&path).0.beginning(id(1), Time(900));
    let (mut spool, _) = open(&path);
    assert_eq!(spool.running()[&id(1)].at, Time(900));
    spool.report(start(1));
    assert_eq!(spool.running()[&id(1)].at, Time(1000));
    spool.report(end(1));
    assert!(spool.running().is_empty());
}

#[test]
fn a_script_is_remembered_from_its_beginning_until_its_end_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports");
    let key = (RunId(7), Hook::Pre);
    let (mut spool, _) = open(&path);
    spool.script_begun(key, Time(1000));
    spool.script_process(key, 4242);
    drop(spool);
    // Read back twice: from records, and from what a rotation makes of them.
    for _ in 0..2 {
        let (spool, _) = open(&path);
        assert_eq!(
            spool.scripts().get(&key).map(|running| (running.at, running.pid)),
            Some((Time(1000), Some(4242)))
        );
    }
    let (mut spool, _) = open(&path);
    let (outcome, exit_code, output) = (Outcome::pass(DecidedBy::Declared), Some(0), String::new());
    let ended = ScriptEnded {
        run: key.0,
        hook: key.1,
        at: Time(2000),
        elapsed_millis: 1,
        outcome,
        exit_code,
        output,
    };
    spool.report(Report::ScriptEnded(Box::new(ended)));
    assert!(spool.scripts().is_empty());
    drop(spool);
    let (mut spool, _) = open(&path);
    assert_eq!(spool.ended_scripts().collect::<Vec<_>>(), [key]);
    spool.acked(1);
    assert_eq!(spool.ended_scripts().count(), 0);
}
