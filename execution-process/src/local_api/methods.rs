//! Every method but those of sessions, one arm each.

use std::{path::Path, sync::Arc, time::Duration};

use jackfield_device::power;
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    link::{Ask, Call, Interact, Part},
    log::Stream,
    power::{NoPowerAction, PowerAction},
    verdict::{Cause, DecidedBy, Verdict},
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    Desk, checks, configs, params as p,
    rpc::{Failure, params},
};
use crate::limits::{
    CLEANUP_COMMAND_BYTES_MAX, CLEANUP_MILLIS_MAX, ENDING_BYTES_MAX, FILE_NAME_BYTES_MAX, INTERACT_MILLIS,
    NAME_BYTES_MAX, POWER_LIMIT, REASON_BYTES_MAX, VARIABLE_BYTES_MAX,
};
use crate::{
    attempt::Said,
    cleanup::Cleanup,
    event::{Event, Guest, Question},
    packet_capture, power as outlet,
    report_size::shorten,
};

/// Where a component is looked up when no test configuration is named.
const DEFAULT_BINDING: &str = "default_binding";

impl Desk {
    pub(super) async fn serve(&self, guest: &Guest, method: &str, value: Value) -> Result<Value, Failure> {
        // A process that left its test behind may still hold a connection.
        if guest.said.is_closed() {
            return Err(Problem::new(ErrorCode::WrongState, "the test has ended").into());
        }
        let answer = self.do_as_asked(guest, method, value).await;
        if let Err(Failure::Failed(problem)) = &answer
            && let Some(cause) = blame(method, problem.code)
        {
            let refused = Said::Refused { title: problem.title.clone(), cause };
            // A test that has ended needs no blame any more.
            let _ = guest.said.send(refused).await;
        }
        answer
    }

    async fn do_as_asked(&self, guest: &Guest, method: &str, value: Value) -> Result<Value, Failure> {
        if let Some(name) = method.strip_prefix("session_") {
            return self.serve_session(guest, name, value).await;
        }
        match method {
            "log" => said(guest, log(params(value)?)).await,
            "result" => said(guest, result(params(value)?)?).await,
            "part" => said(guest, part(params(value)?)?).await,
            "mark" => {
                let p::Mark { label } = params(value)?;
                self.station.sessions.mark(guest.order.attempt, &label);
                Ok(Value::Null)
            }
            "check" => checks::check(guest, params(value)?).await,
            "variable" => said(guest, variable(params(value)?)?).await,
            "artifact" => said(guest, artifact(params(value)?)?).await,
            "cleanup" => keep(guest, cleanup(params(value)?)?).await,
            "capture_start" => self.capture_start(guest, params(value)?).await,
            "capture_stop" => self.capture_stop(guest, params(value)?).await,
            "power" => self.power(guest, params(value)?).await,
            "textfsm" => self.textfsm(guest, params(value)?).await,
            "get_config" => configs::get(self, guest, params(value)?).await,
            "get_bind_id" => self.binding(guest, params(value)?, "id").await,
            "get_bind_name" => self.binding(guest, params(value)?, "path").await,
            _ => match question(method, value)? {
                Some(question) => self.ask(guest, question).await,
                None => {
                    let title = format!("there is no method `{method}`; docs/local-api.md lists them");
                    Err(Failure::NoMethod(Problem::new(ErrorCode::NotFound, title)))
                }
            },
        }
    }

    /// Asks the engine, and waits for its answer.
    pub(super) async fn ask(&self, guest: &Guest, question: impl Into<Question>) -> Result<Value, Failure> {
        let (answer, answered) = oneshot::channel();
        let attempt = guest.order.attempt;
        let question = question.into();
        let _ = self.events.send(Event::Question { attempt, question, answer });
        match answered.await {
            Ok(result) => result.map_err(Failure::from),
            Err(_) => Err(Problem::new(ErrorCode::WrongState, "the test has ended").into()),
        }
    }

    async fn capture_start(&self, guest: &Guest, wanted: p::CaptureStart) -> Result<Value, Failure> {
        let p::CaptureStart { interface, filter, name } = wanted;
        let wanted = packet_capture::Wanted { interface, filter, name };
        let name = self.station.captures.start(guest.order.attempt, wanted).await?;
        Ok(json!({ "capture": name }))
    }

    async fn capture_stop(&self, guest: &Guest, wanted: p::CaptureStop) -> Result<Value, Failure> {
        Ok(json!(self.station.captures.stop(guest.order.attempt, &wanted.capture).await?))
    }

