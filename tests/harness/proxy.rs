//! A cable between an EP and its engine that can be pulled: connections stay open and nothing gets through. Somebody may listen on it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::Result;

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
            if to.write_all(read).is_err() {
                break;
            }
        }
        drop(to.shutdown(std::net::Shutdown::Write));
    });
}
