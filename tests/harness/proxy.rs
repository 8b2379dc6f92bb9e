//! A cable between an EP and its engine, or its device, that can be pulled: connections stay open and nothing gets through. Somebody may
//! listen on it, and it may be a bad one.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Result;

use crate::dice::Dice;

/// How long a bad cable holds things up, in milliseconds: now and then, and seldom. A device is thought to be silent after some hundred.
const PAUSES: [(u64, u64); 2] = [(6, 40), (400, 600)];
/// How many bytes come over a bad cable at once, at most.
const PIECE_MAX: u64 = 48;

/// Forwards to one address until it is dropped.
pub struct Cable {
    /// Where to connect instead.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    pulled: Mutex<bool>,
    changed: Condvar,
    gone: AtomicBool,
    /// What went over it, where somebody listens.
    heard: Option<Mutex<Vec<u8>>>,
    /// How it behaves, where it is a bad one.
    bad: Option<Mutex<Dice>>,
}

impl State {
    /// Waits while the cable is pulled.
    fn pass(&self) {
        let mut pulled = self.pulled.lock().unwrap_or_else(PoisonError::into_inner);
        while *pulled && !self.gone.load(Ordering::Relaxed) {
            pulled = self.changed.wait(pulled).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn hear(&self, bytes: &[u8]) {
        if let Some(heard) = &self.heard {
            heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        }
    }

    /// Hands on what came: at once, or in odd pieces and with pauses.
    fn carry(&self, bytes: &[u8], to: &mut TcpStream) -> std::io::Result<()> {
        let Some(bad) = &self.bad else { return to.write_all(bytes) };
        let mut dice = bad.lock().unwrap_or_else(PoisonError::into_inner).fork();
        let mut rest = bytes;
        while !rest.is_empty() {
            let size = usize::try_from(dice.between(1, PIECE_MAX)).unwrap_or(1).min(rest.len());
            let (piece, after) = rest.split_at(size);
            to.write_all(piece)?;
            rest = after;
            for (many, longest) in PAUSES {
                if dice.one_in(many) {
                    thread::sleep(Duration::from_millis(dice.below(longest)));
                }
            }
        }
        Ok(())
    }

    fn set(&self, now: bool) {
        *self.pulled.lock().unwrap_or_else(PoisonError::into_inner) = now;
        self.changed.notify_all();
    }
}

impl Cable {
    /// A cable to this address.
    ///
    /// # Errors
    /// No port is free.
    pub fn to(target: SocketAddr) -> Result<Self> {
        Self::lay(target, State::default())
    }

    /// A cable on which somebody listens.
    ///
    /// # Errors
    /// No port is free.
    pub fn tapped(target: SocketAddr) -> Result<Self> {
        Self::lay(target, State { heard: Some(Mutex::default()), ..State::default() })
    }

    /// A cable over which bytes come in odd pieces, with pauses anywhere, as the dice of this seed fall.
    ///
    /// # Errors
    /// No port is free.
    pub fn bad(target: SocketAddr, seed: u64) -> Result<Self> {
        Self::lay(target, State { bad: Some(Mutex::new(Dice::new(seed))), ..State::default() })
    }

    fn lay(target: SocketAddr, state: State) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for incoming in listener.incoming().flatten() {
                if shared.gone.load(Ordering::Relaxed) {
                    break;
                }
                let Ok(outgoing) = TcpStream::connect(target) else { continue };
                for end in [&incoming, &outgoing] {
                    drop(end.set_nodelay(true));
                }
                forward(&incoming, &outgoing, &shared);
                forward(&outgoing, &incoming, &shared);
            }
        });
        Ok(Self { address, state })
    }

    /// Every byte that went over a tapped one so far, in either direction.
    pub fn heard(&self) -> Vec<u8> {
        self.state
            .heard
            .as_ref()
            .map_or_else(Vec::new, |heard| heard.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Nothing gets through any more, and nobody is told.
    pub fn pull(&self) {
        self.state.set(true);
    }

    /// Everything gets through again.
    pub fn plug(&self) {
        self.state.set(false);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.state.gone.store(true, Ordering::Relaxed);
        self.state.changed.notify_all();
        // Wakes the listener's thread, which then ends.
        drop(TcpStream::connect(self.address));
    }
}

fn forward(from: &TcpStream, to: &TcpStream, state: &Arc<State>) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { return };
    let state = Arc::clone(state);
    thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count) = from.read(&mut bytes) {
            state.pass();
            let Some(read) = bytes.get(..count).filter(|read| !read.is_empty()) else { break };
            state.hear(read);
            if state.carry(read, &mut to).is_err() {
                break;
            }
        }
        drop(to.shutdown(std::net::Shutdown::Write));
    });
}
