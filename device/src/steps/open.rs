//! The sessions of a step test.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jackfield_config::steps::{Action, SessionSource, Step};
use jackfield_protocol::secret::Secret;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{Failure, OPEN_TIMEOUT, StepEnvironment, act::blame, asked::Asked, run::Runner};
use crate::{
    clock::Deadline,
    limits::WAIT_MAX,
    power::{Action as PowerAction, Outlet, PROPERTY},
    session::{Session, SharedSession},
    target::{SessionTarget, foreign_file, jump_resources, put_jump_resources, says_where},
};

impl<E: StepEnvironment> Runner<'_, E> {
    /// The session of a step, opened when it is first needed.
    pub(super) async fn session(&mut self, step: &Step) -> Result<&mut Session, Failure> {
        if self.turn.is_none() {
            let source = self.test.sessions.get(&step.session);
            let source =
                source.ok_or_else(|| Failure::test(format!("there is no session `{}`", step.session)))?;
            let session = Box::pin(self.open(&step.session, source)).await?;
            let shared = SharedSession::new(Mutex::new(Some(session)));
            self.environment.opened(&step.session, &shared);
            self.sessions.insert(step.session.clone(), Arc::clone(&shared));
            self.turn = Some(shared.lock_owned().await);
        }
        let session = self.turn.as_mut().and_then(|turn| turn.as_mut());
        let session = session.ok_or_else(|| Failure::test("the session is gone"))?;
        session.mark(&self.shown);
        Ok(session)
    }

    /// Whether the device waits for a secret now.
    pub(super) fn is_asked_for_secret(&self, step: &Step) -> bool {
        self.asked.get(&step.session).is_some_and(Asked::for_secret)
    }

    /// Waits for the session of a step that talks to one, where a person has it; how long that took.
    pub(super) async fn take_turn(&mut self, step: &Step) -> Duration {
        let waiting = Deadline::after(WAIT_MAX);
        let talks = match &step.action {
            Action::Send { .. }
            | Action::Expect { .. }
            | Action::Command(_)
            | Action::Unasked
            | Action::Press { .. }
            | Action::Screen { .. }
            | Action::Config { .. }
            | Action::Level { .. }
            | Action::Reboot
            | Action::Beside(_)
            | Action::WaitUntil { .. } => true,
            Action::Power { .. }
            | Action::Pause { .. }
            | Action::Set { .. }
            | Action::Look
            | Action::Repeat { .. } => false,
        };
        self.turn = None;
        let shared = self.sessions.get(&step.session).filter(|_| talks).cloned();
        self.turn = match shared {
            Some(shared) => Some(shared.lock_owned().await),
            None => None,
        };
        waiting.elapsed()
    }

    async fn open(&mut self, name: &str, source: &SessionSource) -> Result<Session, Failure> {
        let mut properties = BTreeMap::new();
        let mut title = name.to_owned();
        if let Some(resource) = &source.resource {
            title = self.fill(resource).await?;
            properties = self
                .environment
                .resource(&title)
                .await
                .map_err(|error| Failure::lab(format!("{title}: {error}")))?;
        }
        let mut said = BTreeMap::new();
        for (key, value) in &source.connect {
            let value = match value.as_str() {
                Some(text) => Value::String(self.fill(text).await?),
                None => value.clone(),
            };
            said.insert(key.clone(), value.clone());
            properties.retain(|known, _| !known.eq_ignore_ascii_case(key));
            properties.insert(key.clone(), value);
        }
        let foreign = foreign_file(&said);
        self.fill_in_jumps(&mut properties).await?;
        if let Some(why) = foreign.filter(|_| self.settings.is_confined) {
            return Err(Failure::test(format!("session `{name}` (line {}): {why}", source.line)));
        }
        let target = SessionTarget::from_properties(&properties);
        let target = target.map_err(|error| match &source.resource {
            Some(_) => Failure::lab(format!("{title}: {error}")),
            None => Failure::test(format!("session `{name}` (line {}): {error}", source.line)),
        })?;
        let is_elsewhere = self.settings.is_confined && says_where(&said);
        let mut target = if is_elsewhere { target.without_agents() } else { target };
        if source.level.is_some() {
            target.level.clone_from(&source.level);
        }
        let secrets = target.secrets();
        self.secrets.add(&secrets.iter().map(Secret::expose_for_striking_out).collect::<Vec<_>>());
        let mut taps = self.environment.taps(name, &title, &secrets);
        let asked = Asked::default();
        taps.push(Box::new(asked.clone()));
        self.asked.insert(name.to_owned(), asked);
        let timeout = source.timeout.unwrap_or(OPEN_TIMEOUT);
        self.log(&format!("# session {name}: {}", target.connect));
        let opened = Session::open(target, self.settings, timeout, taps).await;
        opened.map_err(|error| match &source.resource {
            // What a resource says wrong is not the fault of the test that names it.
            Some(_) if error.is_test() => Failure::lab(format!("{title}: {error}")),
            _ => blame(error),
        })
    }

    /// Switches the mains of a session's resource; the session is not needed for it.
    pub(super) async fn power(
        &mut self,
        step: &Step,
        action: PowerAction,
        clock: Deadline,
    ) -> Result<(), Failure> {
        let source = self.test.sessions.get(&step.session);
        let source =
            source.ok_or_else(|| Failure::test(format!("there is no session `{}`", step.session)))?;
        let mut properties = BTreeMap::new();
        let mut title = step.session.clone();
        if let Some(resource) = &source.resource {
            title = self.fill(resource).await?;
            let found = self.environment.properties(&title).await;
            properties = found.map_err(|error| Failure::lab(format!("{title}: {error}")))?;
        }
        let property = source.connect.get(PROPERTY).or_else(|| properties.get(PROPERTY));
        let property = property.ok_or_else(|| Failure::lab(format!("`{title}` has no property `power`")))?;
        let outlet =
            Outlet::from_property(property).map_err(|error| Failure::lab(format!("{title}: {error}")))?;
        let done = outlet.act_and_tell(action, clock.left(), &self.settings.switches).await;
        let done = done.map_err(|error| Failure::lab(format!("power of {title}: {error}")))?;
        self.output = done.state.to_string();
        let output = self.output.clone();
        self.log(&output);
        Ok(())
    }

    /// Jump hosts that are named by their resources.
    async fn fill_in_jumps(&mut self, properties: &mut BTreeMap<String, Value>) -> Result<(), Failure> {
        let mut found = BTreeMap::new();
        for path in jump_resources(properties) {
            let of_path = self.environment.properties(&path).await;
            let of_path = of_path.map_err(|error| Failure::lab(format!("jump host {path}: {error}")))?;
            found.insert(path, of_path);
        }
        put_jump_resources(properties, &found);
        Ok(())
    }
}
