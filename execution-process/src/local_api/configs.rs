//! `get_config`: values of the test's configurations, read here from the files that came with it.

use std::sync::Arc;

use jackfield_config::{Source, test_config::TestConfig};
use jackfield_protocol::error::{ErrorCode, Problem};
use serde_json::Value;

use super::{Desk, params as p, rpc::Failure};
use crate::event::Guest;

pub(super) async fn get(desk: &Desk, guest: &Guest, wanted: p::GetConfig) -> Result<Value, Failure> {
    let test = &guest.order.test;
    let found = test.configs.iter().find(|(name, _)| names(name, &wanted.config));
    let Some((name, hash)) = found else {
        let known: Vec<&str> = test.configs.iter().map(|(name, _)| name.as_ref()).collect();
        let there = if known.is_empty() {
            "none; name it in <ConfigFiles> of the test or its suite".to_owned()
        } else {
            known.join(", ")
        };
        let title = format!("`{}` is no configuration of this test; it has: {there}", wanted.config);
        return Err(Problem::new(ErrorCode::NotFound, title).field("config").into());
    };
    let broken =
        |reason: String| Problem::new(ErrorCode::BadFile, format!("configuration `{name}`: {reason}"));
    let bytes = desk.station.blobs.read(*hash).await.map_err(|error| broken(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| broken(error.to_string()))?;
    let read = TestConfig::read(name, &Arc::new(Source::new(name.as_ref(), text.as_str())));
    let config = read.value.ok_or_else(|| {
        let first = read.problems.first().map(ToString::to_string).unwrap_or_default();
        broken(first)
    })?;
    let path = wanted.path.unwrap_or_default();
    let path = path.trim_matches('/');
    if let Some(value) = iterated(guest, name, path) {
        return Ok(value);
    }
    let mut value = config.params.get(path).map_or(Value::Null, |found| found.to_json());
    overlay(guest, name, path, &mut value);
    Ok(value)
}

/// Whether a test that asks for `wanted` means this configuration: by its name, or by the last part of it.
fn names(name: &str, wanted: &str) -> bool {
    let (name, wanted) = (name.trim_start_matches('/'), wanted.trim_start_matches('/'));
    name == wanted || name.rsplit('/').next() == Some(wanted)
}

/// The value of this copy, where the path is one of its iterators.
fn iterated(guest: &Guest, config: &str, path: &str) -> Option<Value> {
    let values = &guest.order.test.iteration.as_ref()?.values;
    let hit = values
        .iter()
        .find(|value| names(config, &value.config) && place(&value.component, &value.name) == path);
    hit.map(|value| Value::String(value.value.to_string()))
}

/// Puts the values of this copy into a folder that holds iterators.
fn overlay(guest: &Guest, config: &str, folder: &str, value: &mut Value) {
    let Some(iteration) = &guest.order.test.iteration else { return };
    for iterator in iteration.values.iter().filter(|value| names(config, &value.config)) {
        let place = place(&iterator.component, &iterator.name);
        let inside = match folder {
            "" => Some(place.as_str()),
            _ => place.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
        };
        let mut at = &mut *value;
        let mut parts = inside.into_iter().flat_map(|inside| inside.split('/')).peekable();
        while let Some(part) = parts.next() {
            let Some(next) = at.get_mut(part) else { break };
            if parts.peek().is_none() {
                *next = Value::String(iterator.value.to_string());
                break;
            }
            at = next;
        }
    }
}

fn place(component: &str, name: &str) -> String {
    if component.is_empty() { name.to_owned() } else { format!("{component}/{name}") }
}
