//! Scripts around a run.

use jackfield_protocol::{
    event::Hook,
    plan::{HookScript, OnEpLost},
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use super::{
    lab::{self, Lab, plan, suite, test},
    story,
};
use crate::Event;

#[test]
fn a_mandatory_pre_script_that_fails_cancels_the_run() {
    let mut plan = plan([suite("one", "ep1").tests([test("a"), test("b")])]);
    plan.options.script_pre = Some(lab::script());
    plan.options.script_post = Some(lab::script());
    plan.options.pre_post_mandatory = true;
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan);
    assert_eq!(lab.why(), ["run 1: its pre script to end"]);
    let outcome = Outcome::not_pass(Verdict::Fail, Cause::Lab, DecidedBy::Declared, "exit status 2");
    lab.say(Event::HookEnded { run: lab::RUN, hook: Hook::Pre, outcome, output: String::new() });
    assert_eq!(
        lab.told(),
        [
            "submitted",
            "one on ep1",
            "hook FAIL",
            "stopping",
            "a, b NOT_EXECUTED the pre script failed: exit status 2",
            "stopped",
        ]
    );
}

/// A run on `ep1` with a pre script on `ep2`.
fn scripted() -> jackfield_protocol::plan::RunPlan {
    let mut plan = plan([suite("one", "ep1").tests([test("a")])]);
    plan.files.insert("/pre.sh".into(), jackfield_protocol::id::BlobHash([1; 32]));
    plan.options.script_pre = Some(HookScript { path: "/pre.sh".into(), ep: Some("ep2".into()) });
    plan
}

#[test]
fn a_run_waits_for_its_script_on_an_ep() {
    let mut lab = Lab::with(["ep1"]);
    lab.submit(scripted());
    assert_eq!(lab.why()[0], "run 1: ep2, which is not connected, and its pre script there");
    lab.come_back("ep2", &[]);
    assert_eq!(lab.orders(), ["run pre script /pre.sh on ep2"]);
    assert_eq!(lab.why()[0], "run 1: its pre script to end on ep2");
    lab.end_script("ep1", Hook::Pre, Outcome::pass(DecidedBy::Declared));
    assert!(lab.orders().is_empty(), "another EP's word does not count");
    lab.end_script("ep2", Hook::Pre, Outcome::pass(DecidedBy::Declared));
    lab.end_script(
        "ep2",
        Hook::Pre,
        Outcome::not_pass(Verdict::Fail, Cause::Test, DecidedBy::Declared, "twice"),
    );
    assert_eq!(
        story(&mut lab),
        ["submitted", "one on ep1", "hook PASS", "started", "a started", "a PASS", "completed"]
    );
}

#[test]
fn a_script_whose_ep_is_lost_is_given_up_as_a_test_would_be() {
    let mut lab = Lab::with(["ep1", "ep2"]);
    let mut plan = scripted();
    plan.options.pre_post_mandatory = true;
    plan.options.on_ep_lost = OnEpLost::Abort;
    lab.submit(plan);
    lab.vanish("ep2");
    lab.wait(30_000);
    assert_eq!(
        story(&mut lab),
        [
            "submitted",
            "one on ep1",
            "hook ABORTED",
            "stopping",
            "a NOT_EXECUTED the pre script failed: ep2 was lost: it was not heard for too long",
            "stopped"
        ]
    );
}

#[test]
fn a_stop_ends_a_script_on_an_ep() {
    let mut lab = Lab::with(["ep1", "ep2"]);
    lab.submit(scripted());
    lab.orders();
    lab.say(Event::RunStopped { run: lab::RUN, by: "ana".into(), reason: String::new(), at_once: false });
    assert_eq!(lab.orders(), ["stop pre script on ep2"]);
    lab.end_script(
        "ep2",
        Hook::Pre,
        Outcome::not_pass(Verdict::Aborted, Cause::Person, DecidedBy::Declared, "stopped by ana"),
    );
    assert_eq!(lab.told().last().unwrap(), "stopped");
}
