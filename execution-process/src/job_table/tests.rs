use jackfield_protocol::{
    guard::{Guard, Latch, Raise},
    id::{BlobHash, TestIndex},
    link::TestOrder,
    verdict::VerdictSet,
};
use proptest::prelude::*;

use super::*;

fn id(test: u32) -> AttemptId {
    AttemptId { run: RunId(1), test: TestIndex(test), attempt: 1 }
}

fn order(test: u32, lane: u16) -> Assignment {
    Assignment {
        attempt: id(test),
        lane,
        delay_millis: 0,
        timeout_millis: 1000,
        guards: Vec::new(),
        raises: Vec::new(),
        test: TestOrder {
            id: "t".into(),
            name: format!("t{test}").into(),
            file: "t.sh".into(),
            content: Some(BlobHash([0; 32])),
            runnable: true,
            suite_id: "s".into(),
            suite_name: "S".into(),
            suite_position: (0, 1),
            sut: None,
            needs: Default::default(),
            params: Vec::new(),
            properties: BTreeMap::new(),
            configs: Vec::new(),
            iteration: None,
            libraries: Vec::new(),
            panic_detect: false,
        },
    }
}

fn table(orders: Vec<Assignment>) -> JobTable {
    let mut table = JobTable::default();
    orders.into_iter().for_each(|order| table.assign(Arc::new(order)));
    table
}

fn started(next: Option<Next>) -> Option<AttemptId> {
    match next? {
        Next::Start(order) => Some(order.attempt),
        Next::Forbidden(..) => None,
    }
}

const T0: u64 = 1_000;

#[test]
fn one_test_at_a_time_on_a_lane_in_order() {
    let mut table = table(vec![order(1, 0), order(2, 0), order(3, 1)]);
    let now = Moment::at(T0);
    assert_eq!(started(table.next(now, true)), Some(id(1)));
    assert_eq!(started(table.next(now, true)), Some(id(3)));
    assert_eq!(table.next(now, true), None);
    table.left(id(1), now);
    assert_eq!(started(table.next(now, true)), Some(id(2)));
}

#[test]
fn nothing_starts_while_nothing_may_but_rules_still_speak() {
    let mut forbidden = order(1, 0);
    forbidden.test.runnable = false;
    let mut table = table(vec![forbidden, order(2, 0)]);
    let Some(Next::Forbidden(_, outcome)) = table.next(Moment::at(T0), false) else { panic!("not skipped") };
    assert_eq!(outcome.verdict, Verdict::Skipped);
    assert_eq!(table.next(Moment::at(T0), false), None);
    assert_eq!(started(table.next(Moment::at(T0), true)), Some(id(2)));
}

#[test]
fn a_delay_counts_from_the_end_of_the_test_before() {
    let mut second = order(2, 0);
    second.delay_millis = 500;
    let mut table = table(vec![order(1, 0), second]);
    assert_eq!(started(table.next(Moment::at(T0), true)), Some(id(1)));
    table.left(id(1), Moment::at(T0 + 100));
    assert_eq!(table.next(Moment::at(T0 + 599), true), None);
    assert_eq!(table.wake_at(), Some(Moment::at(T0 + 600)));
    assert_eq!(started(table.next(Moment::at(T0 + 600), true)), Some(id(2)));
}

#[test]
fn a_latch_that_a_test_raised_forbids_a_later_one() {
    let mut setup = order(1, 0);
    setup.raises = vec![Raise { latch: Latch(7), when: VerdictSet::all_but(Verdict::Pass) }];
    let mut guarded = order(2, 0);
    guarded.guards = vec![Guard {
        unless: Latch(7),
        verdict: Verdict::NotExecuted,
        cause: Cause::Unfinished,
        reason: "the setup did not pass".to_owned(),
    }];
    let mut table = table(vec![setup.clone(), guarded]);
    table.next(Moment::at(T0), true);
    table.raise(&setup, Verdict::Fail);
    table.left(id(1), Moment::at(T0));
    let Some(Next::Forbidden(_, outcome)) = table.next(Moment::at(T0), true) else { panic!("was started") };
    assert_eq!(outcome.reason, "the setup did not pass: t1 ended FAIL");
}

#[test]
fn what_is_taken_back_or_not_kept_leaves_the_queue_and_names_what_is_on_a_lane() {
    let mut table = table(vec![order(1, 0), order(2, 0), order(3, 0)]);
    table.next(Moment::at(T0), true);
    let removed = table.remove(&[id(1), id(3), id(99)]);
    assert_eq!(removed.current, [id(1)]);
    assert_eq!(removed.queued.iter().map(|order| order.attempt).collect::<Vec<_>>(), [id(3)]);
    assert!(!table.is_started(id(1)));
    table.started(id(1));
    assert!(table.is_started(id(1)));
    let removed = table.keep(&[id(2)]);
    assert_eq!((removed.queued.len(), removed.current), (0, vec![id(1)]));
    assert_eq!(table.held().len(), 2);
}

#[test]
fn an_assignment_that_comes_twice_is_one() {
    let mut table = table(vec![order(1, 0), order(1, 0)]);
    assert_eq!(table.held().len(), 1);
    table.next(Moment::at(T0), true);
    table.assign(Arc::new(order(1, 0)));
    assert_eq!(table.held().len(), 1);
}

#[derive(Clone, Debug)]
enum Step {
    Assign(u32, u16),
    Next(bool),
    End(u32),
    TakeBack(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..40_u32, 0..3_u16).prop_map(|(test, lane)| Step::Assign(test, lane)),
        any::<bool>().prop_map(Step::Next),
        (0..40_u32).prop_map(Step::End),
        (0..40_u32).prop_map(Step::TakeBack),
    ]
}

proptest! {
    /// Whatever comes in whatever order: a lane runs at most one test, in order of assignment, and only when allowed.
    #[test]
    fn lanes_keep_their_order(steps in prop::collection::vec(step(), 0..120)) {
        let mut table = JobTable::default();
        let mut waiting: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
        let mut running: BTreeMap<u16, u32> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Assign(test, lane) => {
                    let known = waiting.values().flatten().chain(running.values()).any(|t| *t == test);
                    table.assign(Arc::new(order(test, lane)));
                    if !known {
                        waiting.entry(lane).or_default().push(test);
                    }
                }
                Step::Next(may) => if let Some(Next::Start(order)) = table.next(Moment::at(T0), may) {
                    prop_assert!(may);
                    let test = order.attempt.test.0;
                    prop_assert_eq!(waiting.get_mut(&order.lane).unwrap().remove(0), test);
                    prop_assert!(running.insert(order.lane, test).is_none());
                },
                Step::End(test) => {
                    table.left(id(test), Moment::at(T0));
                    running.retain(|_, t| *t != test);
                }
                Step::TakeBack(test) => {
                    let removed = table.remove(&[id(test)]);
                    prop_assert_eq!(removed.current.len(), running.values().filter(|t| **t == test).count());
                    waiting.values_mut().for_each(|queue| queue.retain(|t| *t != test));
                }
            }
            prop_assert_eq!(table.held().len(), waiting.values().map(Vec::len).sum::<usize>() + running.len());
        }
    }
}
