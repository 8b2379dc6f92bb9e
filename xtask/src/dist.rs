//! `cargo xtask dist`: what is shipped. The binary with the pages in it, optimised across crates, packed with licence and
//! changes, named by version and machine, with a checksum that `sha256sum --check` reads.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    command::{self, Steps, cargo, root},
    pages, setup,
};

/// What lies in the archive beside the binary.
const BESIDE: [&str; 3] = ["README.md", "CHANGELOG.md", "LICENSE"];

/// Builds and packs it; says where it is.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::of(4);
    steps.next("what the build needs besides Rust");
    setup::run_for_build()?;
    steps.next("the web pages");
    pages::build()?;
    steps.next("the binary, optimised across crates: ten minutes and more on two cores");
    let binary = binary()?;
    steps.next("the archive and its checksum");
    let archive = pack(&binary)?;
    eprintln!("{} and {0}.sha256 are made", archive.display());
    Ok(())
}

/// Builds the binary that is shipped, with whatever pages there are.
pub(crate) fn binary() -> Result<PathBuf> {
    command::run(cargo().args(["build", "--profile", "dist", "--locked", "--package", "jackfield-cli"]))?;
    Ok(root().join("target/dist/jackfield"))
}

/// `jackfield-0.1.0-x86_64-linux.tar.gz`, with one folder of that name in it.
fn pack(binary: &Path) -> Result<PathBuf> {
    let said = said(Command::new(binary).arg("--version"))?;
    let version = said.trim().strip_prefix("jackfield ").context("the binary tells no version")?;
    if version != env!("CARGO_PKG_VERSION") {
        bail!("the binary says that it is {version}, the workspace is {}", env!("CARGO_PKG_VERSION"));
    }
    let name = format!("jackfield-{version}-{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let place = root().join("target/dist");
    let folder = place.join(&name);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    fs::copy(binary, folder.join("jackfield")).context("taking the binary")?;
    for file in BESIDE {
        fs::copy(root().join(file), folder.join(file)).with_context(|| format!("taking {file}"))?;
    }
    let archive = format!("{name}.tar.gz");
    // The same files make the same bytes, whoever packs them when.
    let mut tar = Command::new("tar");
    tar.args([
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mtime=@0",
        "-czf",
        &archive,
        &name,
    ]);
    command::run(tar.current_dir(&place))?;
    let sum = self::said(Command::new("sha256sum").arg(&archive).current_dir(&place))?;
    fs::write(place.join(format!("{archive}.sha256")), sum).context("writing the checksum")?;
    Ok(place.join(archive))
}

/// What a program prints.
fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting {:?}", command.get_program()))?;
    if !output.status.success() {
        bail!("{:?} ended with {}", command.get_program(), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}
