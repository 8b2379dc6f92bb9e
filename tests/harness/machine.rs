//! A virtual machine as a device of the lab: U-Boot starts Linux from a disk, its serial console is a telnet port, and its mains are switched by a
//! program, as an outlet of a PDU is. QEMU computes every instruction: nothing of the machine below is used.
//!
//! Needs Debian's packages qemu-system-x86, u-boot-qemu, cpio and socat, and what `cargo xtask setup` fetches for the guest.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::{guest, present::left_out, process::Process, wait};

mod disk;

pub use disk::PASSWORD;

/// What starts it.
const BOOT_LOADER: &str = "/usr/lib/u-boot/qemu-x86/u-boot.rom";
/// How long QEMU may take to listen.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Two that compute every instruction on a few processors are too slow for any limit of a boot.
static ONE: Mutex<()> = Mutex::new(());

/// Keeps every other machine of this process away for as long as the answer is held.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A machine, switched off at first; gone with this value. Of all in a process, one is there at a time.
pub struct Machine {
    /// The port of its serial console, here.
    pub console: u16,
    process: Process,
    folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Machine {
    /// Whether stories with it are left out here.
    pub fn is_left_out() -> bool {
        guest::is_left_out() || left_out("u-boot-qemu", BOOT_LOADER)
    }

    /// Makes its disk, and connects it, once no other machine is there.
    ///
    /// # Errors
    /// A package is missing.
    pub fn start() -> Result<Self> {
        let alone = alone();
        let folder = TempDir::with_prefix("jackfield-machine-")?;
        disk::make(folder.path())?;
        let at = |name: &str| folder.path().join(name).display().to_string();
        let mut command = Command::new("qemu-system-x86_64");
        command.args([
            "-accel",
            "tcg",
            "-m",
            "256",
            "-display",
            "none",
            "-no-user-config",
            "-nodefaults",
            "-S",
        ]);
        command.args(["-bios", BOOT_LOADER, "-serial", "telnet:127.0.0.1:0,server=on,wait=off"]);
        command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", at("qmp")));
        command.arg("-drive").arg(format!("file=fat:{},format=raw,if=none,id=disk,readonly=on", at("disk")));
        command.args(["-device", "virtio-blk-pci,drive=disk"]);
        let mut process = Process::start("qemu", &mut command, &folder.path().join("log"))?;
        let console =
            wait::until(START_LIMIT, "QEMU to listen", || match console_of(Path::new(&at("qmp"))) {
                Ok(port) => Ok(Some(port)),
                Err(error) if process.ended().is_some() => Err(error.context(process.output())),
                Err(_) => Ok(None),
            })?;
        let machine = Self { console, process, folder, _alone: alone };
        machine.write_switch()?;
        Ok(machine)
    }

    /// A program that takes `on`, `off` or `status`, and is the machine's outlet.
    pub fn switch(&self) -> PathBuf {
        self.folder.path().join("power")
    }

    /// QEMU itself.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Off is a machine at the state of its reset that does not run.
    fn write_switch(&self) -> Result<()> {
        let text = format!(
            "#!/bin/sh\n\
             qmp() {{ printf '{{\"execute\":\"qmp_capabilities\"}}{{\"execute\":\"%s\"}}' $1 | socat -t 5 - UNIX-CONNECT:{}/qmp; }}\n\
             case $1 in\n\
             on) qmp cont >/dev/null ;;\n\
             off) qmp stop >/dev/null && qmp system_reset >/dev/null ;;\n\
             status) case $(qmp query-status) in *'\"running\": true'*) echo on ;; *) echo off ;; esac ;;\n\
             esac\n",
            self.folder.path().display()
        );
        fs::write(self.switch(), text)?;
        Ok(fs::set_permissions(self.switch(), fs::Permissions::from_mode(0o755))?)
    }
}

/// The port that the kernel gave QEMU for the console.
fn console_of(socket: &Path) -> Result<u16> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(br#"{"execute":"qmp_capabilities"}{"execute":"query-chardev"}"#)?;
    // It greets, takes the first command, and answers the second.
    let answer = BufReader::new(stream).lines().nth(2).context("QEMU did not answer")??;
    let answer: Value = serde_json::from_str(&answer)?;
    let devices = answer.get("return").and_then(Value::as_array).context("a list of devices")?;
    let named = |device: &&Value| device.get("label").and_then(Value::as_str) == Some("serial0");
    let place = devices.iter().find(named).and_then(|device| device.get("filename")?.as_str());
    let place = place.context("a serial line")?;
    let port = place.split(',').next().and_then(|address| address.rsplit(':').next());
    Ok(port.context("a port")?.parse()?)
}
