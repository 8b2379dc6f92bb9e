//! `session_…`: dialogues with devices.

use std::{collections::BTreeMap, time::Duration};

use jackfield_device::{
    expect::Patterns,
    limits::{COMMAND_TIMEOUT, OPEN_TIMEOUT},
    session::Session,
    target::{SessionTarget, foreign_file, jump_resources, put_jump_resources, says_where},
};
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    link::Call,
};
use serde_json::{Value, json};
use tokio::sync::{OwnedMappedMutexGuard, OwnedMutexGuard};

use super::{
    Desk, params as p,
    rpc::{Failure, params},
};
use crate::{
    event::Guest,
    sessions::{free, problem},
};

impl Desk {
    /// Serves the method of this name, without `session_`.
    pub(super) async fn serve_session(
        &self,
        guest: &Guest,
        name: &str,
        value: Value,
    ) -> Result<Value, Failure> {
        match name {
            "open" => self.session_open(guest, params(value)?).await,
            "send" => self.session_send(guest, params(value)?).await,
            "expect" => self.session_expect(guest, params(value)?).await,
            "command" => self.session_command(guest, params(value)?).await,
            "command_to_file" => self.session_command_to_file(guest, params(value)?).await,
            "unasked" => self.session_unasked(guest, params(value)?).await,
            "rows" => self.session_rows(guest, params(value)?).await,
            "config" => self.session_config(guest, params(value)?).await,
            "screen" => self.session_screen(guest, params(value)?).await,
            "screen_wait" => self.session_screen_wait(guest, params(value)?).await,
            "press" => self.session_press(guest, params(value)?).await,
            "level" => self.session_level(guest, params(value)?).await,
            "reboot" => self.session_reboot(guest, params(value)?).await,
            "execute" => self.session_execute(guest, params(value)?).await,
            "put" => self.session_put(guest, params(value)?).await,
            "get" => self.session_get(guest, params(value)?).await,
            "modem" => self.session_modem(guest, params(value)?).await,
            "line" => self.session_line(guest, params(value)?).await,
            "break" => self.session_break(guest, params(value)?).await,
            "wait_break" => self.session_wait_break(guest, params(value)?).await,
            "close" => {
                let p::SessionName { session } = params(value)?;
                self.station.sessions.close(guest.order.attempt.run, &session).await?;
                Ok(Value::Null)
            }
            "list" => Ok(json!(self.station.sessions.names(guest.order.attempt.run))),
            _ => {
                let title = format!("there is no method `session_{name}`; docs/local-api.md lists them");
                Err(Failure::NoMethod(Problem::new(ErrorCode::NotFound, title)))
            }
        }
    }

    async fn session_open(&self, guest: &Guest, wanted: p::SessionOpen) -> Result<Value, Failure> {
        let timeout = wanted.timeout_millis.map_or(OPEN_TIMEOUT, Duration::from_millis);
        let account = self.station.account(guest.order.lane).map(AsRef::as_ref);
        let foreign = wanted.connect.as_ref().filter(|_| account.is_some()).and_then(foreign_file);
        if let Some(title) = foreign {
            return Err(Problem::new(ErrorCode::Forbidden, title).field("connect").into());
        }
        let is_elsewhere = account.is_some() && wanted.connect.as_ref().is_some_and(says_where);
        let mut id = None;
        let (mut properties, origin) = match wanted.resource {
            Some(resource) => {
                let attempt = guest.order.attempt;
                let node = free::device(&self.events, attempt, &resource, timeout).await?;
                id = Some(node.id);
                (node.properties, Some(resource))
            }
            None if wanted.connect.is_none() => {
                let title = "say which device: resource, or connect";
                return Err(Failure::Params(Problem::new(ErrorCode::BadRequest, title)));
            }
            None => (BTreeMap::new(), None),
        };
        // What the test says itself goes before what the resource says: the same console with another profile.
        let screen = wanted.screen.map(|screen| ("screen".to_owned(), Value::String(screen)));
        for (key, value) in wanted.connect.unwrap_or_default().into_iter().chain(screen) {
            properties.retain(|known, _| !known.eq_ignore_ascii_case(&key));
            properties.insert(key, value);
        }
        let name = wanted.name.or(origin).unwrap_or_else(|| unnamed(&properties));
        self.fill_in_jumps(guest, &mut properties).await?;
        // What a resource says wrong is not the fault of the test that names it.
        let wrong = if id.is_some() { ErrorCode::Unavailable } else { ErrorCode::BadRequest };
        let target = SessionTarget::from_properties(&properties)
            .map_err(|error| Problem::new(wrong, format!("device `{name}`: {error}")))?;
        let target = if is_elsewhere { target.without_agents() } else { target };
        let attempt = guest.order.attempt;
        let opened = self.station.sessions.open(attempt, &name, (target, id), account, timeout).await;
        opened.map_err(|problem| {
            let of_properties = problem.code == ErrorCode::BadRequest;
            let told = || Problem::new(wrong, format!("device `{name}`: {}", problem.title));
            if of_properties { told() } else { problem }
        })?;
        Ok(json!({ "session": name }))
    }

