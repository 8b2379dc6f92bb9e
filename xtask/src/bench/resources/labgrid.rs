//! labgrid's coordinator at the same work: each client is a session of its own, as `labgrid-client` opens one, and sees what all do.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::command::root;

const SCRIPT: &str = include_str!("labgrid.py");

/// What it took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    /// Places acquired and released, a second.
    pub(super) rate: f64,
    /// Each of them.
    pub(super) millis: f64,
    /// The same with one client alone.
    pub(super) alone_millis: f64,
    /// All places listed.
    pub(super) list_millis: f64,
}

/// None where labgrid is not installed, which is said.
pub(super) fn measure(places: usize, clients: usize) -> Result<Option<Figures>> {
    let python = root().join("target/python/bin/python3");
    if !root().join("target/python/bin/labgrid-coordinator").is_file() {
        eprintln!("labgrid is not measured: `cargo xtask setup --bench` installs it");
        return Ok(None);
    }
    let mut command = Command::new(python);
    command.args(["-c", SCRIPT, &places.to_string(), &clients.to_string()]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().context("starting labgrid")?;
    if !output.status.success() {
        bail!("labgrid: {}", String::from_utf8_lossy(&output.stderr));
    }
    let said: Value = serde_json::from_slice(&output.stdout).context("labgrid's figures")?;
    let figure =
        |key: &str| said.get(key).and_then(Value::as_f64).with_context(|| format!("no {key} in {said}"));
    Ok(Some(Figures {
        rate: figure("rate")?,
        millis: figure("millis")?,
        alone_millis: figure("alone_millis")?,
        list_millis: figure("list_millis")?,
    }))
}
