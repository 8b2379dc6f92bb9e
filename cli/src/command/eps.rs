//! `jackfield eps …`: Execution Processes.

use anyhow::{Result, bail};
use clap::Subcommand;
use jackfield_protocol::{
    api::{EpRow, EpState, Page},
    link::Notice,
};
use serde_json::{Value, json};

use crate::{Context, client::encoded, exit::Exit, output::table};

/// Execution Processes.
#[derive(Subcommand)]
pub(crate) enum Eps {
    /// Every EP the engine knows.
    List,
    /// One EP.
    Show {
        /// Its name, or a part of it that no other has.
        ep: String,
    },
    /// Give it no further work; what runs ends by itself.
    Drain {
        /// Its name, or a part of it that no other has.
        ep: String,
        /// Give it work again.
        #[arg(long)]
        undo: bool,
    },
}

impl Eps {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        match self {
            Self::List => context.output.list(&all(context)?, list)?,
            Self::Show { ep } => context.output.print(&find(context, ep)?, show)?,
            Self::Drain { ep, undo } => {
                let name = find(context, ep)?.name;
                let path = format!("/eps/{}/drain", encoded(name.as_str()));
                let _row: Value = context.client.post(&path, &json!({"drained": !undo}))?;
                let (word, sentence) = if *undo {
                    ("undrained", format!("{name} takes work again"))
                } else {
                    ("drained", format!("{name} takes no further work; what runs ends by itself"))
                };
                context.output.done(word, &name, &sentence)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn all(context: &Context) -> Result<Vec<EpRow>> {
    let page: Page<EpRow> = context.client.get("/eps")?;
    Ok(page.items)
}

/// The EP of this name, or the only one whose name contains it.
fn find(context: &Context, part: &str) -> Result<EpRow> {
    let eps = all(context)?;
    if let Some(ep) = eps.iter().find(|ep| ep.name.as_str() == part) {
        return Ok(ep.clone());
    }
    let found: Vec<&EpRow> = eps.iter().filter(|ep| ep.name.as_str().contains(part)).collect();
    let names = |eps: &[&EpRow]| eps.iter().map(|ep| ep.name.to_string()).collect::<Vec<_>>().join(", ");
    match found.as_slice() {
        [ep] => Ok((*ep).clone()),
        [] if eps.is_empty() => {
            bail!("no EP is named `{part}`: none has ever connected; start one with `jackfield ep`")
        }
        [] => bail!("no EP is named `{part}`; there are: {}", names(&eps.iter().collect::<Vec<_>>())),
        several => bail!("`{part}` may mean {}", names(several)),
    }
}

fn word(state: EpState) -> &'static str {
    match state {
        EpState::Idle => "idle",
        EpState::Busy => "busy",
        EpState::Draining => "draining",
        EpState::Offline => "offline",
    }
}

fn list(eps: &[EpRow]) -> String {
    let mut rows = table(&["EP", "STATE", "HOST", "WORKING ON", "LAST SEEN", "CAN", "WRONG"]);
    for ep in eps {
        let working: Vec<String> = ep.working.iter().map(ToString::to_string).collect();
        rows.add_row(vec![
            ep.name.to_string(),
            word(ep.state).to_owned(),
            ep.host.name.clone(),
            working.join(" "),
            ep.last_seen.to_string(),
            ep.capabilities.join(" "),
            ep.notices.iter().map(|notice| notice.code.as_ref()).collect::<Vec<_>>().join(" "),
        ]);
    }
    rows.trim_fmt()
}

fn show(ep: &EpRow) -> String {
    let labels: Vec<String> = ep.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut rows = table(&[]);
    for (name, value) in [
        ("name", ep.name.to_string()),
        ("state", word(ep.state).to_owned()),
        ("host", format!("{} ({})", ep.host.name, ep.host.ip)),
        ("system", ep.host.os.clone()),
        ("python", ep.host.python.clone()),
        ("software", ep.software.clone()),
        ("labels", labels.join(" ")),
        (
            "takes",
            ep.pool.as_ref().map_or("anybody's work".to_owned(), |pool| format!("only work of {pool}")),
        ),
        ("can", ep.capabilities.join(" ")),
        ("last seen", ep.last_seen.to_string()),
        ("wrong", wrong(ep)),
        ("working on", ep.working.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
    ] {
        rows.add_row(vec![name.to_owned(), value]);
    }
    rows.trim_fmt()
}

/// What is wrong with it, a line each.
fn wrong(ep: &EpRow) -> String {
    let line = |notice: &Notice| format!("since {} it {}", notice.since, notice.text);
    ep.notices.iter().map(line).collect::<Vec<_>>().join("\n")
}
