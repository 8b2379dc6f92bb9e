//! A channel between its thread and who uses it: two buffers of bounded size, and what each side must know of the other.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::wake::Wake;
use crate::{
    beside::{Said, Status},
    channel::Window,
    limits::SSH_PIPE_BYTES_MAX,
    ssh::fate::Fate,
};

/// What the thread of a connection shares with everyone who uses the connection.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) wake: Wake,
    pub(super) fate: Fate,
}

impl Shared {
    /// The connection is over.
    pub(super) fn lost(&self) -> io::Error {
        let why = self.fate.told(self.fate.loss());
        io::Error::new(io::ErrorKind::ConnectionReset, why)
    }
}

/// Both ends of one channel.
#[derive(Debug, Default)]
struct State {
    heard: Vec<u8>,
    heard_errors: Vec<u8>,
    status: Option<Status>,
    ended: Option<Ended>,
    reader: Option<Waker>,
    to_say: Vec<u8>,
    /// Nothing is said after what waits.
    is_finished: bool,
    writer: Option<Waker>,
    window: Option<Window>,
    is_released: bool,
}

/// Nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The channel was closed in good order.
    Closed,
    /// The connection is over.
    Lost,
}

/// The end of a channel that its thread holds.
#[derive(Debug)]
pub(super) struct Far(Arc<Mutex<State>>);

/// The end of a channel that is used. Dropped, the channel is closed.
#[derive(Debug)]
pub(super) struct Near {
    state: Arc<Mutex<State>>,
    /// Memory for the next that is heard.
    spare: Vec<u8>,
    pub(super) shared: Arc<Shared>,
}

/// What the user of a channel wants of its thread.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Room for what the device says.
    pub(super) room: usize,
    pub(super) window: Option<Window>,
    pub(super) is_finished: bool,
    pub(super) is_released: bool,
}

/// A new channel's ends.
pub(super) fn pipe(shared: &Arc<Shared>) -> (Near, Far) {
    let state = Arc::<Mutex<State>>::default();
    (Near { state: Arc::clone(&state), spare: Vec::new(), shared: Arc::clone(shared) }, Far(state))
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A panic between two statements of this module cannot leave it half changed.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn waiting(&self) -> usize {
        self.heard.len().saturating_add(self.heard_errors.len())
    }

    fn wake_reader(&mut self) -> Option<Waker> {
        self.reader.take()
    }
}

/// Wakes somebody, the lock given back.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Far {
    /// What is wanted now. What is to be said is put into `saying` if that is empty.
    pub(super) fn wanted(&self, saying: &mut Vec<u8>) -> Wanted {
        let mut state = lock(&self.0);
        let mut writer = None;
        if saying.is_empty() && !state.to_say.is_empty() {
            std::mem::swap(saying, &mut state.to_say);
            writer = state.writer.take();
        }
        let wanted = Wanted {
            room: SSH_PIPE_BYTES_MAX.saturating_sub(state.waiting()),
            window: state.window.take(),
            is_finished: state.is_finished,
            is_released: state.is_released,
        };
        drop(state);
        wake(writer);
        wanted
    }

    /// The device said something; the room that is left.
    pub(super) fn hear(&self, bytes: &[u8], is_error: bool) -> usize {
        let mut state = lock(&self.0);
        let into = if is_error { &mut state.heard_errors } else { &mut state.heard };
        into.extend_from_slice(bytes);
        let room = SSH_PIPE_BYTES_MAX.saturating_sub(state.waiting());
        let reader = state.wake_reader();
        drop(state);
        wake(reader);
        room
    }

    /// Nothing more comes.
    pub(super) fn end(&self, ended: Ended, status: Option<Status>) {
        let mut state = lock(&self.0);
        if state.ended.is_none() {
            (state.ended, state.status) = (Some(ended), status);
        }
        let (reader, writer) = (state.wake_reader(), state.writer.take());
        drop(state);
        wake(reader);
        wake(writer);
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        // Also where the thread panicked: nobody waits for ever.
        self.end(Ended::Lost, None);
    }
}

impl Near {
    /// What came next: output before errors, the status before the end.
    pub(super) fn poll_said(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Said>>> {
        let mut state = lock(&self.state);
        let was_full = state.waiting() >= SSH_PIPE_BYTES_MAX;
        let said = if !state.heard.is_empty() {
            Said::Output(std::mem::replace(&mut state.heard, std::mem::take(&mut self.spare)))
        } else if !state.heard_errors.is_empty() {
            Said::Error(std::mem::take(&mut state.heard_errors))
        } else if let Some(status) = state.status.take() {
            Said::Status(status)
        } else {
            return match state.ended {
                Some(Ended::Closed) => Poll::Ready(Ok(None)),
                Some(Ended::Lost) if self.shared.fate.said_goodbye() => Poll::Ready(Ok(None)),
                Some(Ended::Lost) => {
                    Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, self.shared.fate.loss())))
                }
                None => {
                    state.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            };
        };
        drop(state);
        if was_full {
            self.shared.wake.wake();
        }
        Poll::Ready(Ok(Some(said)))
    }

    /// Gives back the memory of what was heard, to be used again.
    pub(super) fn give_back(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        self.spare = bytes;
    }

    /// Takes some of the bytes.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = lock(&self.state);
        if state.ended.is_some() {
            return Poll::Ready(Err(self.shared.lost()));
        }
        if state.is_finished {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = SSH_PIPE_BYTES_MAX.saturating_sub(state.to_say.len());
        if room == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let taken = bytes.get(..room).unwrap_or(bytes);
        state.to_say.extend_from_slice(taken);
        drop(state);
        self.shared.wake.wake();
        Poll::Ready(Ok(taken.len()))
    }

    /// Nothing is said after what was taken.
    pub(super) fn finish(&self) {
        lock(&self.state).is_finished = true;
        self.shared.wake.wake();
    }

    /// The terminal has another size.
    pub(super) fn resize(&self, window: Window) -> io::Result<()> {
        let mut state = lock(&self.state);
        if state.ended.is_some() {
            return Err(self.shared.lost());
        }
        state.window = Some(window);
        drop(state);
        self.shared.wake.wake();
        Ok(())
    }
}

impl Drop for Near {
    fn drop(&mut self) {
        lock(&self.state).is_released = true;
        self.shared.wake.wake();
    }
}
