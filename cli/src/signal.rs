//! Ctrl-C, TERM and the hang-up of a terminal, for commands that wait.

use std::{io, sync::mpsc};

use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};

/// What a command hears that runs another one.
#[derive(Clone, Copy)]
pub(crate) enum Heard {
    /// Ctrl-C, which the other has too, by the terminal.
    Interrupt,
    /// TERM, or the terminal is gone: the other does not know unless it is told.
    HangUp,
}

/// Sends once for each Ctrl-C or TERM, as long as the receiver lives.
pub(crate) fn interrupts() -> anyhow::Result<mpsc::Receiver<()>> {
    listen(next_signal)
}

/// Sends what it hears, a hang-up too, as long as the receiver lives.
pub(crate) fn heard() -> anyhow::Result<mpsc::Receiver<Heard>> {
    listen(next_heard)
}

fn listen<T, F>(next: impl Fn() -> F + Send + 'static) -> anyhow::Result<mpsc::Receiver<T>>
where
    T: Send + 'static,
    F: Future<Output = io::Result<T>>,
{
    let (sender, receiver) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async { while next().await.is_ok_and(|heard| sender.send(heard).is_ok()) {} });
    })?;
    Ok(receiver)
}

/// Ends at the next Ctrl-C or TERM.
pub(crate) async fn next_signal() -> io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    tokio::select! {
        done = ctrl_c() => done,
        _ = term.recv() => Ok(()),
    }
}

async fn next_heard() -> io::Result<Heard> {
    let (mut term, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::select! {
        done = ctrl_c() => done.map(|()| Heard::Interrupt),
        _ = term.recv() => Ok(Heard::HangUp),
        _ = hang_up.recv() => Ok(Heard::HangUp),
    }
}

/// Lets every signal through, as long as there is one thread only: a program that somebody started with signals blocked could not be ended
/// by them, nor could what it starts.
pub(crate) fn unblock() {
    if let Err(error) = nix::sys::signal::SigSet::empty().thread_set_mask() {
        // The kernel refuses no such mask; were it to, all is as it was.
        crate::output::talk(&format!("signals that were blocked stay blocked: {error}"));
    }
}
