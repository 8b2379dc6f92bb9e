//! Files of the lab that hold passwords and that others on this machine may read. They are people's own: told, and left as they are.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use jackfield_config::{Lab, LabDatabase, db::database::Database};
use serde_json::Value;

use super::veil;

/// The bit of a mode by which everybody may read.
const OTHERS_READ: u32 = 0o004;

/// A sentence for the person who starts the engine; none where there is nothing to tell.
pub(crate) fn notice(lab: &Lab) -> Option<String> {
    let layout = lab.layout();
    let mut files: Vec<PathBuf> = Vec::new();
    if lab.email().and_then(|read| read.value).is_some_and(|email| email.password.is_some()) {
        files.extend(layout.email.iter().cloned());
    }
    let databases = lab.databases().unwrap_or_default();
    for LabDatabase { file, config } in databases.inserts.iter().chain(&databases.reports) {
        let connection = config.connection.as_ref();
        let has_url = connection.is_some_and(|connection| connection.url.is_some());
        let file = PathBuf::from(file);
        let is_told = files.contains(&file);
        if !is_told
            && (has_url || Database::of(connection).is_ok_and(|database| database.plain_password().is_some()))
        {
            files.push(file);
        }
    }
    let benches =
        layout.suts.iter().flat_map(|(folder, _)| inside(folder)).chain(layout.resources.iter().cloned());
    files.extend(benches.filter(|file| holds_secrets(file)));
    let open: Vec<String> =
        files.iter().filter(|file| is_open(file)).map(|file| file.display().to_string()).collect();
    if open.is_empty() {
        return None;
    }
    Some(format!(
        "everybody on this machine may read the passwords in {}: `chmod o-r` them, or keep others out of the folder",
        open.join(", ")
    ))
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// Whether it is JSON with a property that is a secret. What cannot be read is told elsewhere.
fn holds_secrets(file: &Path) -> bool {
    let Ok(text) = fs::read(file) else { return false };
    let Ok(mut tree) = serde_json::from_slice::<Value>(&text) else { return false };
    let whole = tree.clone();
    veil::node(&mut tree);
    whole != tree
}

/// Whether everybody may read it, all folders on the way to it included.
fn is_open(file: &Path) -> bool {
    let may =
        |path: &Path, bit: u32| fs::metadata(path).is_ok_and(|about| about.permissions().mode() & bit == bit);
    may(file, OTHERS_READ)
        && file.ancestors().skip(1).all(|folder| folder.as_os_str().is_empty() || may(folder, 0o001))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_all_may_read_is_told_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        fs::write(
            path("resources.json"),
            r#"{"version":1,"children":{"r":{"id":"0000000001","meta":{"password":"x"},"children":{}}}}"#,
        )
        .unwrap();
        fs::write(path("email.xml"), "<Root><SMTPUser>u</SMTPUser><SMTPPwd>x</SMTPPwd></Root>").unwrap();
        fs::write(path("db.xml"), "<root><db_config><server>h</server><database>d</database><user>u</user><password>file:p</password></db_config></root>").unwrap();
        open(folder.path(), 0o755);
        let lab = Lab::open(folder.path()).unwrap();
        let told = notice(&lab).unwrap();
        assert!(
            told.contains("email.xml, ")
                && told.contains("resources.json: `chmod")
                && !told.contains("db.xml"),
            "{told}"
        );
        open(&path("email.xml"), 0o640);
        assert!(!notice(&lab).unwrap().contains("email.xml"));
        open(folder.path(), 0o700);
        assert_eq!(notice(&lab), None, "nobody gets there");
    }
}
