//! What a line does to a simulated device: a state, and for each connection the modes it is in.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use handlebars::Handlebars;
use jackfield_config::simulated::{Change, DeviceModel, Fault, Go, ModelCommand};
use serde_json::{Map, Value};

mod commands;
mod templates;

pub use templates::ModelError;

/// A device, shared by its connections.
pub struct Device {
    model: DeviceModel,
    templates: Handlebars<'static>,
    state: Mutex<Map<String, Value>>,
}

/// What a line led to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// What is shown, lines ended by LF.
    pub text: String,
    /// What is asked next.
    pub prompt: String,
    /// The answer to it is not echoed.
    pub hidden: bool,
    /// Time before any of it.
    pub delay: Duration,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// How long it is not there, where it reboots.
    pub down: Duration,
    /// The connection ends after it.
    pub close: bool,
    /// Changes of the state that come later.
    pub later: Vec<(Duration, Vec<Change>)>,
    /// What is shown behind the prompt, after a time, with the prompt once more.
    pub result: Option<(Duration, String)>,
}

/// One connection's place in the device.
#[derive(Clone, Debug)]
pub struct Place {
    modes: Vec<Frame>,
    asked: Option<(usize, Map<String, Value>)>,
    /// Lines of a page; none: no pager.
    pub page_lines: Option<usize>,
}

#[derive(Clone, Debug)]
struct Frame {
    mode: String,
    context: Map<String, Value>,
}

impl Device {
    /// A device as its model has it at the start.
    ///
    /// # Errors
    /// A template is wrong.
    pub fn new(model: DeviceModel) -> Result<Self, ModelError> {
        let templates = templates::compile(&model)?;
        let state = Mutex::new(model.state.clone());
        Ok(Self { model, templates, state })
    }

    /// Its model.
    pub fn model(&self) -> &DeviceModel {
        &self.model
    }

    /// The state as it is.
    pub fn state(&self) -> Map<String, Value> {
        self.locked().clone()
    }

    /// Forgets what commands have changed.
    pub fn reset(&self) {
        self.locked().clone_from(&self.model.state);
    }

    /// A panic elsewhere leaves a state that is still JSON.
    fn locked(&self) -> MutexGuard<'_, Map<String, Value>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a connection is after its login, and what it is shown.
    pub fn enter(&self) -> (Place, Reply) {
        let frame = Frame { mode: self.model.start.clone(), context: Map::new() };
        let page_lines = self.model.pager.as_ref().and_then(|pager| usize::try_from(pager.lines).ok());
        let place =
            Place { modes: vec![frame], asked: None, page_lines: page_lines.filter(|lines| *lines > 0) };
        let text = self.show(&self.model.welcome, &self.locked());
        let prompt = self.prompt(&place, &self.locked());
        (place, Reply { text, prompt, ..Reply::default() })
    }

    /// A text outside of any command, with the state filled in.
    pub fn banner(&self) -> String {
        self.show(&self.model.banner, &self.locked())
    }

    /// What a line does.
    pub fn line(&self, place: &mut Place, line: &str) -> Reply {
        if let Some((index, words)) = place.asked.take() {
            return self.answered(place, index, words, line);
        }
        let mode = place.modes.last().map(|frame| frame.mode.clone()).unwrap_or_default();
        let found = commands::find(&self.model, &mode, line);
        let (index, words) = match found {
            commands::Found::Nothing => return self.said(place, String::new()),
            commands::Found::Command(index, words) => (index, words),
            commands::Found::Refused(text) => {
                let mut data = self.state();
                data.insert("line".to_owned(), line.trim().into());
                let text = self.show(&text, &data);
                return self.said(place, text);
            }
        };
        let Some(command) = self.model.commands.get(index) else { return self.said(place, String::new()) };
        if let Some(ask) = &command.ask {
            place.asked = Some((index, words));
            return Reply { prompt: ask.prompt.clone(), hidden: true, ..Reply::default() };
        }
        self.perform(place, command, words)
    }

    fn answered(&self, place: &mut Place, index: usize, words: Map<String, Value>, answer: &str) -> Reply {
        let Some((command, ask)) =
            self.model.commands.get(index).and_then(|command| Some((command, command.ask.as_ref()?)))
        else {
            return self.said(place, String::new());
        };
        if answer.trim() == ask.answer {
            self.perform(place, command, words)
        } else {
            self.said(place, format!("{}\n", ask.wrong))
        }
    }

    fn said(&self, place: &Place, text: String) -> Reply {
        let text = if text.is_empty() || text.ends_with('\n') { text } else { format!("{text}\n") };
        Reply { text, prompt: self.prompt(place, &self.locked()), ..Reply::default() }
    }

    fn prompt(&self, place: &Place, state: &Map<String, Value>) -> String {
        let Some(frame) = place.modes.last() else { return String::new() };
        let mut data = state.clone();
        data.extend(frame.context.clone());
        let prompt = self.model.modes.get(&frame.mode).map(|mode| mode.prompt.as_str()).unwrap_or_default();
        self.show(prompt, &data)
    }

