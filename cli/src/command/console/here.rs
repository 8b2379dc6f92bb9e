//! A device that this machine reaches by itself, without an engine; everything is written down.

use std::{collections::VecDeque, fs::File, path::PathBuf, time::Duration};

use anyhow::{Result, bail};
use futures_util::FutureExt;
use jackfield_device::{
    Deadline,
    channel::Window,
    expect::Dialogue,
    limits::OPEN_TIMEOUT,
    line::LineOrder,
    record::{Recorder, Tap},
    session::{Session, SessionError, SessionSettings, connect_raw},
    target::SessionTarget,
};
use jackfield_protocol::{
    console::{EpToPerson, PersonToEp},
    error::{ErrorCode, Problem},
};
use tokio::sync::mpsc;

use super::{HELP, terminal, way::Came};
use crate::signal::next_signal;

/// How long a device may take what is typed.
const TYPE_LIMIT: Duration = Duration::from_secs(10);
/// How long a break is: what terminals send for their break key.
const BREAK: Duration = Duration::from_millis(250);

/// What is recorded, and where.
pub(in crate::command) struct Sheet {
    pub(in crate::command) file: File,
    pub(in crate::command) path: PathBuf,
    pub(in crate::command) title: String,
}

/// A device in the hands of a person at this machine.
pub(in crate::command) struct Here {
    held: Held,
    seen: mpsc::UnboundedReceiver<Vec<u8>>,
    waiting: VecDeque<Came>,
    path: PathBuf,
}

enum Held {
    Session(Box<Session>),
    Raw(Box<Dialogue>),
}

impl Held {
    fn dialogue(&mut self) -> &mut Dialogue {
        match self {
            Self::Session(session) => session.dialogue(),
            Self::Raw(dialogue) => dialogue,
        }
    }

    /// Reads once; false at the end.
    async fn listen(&mut self) -> bool {
        let dialogue = self.dialogue();
        let came = dialogue.listen().await.unwrap_or(false);
        // It is on the screen, and in the recording.
        dialogue.take_pending();
        came
    }
}

/// What the device says, for the screen. As much waits there as one read brings.
struct Screen(mpsc::UnboundedSender<Vec<u8>>);

impl Tap for Screen {
    fn output(&mut self, bytes: &[u8]) {
        // Nobody looks any more while the device is logged out of.
        let _ = self.0.send(bytes.to_vec());
    }

    fn input(&mut self, _bytes: &[u8]) {}
}

impl Here {
    /// Connects, logs in unless that is the person's to do, and shows what the device says meanwhile.
    ///
    /// # Errors
    /// The device cannot be reached, does not let us in, or somebody interrupts it.
    pub(in crate::command) async fn open(
        target: SessionTarget,
        settings: SessionSettings,
        raw: bool,
        sheet: Sheet,
    ) -> Result<Self> {
        let Sheet { file, path, title } = sheet;
        let recorder = Recorder::new(file, &title, settings.window, &target.secrets());
        let (to_screen, mut seen) = mpsc::unbounded_channel();
        let taps: Vec<Box<dyn Tap>> = vec![Box::new(recorder), Box::new(Screen(to_screen))];
        let begun = format!("{}, from this machine. {HELP}", target.connect);
        let opening = connect(target, settings, raw, taps);
        tokio::pin!(opening);
        let held = loop {
            tokio::select! {
                biased;
                Some(bytes) = seen.recv() => { terminal::print(&bytes)?; }
                interrupted = next_signal() => {
                    interrupted?;
                    bail!("interrupted before the device let us in");
                }
                opened = &mut opening => break opened.map_err(|error| problem(&error))?,
            }
        };
        let waiting = VecDeque::from([
            Came::Said(EpToPerson::Notice { text: begun }),
            Came::Said(EpToPerson::Typing { user: None, you: true }),
        ]);
        Ok(Self { held, seen, waiting, path })
    }

    /// What comes next; nothing is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Came {
        loop {
            if let Some(came) = self.waiting.pop_front() {
                return came;
            }
            tokio::select! {
                biased;
                Some(bytes) = self.seen.recv() => return Came::Shown(bytes),
                goes_on = self.held.listen() => if !goes_on {
                    self.held.dialogue().close().await;
                    while let Some(Some(bytes)) = self.seen.recv().now_or_never() {
                        self.waiting.push_back(Came::Shown(bytes));
                    }
                    let reason = match &self.held {
                        Held::Session(_) => "the device closed the connection",
                        Held::Raw(_) => "it was closed from the other side",
                    };
                    let end = EpToPerson::End { reason: reason.to_owned(), code: None, recording: None };
                    self.waiting.push_back(Came::Said(end));
                },
            }
        }
    }

    pub(super) async fn type_in(&mut self, keys: &[u8]) -> Result<()> {
        let sent = self.held.dialogue().send(keys, Deadline::after(TYPE_LIMIT)).await;
        if let Err(error) = sent {
            let text = format!("the device did not take what you typed: {error}");
            self.waiting.push_back(Came::Said(EpToPerson::Notice { text }));
        }
        Ok(())
    }

    /// Does what a person says, as far as there is nobody else.
    pub(super) async fn hear(&mut self, said: PersonToEp) -> Result<()> {
        match said {
            PersonToEp::Resize { rows, columns } => {
                self.held.dialogue().resize(Window { rows, columns }).await?;
            }
            PersonToEp::Take | PersonToEp::Release => {
                let text = "there is no test: the device is yours until you leave".to_owned();
                self.waiting.push_back(Came::Said(EpToPerson::Notice { text }));
            }
            PersonToEp::Mark { label } => self.mark(&label),
            PersonToEp::Break => self.send_break().await,
            PersonToEp::Leave => {}
        }
        Ok(())
    }

    async fn send_break(&mut self) {
        let text = match self.held.dialogue().order(LineOrder::Break(BREAK)).await {
            Ok(()) => "a break was sent".to_owned(),
            Err(why) => format!("no break was sent: {why}"),
        };
        self.waiting.push_back(Came::Said(EpToPerson::Notice { text }));
    }

    /// Sets a mark.
    pub(super) fn mark(&mut self, label: &str) {
        self.held.dialogue().mark(label);
    }

    /// Logs out and closes; where the recording is.
    pub(super) async fn leave(mut self) -> PathBuf {
        match &mut self.held {
            Held::Session(session) => session.close().await,
            Held::Raw(dialogue) => dialogue.close().await,
        }
        self.path
    }

    /// The device has closed; where the recording is.
    pub(super) fn finish(self) -> PathBuf {
        self.path
    }
}

async fn connect(
    target: SessionTarget,
    settings: SessionSettings,
    raw: bool,
    taps: Vec<Box<dyn Tap>>,
) -> Result<Held, SessionError> {
    if !raw {
        let session = Box::pin(Session::open(target, &settings, OPEN_TIMEOUT, taps)).await?;
        return Ok(Held::Session(Box::new(session)));
    }
    let channel = connect_raw(&target, &settings, OPEN_TIMEOUT).await?;
    let settle = settings.settle.unwrap_or_default();
    Ok(Held::Raw(Box::new(Dialogue::new(channel, settle, taps))))
}

/// What went wrong with the device, with the exit code of such things.
fn problem(error: &SessionError) -> Problem {
    let mut title = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        title = format!("{title}: {inner}");
        source = inner.source();
    }
    let code = if error.is_lab() { ErrorCode::Unavailable } else { ErrorCode::BadRequest };
    Problem::new(code, title)
}
