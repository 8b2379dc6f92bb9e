//! What a test does with a session besides its dialogue: commands and files beside it, and the serial line under it.
//!
//! Commands and files do not hold the session: the dialogue goes on while they run.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jackfield_device::{
    Deadline,
    beside::{Beside, Status},
    limits::{BREAK_DEFAULT, COMMAND_TIMEOUT, TRANSFER_TIMEOUT},
    line::{LineOrder, ModemLines},
    session::{SessionError, run_beside},
    transfer::{self, Moved, Way},
};
use jackfield_protocol::error::{ErrorCode, Problem};
use serde_json::{Value, json};

use super::{Desk, params as p, rpc::Failure};
use crate::{account::Staged, event::Guest, limits::STAGED_BYTES_MAX, sessions::problem};

impl Desk {
    async fn beside(&self, guest: &Guest, name: &str) -> Result<Arc<dyn Beside>, Failure> {
        let session = self.session(guest, name).await?;
        session.beside().map_err(|error| problem(&error).into())
    }

    pub(super) async fn session_execute(
        &self,
        guest: &Guest,
        wanted: p::SessionExecute,
    ) -> Result<Value, Failure> {
        let beside = self.beside(guest, &wanted.session).await?;
        let timeout = wanted.timeout_millis.map_or(COMMAND_TIMEOUT, Duration::from_millis);
        let left = run_beside(beside.as_ref(), &wanted.command, timeout).await;
        let left = left.map_err(|error| problem(&error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (status, signal) = match left.status {
            Some(Status::Code(code)) => (Some(code), None),
            Some(Status::Signal(signal)) => (None, Some(signal)),
            None => (None, None),
        };
        Ok(json!({
            "output": text(&left.output),
            "error": text(&left.error),
            "status": status,
            "signal": signal,
            "cut": left.cut,
        }))
    }

    pub(super) async fn session_put(&self, guest: &Guest, wanted: p::SessionFile) -> Result<Value, Failure> {
        let (local, way, deadline) = of_file(&wanted)?;
        let beside = self.beside(guest, &wanted.session).await?;
        let local = self.taken(guest, local).await?;
        let moved = transfer::put(beside.as_ref(), local.path(), &wanted.remote, way, deadline).await;
        told(moved.map_err(SessionError::from))
    }

    pub(super) async fn session_get(&self, guest: &Guest, wanted: p::SessionFile) -> Result<Value, Failure> {
        let (local, way, deadline) = of_file(&wanted)?;
        let beside = self.beside(guest, &wanted.session).await?;
        let Some(account) = self.station.account(guest.order.lane) else {
            let moved = transfer::get(beside.as_ref(), &wanted.remote, local, way, deadline).await;
            return told(moved.map_err(SessionError::from));
        };
        let staged = Staged::new(&self.station.staging(), local).map_err(|error| disk(&error))?;
        let moved = transfer::get(beside.as_ref(), &wanted.remote, staged.path(), way, deadline).await;
        if moved.is_ok() {
            account.give(staged.path(), local).await.map_err(|why| wrong("local", why))?;
        }
        told(moved.map_err(SessionError::from))
    }

    /// A file that a test named, as it may read it.
    async fn taken(&self, guest: &Guest, local: &Path) -> Result<Local, Failure> {
        let Some(account) = self.station.account(guest.order.lane) else {
            return Ok(Local::Own(local.to_owned()));
        };
        let taken = account.fetch(local, STAGED_BYTES_MAX, &self.station.staging()).await;
        taken.map(Local::Taken).map_err(|error| wrong("local", error.to_string()))
    }

    pub(super) async fn session_line(&self, guest: &Guest, wanted: p::SessionLine) -> Result<Value, Failure> {
        let orders = line_orders(&wanted)?;
        self.order(guest, &wanted.session, orders).await
    }

    pub(super) async fn session_break(
        &self,
        guest: &Guest,
        wanted: p::SessionBreak,
    ) -> Result<Value, Failure> {
        let span = wanted.millis.map_or(BREAK_DEFAULT, Duration::from_millis);
        self.order(guest, &wanted.session, vec![LineOrder::Break(span)]).await
    }

    pub(super) async fn session_wait_break(
        &self,
        guest: &Guest,
        wanted: p::SessionWaitBreak,
    ) -> Result<Value, Failure> {
        let timeout = wanted.timeout_millis.map_or(COMMAND_TIMEOUT, Duration::from_millis);
        let mut session = self.session(guest, &wanted.session).await?;
        let came = session.wait_break(timeout).await;
        Ok(came.map(|()| Value::Null).map_err(|error| problem(&error))?)
    }

    pub(super) async fn session_modem(
        &self,
        guest: &Guest,
        wanted: p::SessionName,
    ) -> Result<Value, Failure> {
        let mut session = self.session(guest, &wanted.session).await?;
        let ModemLines { cts, dsr, ri, cd } = session.modem_lines().await.map_err(|error| problem(&error))?;
        Ok(json!({"cts": cts, "dsr": dsr, "ri": ri, "cd": cd}))
    }

    async fn order(&self, guest: &Guest, name: &str, orders: Vec<LineOrder>) -> Result<Value, Failure> {
        let mut session = self.session(guest, name).await?;
        for order in orders {
            session.order(order).await.map_err(|error| problem(&error))?;
        }
        Ok(Value::Null)
    }
}

fn told(moved: Result<Moved, SessionError>) -> Result<Value, Failure> {
    let moved = moved.map_err(|error| problem(&error))?;
    let Moved { bytes, files, skipped, way } = moved;
    Ok(json!({"bytes": bytes, "files": files, "skipped": skipped, "way": way}))
}

fn wrong(field: &str, title: String) -> Failure {
    Failure::Params(Problem::new(ErrorCode::BadRequest, title).field(field))
}

/// The EP's working folder is not the test's.
pub(super) fn whole_path(field: &str, path: &Path) -> Result<(), Failure> {
    if path.is_absolute() {
        return Ok(());
    }
    Err(wrong(field, format!("`{}`: name the local file by its whole path", path.display())))
}

/// A file of this machine that goes to a device.
enum Local {
    Own(PathBuf),
    /// A copy, made with the rights of the test.
    Taken(Staged),
}

impl Local {
    fn path(&self) -> &Path {
        match self {
            Self::Own(path) => path,
            Self::Taken(staged) => staged.path(),
        }
    }
}

pub(super) fn disk(error: &std::io::Error) -> Problem {
    Problem::new(ErrorCode::Unavailable, format!("a file cannot be kept on the EP: {error}; free disk space"))
}

fn of_file(wanted: &p::SessionFile) -> Result<(&Path, Way, Deadline), Failure> {
    let way = wanted.way.as_deref().unwrap_or_default().parse().map_err(|title| wrong("way", title))?;
    whole_path("local", &wanted.local)?;
    let timeout = wanted.timeout_millis.map_or(TRANSFER_TIMEOUT, Duration::from_millis);
    Ok((&wanted.local, way, Deadline::after(timeout)))
}

fn line_orders(wanted: &p::SessionLine) -> Result<Vec<LineOrder>, Failure> {
    let framing = wanted.framing.as_deref().map(str::parse).transpose();
    let framing = framing.map_err(|error: jackfield_device::line::LineError| {
        wrong("framing", format!("wrong framing: {error}"))
    })?;
    let flow = wanted.flow.as_deref().map(str::parse).transpose();
    let flow = flow.map_err(|error: jackfield_device::line::LineError| {
        wrong("flow", format!("wrong flow control: {error}"))
    })?;
    let mut orders = Vec::new();
    if wanted.speed.is_some() || framing.is_some() || flow.is_some() {
        orders.push(LineOrder::Set { speed: wanted.speed, framing, flow });
    }
    orders.extend(wanted.dtr.map(LineOrder::Dtr));
    orders.extend(wanted.rts.map(LineOrder::Rts));
    Ok(orders)
}
