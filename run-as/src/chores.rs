//! What an EP has done as its test's user: with files that a test named, and with what it leaves behind.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use nix::unistd::Pid;
use rustix::fs::{Access, FileType, Mode, OFlags};

use crate::{Fault, Whom, possessions};

/// Where programs put what they need for a while.
const TEMPORARY: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];
/// A folder whose owner took its own rights away.
const OWN: Mode = Mode::RWXU;

fn failed(path: &Path, error: &io::Error) -> Fault {
    if error.kind() == io::ErrorKind::NotFound {
        return Fault::NotThere(path.display().to_string());
    }
    Fault::Chore(format!("`{}`: {error}", path.display()))
}

/// Writes a regular file to standard output; never one whose opening or reading waits for somebody.
pub(crate) fn read(path: &Path, most: u64) -> Result<(), Fault> {
    let told = |error: io::Error| failed(path, &error);
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| told(error.into()))?;
    let found = rustix::fs::fstat(&opened).map_err(|error| told(error.into()))?;
    let what = match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => None,
        FileType::Fifo => Some("a named pipe"),
        FileType::Directory => Some("a folder"),
        FileType::Socket => Some("a socket"),
        FileType::CharacterDevice | FileType::BlockDevice => Some("a device"),
        FileType::Symlink | FileType::Unknown => Some("something else"),
    };
    if let Some(what) = what {
        return Err(Fault::Chore(format!("`{}` is {what}, and no file", path.display())));
    }
    let mut file = File::from(opened).take(most.saturating_add(1));
    let copied = io::copy(&mut file, &mut io::stdout().lock()).map_err(told)?;
    if copied > most {
        return Err(Fault::Chore(format!("it has more than {most} bytes, which are the most")));
    }
    Ok(())
}

/// Writes standard input to a file: whole, or not at all.
pub(crate) fn write(path: &Path) -> Result<(), Fault> {
    let told = |error: io::Error| failed(path, &error);
    let name = path.file_name().ok_or_else(|| told(io::ErrorKind::InvalidInput.into()))?;
    let mut part_name = OsString::from(".");
    part_name.push(name);
    part_name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(part_name);
    let written = File::create_new(&part).and_then(|mut file| {
        io::copy(&mut io::stdin().lock(), &mut file)?;
        file.flush()?;
        fs::rename(&part, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written.map_err(told)
}

/// Signals processes: as this user, so that nobody else's can be among them.
pub(crate) fn end(signal: i32, whom: &Whom) -> Result<(), Fault> {
    let signal = nix::sys::signal::Signal::try_from(signal)
        .map_err(|error| Fault::NoOrder(format!("{signal} is no signal: {error}")))?;
    let one = |pid: i32| {
        // One that has gone meanwhile is what was wanted.
        let _ = nix::sys::signal::kill(Pid::from_raw(pid), signal);
    };
    match whom {
        // This one itself is left out by the system.
        Whom::All => one(-1),
        Whom::These(pids) => pids.iter().copied().for_each(one),
        Whom::Marked(mark) => {
            let own = std::process::id();
            for pid in possessions().into_iter().map(|found| found.pid) {
                let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                let is_marked = environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes());
                if is_marked && u32::try_from(pid) != Ok(own) {
                    one(pid);
                }
            }
        }
    }
    Ok(())
}

/// Removes what is in a folder, and what this user put into temporary folders since.
pub(crate) fn clear(folder: &Path, since: i64) -> Result<(), Fault> {
    let mut first = None;
    for entry in entries(folder) {
        if let Err(error) = remove(&entry) {
            first.get_or_insert(failed(&entry, &error));
        }
    }
    let own = nix::unistd::Uid::effective().as_raw();
    for entry in TEMPORARY.iter().flat_map(|place| entries(Path::new(place))) {
        let is_ours =
            fs::symlink_metadata(&entry).is_ok_and(|found| found.uid() == own && found.ctime() >= since);
        if is_ours && let Err(error) = remove(&entry) {
            first.get_or_insert(failed(&entry, &error));
        }
    }
    first.map_or(Ok(()), Err)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Removes a file or a folder, also one whose owner, who is this user, took its own rights away.
fn remove(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return fs::remove_file(path);
    }
    if fs::remove_dir_all(path).is_ok() {
        return Ok(());
    }
    open_up(path);
    fs::remove_dir_all(path)
}

/// Gives this user its rights to folders back; it does not matter whose folder a link leads to: links are not followed.
fn open_up(folder: &Path) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Without the right to read a folder, it can only be changed by its name.
    if fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir()) {
        let _ = rustix::fs::chmod(folder, OWN);
    }
    if rustix::fs::open(folder, flags, Mode::empty()).is_ok() {
        entries(folder).iter().for_each(|entry| open_up(entry));
    }
}

/// Looks whether this user comes to places, and into those that are folders.
pub(crate) fn reach(paths: &[PathBuf]) -> Result<(), Fault> {
    for path in paths {
        let shut = path.ancestors().collect::<Vec<&Path>>().into_iter().rev().find(|place| {
            // A way to it is enough, above; it need not be listed.
            let is_folder = *place != path || fs::metadata(place).is_ok_and(|found| found.is_dir());
            let wanted = if is_folder { Access::EXEC_OK } else { Access::READ_OK };
            rustix::fs::access(*place, wanted).is_err()
        });
        if let Some(shut) = shut {
            let (shut, path) = (shut.display(), path.display());
            return Err(Fault::Chore(format!("it cannot come to `{path}`: `{shut}` is closed to it")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_is_cleared_whatever_its_owner_did_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, outside) = (folder.path().join("in"), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("kept"), "x").unwrap();
        fs::create_dir_all(inner.join("a/b")).unwrap();
        fs::write(inner.join("a/b/file"), "x").unwrap();
        std::os::unix::fs::symlink(outside.path(), inner.join("a/link")).unwrap();
        fs::set_permissions(inner.join("a/b"), fs::Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(inner.join("a"), fs::Permissions::from_mode(0o500)).unwrap();
        clear(&inner, i64::MAX).unwrap();
        assert_eq!(entries(&inner), Vec::<PathBuf>::new());
        assert!(outside.path().join("kept").is_file());
    }

    #[test]
    fn a_place_that_cannot_be_come_to_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(reach(&[folder.path().to_owned()]).is_ok());
        let gone = folder.path().join("gone/deeper");
        let why = reach(&[gone]).unwrap_err().to_string();
        assert!(why.contains("/gone` is closed to it"), "{why}");
    }
}
