//! Which user of tests comes where below the work folder.
//!
//! ```text
//! work folder           each may go through
//!   sdk/                each may look
//!   ep.sock             each may connect
//!   runs/41/            who runs a test of run 41
//!   work/41.2.1/        who runs this test, to use
//!   all else            nobody
//! ```

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_protocol::id::RunId;

use super::{
    Account,
    acl::{self, Rights},
};

/// What below the work folder users of tests may come to; all else is closed to them.
const OPEN: [&str; 4] = ["sdk", "runs", "work", "ep.sock"];
const OWN_FOLDER: u32 = 0o700;
const OWN_FILE: u32 = 0o600;

/// That a user of tests may come to the files of a run, for as long as this is held.
#[derive(Debug)]
pub(crate) struct Room {
    rooms: Arc<Rooms>,
    folder: PathBuf,
    run: RunId,
    uid: u32,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.rooms.leave(self);
    }
}

/// The folders of runs, and who is in them.
#[derive(Debug, Default)]
pub(super) struct Rooms(Mutex<BTreeMap<RunId, BTreeMap<u32, u32>>>);

impl Rooms {
    /// A test of the run is about to need its files.
    pub(super) fn enter(self: &Arc<Self>, folder: PathBuf, run: RunId, uid: u32) -> io::Result<Room> {
        let mut rooms = self.rooms();
        let inside = rooms.entry(run).or_default();
        let count = inside.entry(uid).or_default();
        *count = count.saturating_add(1);
        let made = match DirBuilder::new().mode(OWN_FOLDER).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => acl::share(&folder, &passers(inside)),
        };
        drop(rooms);
        // Where it could not be opened, it is left again.
        let room = Room { rooms: Arc::clone(self), folder, run, uid };
        made.map(|()| room)
    }

    /// It has ended.
    fn leave(&self, room: &Room) {
        let Room { folder, run, uid, .. } = room;
        let mut rooms = self.rooms();
        let Some(inside) = rooms.get_mut(run) else { return };
        let count = inside.get(uid).copied().unwrap_or_default().saturating_sub(1);
        if count > 0 {
            inside.insert(*uid, count);
            return;
        }
        inside.remove(uid);
        // The run may be over, and its folder gone.
        let _ = acl::share(folder, &passers(inside));
        if inside.is_empty() {
            rooms.remove(run);
        }
    }

    fn rooms(&self) -> MutexGuard<'_, BTreeMap<RunId, BTreeMap<u32, u32>>> {
        // A panic between two statements of this module leaves a count too high, and nobody in who was out.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn passers(inside: &BTreeMap<u32, u32>) -> BTreeMap<u32, Rights> {
    inside.keys().map(|uid| (*uid, Rights::Pass)).collect()
}

/// Makes the folder of an attempt: its user's to use, though not to own.
pub(crate) fn lend(folder: &Path, account: &Account) -> io::Result<()> {
    DirBuilder::new().mode(OWN_FOLDER).create(folder)?;
    acl::share(folder, &BTreeMap::from([(account.uid(), Rights::Use)]))
}

/// Opens the work folder to users of tests as far as they need it, and closes all else in it.
pub(super) fn open(work_dir: &Path, socket: &Path, uids: &[u32]) -> io::Result<()> {
    // What is made here later must be closed from its first byte on.
    OpenOptions::new().append(true).create(true).mode(OWN_FILE).open(work_dir.join("known_hosts"))?;
    for entry in fs::read_dir(work_dir)? {
        let entry = entry?;
        let is_open = entry.file_name().to_str().is_some_and(|name| OPEN.contains(&name));
        if !is_open && !entry.file_type()?.is_symlink() {
            let mode = if entry.file_type()?.is_dir() { OWN_FOLDER } else { OWN_FILE };
            fs::set_permissions(entry.path(), Permissions::from_mode(mode))?;
        }
    }
    let all = |rights| uids.iter().map(|uid| (*uid, rights)).collect::<BTreeMap<_, _>>();
    for (name, rights) in [("sdk", Rights::Look), ("runs", Rights::Pass), ("work", Rights::Pass)] {
        acl::share(&work_dir.join(name), &all(rights))?;
    }
    acl::share(socket, &all(Rights::Connect))?;
    // Last: until here, none of them came in at all.
    acl::share(work_dir, &all(Rights::Pass))
}
