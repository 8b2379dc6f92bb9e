//! `jackfield login`: a token kept in the user's own configuration folder, readable by nobody else.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use jackfield_protocol::secret::Secret;
use serde_json::{Value, json};

use crate::{Context, command::user::read_password, exit::Exit, output};

/// Ask for a token and keep it for later commands.
#[derive(clap::Args)]
pub(crate) struct Login {
    /// The account; its password is read from standard input.
    user: String,
}

impl Login {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let body = json!({"user": self.user, "password": read_password()?.expose_for_login(), "token": "command line"});
        let made: Value = context.client.post("/login", &body)?;
        let token =
            made.get("token").and_then(Value::as_str).context("the engine's answer holds no token")?;
        for notice in made.get("notices").and_then(Value::as_array).into_iter().flatten() {
            output::talk(notice.as_str().unwrap_or_default());
        }
        let file = tokens_file().context("HOME is not set: there is no place to keep the token")?;
        let mut tokens = kept(&file);
        tokens.insert(context.client.engine().to_owned(), token.to_owned());
        write(&file, &tokens).with_context(|| format!("writing {}", file.display()))?;
        let engine = context.client.engine();
        if context.output.json() {
            context.output.done("login", engine, "")?;
        }
        output::talk(&format!("logged in to {engine} as {}", self.user));
        Ok(Exit::Done)
    }
}

/// The token that an earlier login to this engine kept.
pub(crate) fn kept_token(engine: &str) -> Option<Secret> {
    kept(&tokens_file()?).remove(engine.trim_end_matches('/')).map(Secret::new)
}

fn tokens_file() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    Some(folder.join("jackfield/tokens.json"))
}

fn kept(file: &PathBuf) -> BTreeMap<String, String> {
    fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn write(file: &PathBuf, tokens: &BTreeMap<String, String>) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    let mut out = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    out.write_all(&serde_json::to_vec_pretty(tokens)?)?;
    Ok(())
}
