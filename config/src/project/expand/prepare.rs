//! The first step: everything the project names is looked up once, and what the copies will come to is counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::{
    error::FileProblem,
    id::{EpName, SutName},
};

use super::{
    ExpandOptions, Known, Lookup, SutEps,
    configs::{PreparedIterator, merge_configs},
    identity,
    identity::Slots,
};
use crate::{
    limits::{RUN_SUITES_MAX, RUN_TESTS_MAX},
    problem::{Problems, suggest},
    project::{ConfigUse, Item, Project, Script, Suite, Test},
    source::{At, Span},
    test_config::TestConfig,
};

/// A project with everything looked up.
pub(super) struct Prepared<'p> {
    pub(super) tops: Vec<PreparedSuite<'p>>,
    /// Tests and suites by their number.
    pub(super) tests: u32,
    pub(super) suites: u32,
    pub(super) slots: Slots,
    /// What an ID in a dependency means, by its slot; none where the file uses it twice.
    pub(super) targets: Vec<Option<Target>>,
    /// Problems of other files.
    pub(super) foreign: Vec<FileProblem>,
    /// Nothing is built of a project that expands beyond the limits.
    pub(super) too_large: bool,
}

/// Something a dependency can name.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Test(u32, Arc<str>),
    Suite(u32, Arc<str>),
}

pub(super) struct PreparedSuite<'p> {
    pub(super) suite: &'p Suite,
    pub(super) number: u32,
    pub(super) slot: usize,
    pub(super) origin: Arc<str>,
    pub(super) items: Vec<PreparedItem<'p>>,
    /// Where the copies go; for inner suites always one place that means nothing.
    pub(super) places: Vec<(Option<SutName>, Option<EpName>)>,
    /// Tests and suites that one copy holds, itself included.
    pub(super) tests: u64,
    pub(super) suites: u64,
    /// Test configurations that hold for all of it.
    pub(super) configs: Vec<Arc<str>>,
}

pub(super) enum PreparedItem<'p> {
    Suite(PreparedSuite<'p>),
    Test(PreparedTest<'p>),
}

pub(super) struct PreparedTest<'p> {
    pub(super) test: &'p Test,
    pub(super) number: u32,
    pub(super) slot: usize,
    pub(super) origin: Arc<str>,
    pub(super) file: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) configs: Vec<Arc<str>>,
    pub(super) iterators: Vec<PreparedIterator>,
    pub(super) stop_on_fail: bool,
    /// Copies that one copy of its suite holds.
    pub(super) copies: u64,
}

/// Looks everything up.
pub(super) fn prepare<'p>(
    project: &'p Project,
    lab: &dyn Lookup,
    options: &ExpandOptions,
    problems: &mut Problems,
) -> Prepared<'p> {
    let mut preparer = Preparer {
        lab,
        options,
        problems,
        suts: BTreeMap::new(),
        known_libraries: BTreeMap::new(),
        files: BTreeMap::new(),
        configs: BTreeMap::new(),
        prepared: Prepared {
            tops: Vec::new(),
            tests: 0,
            suites: 0,
            slots: Slots::default(),
            targets: Vec::new(),
            foreign: Vec::new(),
            too_large: false,
        },
    };
    preparer.libraries(&project.head.libraries);
    for script in [&project.head.script_pre, &project.head.script_post].into_iter().flatten() {
        preparer.script(script);
    }
    let (mut tests, mut suites) = (0_u64, 0_u64);
    for (at, suite) in project.suites.iter().enumerate() {
        let mut top = preparer.suite(suite, &mut vec![at], &[]);
        top.places = preparer.places(suite);
        let copies = u64::try_from(top.places.len()).unwrap_or(u64::MAX);
        tests = tests.saturating_add(top.tests.saturating_mul(copies));
        suites = suites.saturating_add(top.suites.saturating_mul(copies));
        preparer.prepared.tops.push(top);
        if !preparer.prepared.too_large && (tests > RUN_TESTS_MAX || suites > RUN_SUITES_MAX) {
            preparer.prepared.too_large = true;
            let message = format!(
                "up to this suite, the run has {tests} tests in {suites} suites; at most {RUN_TESTS_MAX} are taken"
            );
            preparer.problems.error(
                suite.repeat.span,
                message,
                "lower <Repeat>, or use fewer SUTs, EPs or iterator values",
            );
        }
    }
    preparer.refuse_shared_names();
    preparer.prepared
}

