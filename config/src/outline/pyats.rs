//! A testbed of pyATS. Each device is a node in one for the testbed, each of its interfaces a node in it, and a link between two interfaces is a
//! link between their nodes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Draft,
    yaml::{Kind, Node},
};
use crate::source::Span;

/// Connections that are taken for that of the device, the best first.
const CONNECTIONS: [&str; 7] = ["cli", "default", "vty", "ssh", "telnet", "console", "a"];
const PROTOCOLS: [&str; 2] = ["ssh", "telnet"];

/// An end of a link: where it is, and which.
type End = (Vec<String>, Span);

pub(super) fn read(draft: &mut Draft, root: &Node) {
    if root.get("devices").is_none() && root.get("topology").is_none() {
        let help = "a testbed has `devices`; say the format if this is another file";
        return draft.problems.error(root.span, "this is no testbed of pyATS", help);
    }
    let bed = root.get("testbed");
    let title =
        bed.and_then(|bed| bed.get("name")).and_then(Node::text).unwrap_or_else(|| "testbed".to_owned());
    let (name, other) = draft.name(&title);
    let at = vec![name];
    let mut properties = BTreeMap::from([("kind".to_owned(), Value::from("testbed"))]);
    properties.extend(other);
    for (key, node) in bed.into_iter().flat_map(Node::fields).filter(|(key, _)| *key != "name") {
        properties.insert(key.to_owned(), node.value());
    }
    draft.add(&at, root.span, properties);
    for (key, node) in root.fields() {
        match key {
            "testbed" | "devices" | "topology" => {}
            "extends" => draft.left_out(node.span, "what `extends` names", "take those files in, too"),
            _ => draft.left_out(node.span, format!("`{key}`"), "no resource says that"),
        }
    }
    for (name, device) in root.get("devices").into_iter().flat_map(Node::fields) {
        let (name, other) = draft.name(name);
        let path = [at.as_slice(), &[name]].concat();
        let mut properties = of_device(draft, device);
        properties.extend(other);
        draft.add(&path, device.span, properties);
    }
    topology(draft, root, &at);
    tell_markup(draft, root);
}

/// What `%ENV{…}` and the like stand for is found out by pyATS when a test begins.
fn tell_markup(draft: &mut Draft, root: &Node) {
    for (span, text) in root.texts() {
        if let Some(at) = text.find('%').filter(|at| text.get(*at..).is_some_and(|rest| rest.contains('{'))) {
            let markup = text.get(at..).unwrap_or_default();
            draft.left_out(
                span,
                format!("what `{markup}` stands for"),
                "the text is taken as it is; set the property to what is meant",
            );
        }
    }
}

fn of_device(draft: &mut Draft, device: &Node) -> BTreeMap<String, Value> {
    let mut properties = BTreeMap::new();
    for (key, node) in device.fields().filter(|(_, node)| !node.is_nothing()) {
        let key = if key == "type" { "kind" } else { key };
        properties.insert(key.to_owned(), node.value());
    }
    properties.entry("kind".to_owned()).or_insert_with(|| Value::from("device"));
    let connections = device.get("connections");
    let named = CONNECTIONS.iter().find_map(|name| connections?.get(name));
    let first = || {
        connections?.fields().find(|(name, node)| *name != "defaults" && node.is_map()).map(|(_, node)| node)
    };
    if let Some(connection) = named.or_else(first) {
        way_in(draft, connection, &mut properties);
    }
    let login = device.get("credentials").and_then(|all| all.get("default"));
    for (from, to) in [("username", "user"), ("password", "password")] {
        if let Some(value) = login.and_then(|login| login.get(from)).and_then(Node::text) {
            properties.entry(to.to_owned()).or_insert_with(|| Value::from(value));
        }
    }
    properties
}

/// How the device is reached, in the words of a session.
fn way_in(draft: &mut Draft, connection: &Node, properties: &mut BTreeMap<String, Value>) {
    for (from, to) in [("ip", "host"), ("host", "host"), ("port", "port")] {
        if let Some(node) = connection.get(from).filter(|node| node.text().is_some()) {
            properties.entry(to.to_owned()).or_insert_with(|| node.value());
        }
    }
    let Some(protocol) = connection.get("protocol") else { return };
    match protocol.text() {
        Some(text) if PROTOCOLS.contains(&text.as_str()) => {
            drop(properties.insert("protocol".to_owned(), Value::from(text)))
        }
        Some(text) => draft.left_out(
            protocol.span,
            format!("the protocol `{text}`"),
            "sessions speak ssh, telnet and serial lines",
        ),
        None => {}
    }
}

fn topology(draft: &mut Draft, root: &Node, at: &[String]) {
    let mut links: BTreeMap<String, Vec<End>> = BTreeMap::new();
    for (device, node) in root.get("topology").into_iter().flat_map(Node::fields) {
        if device == "links" {
            continue;
        }
        let (device_name, other) = draft.name(device);
        let around = [at, &[device_name]].concat();
        if !draft.has(&around) {
            let message = format!("the topology has a device `{device}`, which is not among the devices");
            draft.problems.warn(node.span, message, "name it there");
            let mut properties = BTreeMap::from([("kind".to_owned(), Value::from("device"))]);
            properties.extend(other);
            draft.add(&around, node.span, properties);
        }
        for (name, interface) in node.get("interfaces").into_iter().flat_map(Node::fields) {
            let (short, other) = draft.name(name);
            let path = [around.as_slice(), &[short]].concat();
            let mut properties = BTreeMap::from([("kind".to_owned(), Value::from("interface"))]);
            properties.extend(other);
            for (key, node) in interface.fields().filter(|(key, _)| *key != "link") {
                properties
                    .insert(if key == "type" { "medium".to_owned() } else { key.to_owned() }, node.value());
            }
            draft.add(&path, interface.span, properties);
            if let Some(link) = interface.get("link") {
                match (&link.kind, link.text()) {
                    (Kind::Scalar(_), Some(name)) => links.entry(name).or_default().push((path, link.span)),
                    (Kind::Scalar(_) | Kind::List(_) | Kind::Map(_), _) => {
                        draft.left_out(link.span, "this link", "a link has a name");
                    }
                }
            }
        }
    }
    let said = root.get("topology").and_then(|topology| topology.get("links"));
    for (name, ends) in links {
        join(draft, &name, &ends, said.and_then(|links| links.get(&name)));
    }
}

/// The ends of a link name each other; what the file says of the link itself stands at the first.
fn join(draft: &mut Draft, name: &str, ends: &[End], said: Option<&Node>) {
    let path_of = |(path, _): &End| Value::from(format!("/{}", path.join("/")));
    if let [(_, span)] = ends {
        draft.problems.warn(
            *span,
            format!("the link `{name}` has one end"),
            "name it at the other interface, too",
        );
    }
    for (path, span) in ends {
        // Each end names all others: of one that very many share, that is soon too much.
        if !draft.holds(*span, 0) {
            return;
        }
        draft.put(path, *span, "link_name", Value::from(name));
        let others: Vec<_> =
            ends.iter().filter(|(other, at)| other != path || at != span).map(path_of).collect();
        match others.as_slice() {
            [] => {}
            [one] => draft.put(path, *span, "link", one.clone()),
            _ => draft.put(path, *span, "links", Value::Array(others)),
        }
    }
    if let (Some(said), Some((path, span))) = (said.filter(|said| said.is_map()), ends.first()) {
        draft.put(path, *span, "link_details", said.value());
    }
}
