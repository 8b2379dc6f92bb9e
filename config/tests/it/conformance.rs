//! The sample files of a real Twister lab: read without loss, written back unchanged, and understood as they were meant.
//!
//! The samples are not part of this repository. Where they are absent these tests say so and have nothing to check; the
//! fixtures beside this file have the same formats and are always read.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_config::{
    ExpandOptions, Lab, Read, Source,
    bindings::{Bindings, DEFAULT_BINDING},
    check_project,
    db::{DbFile, FieldKind, ReportKind},
    email::EmailConfig,
    engine::ServerKind,
    epname::EpNames,
    fwmconfig::FwmConfig,
    ini,
    params::{Found, Params},
    project::edit::ProjectFile,
    resources::Node,
    test_config::TestConfig,
    users::UsersAndGroups,
    xml_file::XmlFile,
};
use jackfield_protocol::plan::{Role, RunPlan, Save};

fn samples() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/twister/data");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("NOT CHECKED: the sample files of a Twister lab are absent ({})", folder.display());
    None
}

fn read<T>(file: &Path, read: impl FnOnce(&Arc<Source>) -> Read<T>) -> T {
    let source = jackfield_config::load::read_source(file, u64::MAX).unwrap();
    let (value, warnings) = read(&source).usable().unwrap();
    assert_eq!(warnings, [], "{}", file.display());
    value
}

fn plan_of(file: &Path, lab: &Lab) -> RunPlan {
    let options = ExpandOptions { user: Some("user".into()), ..ExpandOptions::default() };
    let checked = check_project(file, lab, &options);
    let errors: Vec<_> =
        checked.problems.iter().filter(|problem| !problem.message.starts_with("test file")).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    checked.plan.unwrap()
}

fn names(plan: &RunPlan) -> Vec<&str> {
    plan.tests.iter().map(|test| test.name.as_ref()).collect()
}

#[test]
fn the_default_project_runs_its_iterator_in_the_order_3_1_2() {
    let Some(data) = samples() else { return };
    let lab = Lab::open(&data).unwrap();
    assert!(lab.is_twister());
    let plan = plan_of(&data.join("config/projects/default.xml"), &lab);
    assert_eq!(plan.options.save, Save::Ask);
    assert_eq!(plan.suites.len(), 1);
    assert_eq!(plan.suites[0].sut.as_ref().unwrap().as_str(), "user_sut.user");
    assert_eq!(plan.suites[0].place.ep, None);
    assert_eq!(plan.suites[0].user_defined["Run_Number"].as_ref(), "1");
    insta::assert_snapshot!(names(&plan).join("\n"));
    let copies: Vec<_> = plan.tests.iter().filter_map(|test| test.iteration.as_ref()).collect();
    let texts: Vec<&str> = copies.iter().map(|copy| copy.text.as_ref()).collect();
    assert_eq!(
        texts,
        ["tc_config#comp#iterator_1=3", "tc_config#comp#iterator_1=1", "tc_config#comp#iterator_1=2"]
    );
    assert!(copies.iter().all(|copy| copy.group == copies[0].group));
    let ids: std::collections::BTreeSet<_> = plan.tests.iter().map(|test| &test.id).collect();
    assert_eq!(ids.len(), plan.tests.len());
    assert!(plan.tests[0].file.ends_with("/demo/smoke-test-twister/test01_connect.py"));
}

#[test]
fn the_run_file_keeps_its_eps_setup_files_and_suites() {
    let Some(data) = samples() else { return };
    let lab = Lab::open(&data).unwrap();
    let plan = plan_of(&data.join("config/testsuites.xml"), &lab);
    let suites: Vec<String> = plan
        .suites
        .iter()
        .map(|suite| {
            let ep = suite.place.ep.as_ref().unwrap();
            let parent = suite.parent.map_or("top".to_owned(), |at| plan.suite(at).unwrap().name.to_string());
            format!("{} in {parent} on {ep}: tests {:?}", suite.name, suite.tests)
        })
        .collect();
    insta::assert_snapshot!(suites.join("\n"));
    let setup: Vec<_> =
        plan.tests.iter().filter(|test| test.role == Role::Setup).map(|test| &*test.name).collect();
    assert_eq!(setup, ["init.py", "init.py"]);
    let idle: Vec<_> = plan.tests.iter().filter(|test| !test.runnable).map(|test| &*test.name).collect();
    assert_eq!(idle, ["test_py_threads.py"]);
    assert_eq!(plan.suites.last().unwrap().user_defined["comments"].as_ref(), "commment");
    assert!(plan.tests.iter().all(|test| test.id.contains('#') && test.depends.is_empty()));
    assert_eq!(plan.options.save, Save::NoSave);
}