    async fn power(&self, guest: &Guest, wanted: p::Power) -> Result<Value, Failure> {
        let action: PowerAction = wanted.action.parse().map_err(|error: NoPowerAction| {
            Failure::Params(Problem::new(ErrorCode::BadRequest, error.to_string()).field("action"))
        })?;
        let properties = self.properties(guest, &wanted.resource).await?;
        let property = properties.get(power::PROPERTY).ok_or_else(|| {
            let title = format!(
                "`{}` has no property `power`; docs/lab-files.md shows how to write it",
                wanted.resource
            );
            Problem::new(ErrorCode::NotFound, title).field("resource")
        })?;
        let limit = wanted.timeout_millis.map_or(POWER_LIMIT, Duration::from_millis);
        let programs = self.station.programs();
        let done = outlet::switch(&wanted.resource, property, action, limit, &programs).await?;
        Ok(json!({ "state": done.state.to_string() }))
    }

    async fn binding(&self, guest: &Guest, wanted: p::GetBind, field: &str) -> Result<Value, Failure> {
        let config = wanted.config.unwrap_or_else(|| DEFAULT_BINDING.to_owned());
        let found = self.ask(guest, Call::GetBinding { config, component: wanted.component }).await?;
        Ok(found.get(field).cloned().unwrap_or(Value::Null))
    }
}

/// Methods that are the engine's to answer, or a person's.
fn question(method: &str, value: Value) -> Result<Option<Question>, Failure> {
    let call = match method {
        "get_global" => {
            let p::GetGlobal { path } = params(value)?;
            Call::GetGlobal { path }
        }
        "set_global" => {
            let p::SetGlobal { path, value } = params(value)?;
            Call::SetGlobal { path, value }
        }
        "get_resource" => {
            let p::Query { query } = params(value)?;
            Call::GetResource { query, open: false }
        }
        "set_resource" => {
            let p::SetResource { name, parent, properties } = params(value)?;
            Call::SetResource { name, parent, properties }
        }
        "rename_resource" => {
            let p::Rename { query, name } = params(value)?;
            Call::RenameResource { query, name }
        }
        "delete_resource" => {
            let p::Query { query } = params(value)?;
            Call::DeleteResource { query }
        }
        "get_sut" => {
            let p::GetSut { query, follow_links } = params(value)?;
            Call::GetSut { query, follow_links }
        }
        "interact" => {
            let p::Interact { kind, message, options, default, timeout_millis } = params(value)?;
            let timeout_millis = timeout_millis.unwrap_or(INTERACT_MILLIS);
            let interact = Interact { kind, message, options, default, timeout_millis };
            return Ok(Some(Ask::Interact(interact).into()));
        }
        "breakpoint" => {
            let p::Breakpoint { locals } = params(value)?;
            return Ok(Some(Ask::Breakpoint { locals }.into()));
        }
        _ => return Ok(None),
    };
    Ok(Some(call.into()))
}

/// Whose fault it is when a test dies of this refusal; none: its own.
fn blame(method: &str, code: ErrorCode) -> Option<Cause> {
    // The device was there, and did something else.
    let did_otherwise =
        code == ErrorCode::WrongState && (method.starts_with("session_") || method == "power");
    let was_away = (code == ErrorCode::Unavailable).then_some(Cause::Lab);
    was_away.or(did_otherwise.then_some(Cause::Product))
}

/// Hands something a test said to its attempt; waits while that has its hands full.
pub(super) async fn said(guest: &Guest, said: Said) -> Result<Value, Failure> {
    match guest.said.send(said).await {
        Ok(()) => Ok(Value::Null),
        Err(_) => Err(Problem::new(ErrorCode::WrongState, "the test has ended").into()),
    }
}

/// Registers a clean-up: the test goes on when it is on disk, so that it is done also where the EP dies in the next moment.
async fn keep(guest: &Guest, cleanup: Cleanup) -> Result<Value, Failure> {
    let (kept, told) = oneshot::channel();
    let answer = said(guest, Said::Cleanup { cleanup, kept }).await?;
    // One too many is not kept, which its log says.
    let _ = told.await;
    Ok(answer)
}

fn log(log: p::Log) -> Said {
    let line = |text: String| if text.ends_with('\n') { text } else { text + "\n" };
    let stream = match log.log.to_ascii_lowercase().as_str() {
        "logrunning" => Stream::Running,
        "logdebug" => Stream::Debug,
        "logtest" => Stream::Test,
        "logcli" => Stream::Cli,
        _ => {
            let text = line(format!("{}: {}", log.log, log.text));
            return Said::Log { stream: Stream::Custom, text };
        }
    };
    Said::Log { stream, text: line(log.text) }
}

