//! One channel, as the thread of its connection holds it.

use std::io::{ErrorKind, Read, Write};

use ssh2::{Channel, Error};
use tokio::time::Instant;

use super::{
    pipe::{Ended, Far, Wanted},
    speaker::Speaker,
    words::{is_waiting, last},
};
use crate::{beside::Status, channel::Window, clock::now, limits::SSH_LAST_WORDS};

/// What a channel is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A dialogue: after the last of its text a device has little time to tell how it ended.
    Shell,
    /// A program: after the last of its text it may run on, and ends when the server says so.
    Program,
    /// A way onward: it ends with the last of its text.
    Onward,
}

/// The channel.
pub(super) struct Port {
    channel: Channel,
    /// None where nobody uses it any more, and it is being closed.
    far: Option<Far>,
    kind: Kind,
    /// What is being said, and how much of it was: the library wants the same bytes again where it had to wait.
    saying: Vec<u8>,
    said: usize,
    finish: Finish,
    window: Option<Window>,
    pub(super) wants_input: bool,
    pub(super) last_words: Option<Instant>,
    has_ended: bool,
    pub(super) is_gone: bool,
}

/// The end of what we say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finish {
    NotYet,
    Wanted,
    Told,
}

/// What came of trying to read.
enum Heard {
    /// Nothing more for now.
    Waits,
    /// There is no room for more.
    Full,
    /// Nothing more will come.
    Over,
}

impl Port {
    /// With no far end it is closed.
    pub(super) fn new(channel: Channel, far: Option<Far>, kind: Kind) -> Self {
        Self {
            channel,
            far,
            kind,
            saying: Vec::new(),
            said: 0,
            finish: Finish::NotYet,
            window: None,
            wants_input: true,
            last_words: None,
            has_ended: false,
            is_gone: false,
        }
    }

    /// Something is still to be said.
    pub(super) fn has_to_say(&self) -> bool {
        !self.has_ended && (!self.saying.is_empty() || self.finish == Finish::Wanted)
    }

    /// Does what can be done now. An error is the connection's end.
    pub(super) fn turn(&mut self, speaker: &Speaker, scratch: &mut [u8]) -> Result<(), Error> {
        let Some(far) = self.far.take() else { return self.close() };
        let wanted = far.wanted(&mut self.saying);
        if wanted.is_released && self.saying.is_empty() {
            // What waited is said; nobody hears the rest.
            return self.close();
        }
        let turned = if self.has_ended { Ok(()) } else { self.talk(speaker, &far, &wanted, scratch) };
        // Also where the connection is over: its other end learns it when it is known why.
        self.far = Some(far);
        turned
    }

    fn talk(
        &mut self,
        speaker: &Speaker,
        far: &Far,
        wanted: &Wanted,
        scratch: &mut [u8],
    ) -> Result<(), Error> {
        if wanted.is_finished && self.finish == Finish::NotYet {
            self.finish = Finish::Wanted;
        }
        self.say(speaker)?;
        self.window = wanted.window.or(self.window);
        if let Some(window) = self.window {
            let (columns, rows) = (u32::from(window.columns), u32::from(window.rows));
            match self.channel.request_pty_size(columns, rows, None, None) {
                Err(error) if is_waiting(&error) => {}
                Err(error) => return Err(error),
                Ok(()) => self.window = None,
            }
        }
        self.hear(speaker, far, wanted.room, scratch)
    }

    /// Says what waits, and after it that nothing more comes.
    fn say(&mut self, speaker: &Speaker) -> Result<(), Error> {
        while !self.saying.is_empty() {
            let left = self.saying.get(self.said..).unwrap_or_default();
            if left.is_empty() {
                self.saying.clear();
                self.said = 0;
                // More may wait by now.
                speaker.shared.wake.wake();
                break;
            }
            match self.channel.write(left) {
                // The device's window is full.
                Ok(0) => return Ok(()),
                Ok(count) => self.said = self.said.saturating_add(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) if self.channel.eof() => {
                    // It hears nothing more; how it ended is read below.
                    self.saying.clear();
                    self.said = 0;
                }
                Err(_) => return Err(last(&speaker.session)),
            }
        }
        if self.finish == Finish::Wanted && self.saying.is_empty() {
            match self.channel.send_eof() {
                Err(error) if is_waiting(&error) => {}
                Ok(()) | Err(_) => self.finish = Finish::Told,
            }
        }
        Ok(())
    }

    /// Hears what came, as far as there is room.
    fn hear(&mut self, speaker: &Speaker, far: &Far, room: usize, scratch: &mut [u8]) -> Result<(), Error> {
        let mut room = room;
        let mut is_over = true;
        self.wants_input = true;
        // A shell's errors come with its output.
        let streams: &[bool] = if self.kind == Kind::Shell { &[false] } else { &[false, true] };
        for is_error in streams {
            match self.hear_one(speaker, far, &mut room, *is_error, scratch)? {
                Heard::Over => {}
                Heard::Waits => is_over = false,
                Heard::Full => {
                    (is_over, self.wants_input) = (false, false);
                    break;
                }
            }
        }
        if is_over { self.over(far) } else { Ok(()) }
    }

    fn hear_one(
        &mut self,
        speaker: &Speaker,
        far: &Far,
        room: &mut usize,
        is_error: bool,
        scratch: &mut [u8],
    ) -> Result<Heard, Error> {
        loop {
            let most = scratch.len().min(*room);
            let Some(piece) = scratch.get_mut(..most).filter(|piece| !piece.is_empty()) else {
                return Ok(Heard::Full);
            };
            let read = if is_error { self.channel.stderr().read(piece) } else { self.channel.read(piece) };
            match read {
                Ok(0) => return Ok(Heard::Over),
                Ok(count) => *room = far.hear(piece.get(..count).unwrap_or_default(), is_error),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Heard::Waits),
                Err(_) => return Err(last(&speaker.session)),
            }
        }
    }

    /// All was heard; how it ended comes after that, before the channel is closed.
    fn over(&mut self, far: &Far) -> Result<(), Error> {
        let is_closed = match self.channel.wait_close() {
            Err(error) if is_waiting(&error) => false,
            // Closed without an end of its text.
            Ok(()) | Err(_) => true,
        };
        let waits = match self.kind {
            // Some devices never close.
            Kind::Shell => now() < *self.last_words.get_or_insert_with(|| now() + SSH_LAST_WORDS),
            Kind::Program => true,
            Kind::Onward => false,
        };
        if waits && !is_closed {
            return Ok(());
        }
        self.last_words = None;
        self.has_ended = true;
        self.wants_input = false;
        far.end(Ended::Closed, is_closed.then(|| self.status()).flatten());
        Ok(())
    }

    fn status(&self) -> Option<Status> {
        let signal = self.channel.exit_signal().ok().and_then(|signal| signal.exit_signal);
        signal.map(Status::Signal).or_else(|| {
            let code = self.channel.exit_status().ok()?;
            u32::try_from(code).ok().map(Status::Code)
        })
    }

    /// Closes it, and is gone when the server agrees.
    fn close(&mut self) -> Result<(), Error> {
        self.far = None;
        self.has_ended = true;
        self.wants_input = true;
        match self.channel.close() {
            Err(error) if is_waiting(&error) => {}
            Ok(()) => self.is_gone = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