#[test]
fn the_other_samples_say_what_they_say() {
    let Some(data) = samples() else { return };
    let config = data.join("config");

    let globals = read(&config.join("globals.xml"), Params::read);
    let value = |path| globals.get(path).map(|found| found.to_json());
    assert_eq!(value("Level_A/global1").unwrap(), "value 1");
    assert_eq!(value("Level_A/Level_2A/Level_3A/Level_4.b/global4c").unwrap(), "value 1");
    assert!(matches!(globals.get("/Level_B/Level_2B/"), Some(Found::Folder(_))));
    assert!(globals.get("Level_A/nothing").is_none());

    let tc = read(&config.join("test_config/tc_config"), |source| TestConfig::read("tc_config", source));
    assert_eq!(tc.iterators[0].values.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["3", "1", "2"]);

    let db = read(&config.join("db.xml"), DbFile::read).sections.remove(0);
    assert_eq!(db.connection.as_ref().unwrap().database.as_ref().unwrap().value.as_ref(), "twister_demo");
    assert_eq!((db.fields.len(), db.statements.len(), db.reports.len(), db.redirects.len()), (1, 1, 4, 1));
    assert_eq!(
        (db.fields[0].kind, db.fields[0].mandatory, db.fields[0].visible),
        (FieldKind::UserText, true, true)
    );
    assert_eq!(db.reports[3].kind, ReportKind::LineChart);
    assert!(db.reports[3].total.is_some());
}

#[test]
fn the_samples_of_mail_and_people_say_what_they_say() {
    let Some(data) = samples() else { return };
    let config = data.join("config");

    let email = read(&config.join("email.xml"), EmailConfig::read);
    assert!(
        !email.enabled && email.server.is_none() && email.message.contains("twister_ep_os = $twister_ep_os")
    );

    let eps = read(&config.join("epname.ini"), EpNames::read);
    let here: Vec<_> = eps
        .settings(&["some_host"])
        .into_iter()
        .map(|ep| (ep.name.unwrap().to_string(), ep.engine))
        .collect();
    assert_eq!(here.len(), 4);
    assert_eq!(here[0], ("EP-1002".to_owned(), "http://127.0.0.1:8000".to_owned()));

    let paths = read(&config.join("fwmconfig.xml"), FwmConfig::read);
    assert_eq!(paths.system_suts.as_deref(), Some("/opt/twister/config/sut"));
    assert_eq!(paths.archive, None);
    assert_eq!(paths.log_files["logCli"].as_ref(), "CLI.log");

    let users = read(&config.join("users_and_groups.ini"), UsersAndGroups::read);
    assert_eq!(users.roles("admin", ServerKind::Production).unwrap().len(), 17);
    assert_eq!(users.roles("tester", ServerKind::Production).unwrap().len(), 1);
    assert!(users.roles("tester", ServerKind::NoType).unwrap().contains("RUN_TESTS"));

    let settings = Lab::open(&data).unwrap().engine_settings().usable().unwrap().0;
    assert_eq!((settings.kind, settings.location.as_str()), (ServerKind::NoType, "TwisterLand"));

    let bindings = read(&config.join("bindings.xml"), Bindings::read);
    assert_eq!(bindings.by_config[DEFAULT_BINDING].len(), 3);
    assert_eq!(bindings.get("any", "cfg2").unwrap().as_ref(), "sut2");

    let beds = read(&config.join("resources.json"), Node::read);
    assert_eq!((beds.version, beds.at("tb1/dev_2").unwrap().meta["port"].as_str()), (Some(4), Some("23")));
    let sut = read(&config.join("sut/user_sut.json"), Node::read);
    assert_eq!((sut.sut_name(), sut.eps_of("user").len()), (Some("user_sut.user"), 0));
}

#[test]
fn every_sample_is_written_back_byte_for_byte() {
    let Some(data) = samples() else { return };
    let mut seen = 0;
    let mut folders = vec![data.join("config")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let source = Arc::new(Source::new(&path.to_string_lossy(), text.clone()));
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("xml") | None => {
                    assert_eq!(XmlFile::read(&source).usable().unwrap().0.text(), text, "{name}");
                    if text.contains("<TestSuite>") {
                        assert_eq!(ProjectFile::read(&source).usable().unwrap().0.text(), text, "{name}");
                    }
                }
                Some("json") => {
                    let node = Node::read(&source).usable().unwrap().0;
                    let again = Arc::new(Source::new("again", node.write()));
                    assert_eq!(Node::read(&again).usable().unwrap().0, node, "{name}");
                }
                Some("ini") => assert_eq!(ini::read(&source).1, [], "{name}"),
                Some(_) => continue,
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 18, "new samples deserve a look");
}
