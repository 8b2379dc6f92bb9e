//! A lab folder and a Twister home of our own, read from disk as engine and CLI read them.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use jackfield_config::{
    ExpandOptions, FileError, Lab, LabDatabase, LabError, bindings::Bindings, check_project,
    check_project_text, db::FieldLevel, engine::ServerKind, plan_files,
};
use jackfield_protocol::{error::Severity, plan::RunPlan};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn by(user: &str) -> ExpandOptions {
    ExpandOptions { user: Some(user.into()), ..ExpandOptions::default() }
}

/// The plan as a person would write it down; machine paths are cut to what follows the fixture's folder.
fn shown(plan: &RunPlan, root: &Path) -> String {
    let root = root.canonicalize().unwrap();
    let mut text = String::new();
    let short = |name: &str| name.replace(&*root.to_string_lossy(), "…");
    for (at, suite) in plan.suites.iter().enumerate() {
        let place = suite.place.ep.as_ref().map_or("any EP", |ep| ep.as_str());
        let sut = suite.sut.as_ref().map_or("no SUT", |sut| sut.as_str());
        let id: String = suite.id.chars().take(18).collect();
        writeln!(
            text,
            "suite {at} {} {id}: {sut} at {place} {:?} libs {:?}",
            suite.name, suite.place.labels, suite.libraries
        )
        .unwrap();
        for depends in &suite.depends {
            writeln!(text, "  waits for {} {:?}", depends.text, depends.tests).unwrap();
        }
        for (at, test) in
            plan.tests.iter().enumerate().filter(|(_, test)| plan.suite(test.suite) == Some(suite))
        {
            let id: String = test.id.chars().take(18).collect();
            write!(text, "  test {at} {} {id} {}", test.name, short(&test.file)).unwrap();
            for (flag, name) in [(test.optional, "optional"), (!test.runnable, "not runnable")] {
                write!(text, "{}", if flag { format!(" {name}") } else { String::new() }).unwrap();
            }
            writeln!(text, " {:?} configs {:?} params {:?}", test.role, test.configs, test.params).unwrap();
            for depends in &test.depends {
                let tests: Vec<u32> = depends.tests.iter().map(|test| test.0).collect();
                writeln!(text, "    waits for {} {tests:?}", depends.text).unwrap();
            }
        }
    }
    text
}

#[test]
fn a_whole_project_expands_as_written() {
    let folder = fixture("lab");
    let lab = Lab::open(&folder).unwrap();
    let checked = check_project(&folder.join("projects/nightly.xml"), &lab, &by("ana"));
    assert_eq!(checked.problems, []);
    let plan = checked.plan.unwrap();
    super::circles::assert_sound(&plan);
    insta::assert_snapshot!(shown(&plan, &folder));
    let mut options = plan.options.clone();
    options.script_pre.as_mut().unwrap().path = "bgp/prepare.sh".into();
    insta::assert_json_snapshot!(options);
    let files = plan_files(&plan);
    assert_eq!(files.configs.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["links", "timers"]);
    assert_eq!(
        files.libraries.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        ["bgp_lib.py", "labtools", "topology.py"]
    );
    assert_eq!(files.scripts.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["bgp/prepare.sh"]);
    for file in &files.tests {
        assert!(lab.test_file(file).is_ok(), "{file}");
    }
}

#[test]
fn ids_are_the_same_each_time_and_unique() {
    let folder = fixture("lab");
    let lab = Lab::open(&folder).unwrap();
    let plan = || check_project(&folder.join("projects/nightly.xml"), &lab, &by("ana")).plan.unwrap();
    let (one, two) = (plan(), plan());
    assert_eq!(one, two);
    let ids: std::collections::BTreeSet<_> = one.tests.iter().map(|test| &test.id).collect();
    assert_eq!(ids.len(), one.tests.len());
    let ids: std::collections::BTreeSet<_> = one.suites.iter().map(|suite| &suite.id).collect();
    assert_eq!(ids.len(), one.suites.len());
}

