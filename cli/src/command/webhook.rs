//! `jackfield webhook …`: who else hears of runs, what they would hear, and whether it arrives.

use anyhow::Result;
use clap::Subcommand;
use jackfield_protocol::id::RunId;
use serde_json::{Value, json};

use crate::{Context, client::encoded, exit::Exit, output::table};

/// Programs and chats that hear of runs, as webhooks.toml says.
#[derive(Subcommand)]
pub(crate) enum Webhook {
    /// List them.
    List,
    /// Call one with a message that says that it arrives.
    Test {
        /// Its name.
        name: String,
    },
    /// Show what one would be told of a run now.
    Preview {
        /// The run's number.
        run: RunId,
        /// Its name.
        name: String,
    },
}

impl Webhook {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        match self {
            Self::List => {
                let webhooks: Vec<Value> = context.client.get("/webhooks")?;
                context.output.list(&webhooks, |webhooks| {
                    let mut rows = table(&["WEBHOOK", "FORMAT", "SIGNED", "OF"]);
                    for webhook in webhooks {
                        let text = |key: &str| webhook.get(key).and_then(Value::as_str).unwrap_or_default();
                        let is_signed = webhook.get("signed").and_then(Value::as_bool).unwrap_or(false);
                        rows.add_row(vec![
                            text("name"),
                            text("format"),
                            if is_signed { "yes" } else { "no" },
                            text("of"),
                        ]);
                    }
                    rows.trim_fmt()
                })?;
            }
            Self::Test { name } => {
                let _: Value =
                    context.client.post(&format!("/webhooks/{}/test", encoded(name)), &json!({}))?;
                context.output.done("webhook", name, &format!("webhook {name} took it"))?;
            }
            Self::Preview { run, name } => {
                let body: Value = context.client.get(&format!("/runs/{run}/webhooks/{}", encoded(name)))?;
                context.output.print(&body, |body| format!("{body:#}"))?;
            }
        }
        Ok(Exit::Done)
    }
}
