//! What the book promises of the documents of a run (docs/reports.md), asked of an engine about a run that it has seen.

use std::{collections::BTreeSet, fs, time::Duration};

use jackfield_protocol::id::RunId;
use jackfield_tests::{Bench, wait};
use roxmltree::{Document, Node};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(120);
const COLUMNS: &str = "test,suite,name,file,iteration,state,cause,reason,decided_by,ep,started,finished,elapsed_millis,tries,attempt,exit_code";

const PROJECT: &str = "<Root><TestSuite><tsName>Routing</tsName><ID>r</ID>\
    <TestCase><tcName>pass.py</tcName><ID>t0</ID></TestCase>\
    <TestSuite><tsName>VLAN</tsName><ID>v</ID>\
    <TestCase><tcName>fail.sh</tcName><ID>t1</ID></TestCase>\
    <TestCase><tcName>skip.py</tcName><ID>t2</ID></TestCase>\
    <TestCase><tcName>crash.py</tcName><ID>t3</ID></TestCase>\
    <TestCase><tcName>abort.py</tcName><ID>t4</ID></TestCase>\
    <TestCase><tcName>gone.py</tcName><ID>t5</ID></TestCase>\
    </TestSuite></TestSuite></Root>";

fn bench() -> Bench {
    let mut bench = Bench::start("").unwrap();
    let long = "seq 1 6000\nprintf 'red \\033[31m \\001 & <b>\\n'\nexit 3\n";
    let pass = "import jackfield\njackfield.check('cpu load', 12, unit='%', at_most=80)\njackfield.part('login', 'PASS')\n\
        jackfield.cleanup('tidy', ['true'])\nprint('nobody reads this of a test that passed')\n";
    for (file, text) in [
        ("pass.py", pass),
        ("fail.sh", &format!("#!/bin/sh\n{long}")),
        ("skip.py", "test_skip('no card')\n"),
        ("crash.py", "raise ValueError('<lost>')\n"),
        ("abort.py", "test_abort('no answer')\n"),
    ] {
        bench.write(&format!("tests/{file}"), text).unwrap();
    }
    bench.start_ep("EP-1", "").unwrap();
    bench
}

/// A document of a run as bytes.
fn document(bench: &Bench, run: RunId, name: &str) -> String {
    let (status, text) = bench.api.request("GET", &format!("/runs/{run}/{name}"), None).unwrap();
    assert_eq!(status, 200, "{text}");
    text
}

fn of_name<'a>(junit: &'a Document<'_>, name: &str) -> Node<'a, 'a> {
    let mut cases = junit.descendants().filter(|node| node.has_tag_name("testcase"));
    cases.find(|node| node.attribute("name").is_some_and(|own| own.starts_with(name))).unwrap()
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn properties<'a>(node: Node<'a, 'a>) -> Vec<(&'a str, &'a str)> {
    let inside = child(node, "properties").into_iter().flat_map(|all| all.children());
    inside.filter_map(|one| one.attribute("name").zip(one.attribute("value"))).collect()
}

#[test]
fn documents_of_a_run_are_what_the_book_promises() {
    let bench = bench();
    let run = bench.api.submit("promises", PROJECT).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let xml = document(&bench, run, "junit.xml");
    junit(&xml, run);
    html(&document(&bench, run, "report.html"));
    let (csv, json, tap) = (
        document(&bench, run, "report.csv"),
        document(&bench, run, "report.json"),
        document(&bench, run, "report.tap"),
    );
    listings(&csv, &json, &tap);
    // The command line writes the same.
    let at = |name: &str| bench.path().join(name).display().to_string();
    let number = run.to_string();
    let [j, h, c, n, t] = ["j.xml", "h.html", "c.csv", "n.json", "t.tap"].map(at);
    let words =
        ["runs", "report", &number, "--junit", &j, "--html", &h, "--csv", &c, "--json-file", &n, "--tap", &t];
    assert_eq!(bench.jackfield(&words).unwrap().status.code(), Some(0));
    for (file, text) in [(&j, &xml), (&c, &csv), (&n, &json), (&t, &tap)] {
        assert_eq!(&fs::read_to_string(file).unwrap(), text, "{file}");
    }
}

