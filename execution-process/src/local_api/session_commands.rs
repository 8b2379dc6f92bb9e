//! What a session does with a command beyond its answer: tables of it, lines of configuration, privilege levels, a reboot.

use std::time::Duration;

use jackfield_device::{
    limits::COMMAND_TIMEOUT,
    textfsm::{Table, Template, TextFsmError},
};
use jackfield_protocol::error::{ErrorCode, Problem};
use serde_json::{Value, json};

use super::{Desk, params as p, rpc::Failure, session_methods::closed};
use crate::{event::Guest, sessions::problem};

fn limit(timeout_millis: Option<u64>) -> Duration {
    timeout_millis.map_or(COMMAND_TIMEOUT, Duration::from_millis)
}

/// A template that is wrong is a wrong request; a text that it refuses is what the device is to blame for.
fn refused(error: &TextFsmError) -> Problem {
    let (code, field) = match error {
        TextFsmError::Template { .. } => (ErrorCode::BadRequest, "template"),
        TextFsmError::Refused { .. } | TextFsmError::Astray { .. } => (ErrorCode::WrongState, "text"),
    };
    Problem::new(code, error.to_string()).field(field)
}

fn shown(table: &Table) -> Value {
    json!({ "header": table.header, "rows": table.objects() })
}

impl Desk {
    pub(super) async fn session_rows(&self, guest: &Guest, wanted: p::SessionRows) -> Result<Value, Failure> {
        // Before the device is asked: a template that is wrong needs no answer.
        let template = Template::parse(&wanted.template).map_err(|error| refused(&error))?;
        let slot = self.station.sessions.get(guest.order.attempt, &wanted.session)?;
        let mut session = slot.lock().await;
        let session = session.as_mut().ok_or_else(|| closed(&wanted.session))?;
        let output = session.command(&wanted.command, limit(wanted.timeout_millis)).await;
        let output = output.map_err(|error| problem(&error))?;
        let table = template.run(&output).map_err(|error| refused(&error))?;
        let mut answer = shown(&table);
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("output".to_owned(), output.into());
        }
        Ok(answer)
    }

    pub(super) async fn session_config(
        &self,
        guest: &Guest,
        wanted: p::SessionConfig,
    ) -> Result<Value, Failure> {
        let slot = self.station.sessions.get(guest.order.attempt, &wanted.session)?;
        let mut session = slot.lock().await;
        let session = session.as_mut().ok_or_else(|| closed(&wanted.session))?;
        let output = session.config(&wanted.lines, limit(wanted.timeout_millis)).await;
        Ok(json!({ "output": output.map_err(|error| problem(&error))? }))
    }

    pub(super) async fn session_level(
        &self,
        guest: &Guest,
        wanted: p::SessionLevel,
    ) -> Result<Value, Failure> {
        let slot = self.station.sessions.get(guest.order.attempt, &wanted.session)?;
        let mut session = slot.lock().await;
        let session = session.as_mut().ok_or_else(|| closed(&wanted.session))?;
        let moved = session.level(&wanted.level, limit(wanted.timeout_millis)).await;
        Ok(moved.map(|()| Value::Null).map_err(|error| problem(&error))?)
    }

    pub(super) async fn session_reboot(
        &self,
        guest: &Guest,
        wanted: p::SessionReboot,
    ) -> Result<Value, Failure> {
        let slot = self.station.sessions.get(guest.order.attempt, &wanted.session)?;
        let mut session = slot.lock().await;
        let session = session.as_mut().ok_or_else(|| closed(&wanted.session))?;
        let back = session.reboot(wanted.timeout_millis.map(Duration::from_millis)).await;
        Ok(back.map(|()| Value::Null).map_err(|error| problem(&error))?)
    }
}

/// A table of any text.
pub(super) fn textfsm(wanted: &p::TextFsm) -> Result<Value, Failure> {
    let template = Template::parse(&wanted.template).map_err(|error| refused(&error))?;
    let table = template.run(&wanted.text).map_err(|error| refused(&error))?;
    Ok(shown(&table))
}
