//! `jackfield token …`: tokens for scripts, pipelines and EPs.

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    Context,
    client::encoded,
    exit::Exit,
    output::{self, table},
};

/// Tokens for scripts, pipelines and EPs.
#[derive(Subcommand)]
pub(crate) enum Token {
    /// Every token of yours, without its secret; everybody's for who may change users.
    List,
    /// Make a token; its secret is printed once and kept nowhere.
    Create {
        /// What it is for, for those who read the list.
        name: String,
        /// What it allows: `read`, `run`, `admin`, or `ep` for an Execution Process.
        #[arg(long, default_value = "run", value_parser = ["read", "run", "admin", "ep"])]
        scope: String,
        /// Days until it expires; 0 means never.
        #[arg(long, default_value_t = 365)]
        days: u32,
        /// For EPs: the first that comes with it has it, and a copy opens nothing; else any number of them may use it.
        #[arg(long)]
        join: bool,
    },
    /// Take a token back; it works no more from now on.
    Revoke {
        /// Its number in the list.
        id: String,
    },
}

impl Token {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let client = &context.client;
        match self {
            Self::List => {
                let tokens: Value = client.get("/tokens")?;
                context.output.page(&tokens, list)?;
            }
            Self::Create { name, scope, days, join } => {
                let body = json!({"name": name, "scope": scope, "days": days, "join": join});
                let made: Value = client.post("/tokens", &body)?;
                output::talk("keep it now: it is not shown again");
                let secret =
                    |made: &Value| made.get("token").and_then(Value::as_str).unwrap_or_default().to_owned();
                context.output.print(&made, secret)?;
            }
            Self::Revoke { id } => {
                client.delete(&format!("/tokens/{}", encoded(id)))?;
                context.output.done("revoked", id, &format!("token {id} works no more"))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(tokens: &Value) -> String {
    let mut rows = table(&["ID", "OWNER", "NAME", "SCOPE", "EXPIRES", "LAST USED", "EP"]);
    for token in tokens.get("items").and_then(Value::as_array).into_iter().flatten() {
        let cell = |key: &str| match token.get(key) {
            None | Some(Value::Null) if key == "ep" => String::new(),
            None | Some(Value::Null) => "never".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        rows.add_row(["id", "owner", "name", "scope", "expires", "last_used", "ep"].map(cell).to_vec());
    }
    rows.trim_fmt()
}
