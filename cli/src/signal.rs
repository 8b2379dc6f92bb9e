//! Ctrl-C and TERM, for commands that wait.

use std::sync::mpsc;

/// Sends once for each Ctrl-C or TERM, as long as the receiver lives.
pub(crate) fn interrupts() -> anyhow::Result<mpsc::Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async { while next_signal().await.is_ok() && sender.send(()).is_ok() {} });
    })?;
    Ok(receiver)
}

/// Ends at the next Ctrl-C or TERM.
pub(crate) async fn next_signal() -> std::io::Result<()> {
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done,
        _ = term.recv() => Ok(()),
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
