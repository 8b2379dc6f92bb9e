//! Circles of waiting tests, checked against a lab that simply plays the project: what can be played to its end must be
//! accepted, and what gets stuck must be refused.

use std::{collections::BTreeSet, fmt::Write};

use jackfield_config::{ExpandOptions, Lab, check_project_text};
use jackfield_protocol::plan::RunPlan;
use proptest::prelude::*;

/// Tests that something waits for, by their numbers.
type Waits = Vec<usize>;

/// A suite: its EP (none: one of its own), what it waits for, and what each of its tests waits for.
type ModelSuite = (Option<u8>, Waits, Vec<Waits>);

/// Tests with their numbers, in the order of one EP.
type Lane = Vec<(usize, Waits)>;

/// Suites in order.
#[derive(Clone, Debug)]
struct Model(Vec<ModelSuite>);

impl Model {
    fn tests(&self) -> usize {
        self.0.iter().map(|(_, _, tests)| tests.len()).sum()
    }

    fn xml(&self) -> String {
        let list = |waits: &[usize]| {
            waits.iter().map(|at| format!("t{}:any;", at % self.tests())).collect::<String>()
        };
        let mut text = String::from("<Root>");
        let mut number = 0;
        for (ep, waits, tests) in &self.0 {
            let ep = ep.map(|ep| format!("<EpId>E{ep}</EpId>")).unwrap_or_default();
            write!(text, "<TestSuite><tsName>s</tsName>{ep}<Dependency>{}</Dependency>", list(waits))
                .unwrap();
            for waits in tests {
                let waits = list(waits);
                write!(text, "<TestCase><tcName>t{number}</tcName><ID>t{number}</ID><Dependency>{waits}</Dependency></TestCase>")
                    .unwrap();
                number += 1;
            }
            text.push_str("</TestSuite>");
        }
        text + "</Root>"
    }

    /// Every EP plays its tests in order, each as soon as what it waits for has ended; true if all come to an end.
    fn plays_to_its_end(&self) -> bool {
        let mut lanes: Vec<(Option<u8>, Lane)> = Vec::new();
        let mut number = 0;
        for (ep, suite_waits, tests) in &self.0 {
            let known = lanes.iter().position(|(of, _)| ep.is_some() && of == ep);
            let lane = known.unwrap_or_else(|| {
                lanes.push((*ep, Vec::new()));
                lanes.len() - 1
            });
            for (at, waits) in tests.iter().enumerate() {
                let first = if at == 0 { suite_waits.as_slice() } else { &[] };
                lanes[lane].1.push((number, waits.iter().chain(first).map(|on| on % self.tests()).collect()));
                number += 1;
            }
        }
        let mut ended = BTreeSet::new();
        loop {
            let before = ended.len();
            for (_, lane) in &mut lanes {
                while let Some((test, waits)) = lane.first() {
                    if !waits.iter().all(|on| ended.contains(on)) {
                        break;
                    }
                    ended.insert(*test);
                    lane.remove(0);
                }
            }
            if ended.len() == before {
                return ended.len() == number;
            }
        }
    }
}

fn model() -> impl Strategy<Value = Model> {
    let waits = |most: usize| prop::collection::vec(0..20_usize, 0..=most);
    // Mostly no dependency, so that about half of the projects can be played.
    let rarely = prop_oneof![6 => Just(Vec::new()).boxed(), 1 => waits(2).boxed()];
    let tests = prop::collection::vec(rarely.clone(), 1..5);
    let suite = (prop::option::of(0..3_u8), rarely, tests);
    prop::collection::vec(suite, 1..6).prop_map(Model)
}

/// What must hold of every plan.
pub(super) fn assert_sound(plan: &RunPlan) {
    let mut ids = BTreeSet::new();
    assert!(plan.tests.iter().all(|test| ids.insert(&test.id)), "two tests have one id");
    assert!(plan.suites.iter().all(|suite| ids.insert(&suite.id)), "two suites have one id");
    let count = u32::try_from(plan.tests.len()).unwrap();
    for (at, suite) in plan.suites.iter().enumerate() {
        assert!(suite.tests.start < suite.tests.end && suite.tests.end <= count, "a suite without tests");
        if let Some(parent) = suite.parent {
            let around = plan.suite(parent).unwrap();
            assert!(usize::try_from(parent.0).unwrap() < at, "a parent behind its child");
            assert!(around.tests.start <= suite.tests.start && suite.tests.end <= around.tests.end);
            assert_eq!((&around.place, &around.sut), (&suite.place, &suite.sut));
        }
        assert!(suite.depends.iter().flat_map(|depends| &depends.tests).all(|on| on.0 < count));
    }
    for (at, test) in (0..).zip(&plan.tests) {
        assert!(
            plan.suite_chain(test.suite).all(|(_, suite)| suite.tests.contains(&at)),
            "a test outside of its suite"
        );
        for depends in &test.depends {
            assert!(!depends.tests.is_empty() && depends.tests.iter().all(|on| on.0 < count && on.0 != at));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn what_gets_stuck_is_refused_and_nothing_else(model in model()) {
        let checked = check_project_text("p.xml", model.xml(), &Lab::nowhere(), &ExpandOptions::default());
        prop_assert_eq!(checked.plan.is_some(), model.plays_to_its_end(), "{}\n{:#?}", model.xml(), checked.problems);
        if let Some(plan) = &checked.plan {
            assert_sound(plan);
        }
    }
}

#[test]
fn the_models_are_of_both_kinds() {
    let waits = |on: usize| Model(vec![(Some(0), vec![], vec![vec![on], vec![]])]);
    assert!(!waits(1).plays_to_its_end());
    assert!(Model(vec![(Some(0), vec![], vec![vec![], vec![0]])]).plays_to_its_end());
}
