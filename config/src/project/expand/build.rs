//! The second step: the copies, in the order in which they run.

use std::{collections::BTreeSet, fmt::Write, sync::Arc};

use jackfield_protocol::{
    id::{EpName, SuiteIndex, SutName},
    plan::{Iteration, IteratorValue, Place, PlannedSuite, PlannedTest, RunPlan},
};

use super::{
    identity,
    prepare::{Prepared, PreparedItem, PreparedSuite, PreparedTest},
};
use crate::source::At;

/// Which suite or test of the file each of the plan is a copy of.
#[derive(Debug, Default)]
pub(super) struct Origins {
    pub(super) suites: Vec<u32>,
    pub(super) tests: Vec<u32>,
}

/// Makes all copies.
pub(super) fn build(prepared: &Prepared<'_>, plan: &mut RunPlan) -> Origins {
    let mut builder =
        Builder { plan, origins: Origins::default(), used: vec![0; prepared.slots.len()], groups: 0 };
    for top in &prepared.tops {
        for _ in 0..top.suite.repeat.value {
            for (sut, ep) in &top.places {
                let needs = top.suite.needs.as_ref().map(|needs| needs.value.to_string().into());
                let place = Place { ep: ep.clone(), labels: top.suite.labels.clone(), needs };
                builder
                    .suite(top, &Around { parent: None, place: &place, sut: sut.as_ref(), inherited: None });
            }
            if top.tests == 0 {
                break;
            }
        }
    }
    builder.origins
}

struct Builder<'b> {
    plan: &'b mut RunPlan,
    origins: Origins,
    /// Copies made so far, by slot.
    used: Vec<u32>,
    groups: u32,
}

/// What a suite has from outside.
struct Around<'a> {
    parent: Option<SuiteIndex>,
    place: &'a Place,
    sut: Option<&'a SutName>,
    inherited: Option<Inherited>,
}

/// What an inner suite has from those around it.
#[derive(Clone)]
struct Inherited {
    panic_detect: bool,
    libraries: Vec<Arc<str>>,
}