#[test]
fn a_users_own_files_come_first() {
    let lab = Lab::open(&fixture("lab")).unwrap();
    let values = |lab: &Lab| lab.test_config("timers").unwrap().value.unwrap().iterators[0].values.len();
    assert_eq!((values(&lab), values(&lab.as_user(&"ana".into()))), (4, 1));
    assert_eq!(lab.project_names(), ["nightly"]);
    assert_eq!(lab.as_user(&"ana".into()).project_names(), ["mine", "nightly"]);
    assert!(lab.as_user(&"ana".into()).project("mine").unwrap().is_usable());
}

#[test]
fn every_other_file_of_the_lab_is_understood() {
    let lab = Lab::open(&fixture("lab")).unwrap();
    assert!(!lab.is_twister());
    let settings = lab.engine_settings().usable().unwrap().0;
    assert_eq!(settings.port, 8080);
    assert_eq!(settings.data_folder, fixture("lab").canonicalize().unwrap().join("state"));
    let databases = lab.databases().unwrap();
    assert_eq!(databases.problems, []);
    let db = &databases.inserts[0].config;
    assert_eq!((db.fields.len(), db.statements.len(), db.report_fields.len()), (3, 2, 1));
    assert_eq!(db.fields[2].level, FieldLevel::Project);
    assert_eq!(db.statements[1].value.as_ref(), "INSERT INTO notes VALUES ('$rev') -- 1 < 2");
    let email = lab.email().unwrap().usable().unwrap().0;
    assert_eq!(email.server.unwrap(), ("mail.lab".into(), 2525));
    assert_eq!(
        email.to.iter().map(|to| to.value.as_ref()).collect::<Vec<&str>>(),
        ["ana@lab", "dan@lab", "team@lab"]
    );
    assert_eq!(email.message.as_ref(), "  All: $twister_tc_name\n");
    let bindings: Bindings = lab.bindings().unwrap().usable().unwrap().0;
    assert_eq!(bindings.get("links", "uplink").unwrap().as_ref(), "00000000c1");
    assert_eq!(bindings.get("timers", "uplink").unwrap().as_ref(), "/core.system/left");
    let users = lab.users().unwrap().usable().unwrap().0;
    assert_eq!(users.users["ana"].timeout_minutes, Some(30));
    assert_eq!(users.roles("ana", ServerKind::Production).unwrap().len(), 2);
    assert_eq!(users.roles("ana", ServerKind::Development).unwrap().len(), 17);
    assert_eq!(users.roles("nobody", ServerKind::NoType), None);
    assert_eq!(lab.panic_patterns(None).unwrap().usable().unwrap().0.enabled("ana"), ["kernel panic|Oops"]);
    assert_eq!(lab.globals().unwrap().value.unwrap().get("net/gateway").unwrap().to_json(), "10.0.0.254");
    assert_eq!(lab.suts().into_keys().collect::<Vec<_>>(), ["core.system", "edge.user"]);
    assert!(lab.resources().unwrap().value.unwrap().at("/tb/r1").is_some());
    assert_eq!(lab.library_names(), ["bgp_lib.py", "labtools", "topology.py"]);
}

#[test]
fn a_twister_home_is_used_in_place() {
    let home = fixture("home");
    for folder in [home.clone(), home.join("twister")] {
        let lab = Lab::open(&folder).unwrap();
        assert!(lab.is_twister());
        let checked = check_project(lab.project_file("run").unwrap().path(), &lab, &by("ana"));
        assert_eq!(checked.problems, []);
        insta::assert_snapshot!("twister_home", shown(&checked.plan.unwrap(), &home));
    }
    let ep_file = home.join("twister/config/epname.ini");
    let eps = jackfield_config::epname::EpNames::load(&ep_file).usable().unwrap().0;
    assert_eq!(eps.settings(&["bench1"])[0].engine, "http://10.1.1.1:8000");
    assert_eq!(eps.settings(&["other"])[0].engine, "http://10.1.1.2:8010");
}

