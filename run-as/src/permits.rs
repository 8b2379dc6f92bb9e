//! Who may run as whom: a file of root's, for callers who are not root.
//!
//! ```text
//! # /etc/jackfield/run-as: the user of an execution process, and the users of its tests
//! jackfield: jackfield-test jackfield-test1 jackfield-test2
//! ```

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
};

use nix::unistd::{Uid, User};

use crate::{Account, Fault, Gate};

/// Where it stands.
pub const PERMITS: &str = "/etc/jackfield/run-as";
/// Others than the owner may write.
const WRITABLE: u32 = 0o022;
/// As much is read of it.
const BYTES_MAX: u64 = 1 << 20;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permits(Vec<(String, Vec<String>)>);

impl Permits {
    /// Reads lines of `CALLER: USER …`.
    ///
    /// # Errors
    /// A line that is none, by its number.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let (caller, users) = line
                .split_once(':')
                .filter(|(caller, _)| {
                    !caller.trim().is_empty() && !caller.trim().contains(char::is_whitespace)
                })
                .ok_or_else(|| format!("line {number}: write CALLER: USER USER"))?;
            let users = users.split_whitespace().map(str::to_owned).collect();
            lines.push((caller.trim().to_owned(), users));
        }
        Ok(Self(lines))
    }

    /// Whether the caller may run as the user.
    pub fn allow(&self, caller: &str, user: &str) -> bool {
        self.0.iter().any(|(name, users)| name == caller && users.iter().any(|name| name == user))
    }
}

/// Whether whoever called this program may become this user.
pub(crate) fn check(gate: Gate<'_>, account: &Account) -> Result<(), Fault> {
    if account.uid == 0 {
        return Err(Fault::Root(account.name.clone()));
    }
    let own = || std::env::args_os().next().unwrap_or_default().to_string_lossy().into_owned();
    match gate {
        Gate::Root if Uid::current().is_root() && Uid::effective().is_root() => Ok(()),
        Gate::Root => Err(Fault::Powerless(own())),
        Gate::File(file) => {
            let caller = Uid::current();
            if !Uid::effective().is_root() {
                return Err(Fault::Powerless(own()));
            }
            if caller.is_root() {
                return Ok(());
            }
            let name =
                User::from_uid(caller).ok().flatten().map_or_else(|| caller.to_string(), |user| user.name);
            if permits(file)?.allow(&name, &account.name) {
                return Ok(());
            }
            let file = file.display().to_string();
            Err(Fault::NotPermitted { caller: name, user: account.name.clone(), file })
        }
    }
}

/// What a file says that nobody but root can have written.
fn permits(file: &Path) -> Result<Permits, Fault> {
    let told = |why: String| Fault::Permits { file: file.display().to_string(), why };
    for place in [file.parent().unwrap_or(Path::new("/")), file] {
        let found = fs::symlink_metadata(place).map_err(|error| told(format!("{error}; root makes it")))?;
        if !is_roots_alone(&found) {
            let place = place.display();
            return Err(told(format!(
                "`{place}` must be root's, no link, and writable for nobody else: chown root {place}; chmod go-w {place}"
            )));
        }
        if found.is_file() && found.len() > BYTES_MAX {
            return Err(told(format!("it has more than {BYTES_MAX} bytes")));
        }
    }
    let text = fs::read_to_string(file).map_err(|error| told(error.to_string()))?;
    Permits::read(&text).map_err(told)
}

fn is_roots_alone(found: &Metadata) -> bool {
    found.uid() == 0 && found.mode() & WRITABLE == 0 && !found.is_symlink()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn who_may_run_as_whom_is_one_line_each() {
        let text = "# comment\nep: t1 t2 # behind\n\n  other :t3\nep: t4\n";
        let permits = Permits::read(text).unwrap();
        for (caller, user, may) in [
            ("ep", "t1", true),
            ("ep", "t2", true),
            ("ep", "t4", true),
            ("ep", "t3", false),
            ("ep", "behind", false),
            ("ep", "", false),
            ("other", "t3", true),
            ("t1", "ep", false),
        ] {
            assert_eq!(permits.allow(caller, user), may, "{caller} as {user}");
        }
        assert_eq!(Permits::read("a: b\nep t1\n"), Err("line 2: write CALLER: USER USER".to_owned()));
        assert!(Permits::read(": t1").is_err() && Permits::read("a b: t1").is_err());
    }

    #[test]
    fn a_file_that_others_may_write_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run-as");
        let why = |file: &Path| permits(file).unwrap_err().to_string();
        assert!(why(&file).contains("root makes it"), "{}", why(&file));
        fs::write(&file, "ep: t\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
        assert!(why(&file).contains("chmod go-w"), "{}", why(&file));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(why(&link).contains("no link"), "{}", why(&link));
    }
}
