//! Commands and their answers: as a text, or into a file as they come; and what a device says without being asked.

use std::{path::Path, sync::Arc, time::Duration};

use jackfield_device::{
    limits::TRANSFER_TIMEOUT,
    session::{Order, Reply},
    target::Secret,
};
use jackfield_protocol::error::{ErrorCode, Problem};
use serde_json::{Value, json};

use super::{
    Desk,
    beside_methods::{disk, whole_path},
    methods::said,
    params as p,
    rpc::Failure,
    session_commands::limit,
};
use crate::{account::Staged, attempt::Said, event::Guest, sessions::problem};

impl From<p::Answer> for Reply {
    fn from(answer: p::Answer) -> Self {
        Self {
            asks: answer.asks,
            answer: Secret::new(answer.answer),
            enter: answer.enter,
            is_secret: answer.secret,
        }
    }
}

/// A command as its giver wants it given.
fn order(command: String, answers: Vec<p::Answer>, keep_unasked: bool, is_checked: bool) -> Order {
    let replies = answers.into_iter().map(Reply::from).collect();
    let mut order = Order::new(command).with_replies(replies);
    (order.keep_unasked, order.is_checked) = (keep_unasked, is_checked);
    order
}

impl Desk {
    pub(super) async fn session_command(
        &self,
        guest: &Guest,
        wanted: p::SessionCommand,
    ) -> Result<Value, Failure> {
        let order = order(wanted.command, wanted.answers, wanted.keep_unasked, wanted.check);
        let mut session = self.session(guest, &wanted.session).await?;
        let output = session.give(&order, limit(wanted.timeout_millis)).await;
        Ok(json!({ "output": output.map_err(|error| problem(&error))? }))
    }

    /// The file is kept with the test also where the answer did not come to its end: it says so itself.
    pub(super) async fn session_command_to_file(
        &self,
        guest: &Guest,
        wanted: p::SessionCommandToFile,
    ) -> Result<Value, Failure> {
        whole_path("path", &wanted.path)?;
        let order = order(wanted.command, wanted.answers, wanted.keep_unasked, wanted.check);
        let timeout = wanted.timeout_millis.map_or(TRANSFER_TIMEOUT, Duration::from_millis);
        let mut session = self.session(guest, &wanted.session).await?;
        let account = self.station.account(guest.order.lane);
        let staged = account.map(|_| Staged::new(&self.station.staging(), &wanted.path)).transpose();
        let staged = staged.map_err(|error| disk(&error))?;
        let path = staged.as_ref().map_or(wanted.path.as_path(), Staged::path);
        let written = session.give_to_file(&order, path, timeout).await;
        drop(session);
        if let (Some(account), true) = (account, path.is_file()) {
            let given = account.give(path, &wanted.path).await;
            given.map_err(|why| Problem::new(ErrorCode::BadRequest, why).field("path"))?;
        }
        if wanted.artifact && path.is_file() {
            said(guest, Said::Artifact { name: file_name(&wanted.path), path: wanted.path }).await?;
        }
        let written = written.map_err(|error| problem(&error))?;
        Ok(json!({ "bytes": written.bytes }))
    }

    pub(super) async fn session_unasked(
        &self,
        guest: &Guest,
        wanted: p::SessionName,
    ) -> Result<Value, Failure> {
        let mut session = self.session(guest, &wanted.session).await?;
        let text = session.unasked().map_err(|error| problem(&error))?;
        Ok(json!({ "text": text }))
    }
}

fn file_name(path: &Path) -> Arc<str> {
    path.file_name().map_or_else(|| "answer".into(), |name| name.to_string_lossy().into())
}
