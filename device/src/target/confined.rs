//! What a test may not say of a device by itself, where it runs as another user than the program that connects.
//!
//! That program opens files with its own rights: keys, lists of known hosts, the socket of an agent, terminals. A resource may name them, because
//! the lab wrote it; a test could name what is not its own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::reader::is_yes;

/// Names of properties that say where a device is, or what is passed on the way to it.
const WHERE: [&str; 5] = ["host", "ip", "address", "hostname", "jump"];

/// Whether what a test says by itself leads to another host than the one that a resource names: what proves who we are there is the lab's to
/// say, too.
pub fn says_where(properties: &BTreeMap<String, Value>) -> bool {
    properties.keys().any(|name| WHERE.contains(&name.to_lowercase().as_str()))
}

/// The first property that would have a file of this machine opened, in words; none where there is none.
pub fn foreign_file(properties: &BTreeMap<String, Value>) -> Option<String> {
    properties.iter().find_map(|(name, value)| of_property(name, value))
}

fn of_property(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => of_text(name, text.trim()),
        // Whoever reads it takes these for texts: 1 is as good as yes.
        Value::Bool(_) | Value::Number(_) => of_text(name, &value.to_string()),
        Value::Array(all) => all.iter().find_map(|value| of_property(name, value)),
        Value::Object(inner) => inner.iter().find_map(|(name, value)| of_property(name, value)),
    }
}

const OWN_AGENT: &str = "a test that runs as another user than its EP may not use the EP's agent: write `agent` into the resource";

fn of_text(name: &str, text: &str) -> Option<String> {
    let property = name.to_lowercase();
    if property == "agent" && is_yes(text) {
        return Some(OWN_AGENT.to_owned());
    }
    let or_itself = if property.starts_with("key") { ", or the key itself" } else { "" };
    let told = format!(
        "a test that runs as another user than its EP may not name the file `{text}` as `{name}`: write it into the resource{or_itself}"
    );
    is_file(&property, text).then_some(told)
}

/// Whether a property, by one of the names that `properties.rs` reads, says a file that would be opened.
fn is_file(name: &str, text: &str) -> bool {
    match name {
        "key" | "key_file" => !text.starts_with("-----BEGIN"),
        "agent" => text.contains('/'),
        "device" | "tty" => !is_serial_line(text),
        "known_hosts" => true,
        _ => false,
    }
}

/// Whether a path is that of a serial line, and not of somebody's terminal.
fn is_serial_line(path: &str) -> bool {
    if path.split('/').any(|part| part == "..") {
        return false;
    }
    path.starts_with("/dev/serial/")
        || path
            .strip_prefix("/dev/tty")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_of_this_machine_are_found_wherever_they_are_named() {
        let found = |value: Value| {
            let Value::Object(properties) = value else { panic!("no object") };
            foreign_file(&properties.into_iter().collect())
        };
        for bad in [
            json!({"known_hosts": "/root/.ssh/authorized_keys"}),
            json!({"Key": "/etc/jackfield/ep.toml"}),
            json!({"key_file": "id"}),
            json!({"agent": "/tmp/ssh-x/agent.1"}),
            json!({"Agent": true}),
            json!({"agent": "yes", "host": "h"}),
            json!({"agent": 1}),
            json!({"key_file": 1}),
            json!({"jump": [{"host": "h", "agent": true}]}),
            json!({"device": "/dev/pts/3"}),
            json!({"device": "/dev/ttyS0/../pts/3"}),
            json!({"device": "/tmp/link"}),
            json!({"protocol": "serial", "tty": "/dev/pts/3"}),
            json!({"jump": [{"host": "h", "KEY": "/x"}]}),
            json!({"jump": {"host": "h", "jump": {"known_hosts": "/x"}}}),
        ] {
            assert!(found(bad.clone()).is_some(), "{bad}");
        }
        for good in [
            json!({"key": "-----BEGIN OPENSSH PRIVATE KEY-----\n"}),
            json!({"agent": "false", "host": "h", "jump": "user@gate"}),
            json!({"agent": false, "port": 22, "known_hosts": null}),
            json!({"device": "/dev/ttyUSB0"}),
            json!({"tty": "/dev/ttyS0"}),
            json!({"device": "/dev/serial/by-id/usb-x"}),
        ] {
            assert_eq!(found(good.clone()), None, "{good}");
        }
    }
}
