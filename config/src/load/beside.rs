//! What stands beside a test and comes along with it: modules, `conftest.py`, resources, includes.
//!
//! By rule that is the test's folder with all below it; where a folder above it, up to the lab's tests folder, holds one of [`MARKS`], it is the
//! highest such folder. A test's property `files` names more. Everything has limits, and what is left out for them is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_protocol::{
    error::{FileProblem, Severity},
    plan::{PlannedTest, RunPlan},
};

use super::{
    InRoom, Lab, Room,
    imports::{self, WantedModule},
    references,
};
use crate::{
    limits::{BESIDE_BYTES_MAX, BESIDE_FILE_BYTES_MAX, BESIDE_FILES_MAX, BESIDE_RUN_FILES_MAX},
    problem::whole_file,
};

/// A folder with one of these is the root of all that is below it.
pub const MARKS: [&str; 5] = [".beside", "conftest.py", "pytest.ini", "pyproject.toml", "__init__.robot"];
/// The property of a test that names further files and folders, relative to the test's own folder.
const PROPERTY: &str = "files";

/// A folder whose files stay together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Where it is.
    pub root: PathBuf,
    /// Its files, by their path below it.
    pub files: BTreeMap<String, InRoom>,
    /// Tests of the plan in it: the name in the plan, and the path below it.
    pub tests: BTreeMap<Arc<str>, String>,
}

/// What comes along with the tests of a plan.
#[derive(Clone, Debug, Default)]
pub struct Along {
    /// The folders, with their files.
    pub folders: Vec<Gathered>,
    /// What will not, though the lab has it.
    pub problems: Vec<FileProblem>,
    /// What only the Pythons of EPs can have.
    pub modules: Vec<WantedModule>,
}

impl Lab {
    /// What comes along with the tests of a plan, and what will not.
    pub fn gather(&self, plan: &RunPlan) -> Along {
        let mut gathering =
            Gathering { lab: self, folders: BTreeMap::new(), problems: BTreeSet::new(), count: 0 };
        let mut seen = BTreeSet::new();
        for test in &plan.tests {
            if seen.insert((Arc::clone(&test.file), test.properties.get(PROPERTY).cloned())) {
                gathering.test(test);
            }
        }
        let Gathering { folders, problems, .. } = gathering;
        let folders: Vec<Gathered> =
            folders.into_values().filter(|folder| !folder.tests.is_empty()).collect();
        let mut problems: Vec<FileProblem> = problems
            .into_iter()
            .map(|(file, message, help)| FileProblem {
                severity: Severity::Warning,
                ..whole_file(&file, message, &help)
            })
            .collect();
        problems.extend(references::missing(self, plan, &folders));
        let (missing, modules) = imports::look(self, plan, &folders);
        problems.extend(missing);
        Along { folders, problems, modules }
    }

    /// The folder that a test's file belongs to.
    fn root_of(&self, file: &Path) -> PathBuf {
        let own = file.parent().unwrap_or(file);
        let Some(top) = self.tests_folder_of(file) else { return own.to_owned() };
        let inside = own.ancestors().take_while(|folder| folder.starts_with(&top));
        let marked = inside.filter(|folder| MARKS.iter().any(|mark| folder.join(mark).is_file()));
        marked.last().unwrap_or(own).to_owned()
    }

    /// The lab's folder of tests that a file lies in.
    pub(super) fn tests_folder_of(&self, file: &Path) -> Option<PathBuf> {
        let tests = self.layout.tests.iter().filter_map(|folder| std::fs::canonicalize(folder).ok());
        tests.filter(|top| file.starts_with(top)).max_by_key(|top| top.components().count())
    }
}

struct Gathering<'a> {
    lab: &'a Lab,
    /// By root, and what was declared beside it.
    folders: BTreeMap<(PathBuf, Arc<str>), Gathered>,
    problems: BTreeSet<(String, String, String)>,
    /// Files of all folders together.
    count: usize,
}

