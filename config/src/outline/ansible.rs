//! An inventory of Ansible as YAML. A host is a node; its groups are the list `groups`, and what groups say of it is its property unless it says
//! otherwise itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Draft, draft::bytes_of, yaml::Node};
use crate::source::Span;

/// Groups inside of groups.
const DEPTH_MAX: usize = 32;
/// Hosts that one name may mean.
const HOSTS_MAX: usize = 10_000;
/// Digits of a number in such a name.
const DIGITS_MAX: usize = 10;

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
                for (host, said) in part.fields() {
                    let vars = said.fields().map(|(key, node)| (key.to_owned(), node.value())).collect();
                    add_hosts(draft, groups, name, host, (said.span, vars));
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

/// The hosts that a name means, each with what is said of it.
pub(super) fn add_hosts(
    draft: &mut Draft,
    groups: &mut Groups,
    group: &str,
    name: &str,
    (span, vars): (Span, Vec<(String, Value)>),
) {
    let Some(names) = each(name) else {
        let message = format!("`{name}` means no host, or more than {HOSTS_MAX}");
        return draft.problems.error(span, message, "write a range as [01:20], and many hosts as several");
    };
    let bytes = bytes_of(vars.iter().map(|(key, value)| (key, value)));
    if !draft.holds(span, bytes.saturating_mul(names.len())) {
        return;
    }
    let hosts = &mut groups.entry(group.to_owned()).or_default().hosts;
    for host in names {
        hosts.entry(host).or_insert_with(|| (span, BTreeMap::new())).1.extend(vars.iter().cloned());
    }
}

/// `web[01:03]` is three hosts, and so is `db-[a:c]`; none where it means no host, or too many.
fn each(host: &str) -> Option<Vec<String>> {
    let mut names = vec![String::new()];
    let mut rest = host;
    while let Some((before, items, after)) = range(rest) {
        if items.is_empty() || items.len().saturating_mul(names.len()) > HOSTS_MAX {
            return None;
        }
        let with =
            |name: &String| items.iter().map(|item| format!("{name}{before}{item}")).collect::<Vec<_>>();
        names = names.iter().flat_map(with).collect();
        rest = after;
    }
    names.iter_mut().for_each(|name| name.push_str(rest));
    Some(names)
}

/// The first range in a name: what stands before it, what it means, and what stands behind it.
fn range(host: &str) -> Option<(&str, Vec<String>, &str)> {
    let (before, rest) = host.split_once('[')?;
    let (range, after) = rest.split_once(']')?;
    let mut words = range.split(':');
    let (from, to) = (words.next()?, words.next()?);
    let step = words.next().and_then(|step| step.parse::<usize>().ok()).unwrap_or(1).max(1);
    let items = match (from.parse::<u32>(), to.parse::<u32>()) {
        (Ok(first), Ok(last)) if from.len() <= DIGITS_MAX => {
            let wide = if from.starts_with('0') { from.len() } else { 0 };
            // One more than a name may mean tells that there are more.
            let numbers = (first..=last).step_by(step).take(HOSTS_MAX.saturating_add(1));
            numbers.map(|number| format!("{number:0wide$}")).collect()
        }
        _ => {
            let letter = |text: &str| text.chars().next().filter(|_| text.len() == 1);
            (letter(from)?..=letter(to)?).step_by(step).map(String::from).collect()
        }
    };
    Some((before, items, after))
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
        // What a group says of many is said of each.
        if !draft.holds(span, 0) {
            return;
        }
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
        properties.extend(other);
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
