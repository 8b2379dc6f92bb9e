//! The project file: suites and tests as a person wrote them, in Twister's vocabulary, each value with its place.
//!
//! `read` makes a [`Project`] of the text, [`expand`] makes a run's plan of the project, [`edit`] changes the text.
//! Both forms are read: the project form, and the run form that Twister generates from it (`EpId` filled in, `iterationNr`).

mod dependency;
pub mod edit;
pub mod expand;
mod needs;
mod read;
mod test;

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    id::EpName,
    plan::{IterationSave, IteratorValue, LibraryLayout, OnEpLost, Role, Save},
    verdict::VerdictSet,
};

use jackfield_resource_allocator::needs::Needs;

use crate::source::{At, Source, Span};

/// A project file.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// The file's name without folder and ending.
    pub name: Arc<str>,
    /// The text it was read from.
    pub source: Arc<Source>,
    /// What stands before the suites.
    pub head: Head,
    /// The top-level suites.
    pub suites: Vec<Suite>,
}

/// What holds for the whole project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// `stoponfail`.
    pub stop_on_fail: bool,
    /// `PrePostMandatory`.
    pub pre_post_mandatory: bool,
    /// `DownloadLibraries`.
    pub library_layout: LibraryLayout,
    /// `ScriptPre`.
    pub script_pre: Option<Script>,
    /// `ScriptPost`.
    pub script_post: Option<Script>,
    /// `libraries`.
    pub libraries: Vec<At<Arc<str>>>,
    /// `dbautosave`.
    pub save: Save,
    /// `tcdelay`.
    pub delay_millis: u64,
    /// `Timeout`.
    pub timeout_millis: Option<u64>,
    /// `OnEpLost`.
    pub on_ep_lost: OnEpLost,
    /// `Needs`.
    pub needs: Option<At<Needs>>,
    /// `UserDefined`.
    pub user_defined: BTreeMap<Arc<str>, Arc<str>>,
}

/// `ScriptPre` or `ScriptPost`.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// The file.
    pub path: At<Arc<str>>,
    /// Attribute `ep`: the EP that runs it; none means the engine's host.
    pub ep: Option<EpName>,
}

/// A suite, or a test, in the order in which they run.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A suite inside a suite.
    Suite(Suite),
    /// A test.
    Test(Test),
}

/// `TestSuite`.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// Where it begins.
    pub span: Span,
    /// `tsName`.
    pub name: Arc<str>,
    /// `ID`.
    pub id: Option<At<Arc<str>>>,
    /// `Repeat`.
    pub repeat: At<u32>,
    /// `PanicDetect`.
    pub panic_detect: bool,
    /// `Dependency`.
    pub depends: Vec<DependsOn>,
    /// `ConfigFiles`.
    pub configs: Vec<ConfigUse>,
    /// `SutName` (or `TbName`): `name.user`, `name.system`, or the bare name.
    pub suts: Vec<At<Arc<str>>>,
    /// `EpId`.
    pub eps: Vec<At<Arc<str>>>,
    /// `Labels`.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// `Needs`.
    pub needs: Option<At<Needs>>,
    /// `libraries`.
    pub libraries: Vec<At<Arc<str>>>,
    /// `UserDefined`.
    pub user_defined: BTreeMap<Arc<str>, Arc<str>>,
    /// `Timeout`.
    pub timeout_millis: Option<u64>,
    /// What it holds.
    pub items: Vec<Item>,
}

/// `TestCase`.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// `tcName`, or the test itself where that is missing.
    pub file: At<Arc<str>>,
    /// `ID`.
    pub id: Option<At<Arc<str>>>,
    /// `Repeat`.
    pub repeat: At<u32>,
    /// `Dependency` (or `Dependancy`).
    pub depends: Vec<DependsOn>,
    /// `ConfigFiles`.
    pub configs: Vec<ConfigUse>,
    /// `iterationSave`.
    pub iteration_save: IterationSave,
    /// `Timeout`.
    pub timeout_millis: Option<u64>,
    /// From `setup_file`, `teardown_file`, `Pre-Suite` and `Post-Suite`.
    pub role: Role,
    /// Property `Runnable`.
    pub runnable: bool,
    /// Property `Running`: false is not in the run.
    pub running: bool,
    /// Property `Optional`.
    pub optional: bool,
    /// Property `Prerequisite`.
    pub prerequisite: bool,
    /// Properties `param`, taken apart.
    pub params: Vec<Arc<str>>,
    /// Property `iterationNr` of a run file: the values of this copy.
    pub iteration: Vec<IteratorValue>,
    /// All other properties.
    pub properties: BTreeMap<Arc<str>, Arc<str>>,
}

/// A test configuration that a suite or test names.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigUse {
    /// Attribute `name`.
    pub name: At<Arc<str>>,
    /// Attribute `enabled`.
    pub enabled: bool,
    /// Attribute `iterator_default`: only the first value of each iterator.
    pub default_only: bool,
    /// Attribute `iterator_sof`: stop after a copy that is not PASS.
    pub stop_on_fail: bool,
}

/// One entry of a `Dependency`: `<ID>:<status>`.
#[derive(Clone, Debug, PartialEq)]
pub struct DependsOn {
    /// The ID of a test or suite.
    pub id: At<Arc<str>>,
    /// The status as written.
    pub status: Arc<str>,
    /// How it must have ended.
    pub demand: VerdictSet,
}

impl Project {
    /// Every test of the file in document order, those that do not run as well.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        let mut stack: Vec<std::slice::Iter<'_, Item>> = Vec::new();
        let mut tops = self.suites.iter();
        std::iter::from_fn(move || {
            loop {
                match stack.last_mut() {
                    None => stack.push(tops.next()?.items.iter()),
                    Some(items) => match items.next() {
                        None => drop(stack.pop()),
                        Some(Item::Suite(suite)) => stack.push(suite.items.iter()),
                        Some(Item::Test(test)) => return Some(test),
                    },
                }
            }
        })
    }
}
