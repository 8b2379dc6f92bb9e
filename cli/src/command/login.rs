//! `jackfield login`: a token that later commands use, for an engine that somebody looked at.

use std::io::IsTerminal as _;

use anyhow::{Context as _, Result, bail};
use jackfield_protocol::secret::Secret;
use jackfield_tls::{Credential, Fingerprint, Refused};
use serde_json::{Value, json};

use crate::{
    Context,
    client::{Client, Known, Stranger},
    command::user::read_password,
    exit::Exit,
    kept, output,
};

/// Ask for a token and keep it for later commands.
#[derive(clap::Args)]
pub(crate) struct Login {
    /// The account; its password is read from standard input.
    user: String,
    /// What `jackfield engine fingerprint` prints on the engine's machine: agreed on without a question, in place of what was before.
    #[arg(long, value_name = "SHA256")]
    fingerprint: Option<Fingerprint>,
}

impl Login {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        // No password is asked for, let alone sent, before it is known to whom.
        let client = self.agree(&context.client)?;
        let body = json!({"user": self.user, "password": read_password()?.expose_for_login(), "token": "command line"});
        let made: Value = client.post("/login", &body)?;
        let token =
            made.get("token").and_then(Value::as_str).context("the engine's answer holds no token")?;
        for notice in made.get("notices").and_then(Value::as_array).into_iter().flatten() {
            output::talk(notice.as_str().unwrap_or_default());
        }
        let engine = client.engine();
        if let Known::Pinned(pin) = client.way().known() {
            kept::keep_pin(engine, pin)?;
        }
        // By whom the engine is known stands with its address: what a proxy before it shows is not what the token names.
        kept::keep_token(engine, &Credential::read(&Secret::new(token)).secret)?;
        if context.output.json() {
            context.output.done("login", engine, "")?;
        }
        output::talk(&format!("logged in to {engine} as {}", self.user));
        Ok(Exit::Done)
    }

    /// A client for an engine that is known: since earlier, by this machine, or by what somebody says now.
    fn agree(&self, client: &Client) -> Result<Client> {
        if let Some(said) = self.fingerprint {
            let client = client.pinned(said)?;
            client.greet()?;
            if !matches!(client.way().known(), Known::Pinned(_)) {
                bail!(
                    "--fingerprint is for an engine that is reached by https, and {} is not",
                    client.engine()
                );
            }
            return Ok(client);
        }
        let Err(error) = client.greet() else { return Ok(client.clone()) };
        match error.downcast_ref::<Stranger>().map(|stranger| &stranger.refused) {
            Some(Refused::Unknown { offered }) if std::io::stdin().is_terminal() => {
                ask(client.engine(), *offered)?;
                client.pinned(*offered)
            }
            Some(_) | None => Err(error),
        }
    }
}

/// Shows what the engine shows, and waits for a yes.
fn ask(engine: &str, offered: Fingerprint) -> Result<()> {
    output::talk(&format!(
        "{engine} is not known to this machine yet. The fingerprint of its authority (SHA-256) is\n\n    {offered}\n\n\
         Compare it with what `jackfield engine fingerprint` prints on the engine's machine.\n\
         Is it the same? Type yes, or the fingerprint itself:"
    ));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    let answer = answer.trim();
    let is_same = answer.eq_ignore_ascii_case("yes") || answer.parse() == Ok(offered);
    if is_same { Ok(()) } else { bail!("not agreed on: nothing was sent to {engine}") }
}
