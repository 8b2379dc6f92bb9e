//! Who has what a run waits for, as whoever waits is told.

use jackfield_protocol::{id::RunId, plan::RunPlan};

use super::lab::{Lab, plan, suite, test};

/// A run of one test, of somebody's project.
fn of(user: &str, project: &str, suite: super::lab::Suite) -> RunPlan {
    RunPlan { user: user.into(), project: project.to_owned(), ..plan([suite.tests([test("a")])]) }
}

/// What a run waits for as a whole, and who has it.
fn waits(lab: &Lab, run: u64) -> Option<String> {
    let waiting = lab.scheduler.waits(RunId(run))?;
    let who: Vec<_> = waiting.blockers.iter().map(ToString::to_string).collect();
    Some(format!("{}: {}", waiting.wants.unwrap_or(waiting.waits_for), who.join("; ")))
}

/// Without the times, which are those of the story.
fn told(lab: &Lab, run: u64) -> Option<String> {
    let waits = waits(lab, run)?;
    let words = waits.split(' ').filter(|word| !word.starts_with("1970-") && *word != "since");
    Some(words.collect::<Vec<_>>().join(" "))
}

#[test]
fn a_run_that_waits_for_any_ep_is_told_who_has_those_that_could_take_it() {
    let mut lab = Lab::with(["ep1", "ep2"]);
    lab.submit(of("ana", "night", suite("S", "")));
    assert_eq!(told(&lab, 1), None, "it has one");
    lab.submit(of("bob", "day", suite("S", "")));
    lab.submit(of("eve", "late", suite("S", "")));
    assert_eq!(
        told(&lab, 3).as_deref(),
        Some("a free EP: ep1: run 1 (night) of ana ep2: run 2 (day) of bob")
    );
    let since = waits(&lab, 3).unwrap_or_default();
    assert_eq!(since.matches(" since 1970-").count(), 2, "{since}");
    lab.play();
    assert_eq!(told(&lab, 3), None);
}

#[test]
fn one_that_is_bound_to_an_ep_is_told_of_that_alone() {
    let mut lab = Lab::with(["ep1", "ep2"]);
    lab.submit(of("ana", "night", suite("S", "ep1")));
    lab.submit(of("bob", "day", suite("S", "ep1")));
    assert_eq!(told(&lab, 2).as_deref(), Some("ep1: ep1: run 1 (night) of ana"));
    let all: Vec<_> = lab.scheduler.all_waits(9).keys().map(|run| run.0).collect();
    assert_eq!(all, [2], "what works waits for nothing");
}

#[test]
fn a_sut_is_told_by_who_has_it() {
    let mut lab = Lab::with(["ep1", "ep2"]);
    lab.submit(of("ana", "night", suite("S", "ep1").sut("bench.user")));
    lab.submit(of("bob", "day", suite("S", "ep2").sut("bench.user")));
    lab.submit(of("eve", "late", suite("S", "").sut("bench.user")));
    let second = told(&lab, 2).unwrap_or_default();
    assert!(second.starts_with("SUT bench.user: ") && second.ends_with(": run 1 (night) of ana"), "{second}");
    let third = told(&lab, 3).unwrap_or_default();
    assert!(third.contains("run 1 (night) of ana"), "{third}");
}

#[test]
fn what_nobody_has_is_nobodys() {
    let mut lab = Lab::with(["ep1"]);
    lab.submit(of("ana", "night", suite("S", "ep9")));
    assert_eq!(told(&lab, 1).as_deref(), Some("ep9, which has never connected: "));
    lab.vanish("ep1");
    lab.submit(of("bob", "day", suite("S", "")));
    assert_eq!(told(&lab, 2).as_deref(), Some("a free EP: "));
}
