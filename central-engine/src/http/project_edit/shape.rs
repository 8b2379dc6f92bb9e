//! What pages and scripts send and are answered of a project that is edited.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_config::{
    Lab,
    project::edit::{Change, ConfigChange, ConfigFlag, ItemKind, NamedConfig, NewItem, outline::OutlineItem},
};
use serde::{Deserialize, Serialize};

use crate::{failure::Failure, http::suite};

/// A change of a project. A way says where an item is: `[]` is the project, `[0, 2]` the third item of the first suite.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::http) enum ProjectChange {
    /// Another text for a field, such as `Repeat`; an empty one takes its element away.
    Set { at: Vec<usize>, field: String, value: String },
    /// Another value of a property, or of what a suite or the project defines; without one it goes.
    Property {
        at: Vec<usize>,
        name: String,
        #[serde(default)]
        nth: usize,
        #[serde(default)]
        value: Option<String>,
    },
    /// One more test configuration of an item, behind the others.
    AddConfig { at: Vec<usize>, name: String },
    /// One less; `nth` counts those that the item names, from 0.
    RemoveConfig { at: Vec<usize>, nth: usize },
    /// Another place among them.
    OrderConfig { at: Vec<usize>, nth: usize, to: usize },
    /// Something else said of one.
    SetConfig { at: Vec<usize>, nth: usize, flag: ConfigWord, on: bool },
    /// New suites and tests, before the item with number `before`.
    Insert { parent: Vec<usize>, before: usize, items: Vec<NewProjectItem> },
    /// Takes items away.
    Remove { items: Vec<Vec<usize>> },
    /// Puts items somewhere else.
    Move { items: Vec<Vec<usize>>, parent: Vec<usize>, before: usize },
    /// Puts copies of items somewhere, with IDs made from the salt.
    Copy { items: Vec<Vec<usize>>, parent: Vec<usize>, before: usize, salt: String },
    /// Puts predefined suites somewhere, all that the file of this name holds; IDs that are used already are made from the salt.
    Suite { name: String, parent: Vec<usize>, before: usize, salt: String },
}

/// What is said of a test configuration where it is named.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum ConfigWord {
    /// It counts.
    Enabled,
    /// Of its iterators the default alone is taken.
    DefaultOnly,
    /// The other iterations are left out once one has not passed.
    StopOnFail,
}

/// A new suite or test.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::http) enum NewProjectItem {
    /// A suite with its name.
    Suite {
        name: String,
        #[serde(default)]
        id: Option<String>,
    },
    /// A test with its file.
    Test {
        file: String,
        #[serde(default)]
        id: Option<String>,
    },
}

/// What stands in a project.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum ProjectItemKind {
    Project,
    Suite,
    Test,
}

/// The project, a suite or a test.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ProjectItem {
    kind: ProjectItemKind,
    /// How many items stand around it; the project itself counts.
    depth: usize,
    /// Its name, or its file.
    name: String,
    /// The line on which it begins.
    line: u32,
    /// Fields that say something, by name.
    fields: BTreeMap<&'static str, String>,
    /// Properties of a test, user-defined values of a suite or the project.
    pairs: Vec<ProjectPair>,
    /// The test configurations it names, in their order.
    configs: Vec<ProjectConfig>,
    /// Its ID in a run: what `only` of a submission takes; none of the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Arc<str>>,
    /// How often a test would be tried, all its copies taken together; 0 where the project would not run.
    attempts: usize,
}

/// A test configuration that an item names.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
struct ProjectConfig {
    /// Its name.
    name: String,
    /// Whether it counts.
    enabled: bool,
    /// Whether of its iterators the default alone is taken.
    default_only: bool,
    /// Whether the other iterations are left out once one has not passed.
    stop_on_fail: bool,
}

/// A property, or a user-defined value.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
struct ProjectPair {
    /// Its name.
    name: String,
    /// What it says.
    value: String,
}

impl ProjectChange {
    /// The change of the text, with what it takes from the lab.
    ///
    /// # Errors
    /// Predefined suites that are not there, or cannot be read.
    pub(in crate::http) fn made(self, lab: &Lab) -> Result<Change, Failure> {
        Ok(match self {
            Self::Set { at, field, value } => Change::Set { at, field, value },
            Self::Property { at, name, nth, value } => Change::Property { at, name, nth, value },
            Self::AddConfig { at, name } => Change::Config { at, change: ConfigChange::Add { name } },
            Self::RemoveConfig { at, nth } => Change::Config { at, change: ConfigChange::Remove { nth } },
            Self::OrderConfig { at, nth, to } => {
                Change::Config { at, change: ConfigChange::Move { nth, to } }
            }
            Self::SetConfig { at, nth, flag, on } => {
                Change::Config { at, change: ConfigChange::Set { nth, flag: flag.into(), on } }
            }
            Self::Insert { parent, before, items } => {
                Change::Insert { parent, at: before, items: items.into_iter().map(NewItem::from).collect() }
            }
            Self::Remove { items } => Change::Remove { items },
            Self::Move { items, parent, before } => Change::Move { items, parent, to: before },
            Self::Copy { items, parent, before, salt } => Change::Copy { items, parent, to: before, salt },
            Self::Suite { name, parent, before, salt } => {
                Change::Paste { xml: suite::text_of(lab, &name)?, parent, to: before, salt }
            }
        })
    }
}

impl From<NewProjectItem> for NewItem {
    fn from(item: NewProjectItem) -> Self {
        match item {
            NewProjectItem::Suite { name, id } => Self::Suite { name, id },
            NewProjectItem::Test { file, id } => Self::Test { file, id },
        }
    }
}

impl ProjectItem {
    /// The line on which it begins.
    pub(super) fn line(&self) -> u32 {
        self.line
    }

    /// Whether it is another one, but for the lines that it has moved by.
    pub(super) fn is_as(&self, before: &Self, lines: i64) -> bool {
        let moved = i64::from(before.line).saturating_add(lines);
        let Self { kind, depth, name, line, fields, pairs, configs, id, attempts } = self;
        i64::from(*line) == moved
            && *kind == before.kind
            && *depth == before.depth
            && *name == before.name
            && *fields == before.fields
            && *pairs == before.pairs
            && *configs == before.configs
            && *id == before.id
            && *attempts == before.attempts
    }

    /// An item with its ID in a run, and how often it would be tried there.
    pub(in crate::http) fn new(item: OutlineItem, id: Option<Arc<str>>, attempts: usize) -> Self {
        Self {
            kind: match item.kind {
                ItemKind::Project => ProjectItemKind::Project,
                ItemKind::Suite => ProjectItemKind::Suite,
                ItemKind::Test => ProjectItemKind::Test,
            },
            depth: item.depth,
            name: item.name,
            line: item.begins.0,
            fields: item.fields,
            pairs: item.pairs.into_iter().map(|(name, value)| ProjectPair { name, value }).collect(),
            configs: item.configs.into_iter().map(ProjectConfig::from).collect(),
            id,
            attempts,
        }
    }
}

impl From<NamedConfig> for ProjectConfig {
    fn from(config: NamedConfig) -> Self {
        let NamedConfig { name, enabled, default_only, stop_on_fail } = config;
        Self { name, enabled, default_only, stop_on_fail }
    }
}

impl From<ConfigWord> for ConfigFlag {
    fn from(word: ConfigWord) -> Self {
        match word {
            ConfigWord::Enabled => Self::Enabled,
            ConfigWord::DefaultOnly => Self::DefaultOnly,
            ConfigWord::StopOnFail => Self::StopOnFail,
        }
    }
}
