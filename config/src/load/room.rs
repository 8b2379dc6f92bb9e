//! The one door to the lab's files: every name that comes from a project, a request, a library or another file of the lab becomes an
//! [`InRoom`] before anything is opened.
//!
//! A room is what a file is wanted for. Nothing is in any room that lies outside of the lab's roots once all links are followed, that is the
//! engine's own, hidden (a name that begins with `.`), private to another user, or one of the lab's settings: those hold passwords, and
//! what a test may read everybody reads who may look at its run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    os::fd::AsRawFd as _,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use jackfield_protocol::{error::FileProblem, id::UserName};

use super::{FileError, Kind, Lab, beside::MARKS, text::read_source};
use crate::{lab::Layout, problem::whole_file, source::Source};

/// What a file of the lab is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// To be read and run as a project.
    Projects,
    /// To be run as a test or script, or to come along with one.
    Tests,
    /// To come along with a run as a library of it.
    Libraries,
    /// To be read as a test configuration.
    Configs,
    /// To be read as a SUT.
    Suts,
    /// To be read as a profile of devices.
    Profiles,
    /// To be read as a TextFSM template.
    Templates,
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Projects => "a project",
            Self::Tests => "a test file",
            Self::Libraries => "a library",
            Self::Configs => "a test configuration",
            Self::Suts => "a SUT",
            Self::Profiles => "a profile",
            Self::Templates => "a template",
        })
    }
}

/// A file or folder of the lab, as it really is, that may be read as what its room says. Only a [`Lab`] makes one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InRoom {
    room: Room,
    real: PathBuf,
}

impl InRoom {
    /// What it may be read as.
    pub fn room(&self) -> Room {
        self.room
    }

    /// Where it is; no part of it is a link.
    pub fn path(&self) -> &Path {
        &self.real
    }

    /// Opens it, if it is still where it was: whoever may write to the lab's folders could have put a link in its way meanwhile.
    ///
    /// # Errors
    /// It is gone, no file, cannot be read, or a link stands in its place.
    pub fn open(&self) -> io::Result<fs::File> {
        // A pipe would wait for a writer.
        if !fs::symlink_metadata(&self.real)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file any more"));
        }
        let file = fs::File::open(&self.real)?;
        match fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())) {
            Ok(opened) if opened != self.real => {
                Err(io::Error::new(io::ErrorKind::PermissionDenied, "a link was put in its place"))
            }
            _ => Ok(file),
        }
    }

    /// All of its bytes.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut self.open()?, &mut bytes)?;
        Ok(bytes)
    }
}

impl AsRef<Path> for InRoom {
    fn as_ref(&self) -> &Path {
        &self.real
    }
}

/// What is below a folder of the lab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Below {
    /// Files by their paths below it.
    pub files: BTreeMap<String, InRoom>,
    /// What is not in its room, with the reason.
    pub left_out: BTreeMap<String, String>,
}

impl Lab {
    /// A real path as something of a room, if it is in it.
    pub(super) fn admit(&self, room: Room, real: PathBuf) -> Result<InRoom, FileError> {
        if !self.is_reached(&real) {
            return Err(self.outside());
        }
        let mut inside = self.roots.iter().filter_map(|root| real.strip_prefix(root).ok());
        // A root may itself be below a hidden folder; what counts is what is below the root.
        if inside.all(has_hidden_part) {
            return Err(FileError::Hidden(room));
        }
        if self.apart.has(room, &real) {
            return Err(FileError::Setting(room));
        }
        // Only a folder holds anything, and to look at what it must not hold costs more than all the rest.
        let held = if real.is_dir() { self.first_below(room, &real) } else { None };
        match held {
            Some(held) => Err(FileError::Holds { room, held }),
            None => Ok(InRoom { room, real }),
        }
    }

    /// Whether a real path is of the lab, and neither the engine's own nor another user's.
    pub(super) fn is_reached(&self, real: &Path) -> bool {
        let is_kept = |kept: &PathBuf| real.starts_with(kept) || is_left_of(real, kept);
        self.roots.iter().any(|root| real.starts_with(root))
            && !self.hidden.iter().any(is_kept)
            && !self.is_private_to_another(real)
    }

    /// Whether a file that was found by looking is in a room.
    pub(super) fn is_in(&self, room: Room, file: &Path) -> bool {
        let real = fs::canonicalize(file).ok().and_then(|real| self.admit(room, real).ok());
        real.is_some_and(|real| real.path().is_file())
    }

    /// The text of a file that was found by looking.
    pub(super) fn read_in(
        &self,
        room: Room,
        file: &Path,
        bytes_max: u64,
    ) -> Result<Arc<Source>, Box<FileProblem>> {
        let refuse = |why: String| Box::new(whole_file(&file.to_string_lossy(), why, "remove the link"));
        let real =
            fs::canonicalize(file).map_err(|error| refuse(format!("the file cannot be read: {error}")))?;
        self.admit(room, real).map_err(|error| refuse(format!("the file {error}")))?;
        read_source(file, bytes_max)
    }

