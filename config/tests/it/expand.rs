//! Expansion, rule by rule, against a lab in memory.

use std::sync::Arc;

use jackfield_config::{
    ExpandOptions, Known, Lookup, Project, Read, Source, SutEps, expand, test_config::TestConfig,
};
use jackfield_protocol::{error::FileProblem, id::UserName, plan::RunPlan};

/// A lab with two SUTs and two test configurations.
struct Bench;

impl Lookup for Bench {
    fn sut_eps(&self, sut: &str, _: &UserName) -> Known<SutEps> {
        let eps: &[&str] = match sut {
            "two.user" => &["E1", "E2"],
            "none.user" => &[],
            _ => return Known::No("is not in the lab".to_owned()),
        };
        Known::Yes(SutEps { name: sut.to_owned(), eps: eps.iter().map(|ep| (*ep).to_owned()).collect() })
    }

    fn sut_names(&self) -> Vec<String> {
        vec!["two.user".to_owned(), "none.user".to_owned()]
    }

    fn test_config(&self, name: &str) -> Known<Read<TestConfig>> {
        let text = match name {
            "c" => {
                "<root><folder><fname>k</fname><param><name>i</name><value>3, 1..3</value><type>iterator</type></param></folder></root>"
            }
            "d" => "<root><param><name>j</name><value>a, b</value><type>iterator</type></param></root>",
            "huge" => {
                "<root><param><name>j</name><value>1..100000</value><type>iterator</type></param></root>"
            }
            "bad" => {
                "<root>\n<param><name>j</name><value>1..999999999</value><type>iterator</type></param></root>"
            }
            _ => return Known::No("is not there".to_owned()),
        };
        Known::Yes(TestConfig::read(name, &Arc::new(Source::new(name, text))))
    }

    fn test_config_names(&self) -> Vec<String> {
        ["c", "d", "huge", "bad"].map(str::to_owned).to_vec()
    }

    fn resolve(&self, path: &str) -> String {
        path.replace('~', "/home")
    }

    fn test_file(&self, file: &str) -> Known<()> {
        if file.contains("missing") { Known::No("is not there".to_owned()) } else { Known::Yes(()) }
    }

    fn library(&self, name: &str) -> Known<()> {
        if name == "vlan.py" { Known::Yes(()) } else { Known::No("is not there".to_owned()) }
    }

    fn library_names(&self) -> Vec<String> {
        vec!["vlan.py".to_owned()]
    }
}

fn run_with(body: &str, options: &ExpandOptions) -> (Option<RunPlan>, Vec<FileProblem>) {
    let (plan, problems) = run_any(body, options);
    plan.iter().for_each(super::circles::assert_sound);
    (plan, problems)
}

fn run_any(body: &str, options: &ExpandOptions) -> (Option<RunPlan>, Vec<FileProblem>) {
    let source = Arc::new(Source::new("p.xml", format!("<Root>{body}</Root>")));
    let read = Project::read("p", &source);
    let (plan, mut problems) = expand(&read.value.unwrap(), &Bench, options);
    problems.extend(read.problems);
    (plan, problems)
}

fn run(body: &str) -> (Option<RunPlan>, Vec<FileProblem>) {
    run_with(body, &ExpandOptions::default())
}

fn plan(body: &str) -> RunPlan {
    let (plan, problems) = run(body);
    plan.unwrap_or_else(|| panic!("{problems:#?}"))
}

/// `a b[i=1] c`: the names of all tests, in order.
fn order(plan: &RunPlan) -> String {
    plan.tests.iter().map(|test| test.name.replace(' ', "")).collect::<Vec<_>>().join(" ")
}

