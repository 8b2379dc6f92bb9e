//! Logging in: with the key, then as the server asks (keyboard-interactive), then with the password.

use std::sync::Arc;

use russh::{
    MethodKind, MethodSet,
    client::{AuthResult, Handle, KeyboardInteractiveAuthResponse},
    keys::{PrivateKeyWithHashAlg, load_secret_key},
};

use super::{Access, Client, SshError};

/// Rounds of questions in one login; a server that asks on is left.
const ROUNDS_MAX: u32 = 10;

pub(crate) async fn log_in(handle: &mut Handle<Client>, access: &Access<'_>) -> Result<(), SshError> {
    let user = access.user.ok_or(SshError::Missing("user"))?;
    let mut tried: Vec<&str> = Vec::new();
    // "none" asks which methods there are; many a device lets you in with it and asks in the shell.
    let mut offered = match handle.authenticate_none(user).await? {
        AuthResult::Success => return Ok(()),
        AuthResult::Failure { remaining_methods, .. } => remaining_methods,
    };
    if let Some(file) = access.key.filter(|_| offered.contains(&MethodKind::PublicKey)) {
        tried.push("the key");
        match with_key(handle, user, file, access).await? {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure { remaining_methods, .. } => offered = remaining_methods,
        }
    }
    if let Some(password) = access.password {
        if offered.contains(&MethodKind::Password) {
            tried.push("the password");
            match handle.authenticate_password(user, password.reveal()).await? {
                AuthResult::Success => return Ok(()),
                AuthResult::Failure { remaining_methods, .. } => offered = remaining_methods,
            }
        }
        if offered.contains(&MethodKind::KeyboardInteractive) {
            tried.push("the password as an answer to its questions");
            match with_answers(handle, user, password.reveal()).await? {
                None => return Ok(()),
                Some(remaining) => offered = remaining,
            }
        }
    }
    if tried.is_empty() {
        return Err(SshError::Missing(if access.password.is_none() { "password" } else { "key" }));
    }
    let names: Vec<&str> = offered.iter().map(<&'static str>::from).collect();
    Err(SshError::Refused { user: user.to_owned(), tried: tried.join(" and "), offered: names.join(", ") })
}

async fn with_key(
    handle: &mut Handle<Client>,
    user: &str,
    file: &std::path::Path,
    access: &Access<'_>,
) -> Result<AuthResult, SshError> {
    let phrase = access.password.map(super::Secret::reveal);
    let key = load_secret_key(file, None).or_else(|_| load_secret_key(file, phrase));
    let key =
        key.map_err(|error| SshError::Key { file: file.display().to_string(), why: error.to_string() })?;
    let hash = if key.algorithm().is_rsa() {
        handle.best_supported_rsa_hash().await?.unwrap_or(Some(russh::keys::HashAlg::Sha256))
    } else {
        None
    };
    Ok(handle.authenticate_publickey(user, PrivateKeyWithHashAlg::new(Arc::new(key), hash)).await?)
}

/// Answers every question with the password; none: we are in. A second round without questions is answered too, as servers want it.
async fn with_answers(
    handle: &mut Handle<Client>,
    user: &str,
    password: &str,
) -> Result<Option<MethodSet>, SshError> {
    let mut reply = handle.authenticate_keyboard_interactive_start(user, None).await?;
    for _ in 0..ROUNDS_MAX {
        match reply {
            KeyboardInteractiveAuthResponse::Success => return Ok(None),
            KeyboardInteractiveAuthResponse::Failure { remaining_methods, .. } => {
                return Ok(Some(remaining_methods));
            }
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                let answers = prompts
                    .iter()
                    .map(|prompt| if prompt.echo { user.to_owned() } else { password.to_owned() })
                    .collect();
                reply = handle.authenticate_keyboard_interactive_respond(answers).await?;
            }
        }
    }
    Ok(Some(MethodSet::empty()))
}
