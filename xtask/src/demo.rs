//! `cargo xtask demo`: from a fresh clone to a finished run on a screen.
//!
//! Built without optimisation, as the tests are: it is about the minutes until somebody sees something, and what was
//! built for the demo is there for the tests afterwards.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    command::{self, Steps, cargo, root},
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
        let mut steps = Steps::of(4);
        steps.next("what the build needs besides Rust: OpenSSL's static libraries, by apt-get where they are missing");
        setup::run_for_build()?;
        steps.next(
            "the web pages: npm fetches their packages, Vite builds them; about a minute the first time",
        );
        pages::build()?;
        steps.next("the binary: cargo compiles 400 crates the first time, some minutes on two cores; seconds later on");
        command::run(cargo().args(["build", "--locked", "--package", "jackfield-cli"]))?;
        let binary = root().join("target/debug/jackfield");
        steps.next(
            "the demo: `target/debug/jackfield demo` does the same from now on, without building anything",
        );
        let mut demo = Command::new(binary);
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
