//! What is asked: an id or a path, either followed by `:key` for one property.

use jackfield_protocol::resource::Resource;
use serde_json::Value;

use crate::{error::ResourceError, node::ResourceId};

/// What a query found.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A node.
    Node(Resource),
    /// One property of a node.
    Property(Value),
}

impl Answer {
    /// As it stands in an HTTP body or the local API.
    pub fn into_value(self) -> Value {
        match self {
            Self::Property(value) => value,
            Self::Node(node) => serde_json::to_value(node).unwrap_or(Value::Null),
        }
    }
}

/// A query, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query<'a> {
    pub(crate) text: &'a str,
    pub(crate) target: Target<'a>,
    pub(crate) key: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    Id(ResourceId),
    Path(Vec<&'a str>),
}

impl<'a> Query<'a> {
    /// A text that starts with `/` or is no id is a path; doubled and trailing slashes mean nothing.
    pub(crate) fn parse(text: &'a str) -> Result<Self, ResourceError> {
        let refuse = |problem| ResourceError::BadQuery { query: text.to_owned(), problem };
        let (target, key) = match text.trim().split_once(':') {
            Some((target, key)) => (target, Some(key)),
            None => (text.trim(), None),
        };
        if key.is_some_and(|key| key.is_empty()) {
            return Err(refuse("the name of the property is missing behind the colon"));
        }
        if target.is_empty() {
            return Err(refuse("it is empty; / is the root"));
        }
        let target = match ResourceId::parse(target) {
            Some(id) => Target::Id(id),
            None if target == "1" => Target::Id(ResourceId::root()),
            None => Target::Path(target.split('/').filter(|name| !name.is_empty()).collect()),
        };
        Ok(Self { text, target, key })
    }

    /// The query of a node, where a property makes no sense.
    pub(crate) fn parse_node(text: &'a str) -> Result<Self, ResourceError> {
        let query = Self::parse(text)?;
        match query.key {
            None => Ok(query),
            Some(_) => Err(ResourceError::BadQuery {
                query: text.to_owned(),
                problem: "it names a property where a whole resource is needed",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_paths_and_keys_are_told_apart() {
        let path = |names: &[&'static str]| Target::Path(names.to_vec());
        for (text, target, key) in [
            ("/", path(&[]), None),
            ("1", Target::Id(ResourceId::root()), None),
            ("/tb1/dev2/", path(&["tb1", "dev2"]), None),
            ("tb1//dev2", path(&["tb1", "dev2"]), None),
            ("/tb1/dev2:ip", path(&["tb1", "dev2"]), Some("ip")),
            ("/tb1:a:b", path(&["tb1"]), Some("a:b")),
            ("0c651e3670:ip", Target::Id(ResourceId::from_number(0x000c_651e_3670)), Some("ip")),
        ] {
            assert_eq!(Query::parse(text).unwrap(), Query { text, target, key }, "{text}");
        }
        for bad in ["", ":ip", "/tb1:", "  "] {
            assert!(Query::parse(bad).is_err(), "{bad}");
        }
        assert!(Query::parse_node("/tb1:ip").is_err());
    }
}
