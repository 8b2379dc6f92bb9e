//! What an EP is given to do: the terms of a run, its tests, and the scripts around it.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    event::Hook,
    guard::{Guard, Raise},
    id::{AttemptId, BlobHash, RunId, SutName, UserName},
    plan::{Iteration, Library, LibraryLayout, TestFolder},
};

/// What holds for every test of a run on an EP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunContext {
    /// Which run.
    pub run: RunId,
    /// The project's name.
    pub project: Arc<str>,
    /// Who runs it.
    pub user: UserName,
    /// How library folders are laid out.
    pub library_layout: LibraryLayout,
    /// Libraries by name, those of suites included.
    pub libraries: BTreeMap<Arc<str>, Library>,
    /// Folders with what stands beside tests. A test whose file is in none of them stands alone, as all do on older EPs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub folders: BTreeMap<Arc<str>, TestFolder>,
    /// Regular expressions that end a test of a suite with panic detection.
    #[serde(default)]
    pub panic_patterns: Vec<String>,
    /// Profiles of devices that the lab has of its own: file name and text. An EP reads them when it opens a session.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, String>,
    /// The TextFSM templates of the lab, one file for all of them: an object of their names and texts. An EP reads it when a test uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub templates: Option<BlobHash>,
    /// Tests in the whole run, for `count_project_files`.
    pub tests_total: u32,
}

/// A script around a run, with all that is needed to run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptOrder {
    /// Of which run.
    pub run: RunId,
    /// Before or after it.
    pub hook: Hook,
    /// The project's name.
    pub project: Arc<str>,
    /// Who runs it.
    pub user: UserName,
    /// The file as the project names it.
    pub path: Arc<str>,
    /// Its content.
    pub content: BlobHash,
    /// End it after this long.
    pub timeout_millis: u64,
    /// Of what it prints, the end of this length is kept.
    pub output_bytes: u64,
}

/// One test, with all that is needed to run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Which.
    pub attempt: AttemptId,
    /// The lane that runs it; its tests run in the order they arrive.
    pub lane: u16,
    /// Wait this long after the lane's previous test.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_millis: u64,
    /// End it after this long.
    pub timeout_millis: u64,
    /// Latches that forbid it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<Guard>,
    /// Latches that its end sets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raises: Vec<Raise>,
    /// The test itself.
    pub test: TestOrder,
}

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestOrder {
    /// Unique in the run (`FILE_ID`).
    pub id: Arc<str>,
    /// What people see.
    pub name: Arc<str>,
    /// The file as the project names it (`FILE_NAME`); its ending chooses the runner.
    pub file: Arc<str>,
    /// Its content; none where the file was not there when the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<BlobHash>,
    /// False: prepare and skip.
    pub runnable: bool,
    /// The suite (`SUITE_ID`).
    pub suite_id: Arc<str>,
    /// The suite's name (`SUITE_NAME`).
    pub suite_name: Arc<str>,
    /// Place in its suite, from 0, and how many there are (`current_fsuite_index`, `count_suite_files`).
    pub suite_position: (u32, u32),
    /// The SUT (`SUT`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sut: Option<SutName>,
    /// Resources that were given to its run and suite for what they need: their paths by the name of the need.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub needs: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// The script's arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Arc<str>>,
    /// `PROPERTIES`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<Arc<str>, Arc<str>>,
    /// Test configurations in order, with content (`CONFIG`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configs: Vec<(Arc<str>, BlobHash)>,
    /// Iterator values (`ITERATION`, `FIRST_ITERATOR_*`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iteration: Option<Iteration>,
    /// Library names, the run's first, then each suite's from the outside in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub libraries: Vec<Arc<str>>,
    /// Watch its output for the run's panic patterns.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub panic_detect: bool,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}
