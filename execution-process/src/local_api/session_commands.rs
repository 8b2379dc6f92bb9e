//! What a session does with a command beyond its answer: tables of it, lines of configuration, privilege levels, a reboot.

use std::{sync::Arc, time::Duration};

use jackfield_device::{
    limits::COMMAND_TIMEOUT,
    session::Order,
    textfsm::{Table, Template, TextFsmError},
};
use jackfield_protocol::error::{ErrorCode, Problem};
use serde_json::{Value, json};

use super::{Desk, params as p, rpc::Failure};
use crate::{event::Guest, sessions::problem};

pub(super) fn limit(timeout_millis: Option<u64>) -> Duration {
    timeout_millis.map_or(COMMAND_TIMEOUT, Duration::from_millis)
}

/// A template that is not there, or wrong, is a wrong request; a text that it refuses is what the device is to blame for.
fn wrong(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(ErrorCode::BadRequest, error.to_string()).field("template")
}

fn refused(error: &TextFsmError) -> Problem {
    Problem::new(ErrorCode::WrongState, error.to_string()).field("text")
}

fn shown(table: &Table) -> Value {
    json!({ "header": table.header, "rows": table.objects() })
}

impl Desk {
    pub(super) async fn session_rows(&self, guest: &Guest, wanted: p::SessionRows) -> Result<Value, Failure> {
        let mut session = self.session(guest, &wanted.session).await?;
        // Before the device is asked: a template that is wrong needs no answer.
        let template = match &wanted.template {
            Some(template) => self.template(guest, template).await?,
            None => self.template_for(guest, session.platform(), &wanted.command).await?,
        };
        let mut order = Order::new(wanted.command);
        order.is_checked = wanted.check;
        let output = session.give(&order, limit(wanted.timeout_millis)).await;
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
        let mut session = self.session(guest, &wanted.session).await?;
        let output = session.config(&wanted.lines, limit(wanted.timeout_millis)).await;
        Ok(json!({ "output": output.map_err(|error| problem(&error))? }))
    }

    pub(super) async fn session_level(
        &self,
        guest: &Guest,
        wanted: p::SessionLevel,
    ) -> Result<Value, Failure> {
        let mut session = self.session(guest, &wanted.session).await?;
        let moved = session.level(&wanted.level, limit(wanted.timeout_millis)).await;
        Ok(moved.map(|()| Value::Null).map_err(|error| problem(&error))?)
    }

    pub(super) async fn session_reboot(
        &self,
        guest: &Guest,
        wanted: p::SessionReboot,
    ) -> Result<Value, Failure> {
        let mut session = self.session(guest, &wanted.session).await?;
        let back = session.reboot(wanted.timeout_millis.map(Duration::from_millis)).await;
        Ok(back.map(|()| Value::Null).map_err(|error| problem(&error))?)
    }
}

impl Desk {
    /// A table of any text.
    pub(super) async fn textfsm(&self, guest: &Guest, wanted: p::TextFsm) -> Result<Value, Failure> {
        let template = match (&wanted.template, &wanted.platform, &wanted.command) {
            (Some(template), _, _) => self.template(guest, template).await?,
            (None, Some(platform), Some(command)) => self.template_for(guest, platform, command).await?,
            (None, _, _) => {
                let title = "say by which template: template, or platform and command";
                return Err(Failure::Params(Problem::new(ErrorCode::BadRequest, title)));
            }
        };
        let table = template.run(&wanted.text).map_err(|error| refused(&error))?;
        Ok(shown(&table))
    }

    /// A template by its text, which has more than one line, or by its name in the lab.
    async fn template(&self, guest: &Guest, template: &str) -> Result<Arc<Template>, Failure> {
        if template.contains('\n') {
            return Ok(Arc::new(Template::parse(template).map_err(|error| wrong(&error))?));
        }
        let templates = self.station.templates.of_run(guest.order.attempt.run).await?;
        Ok(templates.named(template).map_err(|error| wrong(&error))?)
    }

    async fn template_for(
        &self,
        guest: &Guest,
        platform: &str,
        command: &str,
    ) -> Result<Arc<Template>, Failure> {
        let templates = self.station.templates.of_run(guest.order.attempt.run).await?;
        Ok(templates.for_command(platform, command).map_err(|error| wrong(&error))?)
    }
}
