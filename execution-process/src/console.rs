//! Consoles: a person watches a session of a test, takes it over for a while, or talks to a device that no test uses.
//!
//! ```text
//! OpenConsole ──▶ dial back ──▶ a session of a run ──▶ watching ◀──────────▶ typing ──▶ end
//!                          └──▶ a device: connect, log in ──────────────────▶ typing ──▶ end, closed
//!                          └──▶ somebody's device ───▶ watching ─────────────────────▶ end
//! ```
//!
//! Who types holds the session as a test does, so the test's next operation waits. Whatever ends a console lets the session go.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_config::ep::ConsolePolicy;
use jackfield_protocol::{
    console::{ConsoleOf, ConsoleOrder, EpToPerson},
    error::{ErrorCode, Problem},
    id::{BlobHash, ConsoleId},
};
use tokio_util::sync::CancellationToken;

use crate::limits::{CONSOLES_MAX, UPLOAD_PAUSE, UPLOAD_TRIES};
use crate::{sessions::live::Live, station::Station};
use line::Line;
use seat::Seat;

mod held;
mod line;
mod open;
mod seat;

/// The consoles of this EP. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consoles {
    open: Arc<Mutex<BTreeMap<ConsoleId, Option<Live>>>>,
    stop: CancellationToken,
}

impl Consoles {
    /// Ends them all; the EP ends.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<ConsoleId, Option<Live>>> {
        // Nothing panics while the map is held.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, console: ConsoleId) -> Result<Entered, Problem> {
        let mut open = self.open();
        if open.len() >= CONSOLES_MAX {
            let title = format!("{CONSOLES_MAX} consoles are open on this EP; close some");
            return Err(Problem::new(ErrorCode::TooMany, title));
        }
        open.insert(console, None);
        Ok(Entered { consoles: self.clone(), console })
    }

    /// The device that somebody has.
    fn device(&self, console: ConsoleId) -> Option<Live> {
        self.open().get(&console).cloned().flatten()
    }
}

/// A console while it is open.
#[derive(Debug)]
struct Entered {
    consoles: Consoles,
    console: ConsoleId,
}

impl Entered {
    /// Others may watch this.
    fn show(&self, live: Live) {
        self.consoles.open().insert(self.console, Some(live));
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.consoles.open().remove(&self.console);
    }
}

/// How a console ended.
#[derive(Debug)]
struct End {
    reason: String,
    code: Option<ErrorCode>,
}

impl End {
    /// As the person wished, or nothing that is anybody's fault.
    fn fine(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), code: None }
    }

    fn failed(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), code: Some(code) }
    }

    fn gone() -> Self {
        Self::fine("the person went away")
    }
}

impl From<Problem> for End {
    fn from(problem: Problem) -> Self {
        Self { reason: problem.to_string(), code: Some(problem.code) }
    }
}

/// Serves one console from dialling back to its end.
pub(crate) async fn serve(station: Arc<Station>, mut order: ConsoleOrder) {
    let user = order.user.clone();
    let mut line = match Line::dial(&station.settings, &order).await {
        Ok(line) => line,
        Err(error) => {
            tracing::warn!(console.id = %order.console, "a console for {user} cannot be opened: {error}");
            return;
        }
    };
    if station.settings.console == ConsolePolicy::Watch && order.watch_only.is_none() {
        let ep = &station.settings.name;
        order.watch_only = Some(format!("ep.toml of {ep} says console = \"watch\""));
    }
    let (end, recording) = Box::pin(attend(&station, &order, &mut line)).await;
    tracing::info!(console.id = %order.console, "the console of {user} ended: {}", end.reason);
    let End { reason, code } = end;
    line.end(&EpToPerson::End { reason, code, recording }).await;
}

async fn attend(station: &Arc<Station>, order: &ConsoleOrder, line: &mut Line) -> (End, Option<BlobHash>) {
    if station.settings.console == ConsolePolicy::Off {
        let reason = format!("ep.toml of {} says console = \"off\"", station.settings.name);
        return (End::failed(ErrorCode::Forbidden, reason), None);
    }
    let entered = match station.consoles.enter(order.console) {
        Ok(entered) => entered,
        Err(problem) => return (problem.into(), None),
    };
    let nothing_there = |reason: String| (End::failed(ErrorCode::NotFound, reason), None);
    match &order.of {
        ConsoleOf::Session { run, name } => match station.sessions.live(*run, name) {
            Some(live) => Seat::new(station, order, live, line, name, Some(*run)).sit(None).await,
            None => nothing_there(format!("session `{name}` of run {run} has been closed")),
        },
        ConsoleOf::Console { console } => match station.consoles.device(*console) {
            Some(live) => Seat::new(station, order, live, line, "", None).sit(None).await,
            None => nothing_there("the console you wanted to watch is over".to_owned()),
        },
        ConsoleOf::Device { path, .. } => match open::open(station, order, line, &entered).await {
            Ok((live, held, recording)) => {
                Seat::new(station, order, live, line, path, None).sit(Some((held, recording))).await
            }
            Err(end) => (end, None),
        },
    }
}

/// Gives the engine the recording of a console.
async fn keep(station: &Station, path: std::path::PathBuf) -> Option<BlobHash> {
    for _ in 0..UPLOAD_TRIES {
        match station.blobs.put(path.clone()).await {
            Ok(hash) => {
                if let Err(error) = std::fs::remove_file(&path) {
                    tracing::warn!("`{}` cannot be removed: {error}", path.display());
                }
                return Some(hash);
            }
            Err(error) => tracing::warn!("the recording `{}` was not taken: {error:?}", path.display()),
        }
        tokio::select! {
            () = station.consoles.stop.cancelled() => return None,
            () = tokio::time::sleep(UPLOAD_PAUSE) => {}
        }
    }
    None
}
