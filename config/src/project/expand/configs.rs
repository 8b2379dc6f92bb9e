//! The test configurations of suites and tests, and the iterators in them.

use std::{borrow::Cow, sync::Arc};

use super::{
    Known,
    prepare::{Absent, Preparer},
};
use crate::{problem::suggest, project::ConfigUse, test_config::TestConfig};

/// An iterator by which a test is multiplied.
pub(super) struct PreparedIterator {
    pub(super) config: Arc<str>,
    config_file: Arc<TestConfig>,
    at: usize,
    default_only: bool,
}

impl Preparer<'_, '_> {
    /// Looks up each configuration once, and tells of each use of one that is not there.
    pub(super) fn check_configs(&mut self, configs: &[ConfigUse]) {
        for config in configs.iter().filter(|config| config.enabled) {
            let name = &config.name.value;
            if !self.configs.contains_key(name) {
                let answer = match self.lab.test_config(name) {
                    Known::Yes(read) => {
                        self.prepared.foreign.extend(read.problems);
                        Ok(read.value.map(Arc::new))
                    }
                    Known::Unchecked => Ok(None),
                    Known::No(reason) => {
                        let names = self.lab.test_config_names();
                        let help = suggest(name, names.iter().map(String::as_str));
                        Err(Absent { reason, help })
                    }
                };
                self.configs.insert(Arc::clone(name), answer);
            }
            if let Some(Err(Absent { reason, help })) = self.configs.get(name) {
                let message = format!("test configuration `{name}` {reason}");
                self.problems.error(config.name.span, message, help.as_str());
            }
        }
    }

    pub(super) fn iterators(&self, used: &[&ConfigUse]) -> Vec<PreparedIterator> {
        let mut iterators = Vec::new();
        for config in used {
            let Some(Ok(Some(file))) = self.configs.get(&config.name.value) else { continue };
            for at in 0..file.iterators.len() {
                let (name, config_file) = (Arc::clone(&config.name.value), Arc::clone(file));
                let default_only = config.default_only;
                iterators.push(PreparedIterator { config: name, config_file, at, default_only });
            }
        }
        iterators
    }
}

impl PreparedIterator {
    pub(super) fn iterator(&self) -> Option<&crate::test_config::Iterator> {
        self.config_file.iterators.get(self.at)
    }

    pub(super) fn values(&self) -> &[Arc<str>] {
        let values = self.iterator().map(|iterator| iterator.values.as_slice()).unwrap_or_default();
        if self.default_only { values.get(..1).unwrap_or_default() } else { values }
    }
}

/// What stands around, then one's own; an entry of one's own replaces that of the same name.
pub(super) fn merge_configs<'c>(around: &'c [ConfigUse], own: &[ConfigUse]) -> Cow<'c, [ConfigUse]> {
    let mut merged = Cow::Borrowed(around);
    for config in own {
        match merged.iter().position(|known| known.name.value == config.name.value) {
            Some(at) => merged.to_mut().get_mut(at).map(|known| known.clone_from(config)).unwrap_or_default(),
            None => merged.to_mut().push(config.clone()),
        }
    }
    merged
}
