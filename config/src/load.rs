//! The lab on disk: the only part that reads files. Everything read is bounded, and stays inside the lab's folders.

mod lookup;

use std::{
    fs,
    io::Read as _,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use jackfield_protocol::{error::FileProblem, id::UserName, plan::RunPlan};

use crate::{
    bindings::Bindings,
    db::DbConfig,
    email::EmailConfig,
    engine::EngineSettings,
    ep::EpSettings,
    epname::EpNames,
    fwmconfig::FwmConfig,
    lab::{Layout, stays_inside},
    limits::{FILE_BYTES_MAX, PROJECT_BYTES_MAX},
    panic::PanicPatterns,
    params::Params,
    problem::{Read, has_errors, whole_file},
    project::{
        Project,
        expand::{ExpandOptions, expand},
    },
    resources::Node,
    source::Source,
    test_config::TestConfig,
    users::UsersAndGroups,
};

/// A lab, as one user sees it.
#[derive(Clone, Debug)]
pub struct Lab {
    layout: Layout,
    kind: Kind,
    user: Option<UserName>,
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
    /// It is not there, or no folder.
    #[error("lab folder `{0}` is not there; make it, or name another with --lab")]
    Missing(PathBuf),
    /// It cannot be read.
    #[error("lab folder `{path}` cannot be read")]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its `fwmconfig.xml` is wrong.
    #[error("`{file}` has problems")]
    BadConfig {
        /// The file.
        file: PathBuf,
        /// All of them.
        problems: Vec<FileProblem>,
    },
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such file in any of its places.
    #[error("is not in {}", shown(.0))]
    Missing(Vec<PathBuf>),
    /// It lies outside of the lab's folders.
    #[error("is outside of the lab; only files below {} are used", shown(.0))]
    Outside(Vec<PathBuf>),
    /// It is a folder, or something else that is no file.
    #[error("is not a file")]
    NotAFile,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
}

/// A project with everything that is wrong in it, and its plan where nothing is.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The project, where its text could be understood.
    pub project: Option<Project>,
    /// What would run; none where a problem is an error. Its `files` and `libraries` are empty.
    pub plan: Option<RunPlan>,
    /// Everything that is wrong, in this file and in those it names.
    pub problems: Vec<FileProblem>,
}

/// Reads a project file and expands it against the lab.
pub fn check_project(file: &Path, lab: &Lab, options: &ExpandOptions) -> Checked {
    match read_source(file, PROJECT_BYTES_MAX) {
        Ok(source) => check_source(&project_name(file), &source, lab, options),
        Err(problem) => Checked { project: None, plan: None, problems: vec![*problem] },
    }
}

/// The same for a text that did not come from a file; `file` is what messages call it.
pub fn check_project_text(file: &str, text: String, lab: &Lab, options: &ExpandOptions) -> Checked {
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > PROJECT_BYTES_MAX {
        let problem = too_large(file, PROJECT_BYTES_MAX);
        return Checked { project: None, plan: None, problems: vec![problem] };
    }
    check_source(&project_name(Path::new(file)), &Arc::new(Source::new(file, text)), lab, options)
}

fn check_source(name: &str, source: &Arc<Source>, lab: &Lab, options: &ExpandOptions) -> Checked {
    let Read { value: project, mut problems } = Project::read(name, source);
    let plan = project.as_ref().and_then(|project| {
        let lab = match &options.user {
            Some(user) => lab.as_user(user),
            None => lab.clone(),
        };
        let (plan, more) = expand(project, &lab, options);
        problems.extend(more);
        plan
    });
    let file = source.name().to_owned();
    problems
        .sort_by_key(|problem| (problem.file != file, problem.file.clone(), problem.line, problem.column));
    Checked { plan: plan.filter(|_| !has_errors(&problems)), project, problems }
}