/// Something the lab does not have, told wherever the project names it.
pub(super) struct Absent {
    pub(super) reason: String,
    pub(super) help: String,
}

/// The work of the first step.
pub(super) struct Preparer<'p, 'c> {
    pub(super) lab: &'c dyn Lookup,
    pub(super) options: &'c ExpandOptions,
    pub(super) problems: &'c mut Problems,
    pub(super) suts: BTreeMap<Arc<str>, Result<SutEps, Absent>>,
    known_libraries: BTreeMap<Arc<str>, Option<Absent>>,
    /// Test files by the name in the project: resolved, and why they cannot be used.
    files: BTreeMap<Arc<str>, (Arc<str>, Option<String>)>,
    pub(super) configs: BTreeMap<Arc<str>, Result<Option<Arc<TestConfig>>, Absent>>,
    pub(super) prepared: Prepared<'p>,
}

impl<'p> Preparer<'p, '_> {
    fn suite(&mut self, suite: &'p Suite, place: &mut Vec<usize>, around: &[ConfigUse]) -> PreparedSuite<'p> {
        let number = self.prepared.suites;
        self.prepared.suites = number.saturating_add(1);
        let origin = suite.id.as_ref().map_or_else(|| identity::of_place(place), |id| Arc::clone(&id.value));
        let target = Target::Suite(number, Arc::clone(&suite.name));
        let slot = self.register(&origin, suite.id.as_ref().map_or(suite.span, |id| id.span), target);
        self.libraries(&suite.libraries);
        if place.len() > 1 {
            self.inner_place(suite);
        }
        let configs = merge_configs(around, &suite.configs);
        self.check_configs(&suite.configs);
        let mut items = Vec::with_capacity(suite.items.len());
        let (mut tests, mut suites) = (0_u64, 0_u64);
        for (at, item) in suite.items.iter().enumerate() {
            place.push(at);
            match item {
                Item::Suite(inner) => {
                    let inner = self.suite(inner, place, &configs);
                    tests = tests.saturating_add(inner.tests);
                    suites = suites.saturating_add(inner.suites);
                    items.push(PreparedItem::Suite(inner));
                }
                Item::Test(test) => {
                    let test = self.test(test, place, &configs);
                    tests = tests.saturating_add(test.copies);
                    items.push(PreparedItem::Test(test));
                }
            }
            place.pop();
        }
        let repeat = u64::from(suite.repeat.value);
        let tests = tests.saturating_mul(repeat);
        // A copy without tests is dropped.
        let suites = if tests == 0 { 0 } else { suites.saturating_add(1).saturating_mul(repeat) };
        let configs = configs.iter().filter(|config| config.enabled);
        let configs = configs.map(|config| Arc::clone(&config.name.value)).collect();
        PreparedSuite {
            suite,
            number,
            slot,
            origin,
            items,
            places: vec![(None, None)],
            tests,
            suites,
            configs,
        }
    }

    fn test(&mut self, test: &'p Test, place: &[usize], around: &[ConfigUse]) -> PreparedTest<'p> {
        let number = self.prepared.tests;
        self.prepared.tests = number.saturating_add(1);
        let origin = test.id.as_ref().map_or_else(|| identity::of_place(place), |id| Arc::clone(&id.value));
        let file = self.file(&test.file, test.running);
        let name: Arc<str> = file.rsplit('/').next().unwrap_or_default().into();
        let target = Target::Test(number, Arc::clone(&name));
        let slot = self.register(&origin, test.id.as_ref().map_or(test.file.span, |id| id.span), target);
        self.check_configs(&test.configs);
        let merged = merge_configs(around, &test.configs);
        let used: Vec<&ConfigUse> = merged.iter().filter(|config| config.enabled).collect();
        let iterators = if test.iteration.is_empty() { self.iterators(&used) } else { Vec::new() };
        let copies = iterators.iter().fold(u64::from(test.repeat.value), |copies, iterator| {
            copies.saturating_mul(u64::try_from(iterator.values().len()).unwrap_or(u64::MAX))
        });
        let iterates =
            |config: &ConfigUse| iterators.iter().any(|iterator| iterator.config == config.name.value);
        let stop_on_fail = used.iter().any(|config: &&ConfigUse| {
            config.stop_on_fail
                && (iterates(config) || test.iteration.iter().any(|value| value.config == config.name.value))
        });
        PreparedTest {
            test,
            number,
            slot,
            origin,
            file,
            name,
            configs: used.iter().map(|config| Arc::clone(&config.name.value)).collect(),
            stop_on_fail,
            copies: if test.running { copies } else { 0 },
            iterators,
        }
    }

    /// Test files and test configurations travel under their names, so no two may share one.
    fn refuse_shared_names(&mut self) {
        let files: BTreeSet<&str> = self.files.values().map(|(resolved, _)| resolved.as_ref()).collect();
        for (name, _) in
            self.configs.iter().filter(|(name, found)| found.is_ok() && files.contains(name.as_ref()))
        {
            let message = format!("`{name}` is both a test file and a test configuration");
            self.problems.error(Span::default(), message, "rename one of them");
        }
    }

    /// Makes an ID known to dependencies, and gives it its slot.
    fn register(&mut self, origin: &Arc<str>, span: Span, target: Target) -> usize {
        let (slot, new) = self.prepared.slots.slot(origin);
        if new {
            self.prepared.targets.push(Some(target));
        } else {
            self.prepared.targets.get_mut(slot).map(|target| *target = None).unwrap_or_default();
            let message = format!("ID `{origin}` is used twice");
            self.problems.warn(span, message, "give each suite and test an ID of its own, or none");
        }
        slot
    }

    /// A test that is not in the run may well be there without its file.
    fn file(&mut self, file: &At<Arc<str>>, running: bool) -> Arc<str> {
        if !self.files.contains_key(&file.value) {
            let resolved: Arc<str> = self.lab.resolve(&file.value).into();
            let fault = match self.lab.test_file(&resolved) {
                Known::Yes(()) | Known::Unchecked => None,
                Known::No(reason) => Some(reason),
            };
            let fault = fault.filter(|_| !file.value.is_empty());
            self.files.insert(Arc::clone(&file.value), (resolved, fault));
        }
        let Some((resolved, fault)) = self.files.get(&file.value) else { return Arc::clone(&file.value) };
        if let Some(reason) = fault.as_ref().filter(|_| running) {
            let message = format!("test file `{}` {reason}", file.value);
            self.problems.warn(file.span, message, "as it is, the test will be SKIPPED");
        }
        Arc::clone(resolved)
    }

    /// Without its libraries a test cannot be what it was meant to be, so one that is absent is an error.
    fn libraries(&mut self, libraries: &[At<Arc<str>>]) {
        for library in libraries {
            let name = &library.value;
            if !self.known_libraries.contains_key(name) {
                let absent = match self.lab.library(name) {
                    Known::Yes(()) | Known::Unchecked => None,
                    Known::No(reason) => {
                        let names = self.lab.library_names();
                        let help = suggest(name, names.iter().map(String::as_str));
                        Some(Absent { reason, help })
                    }
                };
                self.known_libraries.insert(Arc::clone(name), absent);
            }
            if let Some(Some(Absent { reason, help })) = self.known_libraries.get(name) {
                self.problems.error(library.span, format!("library `{name}` {reason}"), help.as_str());
            }
        }
    }

    fn script(&mut self, script: &Script) {
        let resolved = self.lab.resolve(&script.path.value);
        if let Known::No(reason) = self.lab.test_file(&resolved) {
            let message = format!("script `{}` {reason}", script.path.value);
            self.problems.error(script.path.span, message, "correct the path, or leave the element empty");
        }
    }
}