#[test]
fn a_twister_home_whose_paths_are_wrong_is_told_line_by_line() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("twister/config");
    std::fs::create_dir_all(&config).unwrap();
    let paths = "<Root>\n<GlobalParams>a</GlobalParams>\n<GlobalParams>b</GlobalParams>\n</Root>";
    std::fs::write(config.join("fwmconfig.xml"), paths).unwrap();
    let told = Lab::open(home.path()).unwrap_err().to_string();
    assert!(told.contains("fwmconfig.xml:3:") && told.contains("GlobalParams"), "{told}");
}

#[test]
fn settings_that_lie_beside_projects_are_none() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("twister/config");
    std::fs::create_dir_all(&config).unwrap();
    let paths = format!("<Root><UsersPath>{}</UsersPath></Root>", config.display());
    std::fs::write(config.join("fwmconfig.xml"), paths).unwrap();
    std::fs::write(config.join("email.xml"), "<Root><Enabled>false</Enabled></Root>").unwrap();
    std::fs::write(config.join("nightly.xml"), "<Root><TestSuite><tsName>A</tsName></TestSuite></Root>")
        .unwrap();
    assert_eq!(Lab::open(home.path()).unwrap().project_names(), ["nightly"]);
}

#[test]
fn nothing_outside_of_the_lab_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let lab_folder = folder.path().join("lab");
    std::fs::create_dir_all(lab_folder.join("tests")).unwrap();
    std::fs::create_dir_all(lab_folder.join(".jackfield")).unwrap();
    std::fs::write(folder.path().join("secret"), "x").unwrap();
    std::fs::write(lab_folder.join(".jackfield/key"), "x").unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret"), lab_folder.join("tests/link.py")).unwrap();
    let mut lab = Lab::open(&lab_folder).unwrap();
    for name in ["../secret", "../../secret", "link.py", "/etc/passwd", "/no/such/thing", "../.jackfield/key"]
    {
        assert!(matches!(lab.test_file(name), Err(FileError::Outside(_))), "{name}");
        assert!(lab.library(name).is_err(), "{name}");
        assert!(lab.test_config(name).is_err(), "{name}");
        assert!(lab.project(name).is_err(), "{name}");
    }
    assert!(matches!(lab.test_file("nothing.py"), Err(FileError::Missing(_))));
    assert!(matches!(lab.test_file("."), Err(FileError::NotAFile)));
    std::fs::create_dir_all(lab_folder.join("users/dan/tests")).unwrap();
    std::fs::write(lab_folder.join("users/dan/tests/own.py"), "x").unwrap();
    assert!(lab.as_user(&"dan".into()).test_file("own.py").is_ok());
    for other in [lab.clone(), lab.as_user(&"ana".into())] {
        assert!(matches!(other.test_file("users/dan/tests/own.py"), Err(FileError::Outside(_))));
        assert!(matches!(other.test_file("~/users/dan/tests/own.py"), Err(FileError::Outside(_))));
    }
    lab.allow(&[folder.path().join("secret")]);
    assert!(lab.test_file("link.py").is_ok());
    lab.hide(&lab_folder.join("tests"));
    std::fs::write(lab_folder.join("tests/a.py"), "x").unwrap();
    assert!(lab.test_file("a.py").is_err());
    assert!(matches!(Lab::open(&folder.path().join("none")), Err(LabError::Missing(_))));
    assert!(matches!(Lab::open(&folder.path().join("secret")), Err(LabError::NoFolder(_))));
}

