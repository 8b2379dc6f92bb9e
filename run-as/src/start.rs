//! Becoming a program, with what a fresh login has.

use std::{
    ffi::OsString,
    io::{Read as _, Write as _},
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::Command,
};

use rustix::{
    fs::{FileType, Mode, OFlags},
    process::{Resource, Rlimit},
};

use crate::{Account, Fault, Limits};

/// Files that a test makes can be read by all and changed by it alone, as on any fresh login.
const UMASK: u32 = 0o022;
/// Of the caller's environment, what a program gets that it was not made for.
const KEPT: [&str; 5] = ["PATH", "LANG", "TERM", "TZ", "SNMPCONFPATH"];
/// What is said to a program that waits.
pub const GO: &[u8] = b"go";
/// Forms of programs that somebody has told the kernel, see `binfmt_misc`.
const OTHER_FORMS: &str = "/proc/sys/fs/binfmt_misc";
const MAGIC_BYTES: u64 = 4;
const NULL: &str = "/dev/null";
const FIRST_FREE_FD: i32 = 3;
/// The home of whoever has none: nothing can be put there.
const NO_HOME: &str = "/";
/// More is not read of why a program was not started.
const ANSWER_BYTES_MAX: u64 = 4096;

/// Sets limits while this is still root, who may also raise them. One that cannot be set is no reason to fail a test.
pub(crate) fn raise(limits: Limits) {
    let Limits { open_files, processes, memory } = limits;
    for (resource, most) in
        [(Resource::Nofile, open_files), (Resource::Nproc, processes), (Resource::As, memory)]
    {
        if most.is_some() {
            let _ = rustix::process::setrlimit(resource, Rlimit { current: most, maximum: most });
        }
    }
}

/// How a program is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// It gets little of the caller's environment.
    pub(crate) plain: bool,
    /// It begins when it is told to.
    pub(crate) waits: bool,
}

/// Becomes the program; comes back only with the reason why that cannot be.
pub(crate) fn start(
    account: &Account,
    home: Option<&Path>,
    manner: Manner,
    command: &[OsString],
) -> Result<(), Fault> {
    let (program, arguments) = split(command)?;
    rustix::process::umask(Mode::from_raw_mode(UMASK));
    // Where the caller made a session, or a terminal, for it, this is that one's head already.
    let _ = rustix::process::setsid();
    let asker = Asker::of_standard_input();
    if manner.waits {
        wait(asker.as_ref())?;
    }
    let mut command = Command::new(program);
    command.args(arguments);
    if manner.plain {
        command.env_clear();
        command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    }
    command.env("USER", &account.name).env("LOGNAME", &account.name);
    command.env("HOME", home.unwrap_or(Path::new(NO_HOME)));
    // Said again here: what has the set-user-ID bit is started without it, whatever its caller said.
    match home.filter(|home| *home != Path::new(NO_HOME)) {
        Some(home) => command.env("TMPDIR", home),
        None => command.env_remove("TMPDIR"),
    };
    become_it(command, asker)
}

/// Becomes a program of this user's, when it is told to.
pub(crate) fn when_told(command: &[OsString]) -> Result<(), Fault> {
    let (program, arguments) = split(command)?;
    let asker = Asker::of_standard_input();
    wait(asker.as_ref())?;
    let mut command = Command::new(program);
    command.args(arguments);
    become_it(command, asker)
}

/// Goes into a control group of its own below this one, and becomes a program of this user's there.
pub(crate) fn in_group(parent: &Path, name: &str, command: &[OsString]) -> Result<(), Fault> {
    let (program, arguments) = split(command)?;
    let group = parent.join(name);
    enter(&group).map_err(|error| Fault::Chore(format!("control group `{}`: {error}", group.display())))?;
    let mut command = Command::new(program);
    command.args(arguments);
    become_it(command, None)
}

