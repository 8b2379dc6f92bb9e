//! Secrets of devices as stars, for those who may look at the lab and neither use nor edit it.
//!
//! A secret is told by the name of its property, as the pages tell it; a password may also stand in an address. What is below a property with
//! such a name is a secret as a whole.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::auth::{Caller, Role};

/// What stands in a secret's place.
pub(crate) const STARS: &str = "******";
/// Parts of names of properties that hold secrets.
const PARTS: [&str; 9] =
    ["passw", "passphrase", "pwd", "secret", "token", "community", "private", "credential", "apikey"];
/// Ends of such names.
const ENDS: [&str; 2] = ["enable", "key"];
/// Names that end so and are no secrets.
const OPEN: [&str; 4] = ["public_key", "host_key", "publickey", "hostkey"];

/// Whether somebody may see the secrets of devices: who may start a test on one can have it say them.
pub(crate) fn may_see(caller: &Caller) -> bool {
    [Role::RunTests, Role::ChangeTestbed, Role::ChangeSut].into_iter().any(|role| caller.may(role))
}

/// Whether a property of this name holds a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let ends = ENDS.iter().any(|end| name.ends_with(end)) && !OPEN.iter().any(|open| name.ends_with(open));
    ends || PARTS.iter().any(|part| name.contains(part))
}

/// One property, with its secrets as stars.
pub(crate) fn property(name: &str, value: &mut Value) {
    if is_secret(name) {
        cover(value);
    } else {
        inside(value);
    }
}

/// All properties of a node.
pub(crate) fn properties(all: &mut BTreeMap<String, Value>) {
    all.iter_mut().for_each(|(name, value)| property(name, value));
}

/// A SUT, or a node, in the shape of its file: names of nodes are no names of properties.
pub(crate) fn node(value: &mut Value) {
    if let Some(meta) = value.get_mut("meta") {
        inside(meta);
    }
    if let Some(children) = value.get_mut("children") {
        let children: Vec<&mut Value> = match children {
            Value::Object(by_name) => by_name.values_mut().collect(),
            Value::Array(list) => list.iter_mut().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        children.into_iter().for_each(node);
    }
}

fn inside(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| property(name, value)),
        Value::Array(items) => items.iter_mut().for_each(inside),
        Value::String(text) => {
            if let Some(covered) = in_address(text) {
                *text = covered;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn cover(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(_) | Value::String(_) => *value = Value::from(STARS),
        Value::Array(items) => items.iter_mut().for_each(cover),
        Value::Object(fields) => fields.values_mut().for_each(cover),
    }
}

/// `http://user:password@host` without the password; none where there is none.
fn in_address(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let (person, host) = authority.rsplit_once('@')?;
    let (user, _) = person.split_once(':')?;
    Some(format!("{scheme}://{user}:{STARS}@{host}{path}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_told_by_their_names_at_any_depth() {
        let mut meta = json!({
            "host": "10.0.0.1", "password": "P", "Enable_Password": "P", "enable": "P", "passphrase": "P", "private_key": "P", "totp-secret": "P",
            "public_key": "open", "port": 23, "api_token": 5, "jump": [{"host": "h", "passwd": "P"}], "login": {"passwords": ["P", "P"]},
            "power": {"snmp": {"community": "P", "outlet": 1}, "http": "http://admin:P@pdu.lab/outlet?x=1", "shelly": "http://10.0.0.2/"},
            "key": "P", "monkey_bars": true, "host_key": "open",
        });
        inside(&mut meta);
        let shown = meta.to_string();
        assert!(!shown.contains("\"P\"") && !shown.contains(":P@") && !shown.contains(":5"), "{shown}");
        assert_eq!(meta["power"]["http"], json!("http://admin:******@pdu.lab/outlet?x=1"));
        assert_eq!(meta["power"]["shelly"], json!("http://10.0.0.2/"));
        for (name, open) in [
            ("host", json!("10.0.0.1")),
            ("public_key", json!("open")),
            ("host_key", json!("open")),
            ("port", json!(23)),
        ] {
            assert_eq!(meta[name], open, "{name}");
        }
    }

    #[test]
    fn names_of_nodes_are_no_names_of_properties() {
        let mut sut = json!({"meta": {"password": "P"}, "children": {"private": {"meta": {"ip": "10.0.0.1", "passwd": "P"}, "children": {}}}});
        node(&mut sut);
        assert_eq!(
            sut,
            json!({"meta": {"password": STARS}, "children": {"private": {"meta": {"ip": "10.0.0.1", "passwd": STARS}, "children": {}}}})
        );
    }
}