#[test]
fn without_a_lab_a_project_is_read_and_nothing_is_looked_up() {
    let file = fixture("lab/projects/nightly.xml");
    let checked = check_project(&file, &Lab::nowhere(), &ExpandOptions::default());
    assert_eq!(checked.problems, []);
    assert_eq!(checked.plan.unwrap().tests[0].file.as_ref(), "bgp/setup.py");
    let text = std::fs::read_to_string(&file).unwrap();
    let checked = check_project_text("sent.xml", text, &Lab::nowhere(), &ExpandOptions::default());
    assert_eq!(checked.plan.unwrap().project, "sent");
    let checked = check_project(Path::new("/no/such/file.xml"), &Lab::nowhere(), &ExpandOptions::default());
    assert!(checked.plan.is_none() && checked.problems.len() == 1);
}

#[test]
fn panic_patterns_come_into_the_plan_of_their_user_where_a_suite_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"bob": {"1": {"expression": "(", "enabled": true}},
        "ana": {"1": {"expression": "Oops", "enabled": "true"},
            "2": {"expression": "[", "enabled": "false"}}}"#;
    fs::write(folder.path().join("PanicDetectData.json"), text).unwrap();
    let lab = Lab::open(folder.path()).unwrap();
    let check = |user: &str, watched: &str| {
        let suite = format!("<PanicDetect>{watched}</PanicDetect><TestCase><tcName>a</tcName></TestCase>");
        let xml = format!("<Root><TestSuite><tsName>s</tsName>{suite}</TestSuite></Root>");
        let checked = jackfield_config::check_project_text("p.xml", xml, &lab, &by(user));
        let at = |problem: &jackfield_protocol::error::FileProblem| (problem.severity, problem.line);
        let problems = checked.problems.iter().filter(|problem| problem.file.ends_with("json")).map(at);
        (checked.plan.map(|plan| plan.panic_patterns), problems.collect::<Vec<_>>())
    };
    assert_eq!(check("ana", "true"), (Some(vec!["Oops".to_owned()]), vec![(Severity::Warning, 3)]));
    assert_eq!(check("bob", "true"), (None, vec![(Severity::Error, 1)]));
    assert_eq!(check("bob", "false"), (Some(Vec::new()), Vec::new()));
    assert_eq!(check("eve", "true"), (Some(Vec::new()), Vec::new()));
}

#[test]
fn a_profile_that_cannot_be_read_is_told_of_when_a_project_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    };
    write("engine.toml", b"");
    write("tests/a.py", b"");
    write("profiles/latin.toml", b"title = \"caf\xe9\"\n");
    write("profiles/wrong.toml", b"titel = 1\n");
    write(
        "projects/p.xml",
        b"<Root><TestSuite><tsName>s</tsName><TestCase><tcName>a.py</tcName></TestCase></TestSuite></Root>",
    );
    let lab = Lab::open(folder.path()).unwrap();
    let checked = check_project(&folder.path().join("projects/p.xml"), &lab, &ExpandOptions::default());
    assert!(checked.plan.is_some());
    for file in ["latin.toml", "wrong.toml"] {
        let told = checked.problems.iter().any(|problem| problem.to_string().contains(file));
        assert!(told, "{file}: {:?}", checked.problems);
    }
}

/// A lab folder with these files.
fn lab_with(files: &[(&str, &str)]) -> (tempfile::TempDir, Lab) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let lab = Lab::open(folder.path()).unwrap();
    (folder, lab)
}

fn project_of(tests: &str) -> String {
    format!("<Root><TestSuite><tsName>S</tsName>{tests}</TestSuite></Root>")
}

/// What comes along with the tests of a project, by folder, and what is told about it.
fn gathered(lab: &Lab, folder: &Path) -> (Vec<String>, Vec<String>) {
    let checked = check_project(&folder.join("projects/p.xml"), lab, &ExpandOptions::default());
    let problems = checked.problems.iter().map(ToString::to_string).collect();
    let folders = lab.gather(&checked.plan.unwrap()).folders;
    let shown = folders.iter().map(|gathered| {
        let root = gathered.root.strip_prefix(folder.canonicalize().unwrap()).unwrap().display().to_string();
        let files = gathered.files.keys().cloned().collect::<Vec<_>>().join(" ");
        let tests: Vec<String> =
            gathered.tests.iter().map(|(test, inside)| format!("{test}={inside}")).collect();
        format!("{root}: {files} | {}", tests.join(" "))
    });
    (shown.collect(), problems)
}

