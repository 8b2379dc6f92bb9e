//! Access lists: a folder stays its owner's alone, and named users may come in.
//!
//! Groups would do the same, if the EP could make any; an access list needs no right but that of the owner. Its form is that of
//! `linux/posix_acl_xattr.h`: a version, then entries of a kind, rights, and a user, in the order of kinds and users.

use std::{collections::BTreeMap, io, path::Path};

use rustix::fs::XattrFlags;

const NAME: &str = "system.posix_acl_access";
const VERSION: u32 = 2;
const OWNER: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP: u16 = 0x04;
const MASK: u16 = 0x10;
const OTHERS: u16 = 0x20;
const NOBODY: u32 = u32::MAX;

/// What somebody may do with a folder or file: as in a mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// Go through a folder, without seeing what is in it.
    Pass,
    /// Go through it and see what is in it.
    Look,
    /// Everything but to change who may.
    Use,
    /// Connect to a socket.
    Connect,
}

impl Rights {
    fn bits(self) -> u16 {
        match self {
            Self::Pass => 1,
            Self::Look => 5,
            Self::Use => 7,
            Self::Connect => 6,
        }
    }
}

/// Makes a path its owner's, and these users' as far as they have rights to it; nobody else's.
pub(super) fn share(path: &Path, users: &BTreeMap<u32, Rights>) -> io::Result<()> {
    let owner = if path.is_dir() { 7 } else { 6 };
    Ok(rustix::fs::setxattr(path, NAME, &list(owner, users), XattrFlags::empty())?)
}

fn list(owner: u16, users: &BTreeMap<u32, Rights>) -> Vec<u8> {
    let mut bytes = VERSION.to_le_bytes().to_vec();
    let mut entry = |kind: u16, rights: u16, user: u32| {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(rights.to_le_bytes());
        bytes.extend(user.to_le_bytes());
    };
    entry(OWNER, owner, NOBODY);
    users.iter().for_each(|(user, rights)| entry(USER, rights.bits(), *user));
    entry(GROUP, 0, NOBODY);
    if !users.is_empty() {
        // No entry gives more than this one.
        entry(MASK, users.values().fold(0, |all, rights| all | rights.bits()), NOBODY);
    }
    entry(OTHERS, 0, NOBODY);
    bytes
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn users_come_in_and_go_again_and_nobody_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let mode = || std::fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        share(folder.path(), &BTreeMap::from([(65_534, Rights::Pass), (7, Rights::Use)])).unwrap();
        // The middle is the mask now, and not the group's.
        assert_eq!(mode(), 0o770);
        let mut have = vec![0; 256];
        let length = rustix::fs::getxattr(folder.path(), NAME, &mut have[..]).unwrap();
        assert_eq!(length, 4 + 6 * 8);
        share(folder.path(), &BTreeMap::new()).unwrap();
        assert_eq!(mode(), 0o700);
    }
}
