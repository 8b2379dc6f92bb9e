//! An inventory of Ansible in its older form: groups in brackets, a host a line.

use std::sync::Arc;

use jackfield_resource_allocator::plan::Outline;
use serde_json::Value;

use super::{
    Draft,
    ansible::{Groups, add_hosts, finish},
};
use crate::{
    problem::Read,
    source::{Source, Span},
};

/// What a section is about.
#[derive(Clone, Copy)]
enum About {
    Hosts,
    Children,
    Vars,
}

/// Whether a text is such a file and no YAML.
pub(super) fn is_one(text: &str) -> bool {
    let mut lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    lines.next().is_some_and(|line| {
        let is_section = line.starts_with('[') && line.ends_with(']');
        let is_yaml = line == "---" || line.ends_with(':') || line.contains(": ");
        is_section || !is_yaml
    })
}

pub(super) fn read(source: &Arc<Source>) -> Read<Outline> {
    let mut draft = Draft::new(source);
    let mut groups = Groups::new();
    let (mut group, mut about) = ("ungrouped".to_owned(), About::Hosts);
    let mut at = 0_usize;
    for line in source.text().split_inclusive('\n') {
        let span = Span::new(at, at);
        at = at.saturating_add(line.len());
        let line = line.trim().trim_start_matches('\u{feff}');
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) =
            line.strip_prefix('[').and_then(|line| line.split_once(']')).map(|(section, _)| section)
        {
            let (name, kind) = section.split_once(':').unwrap_or((section, "hosts"));
            about = match kind {
                "hosts" => About::Hosts,
                "children" => About::Children,
                "vars" => About::Vars,
                _ => {
                    let message = format!("`{kind}` is no kind of section");
                    draft.problems.error(span, message, "write [group], [group:children] or [group:vars]");
                    About::Hosts
                }
            };
            group = name.trim().to_owned();
            groups.entry(group.clone()).or_default();
            continue;
        }
        match about {
            About::Hosts => host(&mut draft, &mut groups, &group, span, line),
            About::Children => {
                let child = line.split(['#', ' ']).next().unwrap_or_default().to_owned();
                groups.entry(child.clone()).or_default();
                groups.entry(group.clone()).or_default().children.insert(child);
            }
            About::Vars => match line.split_once('=') {
                Some((key, value)) => {
                    let value = value_of(value.trim());
                    groups.entry(group.clone()).or_default().vars.insert(key.trim().to_owned(), value);
                }
                None => draft.problems.error(span, format!("`{line}` says nothing"), "write KEY=VALUE"),
            },
        }
    }
    finish(&mut draft, &groups);
    draft.finish()
}

fn host(draft: &mut Draft, groups: &mut Groups, group: &str, span: Span, line: &str) {
    let Some(words) = words(line) else {
        return draft.problems.error(span, "a quoted value does not end", "close it");
    };
    let mut words = words.into_iter();
    let Some(name) = words.next() else { return };
    let mut vars = Vec::new();
    for word in words {
        match word.split_once('=') {
            Some((key, value)) => vars.push((key.to_owned(), value_of(value))),
            None => draft.problems.error(
                span,
                format!("`{word}` says nothing"),
                "write KEY=VALUE behind the host",
            ),
        }
    }
    // A port may stand right behind the name.
    let is_name = |host: &str| host.ends_with(']') || !host.contains(':');
    let (name, port) = match name.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() && is_name(host) => {
            (host.to_owned(), Some(port.to_owned()))
        }
        _ => (name, None),
    };
    if let Some(port) = port {
        vars.insert(0, ("ansible_port".to_owned(), value_of(&port)));
    }
    add_hosts(draft, groups, group, &name, (span, vars));
}

/// Words of a line, with what is quoted in one; none where a quote does not end.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '#') if word.is_empty() => break,
            (None, letter) if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (_, letter) => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    quote.is_none().then_some(words)
}

/// As Ansible reads it: a number is one, the rest is text.
fn value_of(text: &str) -> Value {
    match text {
        "true" | "True" => Value::Bool(true),
        "false" | "False" => Value::Bool(false),
        text => {
            let number = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
            number.map_or_else(|| Value::from(text), Value::from)
        }
    }
}
