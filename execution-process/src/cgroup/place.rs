//! Where an EP may make groups: the folder that `ep.toml` names, or its own group, where that is given to it to divide.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use jackfield_config::ep::{Cgroup, CgroupUse};

use super::{limits, make, write};

/// What to do where it may not.
pub(super) const REMEDY: &str = "with systemd, write Delegate=yes into the unit of the EP; else have root make a folder below /sys/fs/cgroup that is the EP's user's, and name it as `parent` of [cgroup] in ep.toml";

/// What systemd writes beside a group that it has given away.
const DELEGATED: [&str; 2] = ["user.delegate", "trusted.delegate"];
/// It is there where systemd is the machine's first process.
const SYSTEMD: &str = "/run/systemd/system";
/// Every group but the first of a hierarchy has it.
const TYPE: &str = "cgroup.type";
/// As much is read of a mark.
const MARK_BYTES_MAX: usize = 16;
/// The kernel's number for a file system of control groups, see statfs(2).
const CGROUP2_MAGIC: i128 = 0x6367_7270;

/// A group that this EP may divide.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    /// This EP is in it.
    is_own: bool,
}

/// What can be had of what `ep.toml` asks for, without taking it: what is missing, a sentence each.
pub(crate) fn look(wanted: &Cgroup) -> Result<Vec<String>, String> {
    if wanted.wanted == CgroupUse::Off {
        return Ok(Vec::new());
    }
    // This program is in another group than the EP will be: what counts is then what that one can be given.
    let place = match &wanted.parent {
        Some(parent) => named(parent)?,
        None => {
            Place { folder: hierarchy(&read("/proc/self/mountinfo")?).ok_or_else(none)?.0, is_own: false }
        }
    };
    Ok(limits::of(wanted, &place.controllers()).1)
}

pub(super) fn find(parent: Option<&Path>) -> Result<Place, String> {
    match parent {
        Some(parent) => named(parent),
        None => own(),
    }
}

fn named(parent: &Path) -> Result<Place, String> {
    let told = |why: String| format!("`parent` of [cgroup] in ep.toml: `{}` {why}", parent.display());
    let found = rustix::fs::statfs(parent)
        .map_err(|error| told(format!("cannot be looked at: {error}; {REMEDY}")))?;
    if i128::from(found.f_type) != CGROUP2_MAGIC {
        return Err(told(format!("is no control group of version 2; {REMEDY}")));
    }
    let folder = parent.canonicalize().map_err(|error| told(error.to_string()))?;
    let is_own = own_folder().is_ok_and(|own| own == folder);
    Ok(Place { folder, is_own })
}

fn own() -> Result<Place, String> {
    let folder = own_folder()?;
    // Nobody divides a group that systemd keeps for itself: both would write what the other does not know of.
    if Path::new(SYSTEMD).try_exists().unwrap_or(false) && !is_delegated(&folder) {
        return Err(format!(
            "the EP's own control group `{}` is not its to divide; {REMEDY}",
            folder.display()
        ));
    }
    Ok(Place { folder, is_own: true })
}

fn own_folder() -> Result<PathBuf, String> {
    let (mounted, root) = hierarchy(&read("/proc/self/mountinfo")?).ok_or_else(none)?;
    let groups = read("/proc/self/cgroup")?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::")).ok_or_else(none)?;
    let below = Path::new(own).strip_prefix(&root).ok().ok_or_else(none)?;
    Ok(mounted.join(below))
}

/// Where the hierarchy of version 2 is mounted, and which of its groups is there.
fn hierarchy(mounts: &str) -> Option<(PathBuf, PathBuf)> {
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, mounted) = (fields.next()?, fields.next()?);
        (after.split(' ').next()? == "cgroup2").then(|| (PathBuf::from(mounted), PathBuf::from(root)))
    })
}

fn read(file: &str) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("`{file}` cannot be read: {error}"))
}

fn none() -> String {
    "this machine has no control groups of version 2: mount them (mount -t cgroup2 none /sys/fs/cgroup), or write use = \"off\" into [cgroup] of ep.toml".to_owned()
}

fn is_delegated(folder: &Path) -> bool {
    DELEGATED.iter().any(|name| {
        let mut mark = [0; MARK_BYTES_MAX];
        let length = rustix::fs::getxattr(folder, *name, &mut mark).unwrap_or(0);
        mark.get(..length).is_some_and(|mark| mark == b"1")
    })
}

impl Place {
    /// What the kernel can limit here.
    pub(super) fn controllers(&self) -> BTreeSet<String> {
        let text = std::fs::read_to_string(self.folder.join("cgroup.controllers")).unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// Moves this program out of what is to be divided. In the first group of all, processes may stay.
    pub(super) fn make_empty(&self, name: &str) -> Result<(), String> {
        if !self.is_own || !self.folder.join(TYPE).try_exists().unwrap_or(false) {
            return Ok(());
        }
        let folder = self.folder.join(name);
        let own = std::process::id().to_string();
        make(&folder)
            .and_then(|()| write(&folder.join(super::PROCESSES), &own))
            .map_err(|error| format!("this EP cannot go into `{}`: {error}; {REMEDY}", folder.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hierarchy_of_version_2_is_found_among_others() {
        let mounts = "25 1 0:22 / /sys/fs/cgroup ro - tmpfs tmpfs rw,mode=755\n\
            26 25 0:23 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n\
            27 25 0:24 /box /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        let expected = (PathBuf::from("/sys/fs/cgroup/unified"), PathBuf::from("/box"));
        assert_eq!(hierarchy(mounts), Some(expected));
        assert_eq!(hierarchy("25 1 0:22 / / rw - ext4 /dev/sda rw\n"), None);
    }

    #[test]
    fn a_folder_that_is_no_group_is_refused_with_its_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let why = named(folder.path()).unwrap_err();
        assert!(why.contains("is no control group of version 2") && why.contains("Delegate=yes"), "{why}");
        let why = named(&folder.path().join("gone")).unwrap_err();
        assert!(why.contains("cannot be looked at"), "{why}");
    }
}
