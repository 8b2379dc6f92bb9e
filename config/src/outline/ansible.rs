//! An inventory of Ansible as YAML. A host is a node; its groups are the list `groups`, and what groups say of it is its property unless it says
//! otherwise itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Draft, yaml::Node};
use crate::source::Span;

/// Groups inside of groups.
const DEPTH_MAX: usize = 32;

/// A group as it is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) vars: BTreeMap<String, Value>,
    pub(super) hosts: BTreeMap<String, (Span, BTreeMap<String, Value>)>,
    pub(super) children: BTreeSet<String>,
}

/// All groups, by name; `all` is around those that are in no other.
pub(super) type Groups = BTreeMap<String, Group>;

pub(super) fn read(draft: &mut Draft, root: &Node) {
    let mut groups = Groups::new();
    for (name, node) in root.fields() {
        group(draft, &mut groups, name, node, 0);
    }
    finish(draft, &groups);
}

fn group(draft: &mut Draft, groups: &mut Groups, name: &str, node: &Node, depth: usize) {
    if depth > DEPTH_MAX {
        let message = format!("there are more than {DEPTH_MAX} groups inside of each other");
        return draft.problems.error(node.span, message, "make it simpler");
    }
    groups.entry(name.to_owned()).or_default();
    for (key, part) in node.fields() {
        match key {
            "vars" => {
                let vars =
                    part.fields().map(|(key, node)| (key.to_owned(), node.value())).collect::<Vec<_>>();
                groups.entry(name.to_owned()).or_default().vars.extend(vars);
            }
            "hosts" => {
                for (host, vars) in part.fields() {
                    let vars: Vec<_> =
                        vars.fields().map(|(key, node)| (key.to_owned(), node.value())).collect();
                    for host in each(host) {
                        add_host(groups, name, &host, (part.span, vars.clone()));
                    }
                }
            }
            "children" => {
                for (child, node) in part.fields() {
                    groups.entry(name.to_owned()).or_default().children.insert(child.to_owned());
                    group(draft, groups, child, node, depth.saturating_add(1));
                }
            }
            _ => {
                let what = format!("`{key}` of the group `{name}`");
                draft.left_out(part.span, what, "a group has hosts, children and vars");
            }
        }
    }
}

pub(super) fn add_host(
    groups: &mut Groups,
    group: &str,
    host: &str,
    (span, vars): (Span, Vec<(String, Value)>),
) {
    let hosts = &mut groups.entry(group.to_owned()).or_default().hosts;
    hosts.entry(host.to_owned()).or_insert_with(|| (span, BTreeMap::new())).1.extend(vars);
}

/// `web[01:03]` is three hosts, and so is `db-[a:c]`.
pub(super) fn each(host: &str) -> Vec<String> {
    /// Hosts that one line may mean.
    const MOST: u32 = 10_000;
    let parts = host.split_once('[').and_then(|(before, rest)| Some((before, rest.split_once(']')?)));
    let Some((before, (range, after))) = parts else { return vec![host.to_owned()] };
    let mut words = range.split(':');
    let (Some(from), Some(to), step) = (words.next(), words.next(), words.next()) else {
        return vec![host.to_owned()];
    };
    let step = step.and_then(|step| step.parse().ok()).unwrap_or(1).max(1);
    let names: Vec<String> = match (from.parse::<u32>(), to.parse::<u32>()) {
        (Ok(first), Ok(last)) if last.saturating_sub(first) < MOST => {
            let wide = if from.starts_with('0') { from.len() } else { 0 };
            let numbers = (first..=last).step_by(step);
            numbers.map(|number| format!("{before}{number:0wide$}{after}")).collect()
        }
        _ => match (from.chars().next(), to.chars().next()) {
            (Some(first), Some(last)) if from.len() == 1 && to.len() == 1 => {
                (first..=last).step_by(step).map(|letter| format!("{before}{letter}{after}")).collect()
            }
            _ => return vec![host.to_owned()],
        },
    };
    names.into_iter().flat_map(|name| each(&name)).collect()
}

