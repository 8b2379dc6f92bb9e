//! `resources.json` and `sut/*.json`: trees of test beds and of systems under test.
//!
//! Both are machine-written, so a file is taken or refused with its first problem; keys we do not know are kept.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor},
};
use serde_json::Value;

use crate::{
    problem::{Problems, Read},
    source::{Source, Span},
};

/// A node of a tree.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Node {
    /// The names from the top down, its own last; empty for the root of the test beds.
    pub path: Vec<String>,
    /// Grows with each save; only the root of the test beds has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Properties. `_id` links a SUT's component to a device, `_epnames_<user>` names a SUT's EPs.
    pub meta: BTreeMap<String, Value>,
    /// Ten hexadecimal digits; the root of the test beds has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `/` at the root of the test beds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The nodes below, by name.
    pub children: BTreeMap<String, Node>,
    /// Keys of other systems.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

impl Node {
    /// Reads a tree. Its depth is bounded by the reader of JSON.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let text = source.text().trim_start_matches('\u{feff}');
        let node = serde_json::from_str::<Self>(text).and_then(|node| {
            let mut ids = std::collections::BTreeSet::new();
            node.check_ids(&mut ids).map(|()| node)
        });
        match node {
            Ok(node) => Read { value: Some(node), problems: Vec::new() },
            Err(error) => {
                let mut problems = Problems::new(source);
                let text = error.to_string();
                let message = text.split(" at line ").next().unwrap_or_default();
                problems.error(place(source, &error), message, "export the tree again, or mend it by hand");
                Read { value: None, problems: problems.finish() }
            }
        }
    }

    /// The tree as a file, with four blanks for each level as Twister writes it.
    pub fn write(&self) -> String {
        let mut bytes = Vec::new();
        let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, format);
        // Writing strings, numbers and maps with text keys into memory has no way to fail.
        self.serialize(&mut serializer)
            .map_or_else(|_| String::new(), |()| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The node at a path below this one.
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').filter(|part| !part.is_empty()).try_fold(self, |node, part| node.children.get(part))
    }

    /// The name of a SUT: `name.user` or `name.system`.
    pub fn sut_name(&self) -> Option<&str> {
        self.path.first().map(String::as_str)
    }

    /// The EPs that a SUT has for a user.
    pub fn eps_of(&self, user: &str) -> Vec<String> {
        let list = self.meta.get(&format!("_epnames_{user}")).and_then(Value::as_str).unwrap_or_default();
        list.split(';').map(str::trim).filter(|ep| !ep.is_empty()).map(str::to_owned).collect()
    }

    fn check_ids<'n>(
        &'n self,
        ids: &mut std::collections::BTreeSet<&'n str>,
    ) -> Result<(), serde_json::Error> {
        if let Some(id) = self.id.as_deref().filter(|id| !ids.insert(id)) {
            return Err(de::Error::custom(format!("id `{id}` belongs to two nodes")));
        }
        self.children.values().try_for_each(|child| child.check_ids(ids))
    }
}

/// The reader counts columns in bytes, and gives line 0 to problems that are not of the text's form.
pub(crate) fn place(source: &Source, error: &serde_json::Error) -> Span {
    let line_start = |line: usize| match line.checked_sub(2) {
        None => 0,
        Some(before) => {
            source.text().match_indices('\n').nth(before).map_or(0, |(at, _)| at.saturating_add(1))
        }
    };
    let at = line_start(error.line()).saturating_add(error.column().saturating_sub(1));
    Span::new(at, at)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NodeVisitor)
    }
}

/// By hand, so that a wrong value is reported at its own place although unknown keys are kept.
struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a node with `path`, `meta`, `id` and `children`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut node = Node::default();
        let mut children = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "path" => node.path = map.next_value()?,
                "version" => node.version = Some(map.next_value()?),
                "meta" => node.meta = map.next_value()?,
                "id" => node.id = Some(map.next_value()?),
                "name" => node.name = Some(map.next_value()?),
                "children" => {
                    node.children = map.next_value()?;
                    children = true;
                    if let Some(name) =
                        node.children.keys().find(|name| name.is_empty() || name.contains(['/', ':']))
                    {
                        let message = format!("`{name}` is not a name: it is empty, or holds `/` or `:`");
                        return Err(de::Error::custom(message));
                    }
                }
                _ => drop(node.others.insert(key, map.next_value()?)),
            }
        }
        if children { Ok(node) } else { Err(de::Error::missing_field("children")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Read<Node> {
        Node::read(&Arc::new(Source::new("r.json", text)))
    }

    #[test]
    fn a_tree_reads_as_it_was_written() {
        let text = r#"{"path": ["s.user"], "meta": {"_epnames_ana": "EP-1; EP-2;", "n": 1}, "id": "7b92547f54",
            "children": {"dev": {"path": ["s.user", "dev"], "meta": {"_id": "0c651e3670"}, "id": "a", "children": {}}}, "lock": null}"#;
        let (node, _) = read(text).usable().unwrap();
        assert_eq!(node.eps_of("ana"), ["EP-1", "EP-2"]);
        assert_eq!(node.sut_name(), Some("s.user"));
        assert_eq!(node.at("/dev").unwrap().meta["_id"], "0c651e3670");
        assert_eq!(node.others["lock"], Value::Null);
        assert_eq!(read(&node.write()).value.unwrap(), node);
    }

    #[test]
    fn a_wrong_value_has_its_place() {
        let error = |text| read(text).problems[0].to_string();
        insta::assert_snapshot!(error("{\n \"path\": 3,\n \"children\": {}}"), @"r.json:2:10: error: invalid type: integer `3`, expected a sequence; export the tree again, or mend it by hand");
        insta::assert_snapshot!(error("{\"path\": []}"), @"r.json:1:12: error: missing field `children`; export the tree again, or mend it by hand");
        insta::assert_snapshot!(error("{"), @"r.json:1:1: error: EOF while parsing an object; export the tree again, or mend it by hand");
        insta::assert_snapshot!(error("{\"id\":\"1\",\"children\":{\"a\":{\"id\":\"1\",\"children\":{}}}}"), @"r.json:1:1: error: id `1` belongs to two nodes; export the tree again, or mend it by hand");
        assert!(read(&"[".repeat(100_000)).value.is_none());
        assert!(read(&"{\"children\":{\"a\":".repeat(100_000)).value.is_none());
    }
}
