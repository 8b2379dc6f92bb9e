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

/// What root installs for EPs that are not root.
const HELPER: &str = "jackfield-run-as";
/// What lies in the archive beside the programs.
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
    let helper = helper()?;
    steps.next("the archive and its checksum");
    let archive = pack(&binary, &helper, &root().join("target/dist"))?;
    eprintln!("{} and {0}.sha256 are made", archive.display());
    Ok(())
}

/// Builds the binary that is shipped, with whatever pages there are.
pub(crate) fn binary() -> Result<PathBuf> {
    command::run(cargo().args(["build", "--profile", "dist", "--locked", "--package", "jackfield-cli"]))?;
    Ok(root().join("target/dist/jackfield"))
}

/// Builds what root installs where tests run as other users than an EP that is not root.
fn helper() -> Result<PathBuf> {
    command::run(cargo().args(["build", "--profile", "dist", "--locked", "--package", "jackfield-run-as"]))?;
    Ok(root().join("target/dist").join(HELPER))
}

/// `jackfield-0.1.0-x86_64-linux.tar.gz` in this place, with one folder of that name in it.
fn pack(binary: &Path, helper: &Path, place: &Path) -> Result<PathBuf> {
    let said = said(Command::new(binary).arg("--version"))?;
    let version = said.trim().strip_prefix("jackfield ").context("the binary tells no version")?;
    if version != env!("CARGO_PKG_VERSION") {
        bail!("the binary says that it is {version}, the workspace is {}", env!("CARGO_PKG_VERSION"));
    }
    let name = format!("jackfield-{version}-{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let folder = place.join(&name);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    fs::copy(binary, folder.join("jackfield")).context("taking the binary")?;
    fs::copy(helper, folder.join(HELPER)).context("taking the helper")?;
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
    command::run(tar.current_dir(place))?;
    let sum = self::said(Command::new("sha256sum").arg(&archive).current_dir(place))?;
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn binary(place: &Path, version: &str) -> PathBuf {
        let file = place.join("binary");
        fs::write(&file, format!("#!/bin/sh\necho jackfield {version}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    #[test]
    fn what_is_packed_can_be_checked_and_unpacked() {
        let place = root().join("target/tmp").join(format!("dist-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        let helper = place.join("helper");
        fs::write(&helper, "").unwrap();
        let archive = pack(&binary(&place, env!("CARGO_PKG_VERSION")), &helper, &place).unwrap();
        let sum = format!("{}.sha256", archive.display());
        assert!(
            said(Command::new("sha256sum").args(["--check", &sum]).current_dir(&place))
                .unwrap()
                .contains("OK")
        );
        let list = said(Command::new("tar").arg("-tf").arg(&archive)).unwrap();
        for name in ["jackfield", HELPER, "README.md", "CHANGELOG.md", "LICENSE"] {
            assert!(list.lines().any(|line| line.ends_with(&format!("/{name}"))), "{list}");
        }
        let first = fs::read(&archive).unwrap();
        pack(&binary(&place, env!("CARGO_PKG_VERSION")), &helper, &place).unwrap();
        assert!(fs::read(&archive).unwrap() == first, "the same files make the same bytes");
        assert!(pack(&binary(&place, "9.9.9"), &helper, &place).unwrap_err().to_string().contains("9.9.9"));
        fs::remove_dir_all(&place).unwrap();
    }
}
