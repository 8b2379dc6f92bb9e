//! What we show to be let in, and in which order: a key, the agent's keys, the password, and answers to what the server asks. A
//! server that wants two of them in a row (it calls each a partial success) gets them.

use std::path::Path;

use jackfield_config::profile::Login;
use russh::keys::{self, PrivateKey};

use super::SshError;
use crate::target::{Agent, Hop, Key, Secret};

/// Rounds of questions in one login; a server that asks on is left.
pub(super) const ROUNDS_MAX: u32 = 10;

/// One thing to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    Key,
    Agent,
    Password,
    Answers,
}

impl Means {
    /// What the protocol calls it.
    fn method(self) -> &'static str {
        match self {
            Self::Key | Self::Agent => "publickey",
            Self::Password => "password",
            Self::Answers => "keyboard-interactive",
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::Key => "the key",
            Self::Agent => "the agent's keys",
            Self::Password => "the password",
            Self::Answers => "answers to its questions",
        }
    }
}

/// What a server would take, in the protocol's words; empty where it has hung up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offered(pub(super) Vec<String>);

impl Offered {
    fn told(&self) -> String {
        if self.0.is_empty() { "nothing".to_owned() } else { self.0.join(", ") }
    }
}

/// What is left to show to one host.
pub(super) struct Proofs<'a> {
    pub(super) user: &'a str,
    left: Vec<Means>,
    tried: Vec<&'static str>,
}

impl<'a> Proofs<'a> {
    /// All that we have for a host; `own_agent` is the socket of the EP's agent.
    pub(super) fn of(hop: &'a Hop, own_agent: Option<&Path>, login: &Login) -> Result<Self, SshError> {
        let user = hop.user.as_deref().ok_or(SshError::Missing("user"))?;
        Ok(Self { user, left: means(hop, own_agent, login), tried: Vec::new() })
    }

    /// The next one that the server would take.
    pub(super) fn next(&mut self, offered: &Offered) -> Result<Means, SshError> {
        let user = self.user.to_owned();
        if self.left.is_empty() && self.tried.is_empty() {
            return Err(SshError::NoMeans { user, offered: offered.told() });
        }
        let fits = |means: &Means| offered.0.iter().any(|method| method == means.method());
        let Some(at) = self.left.iter().position(fits) else {
            let tried =
                if self.tried.is_empty() { "anything we have".to_owned() } else { self.tried.join(" and ") };
            return Err(SshError::Refused { user, tried, offered: offered.told() });
        };
        let means = self.left.remove(at);
        self.tried.push(means.told());
        Ok(means)
    }
}

fn means(hop: &Hop, own_agent: Option<&Path>, login: &Login) -> Vec<Means> {
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
        means.push(Means::Password);
    }
    if hop.password.is_some() || hop.totp.is_some() || !login.questions.is_empty() {
        means.push(Means::Answers);
    }
    means
}

/// The password; empty where there is none.
pub(super) fn password(hop: &Hop) -> &str {
    hop.password.as_ref().map_or("", Secret::expose_for_device)
}

/// The key of a host, opened.
pub(super) fn load(hop: &Hop) -> Result<PrivateKey, SshError> {
    let (name, text) = match &hop.key {
        Some(Key::File(file)) => {
            let name = format!("key file `{}`", file.display());
            let text = std::fs::read_to_string(file)
                .map_err(|error| SshError::Key { key: name.clone(), why: error.to_string() })?;
            (name, text)
        }
        Some(Key::Text(text)) => ("the key of the resource".to_owned(), text.expose_for_device().to_owned()),
        None => return Err(SshError::Missing("key")),
    };
    let unusable = |why: String| SshError::Key { key: name.clone(), why };
    let phrase = hop.passphrase.as_ref().or(hop.password.as_ref()).map(Secret::expose_for_device);
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

/// The socket of the agent that has keys for a host.
pub(super) fn agent_socket<'a>(hop: &'a Hop, own_agent: Option<&'a Path>) -> Result<&'a Path, SshError> {
    match &hop.agent {
        Agent::At(path) => Ok(path),
        Agent::Own | Agent::LastResort | Agent::Never => own_agent.ok_or_else(|| SshError::Agent {
            why: "the EP was started without SSH_AUTH_SOCK: set agent to the path of a socket".to_owned(),
        }),
    }
}

/// What went wrong with an agent.
pub(super) fn agent_failed(socket: &Path, why: impl std::fmt::Display) -> SshError {
    SshError::Agent { why: format!("`{}`: {why}", socket.display()) }
}

/// An agent that can show nothing.
pub(super) fn agent_is_empty(socket: &Path) -> SshError {
    SshError::Agent { why: format!("`{}` has no keys: add one with ssh-add", socket.display()) }
}

#[cfg(test)]
mod tests {
    use jackfield_config::profile::Profile;
    use serde_json::json;

    use super::*;
    use crate::target::{Connect, SessionTarget};

    fn hop(properties: serde_json::Value) -> Hop {
        let properties = serde_json::from_value(properties).unwrap();
        let Connect::Ssh(ssh) = SessionTarget::from_properties(&properties).unwrap().connect else {
            panic!("no SSH")
        };
        ssh.device
    }

    /// What is shown to a server that always offers the same and takes nothing.
    fn shown(properties: serde_json::Value, offered: &[&str]) -> (Vec<Means>, String) {
        let (hop, offered) = (hop(properties), Offered(offered.iter().copied().map(str::to_owned).collect()));
        let login = Profile::parse("p.toml", "name = 'x'\nprompt = '> $'").unwrap().login;
        let mut proofs = Proofs::of(&hop, Some(Path::new("/agent")), &login).unwrap();
        let mut shown = Vec::new();
        loop {
            match proofs.next(&offered) {
                Ok(means) => shown.push(means),
                Err(error) => return (shown, error.to_string()),
            }
        }
    }

    #[test]
    fn proofs_are_shown_in_order_and_each_once() {
        let all = json!({"host": "h", "user": "ana", "key": "/k", "agent": true, "password": "p"});
        let (order, told) = shown(all.clone(), &["password", "publickey", "keyboard-interactive"]);
        assert_eq!(order, [Means::Key, Means::Agent, Means::Password, Means::Answers]);
        assert!(told.contains("the key and the agent's keys and the password and"), "{told}");
        let (order, told) = shown(all, &["keyboard-interactive"]);
        assert_eq!(order, [Means::Answers]);
        assert!(told.ends_with("for user `ana`; it offers: keyboard-interactive"), "{told}");
        let (order, told) = shown(json!({"host": "h", "user": "ana", "password": "p"}), &["publickey"]);
        assert!(order.is_empty() && told.contains("did not accept anything we have"), "{told}");
        let (order, _) = shown(json!({"host": "h", "user": "ana"}), &["publickey"]);
        assert_eq!(order, [Means::Agent]);
        let (_, told) = shown(json!({"host": "h", "user": "ana", "agent": false}), &[]);
        assert!(
            told.contains("nothing to log in with as `ana`") && told.ends_with("offers: nothing"),
            "{told}"
        );
    }
}
