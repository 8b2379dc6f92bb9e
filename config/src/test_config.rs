//! Test configurations: named values in components (first-level folders), some of them iterators.

use std::sync::Arc;

use jackfield_protocol::error::FileProblem;

use crate::{
    iterator,
    limits::{CONFIG_VALUES_MAX, ITERATOR_VALUES_MAX},
    params::{Folder, ParamKind, Params},
    problem::{Problems, Read},
    source::Source,
};

/// A test configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct TestConfig {
    /// The name by which projects know it.
    pub name: Arc<str>,
    /// Its values.
    pub params: Params,
    /// Its iterators, in document order.
    pub iterators: Vec<Iterator>,
}

/// A value that stands for several.
#[derive(Clone, Debug, PartialEq)]
pub struct Iterator {
    /// The first-level folder it is in; empty at the top.
    pub component: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its values in order, at least one; the first is the default.
    pub values: Vec<Arc<str>>,
}

impl TestConfig {
    /// Reads a test configuration.
    pub fn read(name: &str, source: &Arc<Source>) -> Read<Self> {
        let mut read = Params::read(source);
        let Some(params) = read.value else { return Read { value: None, problems: read.problems } };
        let mut problems = Problems::new(source);
        let mut iterators = Vec::new();
        let mut left = CONFIG_VALUES_MAX;
        collect(&params.top, &Arc::from(""), 0, &mut iterators, &mut problems, &mut left);
        read.problems.extend::<Vec<FileProblem>>(problems.finish());
        read.problems.sort_by_key(|problem| (problem.line, problem.column));
        let config = Self { name: name.into(), params, iterators };
        Read { value: Some(config), problems: read.problems }
    }

    /// How many copies of a test its iterators make, all taken together.
    pub fn copies(&self) -> u64 {
        let count = |iterator: &Iterator| u64::try_from(iterator.values.len()).unwrap_or(u64::MAX);
        self.iterators.iter().fold(1_u64, |copies, iterator| copies.saturating_mul(count(iterator)))
    }
}

/// Inner folders belong to the component they are in. Depth is bounded by the XML's.
fn collect(
    folder: &Folder,
    component: &Arc<str>,
    depth: usize,
    iterators: &mut Vec<Iterator>,
    problems: &mut Problems,
    left: &mut usize,
) {
    for param in folder.params.iter().filter(|param| param.kind == ParamKind::Iterator) {
        let name = &param.name.value;
        if *left == 0 {
            let message = format!("the iterators before `{name}` have {CONFIG_VALUES_MAX} values already");
            problems.error(param.value.span, message, "write fewer");
            continue;
        }
        match iterator::values(&param.value.value) {
            Ok(mut values) => {
                if values.is_empty() {
                    let message = format!("iterator `{name}` has no value");
                    problems.warn(param.value.span, message, "write values such as 3, 1..3");
                    values.push(Arc::from(""));
                }
                *left = left.saturating_sub(values.len());
                iterators.push(Iterator { component: component.clone(), name: name.clone(), values });
            }
            Err(iterator::TooManyValues) => {
                *left = left.saturating_sub(ITERATOR_VALUES_MAX);
                let message = format!("iterator `{name}` has more than {ITERATOR_VALUES_MAX} values");
                problems.error(param.value.span, message, "write fewer");
            }
        }
    }
    for inner in &folder.folders {
        let component = if depth == 0 { &inner.name.value } else { component };
        collect(inner, component, depth.saturating_add(1), iterators, problems, left);
    }
}
