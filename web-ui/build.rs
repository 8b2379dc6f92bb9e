//! Turns the built pages in `dist/` into a table of files that the binary holds.
//!
//! `dist/` is made by `cargo xtask pages` and is in no commit. A build without it works: the table is empty, and the
//! engine serves a page that says how to build the others.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=dist");
    let dist = folder("CARGO_MANIFEST_DIR")?.join("dist");
    let mut files = Vec::new();
    collect(&dist, &dist, &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for (address, file) in &files {
        let packed = file.with_file_name(format!(
            "{}.gz",
            file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default()
        ));
        let packed =
            if packed.try_exists()? { format!("Some(include_bytes!({packed:?}))") } else { "None".into() };
        writeln!(
            table,
            "    Built {{ address: {address:?}, plain: include_bytes!({file:?}), packed: {packed} }},"
        )?;
    }
    table.push(']');
    fs::write(folder("OUT_DIR")?.join("built.rs"), table)?;
    Ok(())
}

/// A folder that cargo names.
#[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts by the environment")]
fn folder(name: &str) -> Result<PathBuf, env::VarError> {
    env::var(name).map(PathBuf::from)
}

/// Every file below a folder, with the address that it is served at; packed ones come with the plain ones, hidden ones
/// are no pages.
fn collect(dist: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            collect(dist, &path, files)?;
        } else if !name.starts_with('.') && !name.ends_with(".gz") {
            files.push((format!("/{}", path.strip_prefix(dist)?.display()), path));
        }
    }
    Ok(())
}