fn project_name(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Lab {
    /// A lab folder of our own, or a Twister home: the folder with `twister/config/fwmconfig.xml`, or with
    /// `config/fwmconfig.xml`, in it.
    ///
    /// # Errors
    /// A folder that is not there, or a `fwmconfig.xml` with errors.
    pub fn open(dir: &Path) -> Result<Self, LabError> {
        let root = fs::canonicalize(dir).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => LabError::Missing(dir.to_owned()),
            _ => LabError::Unreadable { path: dir.to_owned(), source },
        })?;
        if !root.is_dir() {
            return Err(LabError::Missing(dir.to_owned()));
        }
        for twister in [root.join("twister"), root.clone()] {
            let file = twister.join("config/fwmconfig.xml");
            if file.is_file() {
                let read = read_as(&file, FILE_BYTES_MAX, FwmConfig::read);
                let (paths, _) = read.usable().map_err(|problems| LabError::BadConfig { file, problems })?;
                let layout = Layout::of_twister(&twister, &paths);
                return Ok(Self { layout, kind: Kind::Twister(Box::new(paths)), user: None });
            }
        }
        Ok(Self { layout: Layout::of_folder(&root, None), kind: Kind::Folder, user: None })
    }

    /// No lab at all: a project can be read, and what it names is not looked up.
    pub fn nowhere() -> Self {
        Self { layout: Layout::default(), kind: Kind::Nowhere, user: None }
    }

    /// The lab as this user sees it: private files come before shared ones.
    #[must_use]
    pub fn as_user(&self, user: &UserName) -> Self {
        let mut lab = self.clone();
        if matches!(self.kind, Kind::Folder) {
            let extra = self.layout.roots.clone();
            lab.layout = Layout::of_folder(&self.layout.root, Some(user));
            lab.layout.roots = extra;
        }
        lab.user = Some(user.clone());
        lab
    }

    /// Lets tests and libraries come from further folders (`files.roots` of `engine.toml`).
    pub fn allow(&mut self, roots: &[PathBuf]) {
        self.layout.roots.extend(roots.iter().cloned());
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
        self.names_in(&self.layout.projects, Some("xml"))
    }

    /// The file of a project, by its name with or without `.xml`, below a projects folder or the lab folder.
    ///
    /// # Errors
    /// No such file, or one outside of the lab.
    pub fn project_file(&self, name: &str) -> Result<PathBuf, FileError> {
        let mut places = self.layout.projects.clone();
        places.push(self.layout.root.clone());
        self.find(&places, name)
            .or_else(|error| self.find(&places, &format!("{name}.xml")).map_err(|_| error))
    }

    /// Reads a project by its name.
    ///
    /// # Errors
    /// No such file, or one outside of the lab.
    pub fn project(&self, name: &str) -> Result<Read<Project>, FileError> {
        let file = self.project_file(name)?;
        let stem = project_name(&file);
        Ok(read_as(&file, PROJECT_BYTES_MAX, |source| Project::read(&stem, source)))
    }

    /// The file on disk for a test's name in a plan.
    ///
    /// # Errors
    /// No such file, or one outside of the lab.
    pub fn test_file(&self, name: &str) -> Result<PathBuf, FileError> {
        self.find(&self.layout.tests, &self.layout.resolve(name))
    }

    /// A library: a file, a folder, or an archive, by the name that projects use.
    ///
    /// # Errors
    /// No such file or folder, or one outside of the lab.
    pub fn library(&self, name: &str) -> Result<PathBuf, FileError> {
        let resolved = self.layout.resolve(name.trim_end_matches('/'));
        self.locate(&self.layout.libraries, &resolved)
    }

    /// The names of all libraries, sorted.
    pub fn library_names(&self) -> Vec<String> {
        self.names_in(&self.layout.libraries, None)
    }

    /// The file of a test configuration.
    ///
    /// # Errors
    /// No such file, or one outside of the lab.
    pub fn test_config_file(&self, name: &str) -> Result<PathBuf, FileError> {
        if !stays_inside(name.trim_start_matches('/')) {
            return Err(FileError::Outside(self.layout.configs.clone()));
        }
        let name = name.trim_start_matches('/');
        self.find(&self.layout.configs, name)
            .or_else(|error| self.find(&self.layout.configs, &format!("{name}.xml")).map_err(|_| error))
    }

    /// Reads a test configuration by its name.
    ///
    /// # Errors
    /// No such file, or one outside of the lab.
    pub fn test_config(&self, name: &str) -> Result<Read<TestConfig>, FileError> {
        let file = self.test_config_file(name)?;
        Ok(read_as(&file, FILE_BYTES_MAX, |source| TestConfig::read(name, source)))
    }

    /// Reads `globals.xml`; none where the lab has none.
    pub fn globals(&self) -> Option<Read<Params>> {
        self.first(&self.layout.globals, Params::read)
    }

    /// Reads `bindings.xml`; none where the lab has none.
    pub fn bindings(&self) -> Option<Read<Bindings>> {
        self.first(&self.layout.bindings, Bindings::read)
    }

    /// Reads `db.xml`; none where the lab has none.
    pub fn db(&self) -> Option<Read<DbConfig>> {
        self.first(&self.layout.db, DbConfig::read)
    }

    /// Reads `email.xml`; none where the lab has none.
    pub fn email(&self) -> Option<Read<EmailConfig>> {
        self.first(&self.layout.email, EmailConfig::read)
    }

    /// The text of `e-mail-tmpl.htm`, where the lab has one.
    ///
    /// # Errors
    /// One that is too large, or not UTF-8.
    pub fn email_template(&self) -> Option<Result<Arc<Source>, Box<FileProblem>>> {
        let file = self.layout.email_template.iter().find(|file| file.is_file())?;
        Some(read_source(file, FILE_BYTES_MAX))
    }

    /// Reads `users_and_groups.ini`; none where the lab has none.
    pub fn users(&self) -> Option<Read<UsersAndGroups>> {
        self.first(&self.layout.users, UsersAndGroups::read)
    }

    /// Reads `PanicDetectData.json`; none where the lab has none.
    pub fn panic_patterns(&self) -> Option<Read<PanicPatterns>> {
        self.first(&self.layout.panic_patterns, PanicPatterns::read)
    }

    /// Reads `resources.json`; none where the lab has none.
    pub fn resources(&self) -> Option<Read<Node>> {
        self.first(&self.layout.resources, Node::read)
    }

    /// Reads `engine.toml`, with its paths made absolute; the defaults where the lab has none.
    pub fn engine_settings(&self) -> Read<EngineSettings> {
        let read = self.first(&self.layout.engine, EngineSettings::read);
        let read = read.unwrap_or(Read { value: Some(EngineSettings::default()), problems: Vec::new() });
        read.map(|mut settings| {
            let root = &self.layout.root;
            let absolute = |path: &mut PathBuf| *path = root.join(&*path);
            absolute(&mut settings.data_folder);
            absolute(&mut settings.outbox);
            settings.roots.iter_mut().for_each(absolute);
            if let Some(tls) = &mut settings.tls {
                absolute(&mut tls.certificate);
                absolute(&mut tls.key);
            }
            settings
        })
    }

    /// Reads the first of these files that is there.
    fn first<T>(&self, places: &[PathBuf], read: impl FnOnce(&Arc<Source>) -> Read<T>) -> Option<Read<T>> {
        let file = places.iter().find(|file| file.is_file())?;
        Some(read_as(file, FILE_BYTES_MAX, read))
    }

    /// A file by its name in the first place that has it.
    fn find(&self, places: &[PathBuf], name: &str) -> Result<PathBuf, FileError> {
        let path = self.locate(places, name)?;
        let found = fs::metadata(&path).map_err(FileError::Unreadable)?;
        if found.is_file() { Ok(path) } else { Err(FileError::NotAFile) }
    }

    /// The real path of something by its name in the first place that has it, if it is inside of the lab.
    fn locate(&self, places: &[PathBuf], name: &str) -> Result<PathBuf, FileError> {
        let mut outside = false;
        for place in places {
            let path = place.join(name);
            match fs::canonicalize(&path) {
                Ok(real) if self.is_inside(&real) => return Ok(real),
                Ok(_) => outside = true,
                Err(_) => outside |= !self.may_be_inside(&path),
            }
        }
        if outside {
            let mut roots = self.layout.roots.clone();
            roots.dedup();
            return Err(FileError::Outside(roots));
        }
        let absolute = Path::new(name).is_absolute();
        let folder = Path::new(name).parent().filter(|_| absolute).map(|folder| vec![folder.to_owned()]);
        Err(FileError::Missing(folder.unwrap_or_else(|| places.to_vec())))
    }

    fn is_inside(&self, real: &Path) -> bool {
        let own = self.layout.root.join(".jackfield");
        let real_root = |root: &PathBuf| fs::canonicalize(root).unwrap_or_else(|_| root.clone());
        !real.starts_with(&own) && self.layout.roots.iter().map(real_root).any(|root| real.starts_with(root))
    }

    /// Whether a path that does not exist would be inside.
    fn may_be_inside(&self, path: &Path) -> bool {
        let mut plain = PathBuf::new();
        for part in path.components() {
            match part {
                Component::ParentDir => drop(plain.pop()),
                Component::CurDir => {}
                Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
            }
        }
        self.layout.roots.iter().any(|root| plain.starts_with(root))
    }

    /// The names of the files in some folders, below them as well, without their ending where one is wanted.
    fn names_in(&self, folders: &[PathBuf], ending: Option<&str>) -> Vec<String> {
        let mut names = std::collections::BTreeSet::new();
        for folder in folders {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let name = match ending {
                    Some(wanted) if path.extension().is_some_and(|found| found == wanted) => path.file_stem(),
                    Some(_) => None,
                    None => path.file_name(),
                };
                names.extend(
                    name.map(|name| name.to_string_lossy().into_owned())
                        .filter(|name| !name.starts_with('.')),
                );
            }
        }
        names.into_iter().collect()
    }
}

