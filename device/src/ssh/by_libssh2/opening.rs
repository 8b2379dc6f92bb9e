//! A channel that is being opened: one at a time, step by step, as far as the server has answered.

use ssh2::{Channel, Error, ExtendedData};
use tokio::sync::oneshot;

use super::{
    pipe::{Near, pipe},
    port::{Kind, Port},
    speaker::Speaker,
    words::is_denial,
};
use crate::{beside::Start, channel::Window, target::Address};

/// What is opened.
#[derive(Debug)]
pub(super) enum What {
    Shell { terminal: String, window: Window },
    Program(Start),
    Onward(Address),
}

/// What became of it; an error is the server's no, and the connection goes on.
pub(super) type Opened = oneshot::Sender<Result<Near, Error>>;

pub(super) struct Opening {
    what: What,
    opened: Opened,
    channel: Option<Channel>,
    has_terminal: bool,
}

impl Opening {
    pub(super) fn new(what: What, opened: Opened) -> Self {
        Self { what, opened, channel: None, has_terminal: false }
    }

    /// Goes on. An error is that the library waits, that the server says no, or that the connection is over.
    fn step(&mut self, speaker: &Speaker) -> Result<(), Error> {
        let channel = match &mut self.channel {
            Some(channel) => channel,
            none @ None => none.insert(match &self.what {
                What::Shell { .. } | What::Program(_) => speaker.session.channel_session()?,
                What::Onward(Address { host, port }) => {
                    speaker.session.channel_direct_tcpip(host, *port, Some(("127.0.0.1", 0)))?
                }
            }),
        };
        match &self.what {
            What::Shell { terminal, window } => {
                if !self.has_terminal {
                    let size = (u32::from(window.columns), u32::from(window.rows), 0, 0);
                    match channel.request_pty(terminal, None, Some(size)) {
                        // A device that has no terminals may have a shell all the same.
                        Err(error) if !is_denial(&error) => return Err(error),
                        Ok(()) | Err(_) => self.has_terminal = true,
                    }
                    channel.handle_extended_data(ExtendedData::Merge)?;
                }
                channel.shell()
            }
            What::Program(Start::Command(command)) => channel.exec(command),
            What::Program(Start::Subsystem(name)) => channel.subsystem(name),
            What::Onward(_) => Ok(()),
        }
    }

    /// Goes on, and once it is open or refused tells the one who asked; what is left is still being opened.
    pub(super) fn go_on(mut self, speaker: &Speaker) -> Result<Progress, Error> {
        match self.step(speaker) {
            Err(error) if super::words::is_waiting(&error) => Ok(Progress::Waits(self)),
            Err(error) if is_denial(&error) => {
                let refused = self.channel.map(|channel| Port::new(channel, None, Kind::Program));
                // Who asked may have given up; then nobody misses the answer.
                drop(self.opened.send(Err(error)));
                Ok(Progress::Done(refused))
            }
            Err(error) => Err(error),
            Ok(()) => {
                let kind = match self.what {
                    What::Shell { .. } => Kind::Shell,
                    What::Program(_) => Kind::Program,
                    What::Onward(_) => Kind::Onward,
                };
                let (near, far) = pipe(&speaker.shared);
                // An end that nobody takes is dropped, which closes the channel.
                drop(self.opened.send(Ok(near)));
                Ok(Progress::Done(self.channel.map(|channel| Port::new(channel, Some(far), kind))))
            }
        }
    }
}

pub(super) enum Progress {
    /// The server has not answered yet.
    Waits(Opening),
    /// It is open, or refused; then the channel is closed.
    Done(Option<Port>),
}
