//! The peers: what each is called, how it comes onto a machine, and how it is told to run a list of tests.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::TESTS;
use crate::command::run;

/// A kind of test that we and a peer can both run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tests {
    /// Each is a copy of `/bin/true`.
    Programs,
    /// Each is a shell script that speaks TAP, which prove wants to hear.
    Scripts,
}

impl Tests {
    /// The folder they are in.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Programs => "programs",
            Self::Scripts => "scripts",
        }
    }

    /// A test's file, with its folder.
    pub(super) fn name(self, number: usize) -> String {
        let ending = match self {
            Self::Programs => "",
            Self::Scripts => ".sh",
        };
        format!("{}/t{number:04}{ending}", self.folder())
    }

    /// What is in the file.
    pub(super) fn text(self, name: &str) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Programs => fs::read("/bin/true")?,
            Self::Scripts => format!("#!/bin/sh\necho 1..1\necho 'ok 1 - {name}'\n").into_bytes(),
        })
    }
}

/// Another runner.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    /// The measure's name.
    pub(super) name: &'static str,
    /// The program to look for.
    pub(super) program: &'static str,
    /// Said where it is not found: how to get it.
    pub(super) absent: &'static str,
    /// What it runs.
    pub(super) tests: Tests,
    /// How many of them.
    pub(super) count: usize,
    /// What it prints when `{}` tests have passed.
    pub(super) says: &'static str,
    /// Writes what it needs into a folder, for these tests; the answer is the command to time.
    pub(super) lay_out: fn(&Path, &Path, &[PathBuf]) -> Result<Command>,
}

pub(super) const PEERS: [Peer; 7] = [
    Peer {
        name: "each test, against ctest",
        program: "ctest",
        absent: "not here: cargo xtask setup --bench",
        tests: Tests::Programs,
        count: TESTS,
        says: "0 tests failed out of {}",
        lay_out: ctest,
    },
    Peer {
        name: "each test, against prove",
        program: "prove",
        absent: "not here: apt-get install perl",
        tests: Tests::Scripts,
        count: TESTS,
        says: "Tests={},",
        lay_out: prove,
    },
    Peer {
        name: "each test, against pytest with a process",
        program: "pytest",
        absent: "not here: cargo xtask setup",
        tests: Tests::Programs,
        count: TESTS,
        says: "{} passed",
        lay_out: pytest,
    },
    Peer {
        name: "each test, against Robot with a process",
        program: "robot",
        absent: "not here: cargo xtask setup",
        tests: Tests::Programs,
        count: TESTS,
        says: "{} passed, 0 failed",
        lay_out: robot,
    },
    Peer {
        name: "each test, against bats (200)",
        program: "bats",
        absent: "not here: cargo xtask setup --bench",
        tests: Tests::Programs,
        count: 200,
        says: "1..{}",
        lay_out: bats,
    },
    Peer {
        name: "each test, against avocado (50)",
        program: "avocado",
        absent: "not here: cargo xtask setup --bench",
        tests: Tests::Programs,
        count: 50,
        says: "PASS {} ",
        lay_out: avocado,
    },
    Peer {
        name: "each test, against nextest",
        program: "cargo-nextest",
        absent: "not here: cargo install --locked cargo-nextest",
        tests: Tests::Programs,
        count: TESTS,
        says: "{} passed, 0 skipped",
        lay_out: nextest,
    },
];

fn ctest(program: &Path, folder: &Path, tests: &[PathBuf]) -> Result<Command> {
    let list = each(tests, |text, number, file| writeln!(text, "add_test(t{number} \"{file}\")"))?;
    fs::write(folder.join("CTestTestfile.cmake"), list)?;
    Ok(command(program, folder, &["-j1"]))
}

fn prove(program: &Path, folder: &Path, tests: &[PathBuf]) -> Result<Command> {
    let mut command = command(program, folder, &["-q", "-j1", "--exec", "sh"]);
    command.args(tests);
    Ok(command)
}

fn pytest(program: &Path, folder: &Path, tests: &[PathBuf]) -> Result<Command> {
    let list = each(tests, |text, number, file| {
        writeln!(text, "def test_{number}():\n    assert subprocess.run([{file:?}]).returncode == 0\n")
    })?;
    fs::write(folder.join("test_processes.py"), format!("import subprocess\n\n{list}"))?;
    Ok(command(program, folder, &["-q", "-p", "no:cacheprovider", "test_processes.py"]))
}

fn robot(program: &Path, folder: &Path, tests: &[PathBuf]) -> Result<Command> {
    let list = each(tests, |text, number, file| {
        writeln!(text, "T{number}")?;
        writeln!(text, "    ${{ended}}=    Run Process    {file}")?;
        writeln!(text, "    Should Be Equal As Integers    ${{ended.rc}}    0")
    })?;
    let text = format!("*** Settings ***\nLibrary    Process\n*** Test Cases ***\n{list}");
    fs::write(folder.join("processes.robot"), text)?;
    Ok(command(program, folder, &["--outputdir", "out", "processes.robot"]))
}

fn bats(program: &Path, folder: &Path, tests: &[PathBuf]) -> Result<Command> {
    let list = each(tests, |text, number, file| {
        writeln!(text, "@test \"t{number}\" {{\n  run '{file}'\n  [ \"$status\" -eq 0 ]\n}}")
    })?;
    fs::write(folder.join("processes.bats"), list)?;
    Ok(command(program, folder, &["processes.bats"]))
}

fn avocado(program: &Path, folder: &Path, tests: &[PathBuf]) -> Result<Command> {
    let mut command = command(program, folder, &["run", "--disable-sysinfo", "--max-parallel-tasks=1"]);
    command.arg("--job-results-dir").arg(folder.join("results")).args(tests);
    // It keeps a database in the home folder.
    command.env("HOME", folder);
    Ok(command)
}

/// A test binary that lists the tests as libtest does, and whose every test is as trivial as `/bin/true`.
const NEXTEST_BINARY: &str = r#"
fn main() {
    let asked = |word: &str| std::env::args().any(|argument| argument == word);
    if asked("--list") && !asked("--ignored") {
        for number in 1..=TESTS {
            println!("t{number}: test");
        }
    }
}
"#;

/// The list is made anew in Rust, nextest running nothing else; building it is not timed.
fn nextest(program: &Path, folder: &Path, tests: &[PathBuf]) -> Result<Command> {
    let manifest = "[package]\nname = \"trivial\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[[test]]\nname = \"trivial\"\npath = \"trivial.rs\"\nharness = false\n";
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("trivial.rs"), format!("const TESTS: usize = {};\n{NEXTEST_BINARY}", tests.len()))?;
    let run_all = || {
        let mut command =
            command(program, folder, &["nextest", "run", "--offline", "--target-dir", "target"]);
        command.env_remove("CARGO_TARGET_DIR");
        command
    };
    run(run_all().arg("--no-run"))?;
    let mut command = run_all();
    command.args(["--test-threads", "1", "--show-progress", "none", "--status-level", "none"]);
    Ok(command)
}

fn command(program: &Path, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command
}

/// A text with a piece for each test.
fn each(tests: &[PathBuf], write: impl Fn(&mut String, usize, &str) -> std::fmt::Result) -> Result<String> {
    let mut text = String::new();
    for (number, file) in (1..).zip(tests) {
        write(&mut text, number, &file.to_string_lossy())?;
    }
    Ok(text)
}