fn errors(body: &str) -> String {
    let (plan, problems) = run(body);
    assert!(plan.is_none(), "{body}");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn test(file: &str, more: &str) -> String {
    format!("<TestCase><tcName>{file}</tcName>{more}</TestCase>")
}

fn suite(name: &str, body: &str) -> String {
    format!("<TestSuite><tsName>{name}</tsName>{body}</TestSuite>")
}

const CONFIG_C: &str = "<ConfigFiles><Config name='c' enabled='true'/></ConfigFiles>";

#[test]
fn a_suite_is_repeated_for_each_sut_and_ep() {
    let body = suite(
        "S",
        &format!("<Repeat>2</Repeat><SutName>two(user);none(user)</SutName>{}", test("a", "<ID>1</ID>")),
    );
    let plan = plan(&body);
    let places: Vec<String> = plan
        .suites
        .iter()
        .map(|suite| {
            let ep = suite.place.ep.as_ref().map_or("-", |ep| ep.as_str());
            format!("{}@{ep}", suite.sut.as_ref().unwrap())
        })
        .collect();
    assert_eq!(places.join(" "), "two.user@E1 two.user@E2 none.user@- two.user@E1 two.user@E2 none.user@-");
    let ids: Vec<&str> = plan.tests.iter().map(|test| test.id.as_ref()).collect();
    assert_eq!(ids[0], "1#E1");
    assert!(ids[1].ends_with("#E2") && !ids[2].contains('#'));
    assert!(plan.tests.iter().all(|test| test.origin.as_ref() == "1"));
}

#[test]
fn the_run_decides_over_the_project() {
    let body = suite("S", &format!("<SutName>two(user)</SutName><EpId>E7;E8</EpId>{}", test("a", "")));
    let options =
        ExpandOptions { ep: Some("X".into()), sut: Some("none.user".to_owned()), ..ExpandOptions::default() };
    let (plan, _) = run_with(&body, &options);
    let plan = plan.unwrap();
    assert_eq!(plan.suites.len(), 1);
    assert_eq!(plan.suites[0].place.ep.as_ref().unwrap().as_str(), "X");
    assert_eq!(plan.suites[0].sut.as_ref().unwrap().as_str(), "none.user");
    let (both, _) = run(&body);
    assert_eq!(both.unwrap().suites.len(), 2);
}

#[test]
fn iterators_multiply_before_repeats() {
    let body = suite(
        "S",
        &format!(
            "{}{}",
            test("a", "<Repeat>2</Repeat><ConfigFiles><Config name='d' enabled='true'/></ConfigFiles>"),
            test("b", "")
        ),
    );
    assert_eq!(order(&plan(&body)), "a[j=a] a[j=a] a[j=b] a[j=b] b");
    let both = "<ConfigFiles><Config name='c' enabled='true'/><Config name='d' enabled='true' iterator_sof='true'/></ConfigFiles>";
    let plan = plan(&suite("S", &test("a", both)));
    assert_eq!(order(&plan), "a[i=3,j=a] a[i=3,j=b] a[i=1,j=a] a[i=1,j=b] a[i=2,j=a] a[i=2,j=b]");
    let first = plan.tests[0].iteration.as_ref().unwrap();
    assert_eq!(first.text.as_ref(), "c#k#i=3, d#j=a");
    assert!(first.stop_on_fail);
    let default = "<ConfigFiles><Config name='c' enabled='true' iterator_default='true'/></ConfigFiles>";
    assert_eq!(order(&self::plan(&suite("S", &test("a", default)))), "a[i=3]");
    let off = "<ConfigFiles><Config name='c' enabled='false'/></ConfigFiles>";
    let plain = self::plan(&suite("S", &test("a", off)));
    assert!(plain.tests[0].iteration.is_none() && plain.tests[0].configs.is_empty());
}

#[test]
fn configurations_of_a_suite_count_for_its_tests_unless_they_say_otherwise() {
    let off = "<ConfigFiles><Config name='c' enabled='false' from_suite='true'/></ConfigFiles>";
    let body =
        suite("S", &format!("{CONFIG_C}{}{}{}", test("a", ""), test("b", off), suite("T", &test("x", ""))));
    assert_eq!(order(&plan(&body)), "a[i=3] a[i=1] a[i=2] b x[i=3] x[i=1] x[i=2]");
}

#[test]
fn what_does_not_run_leaves_no_trace() {
    let idle = "<Property><propName>Running</propName><propValue>false</propValue></Property>";
    let body = format!(
        "{}{}",
        suite("S", &format!("<Repeat>1000000</Repeat>{}", suite("T", &test("a", idle)))),
        suite("U", &format!("{}{}{}", suite("V", &test("b", idle)), test("c", ""), test("d", idle)))
    );
    let plan = plan(&body);
    assert_eq!(order(&plan), "c");
    assert_eq!(plan.suites.len(), 1);
    assert_eq!(plan.suites[0].tests, 0..1);
    let (empty, problems) = run(&suite("S", &test("a", idle)));
    assert!(empty.unwrap().tests.is_empty());
    assert!(problems[0].message.contains("no test"));
}

#[test]
fn inner_suites_are_copied_right_behind_each_other() {
    let inner = suite("T", &format!("<Repeat>2</Repeat>{}", test("b", "<ID>b</ID>")));
    let plan = plan(&suite("S", &format!("<ID>s</ID>{}{inner}{}", test("a", ""), test("c", ""))));
    assert_eq!(order(&plan), "a b b c");
    let shape: Vec<_> = plan.suites.iter().map(|suite| (suite.name.as_ref(), suite.tests.clone())).collect();
    assert_eq!(shape, [("S", 0..4), ("T", 1..2), ("T", 2..3)]);
    assert_eq!(plan.tests[1].id.as_ref(), "b");
    assert_ne!(plan.tests[2].id.as_ref(), "b");
}

#[test]
fn dependencies_prefer_copies_of_their_own_suite_copy() {
    let inside = format!(
        "{}{}",
        test("a", &format!("<ID>a</ID>{CONFIG_C}")),
        test("b", "<Dependency>a:pass</Dependency>")
    );
    let body = format!(
        "{}{}",
        suite("S", &format!("<SutName>two(user)</SutName>{inside}")),
        suite("R", &test("r", "<Dependency>a:any;</Dependency>"))
    );
    let plan = plan(&body);
    let waits = |at: usize| plan.tests[at].depends[0].tests.iter().map(|test| test.0).collect::<Vec<_>>();
    assert_eq!(order(&plan), "a[i=3] a[i=1] a[i=2] b a[i=3] a[i=1] a[i=2] b r");
    assert_eq!(waits(3), [0, 1, 2]);
    assert_eq!(waits(7), [4, 5, 6]);
    assert_eq!(waits(8), [0, 1, 2, 4, 5, 6]);
    assert_eq!(plan.tests[3].depends[0].text.as_ref(), "a:pass");
    assert_eq!(plan.tests[8].depends[0].demand.0.len(), 7);
}

#[test]
fn a_suite_can_wait_and_be_waited_for() {
    let body = format!(
        "{}{}",
        suite("S", &format!("<ID>s</ID>{}{}", test("a", ""), test("b", ""))),
        suite("T", &format!("<Dependency>s:pass</Dependency>{}", test("c", "")))
    );
    let plan = plan(&body);
    assert_eq!(plan.suites[1].depends[0].tests.iter().map(|test| test.0).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(plan.suites[1].depends[0].text.as_ref(), "S:pass");
}

#[test]
fn circles_are_refused_and_told() {
    let id = |id: &str, on: &str| format!("<ID>{id}</ID><Dependency>{on}</Dependency>");
    let across = format!(
        "{}{}",
        suite("S", &format!("<EpId>E1</EpId>{}", test("a", &id("a", "b:pass")))),
        suite("T", &format!("<EpId>E2</EpId>{}", test("b", &id("b", "a:pass"))))
    );
    let later =
        suite("S", &format!("{}{}{}", test("a", &id("a", "c:any")), test("b", ""), test("c", "<ID>c</ID>")));
    let order_of_two_eps = format!(
        "{}{}",
        suite(
            "S",
            &format!("<EpId>E1</EpId>{}{}", test("a1", &id("a1", "b2:any")), test("a2", "<ID>a2</ID>"))
        ),
        suite(
            "T",
            &format!("<EpId>E2</EpId>{}{}", test("b1", &id("b1", "a2:any")), test("b2", "<ID>b2</ID>"))
        )
    );
    let own = suite("S", &test("a", &format!("<Repeat>2</Repeat>{}", id("a", "a:any"))));
    let through_suites = format!(
        "{}{}",
        suite("S", &format!("<ID>s</ID><Dependency>b:any</Dependency>{}", test("a", ""))),
        suite("T", &test("b", &id("b", "s:any")))
    );
    let all = [across, later, order_of_two_eps, own, through_suites];
    insta::assert_snapshot!(all.iter().map(|body| errors(body)).collect::<Vec<_>>().join("\n"));
    // The same two EPs the right way round.
    let fine = format!(
        "{}{}",
        suite(
            "S",
            &format!("<EpId>E1</EpId>{}{}", test("a1", "<ID>a1</ID>"), test("a2", &id("a2", "b1:any")))
        ),
        suite("T", &format!("<EpId>E2</EpId>{}{}", test("b1", &id("b1", "a1:any")), test("b2", "")))
    );
    plan(&fine);
}

#[test]
fn what_cannot_be_is_told_with_its_place() {
    let bodies = [
        suite(
            "S",
            &format!("{}{}", test("a", "<ID>alpha</ID>"), test("b", "<Dependency>alhpa:pass</Dependency>")),
        ),
        suite(
            "S",
            &format!(
                "{}{}{}",
                test("a", "<ID>x</ID>"),
                test("b", "<ID>x</ID>"),
                test("c", "<Dependency>x:pass</Dependency>")
            ),
        ),
        suite("S", &format!("<SutName>tow(user)</SutName>{}", test("a", ""))),
        suite("S", &test("a", "<ConfigFiles><Config name='e'/></ConfigFiles>")),
        suite("S", &test("a", "<ConfigFiles><Config name='bad'/></ConfigFiles>")),
        suite(
            "S",
            &format!("{}{}", test("c", ""), test("a", "<ConfigFiles><Config name='c'/></ConfigFiles>")),
        ),
        suite("S", &format!("<libraries>vlan.py;vlna.py</libraries>{}", test("a", ""))),
        suite("S", &format!("<Repeat>2000000</Repeat>{}", test("a", ""))),
        suite(
            "S",
            &test(
                "a",
                "<Repeat>4000000000</Repeat><ConfigFiles><Config name='huge'/><Config name='c'/></ConfigFiles>",
            ),
        ),
    ];
    insta::assert_snapshot!(bodies.iter().map(|body| errors(body)).collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_may_not_be_meant_is_a_warning() {
    let idle = "<ID>i</ID><Property><propName>Running</propName><propValue>false</propValue></Property>";
    let body = suite(
        "S",
        &format!(
            "<EpId>E1;E1</EpId>{}{}{}",
            test("missing.py", ""),
            test("i", idle),
            test("b", "<Dependency>i:pass</Dependency>")
        ),
    );
    let (plan, problems) = run(&body);
    assert_eq!(order(&plan.unwrap()), "missing.py b");
    insta::assert_snapshot!(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
}

#[test]
fn only_some_tests_are_run() {
    let body = format!(
        "{}{}",
        suite(
            "S",
            &format!(
                "{}{}",
                test("~/x/a.py", &format!("<ID>7d0fe343-aaaa</ID>{CONFIG_C}")),
                test("~/y/b.py", "<Dependency>7d0fe343-aaaa:pass</Dependency>")
            )
        ),
        suite("T", &suite("U", &test("c.py", "")))
    );
    let only = |selectors: &[&str]| {
        let only = selectors.iter().map(|text| (*text).to_owned()).collect();
        run_with(&body, &ExpandOptions { only, ..ExpandOptions::default() })
    };
    for (selectors, expect, suites) in [
        (&["a.py"][..], "a.py[i=3] a.py[i=1] a.py[i=2]", 1),
        (&["x/a.py", "c.py"], "a.py[i=3] a.py[i=1] a.py[i=2] c.py", 3),
        (&["a.py [i=1]"], "a.py[i=1]", 1),
        (&["343-aaaa"], "a.py[i=3] a.py[i=1] a.py[i=2]", 1),
        (&["c.py"], "c.py", 2),
        (&["b.py"], "b.py", 1),
    ] {
        let (plan, _) = only(selectors);
        let plan = plan.unwrap();
        assert_eq!(order(&plan), expect);
        assert_eq!(plan.suites.len(), suites);
        assert!(plan.tests.iter().all(|test| plan.suite(test.suite).is_some()));
        assert_eq!(usize::try_from(plan.suites.last().unwrap().tests.end).unwrap(), plan.tests.len());
    }
    // A copy's own ID names that copy alone: how a run is repeated for what did not pass.
    let whole = run(&body).0.unwrap();
    let (plan, _) = only(&[&whole.tests[1].id]);
    assert_eq!(order(&plan.unwrap()), "a.py[i=1]");
    // What nothing waits for any more is told.
    let (_, problems) = only(&["b.py"]);
    assert!(problems[0].message.contains("is not in the run"), "{problems:?}");
    let (none, problems) = only(&["a.py", "d.py"]);
    assert!(none.is_none());
    insta::assert_snapshot!(problems[0].to_string(), @"p.xml:1:1: error: no test of the run is or ends with `d.py`; did you mean `b.py`?");
    // `y.py` is the end of no part of a path.
    assert!(only(&["y"]).0.is_none());
}
