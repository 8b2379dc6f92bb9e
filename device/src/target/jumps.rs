//! Jump hosts that are named by their resources: whoever can ask the tree of resources fills them in before the target is read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The resources among the jump hosts of some properties, by their paths.
pub fn jump_resources(properties: &BTreeMap<String, Value>) -> Vec<String> {
    let is_path =
        |hop: &Value| hop.as_str().map(str::trim).filter(|text| text.starts_with('/')).map(str::to_owned);
    hops(properties).iter().filter_map(is_path).collect()
}

/// Puts what was found in the place of each path.
pub fn put_jump_resources(
    properties: &mut BTreeMap<String, Value>,
    found: &BTreeMap<String, BTreeMap<String, Value>>,
) {
    if found.is_empty() {
        return;
    }
    let mut hops = hops(properties);
    for hop in &mut hops {
        if let Some(of_resource) = hop.as_str().and_then(|path| found.get(path.trim())) {
            *hop = json!(of_resource);
        }
    }
    properties.retain(|name, _| !name.eq_ignore_ascii_case("jump"));
    properties.insert("jump".to_owned(), Value::Array(hops));
}

fn hops(properties: &BTreeMap<String, Value>) -> Vec<Value> {
    match properties.iter().find(|(name, _)| name.eq_ignore_ascii_case("jump")).map(|(_, value)| value) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(hops)) => hops.clone(),
        Some(Value::String(hops)) => hops.split(',').map(|hop| json!(hop.trim())).collect(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_))) => vec![other.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(value: Value) -> BTreeMap<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn paths_give_way_to_what_stands_there() {
        let mut device = properties(json!({"host": "h", "Jump": "outer:2222, /lab/gate"}));
        assert_eq!(jump_resources(&device), ["/lab/gate"]);
        let found = BTreeMap::from([("/lab/gate".to_owned(), properties(json!({"host": "g", "port": 22})))]);
        put_jump_resources(&mut device, &found);
        let expected = json!({"host": "h", "jump": ["outer:2222", {"host": "g", "port": 22}]});
        assert_eq!(device, properties(expected));
        assert!(jump_resources(&properties(json!({"jump": ["gate", {"host": "/no"}]}))).is_empty());
        assert!(jump_resources(&properties(json!({"host": "h"}))).is_empty());
    }
}