fn enter(group: &Path) -> std::io::Result<()> {
    match std::fs::create_dir(group) {
        // Left by a program that had this number before: what is still in it ends together with this one.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    std::fs::write(group.join("cgroup.procs"), "0")
}

fn split(command: &[OsString]) -> Result<(&OsString, &[OsString]), Fault> {
    command.split_first().ok_or_else(|| Fault::NoOrder("there is no program".to_owned()))
}

fn wait(asker: Option<&Asker>) -> Result<(), Fault> {
    let asker =
        asker.ok_or_else(|| Fault::NoOrder("nobody is there who would tell it to begin".to_owned()))?;
    // Whoever goes away without a word does not want it any more, and hears nothing.
    asker.is_told().then_some(()).ok_or_else(|| Fault::Chore(String::new()))
}

fn become_it(mut command: Command, asker: Option<Asker>) -> Result<(), Fault> {
    // The C library would have a shell try what the kernel does not take for a program.
    let error = match is_no_program(Path::new(command.get_program())) {
        true => std::io::Error::from(rustix::io::Errno::NOEXEC),
        false => command.exec(),
    };
    let name = command.get_program().to_string_lossy().into_owned();
    match asker {
        Some(asker) => {
            asker.tell(&error);
            Err(Fault::Chore(String::new()))
        }
        None => Err(Fault::Chore(format!("`{name}` cannot be started: {error}"))),
    }
}

/// Whether a file has neither a first line that names an interpreter nor the form of a program. A machine may know other forms than these.
fn is_no_program(file: &Path) -> bool {
    let mut beginning = Vec::new();
    let opened = std::fs::File::open(file).ok().filter(|_| file.components().nth(1).is_some());
    let read = opened.and_then(|opened| opened.take(MAGIC_BYTES).read_to_end(&mut beginning).ok());
    let is_known = beginning.starts_with(b"#!") || beginning.starts_with(b"\x7fELF");
    // What cannot be looked at is the kernel's to refuse.
    read.is_some() && !is_known && !knows_other_forms()
}

/// Beside what registers forms, and their state, there is a file for each.
fn knows_other_forms() -> bool {
    let entries = std::fs::read_dir(OTHER_FORMS).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| name != "register" && name != "status")
}

/// Who waits to hear whether the program could be started: a socket in the place of standard input, closed when it was.
struct Asker(OwnedFd);

impl Asker {
    /// Gives the program an empty standard input, where it is a socket.
    fn of_standard_input() -> Option<Self> {
        let found = rustix::fs::fstat(rustix::stdio::stdin()).ok()?;
        if FileType::from_raw_mode(found.st_mode) != FileType::Socket {
            return None;
        }
        let own = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), FIRST_FREE_FD).ok()?;
        let null = rustix::fs::open(NULL, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        rustix::stdio::dup2_stdin(&null).ok()?;
        Some(Self(own))
    }

    fn is_told(&self) -> bool {
        let mut word = vec![0; GO.len()];
        let Ok(own) = self.0.try_clone() else { return false };
        std::fs::File::from(own).read_exact(&mut word).is_ok() && word == GO
    }

    fn tell(self, error: &std::io::Error) {
        let number = error.raw_os_error().unwrap_or_default();
        // Nobody is there any more: then nobody needs to know.
        let _ = std::fs::File::from(self.0).write_all(format!("errno {number}").as_bytes());
    }
}

/// Says what went wrong: to the one who waits at the other end of standard input, or to a person.
pub(crate) fn complain(fault: &Fault) {
    let text = fault.to_string();
    if text.is_empty() {
        return;
    }
    if let Some(asker) = Asker::of_standard_input() {
        let _ = std::fs::File::from(asker.0).write_all(text.as_bytes());
        return;
    }
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Reads what a program that was started says of it: nothing, where it was.
///
/// # Errors
/// Why it was not.
pub fn heard(answer: impl std::io::Read) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    // Who goes without having read its word leaves an error behind what it said.
    match answer.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes) {
        Err(error) if bytes.is_empty() => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match text.strip_prefix("errno ").map(str::parse) {
        _ if text.is_empty() => Ok(()),
        Some(Ok(number)) => Err(std::io::Error::from_raw_os_error(number)),
        Some(Err(_)) | None => Err(std::io::Error::other(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_an_earlier_program_of_this_number_left_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let group = folder.path().join("session-7");
        for _ in 0..2 {
            enter(&group).unwrap();
            assert_eq!(std::fs::read_to_string(group.join("cgroup.procs")).unwrap(), "0");
        }
        assert!(enter(&folder.path().join("gone/session-7")).is_err());
    }

    #[test]
    fn a_file_that_the_kernel_does_not_take_is_tried_by_no_shell() {
        let folder = tempfile::tempdir().unwrap();
        for (text, is_none) in [("echo no first line\n", true), ("", true), ("#!/bin/sh\ntrue\n", false)] {
            let file = folder.path().join("test");
            std::fs::write(&file, text).unwrap();
            assert_eq!(is_no_program(&file), is_none && !knows_other_forms(), "{text}");
        }
        assert!(!is_no_program(Path::new("/bin/true")));
        assert!(!is_no_program(Path::new("sh")), "that is looked up");
        assert!(!is_no_program(&folder.path().join("gone")), "and this is told by the kernel");
    }
}
