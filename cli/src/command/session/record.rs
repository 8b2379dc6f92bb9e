//! `jackfield session record`: a dialogue by hand, written down so that `jackfield simulate` can be the device.

use std::{io::IsTerminal, path::PathBuf, time::Duration};

use anyhow::{Result, bail};
use jackfield_device::target::SessionTarget;

use super::reach::{self, Said};
use crate::{
    Context,
    command::console::{Console, Here, Sheet, Way, create, forget_empty, talk, window},
    exit::Exit,
};

/// Talk to a device by hand, and write it down for `session play`, `session show` and `simulate`.
///
/// At a terminal, Ctrl-] then q leaves, m sets a mark, b sends a break, ? says so. With input from a pipe each line is sent when the device is quiet.
#[derive(clap::Args)]
pub(crate) struct Record {
    /// A resource, through the engine; or from this machine telnet://[USER@]HOST[:PORT], ssh://…, tcp://…, rfc2217://…, or
    /// `serial:/dev/ttyUSB0`.
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    target: Option<String>,
    /// The file to write (asciicast v2).
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Also where the file is there already.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    said: Said,
    /// Connect, and leave the login to you.
    #[arg(long)]
    raw: bool,
    /// Of a resource: through this EP.
    #[arg(long, value_name = "NAME")]
    ep: Option<String>,
    /// With input from a pipe: how long the device is quiet, in milliseconds, when its answer is over.
    #[arg(long, value_name = "MILLIS", default_value_t = 1_000)]
    quiet: u64,
    /// A program of this machine, in a terminal of its own.
    #[arg(last = true)]
    command: Vec<String>,
}

impl Record {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        match &self.target {
            Some(target) if !target.starts_with("serial:") && !target.contains("://") => {
                self.through_engine(target, context)
            }
            _ => self.by_itself(),
        }
    }

    fn through_engine(&self, resource: &str, context: &Context) -> Result<Exit> {
        if !self.said.is_nothing() {
            bail!(
                "`{resource}` is a resource, and its properties say how it is logged in to; --profile, --user and --set are \
                 for what this machine reaches itself, such as telnet://{resource}"
            );
        }
        let console = Console {
            resource: Some(resource.to_owned()),
            ep: self.ep.clone(),
            raw: self.raw,
            quiet: self.quiet,
            record: Some(self.output.clone()),
            overwrite: self.overwrite,
            ..Console::default()
        };
        console.run(context)
    }

    fn by_itself(&self) -> Result<Exit> {
        if self.ep.is_some() {
            bail!("--ep is for resources of an engine; this machine reaches the device itself");
        }
        let (mut properties, title) = reach::place(self.target.as_deref(), &self.command)?;
        let mut settings = reach::settings()?;
        self.said.fill(&mut properties, &mut settings)?;
        let raw = self.raw || !reach::logs_in(&properties);
        reach::add_password(&mut properties, raw)?;
        let target = SessionTarget::from_properties(&properties)?;
        settings.window = window();
        let at_terminal = std::io::stdin().is_terminal();
        settings.terminal =
            std::env::var_os("TERM").filter(|_| at_terminal).and_then(|term| term.into_string().ok());
        let file = create(&self.output, self.overwrite)?;
        let sheet = Sheet { file, path: self.output.clone(), title };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let exit = runtime.block_on(async {
            let opened = Here::open(target, settings, raw, sheet).await;
            let here = opened.inspect_err(|_| forget_empty(&self.output))?;
            talk(Way::here(here), Duration::from_millis(self.quiet)).await
        });
        // A thread may still wait for a key.
        runtime.shutdown_background();
        exit
    }
}
