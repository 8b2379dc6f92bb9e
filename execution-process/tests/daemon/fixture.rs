//! An EP with a temporary folder, and tests to give it.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use jackfield_config::EpSettings;
use jackfield_execution_process::{EpError, Settings, run};
use jackfield_protocol::{
    id::{AttemptId, RunId, TestIndex},
    link::{Assignment, EngineToEp, RunContext, TestOrder},
    plan::LibraryLayout,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;

/// The system's Python: what a lab workstation has.
pub(crate) const PYTHON: &str = "/usr/bin/python3";

pub(crate) fn id(test: u32) -> AttemptId {
    AttemptId { run: RunId(1), test: TestIndex(test), attempt: 1 }
}

pub(crate) fn settings(engine: &str, folder: &Path) -> Settings {
    settings_with(engine, folder, |_| {})
}

fn settings_with(engine: &str, folder: &Path, change: impl FnOnce(&mut EpSettings)) -> Settings {
    let mut file = EpSettings {
        name: Some("EP-1".into()),
        engine: engine.to_owned(),
        token: Some("secret".into()),
        ..EpSettings::default()
    };
    file.languages.interpreters.insert("python".into(), PYTHON.into());
    file.limits.stop_grace_millis = 300;
    file.limits.cleanup_millis = 20_000;
    change(&mut file);
    Settings::new(file, folder, "/usr/bin/false".into()).unwrap()
}

/// An EP that runs in this process.
pub(crate) struct Ep {
    pub(crate) folder: tempfile::TempDir,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), EpError>>,
}

impl Ep {
    pub(crate) async fn start(engine: &Engine) -> Self {
        Self::start_with(engine, |_| {}).await
    }

    /// One whose `ep.toml` says something else.
    pub(crate) async fn start_with(engine: &Engine, change: impl FnOnce(&mut EpSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings_with(&engine.url, folder.path(), change);
        Self::start_as(engine, folder, settings).await
    }

    /// One that lives somewhere else, or with another program.
    pub(crate) async fn start_at(engine: &Engine, change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(&engine.url, folder.path());
        change(&mut settings);
        Self::start_as(engine, folder, settings).await
    }

    async fn start_as(engine: &Engine, folder: tempfile::TempDir, settings: Settings) -> Self {
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(run(settings, shutdown.clone()));
        engine.connected().await;
        engine.say(EngineToEp::OpenRun(Box::new(context())));
        Self { folder, shutdown, task }
    }

    pub(crate) async fn stop(self) -> Result<(), EpError> {
        self.shutdown.cancel();
        self.task.await.unwrap()
    }

    /// The work folder of the EP.
    pub(crate) fn work(&self) -> std::path::PathBuf {
        self.folder.path().join("EP-1")
    }
}

pub(crate) fn context() -> RunContext {
    RunContext {
        run: RunId(1),
        project: "P".into(),
        user: "ana".into(),
        library_layout: LibraryLayout::Flat,
        libraries: BTreeMap::new(),
        folders: Default::default(),
        panic_patterns: vec!["Kernel p[a]nic".to_owned()],
        profiles: [("site.toml".to_owned(), "name = \"site\"\nprompt = '> $'\n".to_owned())].into(),
        templates: None,
        tests_total: 9,
    }
}

/// A test of this file name and content.
pub(crate) fn order(engine: &Engine, test: u32, file: &str, content: &str) -> Assignment {
    Assignment {
        attempt: id(test),
        lane: 0,
        delay_millis: 0,
        timeout_millis: 20_000,
        guards: Vec::new(),
        raises: Vec::new(),
        test: TestOrder {
            id: format!("id{test}").into(),
            name: file.into(),
            file: Arc::from(format!("tests/{file}")),
            content: Some(engine.blob(content.as_bytes())),
            runnable: true,
            suite_id: "S1".into(),
            suite_name: "Suite".into(),
            suite_position: (0, 1),
            sut: None,
            needs: Default::default(),
            params: Vec::new(),
            properties: BTreeMap::new(),
            configs: Vec::new(),
            iteration: None,
            libraries: Vec::new(),
            panic_detect: false,
        },
    }
}

pub(crate) fn assign(engine: &Engine, order: Assignment) {
    engine.say(EngineToEp::Assign(Box::new(order)));
}

/// A shell test, given to the EP at once.
pub(crate) fn shell(engine: &Engine, test: u32, script: &str) -> AttemptId {
    assign(engine, order(engine, test, "t", &format!("#!/bin/sh\n{script}\n")));
    id(test)
}

/// Whether a process of this number lives.
pub(crate) fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// The program that tests find in `JACKFIELD_BIN`: built beside this one.
pub(crate) fn bridge() -> std::path::PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(2).unwrap().join("examples/bridge")
}
