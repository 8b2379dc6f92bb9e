//! What can be wrong with a question to the tree, or with a change of it.

use jackfield_protocol::error::ErrorCode;

/// The names that there are, for one who asked for another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(Vec<String>);

impl Names {
    /// Of more than these, nobody reads the rest.
    const SHOWN_MAX: usize = 10;

    pub(crate) fn of<'n>(names: impl IntoIterator<Item = &'n String>) -> Self {
        Self(names.into_iter().take(Self::SHOWN_MAX + 1).cloned().collect())
    }
}

impl std::fmt::Display for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some((first, rest)) = self.0.split_first() else { return Ok(()) };
        write!(f, "; there is {first}")?;
        rest.iter().take(Self::SHOWN_MAX.saturating_sub(1)).try_for_each(|name| write!(f, ", {name}"))?;
        if self.0.len() > Self::SHOWN_MAX { f.write_str(" …") } else { Ok(()) }
    }
}

/// Why nothing was answered or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// No node has this id or path.
    #[error("there is no resource `{query}`; the nearest that exists is `{nearest}`{there}")]
    NotFound {
        /// As asked.
        query: String,
        /// The deepest node on the way that exists.
        nearest: String,
        /// What is below that one, where it is known.
        there: Names,
    },
    /// The node has no such property.
    #[error("`{path}` has no property `{key}`{there}")]
    NoProperty {
        /// The node.
        path: String,
        /// The property.
        key: String,
        /// The properties that it has.
        there: Names,
    },
    /// A query that is neither id nor path, or asks for a property where a node is needed.
    #[error("`{query}` is no id and no path such as /tb1/dev2 or /tb1/dev2:ip: {problem}")]
    BadQuery {
        /// As asked.
        query: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A name that cannot be one.
    #[error("`{name}` cannot be a name: {problem}")]
    BadName {
        /// As given.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The parent has a node, or the node a property, of this name.
    #[error("`{path}` exists already; choose another name, or delete it first")]
    NameTaken {
        /// What has the name.
        path: String,
    },
    /// A name that reads like that of a sibling.
    #[error("`{name}` cannot be a name: it looks like `{other}`, which is there")]
    LooksAlike {
        /// As given.
        name: String,
        /// What it could be taken for.
        other: String,
    },
    /// A new node was given the id of another.
    #[error("the id {id} belongs to `{path}`")]
    IdTaken {
        /// The id.
        id: String,
        /// Its owner.
        path: String,
    },
    /// The root can be neither renamed nor deleted.
    #[error("the root of the tree can be neither renamed nor deleted")]
    Root,
    /// A node cannot lie in itself.
    #[error("`{path}` cannot be put into `{into}`, which is in it")]
    IntoItself {
        /// The node.
        path: String,
        /// Where it was to go.
        into: String,
    },
    /// An edit that is none.
    #[error("there is nothing to do: give at least one edit")]
    Nothing,
    /// What somebody has changed since is not undone over their heads.
    #[error("it cannot be undone any more: {why}")]
    NotUndone {
        /// What stands in the way.
        why: String,
    },
    /// A node of a file that cannot be where the file has it.
    #[error("`{path}` cannot be put there: {why}")]
    Misplaced {
        /// Where the file has it.
        path: String,
        /// What stands in the way, and what to do.
        why: String,
    },
    /// More than one edit may make.
    #[error("{count} resources are too many for one edit, which may touch {limit}; do it in parts")]
    TooMany {
        /// How many there are.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// The properties of a node would be larger than they may be.
    #[error("the properties of `{path}` would take {bytes} bytes; a resource may have {limit}")]
    TooLarge {
        /// The node.
        path: String,
        /// How large.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The tree would become deeper than the limit.
    #[error("`{path}` would lie deeper than {limit} levels")]
    TooDeep {
        /// Where it would be.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// A SUT component links to a resource that does not exist.
    #[error("`{path}` links to resource {id}, which does not exist; set its `_id` to one that does")]
    BrokenLink {
        /// The component.
        path: String,
        /// Its `_id`.
        id: String,
    },
    /// A file that is not in the shape of `resources.json` or a SUT.
    #[error("at `{at}`: {problem}")]
    BadFile {
        /// Where in the file, as a path of names.
        at: String,
        /// What is wrong there.
        problem: String,
    },
}

impl ResourceError {
    /// The word scripts compare.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound { .. } | Self::NoProperty { .. } => ErrorCode::NotFound,
            Self::BadQuery { .. } | Self::BadName { .. } | Self::Nothing => ErrorCode::BadRequest,
            Self::NameTaken { .. } | Self::IdTaken { .. } | Self::LooksAlike { .. } => {
                ErrorCode::AlreadyExists
            }
            Self::Root | Self::BrokenLink { .. } | Self::IntoItself { .. } | Self::Misplaced { .. } => {
                ErrorCode::WrongState
            }
            Self::NotUndone { .. } => ErrorCode::Changed,
            Self::TooDeep { .. } | Self::TooMany { .. } | Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::BadFile { .. } => ErrorCode::BadFile,
        }
    }
}
