//! A node of the test-bed tree, or of a SUT, as it travels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A node with its properties; what `get_resource` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Resource {
    /// Ten hexadecimal digits; stays when the node is renamed.
    pub id: String,
    /// `/tb1/dev2/mod3`; `/` for the root.
    pub path: String,
    /// Properties by name (Twister: `meta`).
    #[serde(rename = "meta")]
    pub properties: BTreeMap<String, Value>,
    /// The ids of the nodes right below, sorted by their names.
    pub children: Vec<String>,
    /// Grows with each edit of the tree (`If-Match`).
    pub version: u64,
}