#[test]
fn what_stands_beside_a_test_is_its_folder_up_to_a_marked_root_and_what_it_names() {
    let case = |file: &str, more: &str| format!("<TestCase><tcName>{file}</tcName>{more}</TestCase>");
    let named =
        "<Property><propName>files</propName><propValue>../shared/site.cfg, nowhere</propValue></Property>";
    let project = project_of(
        &[
            case("plain/a.sh", ""),
            case("api/v1/test_b.py", ""),
            case("named/c.sh", named),
            case("alone/d.sh", ""),
        ]
        .concat(),
    );
    let (folder, lab) = lab_with(&[
        ("projects/p.xml", &project),
        ("tests/plain/a.sh", "true"),
        ("tests/plain/helper.sh", ""),
        ("tests/plain/data/x.txt", ""),
        ("tests/plain/.git/config", ""),
        ("tests/plain/__pycache__/x.pyc", ""),
        ("tests/plain/a.sh~", ""),
        ("tests/api/conftest.py", ""),
        ("tests/api/v1/test_b.py", "def test(): pass"),
        ("tests/api/v2/other.py", ""),
        ("tests/named/c.sh", "true"),
        ("tests/shared/site.cfg", ""),
        ("tests/alone/d.sh", "true"),
    ]);
    let (folders, problems) = gathered(&lab, folder.path());
    assert_eq!(
        folders,
        [
            "tests: named/c.sh shared/site.cfg | named/c.sh=named/c.sh",
            "tests/api: conftest.py v1/test_b.py v2/other.py | api/v1/test_b.py=v1/test_b.py",
            "tests/plain: a.sh data/x.txt helper.sh | plain/a.sh=a.sh",
        ]
    );
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("names `nowhere`"), "{problems:?}");
}

#[test]
fn a_file_that_a_test_names_and_that_will_not_be_there_is_told_before_the_run() {
    let names = ["r/a.robot", "r/b.sh", "r/c.tcl"];
    let cases: String =
        names.iter().map(|name| format!("<TestCase><tcName>{name}</tcName></TestCase>")).collect();
    let (folder, lab) = lab_with(&[
        ("projects/p.xml", &project_of(&cases)),
        (
            "tests/r/a.robot",
            "*** Settings ***\nResource    here.resource\nResource    ../common/gone.resource\nLibrary    OperatingSystem\n",
        ),
        ("tests/r/here.resource", ""),
        ("tests/common/gone.resource", ""),
        ("tests/r/b.sh", ". \"$(dirname \"$0\")/missing.sh\"\n"),
        ("tests/r/c.tcl", "source [file join [file dirname [info script]] common.tcl]\n"),
        ("tests/r/common.tcl", ""),
    ]);
    let (_, problems) = gathered(&lab, folder.path());
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0]
            .starts_with("r/a.robot:3: warning: names `../common/gone.resource`, which will not be there"),
        "{problems:?}"
    );
    assert!(problems[1].starts_with("r/b.sh:1: warning: names `missing.sh`"), "{problems:?}");
}

#[test]
fn a_folder_that_is_too_large_comes_along_in_part_and_says_so() {
    let (folder, lab) = lab_with(&[
        ("projects/p.xml", &project_of("<TestCase><tcName>big/a.sh</tcName></TestCase>")),
        ("tests/big/a.sh", "true"),
        ("tests/big/helper.sh", ""),
    ]);
    let deep = folder.path().join("tests/big/deep");
    fs::create_dir(&deep).unwrap();
    for number in 0..=jackfield_config::limits::BESIDE_FILES_MAX {
        fs::write(deep.join(number.to_string()), "").unwrap();
    }
    let (folders, problems) = gathered(&lab, folder.path());
    assert_eq!(folders, ["tests/big: a.sh helper.sh | big/a.sh=a.sh"]);
    assert!(problems[0].contains("only what stands right beside them comes along"), "{problems:?}");
}

