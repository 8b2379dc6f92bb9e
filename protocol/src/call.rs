//! What a running test asks the engine, and what it is answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Problem;

/// What a running test may ask the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Call {
    /// A node, or one property, by id or path (`/tb1/dev2:ip`).
    GetResource {
        /// Id or path, with `:key` for one property.
        query: String,
        /// The test is about to connect to it: refused while a person has it on a console.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        open: bool,
    },
    /// Creates a node or merges properties into one.
    SetResource {
        /// The name of the node in its parent.
        name: String,
        /// Id or path of the parent; `/` for the top.
        parent: String,
        /// Properties to merge; null removes one.
        properties: BTreeMap<String, Value>,
    },
    /// Renames a node or a property.
    RenameResource {
        /// Id or path, with `:key` for a property.
        query: String,
        /// The new name alone, not a path.
        name: String,
    },
    /// Deletes a node with everything below it, or one property.
    DeleteResource {
        /// Id or path, with `:key` for a property.
        query: String,
    },
    /// A SUT or a component of it.
    GetSut {
        /// `/name.user/component`, with `:key` for one property.
        query: String,
        /// Answer with the linked resource's data.
        follow_links: bool,
    },
    /// What a component of a test configuration is bound to (`bindings.xml`): `{"id": …, "path": …}` of the SUT
    /// component, or null; an unbound component of `config` is looked up in `default_binding`.
    GetBinding {
        /// The test configuration, or `default_binding`.
        config: String,
        /// The component in it.
        component: String,
    },
    /// A global parameter or folder of them, as `globals.xml` and earlier calls say.
    GetGlobal {
        /// `Level_A/global1`.
        path: String,
    },
    /// Sets a global parameter in the engine's memory for the user's runs.
    SetGlobal {
        /// `Level_A/global1`.
        path: String,
        /// Any JSON value.
        value: Value,
    },
}

/// What a running test asks a person, by way of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Ask {
    /// Asks a person, and waits.
    Interact(Interact),
    /// Stops at a breakpoint until a person lets it go on.
    Breakpoint {
        /// The caller's local variables, as text.
        locals: String,
    },
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interact {
    /// What kind of answer is wanted.
    pub kind: InteractKind,
    /// What to ask.
    pub message: String,
    /// The answers to choose from, for [`InteractKind::Options`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The answer when nobody gives one in time.
    #[serde(default)]
    pub default: Value,
    /// How long to wait.
    pub timeout_millis: u64,
}

/// What kind of answer a test wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InteractKind {
    /// None: show it, go on when seen (`msg`).
    Message,
    /// A text (`input`).
    Input,
    /// Yes or no (`decide`).
    Decide,
    /// One of several (`options`).
    Options,
}

/// What came of a [`Call`] or an [`Ask`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// It was done; the value it asked for, or null.
    Ok(Value),
    /// It was not; why, and what to do.
    Error(Problem),
}
