//! One file per noun.

use std::{ffi::OsString, path::PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};

pub(crate) mod after;
pub(crate) mod artifacts;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod calendar;
pub(crate) mod completions;
pub(crate) mod console;
pub(crate) mod db;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod engine;
pub(crate) mod ep;
pub(crate) mod eps;
pub(crate) mod follow;
pub(crate) mod group;
pub(crate) mod lease;
pub(crate) mod log_search;
pub(crate) mod login;
pub(crate) mod logs;
pub(crate) mod mail;
pub(crate) mod project;
pub(crate) mod prune;
pub(crate) mod question;
pub(crate) mod recover;
pub(crate) mod reports;
pub(crate) mod resource;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod sdk;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod share;
pub(crate) mod simulate;
pub(crate) mod sut;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod webhook;
pub(crate) mod why;

/// A name and its value, as several options take them.
fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err(format!("`{text}` has no name and value; write NAME=VALUE")),
    }
}

/// Reads the lab folder of a command that is run beside it: one that is set to nothing is not set. Clap's own reader refuses that.
fn lab_folder() -> impl TypedValueParser<Value = PathBuf> {
    let read = |given: OsString| if given.is_empty() { PathBuf::from("lab") } else { given.into() };
    OsStringValueParser::new().map(read)
}
