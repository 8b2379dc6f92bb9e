//! The files of a run, as they are when it starts: copied into the blob store, so that what is edited later changes nothing.
//!
//! Whoever may see the run may see them, but for those that come out of the folder that is its user's alone: of these the plan says so.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_config::{
    InRoom, Lab,
    load::{
        beside::{Along, Gathered},
        imports::WantedModule,
    },
    plan_files,
};
use jackfield_protocol::{
    error::{ErrorCode, FileProblem, Problem, Severity},
    id::BlobHash,
    plan::{Library, LibraryKind, RunPlan, TestFolder},
};

use crate::blobs::{BlobError, Blobs, Together};

/// Files on their way into the blob store.
struct Taking<'a> {
    lab: &'a Lab,
    together: Together,
    /// What of them is somebody's alone.
    private: BTreeSet<BlobHash>,
}

/// Takes every file the plan names, and what stands beside its tests. Answers with what will not come along, and with what is left to the Pythons of EPs.
pub(super) fn take_files(
    plan: &mut RunPlan,
    lab: &Lab,
    blobs: &Blobs,
) -> Result<(Vec<FileProblem>, Vec<WantedModule>), Problem> {
    let wanted = plan_files(plan);
    let tests = wanted.tests.iter().chain(&wanted.scripts).map(|name| (name, lab.test_file(name)));
    let configs = wanted.configs.iter().map(|name| (name, lab.test_config_file(name)));
    let mut taking = Taking { lab, together: blobs.together(), private: BTreeSet::new() };
    for (name, file) in tests.chain(configs) {
        // A file that is not there was warned of; its test will be SKIPPED and say so.
        if let Ok(path) = file {
            plan.files.insert(Arc::clone(name), taking.file(&path)?);
        }
    }
    let mut left_out = Vec::new();
    for name in &wanted.libraries {
        let path = lab.library(name).map_err(|error| bad_file(name, &error))?;
        let library = taking.library(name, &path, &mut left_out)?;
        plan.libraries.insert(Arc::clone(name), library);
    }
    let Along { folders, mut problems, modules } = lab.gather(plan);
    problems.extend(left_out);
    problems.extend(lab.hidden_files(plan));
    for folder in folders {
        let (name, folder) = taking.folder(folder)?;
        plan.folders.insert(name, folder);
    }
    plan.private.files.extend(taking.private);
    let mut profiles = lab.private_profiles();
    profiles.retain(|name| plan.profiles.contains_key(name));
    plan.private.profiles = profiles;
    taking.together.finish().map_err(|error| storage("a file of the project", &error))?;
    Ok((problems, modules))
}

/// Keeps all templates as one file: the same templates are stored, and fetched by an EP, once.
pub(super) fn take_templates(
    plan: &mut RunPlan,
    lab: &Lab,
    blobs: &Blobs,
) -> Result<Vec<FileProblem>, Problem> {
    let (templates, problems) = lab.templates();
    if templates.is_empty() {
        return Ok(problems);
    }
    let text = serde_json::to_vec(&templates)
        .map_err(|error| Problem::new(ErrorCode::Internal, format!("templates of the lab: {error}")))?;
    let hash = blobs.put(&text).map_err(|error| storage("templates", &error))?;
    if lab.private_templates().iter().any(|name| templates.contains_key(name)) {
        plan.private.files.insert(hash);
    }
    plan.templates = Some(hash);
    Ok(problems)
}

/// Takes one file.
pub(super) fn take_file(path: &InRoom, blobs: &Blobs) -> Result<BlobHash, Problem> {
    let mut together = blobs.together();
    let hash = put(path, &mut together)?;
    together.finish().map_err(|error| storage(&path.path().display().to_string(), &error))?;
    Ok(hash)
}

impl Taking<'_> {
    fn file(&mut self, path: &InRoom) -> Result<BlobHash, Problem> {
        let hash = put(path, &mut self.together)?;
        if self.lab.is_private(path.path()) {
            self.private.insert(hash);
        }
        Ok(hash)
    }

    /// The name is that of the folder on the engine, made unique by what is in it.
    fn folder(&mut self, gathered: Gathered) -> Result<(Arc<str>, TestFolder), Problem> {
        let mut folder = TestFolder::default();
        let mut hasher = blake3::Hasher::new();
        for (inside, path) in &gathered.files {
            let hash = self.file(path)?;
            hasher.update(inside.as_bytes()).update(&[0]).update(&hash.0);
            folder.files.insert(inside.as_str().into(), hash);
        }
        folder.tests = gathered.tests.into_iter().map(|(test, inside)| (test, inside.into())).collect();
        let short: String = hasher.finalize().to_hex().chars().take(16).collect();
        let own =
            gathered.root.file_name().map_or("tests".into(), |name| name.to_string_lossy().into_owned());
        Ok((format!("{short}/{own}").into(), folder))
    }

    /// A file, an archive, or a folder with everything below it that is in its room; the rest is told.
    fn library(
        &mut self,
        name: &str,
        path: &InRoom,
        left_out: &mut Vec<FileProblem>,
    ) -> Result<Library, Problem> {
        if !path.path().is_dir() {
            let archive = path.path().extension().is_some_and(|end| end == "zip" || end == "egg");
            let kind = if archive { LibraryKind::Archive } else { LibraryKind::File };
            let own =
                path.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let files = BTreeMap::from([(own.into(), self.file(path)?)]);
            return Ok(Library { kind, files });
        }
        let below =
            self.lab.below(path).map_err(|error| bad_file(name, &format!("cannot be read: {error}")))?;
        left_out.extend(below.left_out.into_iter().map(|(inner, why)| FileProblem {
            severity: Severity::Warning,
            file: name.to_owned(),
            line: 0,
            column: 0,
            message: format!("`{inner}` in this library {why}; it does not come along"),
            help: "put a copy of what is meant into the library, or take it out".to_owned(),
        }));
        let mut files = BTreeMap::new();
        for (inner, file) in below.files {
            files.insert(inner.into(), self.file(&file)?);
        }
        Ok(Library { kind: LibraryKind::Folder, files })
    }
}

fn put(path: &InRoom, together: &mut Together) -> Result<BlobHash, Problem> {
    let shown = path.path().display().to_string();
    let bytes = path.read().map_err(|error| bad_file(&shown, &format!("cannot be read: {error}")))?;
    together.put(&bytes).map_err(|error| storage(&shown, &error))
}

fn bad_file(file: &str, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(ErrorCode::BadFile, format!("`{file}` {error}"))
}

fn storage(file: &str, error: &BlobError) -> Problem {
    Problem::new(ErrorCode::Storage, format!("`{file}` cannot be kept for the run: {error}"))
}
