//! A serial line for one alone: two who read the same console each get half of it. The lock is that of `flock`, which `picocom`, `tio` and
//! systemd's tools respect, and TIOCEXCL, which keeps everybody but root from opening it at all.

use std::{io, os::fd::OwnedFd, path::Path};

use rustix::{
    fs::{FlockOperation, Stat, flock},
    io::Errno,
    termios::ioctl_tiocexcl,
};

/// Takes the lock, which ends with the file.
pub(super) fn take(fd: &OwnedFd) -> io::Result<()> {
    match flock(fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(ioctl_tiocexcl(fd)?),
        Err(Errno::WOULDBLOCK) => Err(Errno::BUSY.into()),
        Err(error) => Err(error.into()),
    }
}

/// An error of opening in words. What is no error of the system's has words already.
pub(super) fn explain(device: &Path, error: io::Error) -> io::Error {
    let Some(errno) = Errno::from_io_error(&error) else { return error };
    if errno == Errno::BUSY {
        return busy(device);
    }
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default().to_lowercase();
    let remedy = if error.kind() == io::ErrorKind::PermissionDenied {
        "; add the EP's user to the group that owns it (dialout)"
    } else if error.kind() == io::ErrorKind::NotFound {
        "; is it plugged in?"
    } else {
        ""
    };
    io::Error::new(error.kind(), format!("`{}`: {words}{remedy}", device.display()))
}

fn busy(device: &Path) -> io::Error {
    let holders = holders(device);
    let by = if holders.is_empty() { "somebody else".to_owned() } else { holders.join(", ") };
    io::Error::new(io::ErrorKind::ResourceBusy, format!("`{}` is in use by {by}", device.display()))
}

/// The processes that have the device open, as far as we may see them.
fn holders(device: &Path) -> Vec<String> {
    let Ok(wanted) = rustix::fs::stat(device) else { return Vec::new() };
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let own = std::process::id();
    let mut holders = Vec::new();
    for process in processes.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let open = open_files(&process.path(), &wanted);
        if pid == own && open > 0 {
            holders.push("another session of this EP".to_owned());
        } else if pid != own && open > 0 {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            holders.push(format!("{} (process {pid})", name.trim()));
        }
    }
    holders
}

fn open_files(process: &Path, wanted: &Stat) -> usize {
    let Ok(files) = std::fs::read_dir(process.join("fd")) else { return 0 };
    let is_it = |file: &std::fs::DirEntry| {
        rustix::fs::stat(file.path())
            .is_ok_and(|stat| stat.st_rdev == wanted.st_rdev && stat.st_ino == wanted.st_ino)
    };
    files.flatten().filter(is_it).count()
}
