//! `jackfield console`: a terminal on a device, wherever the EP is that reaches it.
//!
//! At a terminal it is raw, and [`keys`] finds what is meant for us. With input from a pipe each line is sent when the device has fallen
//! quiet after the one before, and the console is closed after the answer to the last.

mod here;
mod keys;
mod list;
mod piped;
mod recording;
mod socket;
mod terminal;
mod way;

use std::{io::IsTerminal, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use jackfield_protocol::console::{EpToPerson, PersonToEp};
use tokio::signal::unix::{SignalKind, signal};

pub(super) use self::{
    here::{Here, Sheet},
    recording::{create, forget_empty},
    terminal::window,
    way::Way,
};
use self::{
    keys::{Key, Keys},
    recording::Recording,
    socket::Socket,
    terminal::Terminal,
    way::Came,
};
use crate::{Context, exit::Exit, output, signal::next_signal};

/// A terminal on a device: watch the session of a test, take it over, or open one.
///
/// Ctrl-] then q leaves, t takes over, r lets go, m sets a mark, b sends a break, ? says so.
#[derive(clap::Args, Default)]
#[command(subcommand_negates_reqs = true)]
pub(crate) struct Console {
    #[command(subcommand)]
    pub(super) other: Option<Other>,
    /// Id or path of the resource.
    #[arg(required = true)]
    pub(super) resource: Option<String>,
    /// Only watch.
    #[arg(long, conflicts_with = "take")]
    pub(super) watch: bool,
    /// Take over the session of a test at once: it waits until you let go.
    #[arg(long)]
    pub(super) take: bool,
    /// Only a session of this run.
    #[arg(long)]
    pub(super) run: Option<u64>,
    /// Only the session that tests call so.
    #[arg(long, value_name = "NAME")]
    pub(super) session: Option<String>,
    /// Through this EP.
    #[arg(long, value_name = "NAME")]
    pub(super) ep: Option<String>,
    /// Connect to a device without logging in, for one that is not up.
    #[arg(long, conflicts_with = "watch")]
    pub(super) raw: bool,
    /// With input from a pipe: how long the device is quiet, in milliseconds, when its answer is over.
    #[arg(long, value_name = "MILLIS", default_value_t = 1_000)]
    pub(super) quiet: u64,
    /// Write what is seen and typed into this file (asciicast v2).
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// Also where the file is there already.
    #[arg(long, requires = "record")]
    pub(super) overwrite: bool,
}

/// What is no console itself.
#[derive(clap::Subcommand)]
pub(super) enum Other {
    /// Who sits at consoles now, on what, and who types.
    List,
}

impl Console {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        if let Some(Other::List) = self.other {
            return list::list(context);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let exit = runtime.block_on(self.attend(context));
        // A thread may still wait for a key.
        runtime.shutdown_background();
        exit
    }

    async fn attend(&self, context: &Context) -> Result<Exit> {
        let at_terminal = std::io::stdin().is_terminal();
        let take = self.take || (!self.watch && !at_terminal);
        let recording = self.recording()?;
        let opened = Socket::open(&context.client, &self.path(take)).await;
        let socket = opened.inspect_err(|_| self.record.iter().for_each(|path| forget_empty(path)))?;
        let way = Way::engine(socket, recording);
        if self.watch && !at_terminal {
            return watch(way).await;
        }
        talk(way, Duration::from_millis(self.quiet)).await
    }

    fn recording(&self) -> Result<Option<Recording>> {
        let Some(path) = &self.record else { return Ok(None) };
        let file = create(path, self.overwrite)?;
        let title = self.resource.as_deref().unwrap_or_default();
        Ok(Some(Recording::new(file, path.clone(), title, window())))
    }

    fn path(&self, take: bool) -> String {
        let encoded = crate::client::encoded;
        let mut path =
            format!("/api/v1/console?resource={}", encoded(self.resource.as_deref().unwrap_or_default()));
        for (name, value) in [
            ("run", self.run.map(|run| run.to_string())),
            ("session", self.session.clone()),
            ("ep", self.ep.clone()),
        ] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", encoded(&value)));
            }
        }
        for (name, wanted) in [("take", take), ("watch", self.watch), ("raw", self.raw)] {
            if wanted {
                path.push_str(&format!("&{name}=true"));
            }
        }
        path
    }
}

