//! A run before it starts: every suite and test expanded, in order, with nothing left to look up.
//!
//! Tests and suites stand in two flat lists in document order; a suite's own and inner tests are one range.
//! The plan is immutable and kept with the run, so that a run can be understood, and repeated, years later.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    id::{BlobHash, EpName, LeaseId, RunId, SuiteIndex, SutName, TestIndex, UserName},
    verdict::VerdictSet,
};

/// One launch of a project, expanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPlan {
    /// The project's name: its file without folder and ending.
    pub project: String,
    /// The file it came from, as the person named it (`twister_pf_fname`).
    pub source: String,
    /// Who runs it.
    pub user: UserName,
    /// What holds for the whole run.
    pub options: RunOptions,
    /// Document order, parents before children.
    pub suites: Vec<PlannedSuite>,
    /// Document order, which is the order of running on one EP.
    pub tests: Vec<PlannedTest>,
    /// Every file the tests need by name: test files, test configurations; absent names were not there.
    #[serde(default)]
    pub files: BTreeMap<Arc<str>, BlobHash>,
    /// Libraries by the name projects use; each is sent once to an EP.
    #[serde(default)]
    pub libraries: BTreeMap<Arc<str>, Library>,
    /// Folders with what stands beside tests, by a name that is theirs in this run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub folders: BTreeMap<Arc<str>, TestFolder>,
    /// Regular expressions of the lab that end a test of a suite with [`PlannedSuite::panic_detect`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub panic_patterns: Vec<String>,
    /// Profiles of devices that the lab has of its own: file name and text. An EP reads them when it opens a session.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, String>,
    /// The TextFSM templates of the lab, one file for all of them: an object of their names and texts. An EP reads it when a test uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub templates: Option<BlobHash>,
    /// What of all this comes out of the folder that is the user's alone.
    #[serde(default, skip_serializing_if = "Private::is_empty")]
    pub private: Private,
}

/// What of a run is its user's alone, and is shown to nobody else, whoever may see the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private {
    /// Contents.
    #[serde(default)]
    pub files: BTreeSet<BlobHash>,
    /// Names in [`RunPlan::profiles`].
    #[serde(default)]
    pub profiles: BTreeSet<String>,
}

impl Private {
    /// Whether everybody who may see the run may see all of it.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.profiles.is_empty()
    }
}

/// What holds for the whole run. Field for field the head of a project file (REFERENCE 1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOptions {
    /// End an EP's part on the first mandatory test that is not PASS.
    #[serde(default)]
    pub stop_on_fail: bool,
    /// A pre script that fails cancels the run, a post script that fails keeps it out of the lab's database.
    #[serde(default)]
    pub pre_post_mandatory: bool,
    /// How library folders land on the EP.
    #[serde(default)]
    pub library_layout: LibraryLayout,
    /// Run before the first test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script_pre: Option<HookScript>,
    /// Run after the last test, also after a stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script_post: Option<HookScript>,
    /// Names in [`RunPlan::libraries`] that every EP of the run gets.
    #[serde(default)]
    pub libraries: Vec<Arc<str>>,
    /// Whether results go into the lab's database when the run ends.
    #[serde(default)]
    pub save: Save,
    /// Wait between two tests of one lane, in milliseconds.
    #[serde(default)]
    pub delay_millis: u64,
    /// Limit of the whole run, in milliseconds from its start; none means no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_millis: Option<u64>,
    /// The limit counts from the submission: waiting for an EP or a SUT is a part of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timeout_from_submit: bool,
    /// How long the run may wait until it begins, in milliseconds from its submission; none means for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_millis: Option<u64>,
    /// What the whole run needs of the lab by what it is (`Needs` of the project).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Arc<str>>,
    /// The lease of a person that lets its SUTs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseId>,
    /// The id of the resource whose health the run checks: it may have it while it is dirty, and says whether it is fit again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Arc<str>>,
    /// What becomes of an EP's part when the EP vanishes.
    #[serde(default)]
    pub on_ep_lost: OnEpLost,
    /// Fields of `db.xml` at level Project, and whatever else the project defines for itself.
    #[serde(default)]
    pub user_defined: BTreeMap<Arc<str>, Arc<str>>,
    /// The run whose tests that did not pass this one runs again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<RunId>,
    /// A run that leaves no trace in statistics, database or mail ("run temporary", one test alone).
    #[serde(default)]
    pub temporary: bool,
}

