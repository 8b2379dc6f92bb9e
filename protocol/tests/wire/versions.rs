//! Both directions of old and new, tried on every message by changing it as another version would.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::sample::{self, Reading, Sample};

/// What an object in a message is, known by the field it stands in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    /// Fields; those nobody knows are ignored.
    Message,
    /// Names of the lab's own with their values: each is data, none is a field.
    Keyed,
    /// Any JSON value that a test or a person made; kept as it is.
    Free,
    /// Exactly one of several keys says what it is (`CallResult`, `PowerResult`): a second one would contradict it.
    Either,
    /// A range of numbers, which is a value like a number: two ends, and nothing to add.
    Range,
}

fn shape(field: &str, object: &Map<String, Value>) -> Shape {
    match field {
        "value" | "default" | "answer" | "ok" | "properties" | "meta" | "others" | "outlet" => Shape::Free,
        "labels" | "fields" | "variables" | "log_bytes" | "artifacts" | "user_defined" | "counts"
        | "files" | "libraries" | "folders" | "profiles" | "limits" | "context" | "given" => Shape::Keyed,
        "result" => Shape::Either,
        "needs" => Shape::Keyed,
        "tests" if object.keys().eq(["end", "start"]) => Shape::Range,
        // Of a folder: each by its file.
        "tests" if object.values().all(Value::is_string) => Shape::Keyed,
        _ => Shape::Message,
    }
}

/// What stands somewhere in a message.
struct Place<'a> {
    pointer: String,
    shape: Shape,
    value: &'a Value,
}

/// Every object and every leaf of a message, outside before inside; what is inside free values is left out.
fn places(sample: &Sample) -> Vec<Place<'_>> {
    let is_result = ["call_result/", "power_result/"].iter().any(|folder| sample.name.starts_with(folder));
    let root = if is_result { "result" } else { "" };
    let mut found = Vec::new();
    visit(root, String::new(), &sample.full, &mut found);
    found
}

