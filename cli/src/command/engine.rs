//! `jackfield engine`: the Central Engine.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use jackfield_central_engine::{Options, Running, own_log::OwnLog};
use jackfield_protocol::secret::Secret;
use serde_json::json;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::lab_folder;
use crate::{
    exit::Exit,
    output::{self, Output},
    signal,
};

/// Run the Central Engine.
#[derive(clap::Args)]
pub(crate) struct Engine {
    /// The lab folder: everything a lab owns, as files. A Twister home is recognised and used in place.
    #[arg(long, default_value = "lab", env = "JACKFIELD_LAB", value_parser = lab_folder(), global = true)]
    lab: PathBuf,
    /// Port to listen on, instead of what `engine.toml` says; 0 takes a free one.
    #[arg(long)]
    port: Option<u16>,
    /// Write address and, at the first start, the administrator's password into this file when ready, as JSON.
    #[arg(long, value_name = "FILE")]
    ready: Option<PathBuf>,
    /// Print the default `engine.toml`, which explains every key, and end.
    #[arg(long)]
    print_config: bool,
    #[command(subcommand)]
    ask: Option<Ask>,
}

/// What is asked about an engine where its lab folder is.
#[derive(clap::Subcommand)]
enum Ask {
    /// Print the SHA-256 of the engine's authority: what others compare who reach it by https for the first time.
    Fingerprint,
}

impl Engine {
    pub(crate) fn run(self, output: Output) -> Result<Exit> {
        if let Some(Ask::Fingerprint) = self.ask {
            return fingerprint(&self.lab, output);
        }
        if self.print_config {
            output::say(jackfield_config::engine::DEFAULT_FILE)?;
            return Ok(Exit::Done);
        }
        start_logging("warn");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let options = Options { lab: self.lab, port: self.port };
            let mut engine = jackfield_central_engine::start(options).await?;
            announce(&engine, self.ready.as_deref())?;
            tokio::select! {
                signal = signal::next_signal() => signal?,
                failed = engine.failed() => return Err(failed),
            }
            output::talk("going down; runs go on when the engine is started again");
            engine.stop().await;
            Ok(Exit::Done)
        })
    }
}

fn fingerprint(lab: &Path, output: Output) -> Result<Exit> {
    let [authority, certificate] = jackfield_central_engine::fingerprints(lab)?;
    let said = json!({"authority": authority, "certificate": certificate});
    output.print(&said, |_| authority.clone())?;
    if authority != certificate && !output.json() {
        output::talk(&format!("the certificate itself, which a browser may show first: {certificate}"));
    }
    Ok(Exit::Done)
}

/// Says where the engine is, and writes the file that a script waits for.
fn announce(engine: &Running, ready: Option<&std::path::Path>) -> Result<()> {
    output::talk(&format!("the engine listens on {}", engine.url));
    if let Some(password) = &engine.admin_password {
        output::talk(&format!(
            "first start: log in as `admin` with password `{}` and change it",
            password.expose_for_owner()
        ));
    }
    if !engine.address.ip().is_loopback() {
        output::talk(&format!(
            "its fingerprint, for whoever reaches it by https for the first time: {}",
            engine.fingerprint
        ));
    }
    engine.notices.iter().for_each(|notice| output::talk(notice));
    let Some(path) = ready else { return Ok(()) };
    let password = engine.admin_password.as_ref().map(Secret::expose_for_owner);
    let said = json!({"url": engine.url, "admin_password": password, "fingerprint": engine.fingerprint});
    let text = said.to_string();
    let part = path.with_extension("part");
    write_private(&part, &text)
        .and_then(|()| std::fs::rename(&part, path))
        .with_context(|| format!("writing {}", path.display()))
}

/// Writes a file that its owner alone may read: it may hold a password.
pub(super) fn write_private(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut file = std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // One that was there keeps what it let others do.
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(text.as_bytes())
}

/// What the library of the HTTP interface says of requests that are none: whoever reaches the port writes as many as they like.
const OF_STRANGERS: &str = "actix_http=off";

/// Logs go to standard error; `JACKFIELD_LOG` says how much (`info`, `debug`, `jackfield_scheduler=debug`), else this.
pub(crate) fn start_logging(unless_told: &str) {
    let filter = EnvFilter::try_from_env("JACKFIELD_LOG")
        .unwrap_or_else(|_unset| EnvFilter::new(format!("{unless_told},{OF_STRANGERS}")));
    let terminal = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let terminal = terminal.with_ansi(std::io::stderr().is_terminal());
    // And where the engine's page shows its newest lines.
    let page = fmt::layer().with_writer(|| OwnLog).with_target(false).with_ansi(false);
    // A second call, in the demo, finds logging already there.
    drop(tracing_subscriber::registry().with(filter).with(terminal).with(page).try_init());
}
