//! Scripts of a few words.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a script to its end; what it printed.
///
/// # Errors
/// One of its commands failed.
pub fn sh(script: &str) -> Result<String> {
    let output =
        Command::new("sh").args(["-ec", script]).stdin(Stdio::null()).output().context("starting sh")?;
    if !output.status.success() {
        bail!("`{script}` failed (are you root?): {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