impl EpSettings {
    /// Reads `ep.toml`.
    pub fn load(file: &Path) -> Read<Self> {
        read_as(file, FILE_BYTES_MAX, Self::read)
    }
}

impl EpNames {
    /// Reads `epname.ini`.
    pub fn load(file: &Path) -> Read<Self> {
        read_as(file, FILE_BYTES_MAX, Self::read)
    }
}

impl EngineSettings {
    /// Reads an `engine.toml` as it is, its paths as written.
    pub fn load(file: &Path) -> Read<Self> {
        read_as(file, FILE_BYTES_MAX, Self::read)
    }
}

/// Reads the text of a file that is not larger than a limit.
///
/// # Errors
/// A file that is not there, no file, too large, or not UTF-8.
pub fn read_source(file: &Path, bytes_max: u64) -> Result<Arc<Source>, Box<FileProblem>> {
    let name = file.to_string_lossy();
    let refuse = |message: String, help: &str| Box::new(whole_file(&name, message, help));
    let unreadable = |error: std::io::Error| refuse(format!("the file cannot be read: {error}"), "");
    let found = fs::metadata(file).map_err(unreadable)?;
    // A pipe or device would never end, so it is not even opened.
    if !found.is_file() {
        return Err(refuse("this is not a file".to_owned(), "name the file itself"));
    }
    if found.len() > bytes_max {
        return Err(Box::new(too_large(&name, bytes_max)));
    }
    let opened = fs::File::open(file).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // It may grow while it is read.
    opened.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(Box::new(too_large(&name, bytes_max)));
    }
    Source::from_bytes(&name, bytes).map(Arc::new)
}

fn too_large(name: &str, bytes_max: u64) -> FileProblem {
    let message = format!("the file is larger than {} MB", bytes_max >> 20);
    let mut problem = whole_file(name, message, "split it, or use <Repeat> and iterators");
    (problem.line, problem.column) = (1, 1);
    problem
}

fn read_as<T>(file: &Path, bytes_max: u64, read: impl FnOnce(&Arc<Source>) -> Read<T>) -> Read<T> {
    match read_source(file, bytes_max) {
        Ok(source) => read(&source),
        Err(problem) => Read::failed(*problem),
    }
}

fn shown(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    shown.join(" or ")
}
