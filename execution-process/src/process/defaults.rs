//! What every process of a test finds, whatever this program was started with: `nohup`, a terminal, a service, somebody's shell with its limits.
//!
//! A test that passes or fails by how its EP was started cannot be repeated. What a lab wants otherwise it says in `ep.toml`.

use std::{collections::BTreeMap, ffi::OsString};

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit},
};
use tokio::signal::unix::{SignalKind, signal};

/// Files that a test makes can be read by all and changed by it alone, as on any fresh login.
const UMASK: u32 = 0o022;
/// What the kernel gives a first process.
const STACK_BYTES: u64 = 8 << 20;
/// Where programs are, for an EP that was started without any environment.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What has interpreters and tools leave out tests or their checks, or run something else before: somebody had set it for their own shell, and
/// tests would pass by it. `PYTHONOPTIMIZE` takes every `assert` out of a test, `PYTEST_ADDOPTS` may collect and run nothing.
const STEERING: [&str; 15] = [
    "BASHOPTS",
    "BASH_ENV",
    "ENV",
    "GOFLAGS",
    "NODE_OPTIONS",
    "PERL5OPT",
    "PYTEST_ADDOPTS",
    "PYTEST_PLUGINS",
    "PYTHONINSPECT",
    "PYTHONOPTIMIZE",
    "PYTHONSTARTUP",
    "REBOT_OPTIONS",
    "ROBOT_OPTIONS",
    "RUBYOPT",
    "SHELLOPTS",
];
/// The same of GoogleTest: a filter, a shard, tests that are only listed.
const STEERING_PREFIX: &[u8] = b"GTEST_";
/// Signals with these numbers can neither be ignored nor handled.
const NEVER_IGNORED: [i32; 2] = [9, 19];
/// Ignored by this program itself; whatever starts a process resets it.
const BROKEN_PIPE: i32 = 13;
const LAST_SIGNAL: i32 = 31;

/// Gives this process, and so all that it starts, what a fresh login has. Which signals are blocked, only the first thread of a program
/// can decide: its `main` does.
pub(crate) fn take() {
    rustix::process::umask(Mode::from_raw_mode(UMASK));
    reset_signals();
    reset_limits();
}

/// A signal that is ignored stays so in every program that is started; one with a handler, even one that does nothing, does not.
fn reset_signals() {
    for number in ignored_signals() {
        // The handler stays when this is dropped, so the signal is still without effect here.
        if let Err(error) = signal(SignalKind::from_raw(number)) {
            tracing::debug!("signal {number} stays ignored in tests: {error}");
        }
    }
}

fn ignored_signals() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let is_ignored = |number: &i32| {
        let bit = u32::try_from(*number).ok().and_then(|number| number.checked_sub(1)).unwrap_or(63);
        mask.checked_shr(bit).unwrap_or(0) & 1 == 1
    };
    let settable = |number: &i32| *number != BROKEN_PIPE && !NEVER_IGNORED.contains(number);
    (1..=LAST_SIGNAL).filter(settable).filter(is_ignored).collect()
}

/// What a shell's `ulimit` took away, as far as it may be taken back. Files and processes have limits of `ep.toml`.
fn reset_limits() {
    for resource in [Resource::Cpu, Resource::Fsize, Resource::Data] {
        let have = rustix::process::getrlimit(resource);
        set(resource, have, have.maximum);
    }
    let have = rustix::process::getrlimit(Resource::Stack);
    if have.current.is_none_or(|bytes| bytes != STACK_BYTES) {
        set(
            Resource::Stack,
            have,
            have.maximum.map_or(Some(STACK_BYTES), |most| Some(most.min(STACK_BYTES))),
        );
    }
}

fn set(resource: Resource, have: Rlimit, current: Option<u64>) {
    if current != have.current
        && let Err(error) = rustix::process::setrlimit(resource, Rlimit { current, ..have })
    {
        tracing::debug!("a limit stays as this program was started with it: {error}");
    }
}

/// The environment that tests inherit from the EP: everything but what is between an EP and its tests, and the language of whoever
/// started it, in whose place `locale` stands.
pub(crate) fn environment(locale: &str) -> BTreeMap<OsString, OsString> {
    let mut all = handed_on(std::env::vars_os());
    all.insert("LANG".into(), locale.into());
    all.entry("PATH".into()).or_insert_with(|| PATH.into());
    all
}

fn handed_on(found: impl Iterator<Item = (OsString, OsString)>) -> BTreeMap<OsString, OsString> {
    let is_kept = |name: &OsString| {
        let name = name.as_encoded_bytes();
        !name.starts_with(b"JACKFIELD_")
            && !name.starts_with(b"LC_")
            && name != b"LANG"
            && name != b"LANGUAGE"
    };
    let steers = |name: &OsString| {
        let bytes = name.as_encoded_bytes();
        bytes.starts_with(STEERING_PREFIX) || STEERING.iter().any(|known| known.as_bytes() == bytes)
    };
    let (steering, all): (BTreeMap<_, _>, BTreeMap<_, _>) =
        found.filter(|(name, _)| is_kept(name)).partition(|(name, _)| steers(name));
    if !steering.is_empty() {
        let names: Vec<_> = steering.keys().map(|name| name.to_string_lossy()).collect();
        tracing::warn!(
            "this EP was started with {}, which tests do not get: it could keep them from testing",
            names.join(", ")
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_keep_tests_from_testing_is_not_handed_on() {
        let found = [
            "PATH",
            "PYTHONPATH",
            "PYTHONOPTIMIZE",
            "PYTEST_ADDOPTS",
            "BASH_ENV",
            "GTEST_FILTER",
            "LC_ALL",
            "JACKFIELD_SOCKET",
        ];
        let found = found.into_iter().map(|name| (OsString::from(name), OsString::from("1")));
        let kept: Vec<OsString> = handed_on(found).into_keys().collect();
        assert_eq!(kept, ["PATH", "PYTHONPATH"]);
    }

    #[test]
    fn tests_find_the_locale_of_ep_toml_and_nothing_between_an_ep_and_its_tests() {
        let all = environment("C.UTF-8");
        assert_eq!(all.get(&OsString::from("LANG")), Some(&OsString::from("C.UTF-8")));
        let is_foreign = |name: &OsString| name.to_string_lossy().starts_with("LC_");
        assert!(!all.keys().any(is_foreign));
        assert!(all.contains_key(&OsString::from("PATH")));
    }

    #[tokio::test]
    async fn no_signal_stays_ignored() {
        reset_signals();
        assert_eq!(ignored_signals(), Vec::<i32>::new());
    }
}
