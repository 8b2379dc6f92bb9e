//! The power of devices, switched for a test or for a person.

use std::time::Duration;

use jackfield_device::{
    local::LocalPrograms,
    power::{Answer, Outlet, PowerError},
};
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    link::EpToEngine,
    power::{PowerAction, PowerOrder, PowerResult},
};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::event::Event;

/// Does something to the outlet of a resource, which its property `power` describes.
pub(crate) async fn switch(
    resource: &str,
    property: &Value,
    action: PowerAction,
    limit: Duration,
    programs: &LocalPrograms,
) -> Result<Answer, Problem> {
    let failed = |error: PowerError| {
        let code = match &error {
            PowerError::Property(_) | PowerError::Missing(_) => ErrorCode::BadRequest,
            PowerError::Failed(_) => ErrorCode::Unavailable,
        };
        Problem::new(code, format!("power of `{resource}`: {error}"))
    };
    let outlet = Outlet::from_property(property).map_err(failed)?;
    outlet.act_and_tell(action, limit, programs).await.map_err(failed)
}

/// Does what a person ordered, to its end, and has the engine told.
pub(crate) async fn carry_out(
    order: PowerOrder,
    programs: LocalPrograms,
    events: mpsc::UnboundedSender<Event>,
) {
    let PowerOrder { id, path, action, outlet, limit_millis } = order;
    let limit = Duration::from_millis(limit_millis);
    let result = match switch(&path, &outlet, action, limit, &programs).await {
        Ok(answer) => PowerResult::Done(answer),
        Err(problem) => PowerResult::Failed(problem),
    };
    tracing::info!("power of {path}, {}: {result:?}", action.as_str());
    // The daemon outlives what it has begun.
    let _ = events.send(Event::Say(EpToEngine::PowerDone { id, result }));
}
