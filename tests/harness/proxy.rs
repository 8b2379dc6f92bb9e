//! A cable between an EP and its engine that can be pulled: connections stay open and nothing gets through.

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
}

impl State {
    /// Waits while the cable is pulled.
    fn pass(&self) {
        let mut pulled = self.pulled.lock().unwrap_or_else(PoisonError::into_inner);
        while *pulled && !self.gone.load(Ordering::Relaxed) {
            pulled = self.changed.wait(pulled).unwrap_or_else(PoisonError::into_inner);
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
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
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
            if to.write_all(read).is_err() {
                break;
            }
        }
        drop(to.shutdown(std::net::Shutdown::Write));
    });
}