fn verdict(word: &str) -> Result<Verdict, Failure> {
    word.parse().map_err(|error: jackfield_protocol::verdict::VerdictError| {
        Failure::Params(Problem::new(ErrorCode::BadRequest, error.to_string()).field("verdict"))
    })
}

fn result(result: p::Result) -> Result<Said, Failure> {
    let verdict = verdict(&result.verdict)?;
    let by = match (result.because, result.crashed) {
        (p::Because::File, _) => DecidedBy::File,
        (p::Because::Said, true) => DecidedBy::Crash,
        (p::Because::Said, false) => DecidedBy::Declared,
    };
    Ok(Said::Result { verdict, reason: reason(result.reason), by })
}

fn part(part: p::Part) -> Result<Said, Failure> {
    let verdict = verdict(&part.verdict)?;
    let reason = reason(part.reason);
    Ok(Said::Part(Part {
        name: name(part.name)?,
        verdict,
        reason,
        elapsed_millis: part.elapsed_millis,
        checks: Vec::new(),
    }))
}

/// A reason as it is kept: a longer one is the end of a long story, and the log has all of it.
fn reason(reason: Option<String>) -> String {
    let mut reason = reason.unwrap_or_default();
    shorten(&mut reason, REASON_BYTES_MAX);
    reason
}

/// A name that tables, reports and file systems can have.
pub(super) fn name(name: String) -> Result<String, Failure> {
    if name.len() > NAME_BYTES_MAX {
        let title = format!("this name has {} bytes, and {NAME_BYTES_MAX} are the most", name.len());
        return Err(Failure::Params(Problem::new(ErrorCode::TooLarge, title).field("name")));
    }
    Ok(name)
}

fn variable(variable: p::Variable) -> Result<Said, Failure> {
    let value: Arc<str> =
        variable.value.as_str().map_or_else(|| variable.value.to_string().into(), Arc::from);
    if value.len() > VARIABLE_BYTES_MAX {
        let (bytes, most) = (value.len(), VARIABLE_BYTES_MAX >> 20);
        let title =
            format!("this value has {bytes} bytes, and a variable holds {most} MB; keep it as an artifact");
        return Err(Failure::Params(Problem::new(ErrorCode::TooLarge, title).field("value")));
    }
    Ok(Said::Variable { name: name(variable.name.to_string())?.into(), value })
}

/// Its name becomes a file's where somebody fetches it, so it is one, without signs that no file or terminal should meet.
fn artifact(artifact: p::Artifact) -> Result<Said, Failure> {
    let own = Path::new(artifact.name.as_ref()).file_name().map(|name| name.to_string_lossy().into_owned());
    let own = name(own.unwrap_or_else(|| "artifact".to_owned()))?;
    let own: String = own.chars().map(|letter| if letter.is_control() { '_' } else { letter }).collect();
    Ok(Said::Artifact { name: fit_for_a_file(own).into(), path: artifact.path })
}

/// A name that a file can have, with its ending, where it is longer.
fn fit_for_a_file(name: String) -> String {
    if name.len() <= FILE_NAME_BYTES_MAX {
        return name;
    }
    let (mut stem, ending) =
        match name.rsplit_once('.').filter(|(_, ending)| ending.len() <= ENDING_BYTES_MAX) {
            Some((stem, ending)) => (stem.to_owned(), format!(".{ending}")),
            None => (name, String::new()),
        };
    shorten(&mut stem, FILE_NAME_BYTES_MAX.saturating_sub(ending.len()));
    format!("{stem}{ending}")
}

fn cleanup(cleanup: p::Cleanup) -> Result<Cleanup, Failure> {
    if cleanup.command.is_empty() {
        let problem =
            Problem::new(ErrorCode::BadRequest, "a clean-up needs a command: program and arguments");
        return Err(Failure::Params(problem.field("command")));
    }
    let bytes: usize = cleanup.command.iter().map(String::len).sum();
    if bytes > CLEANUP_COMMAND_BYTES_MAX {
        let title = format!(
            "this command has {bytes} bytes, and {CLEANUP_COMMAND_BYTES_MAX} are the most; write a script"
        );
        return Err(Failure::Params(Problem::new(ErrorCode::TooLarge, title).field("command")));
    }
    if let Some(asked) = cleanup.timeout_millis.filter(|asked| *asked > CLEANUP_MILLIS_MAX) {
        let title = format!(
            "a clean-up may take {CLEANUP_MILLIS_MAX} ms at most, not {asked}: its lane waits for it"
        );
        return Err(Failure::Params(Problem::new(ErrorCode::TooLarge, title).field("timeout_millis")));
    }
    let p::Cleanup { name: own, command, timeout_millis } = cleanup;
    Ok(Cleanup { name: name(own)?, command, timeout_millis })
}