    fn perform(&self, place: &mut Place, command: &ModelCommand, words: Map<String, Value>) -> Reply {
        let mut state = self.locked();
        let mut data = place.modes.last().map(|frame| frame.context.clone()).unwrap_or_default();
        data.extend(words);
        let with_state = |state: &Map<String, Value>| {
            let mut all = state.clone();
            all.extend(data.clone());
            all
        };
        for condition in &command.conditions {
            let all = with_state(&state);
            let key = self.show(&condition.key, &all);
            let present = at(&state, &condition.table).and_then(|table| table.get(&key)).is_some();
            if present != condition.present {
                let text = self.show(&condition.otherwise, &all);
                drop(state);
                return self.said(place, text);
            }
        }
        let changes = self.filled(&command.changes, &with_state(&state));
        apply(&mut state, &changes);
        let all = with_state(&state);
        let text = self.show(&command.output, &all);
        let context: Map<String, Value> = command
            .context
            .iter()
            .map(|(name, value)| (name.clone(), self.show(value, &all).into()))
            .collect();
        let later =
            command.later.iter().map(|(after, changes)| (*after, self.filled(changes, &all))).collect();
        let result = command.result.as_ref().map(|result| (result.after, self.show(&result.output, &all)));
        if let Some(lines) = &command.page_lines {
            place.page_lines = self.show(lines, &all).trim().parse().ok().filter(|lines| *lines > 0);
        }
        drop(state);
        let close = go(place, &command.go, context);
        let mut reply = self.said(place, text);
        (reply.delay, reply.fault, reply.close, reply.later) = (command.delay, command.fault, close, later);
        (reply.down, reply.result) = (command.down, result);
        reply
    }

    /// Changes with their templates filled in now, to be made now or later.
    fn filled(&self, changes: &[Change], data: &Map<String, Value>) -> Vec<Change> {
        let fill = |change: &Change| match change {
            Change::Set { path, value } => Change::Set { path: path.clone(), value: self.show(value, data) },
            Change::Put { table, key, value } => Change::Put {
                table: table.clone(),
                key: self.show(key, data),
                value: value.iter().map(|(name, value)| (name.clone(), self.show(value, data))).collect(),
            },
            Change::Remove { table, key } => {
                Change::Remove { table: table.clone(), key: self.show(key, data) }
            }
            Change::Add { .. } => change.clone(),
        };
        changes.iter().map(fill).collect()
    }

    /// Makes changes whose time has come.
    pub fn change(&self, changes: &[Change]) {
        apply(&mut self.locked(), changes);
    }

    fn show(&self, template: &str, data: &Map<String, Value>) -> String {
        templates::show(&self.templates, template, data)
    }
}

/// Moves to another mode; true when it leads out.
fn go(place: &mut Place, go: &Go, context: Map<String, Value>) -> bool {
    match go {
        Go::Stay => false,
        Go::Enter(mode) => {
            if let Some(known) = place.modes.iter().position(|frame| frame.mode == *mode) {
                place.modes.truncate(known);
            }
            place.modes.push(Frame { mode: mode.clone(), context });
            false
        }
        Go::Back => {
            place.modes.pop();
            place.modes.is_empty()
        }
        Go::Close => true,
    }
}

fn at<'s>(state: &'s Map<String, Value>, path: &str) -> Option<&'s Map<String, Value>> {
    path.split('.').try_fold(state, |inner, name| inner.get(name)?.as_object())
}

/// The table at a path, made where there is none.
fn at_mut<'s>(state: &'s mut Map<String, Value>, path: &[&str]) -> Option<&'s mut Map<String, Value>> {
    path.iter().try_fold(state, |inner, name| {
        inner.entry((*name).to_owned()).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
    })
}

fn apply(state: &mut Map<String, Value>, changes: &[Change]) {
    for change in changes {
        let done = match change {
            Change::Set { path, value } => {
                let names: Vec<&str> = path.split('.').collect();
                names.split_last().and_then(|(last, outer)| {
                    at_mut(state, outer)?.insert((*last).to_owned(), value.clone().into());
                    Some(())
                })
            }
            Change::Put { table, key, value } => {
                let names: Vec<&str> = table.split('.').chain([key.as_str()]).collect();
                at_mut(state, &names).map(|entry| {
                    entry.extend(value.iter().map(|(name, value)| (name.clone(), value.clone().into())));
                })
            }
            Change::Remove { table, key } => {
                let names: Vec<&str> = table.split('.').collect();
                at_mut(state, &names).map(|table| drop(table.remove(key)))
            }
            Change::Add { path, amount } => {
                let names: Vec<&str> = path.split('.').collect();
                names.split_last().and_then(|(last, outer)| {
                    let table = at_mut(state, outer)?;
                    let before = table.get(*last).and_then(Value::as_i64).unwrap_or(0);
                    table.insert((*last).to_owned(), before.saturating_add(*amount).into());
                    Some(())
                })
            }
        };
        if done.is_none() {
            tracing::warn!(?change, "a change of a simulated device goes through a value that is no table");
        }
    }
}

#[cfg(test)]
mod tests;