impl Gathering<'_> {
    fn test(&mut self, test: &PlannedTest) {
        // A file that is not there was warned of.
        let Ok(file) = self.lab.test_file(&test.file) else { return };
        let declared: Arc<str> = test.properties.get(PROPERTY).cloned().unwrap_or_default();
        let by_rule = self.lab.root_of(file.path());
        let named = self.declared(test, file.path(), &declared);
        let root = named.iter().fold(by_rule.clone(), |root, path| common(&root, path));
        let key = (root.clone(), Arc::clone(&declared));
        if !self.folders.contains_key(&key) {
            let files = self.files(&root, &by_rule, file.path(), &named);
            self.folders.insert(key.clone(), Gathered { root: root.clone(), files, tests: BTreeMap::new() });
        }
        let inside = file.path().strip_prefix(&root).unwrap_or(file.path()).to_string_lossy().into_owned();
        if let Some(folder) = self.folders.get_mut(&key).filter(|folder| folder.files.len() > 1) {
            folder.files.entry(inside.clone()).or_insert_with(|| file.clone());
            folder.tests.insert(Arc::clone(&test.file), inside);
        }
    }

    /// The files and folders that a test names, as they really are.
    fn declared(&mut self, test: &PlannedTest, file: &Path, declared: &str) -> Vec<PathBuf> {
        let own = file.parent().unwrap_or(file).to_owned();
        let mut found = Vec::new();
        for name in declared.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match self.lab.locate(Room::Tests, std::slice::from_ref(&own), name) {
                Ok(named) => found.push(named.path().to_owned()),
                Err(error) => self.tell(
                    &test.file,
                    format!("its property `files` names `{name}`, which {error}"),
                    "name files and folders relative to the test's own folder, separated by commas",
                ),
            }
        }
        found
    }

    /// The files of a folder: all below it, or, where that is too much, those right beside the test, or none.
    fn files(
        &mut self,
        root: &Path,
        by_rule: &Path,
        file: &Path,
        named: &[PathBuf],
    ) -> BTreeMap<String, InRoom> {
        let mut wanted: Vec<PathBuf> = vec![by_rule.to_owned()];
        wanted.extend(named.iter().cloned());
        let own = file.parent().unwrap_or(file);
        let tries = [(wanted.clone(), true), ([&[own.to_owned()], named].concat(), false)];
        for (places, is_deep) in tries {
            let mut found = BTreeMap::new();
            if self.collect(root, &places, is_deep, &mut found).is_ok() {
                self.count = self.count.saturating_add(found.len());
                return found;
            }
            let what = if is_deep { "and below it " } else { "" };
            let mib = BESIDE_BYTES_MAX >> 20;
            let told = format!(
                "{what}are more than {BESIDE_FILES_MAX} files or {mib} MB, so {} comes along with its tests",
                if is_deep { "only what stands right beside them" } else { "nothing" }
            );
            self.tell(
                &by_rule.to_string_lossy(),
                format!("in it {told}"),
                "move what tests do not need elsewhere, or put shared files into a library",
            );
        }
        BTreeMap::new()
    }

    fn collect(
        &mut self,
        root: &Path,
        places: &[PathBuf],
        is_deep: bool,
        found: &mut BTreeMap<String, InRoom>,
    ) -> Result<(), TooMuch> {
        let mut bytes = 0_u64;
        let mut folders: Vec<(PathBuf, bool)> = Vec::new();
        for (index, place) in places.iter().enumerate() {
            if place.is_dir() {
                // What is named is meant with all below it.
                folders.push((place.clone(), is_deep || index > 0));
            } else if let Some(file) = self.in_room(place) {
                let length = place.metadata().map_or(0, |found| found.len());
                take(root, place, file, length, &mut bytes, found)?;
            }
        }
        while let Some((folder, is_deep)) = folders.pop() {
            // A folder that cannot be read has nothing for a test, and the test says so.
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if is_left_out(&name) {
                    continue;
                }
                let path = entry.path();
                let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                let Ok(about) = std::fs::metadata(&path) else { continue };
                // A loop of links would have no end; settings, others' files and links out of the lab are no files of a test.
                if about.is_dir() && !is_link && is_deep {
                    folders.push((path, true));
                } else if about.is_file()
                    && let Some(file) = self.in_room(&path)
                {
                    if about.len() > BESIDE_FILE_BYTES_MAX {
                        let mib = BESIDE_FILE_BYTES_MAX >> 20;
                        let told = format!(
                            "it has more than {mib} MB and does not come along with the tests beside it"
                        );
                        self.tell(&path.to_string_lossy(), told, "put it into a library of the project");
                    } else {
                        take(root, &path, file, about.len(), &mut bytes, found)?;
                    }
                }
            }
        }
        if self.count.saturating_add(found.len()) > BESIDE_RUN_FILES_MAX { Err(TooMuch) } else { Ok(()) }
    }

    fn in_room(&self, path: &Path) -> Option<InRoom> {
        let real = std::fs::canonicalize(path).ok()?;
        self.lab.admit(Room::Tests, real).ok()
    }

    fn tell(&mut self, file: &str, message: String, help: &str) {
        self.problems.insert((file.to_owned(), message, help.to_owned()));
    }
}

/// A folder has more in it than may come along.
struct TooMuch;

fn take(
    root: &Path,
    path: &Path,
    file: InRoom,
    length: u64,
    bytes: &mut u64,
    found: &mut BTreeMap<String, InRoom>,
) -> Result<(), TooMuch> {
    *bytes = bytes.saturating_add(length);
    let inside = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    found.insert(inside, file);
    if found.len() > BESIDE_FILES_MAX || *bytes > BESIDE_BYTES_MAX { Err(TooMuch) } else { Ok(()) }
}

/// What editors, interpreters and version control put beside files; hidden files but the mark.
fn is_left_out(name: &str) -> bool {
    (name.starts_with('.') && !MARKS.contains(&name))
        || name == "__pycache__"
        || name.ends_with('~')
        || [".pyc", ".pyo", ".class", ".swp"].iter().any(|ending| name.ends_with(ending))
}

/// The deepest folder that holds both.
fn common(folder: &Path, path: &Path) -> PathBuf {
    let holds = |candidate: &&Path| path.starts_with(candidate);
    folder.ancestors().find(holds).unwrap_or(folder).to_owned()
}
