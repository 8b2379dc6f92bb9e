//! Runs that say what they need and not which: what they are given, for how long, and what they wait for.

use std::sync::Arc;

use jackfield_protocol::verdict::Verdict;
use jackfield_resource_allocator::{
    ResourceId,
    book::{Alternative, Candidate, Choice, Options, Spot},
};

use super::lab::{Lab, Wording, plan, suite, test};
use crate::Event;

fn router(number: u64) -> Spot {
    let path = format!("/tb1/r{number}");
    Spot { node: ResourceId::from_number(number), path, above: vec![ResourceId::root()] }
}

/// What fits a text: so many of these routers.
fn choice(text: &str, count: usize, routers: &[u64]) -> Arc<Choice> {
    let candidate = |number: &u64| Candidate { spot: router(*number), same: vec![Some(Vec::new())] };
    let fits = (0..routers.len()).collect();
    let alternative = Alternative { text: text.to_owned(), count, fits };
    let needs = vec![Options { name: text.into(), scope: 0, alternatives: vec![alternative] }];
    Arc::new(Choice { text: text.into(), candidates: routers.iter().map(candidate).collect(), needs })
}

fn lab<const N: usize>(eps: [&str; N], choices: &[Arc<Choice>]) -> Lab {
    let mut lab = Lab::with(eps);
    fit(&mut lab, choices);
    lab
}

fn fit(lab: &mut Lab, choices: &[Arc<Choice>]) {
    let choices = choices.iter().map(|choice| (choice.text.clone(), choice.clone())).collect();
    lab.say(Event::NeedsFit { choices });
}

fn told(lab: &Lab) -> Vec<String> {
    let is_told = |line: &String| line.contains("given") || line.contains("waits") || line.ends_with("PASS");
    lab.told().into_iter().filter(is_told).collect()
}

#[test]
fn runs_are_given_what_fits_and_wait_for_it() {
    let needy = |ep: &str| plan([suite("one", ep).needs("dut").tests([test("a")])]);
    let mut lab = lab(["ep1", "ep2", "ep3"], &[choice("dut", 1, &[1, 2])]);
    ["ep1", "ep2", "ep3"].into_iter().for_each(|ep| lab.submit(needy(ep)));
    assert_eq!(
        told(&lab),
        [
            "given for what it needs: dut: /tb1/r1",
            "given for what it needs: dut: /tb1/r2",
            "one waits for what it needs: 0 of 2 that fit `dut` are free: ana's run 1 has /tb1/r1 since \
             1970-01-01T00:00:00.000Z, ana's run 2 has /tb1/r2 since 1970-01-01T00:00:00.000Z",
        ]
    );
    lab.play();
    assert_eq!(told(&lab)[3..], ["a PASS", "given for what it needs: dut: /tb1/r1", "a PASS", "a PASS"]);
}

#[test]
fn what_the_whole_run_needs_is_shared_by_its_parts_and_what_suites_need_is_not() {
    let mut wanted = plan([
        suite("one", "ep1").needs("own").tests([test("a")]),
        suite("two", "ep2").needs("own").tests([test("b")]),
    ]);
    wanted.options.needs = Some("whole".into());
    // Only r1 can be the router of the whole run: it is kept for that.
    let mut lab = lab(["ep1", "ep2"], &[choice("own", 1, &[1, 2, 3]), choice("whole", 1, &[1])]);
    lab.submit(wanted);
    let needs: Vec<_> = ["a", "b"].into_iter().map(|test| lab.needs_of(test)).collect();
    assert_eq!(needs, ["own: /tb1/r2, whole: /tb1/r1", "own: /tb1/r3, whole: /tb1/r1"]);
    lab.play();
    assert_eq!(told(&lab).iter().filter(|line| line.ends_with("PASS")).count(), 2);
}

#[test]
fn a_part_that_lent_what_it_was_given_goes_on_with_the_same() {
    let mut wanted = plan([
        suite("one", "ep1").needs("dut").tests([test("setup"), test("a").after(2, [Verdict::Pass])]),
        suite("two", "ep2").needs("dut").tests([test("b")]),
    ]);
    wanted.tests[1].depends[0].text = "b:pass".into();
    let mut lab = lab(["ep1", "ep2"], &[choice("dut", 1, &[1])]);
    lab.submit(wanted);
    lab.play();
    assert_eq!(lab.told().last().map(String::as_str), Some("completed"), "{:?}", lab.told());
    let given = "given for what it needs: dut: /tb1/r1";
    let mut lines = told(&lab);
    lines.retain(|line| !line.contains("waits"));
    assert_eq!(lines, [given, "setup PASS", given, "b PASS", given, "a PASS"]);
}

#[test]
fn what_the_whole_run_needs_outlives_the_part_that_lends_its_lane_to_another_of_the_run() {
    let mut wanted = plan([
        suite("one", "").tests([test("setup"), test("a").after(2, [Verdict::Pass])]),
        suite("two", "").tests([test("b")]),
    ]);
    wanted.options.needs = Some("whole".into());
    let mut lab = lab(["ep1"], &[choice("whole", 1, &[1])]);
    lab.submit(wanted);
    lab.play();
    assert_eq!(lab.told().last().map(String::as_str), Some("completed"), "{:?}", lab.told());
}

