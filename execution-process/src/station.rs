//! What every part of an EP shares, and nobody changes.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use tokio::sync::mpsc;

use crate::{
    Settings, blobs::Blobs, capture::Chunk, console::Consoles, outbox::Outbox,
    packet_capture::PacketCaptures, runner::warm::Warm, sessions::Sessions, templates::TemplateShelf,
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
    pub(crate) sessions: Sessions,
    pub(crate) templates: TemplateShelf,
    pub(crate) consoles: Consoles,
    pub(crate) captures: PacketCaptures,
    pub(crate) work_folders: WorkFolders,
    /// The way to the log spool.
    pub(crate) chunks: mpsc::Sender<Chunk>,
}

impl Station {
    /// Where folders wait to be removed.
    pub(crate) fn trash_folder(&self) -> PathBuf {
        self.settings.work_dir.join("trash")
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