/// The variable of their environment in which tests and commands are told what was given for a need of this name.
pub fn need_variable(name: &str) -> String {
    format!("JACKFIELD_NEED_{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// How library folders land on the EP (`DownloadLibraries`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LibraryLayout {
    /// All files of a folder beside each other.
    #[default]
    Flat,
    /// Folders kept, each made a Python package.
    Deep,
}

/// What `dbautosave` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Save {
    /// Insert when the run ends.
    Save,
    /// Offer it to a person.
    Ask,
    /// Never.
    #[default]
    NoSave,
}

/// What becomes of the part of an EP that vanished (`OnEpLost`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnEpLost {
    /// Wait for the grace time, then abort.
    #[default]
    WaitThenAbort,
    /// Wait until the EP returns.
    Wait,
    /// Give the rest of the part to another EP that fits.
    Reassign,
    /// Abort at once when the silence limit passes.
    Abort,
}

/// A script around the run (`ScriptPre`, `ScriptPost`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookScript {
    /// Path on the engine's host, or a name in [`RunPlan::files`] where an EP is named.
    pub path: Arc<str>,
    /// The EP that runs it; none means the engine's host, as the engine's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ep: Option<EpName>,
}

/// A folder of tests with all that comes along with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestFolder {
    /// Path below the folder, and content.
    pub files: BTreeMap<Arc<str>, BlobHash>,
    /// The tests in it: their file as the plan names it, and where it stands below the folder.
    pub tests: BTreeMap<Arc<str>, Arc<str>>,
}

/// A library as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// One file, a folder, or an archive Python can import from (`.zip`, `.egg`).
    pub kind: LibraryKind,
    /// Path inside the library (for a single file: its own name) and content.
    pub files: BTreeMap<Arc<str>, BlobHash>,
}

/// What a library is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LibraryKind {
    /// One source file.
    File,
    /// A folder with everything below it.
    Folder,
    /// A `.zip` or `.egg`, imported as it is.
    Archive,
}

/// A suite of the run, once for each repetition, SUT and EP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSuite {
    /// Unique in the run: the file's ID (or a new one for a further copy) and `#EP`.
    pub id: Arc<str>,
    /// The ID in the project file that this is a copy of.
    pub origin: Arc<str>,
    /// As people know it.
    pub name: Arc<str>,
    /// The suite around it; none for a top-level suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SuiteIndex>,
    /// Its tests and those of the suites inside it: a range of [`RunPlan::tests`], as indices.
    pub tests: Range<u32>,
    /// Where it must run; decided for top-level suites and inherited.
    #[serde(default)]
    pub place: Place,
    /// The SUT, inherited by inner suites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sut: Option<SutName>,
    /// Watch its output for the lab's panic patterns.
    #[serde(default)]
    pub panic_detect: bool,
    /// Names in [`RunPlan::libraries`] that its tests get beside the run's own.
    #[serde(default)]
    pub libraries: Vec<Arc<str>>,
    /// Fields of `db.xml` at level Suite, and what else the suite defines (`UserDefined`).
    #[serde(default)]
    pub user_defined: BTreeMap<Arc<str>, Arc<str>>,
    /// Limit of the suite in milliseconds from the start of its first test; none means no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_millis: Option<u64>,
    /// What must have ended, and how, before its first test may start.
    #[serde(default)]
    pub depends: Vec<Dependency>,
    /// Names of test configurations that a test which is queued into it gets: those of the suite and of all around it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configs: Vec<Arc<str>>,
}

/// Where a top-level suite may run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// This EP and no other; none means any free EP of the owner's pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ep: Option<EpName>,
    /// Labels that the EP must carry, each with this value (empty value: any).
    #[serde(default)]
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// What the suite needs of the lab by what it is (`Needs` of the suite).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Arc<str>>,
}

/// What a test waits for, and what it demands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The tests meant: one, or every copy of one that was multiplied.
    pub tests: Vec<TestIndex>,
    /// How each must have ended; every verdict stands for `any`, which only synchronises.
    pub demand: VerdictSet,
    /// As the project wrote it, for messages: `test_login.py:pass`.
    pub text: Arc<str>,
}

/// What a test is for in its suite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A test.
    #[default]
    Test,
    /// Prepares the suite (`setup_file`): if it is not PASS, the rest of the suite is not executed.
    Setup,
    /// Cleans up after the suite (`teardown_file`): runs whatever happened.
    Teardown,
    /// A test whose verdict is never stored in the lab's database (`Pre-Suite`, `Post-Suite`).
    Unsaved,
}

/// Which copies of an iterated test go to the lab's database (`iterationSave`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IterationSave {
    /// Every one.
    #[default]
    All,
    /// Those that did not pass.
    Failed,
}

