use std::collections::BTreeMap;

use super::*;

fn test(file: &str, runner: Option<&str>) -> TestOrder {
    TestOrder {
        id: "t".into(),
        name: "t".into(),
        file: file.into(),
        content: None,
        runnable: true,
        suite_id: "s".into(),
        suite_name: "S".into(),
        suite_position: (0, 1),
        sut: None,
        params: vec!["a b".into()],
        properties: runner.map(|name| ("runner".into(), name.into())).into_iter().collect(),
        configs: Vec::new(),
        iteration: None,
        libraries: Vec::new(),
        panic_detect: false,
    }
}

fn plan(settings: &EpSettings, file: &str, runner: Option<&str>) -> Result<Plan, Outcome> {
    plan_of(settings, &test(file, runner), "anything\n")
}

/// The plan for a file with this text; its folder is called `/f`.
fn plan_of(settings: &EpSettings, test: &TestOrder, text: &str) -> Result<Plan, Outcome> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(test.file.as_ref());
    std::fs::write(&path, text).unwrap();
    let plan = choose(
        settings,
        test,
        Places { file: &path, root: folder.path(), work: Path::new("/w"), sdk: Path::new("/sdk") },
    )?;
    let Plan::Program { command, results, output } = plan else { return Ok(plan) };
    let real = folder.path().to_string_lossy().into_owned();
    let command = command.iter().map(|word| word.to_string_lossy().replace(&real, "/f").into()).collect();
    Ok(Plan::Program { command, results, output })
}

/// The command as one line, with the interpreter's folder left out: it differs between machines.
fn line(plan: Result<Plan, Outcome>) -> String {
    match plan {
        Ok(Plan::Program { command, results, output }) => {
            let mut words: Vec<_> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            if !words[0].starts_with("/f/") {
                words[0] = words[0].rsplit('/').next().unwrap().to_owned();
            }
            let results = results.map(|results| format!(" > {}", results.file)).unwrap_or_default();
            let output = if output == Output::Text { String::new() } else { format!(" | {output:?}") };
            words.join(" ") + &results + &output
        }
        Ok(other) => format!("{other:?}"),
        Err(outcome) => format!("{} {}: {}", outcome.verdict, outcome.cause.unwrap(), outcome.reason),
    }
}

fn settings() -> EpSettings {
    let mut settings = EpSettings::default();
    // Every interpreter is one that is surely there.
    let names = ["python", "tcl", "expect", "perl", "shell", "java", "javac"];
    settings.interpreters = names.iter().map(|name| (Arc::from(*name), Arc::from("sh"))).collect();
    settings
}

use std::sync::Arc;

#[test]
fn the_ending_chooses_and_the_property_overrides() {
    let settings = settings();
    let lines: BTreeMap<&str, String> = [
        ("a.py", None),
        ("a.pyc", None),
        ("a_pytest.py", None),
        ("test_a.py", Some("pytest")),
        ("a.robot", None),
        ("a.tcl", None),
        ("a.exp", None),
        ("a.pl", None),
        ("a.sh", None),
        ("a.java", None),
        ("tool", None),
        ("b.steps.toml", None),
        ("c.py", Some("executable")),
        ("d.py", Some("nothing")),
    ]
    .into_iter()
    .map(|(file, runner)| (file, line(plan(&settings, file, runner))))
    .collect();
    let text: Vec<_> = lines.iter().map(|(file, line)| format!("{file}: {line}")).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn a_language_of_the_labs_own_takes_three_lines() {
    let mut settings = settings();
    let command = ["sh", "-c", "{file} --out {work}/r.xml"].map(str::to_owned).to_vec();
    let runner = Runner {
        kind: RunnerKind::Command,
        command,
        results: Some("r.xml".to_owned()),
        output: Output::Text,
        classpath: Vec::new(),
    };
    settings.runners.insert("lua".into(), runner);
    assert_eq!(line(plan(&settings, "x.lua", None)), "sh -c /f/x.lua --out /w/r.xml a b > r.xml");
}

#[test]
fn options_of_a_test_go_where_its_tool_reads_them() {
    let with = |file: &str, params: &[&str]| {
        let params = params.iter().map(|param| Arc::from(*param)).collect();
        line(plan_of(&settings(), &TestOrder { params, ..test(file, None) }, "anything\n"))
    };
    assert_eq!(
        with("a.robot", &["b.robot", "--variable", "V:5"]),
        "sh -m robot --xunit=/w/.jackfield-results.xml --outputdir=/w --variable V:5 /f/a.robot b.robot > .jackfield-results.xml"
    );
    assert!(with("a_pytest.py", &["-k", "fast"]).contains(" -k fast /f/a_pytest.py"));
    assert!(with("a.sh", &["-k", "fast"]).ends_with(" /f/a.sh -k fast"));
}

#[test]
fn pytests_own_names_are_run_by_pytest_where_they_hold_its_tests() {
    let text = "def test_one():\n    assert 0\n";
    let by = |settings: &EpSettings, file: &str, runner| line(plan_of(settings, &test(file, runner), text));
    let mut settings = settings();
    for name in ["test_a.py", "a_test.py"] {
        assert!(by(&settings, name, None).contains("-m pytest"), "{name}");
        assert_eq!(by(&settings, name, Some("py")), "Warm");
    }
    assert_eq!(by(&settings, "other.py", None), "Warm");
    settings.runners.retain(|_, runner| runner.kind != RunnerKind::Pytest);
    assert!(by(&settings, "test_a.py", None).contains("no runner of kind pytest; add one"));
}

#[test]
fn an_interpreter_that_is_not_there_is_named() {
    let mut settings = settings();
    settings.interpreters.insert("tcl".into(), "tclsh-none".into());
    assert_eq!(
        line(plan(&settings, "x.tcl", None)),
        "INVALID lab: `tclsh-none` is not installed on this EP; install it, or name another in ep.toml"
    );
}
