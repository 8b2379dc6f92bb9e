//! The properties of a resource by name: texts, numbers, times and switches, and the words for one that is not understood.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use serde_json::Value;

use super::{Address, Secret, TargetError};
use crate::{limits::WAIT_MAX, line::LineError};

/// Properties by their names in small letters.
pub(super) struct Properties<'p>(pub(super) BTreeMap<String, &'p Value>);

pub(super) fn wrong(property: &str, value: &str, remedy: &str) -> TargetError {
    TargetError::Wrong { property: property.to_owned(), value: value.to_owned(), remedy: remedy.to_owned() }
}

/// Whether a text says that something is so.
pub(super) fn is_yes(text: &str) -> bool {
    matches!(text, "true" | "yes" | "1")
}

pub(super) fn port(text: &str) -> Result<u16, TargetError> {
    let port = text.trim().parse().ok().filter(|port: &u16| *port > 0);
    port.ok_or_else(|| wrong("port", text, "write a number from 1 to 65535"))
}

impl<'p> Properties<'p> {
    pub(super) fn new(properties: impl IntoIterator<Item = (&'p String, &'p Value)>) -> Self {
        Self(properties.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect())
    }

    /// The first of some properties that is there and not empty, as text.
    pub(super) fn text(&self, names: &[&str]) -> Result<Option<String>, TargetError> {
        for name in names {
            match self.0.get(*name) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if text.trim().is_empty() => {}
                Some(Value::String(text)) => return Ok(Some(text.clone())),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => return Ok(Some(value.to_string())),
                Some(value @ (Value::Array(_) | Value::Object(_))) => {
                    return Err(wrong(name, &value.to_string(), "write a text"));
                }
            }
        }
        Ok(None)
    }

    pub(super) fn secret(&self, names: &[&str]) -> Result<Option<Secret>, TargetError> {
        Ok(self.text(names)?.map(Secret::new))
    }

    pub(super) fn word<W: FromStr<Err = LineError>>(&self, name: &str) -> Result<Option<W>, TargetError> {
        let Some(text) = self.text(&[name])? else { return Ok(None) };
        text.parse().map(Some).map_err(|remedy: LineError| wrong(name, &text, &remedy.to_string()))
    }

    /// A time: `20s`, `500ms`, `2m`, or a number of seconds.
    pub(super) fn span(&self, name: &str) -> Result<Option<Duration>, TargetError> {
        let Some(text) = self.text(&[name])? else { return Ok(None) };
        let trimmed = text.trim();
        let unit_at = trimmed.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let (number, unit) = trimmed.split_at(unit_at.unwrap_or(trimmed.len()));
        let factor = match unit.trim() {
            "" | "s" => Some(1.0),
            "ms" => Some(0.001),
            "m" | "min" => Some(60.0),
            "h" => Some(3600.0),
            _ => None,
        };
        let seconds = number.parse::<f64>().ok().zip(factor).map(|(number, factor)| number * factor);
        let span = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let span = span.filter(|span| *span <= WAIT_MAX);
        span.map(Some).ok_or_else(|| wrong(name, &text, "write a time like 20s or 500ms"))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, TargetError> {
        match self.text(&[name])?.as_deref() {
            None | Some("false" | "no" | "0") => Ok(false),
            Some(text) if is_yes(text) => Ok(true),
            Some(other) => Err(wrong(name, other, "use true or false")),
        }
    }

    pub(super) fn address(&self, default_port: Option<u16>) -> Result<Address, TargetError> {
        let missing = TargetError::Missing { property: "host", example: "host = 192.0.2.1" };
        let host = self.text(&["host", "ip", "address", "hostname"])?.ok_or(missing)?;
        let port = match self.text(&["port"])? {
            Some(text) => port(&text)?,
            None => default_port.ok_or(TargetError::Missing { property: "port", example: "port = 2001" })?,
        };
        let host = host.trim().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Address { host, port })
    }

    /// A list of words, or a text that the shell takes apart.
    pub(super) fn command(&self) -> Result<Vec<String>, TargetError> {
        let missing = || TargetError::Missing { property: "command", example: "command = vtysh" };
        match self.0.get("command") {
            Some(Value::Array(words)) => {
                let texts: Option<Vec<String>> =
                    words.iter().map(|word| word.as_str().map(str::to_owned)).collect();
                let texts = texts.ok_or_else(|| wrong("command", "a list", "write only texts in it"))?;
                if texts.is_empty() { Err(missing()) } else { Ok(texts) }
            }
            _ => {
                let line = self.text(&["command"])?.ok_or_else(missing)?;
                Ok(vec!["/bin/sh".to_owned(), "-c".to_owned(), line])
            }
        }
    }
}
