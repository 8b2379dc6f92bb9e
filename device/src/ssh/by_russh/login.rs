//! Logging in: what [`Proofs`] says is next, as russh does it.

use std::{path::Path, sync::Arc};

use russh::{
    MethodKind, MethodSet,
    client::{AuthResult, Handle, KeyboardInteractiveAuthResponse},
    keys::{
        Algorithm, HashAlg, PrivateKeyWithHashAlg,
        agent::{AgentIdentity, client::AgentClient},
    },
};

use super::{
    super::{
        SshError,
        answers::{Answers, Asked},
        proofs::{
            Means, Offered, Proofs, ROUNDS_MAX, agent_failed, agent_is_empty, agent_socket, load, password,
        },
        way::Entry,
    },
    link::Client,
};
use crate::{limits::AGENT_KEYS_MAX, target::Hop};

/// Logs in to a host.
pub(super) async fn log_in(handle: &mut Handle<Client>, entry: &Entry<'_>) -> Result<(), SshError> {
    let (hop, own_agent) = (entry.hop, entry.own_agent);
    let mut proofs = Proofs::of(hop, own_agent, entry.login)?;
    let user = proofs.user;
    // "none" asks which methods there are; many a device lets you in with it and asks in the shell.
    let mut result = handle.authenticate_none(user).await?;
    loop {
        let offered = match result {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure { remaining_methods, .. } => offered(&remaining_methods),
        };
        result = match proofs.next(&offered)? {
            Means::Key => with_key(handle, user, hop).await?,
            Means::Agent => with_agent(handle, user, hop, own_agent).await?,
            Means::Password => handle.authenticate_password(user, password(hop)).await?,
            Means::Answers => with_answers(handle, Answers::new(user, hop, entry.login), user).await?,
        };
    }
}

fn offered(methods: &MethodSet) -> Offered {
    Offered(methods.iter().map(|method| <&'static str>::from(method).to_owned()).collect())
}

async fn with_key(handle: &mut Handle<Client>, user: &str, hop: &Hop) -> Result<AuthResult, SshError> {
    let key = load(hop)?;
    let hash = signature_hash(handle, &key.algorithm(), hop).await?;
    Ok(handle.authenticate_publickey(user, PrivateKeyWithHashAlg::new(Arc::new(key), hash)).await?)
}

/// RSA keys sign with what the server knows: SHA-2, and SHA-1 only for a legacy device that tells nothing.
async fn signature_hash(
    handle: &Handle<Client>,
    kind: &Algorithm,
    hop: &Hop,
) -> Result<Option<HashAlg>, SshError> {
    if !kind.clone().is_rsa() {
        return Ok(None);
    }
    let untold = if hop.legacy { None } else { Some(HashAlg::Sha256) };
    Ok(handle.best_supported_rsa_hash().await?.unwrap_or(untold))
}

async fn with_agent(
    handle: &mut Handle<Client>,
    user: &str,
    hop: &Hop,
    own_agent: Option<&Path>,
) -> Result<AuthResult, SshError> {
    let socket = agent_socket(hop, own_agent)?;
    let mut agent = AgentClient::connect_uds(socket).await.map_err(|error| agent_failed(socket, error))?;
    let identities = agent.request_identities().await.map_err(|error| agent_failed(socket, error))?;
    if identities.is_empty() {
        return Err(agent_is_empty(socket));
    }
    let mut last =
        AuthResult::Failure { remaining_methods: MethodSet::client_supported(), partial_success: false };
    for identity in identities.into_iter().take(AGENT_KEYS_MAX) {
        let key = match &identity {
            AgentIdentity::PublicKey { key, .. } => key.clone(),
            AgentIdentity::Certificate { .. } => continue,
        };
        let hash = signature_hash(handle, &key.algorithm(), hop).await?;
        let result = handle.authenticate_publickey_with(user, key, hash, &mut agent).await;
        last = result.map_err(|error| agent_failed(socket, error))?;
        match &last {
            AuthResult::Failure { remaining_methods, partial_success: false }
                if remaining_methods.contains(&MethodKind::PublicKey) => {}
            AuthResult::Success | AuthResult::Failure { .. } => return Ok(last),
        }
    }
    Ok(last)
}

/// Answers what it asks. A second round without questions is answered too, as servers want it.
async fn with_answers(
    handle: &mut Handle<Client>,
    mut answers: Answers<'_>,
    user: &str,
) -> Result<AuthResult, SshError> {
    let mut reply = handle.authenticate_keyboard_interactive_start(user, None).await?;
    for _ in 0..ROUNDS_MAX {
        match reply {
            KeyboardInteractiveAuthResponse::Success => return Ok(AuthResult::Success),
            KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                return Ok(AuthResult::Failure { remaining_methods, partial_success });
            }
            KeyboardInteractiveAuthResponse::InfoRequest { instructions, prompts, .. } => {
                let asked = prompts.iter().map(|prompt| Asked {
                    instructions: &instructions,
                    text: &prompt.prompt,
                    is_shown: prompt.echo,
                });
                let round = answers.round(asked)?;
                reply = handle.authenticate_keyboard_interactive_respond(round).await?;
            }
        }
    }
    Ok(AuthResult::Failure { remaining_methods: MethodSet::empty(), partial_success: false })
}