/// A person at a terminal, or a text from a pipe.
pub(super) async fn talk(way: Way, quiet: Duration) -> Result<Exit> {
    if std::io::stdin().is_terminal() { interactive(way).await } else { piped::answer(way, quiet).await }
}

/// Without a terminal or anything to type: prints what comes.
async fn watch(mut way: Way) -> Result<Exit> {
    loop {
        tokio::select! {
            came = way.next() => match came? {
                Came::Shown(bytes) => if !terminal::print(&bytes)? { break },
                Came::Said(EpToPerson::End { reason, code, recording }) => return way.ended(&reason, code, recording),
                Came::Said(said) => if let Some(text) = told(&said) { output::talk(&text) },
            },
            interrupted = next_signal() => {
                interrupted?;
                way.leave().await.tell();
                return Ok(Exit::Interrupted);
            }
        }
    }
    way.leave().await.tell();
    Ok(Exit::Done)
}

async fn interactive(mut way: Way) -> Result<Exit> {
    let terminal = Terminal::raw().context("making the terminal raw")?;
    let mut resized = signal(SignalKind::window_change())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut typed = terminal::typed();
    let mut keys = Keys::default();
    way.say(PersonToEp::from(terminal.size())).await?;
    loop {
        tokio::select! {
            came = way.next() => match came? {
                Came::Shown(bytes) => if !terminal::print(&bytes)? { break },
                Came::Said(EpToPerson::End { reason, code, recording }) => {
                    drop(terminal);
                    return way.ended(&reason, code, recording);
                }
                Came::Said(said) => if let Some(text) = told(&said) { terminal.tell(&text) },
            },
            bytes = typed.recv() => {
                let Some(bytes) = bytes else { break };
                let mut leaves = false;
                for key in keys.feed(&bytes) {
                    leaves |= pressed(&mut way, &terminal, key).await?;
                }
                if leaves { break }
            }
            _ = resized.recv() => way.say(PersonToEp::from(terminal.size())).await?,
            _ = hangup.recv() => break,
            // Ctrl-C is a key like others while the terminal is raw: this is TERM.
            _ = next_signal() => break,
        }
    }
    let left = way.leave().await;
    drop(terminal);
    left.tell();
    Ok(Exit::Done)
}

/// Does what a key says; true where it leaves.
async fn pressed(way: &mut Way, terminal: &Terminal, key: Key) -> Result<bool> {
    match key {
        Key::Typed(bytes) => way.type_in(bytes).await?,
        Key::Take => way.say(PersonToEp::Take).await?,
        Key::Release => way.say(PersonToEp::Release).await?,
        Key::Mark => terminal.tell(&way.mark().await?),
        Key::Break => way.say(PersonToEp::Break).await?,
        Key::Help => terminal.tell(HELP),
        Key::Quit => return Ok(true),
    }
    Ok(false)
}

const HELP: &str = "Ctrl-] then: q leaves, t takes over from the test, r lets it go on, m sets a mark in the recording, b sends a break, Ctrl-] sends Ctrl-] itself, ? shows this";

/// What a person is told of a message; none where it is nothing to tell.
fn told(said: &EpToPerson) -> Option<String> {
    match said {
        EpToPerson::Begin { title, ep, run } => {
            let whose = run.map_or_else(String::new, |run| format!(", a session of run {run}"));
            Some(format!("{title} through {ep}{whose}. {HELP}"))
        }
        EpToPerson::Typing { you: true, .. } => Some("you type".to_owned()),
        EpToPerson::Typing { user: Some(user), you: false } => Some(format!("{user} types")),
        EpToPerson::Typing { user: None, you: false } => Some("nobody types; tests go on".to_owned()),
        EpToPerson::Refused { text } | EpToPerson::Notice { text } => Some(text.clone()),
        EpToPerson::End { .. } => None,
    }
}