fn visit<'a>(field: &str, pointer: String, value: &'a Value, found: &mut Vec<Place<'a>>) {
    let shape = value.as_object().map_or(Shape::Message, |object| shape(field, object));
    if let Value::Array(items) = value {
        for (index, item) in items.iter().enumerate() {
            visit(field, format!("{pointer}/{index}"), item, found);
        }
        return;
    }
    found.push(Place { pointer: pointer.clone(), shape, value });
    if let (Value::Object(object), true) = (value, shape != Shape::Free) {
        for (key, inner) in object {
            let inner_field = if shape == Shape::Keyed { "" } else { key };
            visit(inner_field, format!("{pointer}/{}", escape(key)), inner, found);
        }
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The message with another value, or none, at a place.
fn with(sample: &Sample, pointer: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut changed = sample.full.clone();
    change(changed.pointer_mut(pointer).unwrap());
    changed
}

fn objects(sample: &Sample) -> impl Iterator<Item = (String, Shape, &Map<String, Value>)> {
    places(sample)
        .into_iter()
        .filter_map(|place| Some((place.pointer, place.shape, place.value.as_object()?)))
}

#[test]
fn fields_of_later_versions_are_ignored() {
    for sample in sample::all() {
        for (pointer, shape, _) in objects(&sample) {
            for later in [json!(1), json!("text"), json!({"a": [null, {"b": 2.5}]})] {
                let changed = with(&sample, &pointer, |object| object["zz_later"] = later);
                let read = sample.read_value(&changed);
                let ignored = read == Ok(Reading::Full);
                // The other shapes are not fields: a further key there is refused or kept, never lost in silence.
                let expected = shape == Shape::Message;
                assert_eq!(ignored, expected, "{} {pointer} is {shape:?}: {read:?}", sample.name);
            }
        }
    }
}

#[test]
fn fields_that_earlier_versions_did_not_write_have_defaults() {
    for sample in sample::all() {
        let mut stripped = sample.full.clone();
        let mut pointers: Vec<String> = optional_fields(&sample).into_iter().collect();
        // The inside of a field before the field itself.
        pointers.sort_by_key(|pointer| std::cmp::Reverse(pointer.len()));
        for pointer in &pointers {
            let (object, key) = pointer.rsplit_once('/').unwrap();
            stripped.pointer_mut(object).and_then(Value::as_object_mut).unwrap().remove(key);
        }
        let expected = if sample.bare_text.is_some() { Reading::Bare } else { Reading::Full };
        assert_eq!(sample.read_value(&stripped), Ok(expected), "{} from {stripped}", sample.name);
        assert_eq!(sample.bare_text.is_some(), !pointers.is_empty(), "{}: {pointers:?}", sample.name);
    }
}

#[test]
fn a_message_with_everything_set_has_nothing_empty() {
    for sample in sample::all() {
        for place in places(&sample) {
            let empty = match place.value {
                Value::Null => place.shape != Shape::Free && !place.pointer.contains("/properties/"),
                Value::Array(items) => items.is_empty(),
                Value::Object(object) => object.is_empty(),
                Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
            };
            assert!(!empty, "{} has nothing at {}", sample.name, place.pointer);
        }
    }
}

#[test]
fn words_of_later_versions_are_refused_by_name() {
    for sample in sample::all() {
        for place in places(&sample) {
            let changed = match (place.value, place.shape) {
                (Value::String(_), _) => with(&sample, &place.pointer, |text| *text = json!("zz_later")),
                (Value::Object(object), Shape::Keyed | Shape::Either) => {
                    let value = object.values().next().unwrap().clone();
                    with(&sample, &place.pointer, |object| *object = json!({"zz_later": value}))
                }
                _ => continue,
            };
            if let Err(error) = sample.read_value(&changed) {
                assert!(error.contains("`zz_later`"), "{} {}: {error}", sample.name, place.pointer);
            }
        }
    }
}

/// Pointers of the fields without which the message is read all the same.
fn optional_fields(sample: &Sample) -> BTreeSet<String> {
    fields(sample).into_iter().filter(|(_, missing)| missing.is_none()).map(|(pointer, _)| pointer).collect()
}

/// Each field with what is said where it is missing.
fn fields(sample: &Sample) -> BTreeMap<String, Option<String>> {
    let mut fields = BTreeMap::new();
    for (pointer, shape, object) in objects(sample) {
        for key in object.keys().filter(|_| shape == Shape::Message) {
            let changed = with(sample, &pointer, |object| {
                object.as_object_mut().unwrap().remove(key);
            });
            fields.insert(format!("{pointer}/{}", escape(key)), sample.read_value(&changed).err());
        }
    }
    fields
}

#[test]
fn a_field_that_is_missing_is_named() {
    for sample in sample::all() {
        for (pointer, missing) in fields(&sample) {
            let key = pointer.rsplit('/').next().unwrap();
            if let Some(error) = missing {
                assert!(
                    error.contains(&format!("missing field `{key}`")),
                    "{} {pointer}: {error}",
                    sample.name
                );
            }
        }
    }
}

/// For each message the fields that must be there. A field that is added here locks out every version that does not write it.
pub(crate) fn required_fields() -> String {
    let table: BTreeMap<String, BTreeSet<String>> = sample::all()
        .iter()
        .map(|sample| {
            let required = fields(sample).into_iter().filter(|(_, missing)| missing.is_some());
            (sample.name.clone(), required.map(|(pointer, _)| numberless(&pointer)).collect())
        })
        .collect();
    format!("{}\n", serde_json::to_string_pretty(&table).unwrap())
}

/// A pointer with every place in a list as `*`.
fn numberless(pointer: &str) -> String {
    let step = |step: &str| if step.parse::<u32>().is_ok() { "*".to_owned() } else { step.to_owned() };
    pointer.split('/').map(step).collect::<Vec<_>>().join("/")
}
