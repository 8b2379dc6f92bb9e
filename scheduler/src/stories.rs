//! Stories of runs, told by their events: what a person sees, and what an EP is asked to do.

mod blocker;
mod ep;
mod lab;
mod need;
mod person;
mod script;

use jackfield_protocol::{
    plan::{OnEpLost, Role},
    verdict::Verdict,
};

use self::lab::{Changing, Lab, Wording, plan, suite, test};

/// A run of these tests on `ep1` in which the EP plays everything as it is told; what people see at the end.
fn story(lab: &mut Lab) -> Vec<String> {
    lab.play();
    lab.told()
}

#[test]
fn a_failed_setup_file_keeps_the_suite_from_running_but_not_its_teardown() {
    let mut plan = plan([suite("outer", "ep1")
        .tests([test("setup").role(Role::Setup), test("a")])
        .inner(suite("inner", "").tests([test("b"), test("undo b").role(Role::Teardown)]))]);
    plan.add_test(0, test("undo a").role(Role::Teardown));
    let mut lab = Lab::with(["ep1"]);
    lab.ends("setup", Verdict::Fail);
    lab.submit(plan);
    assert_eq!(
        story(&mut lab),
        [
            "submitted",
            "outer on ep1",
            "started",
            "setup started",
            "setup FAIL",
            "a NOT_EXECUTED the setup file of suite outer did not pass: setup ended FAIL",
            "b NOT_EXECUTED the setup file of suite outer did not pass: setup ended FAIL",
            "undo b NOT_EXECUTED the setup file of suite outer did not pass: setup ended FAIL",
            "undo a started",
            "undo a PASS",
            "completed",
        ]
    );
}

#[test]
fn stop_on_fail_ends_the_part_and_cleans_up_what_has_begun() {
    let mut plan = plan([
        suite("one", "ep1").tests([
            test("a").optional(),
            test("b"),
            test("c"),
            test("undo").role(Role::Teardown),
        ]),
        suite("two", "ep1").tests([test("d"), test("undo d").role(Role::Teardown)]),
        suite("three", "ep2").tests([test("e")]),
    ]);
    plan.options.stop_on_fail = true;
    let mut lab = Lab::with(["ep1", "ep2"]);
    lab.ends("a", Verdict::Fail);
    lab.ends("b", Verdict::Timeout);
    lab.submit(plan);
    let told = story(&mut lab);
    assert!(told.contains(&"e PASS".to_owned()), "{told:?}");
    let of_ep1: Vec<_> =
        told.into_iter().filter(|line| !line.starts_with("e ") && !line.contains(" on ep")).collect();
    assert_eq!(
        of_ep1,
        [
            "submitted",
            "started",
            "a started",
            "a FAIL",
            "b started",
            "b TIMEOUT",
            "c NOT_EXECUTED the run stops on the first test that fails: b ended TIMEOUT",
            "undo started",
            "undo PASS",
            "d NOT_EXECUTED the run stops on the first test that fails: b ended TIMEOUT",
            "undo d NOT_EXECUTED the run stopped before its suite began: b ended TIMEOUT",
            "completed",
        ]
    );
}

#[test]
fn a_dependency_holds_across_eps_and_is_explained() {
    let plan = plan([
        suite("one", "ep1").tests([test("a")]),
        suite("two", "ep2").tests([
            test("first"),
            test("b").after(0, [Verdict::Pass]),
            test("c").after(0, [Verdict::Fail]),
        ]),
    ]);
    let mut lab = Lab::with(["ep1", "ep2"]);
    lab.submit(plan);
    lab.start("a");
    lab.start("first");
    lab.end("first");
    assert_eq!(lab.why(), ["b (1.2): a (1.0) to end"]);
    lab.play();
    let told = lab.told();
    let last: Vec<_> = told.iter().rev().take(5).rev().map(String::as_str).collect();
    assert_eq!(
        last,
        [
            "a PASS",
            "b started",
            "b PASS",
            "c SKIPPED the dependency a:x does not hold: a ended PASS",
            "completed"
        ]
    );
}

#[test]
fn tests_that_wait_for_each_other_do_not_wait_for_ever() {
    let plan = plan([suite("one", "ep1").tests([test("a").after(1, [Verdict::Pass]), test("b")])]);
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan);
    let told = story(&mut lab);
    assert_eq!(
        told.get(3).map(String::as_str),
        Some(
            "a SKIPPED the dependency b:x can never hold: b (1.1) comes later, or waits for this test itself"
        )
    );
    assert_eq!(told.last().map(String::as_str), Some("completed"));
}

