//! The lab on disk: the only part that reads files. Everything read is bounded, and stays inside the lab's folders.

pub mod beside;
mod check;
mod databases;
mod files;
mod find;
mod flat;
pub mod imports;
mod lookup;
mod places;
mod references;
mod room;
mod setting_files;
mod suites;
mod templates;
mod test_files;
mod text;

use std::{
    fs,
    path::{Path, PathBuf},
};

use jackfield_protocol::{error::FileProblem, id::UserName};

use self::{check::project_name, find::plain, text::read_as};
pub use self::{
    check::{Checked, check_project, check_project_file, check_project_text},
    databases::{Databases, LabDatabase},
    find::FileError,
    room::{Below, InRoom, Room},
    setting_files::SettingFile,
    text::{first_there, read_source},
};

use crate::{
    fwmconfig::FwmConfig,
    lab::{Layout, is_plain_name, stays_inside},
    limits::{FILE_BYTES_MAX, PROJECT_BYTES_MAX},
    problem::Read,
    project::Project,
    test_config::TestConfig,
};

/// A lab, as one user sees it.
#[derive(Clone, Debug)]
pub struct Lab {
    layout: Layout,
    kind: Kind,
    user: Option<UserName>,
    /// The folders outside of which nothing is read, as they really are.
    roots: Vec<PathBuf>,
    /// The engine's own folders inside of them, from which no test is taken.
    hidden: Vec<PathBuf>,
    /// The lab's settings, likewise.
    apart: room::Apart,
}

#[derive(Clone, Debug)]
enum Kind {
    Folder,
    Twister(Box<FwmConfig>),
    Nowhere,
}

/// Why a folder is no lab.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// It is not there.
    #[error("lab folder `{0}` is not there; make it, or name another with --lab")]
    Missing(PathBuf),
    /// It is something else.
    #[error("`{0}` is no folder; name the lab's folder with --lab")]
    NoFolder(PathBuf),
    /// It cannot be read.
    #[error("lab folder `{path}` cannot be read")]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its `fwmconfig.xml` is wrong.
    #[error("`{file}` says where everything is, and cannot be used as it is:{}", lines(problems))]
    BadConfig {
        /// The file.
        file: PathBuf,
        /// All of them.
        problems: Vec<FileProblem>,
    },
}

/// A line for each.
fn lines(problems: &[FileProblem]) -> String {
    problems.iter().map(|problem| format!("\n{problem}")).collect()
}

impl Lab {
    /// A lab folder of our own, or a Twister home: the folder with `twister/config/fwmconfig.xml`, or with
    /// `config/fwmconfig.xml`, in it.
    ///
    /// # Errors
    /// A folder that is not there, or a `fwmconfig.xml` with errors.
    pub fn open(dir: &Path) -> Result<Self, LabError> {
        let root = fs::canonicalize(dir).map_err(|source| {
            let path = dir.to_owned();
            let missing = source.kind() == std::io::ErrorKind::NotFound;
            if missing { LabError::Missing(path) } else { LabError::Unreadable { path, source } }
        })?;
        if !root.is_dir() {
            return Err(LabError::NoFolder(dir.to_owned()));
        }
        for twister in [root.join("twister"), root.clone()] {
            let file = twister.join("config/fwmconfig.xml");
            if first_there(std::slice::from_ref(&file)).is_some() {
                let read = read_as(&file, FILE_BYTES_MAX, FwmConfig::read);
                let (paths, _) = read.usable().map_err(|problems| LabError::BadConfig { file, problems })?;
                let layout = Layout::of_twister(&twister, &paths);
                return Ok(Self::new(layout, Kind::Twister(Box::new(paths))));
            }
        }
        Ok(Self::new(Layout::of_folder(&root, None), Kind::Folder))
    }

    fn new(layout: Layout, kind: Kind) -> Self {
        let apart = room::Apart::of(&layout, &kind);
        let mut lab = Self { layout, kind, user: None, roots: Vec::new(), hidden: Vec::new(), apart };
        lab.find_shared_db();
        let settings = lab.engine_settings().value.unwrap_or_default();
        let folders = [lab.layout.root.join(".jackfield"), settings.data_folder];
        let keys = settings.key_file.iter().chain(settings.tls.own.as_ref().map(|own| &own.key));
        for own in folders.iter().chain(keys) {
            lab.hide(own);
        }
        let roots = [lab.layout.roots.as_slice(), settings.roots.as_slice()].concat();
        lab.layout.roots.clear();
        lab.allow(&roots);
        lab
    }

    /// No lab at all: a project can be read, and what it names is not looked up.
    pub fn nowhere() -> Self {
        let (layout, apart) = (Layout::default(), room::Apart::default());
        Self { layout, kind: Kind::Nowhere, user: None, roots: Vec::new(), hidden: Vec::new(), apart }
    }

    /// The lab as this user sees it: private files come before shared ones.
    #[must_use]
    pub fn as_user(&self, user: &UserName) -> Self {
        let mut lab = self.clone();
        if matches!(self.kind, Kind::Folder) {
            lab.layout = Layout::of_folder(&self.layout.root, Some(user));
            lab.layout.roots.clone_from(&self.layout.roots);
            lab.layout.shared_db.clone_from(&self.layout.shared_db);
        }
        lab.apart = room::Apart::of(&lab.layout, &lab.kind);
        lab.user = Some(user.clone());
        lab
    }