    /// Jump hosts that are named by their resources.
    async fn fill_in_jumps(
        &self,
        guest: &Guest,
        properties: &mut BTreeMap<String, Value>,
    ) -> Result<(), Failure> {
        let mut found = BTreeMap::new();
        for path in jump_resources(properties) {
            let of_path = self.properties(guest, &path).await?;
            found.insert(path, of_path);
        }
        put_jump_resources(properties, &found);
        Ok(())
    }

    /// What the tree of resources says about a device.
    pub(super) async fn properties(
        &self,
        guest: &Guest,
        resource: &str,
    ) -> Result<BTreeMap<String, Value>, Failure> {
        let call = Call::GetResource { query: resource.to_owned(), open: false };
        Ok(free::node(resource, self.ask(guest, call).await?)?.properties)
    }

    /// A session of the test's run, when no one else talks to its device.
    pub(super) async fn session(
        &self,
        guest: &Guest,
        name: &str,
    ) -> Result<OwnedMappedMutexGuard<Option<Session>, Session>, Failure> {
        let slot = self.station.sessions.get(guest.order.attempt, name)?;
        let turn = OwnedMutexGuard::try_map(slot.lock_owned().await, Option::as_mut);
        turn.ok().ok_or_else(|| closed(name).into())
    }

    async fn session_send(&self, guest: &Guest, wanted: p::SessionSend) -> Result<Value, Failure> {
        let mut session = self.session(guest, &wanted.session).await?;
        let (text, enter) = (&wanted.text, wanted.enter);
        // Recordings see it for themselves; an error must not tell it either.
        let live = self.station.sessions.live(guest.order.attempt.run, &wanted.session);
        let is_asked = live.is_some_and(|live| live.fan.is_asked_for_secret());
        let sent = match wanted.secret || is_asked {
            true => session.send_secret(text, enter, COMMAND_TIMEOUT).await,
            false => session.send(text, enter, COMMAND_TIMEOUT).await,
        };
        sent.map(|()| Value::Null).map_err(|error| problem(&error).into())
    }

    async fn session_expect(&self, guest: &Guest, wanted: p::SessionExpect) -> Result<Value, Failure> {
        let awaited = p::awaited(wanted.patterns);
        let patterns = Patterns::new(&awaited).map_err(|error| {
            Failure::Params(Problem::new(ErrorCode::BadRequest, error.to_string()).field("patterns"))
        })?;
        let timeout = wanted.timeout_millis.map_or(COMMAND_TIMEOUT, Duration::from_millis);
        let mut session = self.session(guest, &wanted.session).await?;
        let seen = session.expect(&patterns, timeout).await.map_err(|error| problem(&error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let groups: Vec<Option<String>> =
            seen.groups.iter().map(|group| group.as_deref().map(text)).collect();
        Ok(json!({
            "index": seen.index,
            "before": text(&seen.before),
            "match": text(&seen.text),
            "groups": groups,
            "cut": seen.cut,
        }))
    }
}

fn closed(name: &str) -> Problem {
    Problem::new(ErrorCode::NotFound, format!("session `{name}` is closed; open it again"))
}

/// A name for a session that was given none: where it leads.
fn unnamed(properties: &BTreeMap<String, Value>) -> String {
    let text = |key: &str| match properties.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    format!("{}:{}:{}", text("protocol"), text("host"), text("port"))
}