#[test]
fn a_lane_is_lent_to_what_its_part_waits_for() {
    let plan = plan([
        suite("one", "").tests([test("a"), test("b").after(2, [Verdict::Pass])]),
        suite("two", "").tests([test("c")]),
    ]);
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan);
    assert_eq!(
        story(&mut lab),
        [
            "submitted",
            "one on ep1",
            "started",
            "two waits for a free EP",
            "a started",
            "a PASS",
            "b waits for c (1.2) to end",
            "two on ep1",
            "c started",
            "c PASS",
            "one on ep1",
            "b started",
            "b PASS",
            "completed",
        ]
    );
}

#[test]
fn an_ep_that_returns_in_time_goes_on_and_one_that_does_not_is_given_up() {
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan([suite("one", "ep1").tests([test("a"), test("b"), test("undo").role(Role::Teardown)])]));
    lab.start("a");
    lab.vanish("ep1");
    lab.wait(100_000);
    lab.come_back("ep1", &["a"]);
    assert_eq!(lab.kept(), ["a"], "b was not held any more, and is sent again");
    lab.end("a");
    lab.start("b");
    lab.vanish("ep1");
    lab.wait(150_001);
    let told = lab.told();
    let last: Vec<_> = told.iter().skip(4).map(String::as_str).collect();
    assert_eq!(
        last,
        [
            "ep1 silent",
            "ep1 returned",
            "a PASS",
            "b started",
            "ep1 silent",
            "ep1 lost",
            "b ABORTED ep1 was lost: it was not heard for too long",
            "undo NOT_EXECUTED ep1 was lost: it was not heard for too long",
            "completed",
        ]
    );
    lab.come_back("ep1", &["b"]);
    assert!(lab.kept().is_empty(), "what was given up must not go on");
}

#[test]
fn what_an_ep_with_damaged_records_was_given_is_lost_in_words_and_not_run_again() {
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan([suite("one", "ep1").tests([test("a"), test("b"), test("c")])]));
    lab.start("a");
    lab.vanish("ep1");
    lab.come_back_damaged("ep1");
    assert!(lab.kept().is_empty());
    let told = lab.told();
    let lost = "ABORTED the records of its EP were damaged, so whether and how far it ran is not known";
    for test in ["a", "b", "c"] {
        assert!(told.contains(&format!("{test} {lost}")), "{told:?}");
    }
}

#[test]
fn the_rest_of_a_lost_part_goes_to_another_ep() {
    let mut plan = plan([suite("one", "ep1").tests([test("a"), test("b")])]);
    plan.options.on_ep_lost = OnEpLost::Reassign;
    let mut lab = Lab::with(["ep1", "ep2"]);
    lab.submit(plan);
    lab.start("a");
    lab.vanish("ep1");
    lab.wait(150_001);
    lab.play();
    let told = lab.told();
    let last: Vec<_> = told.iter().skip(5).map(String::as_str).collect();
    assert_eq!(
        last,
        [
            "ep1 lost",
            "a ABORTED ep1 was lost: it was not heard for too long",
            "one on ep2",
            "b started",
            "b PASS",
            "completed"
        ]
    );
}

#[test]
fn a_sut_belongs_to_one_run_at_a_time_and_the_earlier_comes_first() {
    let on = |ep: &str| plan([suite("one", ep).sut("bench.user").tests([test("a")])]);
    let mut lab = Lab::with(["ep1", "ep2", "ep3"]);
    lab.submit(on("ep1"));
    lab.submit(on("ep2"));
    lab.submit(on("ep3"));
    lab.play();
    let order: Vec<_> =
        lab.told().into_iter().filter(|line| line.contains(" on ") || line.ends_with("PASS")).collect();
    assert_eq!(order, ["one on ep1", "a PASS", "one on ep2", "a PASS", "one on ep3", "a PASS"]);
}

#[test]
fn a_run_without_its_ep_keeps_no_sut_from_others() {
    let on = |ep: &str| plan([suite("one", ep).sut("bench.user").tests([test("a")])]);
    let mut lab = Lab::with(["ep1"]);
    lab.submit(on("ep9"));
    lab.submit(on("ep1"));
    lab.play();
    lab.come_back("ep9", &[]);
    lab.play();
    let order: Vec<_> =
        lab.told().into_iter().filter(|line| line.contains(" on ") || line.contains(" for ")).collect();
    assert_eq!(
        order,
        [
            "one waits for ep9, which has never connected",
            "one on ep1",
            "one waits for SUT bench.user, which run 2 holds or waits for",
            "one waits for ep9, which has never connected",
            "one on ep9",
        ]
    );
}