    /// The user whose private files come first.
    pub fn user(&self) -> Option<&UserName> {
        self.user.as_ref()
    }

    /// Lets tests and libraries come from further folders; those that `engine.toml` names in `files.roots` are allowed
    /// already.
    pub fn allow(&mut self, roots: &[PathBuf]) {
        for root in roots.iter().filter(|root| !self.layout.roots.contains(root)).collect::<Vec<_>>() {
            self.roots.push(fs::canonicalize(root).unwrap_or_else(|_| root.clone()));
            self.layout.roots.push(root.clone());
        }
    }

    /// Keeps tests and libraries out of a folder, as out of the data folder that `engine.toml` names.
    pub fn hide(&mut self, folder: &Path) {
        self.hidden.push(fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()));
    }

    /// Where everything is.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether it is a Twister home, used in place.
    pub fn is_twister(&self) -> bool {
        matches!(self.kind, Kind::Twister(_))
    }

    /// The paths of a Twister home.
    pub fn fwmconfig(&self) -> Option<&FwmConfig> {
        match &self.kind {
            Kind::Twister(paths) => Some(paths),
            Kind::Folder | Kind::Nowhere => None,
        }
    }

    /// The names of all projects, without `.xml`, sorted.
    pub fn project_names(&self) -> Vec<String> {
        let mut names = self.names_in(&self.layout.projects, Some("xml"));
        if self.is_twister() {
            // Twister's settings lie in the same folder: what holds no suite is no project there.
            let holds_suites = |text: Vec<u8>| String::from_utf8_lossy(&text).contains("<TestSuite");
            names.retain(|name| {
                self.project_file(name).is_ok_and(|file| std::fs::read(file).is_ok_and(holds_suites))
            });
        }
        names
    }

    /// The file of a project, by its name with or without `.xml`, in a projects folder; `projects/NAME` is understood as well.
    ///
    /// # Errors
    /// No such file, or one that is no project's.
    pub fn project_file(&self, name: &str) -> Result<InRoom, FileError> {
        let asked = format!("{}.xml", name.strip_suffix(".xml").unwrap_or(name));
        let projects = &self.layout.projects;
        let mut places: Vec<PathBuf> = projects.iter().chain([&self.layout.root]).cloned().collect();
        places.retain(|place| projects.iter().any(|folder| plain(&place.join(&asked)).starts_with(folder)));
        if places.is_empty() {
            return Err(FileError::Outside(projects.clone()));
        }
        self.find(Room::Projects, &places, &asked)
    }

    /// Reads a project by its name.
    ///
    /// # Errors
    /// No such file, or one outside of the lab.
    pub fn project(&self, name: &str) -> Result<Read<Project>, FileError> {
        let file = self.project_file(name)?;
        let stem = project_name(file.path());
        Ok(read_as(file.path(), PROJECT_BYTES_MAX, |source| Project::read(&stem, source)))
    }

    /// The file on disk for a test's name in a plan.
    ///
    /// # Errors
    /// No such file, or one outside of the lab.
    pub fn test_file(&self, name: &str) -> Result<InRoom, FileError> {
        self.find(Room::Tests, &self.layout.tests, &self.layout.resolve(name))
    }

    /// Where a project of this name is written: over the one there is, else in the folder that all share.
    ///
    /// # Errors
    /// A name that is no plain file name, or that of something else.
    pub fn project_place(&self, name: &str) -> Result<PathBuf, FileError> {
        let name = name.trim_end_matches(".xml");
        let folders = &self.layout.projects;
        let shared = folders.last().filter(|_| is_plain_name(name));
        let shared = shared.ok_or_else(|| FileError::Outside(folders.clone()))?;
        if name.starts_with('.') {
            return Err(FileError::Hidden(Room::Projects));
        }
        match self.project_file(name) {
            Ok(there) => Ok(there.path().to_owned()),
            Err(FileError::Missing(_)) => Ok(shared.join(format!("{name}.xml"))),
            Err(other) => Err(other),
        }
    }

    /// A library: a file, a folder, or an archive, by the name that projects use.
    ///
    /// # Errors
    /// No such file or folder, or one outside of the lab.
    pub fn library(&self, name: &str) -> Result<InRoom, FileError> {
        let resolved = self.layout.resolve(name.trim_end_matches('/'));
        self.locate(Room::Libraries, &self.layout.libraries, &resolved)
    }

    /// The names of all libraries, sorted.
    pub fn library_names(&self) -> Vec<String> {
        self.names_in(&self.layout.libraries, None)
    }

    /// The file of a test configuration.
    ///
    /// # Errors
    /// No such file, or one outside of the lab.
    pub fn test_config_file(&self, name: &str) -> Result<InRoom, FileError> {
        if !stays_inside(name.trim_start_matches('/')) {
            return Err(FileError::Outside(self.layout.configs.clone()));
        }
        let name = name.trim_start_matches('/');
        self.find_with(Room::Configs, &self.layout.configs, name, ".xml")
    }

    /// Reads a test configuration by its name.
    ///
    /// # Errors
    /// No such file, or one outside of the lab.
    pub fn test_config(&self, name: &str) -> Result<Read<TestConfig>, FileError> {
        let file = self.test_config_file(name)?;
        Ok(read_as(file.path(), FILE_BYTES_MAX, |source| TestConfig::read(name, source)))
    }
}
