//! A Twister home is used as it is: its project, its SUT, its iterator, its run file, with stand-in test files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use jackfield_protocol::{
    plan::RunPlan,
    verdict::{TestState, Verdict},
};
use jackfield_tests::{Bench, process::jackfield};

/// The sample files, which are not ours to ship. Says aloud when they are not beside this checkout.
pub(crate) fn samples() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/twister/data");
    if !folder.is_dir() {
        eprintln!("THE TWISTER SAMPLES ARE NOT AT {}: NOTHING IS CHECKED HERE", folder.display());
        return None;
    }
    Some(folder)
}

fn expand(file: &Path) -> RunPlan {
    let output = Command::new(jackfield()).args(["project", "expand", "--json"]).arg(file).output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{talk}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_sample_project_expands_as_twister_does() {
    let Some(samples) = samples() else { return };
    let plan = expand(&samples.join("config/projects/default.xml"));
    let iterations: Vec<&str> = plan
        .tests
        .iter()
        .filter_map(|test| test.iteration.as_ref())
        .map(|iteration| &*iteration.text)
        .collect();
    assert_eq!(
        iterations,
        ["tc_config#comp#iterator_1=3", "tc_config#comp#iterator_1=1", "tc_config#comp#iterator_1=2"]
    );
    assert_eq!(plan.tests.len(), 12);
    assert_eq!(plan.suites.len(), 1);
    assert_eq!(plan.suites[0].sut.as_ref().unwrap().as_str(), "user_sut.user");
    assert_eq!(plan.suites[0].user_defined["Run_Number"].as_ref(), "1");
}

#[test]
fn the_sample_files_check_without_an_engine() {
    let Some(samples) = samples() else { return };
    for file in ["config/projects/default.xml", "config/testsuites.xml"] {
        let output =
            Command::new(jackfield()).args(["project", "check"]).arg(samples.join(file)).output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{out}{}", String::from_utf8_lossy(&output.stderr));
        assert!(!out.contains(": error:"), "{out}");
    }
}

/// A copy of the samples as a Twister home, with a stand-in for every test file that a plan names.
pub(crate) fn home(bench: &Bench, samples: &Path) {
    let status = Command::new("cp").arg("-r").arg(samples.join("config")).arg(bench.lab()).status().unwrap();
    assert!(status.success());
    // The samples' paths begin with $HOME/twister, which is the folder that holds config/.
    for file in ["config/projects/default.xml", "config/testsuites.xml"] {
        for test in expand(&bench.lab().join(file)).tests {
            let path = PathBuf::from(test.file.as_ref());
            assert!(path.starts_with(bench.lab()), "{} is in the home", path.display());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "print(FILE_NAME)\n_RESULT = 'PASS'\n").unwrap();
        }
    }
}

#[test]
fn a_twister_home_is_run_in_place() {
    let Some(samples) = samples() else { return };
    let mut bench = Bench::start_in("", |bench| {
        home(bench, &samples);
        Ok(None)
    })
    .unwrap();
    bench.start_ep("EP-1001", "").unwrap();
    bench.start_ep("EP-1002", "").unwrap();
    for (project, tests) in [("config/projects/default.xml", 12), ("config/testsuites.xml", 0)] {
        let xml = fs::read_to_string(bench.lab().join(project)).unwrap();
        let run = bench.api.submit(project, &xml).unwrap();
        bench.api.wait(run, Duration::from_secs(60)).unwrap();
        let rows = bench.api.tests(run).unwrap();
        assert!(tests == 0 || rows.len() == tests, "{rows:?}");
        for row in rows {
            let expected = [TestState::Ended(Verdict::Pass), TestState::Ended(Verdict::Skipped)];
            assert!(expected.contains(&row.state), "{}: {:?} {}", row.name, row.state, row.reason);
        }
    }
}
