//! Logging in: with a key, with the agent's keys, with the password, and as the server asks. A server that wants two of them in a row
//! (it calls each a partial success) gets them.

use std::{path::Path, sync::Arc};

use russh::{
    MethodKind, MethodSet,
    client::{AuthResult, Handle, KeyboardInteractiveAuthResponse},
    keys::{
        self, Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg,
        agent::{AgentIdentity, client::AgentClient},
    },
};

use super::{SshError, link::Client};
use crate::{
    limits::AGENT_KEYS_MAX,
    target::{Agent, Hop, Key, Secret},
};

/// Rounds of questions in one login; a server that asks on is left.
const ROUNDS_MAX: u32 = 10;

/// What we have to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Key,
    Agent,
    Password,
    Answers,
}

impl Means {
    fn kind(self) -> MethodKind {
        match self {
            Self::Key | Self::Agent => MethodKind::PublicKey,
            Self::Password => MethodKind::Password,
            Self::Answers => MethodKind::KeyboardInteractive,
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::Key => "the key",
            Self::Agent => "the agent's keys",
            Self::Password => "the password",
            Self::Answers => "the password as an answer to its questions",
        }
    }
}

/// Logs in to a host; `own_agent` is the socket of the EP's agent.
pub(super) async fn log_in(
    handle: &mut Handle<Client>,
    hop: &Hop,
    own_agent: Option<&Path>,
) -> Result<(), SshError> {
    let user = hop.user.as_deref().ok_or(SshError::Missing("user"))?;
    // "none" asks which methods there are; many a device lets you in with it and asks in the shell.
    let mut offered = match handle.authenticate_none(user).await? {
        AuthResult::Success => return Ok(()),
        AuthResult::Failure { remaining_methods, .. } => remaining_methods,
    };
    let mut left = means(hop, own_agent);
    if left.is_empty() {
        return Err(SshError::NoMeans { user: user.to_owned(), offered: names(&offered) });
    }
    let mut tried: Vec<&str> = Vec::new();
    while let Some(at) = left.iter().position(|means| offered.contains(&means.kind())) {
        let means = left.remove(at);
        tried.push(means.told());
        let result = match means {
            Means::Key => with_key(handle, user, hop).await?,
            Means::Agent => with_agent(handle, user, hop, own_agent).await?,
            Means::Password => {
                let password = hop.password.as_ref().map_or("", Secret::reveal);
                handle.authenticate_password(user, password).await?
            }
            Means::Answers => {
                with_answers(handle, user, hop.password.as_ref().map_or("", Secret::reveal)).await?
            }
        };
        match result {
            AuthResult::Success => return Ok(()),
            // Nothing remains where the server has hung up.
            AuthResult::Failure { remaining_methods, .. } => offered = remaining_methods,
        }
    }
    let tried = if tried.is_empty() { "anything we have".to_owned() } else { tried.join(" and ") };
    Err(SshError::Refused { user: user.to_owned(), tried, offered: names(&offered) })
}

fn names(methods: &MethodSet) -> String {
    let names: Vec<&str> = methods.iter().map(<&'static str>::from).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn means(hop: &Hop, own_agent: Option<&Path>) -> Vec<Means> {
    let mut means = Vec::new();
    if hop.key.is_some() {
        means.push(Means::Key);
    }
    let has_other = hop.key.is_some() || hop.password.is_some();
    let uses_agent = match hop.agent {
        Agent::Own | Agent::At(_) => true,
        Agent::LastResort => own_agent.is_some() && !has_other,
        Agent::Never => false,
    };
    if uses_agent {
        means.push(Means::Agent);
    }
    if hop.password.is_some() {
        means.extend([Means::Password, Means::Answers]);
    }
    means
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

fn load(hop: &Hop) -> Result<PrivateKey, SshError> {
    let (name, text) = match &hop.key {
        Some(Key::File(file)) => {
            let name = format!("key file `{}`", file.display());
            let text = std::fs::read_to_string(file)
                .map_err(|error| SshError::Key { key: name.clone(), why: error.to_string() })?;
            (name, text)
        }
        Some(Key::Text(text)) => ("the key of the resource".to_owned(), text.reveal().to_owned()),
        None => return Err(SshError::Missing("key")),
    };
    let unusable = |why: String| SshError::Key { key: name.clone(), why };
    let phrase = hop.passphrase.as_ref().or(hop.password.as_ref()).map(Secret::reveal);
    match (keys::decode_secret_key(&text, None), phrase) {
        (Ok(key), _) => Ok(key),
        (Err(keys::Error::KeyIsEncrypted), None) => {
            Err(unusable("it is protected: add `passphrase` to the resource".to_owned()))
        }
        (Err(keys::Error::KeyIsEncrypted), Some(phrase)) => keys::decode_secret_key(&text, Some(phrase))
            .map_err(|error| {
                tracing::debug!(%error, "a key could not be opened");
                unusable("its passphrase is wrong".to_owned())
            }),
        (Err(error), _) => Err(unusable(error.to_string())),
    }
}

async fn with_agent(
    handle: &mut Handle<Client>,
    user: &str,
    hop: &Hop,
    own_agent: Option<&Path>,
) -> Result<AuthResult, SshError> {
    let failed = |why: String| SshError::Agent { why };
    let socket = match &hop.agent {
        Agent::At(path) => path.as_path(),
        Agent::Own | Agent::LastResort | Agent::Never => own_agent.ok_or_else(|| {
            failed("the EP was started without SSH_AUTH_SOCK: set agent to the path of a socket".to_owned())
        })?,
    };
    let told = |error: keys::Error| failed(format!("`{}`: {error}", socket.display()));
    let mut agent = AgentClient::connect_uds(socket).await.map_err(told)?;
    let identities = agent.request_identities().await.map_err(told)?;
    if identities.is_empty() {
        return Err(failed(format!("`{}` has no keys: add one with ssh-add", socket.display())));
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
        last = result.map_err(|error| failed(format!("`{}`: {error}", socket.display())))?;
        match &last {
            AuthResult::Failure { remaining_methods, partial_success: false }
                if remaining_methods.contains(&MethodKind::PublicKey) => {}
            AuthResult::Success | AuthResult::Failure { .. } => return Ok(last),
        }
    }
    Ok(last)
}

/// Answers every question with the password. A second round without questions is answered too, as servers want it.
async fn with_answers(
    handle: &mut Handle<Client>,
    user: &str,
    password: &str,
) -> Result<AuthResult, SshError> {
    let mut reply = handle.authenticate_keyboard_interactive_start(user, None).await?;
    for _ in 0..ROUNDS_MAX {
        match reply {
            KeyboardInteractiveAuthResponse::Success => return Ok(AuthResult::Success),
            KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                return Ok(AuthResult::Failure { remaining_methods, partial_success });
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
    Ok(AuthResult::Failure { remaining_methods: MethodSet::empty(), partial_success: false })
}
