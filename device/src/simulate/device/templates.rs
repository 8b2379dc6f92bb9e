//! The texts of a model: handlebars over the state.

use handlebars::{Handlebars, handlebars_helper};
use jackfield_config::simulated::{Change, DeviceModel, ModelCommand};
use serde_json::{Map, Value};

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{model}: template of {place}: {why}")]
pub struct ModelError {
    model: String,
    place: String,
    why: String,
}

handlebars_helper!(pad: |text: Json, width: usize| {
    let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
    format!("{text:<width$}")
});
handlebars_helper!(count: |table: Json| {
    table.as_object().map_or_else(|| table.as_array().map_or(0, Vec::len), Map::len)
});

/// Checks every template of a model; they are kept under their own text.
pub(super) fn compile(model: &DeviceModel) -> Result<Handlebars<'static>, ModelError> {
    let mut templates = Handlebars::new();
    templates.register_escape_fn(handlebars::no_escape);
    templates.register_helper("pad", Box::new(pad));
    templates.register_helper("count", Box::new(count));
    let mut add = |place: &str, text: &str| {
        templates.register_template_string(text, text).map_err(|error| ModelError {
            model: model.name.clone(),
            place: place.to_owned(),
            why: error.reason().to_string(),
        })
    };
    for (place, text) in [
        ("banner", &model.banner),
        ("welcome", &model.welcome),
        ("unknown", &model.unknown),
        ("ambiguous", &model.ambiguous),
    ] {
        add(place, text)?;
    }
    for (name, mode) in &model.modes {
        add(&format!("mode `{name}`"), &mode.prompt)?;
    }
    for command in &model.commands {
        let place = format!("the command at line {}", command.line);
        for text in texts(command) {
            add(&place, text)?;
        }
    }
    Ok(templates)
}

fn texts(command: &ModelCommand) -> Vec<&str> {
    let mut texts = vec![command.output.as_str()];
    texts.extend(command.context.values().map(String::as_str));
    texts.extend(command.page_lines.as_deref());
    texts.extend(command.result.as_ref().map(|result| result.output.as_str()));
    for condition in &command.conditions {
        texts.extend([condition.key.as_str(), condition.otherwise.as_str()]);
    }
    let later = command.later.iter().flat_map(|(_, changes)| changes);
    for change in command.changes.iter().chain(later) {
        match change {
            Change::Set { value, .. } => texts.push(value),
            Change::Put { key, value, .. } => {
                texts.push(key);
                texts.extend(value.values().map(String::as_str));
            }
            Change::Remove { key, .. } => texts.push(key),
            Change::Add { .. } => {}
        }
    }
    texts
}

/// Fills a template in. What goes wrong is shown where the text would be: this is a device for tests, and its author reads it there.
pub(super) fn show(templates: &Handlebars<'_>, text: &str, data: &Map<String, Value>) -> String {
    if !text.contains("{{") {
        return text.to_owned();
    }
    templates.render(text, data).unwrap_or_else(|error| format!("% simulator: {error}"))
}
