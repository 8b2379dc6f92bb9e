//! What is kept between commands in the user's own configuration folder, readable by nobody else: tokens of log-ins, and
//! the authorities that were agreed on, by the engine's address.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use jackfield_protocol::secret::Secret;
use jackfield_tls::Fingerprint;

const TOKENS: &str = "tokens.json";
const ENGINES: &str = "known_engines.json";

/// The token that an earlier log-in to this engine kept.
pub(crate) fn token(engine: &str) -> Option<Secret> {
    read(&folder()?.join(TOKENS)).remove(key(engine)).map(Secret::new)
}

/// The authority that was agreed on for this engine.
pub(crate) fn pin(engine: &str) -> Option<Fingerprint> {
    read(&folder()?.join(ENGINES)).remove(key(engine))?.parse().ok()
}

/// Keeps a token.
///
/// # Errors
/// There is no place for it.
pub(crate) fn keep_token(engine: &str, token: &Secret) -> Result<()> {
    keep(TOKENS, engine, token.expose_for_owner().to_owned())
}

/// Keeps what was agreed on; what was before is forgotten.
///
/// # Errors
/// There is no place for it.
pub(crate) fn keep_pin(engine: &str, pin: Fingerprint) -> Result<()> {
    keep(ENGINES, engine, pin.to_string())
}

fn key(engine: &str) -> &str {
    engine.trim_end_matches('/')
}

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    Some(folder.join("jackfield"))
}

fn keep(name: &str, engine: &str, value: String) -> Result<()> {
    let file = folder().context("HOME is not set: there is no place to keep the token")?.join(name);
    let mut all = read(&file);
    all.insert(key(engine).to_owned(), value);
    write(&file, &all).with_context(|| format!("writing {}", file.display()))
}

fn read(file: &Path) -> BTreeMap<String, String> {
    fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Whole or not at all: a second command reads it meanwhile.
fn write(file: &Path, all: &BTreeMap<String, String>) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    let part = file.with_extension(format!("{}.part", std::process::id()));
    let mut out = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    out.write_all(&serde_json::to_vec_pretty(all)?)?;
    fs::rename(&part, file)?;
    Ok(())
}