    /// Everything below a folder, without following links to folders: a loop of links would have no end. Hidden files and what Python leaves
    /// behind are not meant and not told of; links out of the lab and files of others are.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn below(&self, folder: &InRoom) -> io::Result<Below> {
        let mut below = Below::default();
        let mut folders = vec![folder.real.clone()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(&next)? {
                let entry = entry?;
                let path = entry.path();
                let name = entry.file_name();
                if is_hidden(&name.to_string_lossy()) || name == "__pycache__" {
                    continue;
                }
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                    continue;
                }
                let inner = path.strip_prefix(&folder.real).unwrap_or(&path).to_string_lossy().into_owned();
                let Ok(real) = fs::canonicalize(&path) else { continue };
                if !real.is_file() {
                    continue;
                }
                match self.admit(folder.room, real) {
                    Ok(file) => drop(below.files.insert(inner, file)),
                    Err(error) => drop(below.left_out.insert(inner, error.to_string())),
                }
            }
        }
        Ok(below)
    }

    pub(super) fn outside(&self) -> FileError {
        let mut roots = self.layout.roots.clone();
        roots.dedup();
        FileError::Outside(roots)
    }

    /// Whether a file, or a folder, is somebody's alone: below `users/<name>/`. Its path must be the real one.
    pub fn is_private(&self, real: &Path) -> bool {
        self.owner(real).is_some()
    }

    fn owner(&self, real: &Path) -> Option<String> {
        let users = self.layout.root.join("users");
        let inside = real.strip_prefix(users).ok().filter(|_| matches!(self.kind, Kind::Folder))?;
        Some(inside.components().next()?.as_os_str().to_string_lossy().into_owned())
    }

    fn is_private_to_another(&self, real: &Path) -> bool {
        self.owner(real).is_some_and(|owner| Some(owner.as_str()) != self.user.as_ref().map(UserName::as_str))
    }

    /// The names of files in those of some folders that are somebody's alone.
    pub(super) fn private_names(&self, folders: &[PathBuf]) -> BTreeSet<String> {
        let private = folders.iter().filter(|folder| self.is_private(&real_of(folder)));
        let entries =
            private.filter_map(|folder| fs::read_dir(folder).ok()).flat_map(|entries| entries.flatten());
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// The first thing below a folder that no run may have, or that is a whole room: a folder comes along with all that is in it.
    fn first_below(&self, room: Room, folder: &Path) -> Option<PathBuf> {
        let users = self.layout.root.join("users");
        let rooms = [&self.layout.libraries, &self.layout.tests].into_iter().flatten();
        let rooms = rooms.filter(|_| room == Room::Libraries).map(|room| real_of(room));
        let whole = [&self.layout.root, &self.layout.home, &users].into_iter().map(|path| real_of(path));
        let kept = self.hidden.iter().chain(&self.apart.suts).chain(&self.apart.settings).cloned();
        kept.chain(whole).chain(rooms).find(|held| held.starts_with(folder))
    }
}

/// Where the files are that no run may have, as it is now.
#[derive(Clone, Debug, Default)]
pub(super) struct Apart {
    /// Folders of SUTs.
    suts: Vec<PathBuf>,
    /// The settings that are there, with the links to them followed.
    settings: BTreeSet<PathBuf>,
    /// The folders in which settings are looked for, each with the names they have there.
    bases: Vec<(PathBuf, String)>,
    /// Nothing but settings and folders is expected in those folders.
    only_settings: bool,
}

impl Apart {
    pub(super) fn of(layout: &Layout, kind: &Kind) -> Self {
        let mut files: Vec<PathBuf> = layout.settings().cloned().collect();
        if let Kind::Twister(_) = kind {
            let config = layout.root.join("config");
            files.extend(["fwmconfig.xml", "epname.ini", "server_init.ini"].map(|name| config.join(name)));
        }
        let base = |file: &PathBuf| {
            let name = file.file_name()?.to_string_lossy().to_ascii_lowercase();
            Some((real_of(file.parent()?), name))
        };
        Self {
            suts: layout.suts.iter().map(|(folder, _)| real_of(folder)).collect(),
            settings: files.iter().filter(|file| file.is_file()).map(|file| real_of(file)).collect(),
            bases: files.iter().filter_map(base).collect(),
            only_settings: matches!(kind, Kind::Folder),
        }
    }

    /// Whether it is a setting, or a copy of one that an editor or a careful person left beside it.
    fn has(&self, room: Room, real: &Path) -> bool {
        if room != Room::Suts && self.suts.iter().any(|folder| real.starts_with(folder)) {
            return true;
        }
        let Some((folder, name)) = real.parent().zip(real.file_name()) else { return false };
        let name = name.to_string_lossy().to_ascii_lowercase();
        let is_named = |own: &str| name.contains(own) || (self.only_settings && ends_as_setting(&name));
        self.settings.contains(real) || self.bases.iter().any(|(base, own)| base == folder && is_named(own))
    }
}

fn real_of(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn has_hidden_part(inside: &Path) -> bool {
    inside.components().any(|part| match part {
        Component::Normal(name) => is_hidden(&name.to_string_lossy()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => false,
    })
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && !MARKS.contains(&name)
}

/// Whether it is what was left of a key, or copied from one, beside it: `own.key.part`, `own.key.bak`, `old-own.key`.
fn is_left_of(real: &Path, kept: &Path) -> bool {
    let name = |path: &Path| Some(path.file_name()?.to_string_lossy().to_ascii_lowercase());
    let (Some(own), Some(of)) = (name(real), name(kept)) else { return false };
    real.parent() == kept.parent() && own.contains(&of) && !kept.is_dir()
}

/// `db.xml`, and also `db-old.xml`, `db.xml.bak` and `engine.toml~`.
fn ends_as_setting(name: &str) -> bool {
    const ENDINGS: [&str; 5] = ["toml", "ini", "json", "xml", "htm"];
    name.split('.').skip(1).any(|part| ENDINGS.contains(&part.trim_end_matches(['~', '#'])))
}
