//! Entering a host: greeting, its key, and what [`Proofs`] says is next, as libssh2 does it.

use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use jackfield_config::profile::Login;
use russh::keys::{PublicKey, ssh_key::LineEnding};
use ssh2::{KeyboardInteractivePrompt, Prompt};

use super::{
    super::{
        SshError,
        answers::{Answers, Asked},
        host_key::KeyCheck,
        proofs::{
            Means, Offered, Proofs, ROUNDS_MAX, agent_failed, agent_is_empty, agent_socket, load, password,
        },
    },
    algorithms::Allowed,
    speaker::{Broken, Speaker},
    words::{asks_on, is_discord, is_loss, is_refused_key, refusal},
};
use crate::{limits::AGENT_KEYS_MAX, target::Hop};

/// Who is entered, as whom.
pub(super) struct Host {
    pub(super) hop: Hop,
    pub(super) check: KeyCheck,
    pub(super) own_agent: Option<PathBuf>,
    pub(super) login: Login,
}

/// Why a host was not entered.
pub(super) enum NotEntered {
    /// It is known why.
    Told(SshError),
    /// The two sides may have no algorithm in common: these are ours.
    Discord(Box<(Allowed, SshError)>),
}

impl From<SshError> for NotEntered {
    fn from(error: SshError) -> Self {
        Self::Told(error)
    }
}

impl From<Broken> for SshError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Library(error) => refusal(&error),
            Broken::System(error) => Self::Protocol { why: error.to_string(), is_loss: true },
            Broken::Left => Self::Protocol { why: "nobody waits for it any more".to_owned(), is_loss: false },
        }
    }
}

/// Exchanges greetings and keys, and looks whether the host is who it should be.
pub(super) fn greet(speaker: &mut Speaker, host: &Host) -> Result<(), NotEntered> {
    let mut allowed = Allowed::of(host.hop.legacy, &host.check.known_kinds());
    allowed.apply(&speaker.session).map_err(|error| refusal(&error))?;
    match speaker.finish(|session| session.handshake()) {
        Ok(()) => {}
        Err(Broken::Library(error)) if is_discord(&error) => {
            return Err(NotEntered::Discord(Box::new((allowed, refusal(&error)))));
        }
        Err(broken) => return Err(SshError::from(broken).into()),
    }
    let unreadable = || SshError::Protocol { why: "its host key cannot be read".to_owned(), is_loss: false };
    let (bytes, _) = speaker.session.host_key().ok_or_else(unreadable)?;
    let key = PublicKey::from_bytes(bytes).map_err(|error| {
        tracing::debug!(%error, "a host key cannot be read");
        unreadable()
    })?;
    Ok(host.check.decide(&key).map_err(SshError::HostKey)?)
}

/// Logs in.
pub(super) fn log_in(speaker: &mut Speaker, host: &Host) -> Result<(), SshError> {
    let hop = &host.hop;
    let mut proofs = Proofs::of(hop, host.own_agent.as_deref(), &host.login)?;
    let user = proofs.user;
    // Asking for the methods lets us in where the device asks in the shell.
    let mut offered = methods(speaker, user)?;
    while !speaker.session.authenticated() {
        let result = match proofs.next(&offered)? {
            Means::Key => with_key(speaker, user, hop),
            Means::Agent => with_agent(speaker, user, hop, host.own_agent.as_deref()),
            Means::Password => Ok(speaker.finish(|session| session.userauth_password(user, password(hop)))),
            Means::Answers => with_answers(speaker, user, Answers::new(user, hop, &host.login)),
        }?;
        match result {
            Ok(()) => return Ok(()),
            // A server hangs up on who was wrong too often: then nothing remains.
            Err(Broken::Library(error)) if is_loss(&error) => offered = Offered::default(),
            // The library does not tell what remains: the server is asked anew.
            Err(Broken::Library(_)) => {
                offered = match methods(speaker, user) {
                    Err(SshError::Protocol { is_loss: true, .. }) => Offered::default(),
                    told => told?,
                }
            }
            Err(broken @ (Broken::System(_) | Broken::Left)) => return Err(broken.into()),
        }
    }
    Ok(())
}

fn methods(speaker: &mut Speaker, user: &str) -> Result<Offered, SshError> {
    let methods = speaker.finish(|session| session.auth_methods(user).map(str::to_owned))?;
    Ok(Offered(methods.split(',').filter(|method| !method.is_empty()).map(str::to_owned).collect()))
}

fn with_key(speaker: &mut Speaker, user: &str, hop: &Hop) -> Result<Result<(), Broken>, SshError> {
    // The library gets the key opened and in one form, whatever form and lock it had.
    let key = load(hop)?;
    let text = key
        .to_openssh(LineEnding::LF)
        .map_err(|error| SshError::Key { key: "the key".to_owned(), why: error.to_string() })?;
    Ok(speaker.finish(|session| session.userauth_pubkey_memory(user, None, &text, None)))
}

fn with_agent(
    speaker: &mut Speaker,
    user: &str,
    hop: &Hop,
    own_agent: Option<&Path>,
) -> Result<Result<(), Broken>, SshError> {
    let socket = agent_socket(hop, own_agent)?;
    // The library does not say why it cannot connect.
    drop(UnixStream::connect(socket).map_err(|error| agent_failed(socket, error))?);
    let failed = |error: ssh2::Error| agent_failed(socket, error.message().to_lowercase());
    let mut agent = speaker.session.agent().map_err(failed)?;
    agent.set_identity_path(socket).map_err(failed)?;
    agent.connect().map_err(failed)?;
    agent.list_identities().map_err(failed)?;
    let identities = agent.identities().map_err(failed)?;
    if identities.is_empty() {
        return Err(agent_is_empty(socket));
    }
    let plain = identities.iter().filter(|identity| PublicKey::from_bytes(identity.blob()).is_ok());
    let mut last = Ok(());
    for identity in plain.take(AGENT_KEYS_MAX) {
        last = speaker.finish(|_| agent.userauth(user, identity));
        match &last {
            Err(Broken::Library(error)) if is_refused_key(error) => {}
            Ok(()) | Err(_) => return Ok(last),
        }
    }
    Ok(last)
}

/// Answers what it asks. A second round without questions is answered too, as servers want it.
fn with_answers(
    speaker: &mut Speaker,
    user: &str,
    answers: Answers<'_>,
) -> Result<Result<(), Broken>, SshError> {
    let mut answering = Answering { answers, rounds: 0, unanswered: None };
    let result = speaker.finish(|session| {
        let result = session.userauth_keyboard_interactive(user, &mut answering);
        if answering.rounds > ROUNDS_MAX { Err(asks_on()) } else { result }
    });
    answering.unanswered.map_or(Ok(result), Err)
}

struct Answering<'a> {
    answers: Answers<'a>,
    rounds: u32,
    /// Why a question has no answer: the library itself knows no way to leave one.
    unanswered: Option<SshError>,
}

impl KeyboardInteractivePrompt for Answering<'_> {
    fn prompt(&mut self, _user: &str, instructions: &str, prompts: &[Prompt<'_>]) -> Vec<String> {
        self.rounds = self.rounds.saturating_add(1);
        if self.unanswered.is_none() {
            let asked = prompts.iter().map(|prompt| Asked {
                instructions,
                text: &prompt.text,
                is_shown: prompt.echo,
            });
            match self.answers.round(asked) {
                Ok(round) => return round,
                Err(error) => self.unanswered = Some(error),
            }
        }
        vec![String::new(); prompts.len()]
    }
}
