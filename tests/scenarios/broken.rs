//! Broken files: every problem at once, each with its place and what to do, and no run is half started.

use jackfield_protocol::{
    api::{Page, RunSummary},
    error::Problem,
};
use jackfield_tests::Bench;
use serde_json::json;

const BROKEN: &str = r#"<Root>
  <stoponfail>perhaps</stoponfail>
  <TestSuite><tsName>a</tsName><ID>s1</ID>
    <Repeat>x</Repeat>
    <TestCase><tcName>a.py</tcName><ID>t1</ID><Dependency>t2:pass</Dependency></TestCase>
    <TestCase><tcName>b.py</tcName><ID>t2</ID><Dependency>t1:pass</Dependency></TestCase>
    <TestCase><tcName>c.py</tcName><ID>t3</ID><Dependency>nobody:pass</Dependency></TestCase>
  </TestSuite>
</Root>"#;

#[test]
fn all_problems_of_a_project_come_at_once_and_nothing_is_started() {
    let bench = Bench::start("").unwrap();
    let (status, text) =
        bench.api.request("POST", "/runs", Some(&json!({"project": "broken.xml", "xml": BROKEN}))).unwrap();
    assert_eq!(status, 422, "{text}");
    let problem: Problem = serde_json::from_str(&text).unwrap();
    let lines: Vec<u32> = problem.problems.iter().map(|problem| problem.line).collect();
    for line in [2, 4] {
        assert!(lines.contains(&line), "line {line}: {text}");
    }
    let all = problem.to_string();
    assert!(all.contains("perhaps") && all.contains("nobody"), "{all}");
    assert!(problem.problems.iter().all(|problem| problem.line > 0 && !problem.message.is_empty()));
    let runs: Page<RunSummary> = bench.api.get("/runs").unwrap();
    assert!(runs.items.is_empty());
}

#[test]
fn the_command_line_shows_file_line_and_remedy_and_ends_with_two() {
    let bench = Bench::start("").unwrap();
    let file = bench.path().join("broken.xml");
    std::fs::write(&file, BROKEN).unwrap();
    let output = bench.jackfield(&["run", file.to_str().unwrap()]).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(talk.contains("broken.xml:2:"), "{talk}");
}

#[test]
fn a_project_that_is_not_utf8_is_told_with_its_place_also_by_run() {
    let bench = Bench::start("").unwrap();
    let file = bench.path().join("latin.xml");
    std::fs::write(&file, b"<Root>\n  <TestSuite><tsName>Gr\xfc\xdfe</tsName></TestSuite>\n</Root>\n")
        .unwrap();
    for command in [&["run"][..], &["submit"], &["project", "check"]] {
        let arguments = [command, &[file.to_str().unwrap()]].concat();
        let output = bench.jackfield(&arguments).unwrap();
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(told.contains("latin.xml:2:24: error: ") && told.contains("UTF-8"), "{command:?}: {told}");
    }
}
