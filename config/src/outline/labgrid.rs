//! labgrid's environments (targets with resources and drivers) and exporters (groups with resources). A target or group is a node, each resource
//! one in it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Draft,
    yaml::{Kind, Node},
};

/// What labgrid calls otherwise, of resources that are a way to a device.
const WAYS: [(&str, &[(&str, &str)]); 4] = [
    (
        "NetworkService",
        &[("address", "host"), ("username", "user"), ("password", "password"), ("port", "port")],
    ),
    ("NetworkSerialPort", &[("host", "host"), ("port", "port"), ("speed", "speed")]),
    ("RawNetworkInterface", &[("ifname", "interface")]),
    ("RawSerialPort", &[("port", "serial"), ("speed", "speed")]),
];

pub(super) fn read(draft: &mut Draft, root: &Node) {
    let Some(targets) = root.get("targets") else { return exporter(draft, root) };
    for (key, node) in root.fields() {
        match key {
            "targets" => {}
            "imports" | "tools" | "paths" | "images" | "options" | "crossbar_url" | "coordinator_address" => {
                draft.left_out(node.span, format!("`{key}`"), "that is between labgrid and its machine");
            }
            _ => draft.left_out(node.span, format!("`{key}`"), "no resource says that"),
        }
    }
    for (name, target) in targets.fields() {
        let (short, other) = draft.name(name);
        let path = vec![short];
        let mut properties = BTreeMap::from([("kind".to_owned(), Value::from("target"))]);
        properties.extend(other);
        for (key, node) in target.fields() {
            match key {
                "resources" => {}
                "features" => drop(properties.insert(
                    "tags".to_owned(),
                    Value::Array(node.items().iter().map(|item| item.value()).collect()),
                )),
                "options" => drop(properties.insert(key.to_owned(), node.value())),
                "drivers" => {
                    let names: Vec<_> = drivers(node);
                    let what = format!("what the drivers of `{name}` do ({})", names.join(", "));
                    draft.left_out(
                        node.span,
                        what,
                        "how a device is spoken to is said by its properties and its profile",
                    );
                }
                _ => draft.left_out(node.span, format!("`{key}` of `{name}`"), "no resource says that"),
            }
        }
        draft.add(&path, target.span, properties);
        if let Some(resources) = target.get("resources") {
            each_resource(draft, &path, resources);
        }
    }
}

fn drivers(node: &Node) -> Vec<String> {
    let of = |node: &Node| node.fields().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    match &node.kind {
        Kind::List(items) => items.iter().flat_map(of).collect(),
        Kind::Map(_) | Kind::Scalar(_) => of(node),
    }
}

fn each_resource(draft: &mut Draft, around: &[String], resources: &Node) {
    let maps = match &resources.kind {
        Kind::List(items) => items.iter().collect(),
        Kind::Map(_) | Kind::Scalar(_) => vec![resources],
    };
    for (name, resource) in maps.into_iter().flat_map(Node::fields) {
        one(draft, around, name, resource);
    }
}

/// An exporter: groups of resources, each with a class of its own or by the name of its class.
fn exporter(draft: &mut Draft, root: &Node) {
    if !root.fields().any(|(_, group)| group.is_map()) {
        let help = "an environment has `targets`, an exporter groups of resources";
        return draft.problems.error(root.span, "this is nothing of labgrid", help);
    }
    for (name, group) in root.fields() {
        let (short, other) = draft.name(name);
        let path = vec![short];
        let mut properties = BTreeMap::from([("kind".to_owned(), Value::from("group"))]);
        properties.extend(other);
        for (key, node) in group.fields().filter(|(_, node)| !node.is_map() && !node.is_nothing()) {
            properties.insert(key.to_owned(), node.value());
        }
        draft.add(&path, group.span, properties);
        for (name, resource) in group.fields().filter(|(_, node)| node.is_map() || node.is_nothing()) {
            one(draft, &path, name, resource);
        }
    }
}

fn one(draft: &mut Draft, around: &[String], name: &str, resource: &Node) {
    let class = resource.get("cls").and_then(Node::text).unwrap_or_else(|| name.to_owned());
    let title = resource.get("name").and_then(Node::text).unwrap_or_else(|| name.to_owned());
    let (short, other) = draft.name(&title);
    let path = draft.free(around, &short);
    let mut properties = BTreeMap::from([("kind".to_owned(), Value::from(class.clone()))]);
    properties.extend(other);
    let words = WAYS.iter().find(|(way, _)| *way == class).map_or(&[][..], |(_, words)| words);
    for (key, node) in resource.fields().filter(|(key, _)| !matches!(*key, "cls" | "name")) {
        let ours = words.iter().find(|(theirs, _)| *theirs == key).map_or(key, |(_, ours)| ours);
        properties.insert(ours.to_owned(), node.value());
    }
    for (span, text) in resource.texts() {
        if text.contains("${") || text.contains("{{") {
            draft.left_out(span, format!("what `{text}` stands for"), "the text is taken as it is");
        }
    }
    draft.add(&path, resource.span, properties);
}
