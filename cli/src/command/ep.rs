//! `jackfield ep`: an Execution Process.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use jackfield_config::{EpSettings, Source, epname::EpNames, problem};
use jackfield_execution_process::{EpError, Settings};
use jackfield_protocol::secret::Secret;
use tokio_util::sync::CancellationToken;

use crate::{exit::Exit, output, signal};

mod names;

/// Run an Execution Process.
#[derive(clap::Args)]
pub(crate) struct Ep {
    /// Its settings (`ep.toml`); what the file does not say has its default. Of a Twister workstation's `epname.ini`, every EP that this machine starts.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Its name in the engine, instead of the one in the file.
    #[arg(long)]
    name: Option<String>,
    /// Its token, instead of the one in the file.
    #[arg(long, env = "JACKFIELD_EP_TOKEN", hide_env_values = true)]
    ep_token: Option<String>,
    /// A file that holds its token, instead of what the settings say.
    #[arg(long, value_name = "FILE", conflicts_with = "ep_token")]
    ep_token_file: Option<PathBuf>,
    /// Where the engine listens, instead of what the file says.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Print the default `ep.toml`, which explains every key, and end.
    #[arg(long)]
    print_config: bool,
}

impl Ep {
    pub(crate) fn run(self) -> Result<Exit> {
        if self.print_config {
            output::say(jackfield_config::ep::DEFAULT_FILE)?;
            return Ok(Exit::Done);
        }
        // That it is connected is what whoever started it waits for.
        super::engine::start_logging("warn,jackfield_execution_process::link=info");
        let file = match self.settings()? {
            Found::One(file) => *file,
            Found::Several(names) => return names::run_each(&names),
            Found::Nothing => return Ok(Exit::BadInput),
        };
        let program = std::env::current_exe().context("finding this program's own path")?;
        let settings = match Settings::new(file, &data_folder(), program) {
            Ok(settings) => match &self.config {
                Some(file) => settings.read_from(file.clone()),
                None => settings,
            },
            Err(error) => return refuse(&error),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?;
        let ended = runtime.block_on(async {
            let shutdown = CancellationToken::new();
            let stop = shutdown.clone();
            let watch = tokio::spawn(async move {
                if signal::next_signal().await.is_ok() {
                    stop.cancel();
                }
            });
            let ended = jackfield_execution_process::run(settings, shutdown).await;
            watch.abort();
            ended
        });
        match ended {
            Ok(()) => Ok(Exit::Done),
            Err(error) => refuse(&error),
        }
    }

    /// The settings file with what the command line puts over it; nothing where the file has errors, which are said.
    fn settings(&self) -> Result<Found> {
        let source = match &self.config {
            None => Source::new("ep.toml", ""),
            Some(path) => {
                let name = path.display().to_string();
                let bytes = std::fs::read(path).with_context(|| format!("reading {name}"))?;
                Source::from_bytes(&name, bytes).map_err(|problem| anyhow::anyhow!("{problem}"))?
            }
        };
        let is_twisters =
            self.config.as_ref().is_some_and(|path| path.extension().is_some_and(|end| end == "ini"));
        let (value, problems) = if is_twisters {
            let read = EpNames::read(&Arc::new(source));
            let found = read.value.map(|names| names::choose(&names, self.name.as_deref()));
            (found.transpose()?, read.problems)
        } else {
            let read = EpSettings::read(&Arc::new(source));
            (read.value.map(|settings| Found::One(Box::new(settings))), read.problems)
        };
        problems.iter().for_each(|problem| output::talk(&problem.to_string()));
        if problem::has_errors(&problems) {
            return Ok(Found::Nothing);
        }
        let mut settings = match value {
            Some(Found::One(settings)) => settings,
            other => return Ok(other.unwrap_or(Found::Nothing)),
        };
        if let Some(name) = &self.name {
            settings.name = Some(name.as_str().into());
        }
        if let Some(token) = self.ep_token.as_ref().filter(|token| !token.is_empty()) {
            settings.token = Some(Secret::new(token));
        }
        if let Some(file) = &self.ep_token_file {
            (settings.token, settings.token_file) = (None, Some(file.clone()));
        }
        if let Some(engine) = &self.to {
            settings.engine = engine.trim_end_matches('/').to_owned();
        }
        Ok(Found::One(settings))
    }
}

/// What a settings file asks for.
enum Found {
    One(Box<EpSettings>),
    /// Several of an `epname.ini`, by their names.
    Several(Vec<String>),
    /// It has errors.
    Nothing,
}

fn refuse(error: &EpError) -> Result<Exit> {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    output::complain(&text);
    Ok(Exit::BadInput)
}

/// Where EPs keep their work folders: the user's data folder.
pub(crate) fn data_folder() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
    base.unwrap_or_else(|| PathBuf::from("/var/tmp")).join("jackfield")
}
