//! A small Linux in a virtual machine, with the binary and a script: for what only a kernel of its own has, such as control groups whose
//! controllers nobody else uses. QEMU computes every instruction.
//!
//! Needs Debian's packages qemu-system-x86, cpio and binutils, and what `cargo xtask setup` fetches for the guest.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{
    machine::alone,
    present::left_out,
    process::{Process, jackfield},
    shell::sh,
    wait,
};

/// What the guest says when its script is over.
const OVER: &str = "the guest is done";
/// It holds all of its files in memory.
const MEMORY_MEGABYTES: &str = "1536";

const INIT: &str = "#!/bin/busybox sh\n/bin/busybox --install -s /bin\nmount -t proc proc /proc\nmount -t sysfs sys /sys\n\
    mount -t devtmpfs dev /dev\nmount -t cgroup2 none /sys/fs/cgroup\nip link set lo up\nhostname guest\n\
    export HOME=/root PATH=/bin\n/bin/sh /script 2>&1\necho 'OVER'\npoweroff -f\n";

/// Whether stories with it are left out here.
pub fn is_left_out() -> bool {
    left_out("qemu-system-x86", "/usr/bin/qemu-system-x86_64")
        || left_out("linux-image-cloud-amd64", &kept("vmlinuz").to_string_lossy())
}

/// Runs a script of the shell in the guest, with these files at their places, and answers with all that its console showed.
///
/// # Errors
/// The guest cannot be started, or its script is not over in time.
pub fn run(script: &str, files: &[(&str, &str)], limit: Duration) -> Result<String> {
    let _alone = alone();
    let folder = TempDir::with_prefix("jackfield-guest-")?;
    let root = folder.path().join("root");
    lay_out(&root)?;
    for (name, text) in
        files.iter().copied().chain([("script", script), ("init", &INIT.replace("OVER", OVER))])
    {
        let file = root.join(name);
        fs::create_dir_all(file.parent().context("a file has a folder")?)?;
        fs::write(&file, text)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    }
    let packed = folder.path().join("initrd");
    sh(&format!("cd {}; find . | cpio --quiet -o -H newc -R 0:0 > {}", root.display(), packed.display()))?;
    let mut command = Command::new("qemu-system-x86_64");
    command.args([
        "-accel",
        "tcg",
        "-m",
        MEMORY_MEGABYTES,
        "-display",
        "none",
        "-no-user-config",
        "-nodefaults",
    ]);
    command.args(["-no-reboot", "-serial", "stdio", "-append", "console=ttyS0 panic=-1 quiet"]);
    command.arg("-kernel").arg(kept("vmlinuz")).arg("-initrd").arg(&packed);
    let mut guest = Process::start("qemu", &mut command, &folder.path().join("console"))?;
    wait::until(limit, "the guest to end", || {
        let text = guest.output();
        if text.contains(OVER) {
            return Ok(Some(text));
        }
        match guest.ended() {
            Some(status) => bail!("the guest ended with {status}:\n{text}"),
            None => Ok(None),
        }
    })
    .with_context(|| guest.output())
}

/// Kernel and BusyBox, as `cargo xtask setup` fetches them.
pub(crate) fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guest").join(name)
}

/// What every small system has: its folders, its only user, and BusyBox.
pub(crate) fn lay_out_small(root: &Path) -> Result<()> {
    for directory in ["bin", "proc", "sys", "dev", "etc", "root", "tmp"] {
        fs::create_dir_all(root.join(directory))?;
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    fs::write(root.join("etc/group"), "root:x:0:\n")?;
    fs::copy(kept("busybox"), root.join("bin/busybox"))?;
    Ok(())
}

/// The same with our binary, and what the dynamic loader wants for it.
fn lay_out(root: &Path) -> Result<()> {
    lay_out_small(root)?;
    let binary = jackfield();
    sh(&format!("strip -o {} {}", root.join("bin/jackfield").display(), binary.display()))?;
    for library in
        sh(&format!("ldd {}", binary.display()))?.split_whitespace().filter(|word| word.starts_with('/'))
    {
        let place = root.join(library.trim_start_matches('/'));
        fs::create_dir_all(place.parent().context("a library has a folder")?)?;
        fs::copy(library, &place).with_context(|| format!("copying {library}"))?;
    }
    Ok(())
}
