//! Modules that a test imports and that only the Python of its EP can have.

use std::os::unix::fs::PermissionsExt as _;

use jackfield_tests::Bench;
use serde_json::{Value, json};

#[test]
fn what_the_python_of_an_ep_lacks_is_said_before_the_run() {
    let mut bench = Bench::start("").unwrap();
    let site = bench.path().join("site");
    std::fs::create_dir(&site).unwrap();
    // An interpreter that finds modules where another does not.
    let python = bench.path().join("python-with-more");
    let text = format!("#!/bin/sh\nPYTHONPATH={} exec /usr/bin/python3 \"$@\"\n", site.display());
    std::fs::write(&python, text).unwrap();
    std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(site.join("only_there.py"), "raise SystemExit('it was imported')\n").unwrap();
    bench
        .write(
            "tests/t.py",
            "import os\nimport only_there\ntry:\n    import maybe\nexcept ImportError: pass\n",
        )
        .unwrap();
    let project = |ep: &str| {
        format!(
            "<Root><TestSuite><tsName>s</tsName>{ep}<TestCase><tcName>t.py</tcName></TestCase></TestSuite></Root>"
        )
    };
    bench.write("projects/p.xml", &project("")).unwrap();
    let file = bench.lab().join("projects/p.xml");
    let check = |bench: &Bench| {
        let told = bench.jackfield(&["project", "check", &file.to_string_lossy()]).unwrap();
        assert_eq!(told.status.code(), Some(0));
        String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr)
    };
    let plain = "[interpreters]\npython = \"/usr/bin/python3\"\n";
    let alone = check(&bench);
    assert!(!alone.contains("only_there"), "without an EP nothing is known: {alone}");
    bench.start_ep("EP-1", plain).unwrap();
    let told = check(&bench);
    let lacks = "t.py:2: warning: imports `only_there`, which the Python of EP-1 does not have";
    assert!(told.contains(lacks) && !told.contains("maybe"), "{told}");
    let body = json!({"project": "p"});
    let started: Value = bench.api.post("/runs", &body).unwrap();
    assert!(started["warnings"].to_string().contains("which the Python of EP-1 does not have"), "{started}");
    bench.start_ep("EP-2", &format!("[interpreters]\npython = {python:?}\n")).unwrap();
    let told = check(&bench);
    assert!(told.contains("does not have; that of EP-2 does"), "{told}");
    bench.write("projects/p.xml", &project("<EpId>EP-2</EpId>")).unwrap();
    let told = check(&bench);
    assert!(!told.contains("only_there"), "{told}");
    // What is installed meanwhile is seen, and what is taken away.
    std::fs::remove_file(site.join("only_there.py")).unwrap();
    let told = check(&bench);
    assert!(told.contains("which the Python of EP-2 does not have"), "{told}");
}
