//! A user of this machine, and how a process becomes that user for good.

use std::{ffi::CString, fs, path::PathBuf};

use nix::unistd::{self, Gid, Group, Uid, User};

use crate::Fault;

/// A user of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// As people write it.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its own group.
    pub gid: u32,
    /// The numbers of all its groups.
    pub groups: Vec<u32>,
    /// What the system has for its home; it need not be there.
    pub home: PathBuf,
}

/// A process, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Possession {
    /// The process.
    pub pid: i32,
    /// Its real user.
    pub real: u32,
    /// As whom it acts.
    pub effective: u32,
}

/// Groups that are as good as root.
const MIGHTY: [&str; 9] = ["root", "sudo", "wheel", "admin", "shadow", "disk", "docker", "lxd", "libvirt"];

/// What a process that gave up its rights has none of.
const CAPABILITIES: [&str; 3] = ["CapPrm", "CapEff", "CapAmb"];

impl Account {
    /// The user of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(name: &str) -> Result<Self, Fault> {
        let none = || Fault::NoUser(name.to_owned());
        let user = User::from_name(name).ok().flatten().ok_or_else(none)?;
        let name_for_system = CString::new(name).ok().ok_or_else(none)?;
        let groups = unistd::getgrouplist(&name_for_system, user.gid).unwrap_or_else(|_| vec![user.gid]);
        Ok(Self {
            name: name.to_owned(),
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            groups: groups.into_iter().map(Gid::as_raw).collect(),
            home: user.dir,
        })
    }

    /// A group of this user whose members can become root, or read every disk.
    pub fn mighty_group(&self) -> Option<String> {
        let groups = self.groups.iter().filter_map(|gid| Group::from_gid(Gid::from_raw(*gid)).ok().flatten());
        groups.map(|group| group.name).find(|name| MIGHTY.contains(&name.as_str()))
    }

    /// Makes this process the user's, and nobody else's ever again.
    pub(crate) fn take_on(&self) -> Result<(), Fault> {
        let failed = |what: &str, error: nix::Error| Fault::Change {
            user: self.name.clone(),
            why: format!("{what}: {error}"),
        };
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        unistd::setgroups(&groups).map_err(|error| failed("its groups", error))?;
        unistd::setresgid(gid, gid, gid).map_err(|error| failed("its own group", error))?;
        unistd::setresuid(uid, uid, uid).map_err(|error| failed("its number", error))?;
        self.check_nothing_is_left().map_err(|why| Fault::Change { user: self.name.clone(), why })
    }

    /// Looks whether anything of the old rights is left: a machine may be set up to let them stay.
    fn check_nothing_is_left(&self) -> Result<(), String> {
        let status = fs::read_to_string("/proc/self/status").map_err(|error| format!("/proc: {error}"))?;
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.map(str::trim).ok_or_else(|| format!("/proc/self/status has no {name}"))
        };
        for (name, expected) in [("Uid", self.uid), ("Gid", self.gid)] {
            let all = field(name)?;
            if all.split_whitespace().any(|one| one.parse() != Ok(expected)) {
                return Err(format!("it would be {name} {all}"));
            }
        }
        for name in CAPABILITIES {
            let value = field(name)?;
            if value.bytes().any(|digit| digit != b'0') {
                return Err(format!("rights of root would stay ({name} {value}); look at securebits"));
            }
        }
        Ok(())
    }
}

/// Every process of this machine that can be seen, and whose it is.
pub fn possessions() -> Vec<Possession> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(possession).collect()
}

fn possession(pid: i32) -> Option<Possession> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    if field("State:")?.trim_start().starts_with('Z') {
        return None;
    }
    let mut ids = field("Uid:")?.split_whitespace().map(str::parse);
    Some(Possession { pid, real: ids.next()?.ok()?, effective: ids.next()?.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_with_its_groups_or_refused_by_name() {
        let root = Account::find("root").unwrap();
        assert_eq!((root.uid, root.gid), (0, 0));
        assert!(root.groups.contains(&0));
        assert_eq!(root.mighty_group().as_deref(), Some("root"));
        for name in ["no-such-user", "", "a\0b"] {
            assert!(matches!(Account::find(name), Err(Fault::NoUser(_))), "{name}");
        }
    }

    #[test]
    fn this_process_is_among_those_that_are_seen() {
        let own = i32::try_from(std::process::id()).unwrap();
        let uid = Uid::effective().as_raw();
        assert!(possessions().contains(&Possession { pid: own, real: uid, effective: uid }));
    }
}