impl Builder<'_> {
    /// One copy of a suite; its own repeats are the caller's.
    fn suite(&mut self, prepared: &PreparedSuite<'_>, around: &Around<'_>) {
        if prepared.tests == 0 {
            return;
        }
        let suite = prepared.suite;
        let index = SuiteIndex(length(&self.plan.suites));
        let start = length(&self.plan.tests);
        let outer = around.inherited.clone();
        let mut libraries = outer.as_ref().map(|outer| outer.libraries.clone()).unwrap_or_default();
        let mut known: BTreeSet<Arc<str>> = libraries.iter().map(Arc::clone).collect();
        let own = suite.libraries.iter().map(|library: &At<Arc<str>>| Arc::clone(&library.value));
        libraries.extend(own.filter(|library| known.insert(Arc::clone(library))));
        let panic_detect = suite.panic_detect || outer.is_some_and(|outer| outer.panic_detect);
        let inherited = Inherited { panic_detect, libraries: libraries.clone() };
        self.origins.suites.push(prepared.number);
        let id = self.identity(prepared.slot, &prepared.origin, around.place.ep.as_ref());
        self.plan.suites.push(PlannedSuite {
            id,
            origin: Arc::clone(&prepared.origin),
            name: Arc::clone(&suite.name),
            parent: around.parent,
            tests: start..start,
            place: around.place.clone(),
            sut: around.sut.cloned(),
            panic_detect,
            libraries,
            user_defined: suite.user_defined.clone(),
            timeout_millis: suite.timeout_millis,
            configs: prepared.configs.clone(),
            depends: Vec::new(),
        });
        let mut before = None;
        for item in &prepared.items {
            match item {
                PreparedItem::Suite(inner) => {
                    let inherited = Some(inherited.clone());
                    let inside =
                        Around { parent: Some(index), place: around.place, sut: around.sut, inherited };
                    for _ in 0..if inner.tests == 0 { 0 } else { inner.suite.repeat.value } {
                        self.suite(inner, &inside);
                    }
                    before = None;
                }
                PreparedItem::Test(test) => {
                    self.test(test, index, around.place.ep.as_ref(), before);
                    before = Some(test);
                }
            }
        }
        let end = length(&self.plan.tests);
        let at = usize::try_from(index.0).unwrap_or(usize::MAX);
        self.plan.suites.get_mut(at).map(|suite| suite.tests = start..end).unwrap_or_default();
    }

    /// All copies of a test in one copy of its suite: each tuple of iterator values, each as often as it is repeated.
    fn test(
        &mut self,
        prepared: &PreparedTest<'_>,
        suite: SuiteIndex,
        ep: Option<&EpName>,
        before: Option<&PreparedTest<'_>>,
    ) {
        if prepared.copies == 0 {
            return;
        }
        let iterates = !prepared.iterators.is_empty() || !prepared.test.iteration.is_empty();
        let written = !prepared.test.iteration.is_empty();
        let same =
            |before: &PreparedTest<'_>| !before.test.iteration.is_empty() && before.file == prepared.file;
        // The copies in a run file stand one behind the other.
        if iterates && !(written && before.is_some_and(same)) {
            self.groups = self.groups.saturating_add(1);
        }
        let mut odometer = vec![0_usize; prepared.iterators.len()];
        loop {
            let iteration = iterates.then(|| self.iteration(prepared, &odometer));
            for _ in 0..prepared.test.repeat.value {
                self.copy(prepared, suite, ep, iteration.clone());
            }
            if !turn(&mut odometer, prepared) {
                break;
            }
        }
    }

    fn copy(
        &mut self,
        prepared: &PreparedTest<'_>,
        suite: SuiteIndex,
        ep: Option<&EpName>,
        iteration: Option<Iteration>,
    ) {
        let test = prepared.test;
        self.origins.tests.push(prepared.number);
        let id = self.identity(prepared.slot, &prepared.origin, ep);
        self.plan.tests.push(PlannedTest {
            id,
            origin: Arc::clone(&prepared.origin),
            suite,
            file: Arc::clone(&prepared.file),
            content: None,
            is_private: false,
            name: iteration.as_ref().map_or_else(
                || Arc::clone(&prepared.name),
                |iteration| display_name(&prepared.name, &iteration.values),
            ),
            role: test.role,
            runnable: test.runnable,
            optional: test.optional,
            prerequisite: test.prerequisite,
            params: test.params.clone(),
            properties: test.properties.clone(),
            configs: prepared.configs.clone(),
            iteration,
            depends: Vec::new(),
            timeout_millis: test.timeout_millis,
        });
    }

    fn iteration(&self, prepared: &PreparedTest<'_>, odometer: &[usize]) -> Iteration {
        let chosen = prepared.iterators.iter().zip(odometer).filter_map(|(iterator, at)| {
            let named = iterator.iterator()?;
            Some(IteratorValue {
                config: Arc::clone(&iterator.config),
                component: Arc::clone(&named.component),
                name: Arc::clone(&named.name),
                value: Arc::clone(iterator.values().get(*at)?),
            })
        });
        let values = if prepared.test.iteration.is_empty() {
            chosen.collect()
        } else {
            prepared.test.iteration.clone()
        };
        Iteration {
            group: self.groups,
            text: iteration_text(&values),
            values,
            stop_on_fail: prepared.stop_on_fail,
            save: prepared.test.iteration_save,
        }
    }

    fn identity(&mut self, slot: usize, origin: &Arc<str>, ep: Option<&EpName>) -> Arc<str> {
        let copy = self.used.get_mut(slot).map(|used| {
            let copy = *used;
            *used = copy.saturating_add(1);
            copy
        });
        identity::of_copy(origin, copy.unwrap_or_default(), ep.map(EpName::as_str))
    }
}

/// The next tuple of the product, the last iterator turning fastest; false when all were there.
fn turn(odometer: &mut [usize], prepared: &PreparedTest<'_>) -> bool {
    for (wheel, iterator) in odometer.iter_mut().zip(&prepared.iterators).rev() {
        *wheel = wheel.saturating_add(1);
        if *wheel < iterator.values().len() {
            return true;
        }
        *wheel = 0;
    }
    false
}

/// `file#component#name=value, …`, as Twister writes `iterationNr`.
fn iteration_text(values: &[IteratorValue]) -> Arc<str> {
    let mut text = String::new();
    for value in values {
        let comma = if text.is_empty() { "" } else { ", " };
        let IteratorValue { config, component, name, value } = value;
        let inside = if component.is_empty() { "" } else { "#" };
        write!(text, "{comma}{config}#{component}{inside}{name}={value}").unwrap_or_default();
    }
    text.into()
}

fn display_name(name: &str, values: &[IteratorValue]) -> Arc<str> {
    let values: Vec<String> = values.iter().map(|value| format!("{}={}", value.name, value.value)).collect();
    format!("{name} [{}]", values.join(", ")).into()
}

/// The length of a list whose size the limits hold far below 2³².
fn length<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}
