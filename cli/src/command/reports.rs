//! The reports of a run as files: looked at before a run is started, so that a night is not lost to a folder that is not
//! there; and written when it has ended.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use jackfield_protocol::id::RunId;

use crate::client::Client;

/// A report quotes logs: the engine waits for those that are still on their way from an EP.
const LOGS_WAIT: Duration = Duration::from_secs(300);

/// Which reports are wanted, and where.
pub(crate) struct Reports(Vec<(PathBuf, &'static str)>);

impl Reports {
    /// Those that have a file.
    pub(crate) fn new(junit: Option<PathBuf>, html: Option<PathBuf>) -> Self {
        let wanted = [(junit, "junit.xml"), (html, "report.html")];
        Self(wanted.into_iter().filter_map(|(file, kind)| Some((file?, kind))).collect())
    }

    /// None at all.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether each can be written; one that is there stays as it is.
    pub(crate) fn look(&self) -> Result<()> {
        for (file, _) in &self.0 {
            let is_new = !file.try_exists().unwrap_or(true);
            let open = OpenOptions::new().create(true).append(true).open(file);
            open.with_context(|| {
                format!("the report {} cannot be written; nothing was done", file.display())
            })?;
            if is_new {
                // It comes back when there is something in it.
                drop(std::fs::remove_file(file));
            }
        }
        Ok(())
    }

    /// Writes them; each is whole, or the error says how to get it.
    pub(crate) fn write(&self, client: &Client, run: RunId) -> Result<()> {
        for (file, kind) in &self.0 {
            write(client, run, file, kind).with_context(|| {
                let option = if *kind == "junit.xml" { "--junit" } else { "--html" };
                format!("get the report with `jackfield runs report {run} {option} FILE`")
            })?;
        }
        Ok(())
    }
}

fn write(client: &Client, run: RunId, file: &Path, kind: &str) -> Result<()> {
    let mut body = client.patient(LOGS_WAIT).bytes(&format!("/runs/{run}/{kind}"))?;
    let mut out = std::fs::File::create(file).with_context(|| format!("creating {}", file.display()))?;
    std::io::copy(&mut body, &mut out).with_context(|| format!("writing {}", file.display()))?;
    Ok(())
}
