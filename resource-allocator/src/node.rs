//! One node: as the tree holds it, and as a row of the store.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The id of a node: ten hexadecimal digits for all but the root of the test beds, which is `1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceId(Arc<str>);

/// Digits in an id.
const DIGITS: usize = 10;

impl ResourceId {
    /// The id made of the lowest 40 bits of a number, for callers that draw it at random.
    pub fn from_number(number: u64) -> Self {
        Self(format!("{:010x}", number & 0xff_ffff_ffff).into())
    }

    /// Reads an id; none where the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
        (text.len() == DIGITS && hexadecimal).then(|| Self(text.into()))
    }

    /// The id of the root of the test beds, which Twister's files give none.
    pub fn root() -> Self {
        Self("1".into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A node with all that is its own: one row of the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeRow {
    /// Which.
    pub id: ResourceId,
    /// The node around it; none for the root.
    pub parent: Option<ResourceId>,
    /// Unique in its parent; `/` for the root of the test beds.
    pub name: String,
    /// Properties by name (Twister: `meta`).
    pub properties: BTreeMap<String, Value>,
    /// What a file said of it that means nothing to us, kept for writing it back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, Value>,
}

/// A node in its tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) row: NodeRow,
    pub(crate) children: BTreeMap<String, ResourceId>,
}

impl Node {
    pub(crate) fn new(row: NodeRow) -> Self {
        Self { row, children: BTreeMap::new() }
    }
}

/// Merges properties; null removes one. Returns what undoes it.
pub(crate) fn merge(
    properties: &mut BTreeMap<String, Value>,
    changes: BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    let mut undo = BTreeMap::new();
    for (key, value) in changes {
        let before =
            if value.is_null() { properties.remove(&key) } else { properties.insert(key.clone(), value) };
        undo.insert(key, before.unwrap_or(Value::Null));
    }
    undo
}

/// What a person's or test's changes mean: an empty text removes a link or a list of EPs.
pub(crate) fn meant(changes: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let removes = |key: &str, value: &Value| (key == "_id" || key.starts_with("_epnames_")) && value == "";
    changes
        .into_iter()
        .map(|(key, value)| if removes(&key, &value) { (key, Value::Null) } else { (key, value) })
        .collect()
}
