//! The HTTP interface as its own description promises it, asked by somebody else's program: Schemathesis, with a token of each role.
//!
//! Asked for by `JACKFIELD_WITH=schemathesis`, since it is fetched; `JACKFIELD_FUZZ_SECONDS` makes it longer, `JACKFIELD_FUZZ_SEED` another one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use jackfield_tests::{Bench, present::asked_for};
use serde_json::{Value, json};

const NAME: &str = "schemathesis";
const VERSION: &str = "4.32.5";
const LIMIT: Duration = Duration::from_secs(60);
/// For each role, where nobody says how many.
const SECONDS: &str = "30";

/// Streams do not end; whoever logs out, or changes accounts and tokens, asks nothing more after it. What needs no token is asked elsewhere.
const LEFT_OUT: &str =
    "/(live|follow|growth|socket|console|login|logout)|/tokens|/users|/authority|/metrics|/healthz";
/// What an answer may not be: an error of ours, a status or a body that the description does not know.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// What is there to be asked for.
const PARAMETERS: &str = "[parameters]\nrun = 1\nattempt = \"1.0.1\"\nstream = \"cli\"\nproject = \"demo.xml\"\nfile = \"a.sh\"\n\
    sut = \"core.system\"\nlease = 1\nep = \"EP-1\"\ntest = 0\n";

/// The program in a virtual environment of its own, fetched once.
fn program() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target").join(format!("{NAME}-{VERSION}"));
    let program = folder.join("bin/schemathesis");
    if program.is_file() {
        return program;
    }
    let run = |program: &Path, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).status();
        assert!(status.is_ok_and(|status| status.success()), "`{}` failed", program.display());
    };
    run(Path::new("python3"), &["-m", "venv", &folder.display().to_string()]);
    run(&folder.join("bin/pip"), &["install", "--quiet", &format!("{NAME}=={VERSION}")]);
    program
}

#[expect(clippy::disallowed_methods, reason = "a person says how long")]
fn told(name: &str, unless_told: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| unless_told.to_owned())
}

/// A token of somebody with this role alone.
fn token(bench: &Bench, role: &str) -> String {
    let name = role.to_lowercase().replace('*', "all");
    let account = json!({"name": name, "password": "correct horse", "roles": [role]});
    let _: Value = bench.api.post("/users", &account).unwrap();
    let login = json!({"user": name, "password": "correct horse", "token": "x"});
    let got: Value = bench.api.post("/login", &login).unwrap();
    got.get("token").and_then(Value::as_str).unwrap().to_owned()
}

#[test]
fn what_the_description_promises_holds_for_every_role() {
    if !asked_for(NAME, "it fetches 30 MB from PyPI, once, and takes some minutes") {
        return;
    }
    let program = program();
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/a.sh", "#!/bin/sh\necho said\n").unwrap();
    let project =
        "<Root><TestSuite><tsName>s</tsName><TestCase><tcName>a.sh</tcName></TestCase></TestSuite></Root>";
    bench.write("projects/demo.xml", project).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    bench.api.pass_files(&["a.sh"], LIMIT).unwrap();
    let here = bench.path().join("schemathesis");
    fs::create_dir(&here).unwrap();
    fs::write(here.join("schemathesis.toml"), PARAMETERS).unwrap();
    let address = format!("http://{}", bench.address().unwrap());
    let document = format!("{address}/api/openapi.json");
    let (seconds, seed) = (told("JACKFIELD_FUZZ_SECONDS", SECONDS), told("JACKFIELD_FUZZ_SEED", "1"));
    let mut wrong = String::new();
    for role in [
        "*",
        "VIEW_REPORTS",
        "RUN_TESTS",
        "CHANGE_PROJECT",
        "CHANGE_TESTBED",
        "LOCK_TESTBED",
        "CHANGE_SERVICES",
    ] {
        let authorization = format!("Authorization: Bearer {}", token(&bench, role));
        let output = Command::new(&program)
            .args(["--config-file", "schemathesis.toml", "run", &document, "--url", &address])
            .args(["-H", &authorization, "--phases", "coverage,fuzzing", "--checks", CHECKS])
            .args(["--exclude-path-regex", LEFT_OUT, "--exclude-method", "DELETE"])
            .args(["--max-time", &seconds, "--seed", &seed, "--request-timeout", "20", "-n", "50"])
            .args(["--suppress-health-check", "all", "--warnings", "off", "--no-color"])
            .current_dir(&here)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let tested = said.lines().find(|line| line.contains("generated")).unwrap_or("nothing").trim();
        eprintln!("{role}: {tested}");
        if !output.status.success() {
            wrong.push_str(&format!("as {role}:\n{said}\n{}\n", String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(!bench.engine_log().contains("panicked"), "{}", bench.engine_log());
    // Its EP may have been drained: whether it works is another question.
    let engine: Value = bench.api.get("/engine").unwrap();
    assert_eq!(engine.get("healthy"), Some(&json!(true)), "{engine}");
}
