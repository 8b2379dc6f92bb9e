//! What the virtual machine of the tests runs: Debian's kernel for clouds and its static BusyBox, taken out of their packages. Nothing of it
//! is installed on this machine, whose own kernel is nobody's business.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::command::{self, root};

/// The package that depends on the newest kernel.
const KERNEL: &str = "linux-image-cloud-amd64";
const BUSYBOX: &str = "busybox-static";

/// Whether there is nothing to do: it is there, or this machine's Debian has no packages for such a guest.
pub(crate) fn is_complete() -> bool {
    std::env::consts::ARCH != "x86_64" || folder().is_dir()
}

/// Fetches and unpacks them; 27 MB.
pub(crate) fn fetch() -> Result<()> {
    let begun = folder().with_extension("part");
    drop(fs::remove_dir_all(&begun));
    fs::create_dir_all(&begun)?;
    let kernel = newest_kernel()?;
    command::run(Command::new("apt-get").args(["download", "-qq", &kernel, BUSYBOX]).current_dir(&begun))
        .context("fetching what a virtual machine runs")?;
    for package in with_ending(&begun, ".deb")? {
        command::run(Command::new("dpkg-deb").arg("-x").arg(package).arg(begun.join("unpacked")))?;
    }
    let unpacked = begun.join("unpacked");
    let kernel = with_beginning(&unpacked.join("boot"), "vmlinuz-")?;
    fs::rename(kernel, begun.join("vmlinuz"))?;
    fs::rename(unpacked.join("bin/busybox"), begun.join("busybox"))?;
    fs::remove_dir_all(unpacked)?;
    for package in with_ending(&begun, ".deb")? {
        fs::remove_file(package)?;
    }
    Ok(fs::rename(begun, folder())?)
}

/// Below the target folder, so that `cargo clean` takes it too.
fn folder() -> PathBuf {
    root().join("target/guest")
}

fn newest_kernel() -> Result<String> {
    let output =
        Command::new("apt-cache").args(["depends", KERNEL]).output().context("starting apt-cache")?;
    let told = String::from_utf8_lossy(&output.stdout);
    let kernel = told.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    let kernel = kernel.filter(|name| name.starts_with("linux-image-"));
    kernel.map(str::to_owned).with_context(|| format!("no package {KERNEL}; does `apt-get update` work?"))
}

fn with_ending(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    Ok(found)
}

fn with_beginning(folder: &Path, beginning: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(beginning) {
            return Ok(entry.path());
        }
    }
    bail!("{} holds no {beginning}…", folder.display())
}
