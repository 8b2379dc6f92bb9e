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
        needs: Default::default(),
        params: vec!["a b".into()],
        properties: runner.map(|name| ("runner".into(), name.into())).into_iter().collect(),
        configs: Vec::new(),
        iteration: None,
        libraries: Vec::new(),
        panic_detect: false,
    }
}

fn plan(languages: &Languages, file: &str, runner: Option<&str>) -> Result<Plan, Outcome> {
    plan_of(languages, &test(file, runner), "anything\n")
}

/// The plan for a file with this text; its folder is called `/f`.
fn plan_of(languages: &Languages, test: &TestOrder, text: &str) -> Result<Plan, Outcome> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(test.file.as_ref());
    std::fs::write(&path, text).unwrap();
    let plan = choose(
        languages,
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

fn languages() -> Languages {
    let mut languages = jackfield_config::EpSettings::default().languages;
    // Every interpreter is one that is surely there.
    let names = ["python", "tcl", "expect", "perl", "shell", "java", "javac"];
    languages.interpreters = names.iter().map(|name| (Arc::from(*name), Arc::from("sh"))).collect();
    languages
}

use std::sync::Arc;

#[test]
fn the_ending_chooses_and_the_property_overrides() {
    let languages = languages();
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
    .map(|(file, runner)| (file, line(plan(&languages, file, runner))))
    .collect();
    let text: Vec<_> = lines.iter().map(|(file, line)| format!("{file}: {line}")).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn a_language_of_the_labs_own_takes_three_lines() {
    let mut languages = languages();
    let command = ["sh", "-c", "{file} --out {work}/r.xml"].map(str::to_owned).to_vec();
    let runner = Runner {
        kind: RunnerKind::Command,
        command,
        results: Some("r.xml".to_owned()),
        output: Output::Text,
        classpath: Vec::new(),
    };
    languages.runners.insert("lua".into(), runner);
    assert_eq!(line(plan(&languages, "x.lua", None)), "sh -c /f/x.lua --out /w/r.xml a b > r.xml");
}

#[test]
fn options_of_a_test_go_where_its_tool_reads_them() {
    let with = |file: &str, params: &[&str]| {
        let params = params.iter().map(|param| Arc::from(*param)).collect();
        line(plan_of(&languages(), &TestOrder { params, ..test(file, None) }, "anything\n"))
    };
    assert_eq!(
        with("a.robot", &["b.robot", "--variable", "V:5"]),
        "sh -m robot --xunit=/w/.jackfield-results.xml --outputdir=/w --variable V:5 --nodryrun /f/a.robot b.robot > .jackfield-results.xml"
    );
    assert!(with("a_pytest.py", &["-k", "fast"]).contains(" -k fast /f/a_pytest.py"));
    assert!(with("a.sh", &["-k", "fast"]).ends_with(" /f/a.sh -k fast"));
}

#[test]
fn options_with_which_nothing_would_run_are_refused() {
    let refused = |file: &str, param: &str| {
        let params = vec![Arc::from(param)];
        let line = line(plan_of(&languages(), &TestOrder { params, ..test(file, None) }, "anything\n"));
        line.contains("nothing in it would be run")
    };
    for (file, param) in [
        ("a.robot", "--dryrun"),
        ("a.robot", "--Dry-Run"),
        ("a.robot", "--dry"),
        ("a_pytest.py", "--co"),
        ("a_pytest.py", "--setup-only"),
    ] {
        assert!(refused(file, param), "{file} {param}");
    }
    for (file, param) in [("a.robot", "--doc"), ("a_pytest.py", "-k"), ("a.sh", "--dryrun")] {
        assert!(!refused(file, param), "{file} {param}");
    }
}

#[test]
fn pytests_own_names_are_run_by_pytest_where_they_hold_its_tests() {
    let text = "def test_one():\n    assert 0\n";
    let by = |languages: &Languages, file: &str, runner| line(plan_of(languages, &test(file, runner), text));
    let mut languages = languages();
    for name in ["test_a.py", "a_test.py"] {
        assert!(by(&languages, name, None).contains("-m pytest"), "{name}");
        assert_eq!(by(&languages, name, Some("py")), "Warm");
    }
    assert_eq!(by(&languages, "other.py", None), "Warm");
    languages.runners.retain(|_, runner| runner.kind != RunnerKind::Pytest);
    assert!(by(&languages, "test_a.py", None).contains("no runner of kind pytest; add one"));
}

#[test]
fn an_interpreter_that_is_not_there_is_named() {
    let mut languages = languages();
    languages.interpreters.insert("tcl".into(), "tclsh-none".into());
    assert_eq!(
        line(plan(&languages, "x.tcl", None)),
        "INVALID lab: `tclsh-none` is not installed on this EP; install it, or name another in ep.toml"
    );
}
