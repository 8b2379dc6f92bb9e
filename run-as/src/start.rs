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

/// Becomes the program; comes back only with the reason why that cannot be.
pub(crate) fn start(
    account: &Account,
    home: Option<&Path>,
    plain: bool,
    command: &[OsString],
) -> Result<(), Fault> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| Fault::NoOrder("there is no program".to_owned()))?;
    rustix::process::umask(Mode::from_raw_mode(UMASK));
    // Where the caller made a session, or a terminal, for it, this is that one's head already.
    let _ = rustix::process::setsid();
    let asker = Asker::of_standard_input();
    let mut command = Command::new(program);
    command.args(arguments);
    if plain {
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
    let error = command.exec();
    let name = program.to_string_lossy();
    match asker {
        Some(asker) => {
            asker.tell(&error);
            Err(Fault::Chore(String::new()))
        }
        None => Err(Fault::Chore(format!("`{name}` cannot be started: {error}"))),
    }
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
    let mut text = String::new();
    answer.take(ANSWER_BYTES_MAX).read_to_string(&mut text)?;
    match text.strip_prefix("errno ").map(str::parse) {
        _ if text.is_empty() => Ok(()),
        Some(Ok(number)) => Err(std::io::Error::from_raw_os_error(number)),
        Some(Err(_)) | None => Err(std::io::Error::other(text)),
    }
}