/// A test of the run, once for each repetition and iteration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTest {
    /// Unique in the run: the file's ID (or a new one for a further copy) and `#EP`.
    pub id: Arc<str>,
    /// The ID in the project file that this is a copy of.
    pub origin: Arc<str>,
    /// Its suite.
    pub suite: SuiteIndex,
    /// The file, as the project names it with `$HOME` and `~` resolved; a name in [`RunPlan::files`].
    pub file: Arc<str>,
    /// Its content, where the test came into the run while it ran: it may differ from a file of that name in the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<BlobHash>,
    /// This content comes out of the folder that is the user's alone.
    #[serde(default, skip_serializing_if = "is_no")]
    pub is_private: bool,
    /// The last part of the file, and the iteration where there is one: what people see.
    pub name: Arc<str>,
    /// What it is for.
    #[serde(default)]
    pub role: Role,
    /// False: sent to the EP and SKIPPED (`Runnable`).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub runnable: bool,
    /// Its end does not trigger stop on fail (`Optional`).
    #[serde(default, skip_serializing_if = "is_no")]
    pub optional: bool,
    /// If it does not pass, the suite is failed (`Prerequisite`).
    #[serde(default, skip_serializing_if = "is_no")]
    pub prerequisite: bool,
    /// `param` values in order: the script's arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Arc<str>>,
    /// All other properties (`PROPERTIES` in the script).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<Arc<str>, Arc<str>>,
    /// Enabled test configurations in order: names in [`RunPlan::files`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configs: Vec<Arc<str>>,
    /// The iterator values of this copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iteration: Option<Iteration>,
    /// What must have ended, and how, before it may start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<Dependency>,
    /// Its own limit in milliseconds; none means the engine's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_millis: Option<u64>,
}

impl PlannedTest {
    /// A test of this ID that runs a file once, as the project's defaults have it; its name is the last part of the file.
    pub fn new(id: impl Into<Arc<str>>, suite: SuiteIndex, file: impl Into<Arc<str>>) -> Self {
        let (id, file) = (id.into(), file.into());
        Self {
            origin: Arc::clone(&id),
            id,
            suite,
            name: file.rsplit('/').next().unwrap_or_default().into(),
            file,
            content: None,
            is_private: false,
            role: Role::Test,
            runnable: true,
            optional: false,
            prerequisite: false,
            params: Vec::new(),
            properties: BTreeMap::new(),
            configs: Vec::new(),
            iteration: None,
            depends: Vec::new(),
            timeout_millis: None,
        }
    }
}

/// One tuple of the cartesian product of a test's iterators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Iteration {
    /// The copies of one test in one suite copy share this number.
    pub group: u32,
    /// `file#component#name=value, …`, as Twister writes `iterationNr`.
    pub text: Arc<str>,
    /// Each iterator and its value, in order.
    pub values: Vec<IteratorValue>,
    /// After a copy that is not PASS the later ones of the group are not executed (`iterator_sof`).
    #[serde(default, skip_serializing_if = "is_no")]
    pub stop_on_fail: bool,
    /// Which copies are saved.
    #[serde(default)]
    pub save: IterationSave,
}

/// One iterator with the value of this copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IteratorValue {
    /// The test configuration it stands in.
    pub config: Arc<str>,
    /// The component (first-level folder) in that file; empty where it stands at the top.
    pub component: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its value here.
    pub value: Arc<str>,
}

impl RunPlan {
    /// The test at this place; none for an index that is not of this plan.
    pub fn test(&self, index: TestIndex) -> Option<&PlannedTest> {
        self.tests.get(usize::try_from(index.0).ok()?)
    }

    /// The content of a test's file; none where the file was not there.
    pub fn content_of(&self, test: &PlannedTest) -> Option<BlobHash> {
        test.content.or_else(|| self.files.get(&test.file).copied())
    }

    /// Whether anything in it is its user's alone.
    pub fn has_private_files(&self) -> bool {
        !self.private.is_empty() || self.tests.iter().any(|test| test.is_private)
    }

    /// The suite at this place; none for an index that is not of this plan.
    pub fn suite(&self, index: SuiteIndex) -> Option<&PlannedSuite> {
        self.suites.get(usize::try_from(index.0).ok()?)
    }

    /// The suite and those around it, innermost first.
    pub fn suite_chain(&self, index: SuiteIndex) -> impl Iterator<Item = (SuiteIndex, &PlannedSuite)> {
        std::iter::successors(Some(index), |at| self.suite(*at)?.parent)
            .map_while(|at| self.suite(at).map(|suite| (at, suite)))
    }
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

fn is_no(value: &bool) -> bool {
    !*value
}
