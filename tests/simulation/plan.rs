//! Projects as nobody would write them: every rule of a run, in any mixture.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    id::{BlobHash, SuiteIndex, SutName, TestIndex},
    plan::{
        Dependency, HookScript, Iteration, IterationSave, OnEpLost, Place, PlannedSuite, PlannedTest, Role,
        RunOptions, RunPlan,
    },
    verdict::{Verdict, VerdictSet},
};

use jackfield_tests::dice::Dice;

/// A file that is there.
pub(crate) const FILE: &str = "/t/test.py";
/// A file that is not.
pub(crate) const MISSING: &str = "/t/missing.py";

pub(crate) fn random_plan(dice: &mut Dice, user: &str, eps: u64) -> RunPlan {
    let mut plan = RunPlan {
        project: "p".to_owned(),
        source: "p.xml".to_owned(),
        user: user.into(),
        options: random_options(dice, eps),
        suites: Vec::new(),
        tests: Vec::new(),
        files: BTreeMap::from([(FILE.into(), BlobHash([7; 32]))]),
        libraries: BTreeMap::new(),
        folders: Default::default(),
        panic_patterns: Vec::new(),
        profiles: Default::default(),
        templates: None,
        private: Default::default(),
    };
    for _ in 0..dice.between(1, 4) {
        grow_suite(dice, &mut plan, None, eps, 0);
    }
    add_dependencies(dice, &mut plan);
    plan
}

fn random_options(dice: &mut Dice, eps: u64) -> RunOptions {
    let script = |dice: &mut Dice| {
        let elsewhere = dice.percent(40);
        dice.percent(25).then(|| HookScript {
            path: if dice.percent(90) { FILE.into() } else { MISSING.into() },
            ep: elsewhere.then(|| format!("ep{}", dice.below(eps)).into()),
        })
    };
    RunOptions {
        stop_on_fail: dice.percent(30),
        pre_post_mandatory: dice.percent(50),
        script_pre: script(dice),
        script_post: script(dice),
        delay_millis: if dice.percent(10) { 500 } else { 0 },
        timeout_millis: dice.percent(5).then(|| dice.between(10_000, 120_000)),
        on_ep_lost: match dice.below(6) {
            0 => OnEpLost::Wait,
            1 | 2 => OnEpLost::Reassign,
            3 => OnEpLost::Abort,
            _ => OnEpLost::WaitThenAbort,
        },
        needs: dice.percent(10).then(|| "needs of all".into()),
        ..RunOptions::default()
    }
}

fn count(items: usize) -> u32 {
    u32::try_from(items).expect("plans of the simulation are small")
}

fn grow_suite(dice: &mut Dice, plan: &mut RunPlan, parent: Option<SuiteIndex>, eps: u64, depth: u32) {
    let index = SuiteIndex(count(plan.suites.len()));
    let start = count(plan.tests.len());
    let top = parent.is_none();
    let name: Arc<str> = format!("S{index}").into();
    plan.suites.push(PlannedSuite {
        configs: Vec::new(),
        id: Arc::clone(&name),
        origin: Arc::clone(&name),
        name,
        parent,
        tests: start..start,
        place: if top { random_place(dice, eps) } else { Place::default() },
        sut: (top && dice.percent(35)).then(|| SutName::from(format!("s{}.user", dice.below(2)))),
        panic_detect: false,
        libraries: Vec::new(),
        user_defined: BTreeMap::new(),
        timeout_millis: dice.percent(8).then(|| dice.between(2_000, 60_000)),
        depends: Vec::new(),
    });
    if dice.percent(30) {
        add_test(dice, plan, index, Role::Setup);
    }
    for _ in 0..dice.between(0, 4) {
        if depth < 2 && dice.percent(20) {
            grow_suite(dice, plan, Some(index), eps, depth + 1);
        } else if dice.percent(8) {
            add_iterations(dice, plan, index);
        } else {
            let role = match dice.below(20) {
                0 => Role::Setup,
                1 => Role::Teardown,
                2 => Role::Unsaved,
                _ => Role::Test,
            };
            add_test(dice, plan, index, role);
        }
    }
    if dice.percent(40) {
        add_test(dice, plan, index, Role::Teardown);
    }
    let end = count(plan.tests.len());
    let number = usize::try_from(index.0).expect("small");
    plan.suites[number].tests.end = end;
}

