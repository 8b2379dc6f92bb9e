//! `jackfield console`: a terminal on a device, wherever the EP is that reaches it.
//!
//! At a terminal it is raw, and [`keys`] finds what is meant for us. With input from a pipe each line is sent when the device has fallen
//! quiet after the one before, and the console is closed after the answer to the last.

mod keys;
mod list;
mod piped;
mod socket;
mod terminal;

use std::io::IsTerminal;

use anyhow::{Context as _, Result};
use jackfield_protocol::console::{EpToPerson, PersonToEp};
use tokio::signal::unix::{SignalKind, signal};

use self::{
    keys::{Key, Keys},
    socket::{Came, Socket},
    terminal::Terminal,
};
use crate::{Context, exit::Exit, output, signal::next_signal};

/// A terminal on a device: watch the session of a test, take it over, or open one.
///
/// Ctrl-] then q leaves, t takes over, r lets go, ? says so.
#[derive(clap::Args)]
#[command(subcommand_negates_reqs = true)]
pub(crate) struct Console {
    #[command(subcommand)]
    other: Option<Other>,
    /// Id or path of the resource.
    #[arg(required = true)]
    resource: Option<String>,
    /// Only watch.
    #[arg(long, conflicts_with = "take")]
    watch: bool,
    /// Take over the session of a test at once: it waits until you let go.
    #[arg(long)]
    take: bool,
    /// Only a session of this run.
    #[arg(long)]
    run: Option<u64>,
    /// Only the session that tests call so.
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    /// Through this EP.
    #[arg(long, value_name = "NAME")]
    ep: Option<String>,
    /// Connect to a device without logging in, for one that is not up.
    #[arg(long, conflicts_with = "watch")]
    raw: bool,
    /// With input from a pipe: how long the device is quiet, in milliseconds, when its answer is over.
    #[arg(long, value_name = "MILLIS", default_value_t = 1_000)]
    quiet: u64,
}

/// What is no console itself.
#[derive(clap::Subcommand)]
enum Other {
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
        let socket = Socket::open(&context.client, &self.path(take)).await?;
        if self.watch && !at_terminal {
            return watch(socket).await;
        }
        if at_terminal {
            return interactive(socket).await;
        }
        piped::answer(socket, std::time::Duration::from_millis(self.quiet)).await
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

/// Without a terminal or anything to type: prints what comes.
async fn watch(mut socket: Socket) -> Result<Exit> {
    loop {
        tokio::select! {
            came = socket.next() => match came? {
                Came::Shown(bytes) => if !terminal::print(&bytes)? { break },
                Came::Said(EpToPerson::End { reason, code, recording }) => return socket::ended(&reason, code, recording),
                Came::Said(said) => if let Some(text) = told(&said) { output::talk(&text) },
            },
            interrupted = next_signal() => {
                interrupted?;
                socket.leave().await;
                return Ok(Exit::Interrupted);
            }
        }
    }
    socket.leave().await;
    Ok(Exit::Done)
}

async fn interactive(mut socket: Socket) -> Result<Exit> {
    let terminal = Terminal::raw().context("making the terminal raw")?;
    let mut resized = signal(SignalKind::window_change())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut typed = terminal::typed();
    let mut keys = Keys::default();
    socket.say(PersonToEp::from(terminal.size())).await?;
    loop {
        tokio::select! {
            came = socket.next() => match came? {
                Came::Shown(bytes) => if !terminal::print(&bytes)? { break },
                Came::Said(EpToPerson::End { reason, code, recording }) => {
                    drop(terminal);
                    return socket::ended(&reason, code, recording);
                }
                Came::Said(said) => if let Some(text) = told(&said) { terminal.tell(&text) },
            },
            bytes = typed.recv() => {
                let Some(bytes) = bytes else { break };
                let mut leaves = false;
                for key in keys.feed(&bytes) {
                    leaves |= pressed(&mut socket, &terminal, key).await?;
                }
                if leaves { break }
            }
            _ = resized.recv() => socket.say(PersonToEp::from(terminal.size())).await?,
            _ = hangup.recv() => break,
            // Ctrl-C is a key like others while the terminal is raw: this is TERM.
            _ = next_signal() => break,
        }
    }
    let recording = socket.leave().await;
    drop(terminal);
    socket::closed(recording);
    Ok(Exit::Done)
}

/// Does what a key says; true where it leaves.
async fn pressed(socket: &mut Socket, terminal: &Terminal, key: Key) -> Result<bool> {
    match key {
        Key::Typed(bytes) => socket.type_in(bytes).await?,
        Key::Take => socket.say(PersonToEp::Take).await?,
        Key::Release => socket.say(PersonToEp::Release).await?,
        Key::Help => terminal.tell(HELP),
        Key::Quit => return Ok(true),
    }
    Ok(false)
}

const HELP: &str = "Ctrl-] then: q leaves, t takes over from the test, r lets it go on, Ctrl-] sends Ctrl-] itself, ? shows this";

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
