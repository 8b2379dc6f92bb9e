//! Secrets of the lab's files that stand elsewhere: `env:NAME` is a variable of the engine's environment, `file:PATH` a file in the lab folder. What
//! such a secret is shown to is named beside it: a file that only the engine may read must not leave by this door.

use std::path::Path;

use jackfield_protocol::secret::Secret;

use crate::data_folder;

/// The secret itself, where only its place is written.
///
/// # Errors
/// It is not there; in words that name the place.
#[expect(clippy::disallowed_methods, reason = "a file of the lab names the variable")]
pub(crate) fn read(written: &Secret, root: &Path) -> Result<Secret, String> {
    let text = written.expose_for_login().trim();
    if let Some(name) = text.strip_prefix("env:") {
        let missing = |error| {
            let why = match error {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is no UTF-8",
            };
            format!("the engine's environment variable {name} {why}")
        };
        return std::env::var(name).map(Secret::new).map_err(missing);
    }
    if let Some(path) = text.strip_prefix("file:") {
        let path = root.join(path);
        let cannot = |error: std::io::Error| format!("{}: {error}", path.display());
        let (real, root) = (path.canonicalize().map_err(cannot)?, root.canonicalize().map_err(cannot)?);
        if !real.starts_with(root) || data_folder::holds(&real) {
            return Err(format!(
                "{} is not one of the lab folder's own files; put a file there, or a variable with env:NAME",
                path.display()
            ));
        }
        let text = std::fs::read_to_string(&real).map_err(cannot)?;
        return Ok(Secret::new(text.trim_end_matches(['\r', '\n'])));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_stands_in_the_file_or_at_a_place() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("secret"), "hunter2\n").unwrap();
        let read = |written: &str| {
            read(&Secret::new(written), root.path()).map(|secret| secret.expose_for_login().to_owned())
        };
        assert_eq!(read("plain").unwrap(), "plain");
        assert_eq!(read("file:secret").unwrap(), "hunter2");
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
        std::fs::create_dir(root.path().join(".jackfield")).unwrap();
        for name in ["store-id", "key"] {
            std::fs::write(root.path().join(".jackfield").join(name), "engine's").unwrap();
        }
        let absolute = format!("file:{}", outside.path().display());
        for written in [absolute.as_str(), "file:link", "file:.jackfield/key", "file:x/../.jackfield/key"] {
            read(written).unwrap_err();
        }
        assert!(
            read("file:.jackfield/key").unwrap_err().contains("is not one of the lab folder's own files")
        );
        let path = std::env::var_os("PATH").map(|path| path.to_string_lossy().into_owned());
        assert_eq!(read("env:PATH").ok(), path);
        assert!(read("file:nowhere").unwrap_err().starts_with('/'));
        assert!(read("env:JACKFIELD_NO_SUCH_NAME").unwrap_err().contains("variable JACKFIELD_NO_SUCH_NAME"));
    }
}
