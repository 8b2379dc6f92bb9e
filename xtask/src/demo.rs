//! `cargo xtask demo`: from a fresh clone to a finished run on a screen.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    command::{self, cargo, root},
    pages, setup,
};

/// Build, start a small lab, run the demo project in it, and stay up until Ctrl-C.
#[derive(clap::Args)]
pub(crate) struct Demo {
    /// End when the run has ended, with its exit code.
    #[arg(long)]
    once: bool,
    /// Port of the web pages and the API; a free one by default.
    #[arg(long)]
    port: Option<u16>,
    /// Keep the lab in this folder instead of a temporary one.
    #[arg(long)]
    lab: Option<PathBuf>,
}

impl Demo {
    pub(crate) fn run(&self) -> Result<()> {
        setup::run_for_build()?;
        pages::build()?;
        command::run(cargo().args(["build", "--release", "--locked", "--package", "jackfield-cli"]))?;
        let mut demo = Command::new(root().join("target/release/jackfield"));
        demo.arg("demo");
        if self.once {
            demo.arg("--once");
        }
        if let Some(port) = self.port {
            demo.arg("--port").arg(port.to_string());
        }
        if let Some(lab) = &self.lab {
            demo.arg("--lab").arg(lab);
        }
        let status = demo.status().context("starting the demo")?;
        std::process::exit(status.code().unwrap_or(130));
    }
}