fn junit(xml: &str, run: RunId) {
    assert!(!xml.contains('\u{1b}') && !xml.contains('\u{1}'), "control characters become visible signs");
    let junit = Document::parse(xml).unwrap();
    let root = junit.root_element();
    let totals = ["tests", "failures", "errors", "skipped"].map(|name| root.attribute(name).unwrap());
    assert_eq!(totals, ["6", "1", "3", "1"], "a crash, an abort and a missing file are errors");
    let suites: Vec<&str> = root.children().filter_map(|suite| suite.attribute("name")).collect();
    assert_eq!(suites, ["Routing", "Routing/VLAN"]);
    for case in junit.descendants().filter(|node| node.has_tag_name("testcase")) {
        for name in ["classname", "name", "time", "file", "timestamp"] {
            let may_lack = name == "timestamp" && case.attribute("name") == Some("gone.py");
            assert!(
                may_lack || case.attribute(name).is_some_and(|value| !value.is_empty()),
                "{name} of {case:?}"
            );
        }
    }
    let ends = [
        ("fail.sh", "failure"),
        ("skip.py", "skipped"),
        ("crash.py", "error"),
        ("abort.py", "error"),
        ("gone.py", "error"),
    ];
    for (name, wanted) in ends {
        let case = of_name(&junit, name);
        let found = ["failure", "error", "skipped"].into_iter().filter(|tag| child(case, tag).is_some());
        assert_eq!(found.collect::<Vec<_>>(), [wanted], "{name}");
    }
    let pass = of_name(&junit, "pass.py");
    let said = child(pass, "system-out").and_then(|out| out.text()).unwrap();
    assert!(said.contains("part PASS login") && said.contains("clean-up PASS tidy"), "{said}");
    assert!(!xml.contains("nobody reads this"));
    let log = child(of_name(&junit, "fail.sh"), "system-out").and_then(|out| out.text()).unwrap();
    assert!(log.len() < 17_000 && log.contains("bytes before this are left out"), "{} bytes", log.len());
    assert!(log.contains("red  ␁ & <b>") && !log.contains("\n1000\n"), "{log}");
    let of_pass = properties(pass);
    for wanted in [
        ("check.cpu load", "12 %"),
        ("check.cpu load.limits", "at_most 80"),
        ("check.cpu load.verdict", "PASS"),
    ] {
        assert!(of_pass.contains(&wanted), "{of_pass:?}");
    }
    let of_fail: BTreeSet<&str> =
        properties(of_name(&junit, "fail.sh")).into_iter().map(|(name, _)| name).collect();
    for name in ["attempt", "ep", "verdict", "cause", "decided_by"] {
        assert!(of_fail.contains(format!("jackfield.{name}").as_str()), "{of_fail:?}");
    }
    let suite = properties(root.children().find(|node| node.has_tag_name("testsuite")).unwrap());
    let number = run.to_string();
    assert!(
        suite.contains(&("jackfield.run", &number))
            && suite.iter().any(|(name, _)| *name == "jackfield.user")
    );
    assert!(suite.iter().any(|(name, _)| *name == "jackfield.suite"), "{suite:?}");
}

fn html(page: &str) {
    for outside in ["src=\"http", "href=\"http", "<link", "@import", "url(http"] {
        assert!(!page.contains(outside), "{outside}: it needs nothing but a browser");
    }
    assert!(
        page.contains("prefers-color-scheme") && !page.contains("<lost>") && page.contains("&lt;lost&gt;")
    );
    // What did not pass comes first, with the end of its log; then the figures; then all tests.
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no `{text}` in it"));
    assert!(at("6000") < at("cpu load"), "the end of a log stands before the figures");
    assert!(page.contains("login") || page.contains("pass.py"));
}

fn listings(csv: &str, json: &str, tap: &str) {
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some(COLUMNS));
    assert_eq!(lines.filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).count(), 6, "{csv}");
    let json: Value = serde_json::from_str(json).unwrap();
    let tests = json.get("tests").and_then(Value::as_array).unwrap();
    let states: Vec<&str> = tests.iter().filter_map(|test| test.get("state")?.as_str()).collect();
    assert_eq!(states, ["PASS", "FAIL", "SKIPPED", "FAIL", "ABORTED", "SKIPPED"]);
    let known: BTreeSet<&str> = COLUMNS.split(',').chain(["parts"]).collect();
    for test in tests {
        let names: BTreeSet<&str> = test.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(names.is_subset(&known), "{names:?}");
    }
    assert!(
        json.get("run").is_some() && json.pointer("/tests/0/parts").unwrap().to_string().contains("cpu load"),
        "{json}"
    );
    assert!(tap.starts_with("TAP version 14\n1..6\n"), "{tap}");
    let marks: Vec<&str> =
        tap.lines().filter(|line| line.starts_with("ok ") || line.starts_with("not ok ")).collect();
    let good: Vec<bool> = marks.iter().map(|line| line.starts_with("ok ")).collect();
    assert_eq!(good, [true, false, true, false, false, true], "only PASS and SKIPPED are ok: {marks:?}");
    assert!(marks.iter().any(|mark| mark.contains("# SKIP")) && tap.contains("  ---\n  message: "), "{tap}");
}

#[test]
fn what_goes_on_is_in_the_documents_and_has_not_passed() {
    let bench = bench();
    let here = bench.path().display().to_string();
    let text = format!("#!/bin/sh\ntouch {here}/begun\nwhile [ ! -e {here}/enough ]; do sleep 0.05; done\n");
    bench.write("tests/wait.sh", &text).unwrap();
    let xml = "<Root><TestSuite><tsName>s</tsName><TestCase><tcName>wait.sh</tcName></TestCase>\
        <TestCase><tcName>skip.py</tcName></TestCase></TestSuite></Root>";
    let run = bench.api.submit("goes_on", xml).unwrap();
    let begun = bench.path().join("begun");
    wait::until(LIMIT, "the test to begin", || Ok(begun.try_exists()?.then_some(()))).unwrap();
    let now = document(&bench, run, "junit.xml");
    let junit = Document::parse(&now).unwrap();
    assert_eq!(junit.root_element().attribute("errors"), Some("2"), "what has not ended is an error: {now}");
    let states = document(&bench, run, "report.csv");
    assert!(states.lines().skip(1).all(|line| !line.contains(",PASS,")), "{states}");
    assert!(document(&bench, run, "report.tap").contains("not ok 1"));

    fs::write(bench.path().join("enough"), "").unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let end = document(&bench, run, "junit.xml");
    assert_eq!(Document::parse(&end).unwrap().root_element().attribute("errors"), Some("0"), "{end}");
}
