//! `cargo xtask fuzz`: what a peer may send, thought up by libFuzzer and held against the promises of `jackfield_device::invariants`.
//!
//! Needs the nightly compiler (`rustup toolchain install nightly`) and nothing else: cargo-fuzz would add the same flags. What breaks a
//! promise is kept in `fuzz/artifacts/`, what leads to new code in `fuzz/found/`; neither is part of the project. A finding that was mended
//! goes to `fuzz/corpus/`, small and by hand, where a test of every build finds it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::command::{self, root};

/// The target for which nightly builds; that of the sanitizer's runtime is the same.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// What makes a program tell libFuzzer where it has been.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=4";
/// Bytes of an input: recordings of dialogues are longer, and would only be slower.
const BYTES_MAX: u32 = 4096;
/// Seconds that one input may take.
const INPUT_SECS_MAX: u32 = 10;

/// Let a fuzzer look for bytes that break a promise.
#[derive(clap::Args)]
pub(crate) struct Fuzz {
    /// One of `fuzz/fuzz_targets/`; all of them, one after the other, where none is named.
    target: Option<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 120)]
    seconds: u32,
}

impl Fuzz {
    pub(crate) fn run(&self) -> Result<()> {
        let all = targets()?;
        let wanted = match &self.target {
            Some(target) if all.contains(target) => vec![target.clone()],
            Some(target) => bail!("there is no target `{target}`: there are {}", all.join(", ")),
            None => all,
        };
        let folder = root().join("fuzz");
        build(&folder)?;
        for target in wanted {
            self.fuzz(&folder, &target)?;
        }
        Ok(())
    }

    fn fuzz(&self, folder: &Path, target: &str) -> Result<()> {
        let [found, artifacts] = ["found", "artifacts"].map(|kind| folder.join(kind).join(target));
        for kept in [&found, &artifacts] {
            fs::create_dir_all(kept).with_context(|| format!("making `{}`", kept.display()))?;
        }
        let program = folder.join("target").join(TRIPLE).join("release").join(target);
        command::run(
            Command::new(program)
                .arg(found)
                .arg(folder.join("corpus").join(target))
                .arg(format!("-max_total_time={}", self.seconds))
                .arg(format!("-max_len={BYTES_MAX}"))
                .arg(format!("-timeout={INPUT_SECS_MAX}"))
                .arg(format!("-artifact_prefix={}/", artifacts.display()))
                .args(["-print_final_stats=1", "-verbosity=0"]),
        )
    }
}

fn targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("reading `{}`", folder.display()))?;
    let files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let stem = |file: &PathBuf| Some(file.file_stem()?.to_string_lossy().into_owned());
    let mut targets: Vec<String> = files.iter().filter_map(stem).collect();
    targets.sort();
    Ok(targets)
}

fn build(folder: &Path) -> Result<()> {
    // The versions that are tested are those that are shipped.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).context("copying Cargo.lock")?;
    // By rustup: the cargo that runs us is that of another toolchain.
    command::run(
        Command::new("rustup")
            .args(["run", "nightly", "cargo", "build", "--release", "--target", TRIPLE])
            .current_dir(folder)
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("CARGO")
            .env("RUSTFLAGS", FLAGS),
    )
    .context("is the nightly compiler there? rustup toolchain install nightly")
}
