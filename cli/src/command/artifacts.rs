//! `jackfield runs artifacts`: the files that a test left, listed and fetched.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use jackfield_protocol::id::BlobHash;
use serde::Deserialize;
use serde_json::json;

use super::runs;
use crate::{
    Context,
    exit::Exit,
    output::{table, talk},
};

/// A file that the engine keeps.
#[derive(Clone, Copy, Deserialize)]
pub(crate) struct Kept {
    pub(crate) hash: BlobHash,
    /// None where it has not come yet.
    bytes: Option<u64>,
}

/// What of an attempt names its files.
#[derive(Deserialize)]
struct Attempt {
    #[serde(default)]
    artifacts: BTreeMap<String, Kept>,
}

/// The files of a test, or of one attempt, by name.
pub(crate) fn of(context: &Context, test: &str) -> Result<BTreeMap<String, Kept>> {
    let attempt = runs::attempt(context, test)?;
    let Attempt { artifacts } = context.client.get(&format!("/attempts/{attempt}"))?;
    Ok(artifacts)
}

/// The one whose name is this, or holds this; `kind` is what the files are called.
pub(crate) fn one<'a>(
    files: &'a BTreeMap<String, Kept>,
    wanted: &str,
    test: &str,
    kind: &str,
) -> Result<(&'a String, &'a Kept)> {
    if let Some(exact) = files.get_key_value(wanted) {
        return Ok(exact);
    }
    let names = files.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let mut fits = files.iter().filter(|(name, _)| name.contains(wanted));
    match (fits.next(), fits.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => bail!("which of {names}?"),
        (None, _) if files.is_empty() => bail!("{test} left no {kind}"),
        (None, _) => bail!("{test} left no {kind} `{wanted}`; there are {names}"),
    }
}

/// Prints the table of them, as sizes and names.
pub(crate) fn print(context: &Context, files: &BTreeMap<String, Kept>) -> Result<Exit> {
    let items: Vec<_> = files
        .iter()
        .map(|(name, kept)| json!({"name": name, "hash": kept.hash, "bytes": kept.bytes}))
        .collect();
    context.output.list(&items, |_| {
        if files.is_empty() {
            return "no files".to_owned();
        }
        let mut table = table(&["NAME", "BYTES", "CONTENT"]);
        for (name, kept) in files {
            let bytes = kept.bytes.map_or_else(|| "not here yet".to_owned(), |bytes| bytes.to_string());
            table.add_row([name.clone(), bytes, kept.hash.to_string()]);
        }
        table.trim_fmt()
    })?;
    Ok(Exit::Done)
}

/// Lists the files of a test; with `to`, fetches one of them into a file or to standard output (`-`), or all into a folder.
pub(crate) fn run(context: &Context, test: &str, name: Option<&str>, to: Option<&Path>) -> Result<Exit> {
    let files = of(context, test)?;
    let Some(to) = to else {
        return match name {
            None => print(context, &files),
            Some(name) => {
                let (name, kept) = one(&files, name, test, "file")?;
                print(context, &BTreeMap::from([(name.clone(), *kept)]))
            }
        };
    };
    let Some(name) = name else {
        fs::create_dir_all(to).with_context(|| format!("making the folder {}", to.display()))?;
        for (name, kept) in &files {
            fetch(context, kept, &to.join(file_name(name)))?;
        }
        return Ok(Exit::Done);
    };
    let (name, kept) = one(&files, name, test, "file")?;
    if to == Path::new("-") {
        let mut body = body(context, kept)?;
        std::io::copy(&mut body, &mut std::io::stdout().lock())?;
    } else if to.is_dir() {
        fetch(context, kept, &to.join(file_name(name)))?;
    } else {
        fetch(context, kept, to)?;
    }
    Ok(Exit::Done)
}

/// What a file of a test is called in a folder of ours. The test chose its name: it is no path, and no hidden file, which a shell or another program
/// could take for a setting of its own.
fn file_name(name: &str) -> String {
    let plain: String =
        name.chars().map(|letter| if letter == '/' || letter.is_control() { '_' } else { letter }).collect();
    if plain.is_empty() || plain.starts_with('.') { format!("_{plain}") } else { plain }
}

fn body(context: &Context, kept: &Kept) -> Result<impl std::io::Read> {
    if kept.bytes.is_none() {
        bail!("it has not come from its EP yet: ask again when the EP is connected (`jackfield eps list`)");
    }
    context.client.bytes(&format!("/blobs/{}", kept.hash))
}

/// Writes a file whole, or leaves what was there.
fn fetch(context: &Context, kept: &Kept, to: &Path) -> Result<()> {
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let write = || -> Result<u64> {
        let bytes = std::io::copy(&mut body(context, kept)?, &mut fs::File::create(&part)?)?;
        fs::rename(&part, to)?;
        Ok(bytes)
    };
    let bytes = write().with_context(|| format!("writing {}", to.display())).inspect_err(|_| {
        // What came is not whole, and nobody asked for a part.
        let _ = fs::remove_file(&part);
    })?;
    talk(&format!("{}: {bytes} bytes", to.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_calls_its_file_leads_nowhere_and_is_no_setting() {
        for (name, file) in [
            ("out.log", "out.log"),
            ("../../evil", "_.._.._evil"),
            ("..", "_.."),
            (".", "_."),
            (".bashrc", "_.bashrc"),
            ("/etc/passwd", "_etc_passwd"),
            ("a\n\u{1b}[2J", "a__[2J"),
            ("", "_"),
        ] {
            assert_eq!(file_name(name), file);
        }
    }
}
