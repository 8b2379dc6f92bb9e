//! `jackfield mail …`: the mail of a run before it is sent, and a test of the mail server.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use jackfield_protocol::id::RunId;
use serde_json::{Value, json};

use crate::{Context, exit::Exit};

/// Mail that the engine sends when runs end.
#[derive(Subcommand)]
pub(crate) enum Mail {
    /// Show the mail of a run as it would be sent now, and who would get it.
    Preview {
        /// Its number.
        run: RunId,
        /// Write the HTML part into a file, for a browser.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Send a test mail by the lab's mail server.
    Test {
        /// Where to; else to everybody that `email.xml` names.
        address: Option<String>,
    },
}

impl Mail {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        match self {
            Self::Preview { run, html } => {
                let mail: Value = context.client.get(&format!("/runs/{run}/mail"))?;
                let text = |key: &str| mail.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                if let Some(file) = html {
                    std::fs::write(file, text("html"))
                        .with_context(|| format!("writing {}", file.display()))?;
                }
                context.output.print(&mail, |_| match &*addresses(&mail) {
                    [] => format!("nobody gets the mail of run {run}: the lab has no email.xml, or no rule of mail.toml wants it"),
                    to => format!(
                        "From: {}\nTo: {}\nSubject: {}\n\n{}",
                        text("from"),
                        to.join(", "),
                        text("subject"),
                        text("text")
                    ),
                })?;
            }
            Self::Test { address } => {
                let sent: Value = context.client.post("/mail/test", &json!({"to": address}))?;
                context.output.print(&sent, |_| {
                    format!("the mail server took it for {}", addresses(&sent).join(", "))
                })?;
            }
        }
        Ok(Exit::Done)
    }
}

fn addresses(value: &Value) -> Vec<String> {
    let all = value.get("to").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|address| address.as_str().map(str::to_owned)).collect()
}
