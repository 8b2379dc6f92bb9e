//! Devices as NetBox exports them (`GET /api/dcim/devices/`): by site and rack.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_resource_allocator::plan::Outline;
use serde_json::{Map, Value};

use super::Draft;
use crate::{
    problem::Read,
    source::{Source, Span},
};

/// Fields that only NetBox itself makes sense of.
const OWN: [&str; 7] = ["url", "display", "display_url", "created", "last_updated", "id", "config_context"];

/// Whether a text is such an export.
pub(super) fn is_one(text: &str) -> bool {
    ["\"device_type\"", "\"results\""].iter().any(|word| text.contains(word))
}

pub(super) fn read(source: &Arc<Source>) -> Read<Outline> {
    let mut draft = Draft::new(source);
    let whole = Span::new(0, 0);
    let text = source.text().trim_start_matches('\u{feff}');
    let devices = match serde_json::from_str(text) {
        Ok(Value::Array(devices)) => devices,
        Ok(Value::Object(mut fields)) => match fields.remove("results") {
            Some(Value::Array(devices)) => {
                if let Some(next) = fields.get("next").and_then(Value::as_str) {
                    draft.left_out(
                        whole,
                        format!("the rest of the list ({next})"),
                        "export all of it: ?limit=0",
                    );
                }
                devices
            }
            Some(_) | None => vec![Value::Object(fields)],
        },
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => Vec::new(),
        Err(error) => {
            let span = draft.span_at(error.line(), error.column());
            draft.problems.error(span, format!("this is no JSON: {error}"), "export it again");
            return Read { value: None, problems: draft.problems.finish() };
        }
    };
    let mut unnamed = 0_u32;
    for device in devices {
        let Value::Object(device) = device else {
            draft.problems.error(whole, "a device in the list is no object", "export it again");
            continue;
        };
        if !device.get("device_type").is_some_and(Value::is_object) {
            let name = device.get("name").and_then(Value::as_str).unwrap_or("without a name");
            let help = "a device of NetBox has a `device_type`; say the format if this is another file";
            draft.problems.error(whole, format!("`{name}` is no device"), help);
            continue;
        }
        if !add(&mut draft, &device) {
            unnamed = unnamed.saturating_add(1);
        }
    }
    if unnamed > 0 {
        draft.left_out(whole, format!("what has no name ({unnamed} in the list)"), "name it in NetBox");
    }
    draft.finish()
}

/// A field's own text, or the name of what it refers to.
fn text(value: Option<&Value>) -> Option<String> {
    let value = value?;
    let named = ["slug", "value", "name", "model", "display"].iter().find_map(|key| value.get(key)?.as_str());
    value.as_str().or(named).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The name that people read, of what a field refers to.
fn title(value: Option<&Value>) -> Option<String> {
    let named = value?.get("name").and_then(Value::as_str);
    named.or_else(|| value?.as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn add(draft: &mut Draft, device: &Map<String, Value>) -> bool {
    let whole = Span::new(0, 0);
    let Some(name) = device.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty()) else {
        return false;
    };
    let mut path = Vec::new();
    for (key, kind) in [("site", "site"), ("rack", "rack")] {
        if let Some(around) = title(device.get(key)) {
            let (short, other) = draft.name(&around);
            path.push(short);
            let mut properties = BTreeMap::from([("kind".to_owned(), Value::from(kind))]);
            properties.extend(other);
            draft.add(&path, whole, properties);
        }
    }
    let (short, other) = draft.name(name);
    path.push(short);
    let mut properties: BTreeMap<String, Value> = other.into_iter().collect();
    let mut put = |key: &str, value: Option<String>| {
        properties.extend(value.map(|value| (key.to_owned(), Value::from(value))));
    };
    put(
        "kind",
        text(device.get("role").or_else(|| device.get("device_role"))).or_else(|| Some("device".to_owned())),
    );
    let model = device.get("device_type");
    put("model", model.and_then(|model| model.get("model")).and_then(Value::as_str).map(str::to_owned));
    put("manufacturer", text(model.and_then(|model| model.get("manufacturer"))));
    for key in ["platform", "status", "location", "tenant", "cluster", "airflow", "face"] {
        put(key, text(device.get(key)));
    }
    let address = ["primary_ip", "primary_ip4", "primary_ip6", "oob_ip"]
        .iter()
        .find_map(|key| device.get(*key)?.get("address")?.as_str());
    put("host", address.map(|address| address.split('/').next().unwrap_or(address).to_owned()));
    let tags =
        device.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(|tag| text(Some(tag)));
    let tags: Vec<_> = tags.map(Value::from).collect();
    if !tags.is_empty() {
        properties.insert("tags".to_owned(), Value::Array(tags));
    }
    let custom = device.get("custom_fields").and_then(Value::as_object).into_iter().flatten();
    properties.extend(
        custom.filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())),
    );
    rest(draft, device, &mut properties);
    if draft.has(&path) {
        draft.problems.error(
            whole,
            format!("there are two devices `/{}`", path.join("/")),
            "rename one in NetBox",
        );
        return true;
    }
    draft.add(&path, whole, properties);
    true
}

/// Plain fields are properties under their own names; what refers to other things of NetBox is told, once.
fn rest(draft: &mut Draft, device: &Map<String, Value>, properties: &mut BTreeMap<String, Value>) {
    let read: BTreeSet<&str> = [
        "name",
        "site",
        "rack",
        "role",
        "device_role",
        "device_type",
        "platform",
        "status",
        "location",
        "tenant",
        "cluster",
        "airflow",
        "face",
        "primary_ip",
        "primary_ip4",
        "primary_ip6",
        "oob_ip",
        "tags",
        "custom_fields",
    ]
    .into();
    for (key, value) in device.iter().filter(|(key, _)| !read.contains(key.as_str())) {
        let is_plain = matches!(value, Value::String(text) if !text.is_empty())
            || value.is_number()
            || value.is_boolean();
        let is_count = key.ends_with("_count");
        if is_plain && !is_count && !OWN.contains(&key.as_str()) {
            properties.entry(key.clone()).or_insert_with(|| value.clone());
        } else if !value.is_null() && !OWN.contains(&key.as_str()) && value.as_str() != Some("") && !is_count
        {
            draft.left_out_once(
                Span::new(0, 0),
                &format!("`{key}` of devices"),
                "it refers to something else of NetBox",
            );
        }
    }
    if OWN.iter().any(|key| device.contains_key(*key)) {
        draft.left_out_once(
            Span::new(0, 0),
            "what NetBox keeps for itself (id, url, times)",
            "nothing here makes use of it",
        );
    }
}
