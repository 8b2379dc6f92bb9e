//! What every part of an EP shares, and nobody changes.

use std::{collections::BTreeMap, ffi::OsString, io, path::PathBuf, sync::Arc};

use jackfield_device::local::LocalPrograms;

use tokio::sync::mpsc;

use crate::{
    Settings,
    account::{self, Account, Accounts},
    blobs::Blobs,
    capture::Chunk,
    cgroup::{self, Group},
    console::Consoles,
    library::KeptFolders,
    modules::Modules,
    outbox::Outbox,
    packet_capture::PacketCaptures,
    runner::warm::Warm,
    sessions::Sessions,
    templates::TemplateShelf,
    work_folder::WorkFolders,
};

/// The EP as its parts see it.
#[derive(Debug)]
pub(crate) struct Station {
    pub(crate) settings: Settings,
    /// The local API's socket; it also marks every process of this EP's tests.
    pub(crate) socket: PathBuf,
    /// The unpacked SDKs.
    pub(crate) sdk: PathBuf,
    /// What tests inherit.
    pub(crate) environment: BTreeMap<OsString, OsString>,
    pub(crate) blobs: Blobs,
    pub(crate) outbox: Outbox,
    pub(crate) warm: Warm,
    /// What the Python of tests has.
    pub(crate) modules: Modules,
    pub(crate) sessions: Sessions,
    pub(crate) templates: TemplateShelf,
    pub(crate) consoles: Consoles,
    pub(crate) captures: PacketCaptures,
    pub(crate) work_folders: WorkFolders,
    /// Files of runs that are over.
    pub(crate) kept_folders: Arc<KeptFolders>,
    /// The users of tests, where they are not this EP's own.
    pub(crate) accounts: Option<Accounts>,
    /// The control groups of tests, and what cannot be had of them.
    pub(crate) cgroups: cgroup::Opened,
    /// The way to the log spool.
    pub(crate) chunks: mpsc::Sender<Chunk>,
}

impl Station {
    /// Where folders wait to be removed.
    pub(crate) fn trash_folder(&self) -> PathBuf {
        self.settings.work_dir.join("trash")
    }

    /// The user of a lane's tests, where it is not this EP's own.
    pub(crate) fn account(&self, lane: u16) -> Option<&Arc<Account>> {
        self.accounts.as_ref().map(|accounts| accounts.of_lane(lane))
    }

    /// The same of what runs beside the lanes.
    pub(crate) fn account_beside(&self) -> Option<&Arc<Account>> {
        self.accounts.as_ref().map(Accounts::beside)
    }

    /// How programs of this machine are started that people name in resources.
    pub(crate) fn programs(&self) -> LocalPrograms {
        self.account_beside().map(|account| account.programs.clone()).unwrap_or_default()
    }

    /// A new control group, where tests have their own; no other has this name at the time.
    pub(crate) fn group(&self, name: &str) -> io::Result<Option<Arc<Group>>> {
        let Some(groups) = &self.cgroups.groups else { return Ok(None) };
        groups.make(name).map(|group| Some(Arc::new(group)))
    }

    /// Where files of tests are for a moment, whose users are not this EP's.
    pub(crate) fn staging(&self) -> PathBuf {
        account::staging(&self.settings.work_dir)
    }

    /// What stands in the environment of every process of this EP's tests.
    pub(crate) fn mark(&self) -> String {
        format!("JACKFIELD_SOCKET={}", self.socket.display())
    }

    /// The same, for what a test forks off the warm interpreter.
    pub(crate) fn warm_mark(&self) -> String {
        format!("{}={}", crate::runner::warm::MARK, self.socket.display())
    }
}
