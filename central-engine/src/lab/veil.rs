//! Secrets of devices as stars, for those who may look at the lab and neither use nor edit it.
//!
//! A secret is told by the name of its property, as the pages tell it; a password may also stand in an address. What is below a property with
//! such a name is a secret as a whole.

use std::collections::BTreeMap;

use jackfield_protocol::secret::names_a_secret;
use serde_json::Value;

use crate::auth::{Caller, Role};

/// What stands in a secret's place.
pub(crate) const STARS: &str = "******";
/// Whether somebody may see the secrets of devices: who may start a test on one can have it say them.
pub(crate) fn may_see(caller: &Caller) -> bool {
    [Role::RunTests, Role::ChangeTestbed, Role::ChangeSut].into_iter().any(|role| caller.may(role))
}

/// One property, with its secrets as stars.
pub(crate) fn property(name: &str, value: &mut Value) {
    if names_a_secret(name) {
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
            if let Some(covered) = covered(text) {
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

/// A text without the secrets that it shows by its form: a password or a named secret in an address, a private key; none where it holds none.
fn covered(text: &str) -> Option<String> {
    if text.contains("PRIVATE KEY-----") {
        return Some(STARS.to_owned());
    }
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let person =
        authority.rsplit_once('@').and_then(|(person, host)| Some((person.split_once(':')?.0, host)));
    let shown = person.map_or_else(|| authority.to_owned(), |(user, host)| format!("{user}:{STARS}@{host}"));
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut text_shown = format!("{scheme}://{shown}{path}");
    for (number, field) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        text_shown.push(if number == 0 { '?' } else { '&' });
        match field.split_once('=') {
            Some((name, _)) if names_a_secret(name) => text_shown.push_str(&format!("{name}={STARS}")),
            _ => text_shown.push_str(field),
        }
    }
    (text_shown != text).then_some(text_shown)
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
            "otp_address": "otpauth://totp/lab:r1?secret=:P@&issuer=lab", "identity": "-----BEGIN OPENSSH PRIVATE KEY-----\n:P@\n",
            "pdu": {"snmp": {"conf": ["defAuthPassphrase :P@"]}, "get": "http://pdu.lab/set?outlet=1&apikey=:P@"},
        });
        inside(&mut meta);
        let shown = meta.to_string();
        assert!(!shown.contains("\"P\"") && !shown.contains(":P@") && !shown.contains(":5"), "{shown}");
        assert_eq!(meta["power"]["http"], json!("http://admin:******@pdu.lab/outlet?x=1"));
        assert_eq!(meta["pdu"]["get"], json!("http://pdu.lab/set?outlet=1&apikey=******"));
        assert_eq!(meta["otp_address"], json!("otpauth://totp/lab:r1?secret=******&issuer=lab"));
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
