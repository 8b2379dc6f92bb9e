//! What lands in rows beside messages: above all the plan of a run, which is read years later.

use jackfield_protocol::{
    guard::Raised,
    id::{LeaseId, SuiteIndex, TestIndex},
    plan::Private,
    plan::{
        Dependency, HookScript, Library, LibraryKind, LibraryLayout, OnEpLost, Place, PlannedSuite,
        PlannedTest, Role, RunOptions, RunPlan, Save, TestFolder,
    },
    verdict::{Verdict, VerdictSet},
};

use crate::{
    sample::Sample,
    value::{Pair, attempt, ep, hash, iteration, texts, user},
};

pub(crate) fn samples() -> Vec<Sample> {
    let suite = suite();
    let test = test();
    let full = RunPlan {
        project: "nightly".to_owned(),
        source: "projects/nightly.xml".to_owned(),
        user: user(),
        options: options(),
        suites: vec![suite.full],
        tests: vec![test.full],
        files: [("auth/test_login.py".into(), hash(0xc3))].into(),
        libraries: [("net".into(), library())].into(),
        folders: [("1a2b/auth".into(), folder())].into(),
        panic_patterns: vec!["Kernel panic".to_owned()],
        profiles: [("site.toml".to_owned(), "name = \"site\"\nprompt = '> $'\n".to_owned())].into(),
        templates: Some(jackfield_protocol::id::BlobHash([7; 32])),
        private: Private { files: [hash(0xc3)].into(), profiles: ["site.toml".to_owned()].into() },
    };
    let bare = RunPlan {
        project: full.project.clone(),
        source: full.source.clone(),
        user: full.user.clone(),
        options: RunOptions::default(),
        suites: vec![suite.bare],
        tests: vec![test.bare],
        files: [].into(),
        libraries: [].into(),
        folders: [].into(),
        panic_patterns: Vec::new(),
        profiles: std::collections::BTreeMap::new(),
        templates: None,
        private: Private::default(),
    };
    let raised = |attempt| Raised { attempt, name: "init.py".to_owned(), verdict: Verdict::Timeout };
    vec![
        Sample::with_bare("plan/run_plan", full, bare),
        Sample::with_bare("guard/raised", raised(Some(attempt())), raised(None)),
        Sample::new("id/lease", LeaseId(3)),
    ]
}

fn folder() -> TestFolder {
    TestFolder {
        files: [("test_login.py".into(), hash(0xc3)), ("conftest.py".into(), hash(0xb2))].into(),
        tests: [("auth/test_login.py".into(), "test_login.py".into())].into(),
    }
}

fn library() -> Library {
    Library { kind: LibraryKind::Archive, files: [("net.zip".into(), hash(0xb2))].into() }
}

fn options() -> RunOptions {
    RunOptions {
        stop_on_fail: true,
        pre_post_mandatory: true,
        library_layout: LibraryLayout::Deep,
        script_pre: Some(HookScript { path: "hooks/pre.sh".into(), ep: Some(ep()) }),
        script_post: Some(HookScript { path: "/usr/local/bin/post".into(), ep: None }),
        libraries: vec!["net".into()],
        save: Save::Ask,
        delay_millis: 500,
        timeout_millis: Some(3_600_000),
        timeout_from_submit: true,
        wait_millis: Some(60_000),
        needs: Some("2x kind=router; same bench".into()),
        lease: Some(jackfield_protocol::id::LeaseId(7)),
        checks: Some("0c651e3670".into()),
        retry_of: Some(jackfield_protocol::id::RunId(40)),
        on_ep_lost: OnEpLost::Reassign,
        user_defined: texts([("release", "17.4R2")]),
        temporary: true,
    }
}

fn dependency() -> Dependency {
    Dependency {
        tests: vec![TestIndex(3), TestIndex(4)],
        demand: VerdictSet([Verdict::Pass, Verdict::Skipped].into()),
        text: "test_up.py:pass".into(),
    }
}

fn suite() -> Pair<PlannedSuite> {
    let full = PlannedSuite {
        id: "101#EP-1001".into(),
        origin: "101".into(),
        name: "Access".into(),
        parent: Some(SuiteIndex(0)),
        tests: 0..7,
        place: Place { ep: Some(ep()), labels: texts([("site", "cluj")]), needs: Some("kind=phone".into()) },
        sut: Some("router.user".into()),
        panic_detect: true,
        libraries: vec!["net".into()],
        user_defined: texts([("area", "access")]),
        timeout_millis: Some(60_000),
        depends: vec![dependency()],
        configs: vec!["sut.xml".into()],
    };
    let bare = PlannedSuite {
        id: full.id.clone(),
        origin: full.origin.clone(),
        name: full.name.clone(),
        parent: None,
        tests: full.tests.clone(),
        place: Place::default(),
        sut: None,
        panic_detect: false,
        libraries: Vec::new(),
        user_defined: [].into(),
        timeout_millis: None,
        configs: Vec::new(),
        depends: Vec::new(),
    };
    Pair { full, bare }
}

fn test() -> Pair<PlannedTest> {
    let full = PlannedTest {
        id: "104#EP-1001".into(),
        origin: "104".into(),
        suite: SuiteIndex(0),
        file: "auth/test_login.py".into(),
        content: Some(hash(0xe5)),
        is_private: true,
        name: "test_login.py".into(),
        role: Role::Setup,
        runnable: false,
        optional: true,
        prerequisite: true,
        params: vec!["127.0.0.1".into()],
        properties: texts([("Optional", "true")]),
        configs: vec!["tc_config".into()],
        iteration: Some(iteration().full),
        depends: vec![dependency()],
        timeout_millis: Some(10_000),
    };
    let bare = PlannedTest {
        id: full.id.clone(),
        origin: full.origin.clone(),
        suite: full.suite,
        file: full.file.clone(),
        content: None,
        is_private: false,
        name: full.name.clone(),
        role: Role::Test,
        runnable: true,
        optional: false,
        prerequisite: false,
        params: Vec::new(),
        properties: [].into(),
        configs: Vec::new(),
        iteration: None,
        depends: Vec::new(),
        timeout_millis: None,
    };
    Pair { full, bare }
}
