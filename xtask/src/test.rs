//! Every test of the project; the second half of `.ci/run`.

use std::process::Command;

use anyhow::Result;

use crate::{
    command::{self, cargo, root},
    pages, setup,
};

/// Install what the tests need, and run every test.
#[derive(clap::Args)]
pub(crate) struct Test {
    /// Only tests whose name contains this.
    filter: Option<String>,
    /// Only this package.
    #[arg(short, long)]
    package: Option<String>,
}

impl Test {
    pub(crate) fn run(&self) -> Result<()> {
        setup::run_quietly_if_complete()?;
        if let Some(ulimit) = open_files_limit().filter(|limit| *limit < 4096) {
            eprintln!(
                "test: only {ulimit} open files are allowed; tests with many connections may want `ulimit -n 4096`"
            );
        }
        let whole = self.filter.is_none() && self.package.is_none();
        if whole {
            command::run(Command::new("/usr/bin/python3").arg("sdk/test.py").current_dir(root()))?;
        }
        pages::build()?;
        if whole {
            pages::test()?;
        }
        command::run(cargo().args([
            "build",
            "--locked",
            "--package",
            "jackfield-cli",
            "--package",
            "jackfield-run-as",
        ]))?;
        if whole {
            pages::stories()?;
        }
        let mut test = cargo();
        // Everything that fails is told in one go.
        test.args(["test", "--locked", "--no-fail-fast"]);
        match &self.package {
            Some(package) => test.args(["--package", package]),
            None => test.arg("--workspace"),
        };
        if let Some(filter) = &self.filter {
            test.args(["--", filter]);
        }
        command::run(&mut test)
    }
}

fn open_files_limit() -> Option<u64> {
    let output = Command::new("sh").args(["-c", "ulimit -n"]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
