//! The test configurations of suites and tests: which ones, in which order, and what is made of their iterators.

use super::{ProjectEditError, style::Style};
use crate::{
    value::truth,
    xml::{Element, Splices, attribute_text},
};

/// A test configuration that an item names, as its file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedConfig {
    /// Its name.
    pub name: String,
    /// Whether it counts.
    pub enabled: bool,
    /// Whether of its iterators the default alone is taken.
    pub default_only: bool,
    /// Whether the other iterations are left out once one has not passed.
    pub stop_on_fail: bool,
}

/// Something that is said of a test configuration where it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigFlag {
    /// It counts.
    Enabled,
    /// Of its iterators the default alone is taken.
    DefaultOnly,
    /// The other iterations are left out once one has not passed.
    StopOnFail,
}

/// What becomes of the test configurations of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigChange {
    /// One more, behind the others.
    Add {
        /// Its name.
        name: String,
    },
    /// One less.
    Remove {
        /// Which, from 0.
        nth: usize,
    },
    /// Another place among them.
    Move {
        /// Which, from 0.
        nth: usize,
        /// Where it stands afterwards, from 0; last where there are fewer.
        to: usize,
    },
    /// Something else is said of it.
    Set {
        /// Which, from 0.
        nth: usize,
        /// What.
        flag: ConfigFlag,
        /// Whether it is so.
        on: bool,
    },
}

impl ConfigFlag {
    fn attribute(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::DefaultOnly => "iterator_default",
            Self::StopOnFail => "iterator_sof",
        }
    }

    /// What it is where nothing is said.
    fn usual(self) -> bool {
        match self {
            Self::Enabled => true,
            Self::DefaultOnly | Self::StopOnFail => false,
        }
    }

    fn of(self, config: Element<'_>) -> bool {
        config
            .attribute(self.attribute())
            .map_or(self.usual(), |(text, _)| truth(text.trim()).unwrap_or(false))
    }
}

/// Those that an item names, in their order.
pub(super) fn named(item: Element<'_>) -> Vec<NamedConfig> {
    let config = |config: Element<'_>| {
        let (name, _) = config.attribute("name")?;
        Some(NamedConfig {
            name: name.trim().to_owned(),
            enabled: ConfigFlag::Enabled.of(config),
            default_only: ConfigFlag::DefaultOnly.of(config),
            stop_on_fail: ConfigFlag::StopOnFail.of(config),
        })
    };
    item.child("ConfigFiles").map(|files| configs(files).filter_map(config).collect()).unwrap_or_default()
}

/// Only those with a name are counted: the others are told of, and say nothing.
fn configs(files: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    files.children_named("Config").filter(|config| config.attribute("name").is_some())
}

/// Makes one change of the test configurations of an item.
pub(super) fn change(
    splices: &mut Splices,
    item: Element<'_>,
    change: &ConfigChange,
    style: &Style,
) -> Result<(), ProjectEditError> {
    let files = item.child("ConfigFiles");
    let nth = |nth: usize| {
        let found = files.and_then(|files| configs(files).nth(nth));
        found.ok_or(ProjectEditError::NoSuchConfig(nth))
    };
    match change {
        ConfigChange::Add { name } => {
            let name = name.trim();
            if name.is_empty() || named(item).iter().any(|known| known.name == name) {
                return Err(ProjectEditError::ConfigName(name.to_owned()));
            }
            add(splices, item, files, name, style);
        }
        ConfigChange::Remove { nth: at } => remove(splices, item, nth(*at)?),
        ConfigChange::Move { nth: at, to } => {
            nth(*at)?;
            let all: Vec<Element<'_>> = files.into_iter().flat_map(configs).collect();
            reorder(splices, &all, *at, *to);
        }
        ConfigChange::Set { nth: at, flag, on } => set(splices, nth(*at)?, *flag, *on),
    }
    Ok(())
}

fn add(splices: &mut Splices, item: Element<'_>, files: Option<Element<'_>>, name: &str, style: &Style) {
    match files {
        // Behind the last: what stands between them stays where it is.
        Some(files) => splices.add_before(files, None, style.unit(), |_| vec![style.config(name)]),
        None => {
            let next = style.field_end(item);
            splices.add_before(item, next, style.unit(), |lead| vec![style.config_files(name, lead)]);
        }
    }
}

fn remove(splices: &mut Splices, item: Element<'_>, config: Element<'_>) {
    // What holds nothing any more goes with the last one; a comment in it is something.
    let only = item.child("ConfigFiles").filter(|files| {
        let has_attributes = files.attributes().next().is_some();
        !has_attributes && files.children().nth(1).is_none() && files.holds_only_elements()
    });
    splices.remove(only.unwrap_or(config));
}

/// Their texts in another order, each in the place of one of them: comments between them stay.
fn reorder(splices: &mut Splices, all: &[Element<'_>], at: usize, to: usize) {
    let mut texts: Vec<&str> = all.iter().map(|config| config.written()).collect();
    let moved = texts.remove(at);
    texts.insert(to.min(texts.len()), moved);
    for (config, text) in all.iter().zip(texts) {
        if config.written() != text {
            splices.replace(config.outer(), text);
        }
    }
}

fn set(splices: &mut Splices, config: Element<'_>, flag: ConfigFlag, on: bool) {
    let word = if on { "true" } else { "false" };
    match config.attribute(flag.attribute()) {
        Some(_) if flag.of(config) == on => {}
        Some((_, span)) => splices.replace(span, word),
        None if on == flag.usual() => {}
        None => {
            // Behind the last attribute, of which there is one: its name.
            let end = config.attributes().last().map(|(_, _, span)| span.end.saturating_add(1));
            if let Some(end) = end {
                splices.insert(end, format!(" {}=\"{word}\"", flag.attribute()));
            }
        }
    }
}

/// How a test configuration is named in a file: with the attributes that the others there have, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct ConfigHand {
    /// The names of the attributes of the first one.
    attributes: Vec<String>,
}

impl ConfigHand {
    pub(super) fn of(first: Option<Element<'_>>) -> Self {
        let known = first.into_iter().flat_map(|config| config.attributes().map(|(name, _, _)| name));
        Self { attributes: known.map(str::to_owned).collect() }
    }

    /// The element.
    pub(super) fn write(&self, name: &str) -> String {
        let value = |attribute: &str| match attribute {
            "name" => attribute_text(name),
            "enabled" => "true".to_owned(),
            _ => "false".to_owned(),
        };
        let known = self.attributes.iter().map(String::as_str);
        let all: Vec<&str> = if self.attributes.iter().any(|attribute| attribute == "name") {
            known.collect()
        } else {
            vec!["name", "enabled"]
        };
        let all = all.into_iter().map(|attribute| format!(" {attribute}=\"{}\"", value(attribute)));
        format!("<Config{}/>", all.collect::<String>())
    }
}
