//! What a person does to a run that goes on: pause, stop.

use jackfield_protocol::{
    event::Hook,
    plan::Role,
    verdict::{DecidedBy, Outcome},
};

use super::lab::{self, Changing, Lab, Wording, plan, suite, test};
use crate::Event;

#[test]
fn pause_lets_the_current_test_end_and_takes_the_rest_back() {
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan([suite("one", "ep1").tests([test("a"), test("b")])]));
    lab.start("a");
    lab.say(Event::RunPaused { run: lab::RUN, by: "ana".into() });
    assert_eq!(lab.orders(), ["open", "assign a", "assign b", "take back b"]);
    lab.play();
    assert_eq!(lab.told().last().map(String::as_str), Some("a PASS"));
    assert_eq!(lab.why(), ["b (1.1): the run to be resumed"]);
    lab.say(Event::RunResumed { run: lab::RUN, by: "ana".into() });
    lab.play();
    assert_eq!(lab.orders(), ["assign b", "close"]);
    assert_eq!(lab.told().last().map(String::as_str), Some("completed"));
}

#[test]
fn stop_ends_what_runs_and_cleans_up() {
    let mut plan = plan([
        suite("one", "ep1").tests([test("a"), test("b"), test("undo").role(Role::Teardown)]),
        suite("two", "ep1").tests([test("c"), test("undo c").role(Role::Teardown)]),
    ]);
    plan.options.script_post = Some(lab::script());
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan);
    lab.start("a");
    lab.say(Event::RunStopped {
        run: lab::RUN,
        by: "ana".into(),
        reason: "wrong build".to_owned(),
        at_once: false,
    });
    lab.play();
    let ended = Event::HookEnded {
        run: lab::RUN,
        hook: Hook::Post,
        outcome: Outcome::pass(DecidedBy::Declared),
        output: String::new(),
    };
    lab.say(ended);
    assert_eq!(
        lab.told(),
        [
            "submitted",
            "one, two on ep1",
            "started",
            "a started",
            "stopping",
            "a ABORTED stopped by ana: wrong build",
            "b NOT_EXECUTED stopped by ana: wrong build",
            "undo started",
            "undo PASS",
            "c, undo c NOT_EXECUTED stopped by ana: wrong build",
            "hook PASS",
            "stopped",
        ]
    );
}

#[test]
fn a_stop_at_once_ends_the_clean_up_too() {
    let undo = |name| test(name).role(Role::Teardown);
    let mut plan = plan([suite("one", "ep1").tests([test("a"), undo("undo"), undo("rest")])]);
    plan.options.script_post = Some(lab::script());
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan);
    lab.start("a");
    let stop = |by: &str, at_once| Event::RunStopped {
        run: lab::RUN,
        by: by.into(),
        reason: String::new(),
        at_once,
    };
    lab.say(stop("ana", false));
    lab.answer();
    lab.end("a");
    lab.start("undo");
    lab.orders();
    lab.say(stop("ana", false));
    assert_eq!(lab.orders(), Vec::<String>::new(), "the same again changes nothing");
    lab.say(stop("bob", true));
    assert_eq!(lab.orders(), ["take back rest", "stop undo"]);
    lab.play();
    assert_eq!(
        lab.told().into_iter().skip(4).collect::<Vec<_>>(),
        [
            "stopping",
            "a ABORTED stopped by ana",
            "undo started",
            "stopping at once",
            "undo ABORTED stopped by ana; ended at once by bob",
            "rest NOT_EXECUTED stopped by ana; ended at once by bob",
            "stopped",
        ]
    );
}

#[test]
fn time_limits_stand_still_while_the_run_is_paused() {
    let mut plan = plan([suite("one", "ep1").tests([test("a"), test("b")])]);
    plan.limit_suite(0, 60_000);
    plan.options.timeout_millis = Some(90_000);
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan);
    lab.start("a");
    lab.wait(40_000);
    lab.say(Event::RunPaused { run: lab::RUN, by: "ana".into() });
    lab.end("a");
    lab.wait(1_000_000);
    lab.say(Event::RunResumed { run: lab::RUN, by: "ana".into() });
    lab.start("b");
    lab.wait(19_990);
    assert_eq!(lab.told().last().map(String::as_str), Some("b started"));
    lab.wait(10);
    lab.end("b");
    assert_eq!(
        lab.told().into_iter().skip(5).collect::<Vec<_>>(),
        ["b started", "b TIMEOUT the time limit of suite one (60 s) has passed", "completed"]
    );
}

#[test]
fn a_run_that_nobody_takes_waits_no_longer_than_it_was_told_to() {
    let mut plan = plan([suite("one", "ep9").tests([test("a")])]);
    plan.options.wait_millis = Some(30_000);
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan);
    lab.wait(29_999);
    assert_eq!(lab.why(), ["one: ep9, which has never connected"], "it waits");
    lab.wait(1);
    let told = lab.told();
    let reason = "no EP took the run within 30 s, which is how long it was to wait";
    assert!(told.iter().any(|line| line.contains(reason)), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("stopped"));
}

#[test]
fn a_limit_that_counts_from_the_submission_counts_the_waiting() {
    for counts_waiting in [true, false] {
        let mut plan = plan([suite("one", "ep2").tests([test("a")])]);
        plan.options.timeout_millis = Some(60_000);
        plan.options.timeout_from_submit = counts_waiting;
        plan.options.wait_millis = Some(50_000);
        let mut lab = Lab::with(["ep1", "ep2"]);
        lab.vanish("ep2");
        lab.submit(plan);
        lab.wait(40_000);
        lab.come_back("ep2", &[]);
        lab.start("a");
        lab.wait(20_000);
        let over = lab.told().iter().any(|line| line == "stopping");
        assert_eq!(over, counts_waiting, "{:?}", lab.told());
    }
}

#[test]
fn who_drained_an_ep_and_what_undoes_it_is_told_to_whom_waits() {
    let drain = |ep: &str, drained| Event::EpDrained { ep: ep.into(), drained, by: "ana".into() };
    let how = "drained by ana; `jackfield eps drain ep1 --undo` lets it take work again";
    for (bound_to, told) in
        [("ep1", format!("S: ep1, which is {how}")), ("", format!("S: a free EP: ep1, ep2 are {how}"))]
    {
        let mut lab = Lab::with(["ep1", "ep2"]);
        lab.say(drain("ep1", true));
        lab.say(drain("ep2", true));
        lab.submit(plan([suite("S", bound_to).tests([test("one")])]));
        assert_eq!(lab.why(), [told]);
        lab.say(drain("ep1", false));
        assert_eq!(lab.why(), Vec::<String>::new(), "it goes on");
    }
}