/// The words of a session for Ansible's.
const WORDS: [(&str, &str); 8] = [
    ("ansible_host", "host"),
    ("ansible_ssh_host", "host"),
    ("ansible_port", "port"),
    ("ansible_ssh_port", "port"),
    ("ansible_user", "user"),
    ("ansible_ssh_user", "user"),
    ("ansible_password", "password"),
    ("ansible_ssh_pass", "password"),
];

/// Where a host is first named, what it says of itself, and the groups that name it.
type Host<'g> = (Span, BTreeMap<String, Value>, BTreeSet<&'g str>);

/// Hosts with what all of their groups say, the nearest last.
pub(super) fn finish(draft: &mut Draft, groups: &Groups) {
    if groups.values().all(|group| group.hosts.is_empty()) {
        draft.problems.error(
            Span::new(0, 0),
            "no host is in this inventory",
            "say the format if this is another file",
        );
    }
    let mut above: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, group) in groups {
        for child in &group.children {
            above.entry(child).or_default().insert(name);
        }
    }
    let mut hosts: BTreeMap<&str, Host<'_>> = BTreeMap::new();
    for (name, group) in groups {
        for (host, (span, vars)) in &group.hosts {
            let (_, own, of) = hosts.entry(host).or_insert_with(|| (*span, BTreeMap::new(), BTreeSet::new()));
            own.extend(vars.clone());
            of.insert(name);
        }
    }
    for (host, (span, own, of)) in hosts {
        let order = outermost_first(&of, &above);
        let mut vars = BTreeMap::new();
        let all = groups.get("all").filter(|_| !order.contains(&"all")).into_iter();
        for group in all.chain(order.iter().filter_map(|name| groups.get(*name))) {
            vars.extend(group.vars.clone());
        }
        vars.extend(own);
        let mut properties: BTreeMap<String, Value> = BTreeMap::new();
        for (key, value) in vars {
            if value.as_str().is_some_and(|text| text.contains("{{")) {
                let what = format!("what `{key}` of `{host}` stands for");
                draft.left_out(span, what, "the text is taken as it is; set the property to what is meant");
            }
            let ours = WORDS.iter().find(|(theirs, _)| *theirs == key).map_or(key.as_str(), |(_, ours)| ours);
            properties.insert(ours.to_owned(), value);
        }
        let named: Vec<_> = order
            .iter()
            .filter(|name| !matches!(**name, "all" | "ungrouped"))
            .map(|name| Value::from(*name))
            .collect();
        if !named.is_empty() {
            properties.insert("groups".to_owned(), Value::Array(named));
        }
        let (short, other) = draft.name(host);
        properties.extend(other.map(|name| ("name".to_owned(), Value::from(name))));
        draft.add(&[short], span, properties);
    }
    tell_lonely(draft, groups);
}

/// All groups that a host is in, those around others first.
fn outermost_first<'g>(of: &BTreeSet<&'g str>, above: &BTreeMap<&'g str, BTreeSet<&'g str>>) -> Vec<&'g str> {
    let mut depth: BTreeMap<&str, usize> = of.iter().map(|name| (*name, 0)).collect();
    let mut open: Vec<(&str, usize)> = of.iter().map(|name| (*name, 0)).collect();
    while let Some((name, far)) = open.pop() {
        for around in above.get(name).into_iter().flatten().filter(|_| far < DEPTH_MAX) {
            let known = depth.entry(around).or_default();
            if *known < far.saturating_add(1) {
                *known = far.saturating_add(1);
                open.push((around, *known));
            }
        }
    }
    let mut order: Vec<_> = depth.into_iter().collect();
    order.sort_by(|(one, near), (other, far)| far.cmp(near).then(one.cmp(other)));
    order.into_iter().map(|(name, _)| name).collect()
}

/// What groups say that no host is in.
fn tell_lonely(draft: &mut Draft, groups: &Groups) {
    for (name, group) in groups {
        let has_hosts = |group: &Group| !group.hosts.is_empty() || !group.children.is_empty();
        if !has_hosts(group) && !group.vars.is_empty() && name != "all" {
            draft.left_out(Span::new(0, 0), format!("the group `{name}`"), "no host is in it");
        }
    }
}
