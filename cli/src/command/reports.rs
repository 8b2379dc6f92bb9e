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

/// Which reports are wanted, and where: each with the option that asks for it, and where the engine has it.
pub(crate) struct Reports(Vec<(PathBuf, Kind)>);

/// A kind of report.
#[derive(Clone, Copy)]
struct Kind {
    option: &'static str,
    path: &'static str,
}

const JUNIT: Kind = Kind { option: "--junit", path: "junit.xml" };
const HTML: Kind = Kind { option: "--html", path: "report.html" };
const CSV: Kind = Kind { option: "--csv", path: "report.csv" };
const JSON: Kind = Kind { option: "--json-file", path: "report.json" };
const TAP: Kind = Kind { option: "--tap", path: "report.tap" };

/// Reports of all kinds.
#[derive(clap::Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Wanted {
    /// The results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// The report for a browser.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// All tests as comma-separated values.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// The run and all its tests as JSON (`--json` alone is how every command prints).
    #[arg(long, value_name = "FILE")]
    json_file: Option<PathBuf>,
    /// All tests in the Test Anything Protocol.
    #[arg(long, value_name = "FILE")]
    tap: Option<PathBuf>,
}

impl From<&Wanted> for Reports {
    fn from(wanted: &Wanted) -> Self {
        let Wanted { junit, html, csv, json_file, tap } = wanted;
        let each = [(junit, JUNIT), (html, HTML), (csv, CSV), (json_file, JSON), (tap, TAP)];
        Self(each.into_iter().filter_map(|(file, kind)| Some((file.clone()?, kind))).collect())
    }
}

impl Reports {
    /// Those that have a file.
    pub(crate) fn new(junit: Option<PathBuf>, html: Option<PathBuf>) -> Self {
        let wanted = [(junit, JUNIT), (html, HTML)];
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
            write(client, run, file, kind.path).with_context(|| {
                format!("get the report with `jackfield runs report {run} {} FILE`", kind.option)
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
