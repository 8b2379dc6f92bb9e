use jackfield_protocol::{plan::Dependency, verdict::VerdictSet};

use super::*;
use crate::store::tests::fixture::{plan, suite};

/// ```text
/// outer: setup 0, test 1, inner: test 2, test 3; test 4, teardown 5
/// other: setup 6, test 7
/// ```
pub(crate) fn nested() -> RunPlan {
    let mut plan = RunPlan::clone(&plan("demo", 8));
    plan.suites = vec![suite("outer", None, 0..6), suite("inner", Some(0), 2..4), suite("other", None, 6..8)];
    for (test, suite) in plan.tests.iter_mut().zip([0, 0, 1, 1, 0, 0, 2, 2]) {
        test.suite = SuiteIndex(suite);
    }
    plan.tests[0].role = Role::Setup;
    plan.tests[5].role = Role::Teardown;
    plan.tests[6].role = Role::Setup;
    let on = |tests: &[u32]| Dependency {
        tests: tests.iter().copied().map(TestIndex).collect(),
        demand: VerdictSet::default(),
        text: "x:pass".into(),
    };
    plan.tests[3].depends = vec![on(&[1]), on(&[2, 7])];
    plan.suites[1].depends = vec![on(&[7])];
    plan
}

fn rest_of(passed: &[u32]) -> Option<RunPlan> {
    rest(&nested(), |test| passed.contains(&test.0))
}

fn names(plan: &RunPlan) -> Vec<&str> {
    plan.tests.iter().map(|test| &*test.name).collect()
}

#[test]
fn what_did_not_pass_keeps_its_setup_and_teardown() {
    let plan = rest_of(&[0, 1, 4, 6, 7]).unwrap();
    assert_eq!(names(&plan), ["t0.py", "t2.py", "t3.py", "t5.py"]);
    assert_eq!(
        plan.suites.iter().map(|suite| (&*suite.name, suite.tests.clone())).collect::<Vec<_>>(),
        [("outer", 0..4), ("inner", 1..3)]
    );
    assert_eq!(plan.suites[1].parent, Some(SuiteIndex(0)));
    assert_eq!(plan.tests[2].depends.len(), 1, "what it waited for has passed");
    assert_eq!(plan.tests[2].depends[0].tests, [TestIndex(1)]);
    assert!(plan.suites[1].depends.is_empty());
}

#[test]
fn a_suite_of_which_all_passed_is_left_out() {
    let plan = rest_of(&[0, 1, 2, 3, 4]).unwrap();
    assert_eq!(names(&plan), ["t6.py", "t7.py"]);
    assert_eq!(
        (plan.suites.len(), plan.suites[0].tests.clone(), plan.tests[1].suite),
        (1, 0..2, SuiteIndex(0))
    );
}

#[test]
fn setup_files_alone_are_no_reason_to_run() {
    assert!(rest_of(&[1, 2, 3, 4, 7]).is_none());
    assert_eq!(rest_of(&[]).unwrap(), nested(), "nothing passed: the same again");
}
