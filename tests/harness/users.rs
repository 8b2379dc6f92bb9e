//! Users of a machine that only some processes see: an `/etc` of their own, laid over the machine's.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process::jackfield;

/// Numbers begin here, far above a machine's own, and apart from those of another test at the same time.
const FIRST_UID: u32 = 1_000_000;
const UIDS_OF_A_PROCESS: u32 = 256;
const UIDS_EACH: u32 = 8;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Users, and an `/etc` that knows them.
pub struct Users {
    folder: TempDir,
    names: Vec<String>,
    first: u32,
}

impl Users {
    /// These users. Needs root, as everything with namespaces here.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn new(names: &[&str]) -> Result<Self> {
        let folder = TempDir::with_prefix("jackfield-users-")?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed).saturating_mul(UIDS_EACH);
        let first = FIRST_UID
            .saturating_add(std::process::id().saturating_mul(UIDS_OF_A_PROCESS))
            .saturating_add(count);
        for part in ["upper/jackfield", "work"] {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(folder.path().join(part))?;
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let (mut passwd, mut group) = (fs::read_to_string("/etc/passwd")?, fs::read_to_string("/etc/group")?);
        for (uid, name) in (first..).zip(names) {
            writeln!(passwd, "{name}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin")?;
            writeln!(group, "{name}:x:{uid}:")?;
        }
        fs::write(folder.path().join("upper/passwd"), passwd)?;
        fs::write(folder.path().join("upper/group"), group)?;
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(Self { folder, names, first })
    }

    /// The number of one of them.
    ///
    /// # Panics
    /// It is none of them.
    pub fn uid(&self, name: &str) -> u32 {
        let at = self.names.iter().position(|known| known == name).expect("one of these users");
        self.first.saturating_add(u32::try_from(at).expect("a handful of users"))
    }

    /// What `/etc/jackfield/run-as` says there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn permit(&self, text: &str) -> Result<()> {
        Ok(fs::write(self.folder.path().join("upper/jackfield/run-as"), text)?)
    }

    /// The helper as root installs it.
    ///
    /// # Errors
    /// It was not built, or cannot be copied.
    pub fn helper(&self) -> Result<PathBuf> {
        let built = jackfield().with_file_name("jackfield-run-as");
        let helper = self.folder.path().join("run-as");
        fs::copy(&built, &helper)
            .with_context(|| format!("{}: cargo build -p jackfield-run-as", built.display()))?;
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o4755))?;
        Ok(helper)
    }

    /// Gives one of them a file or a folder, with what is in it.
    ///
    /// # Errors
    /// It cannot be changed.
    pub fn give(&self, path: &Path, name: &str) -> Result<()> {
        let uid = self.uid(name);
        if path.is_dir() && !path.is_symlink() {
            for entry in fs::read_dir(path)? {
                self.give(&entry?.path(), name)?;
            }
        }
        Ok(chown(path, Some(uid), Some(uid))?)
    }

    /// The start of a command in whose eyes these users are there: of root, or of one of them.
    pub fn command(&self, program: &Path, user: Option<&str>) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", SCRIPT, "sh"]).arg(self.folder.path());
        if let Some(user) = user {
            let uid = self.uid(user).to_string();
            command.args(["setpriv", "--reuid", &uid, "--regid", &uid, "--clear-groups"]);
        }
        command.arg(program);
        command
    }
}

const SCRIPT: &str = "set -e; here=$1; shift; \
    mount -t overlay overlay -o lowerdir=/etc,upperdir=$here/upper,workdir=$here/work /etc; exec \"$@\"";
