//! The profile that a person names beside a device: a shipped one, one of the folder `profiles/`, or a file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use jackfield_config::profile::{Profile, name_in};
use jackfield_device::profile::Profiles;

/// The folder of a lab's own.
const FOLDER: &str = "profiles";

/// All profiles that may be named here, and the name of the one that was.
///
/// # Errors
/// There is none, or its file cannot be read; the error says every problem with its place.
pub(super) fn choose(named: &str) -> Result<(Profiles, String)> {
    if !is_file(named) {
        let profiles = Profiles::shipped().with_lab(&read_folder(Path::new(FOLDER), None)?);
        profiles
            .get(named)
            .with_context(|| format!("for a file of your own write its path, such as ./{named}.toml"))?;
        return Ok((profiles, named.to_owned()));
    }
    let path = Path::new(named);
    let text = std::fs::read_to_string(path).with_context(|| format!("reading the profile {named}"))?;
    // It may be based on one beside it.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut files = read_folder(folder, Some(path))?;
    files.retain(|(file, text)| Profile::parse(file, text).is_ok());
    let name = name_in(&text)
        .with_context(|| format!("{named}: a profile has no `name`: write name = \"…\" first"))?;
    files.push((named.to_owned(), text));
    match Profiles::shipped().with_files(&files) {
        Ok(profiles) => Ok((profiles, name)),
        Err(problems) => {
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            bail!("the profile cannot be used:\n{}", told.join("\n"))
        }
    }
}

fn is_file(named: &str) -> bool {
    named.ends_with(".toml") || named.contains('/')
}

/// The profiles of a folder, by file, but one; none where there is no such folder.
fn read_folder(folder: &Path, but: Option<&Path>) -> Result<Vec<(String, String)>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>()?;
    let name = but.and_then(Path::file_name);
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml") && path.file_name() != name);
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok((path.display().to_string(), text))
    };
    paths.into_iter().map(read).collect()
}
