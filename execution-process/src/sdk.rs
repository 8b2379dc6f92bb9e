//! The SDKs as they are compiled in, put where tests find them.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Every file of the SDKs that a test may need: its path below `sdk/`, and what is in it.
const FILES: &[(&str, &str)] = &[
    ("java/jackfield/JUnit4.java", include_str!("../../sdk/java/jackfield/JUnit4.java")),
    ("java/jackfield/JUnit5.java", include_str!("../../sdk/java/jackfield/JUnit5.java")),
    ("java/jackfield/Jackfield.java", include_str!("../../sdk/java/jackfield/Jackfield.java")),
    ("java/jackfield/Json.java", include_str!("../../sdk/java/jackfield/Json.java")),
    ("java/jackfield/Results.java", include_str!("../../sdk/java/jackfield/Results.java")),
    ("java/jackfield/Run.java", include_str!("../../sdk/java/jackfield/Run.java")),
    ("java/jackfield/Session.java", include_str!("../../sdk/java/jackfield/Session.java")),
    ("perl/Jackfield.pm", include_str!("../../sdk/perl/Jackfield.pm")),
    ("perl/Jackfield/Error.pm", include_str!("../../sdk/perl/Jackfield/Error.pm")),
    ("perl/Jackfield/Link.pm", include_str!("../../sdk/perl/Jackfield/Link.pm")),
    ("perl/Jackfield/Script.pm", include_str!("../../sdk/perl/Jackfield/Script.pm")),
    ("perl/Jackfield/Session.pm", include_str!("../../sdk/perl/Jackfield/Session.pm")),
    ("perl/run.pl", include_str!("../../sdk/perl/run.pl")),
    ("python/jackfield/__init__.py", include_str!("../../sdk/python/jackfield/__init__.py")),
    ("python/jackfield/client.py", include_str!("../../sdk/python/jackfield/client.py")),
    ("python/jackfield/ep_channel.py", include_str!("../../sdk/python/jackfield/ep_channel.py")),
    ("python/jackfield/errors.py", include_str!("../../sdk/python/jackfield/errors.py")),
    ("python/jackfield/idle.py", include_str!("../../sdk/python/jackfield/idle.py")),
    ("python/jackfield/injected.py", include_str!("../../sdk/python/jackfield/injected.py")),
    ("python/jackfield/python2.py", include_str!("../../sdk/python/jackfield/python2.py")),
    ("python/jackfield/script.py", include_str!("../../sdk/python/jackfield/script.py")),
    ("python/jackfield/session.py", include_str!("../../sdk/python/jackfield/session.py")),
    ("python/jackfield/step.py", include_str!("../../sdk/python/jackfield/step.py")),
    ("python/jackfield/twister.py", include_str!("../../sdk/python/jackfield/twister.py")),
    ("python/jackfield/unheard.py", include_str!("../../sdk/python/jackfield/unheard.py")),
    ("python/jackfield/verdict.py", include_str!("../../sdk/python/jackfield/verdict.py")),
    ("python/jackfield/warm.py", include_str!("../../sdk/python/jackfield/warm.py")),
    ("python/jackfield_pytest.py", include_str!("../../sdk/python/jackfield_pytest.py")),
    ("python/known.py", include_str!("../../sdk/python/known.py")),
    ("python/libs/TscCommonLib.py", include_str!("../../sdk/python/libs/TscCommonLib.py")),
    ("python/libs/TscFtpLib.py", include_str!("../../sdk/python/libs/TscFtpLib.py")),
    ("python/libs/TscSshLib.py", include_str!("../../sdk/python/libs/TscSshLib.py")),
    ("python/libs/TscTelnetLib.py", include_str!("../../sdk/python/libs/TscTelnetLib.py")),
    ("python/libs/TscThreadsLib.py", include_str!("../../sdk/python/libs/TscThreadsLib.py")),
    ("python/libs/TscUnitTestLib.py", include_str!("../../sdk/python/libs/TscUnitTestLib.py")),
    ("python/libs/_tsc_connections.py", include_str!("../../sdk/python/libs/_tsc_connections.py")),
    ("python/libs/ce_libs.py", include_str!("../../sdk/python/libs/ce_libs.py")),
    ("python/run.py", include_str!("../../sdk/python/run.py")),
    ("shell/jackfield.sh", include_str!("../../sdk/shell/jackfield.sh")),
    ("tcl/jackfield.tcl", include_str!("../../sdk/tcl/jackfield.tcl")),
    ("tcl/json.tcl", include_str!("../../sdk/tcl/json.tcl")),
    ("tcl/pkgIndex.tcl", include_str!("../../sdk/tcl/pkgIndex.tcl")),
    ("tcl/run.tcl", include_str!("../../sdk/tcl/run.tcl")),
    ("tcl/twister.tcl", include_str!("../../sdk/tcl/twister.tcl")),
];

/// Writes the SDKs below `folder`, into a place named by their content, so that an EP of another version
/// that shares the folder keeps its own; answers with that place.
///
/// # Errors
/// The folder cannot be written.
pub fn unpack(folder: &Path) -> io::Result<PathBuf> {
    let mut hasher = blake3::Hasher::new();
    for (path, text) in FILES {
        hasher.update(path.as_bytes()).update(&[0]).update(text.as_bytes()).update(&[0]);
    }
    let name: String = hasher.finalize().to_hex().chars().take(16).collect();
    let place = folder.join(name);
    if place.try_exists()? {
        return Ok(place);
    }
    let part = folder.join("unpacking");
    if part.try_exists()? {
        std::fs::remove_dir_all(&part)?;
    }
    for (path, text) in FILES {
        let file = part.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(&part))?;
        std::fs::write(file, text)?;
    }
    std::fs::rename(&part, &place)?;
    Ok(place)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn files_below(folder: &Path, name: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let own = entry.file_name().into_string().unwrap();
            if own == "tests" || own == "__pycache__" {
                continue;
            }
            let inside = if name.is_empty() { own } else { format!("{name}/{own}") };
            if entry.path().is_dir() {
                files_below(&entry.path(), &inside, found);
            } else if !name.is_empty() {
                found.insert(inside);
            }
        }
    }

    #[test]
    fn every_file_of_the_sdks_is_compiled_in_and_unpacked() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
        let mut there = BTreeSet::new();
        files_below(&source, "", &mut there);
        let ours: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(ours, there, "bring FILES up to date");
        let folder = tempfile::tempdir().unwrap();
        let place = unpack(folder.path()).unwrap();
        assert_eq!(unpack(folder.path()).unwrap(), place);
        for (path, text) in FILES {
            assert_eq!(std::fs::read_to_string(place.join(path)).unwrap(), *text);
        }
    }
}
