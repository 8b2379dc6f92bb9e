//! Twister's own files: `resources.json` with all test beds, `sut/*.json` with one SUT each.
//!
//! A node is `{"path": […], "meta": {…}, "id": "0c651e3670", "children": {name: node}}`; the root of the test beds has
//! `version` and `"name": "/"` and no id. Paths are written from where a node stands and not trusted when read.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    edit::Edit,
    error::ResourceError,
    node::{NodeRow, ResourceId},
    tree::Tree,
};

impl Tree {
    /// Reads `resources.json` (a root without id) or a SUT file (a root with one).
    pub fn from_json(file: Value) -> Result<Self, ResourceError> {
        let Value::Object(mut fields) = file else { return Err(bad("/", "it must be a JSON object")) };
        let version = fields.remove("version").and_then(|version| version.as_u64());
        let children = take_children(&mut fields, "/")?;
        let (id, name) = match fields.get("id") {
            None => (ResourceId::root(), "/".to_owned()),
            Some(id) => (read_id(id, "/")?, root_name(&fields)?),
        };
        fields.remove("id");
        fields.remove("name");
        let row = read_row(fields, id.clone(), None, name)?;
        let mut tree = Self::with_root(row);
        tree.read_children(children)?;
        tree.version = version.unwrap_or(0);
        Ok(tree)
    }

    fn read_children(&mut self, children: Map<String, Value>) -> Result<(), ResourceError> {
        let root = self.root.clone();
        let mut open: Vec<_> = children.into_iter().map(|(name, node)| (root.clone(), name, node)).collect();
        while let Some((parent, name, node)) = open.pop() {
            let at = self.path_in(&parent, &name);
            let Value::Object(mut fields) = node else { return Err(bad(&at, "it must be a JSON object")) };
            let id = read_id(fields.get("id").unwrap_or(&Value::Null), &at)?;
            fields.remove("id");
            let children = take_children(&mut fields, &at)?;
            let row = read_row(fields, id.clone(), Some(parent), name)?;
            self.apply(Edit::Insert { nodes: vec![row] }).map_err(|error| bad(&at, &error.to_string()))?;
            open.extend(children.into_iter().map(|(name, node)| (id.clone(), name, node)));
        }
        Ok(())
    }

    /// Writes the file back: `resources.json` for test beds, a SUT file for a SUT.
    pub fn to_json(&self) -> Value {
        let mut root = self.node_json(&self.root, &mut Vec::new());
        if let Some(fields) = root.as_object_mut()
            && self.root == ResourceId::root()
        {
            fields.remove("id");
            fields.insert("name".to_owned(), json!("/"));
            fields.insert("version".to_owned(), json!(self.version));
        }
        root
    }

    /// The depth of a tree is limited, and so is this recursion.
    fn node_json(&self, id: &ResourceId, path: &mut Vec<String>) -> Value {
        let Some(node) = self.nodes.get(id) else { return Value::Null };
        let named = node.row.name != "/";
        if named {
            path.push(node.row.name.clone());
        }
        let children: Map<_, _> =
            node.children.iter().map(|(name, id)| (name.clone(), self.node_json(id, path))).collect();
        let mut fields: Map<_, _> =
            node.row.unknown.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        fields.insert("path".to_owned(), json!(path));
        fields.insert("meta".to_owned(), json!(node.row.properties));
        fields.insert("id".to_owned(), json!(id));
        fields.insert("children".to_owned(), Value::Object(children));
        if named {
            path.pop();
        }
        Value::Object(fields)
    }
}

fn read_row(
    mut fields: Map<String, Value>,
    id: ResourceId,
    parent: Option<ResourceId>,
    name: String,
) -> Result<NodeRow, ResourceError> {
    let properties: BTreeMap<_, _> = match fields.remove("meta") {
        None => BTreeMap::new(),
        Some(Value::Object(meta)) => meta.into_iter().collect(),
        Some(_) => return Err(bad(&name, "`meta` must be a JSON object")),
    };
    fields.remove("path");
    Ok(NodeRow { id, parent, name, properties, unknown: fields.into_iter().collect() })
}

fn take_children(fields: &mut Map<String, Value>, at: &str) -> Result<Map<String, Value>, ResourceError> {
    match fields.remove("children") {
        None => Ok(Map::new()),
        Some(Value::Object(children)) => Ok(children),
        Some(_) => Err(bad(at, "`children` must be a JSON object")),
    }
}

fn read_id(id: &Value, at: &str) -> Result<ResourceId, ResourceError> {
    let read = id.as_str().and_then(ResourceId::parse);
    read.ok_or_else(|| bad(at, &format!("`id` must be ten hexadecimal digits, not {id}")))
}

/// The name of a SUT stands in its path.
fn root_name(fields: &Map<String, Value>) -> Result<String, ResourceError> {
    let name = fields.get("path").and_then(|path| path.get(0)).and_then(Value::as_str);
    name.map(str::to_owned).ok_or_else(|| bad("/", "`path` must hold the name of the SUT"))
}

fn bad(at: &str, problem: &str) -> ResourceError {
    ResourceError::BadFile { at: at.to_owned(), problem: problem.to_owned() }
}
