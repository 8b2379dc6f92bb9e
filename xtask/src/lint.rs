//! Formatting, tidiness and Clippy; the first half of `.ci/run`.

use anyhow::Result;

use crate::{command, pages, setup, tidy};

/// Every check, the quick ones first; the first that fails ends it.
pub(crate) fn run() -> Result<()> {
    command::run(command::cargo().args(["fmt", "--all", "--check"]))?;
    tidy::run()?;
    pages::check()?;
    setup::run_for_build()?;
    command::run(command::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}
