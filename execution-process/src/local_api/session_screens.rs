//! Full-screen programs in a session: what stands on the screen, waiting for it, and keys.

use std::time::Duration;

use jackfield_config::profile::ScreenSize;
use jackfield_device::{
    channel::Window,
    limits::COMMAND_TIMEOUT,
    screen::view::{Sought, View},
    session::{Session, SessionError},
};
use jackfield_protocol::error::{ErrorCode, Problem};
use serde_json::{Value, json};

use super::{Desk, params as p, rpc::Failure};
use crate::{event::Guest, sessions::problem};

impl Desk {
    pub(super) async fn session_screen(
        &self,
        guest: &Guest,
        wanted: p::SessionScreen,
    ) -> Result<Value, Failure> {
        let mut session = self.session(guest, &wanted.session).await?;
        if let Some(window) = size(&session, wanted.rows, wanted.columns)? {
            session.set_screen(window).await.map_err(|error| problem(&error))?;
        }
        let view = session.screen(wanted.quiet_millis.map(Duration::from_millis)).await;
        Ok(shown(&view.map_err(|error| problem(&error))?))
    }

    pub(super) async fn session_screen_wait(
        &self,
        guest: &Guest,
        wanted: p::SessionScreenWait,
    ) -> Result<Value, Failure> {
        let sought = Sought::new(&p::awaited(wanted.patterns)).map_err(|error| {
            Failure::Params(Problem::new(ErrorCode::BadRequest, error.to_string()).field("patterns"))
        })?;
        let timeout = wanted.timeout_millis.map_or(COMMAND_TIMEOUT, Duration::from_millis);
        let mut session = self.session(guest, &wanted.session).await?;
        let failed = |error: SessionError| Failure::from(problem(&error));
        if wanted.gone {
            let view = session.wait_screen_without(&sought, timeout).await.map_err(failed)?;
            return Ok(json!({ "index": null, "match": null, "groups": [], "screen": shown(&view) }));
        }
        let sight = session.wait_screen(&sought, timeout).await.map_err(failed)?;
        Ok(json!({
            "index": sight.index,
            "match": sight.text,
            "groups": sight.groups,
            "screen": shown(&sight.view),
        }))
    }

    pub(super) async fn session_press(
        &self,
        guest: &Guest,
        wanted: p::SessionPress,
    ) -> Result<Value, Failure> {
        let mut session = self.session(guest, &wanted.session).await?;
        let pressed = session.press(&wanted.keys).await;
        Ok(pressed.map(|()| Value::Null).map_err(|error| problem(&error))?)
    }
}

/// The size that the screen must be given: one that was asked for, or the usual one where it is off.
fn size(session: &Session, rows: Option<u16>, columns: Option<u16>) -> Result<Option<Window>, Failure> {
    let now = session.screen_window();
    if now.is_some() && rows.is_none() && columns.is_none() {
        return Ok(None);
    }
    let usual = ScreenSize::default();
    let (usual_rows, usual_columns) =
        now.map_or((usual.rows, usual.columns), |window| (window.rows, window.columns));
    let size = ScreenSize::new(columns.unwrap_or(usual_columns), rows.unwrap_or(usual_rows));
    let size = size.map_err(|error| {
        Failure::Params(Problem::new(ErrorCode::BadRequest, error.to_string()).field("rows"))
    })?;
    Ok(Some(Window { rows: size.rows, columns: size.columns }))
}

fn shown(view: &View) -> Value {
    let mut shown = json!(view);
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("text".to_owned(), view.text().into());
    }
    shown
}