#[test]
fn two_files_of_one_name_in_a_flat_library_are_told() {
    let options = "<libraries>tools</libraries>";
    let project = format!(
        "<Root>{options}<TestSuite><tsName>S</tsName><TestCase><tcName>a.sh</tcName></TestCase></TestSuite></Root>"
    );
    let (folder, lab) = lab_with(&[
        ("projects/p.xml", &project),
        ("tests/a.sh", "true"),
        ("libs/tools/a/util.py", ""),
        ("libs/tools/b/util.py", ""),
        ("libs/tools/a/__init__.py", ""),
        ("libs/tools/b/__init__.py", ""),
    ]);
    let (_, problems) = gathered(&lab, folder.path());
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("`a/util.py` and `b/util.py`"), "{problems:?}");
}

#[test]
fn a_module_that_the_lab_has_and_the_test_does_not_get_is_told() {
    let case = |file: &str| format!("<TestCase><tcName>{file}</tcName></TestCase>");
    let suite =
        ["deep/w/left.py", "deep/w/tried.py", "marked/w/comes.py", "deep/w/own_path.py"].map(case).concat();
    let project = format!("<Root><libraries>named.py;packed.zip</libraries>{}</Root>", suite_of("S", &suite));
    let imports = "import os, above, beside\nimport json\nfrom unnamed import x\nimport named\nimport not_of_this_lab\n";
    let complete = imports.replace("unnamed", "named");
    let cases = [
        (
            "named.py",
            &project.replace(";packed.zip", ""),
            vec![
                "deep/w/left.py:1: warning: imports `above`, which does not come along: it is `deep/above` in a folder above, which stays behind; mark the folder above both with an empty file `.beside`, put it beside the test, or make it a library",
                "deep/w/left.py:3: warning: imports `unnamed`, which does not come along: it is the library `unnamed` of the lab, which the project does not name; name it in the <libraries> of the project or of the suite, unless the EP's own Python has a module of this name",
            ],
        ),
        // What a packed library holds is not looked into, so nothing is claimed.
        ("named.py;packed.zip", &project, vec![]),
    ];
    for (libraries, project, expect) in cases {
        let (folder, lab) = lab_with(&[
            ("projects/p.xml", project),
            ("tests/deep/above.py", ""),
            ("tests/deep/w/beside.py", ""),
            ("tests/deep/w/left.py", imports),
            ("tests/deep/w/tried.py", "try:\n    import above\nexcept ImportError:\n    above = None\n"),
            ("tests/deep/w/own_path.py", "import sys\nsys.path.append('/opt')\nimport above\n"),
            ("tests/marked/.beside", ""),
            ("tests/marked/above.py", ""),
            ("tests/marked/w/beside.py", ""),
            ("tests/marked/w/comes.py", &complete),
            ("libs/named.py", ""),
            ("libs/packed.zip", ""),
            ("libs/unnamed/__init__.py", ""),
            ("libs/json/__init__.py", ""),
        ]);
        let (_, problems) = gathered(&lab, folder.path());
        assert_eq!(problems, expect, "with {libraries}");
    }
}

fn suite_of(name: &str, tests: &str) -> String {
    format!("<TestSuite><tsName>{name}</tsName>{tests}</TestSuite>")
}