#[test]
fn tests_come_and_go_while_the_run_runs() {
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan([suite("one", "ep1").tests([test("a"), test("b"), test("undo").role(Role::Teardown)])]));
    lab.start("a");
    lab.queue(0, test("c"));
    lab.dequeue("b");
    lab.play();
    assert_eq!(
        lab.told().into_iter().skip(3).collect::<Vec<_>>(),
        [
            "a started",
            "c queued",
            "b SKIPPED taken out of the run by ana",
            "a PASS",
            "c started",
            "c PASS",
            "undo started",
            "undo PASS",
            "completed",
        ]
    );
}

#[test]
fn a_suite_that_runs_out_of_time_is_ended_and_cleaned_up() {
    let mut plan =
        plan([suite("one", "ep1").tests([test("a"), test("b"), test("undo").role(Role::Teardown)])]);
    plan.limit_suite(0, 60_000);
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan);
    lab.start("a");
    lab.wait(60_000);
    lab.play();
    assert_eq!(
        lab.told().into_iter().skip(4).collect::<Vec<_>>(),
        [
            "a TIMEOUT the time limit of suite one (60 s) has passed",
            "b NOT_EXECUTED the time limit of suite one has passed",
            "undo started",
            "undo PASS",
            "completed",
        ]
    );
}

#[test]
fn an_ep_of_a_pool_takes_no_work_of_others_and_says_so() {
    let mut lab = Lab::with([]);
    lab.join_pool("ep1", "bob");
    lab.submit(plan([suite("bound", "ep1").tests([test("a")]), suite("free", "").tests([test("b")])]));
    assert_eq!(
        lab.why(),
        ["bound: ep1, which takes only work of bob", "free: a free EP for ana: ep1 takes only work of bob"]
    );
    // Another that serves her is busy or not: then it is that one she waits for.
    lab.join_pool("ep2", "ana");
    lab.play();
    assert_eq!(lab.why(), ["bound: ep1, which takes only work of bob"]);
    lab.join_pool("ep1", "ana");
    assert_eq!(story(&mut lab).last().unwrap(), "completed");
}

#[test]
fn an_ep_that_was_away_at_the_end_of_a_run_is_told_when_it_returns() {
    let mut lab = Lab::with(["ep1", "ep2"]);
    let mut plan = plan([suite("one", "ep1").tests([test("a")]), suite("two", "ep2").tests([test("b")])]);
    plan.options.on_ep_lost = OnEpLost::Abort;
    lab.submit(plan);
    lab.start("a");
    lab.vanish("ep1");
    lab.wait(60_000);
    lab.play();
    assert_eq!(lab.told().last().unwrap(), "completed");
    lab.orders();
    lab.come_back("ep1", &[]);
    assert_eq!(lab.orders(), ["close"]);
    lab.come_back("ep1", &[]);
    assert_eq!(lab.orders(), Vec::<String>::new(), "it is told once");
}

#[test]
fn what_is_wrong_with_an_ep_is_told_to_its_runs_when_it_begins_and_when_it_is_over() {
    let mut lab = Lab::with(["ep1", "ep2"]);
    lab.notice("ep2", &["has no disk"]);
    lab.submit(plan([suite("one", "ep1").tests([test("a"), test("b")])]));
    lab.start("a");
    lab.notice("ep1", &["is full"]);
    lab.notice("ep1", &["is full", "is hot"]);
    lab.end("a");
    assert_eq!(lab.why(), ["b (1.1): ep1, which is full; is hot"]);
    lab.notice("ep1", &[]);
    assert_eq!(lab.why(), Vec::<String>::new());
    // It is wrong still when a second part comes there, which is told, and when it comes back, which is not.
    lab.submit(plan([suite("two", "ep2").tests([test("c")])]));
    let told = story(&mut lab);
    let about: Vec<_> = told.iter().filter(|line| line.starts_with("ep")).collect();
    assert_eq!(
        about,
        ["ep1 is full", "ep1 is hot", "ep1 is full: over", "ep1 is hot: over", "ep2 has no disk"]
    );
}
