//! What an EP can say about its machine.

use std::path::{Path, PathBuf};

/// The machine's name.
pub(crate) fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Operating system and release, as `/etc/os-release` and the kernel call themselves.
pub(crate) fn operating_system() -> String {
    let kernel = rustix::system::uname();
    let kernel = format!("{} {}", kernel.sysname().to_string_lossy(), kernel.release().to_string_lossy());
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let pretty = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    pretty.map_or(kernel.clone(), |pretty| format!("{} ({kernel})", pretty.trim_matches('"')))
}

/// Where a program is: on `PATH`, or at its own path where the name has a slash.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let runs = |path: &Path| rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file();
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| runs(path));
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| runs(path))
}