#[test]
fn shared_databases_are_for_all_reports_and_for_inserts_where_the_lab_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let database = |name: &str, more: &str| {
        format!(
            "<db_config><url>sqlite:{name}.db</url>{more}</db_config><insert_section><sql_statement>SELECT 1</sql_statement></insert_section>"
        )
    };
    let told = || {
        let found = Lab::open(folder.path()).unwrap().databases().unwrap();
        let names = |all: &[LabDatabase]| {
            let urls = all.iter().map(|one| one.config.connection.clone().unwrap().url.unwrap().value);
            urls.map(|url| url.expose_for_login().to_owned()).collect::<Vec<_>>().join(" ")
        };
        let messages: Vec<String> = found.problems.into_iter().map(|problem| problem.message).collect();
        (names(&found.inserts), names(&found.reports), messages)
    };
    let write = |file: &str, text: String| {
        std::fs::write(folder.path().join(file), format!("<root>{text}</root>")).unwrap()
    };
    assert!(Lab::open(folder.path()).unwrap().databases().is_none());
    write("db.xml", database("own", "<use_shared_db>yes</use_shared_db>"));
    assert_eq!(told().2, ["<use_shared_db> wants the lab's shared databases, and there is no file of them"]);
    let section = |name: &str| format!("<server_section>{}</server_section>", database(name, ""));
    write("shared_db.xml", section("a") + &section("b"));
    assert_eq!(told(), ("sqlite:a.db sqlite:b.db".into(), "sqlite:a.db sqlite:b.db".into(), vec![]));
    write("db.xml", database("own", ""));
    assert_eq!(told(), ("sqlite:own.db".into(), "sqlite:own.db sqlite:a.db sqlite:b.db".into(), vec![]));
    std::fs::write(
        folder.path().join("users_and_groups.ini"),
        "shared_db_cfg = all.xml\n[users]\n[groups]\n",
    )
    .unwrap();
    write("all.xml", section("all"));
    assert_eq!(told().1, "sqlite:own.db sqlite:all.db");
    std::fs::remove_file(folder.path().join("db.xml")).unwrap();
    assert_eq!(told().0, "sqlite:all.db");
}

#[test]
fn a_setting_that_is_there_and_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/mnt/not/mounted/engine.toml", folder.path().join("engine.toml")).unwrap();
    std::os::unix::fs::symlink("/mnt/not/mounted/db.xml", folder.path().join("db.xml")).unwrap();
    for no_file in ["email.xml", "webhooks.toml", "globals.xml"] {
        fs::create_dir(folder.path().join(no_file)).unwrap();
    }
    fs::write(folder.path().join("profiles"), "no folder").unwrap();
    let lab = Lab::open(folder.path()).unwrap();
    let engine = lab.engine_settings().problems;
    assert!(
        engine[0].message.contains("a link to `/mnt/not/mounted/engine.toml`, which is not there"),
        "{engine:?}"
    );
    assert!(engine[0].help.contains("mount"), "{engine:?}");
    for problems in [
        lab.email().unwrap().problems,
        lab.webhooks().unwrap().problems,
        lab.globals().unwrap().problems,
        lab.databases().unwrap().problems,
    ] {
        assert_eq!(problems[0].severity, Severity::Error, "{problems:?}");
    }
    let profiles = lab.profiles();
    assert!(profiles.values().next().is_some_and(Result::is_err), "{profiles:?}");
    assert!(lab.bindings().is_none() && lab.users().is_none());
}

#[test]
fn a_chart_of_a_mail_is_of_a_report_that_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let told = || {
        let problems = Lab::open(folder.path()).unwrap().hearers_problems();
        problems.iter().map(|one| format!("{}: {}; {}", one.line, one.message, one.help)).collect::<Vec<_>>()
    };
    write("mail.toml", "\n[[chart]]\nreport = \"Pass rates\"\n\n[[chart]]\nreport = \"Pass rate\"\n");
    assert_eq!(told().len(), 2, "there is no database");
    let reports = "<report ID=\"Pass rate\" SQLQuery=\"SELECT 1\"/>";
    write(
        "db.xml",
        &format!(
            "<root><db_config><url>sqlite:r.db</url></db_config><reports_section>{reports}</reports_section></root>"
        ),
    );
    assert_eq!(told(), ["2: no report of the lab's database is `Pass rates`; did you mean `Pass rate`?"]);
}