/// What fits is told by the day, not by the text.
fn random_needs(dice: &mut Dice) -> Option<Arc<str>> {
    dice.percent(20).then(|| format!("needs {}", dice.below(crate::day::NEEDS)).into())
}

fn random_place(dice: &mut Dice, eps: u64) -> Place {
    let needs = random_needs(dice);
    let place = match dice.below(10) {
        0..=5 => Place { ep: Some(format!("ep{}", dice.below(eps)).into()), ..Place::default() },
        6 | 7 => Place::default(),
        8 => Place { labels: BTreeMap::from([("site".into(), "a".into())]), ..Place::default() },
        _ => Place { labels: BTreeMap::from([("rack".into(), "".into())]), ..Place::default() },
    };
    Place { needs, ..place }
}

fn add_test(dice: &mut Dice, plan: &mut RunPlan, suite: SuiteIndex, role: Role) {
    let number = plan.tests.len();
    plan.tests.push(random_test(dice, suite, role, &format!("t{number}")));
}

pub(crate) fn random_test(dice: &mut Dice, suite: SuiteIndex, role: Role, name: &str) -> PlannedTest {
    PlannedTest {
        name: name.into(),
        file: if dice.percent(4) { MISSING.into() } else { FILE.into() },
        role,
        runnable: !dice.percent(7),
        optional: dice.percent(20),
        prerequisite: role == Role::Test && dice.percent(6),
        timeout_millis: dice.percent(15).then(|| dice.between(500, 20_000)),
        ..PlannedTest::new(name, suite, FILE)
    }
}

fn add_iterations(dice: &mut Dice, plan: &mut RunPlan, suite: SuiteIndex) {
    let group = count(plan.tests.len());
    let stop_on_fail = dice.percent(70);
    for copy in 0..3_u32 {
        add_test(dice, plan, suite, Role::Test);
        if let Some(test) = plan.tests.last_mut() {
            let text = format!("c#i={copy}").into();
            let save = IterationSave::All;
            test.iteration = Some(Iteration { group, text, values: Vec::new(), stop_on_fail, save });
        }
    }
}

fn add_dependencies(dice: &mut Dice, plan: &mut RunPlan) {
    let tests = count(plan.tests.len());
    let often = if dice.percent(25) { 35 } else { 10 };
    for index in 0..plan.tests.len() {
        while dice.percent(often) {
            let before = count(index);
            let reach = if dice.percent(50) { tests } else { before };
            let dependency = random_dependency(dice, reach);
            plan.tests[index].depends.extend(dependency);
        }
    }
    for index in 0..plan.suites.len() {
        if dice.percent(6) {
            let dependency = random_dependency(dice, tests);
            plan.suites[index].depends.extend(dependency);
        }
    }
}

/// On one or two tests below a number.
pub(crate) fn random_dependency(dice: &mut Dice, tests: u32) -> Option<Dependency> {
    if tests == 0 {
        return None;
    }
    let mut on: Vec<_> = (0..dice.between(1, 2)).map(|_| dice.below(u64::from(tests))).collect();
    on.sort_unstable();
    on.dedup();
    let on = on.into_iter().map(|test| TestIndex(u32::try_from(test).expect("small"))).collect();
    let demand = match dice.below(4) {
        0 => VerdictSet(Verdict::ALL.into()),
        1 => VerdictSet([Verdict::Pass, Verdict::Fail].into()),
        _ => VerdictSet([Verdict::Pass].into()),
    };
    Some(Dependency { tests: on, demand, text: "x:y".into() })
}