#[test]
fn what_the_whole_run_was_given_is_not_given_to_those_behind_while_another_part_of_it_waits() {
    let mut wanted =
        plan([suite("one", "ep1").tests([test("a")]), suite("two", "ep2").needs("own").tests([test("b")])]);
    wanted.options.needs = Some("whole".into());
    let mut lab = lab(["ep1", "ep2", "ep3", "ep4"], &[choice("own", 1, &[2]), choice("whole", 1, &[1])]);
    // What the second suite needs is taken, and another run waits for what this one was given.
    lab.submit(plan([suite("before", "ep3").needs("own").tests([test("x")])]));
    lab.submit(wanted);
    lab.submit(plan([suite("behind", "ep4").needs("whole").tests([test("y")])]));
    lab.start("a");
    lab.end("a");
    assert_eq!(lab.needs_of("y"), "");
    lab.start("x");
    lab.end("x");
    assert_eq!(lab.needs_of("b"), "own: /tb1/r2, whole: /tb1/r1");
    lab.play();
    assert_eq!(told(&lab).iter().filter(|line| line.ends_with("PASS")).count(), 4, "{:?}", lab.told());
}

#[test]
fn what_the_whole_run_is_given_leaves_what_only_a_later_suite_can_use() {
    let mut wanted = plan([
        suite("one", "ep1").tests([test("a")]),
        suite("two", "ep2").needs("large").tests([test("b").after(0, [Verdict::Pass])]),
    ]);
    wanted.options.needs = Some("whole".into());
    let mut lab = lab(["ep1", "ep2"], &[choice("whole", 1, &[1, 2]), choice("large", 1, &[1])]);
    lab.submit(wanted);
    let given = "given for what it needs: whole: /tb1/r2".to_owned();
    assert!(told(&lab).contains(&given), "{:?}", told(&lab));
    lab.play();
    assert_eq!(lab.told().last().map(String::as_str), Some("completed"), "{:?}", lab.told());
}

#[test]
fn suites_on_one_ep_share_what_they_need_alike() {
    let mut lab = lab(["ep1"], &[choice("dut", 1, &[1])]);
    let one = suite("one", "ep1").needs("dut").tests([test("a")]);
    lab.submit(plan([one, suite("two", "ep1").needs("dut").tests([test("b")])]));
    assert_eq!(["a", "b"].map(|test| lab.needs_of(test)), ["dut: /tb1/r1", "dut: /tb1/r1"]);
    lab.play();
    assert_eq!(lab.told().last().map(String::as_str), Some("completed"));
}

#[test]
fn what_fits_is_followed_while_a_run_waits() {
    let mut lab = lab(["ep1"], &[choice("dut", 1, &[])]);
    lab.submit(plan([suite("one", "ep1").needs("dut").tests([test("a")])]));
    assert_eq!(lab.why(), ["one: `dut`, which nothing in the lab can meet any more"]);
    fit(&mut lab, &[choice("dut", 1, &[7])]);
    lab.play();
    assert_eq!(told(&lab)[1..], ["given for what it needs: dut: /tb1/r7", "a PASS"]);
}

#[test]
fn nothing_is_said_before_it_is_known_what_fits() {
    let mut lab = Lab::with(["ep1"]);
    lab.submit(plan([suite("one", "ep1").needs("dut").tests([test("a")])]));
    assert_eq!(lab.told(), ["submitted"]);
    assert_eq!(lab.needed(), ["dut"]);
    fit(&mut lab, &[choice("dut", 1, &[1])]);
    lab.play();
    assert_eq!(told(&lab), ["given for what it needs: dut: /tb1/r1", "a PASS"]);
    assert!(lab.needed().is_empty());
}

#[test]
fn a_device_is_not_in_two_hands_of_one_run() {
    // What a suite needs is r1, and the SUT of the other links to r1, too: one after the other.
    let wanted = plan([
        suite("one", "ep1").needs("own").tests([test("a")]),
        suite("two", "ep2").sut("bench.user").tests([test("b")]),
    ]);
    let mut lab = lab(["ep1", "ep2"], &[choice("own", 1, &[1])]);
    lab.say(Event::SutsLinked { links: [("bench.user".into(), [router(1)].into())].into() });
    lab.submit(wanted);
    let waits = "two waits for SUT bench.user: ana's run 1 has /tb1/r1 since 1970-01-01T00:00:00.000Z";
    assert_eq!(told(&lab), ["given for what it needs: own: /tb1/r1", waits]);
    lab.play();
    assert_eq!(told(&lab)[2..], ["a PASS", "b PASS"]);
}

#[test]
fn what_the_whole_run_needs_is_none_of_its_suts() {
    let mut wanted = plan([
        suite("one", "ep1").tests([test("a")]),
        suite("two", "ep2").sut("bench.user").tests([test("b")]),
    ]);
    wanted.options.needs = Some("whole".into());
    let mut lab = lab(["ep1", "ep2"], &[choice("whole", 1, &[1, 2])]);
    lab.say(Event::SutsLinked { links: [("bench.user".into(), [router(1)].into())].into() });
    lab.submit(wanted);
    assert_eq!(lab.needs_of("a"), "whole: /tb1/r2", "though r1 was as free, and less worn");
    lab.play();
    assert_eq!(told(&lab).iter().filter(|line| line.ends_with("PASS")).count(), 2);
}
