//! A person switches the power of a device: refused while somebody else uses it, done by an EP that reaches it.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    error::ErrorCode,
    event::Fact,
    id::EpName,
    link::EngineToEp,
    power::{
        POWER_CAPABILITY, POWER_PROPERTY, PowerAction, PowerDone, PowerOrder, PowerRequest, PowerResult,
    },
};
use jackfield_scheduler::Event;
use serde::Deserialize;

use super::Answer;
use crate::{
    app::{App, audit_alone},
    auth::{Caller, Guard, MayUseDevices},
    console::{policy, uses},
    failure::Failure,
    lab::eps::Said,
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/resources/power", web::get().to(status)).route("/resources/power", web::post().to(switch));
}

/// Whose outlet, and how to get there.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StatusQuery {
    /// Id or path of the resource.
    resource: String,
    /// Only through this EP.
    ep: Option<EpName>,
    /// How long it may take; 30 s where it is not given.
    limit_millis: Option<u64>,
}

/// How the power of a device is, as far as its outlet tells. An EP asks it, which may run a program of the lab: so it takes who may use devices.
#[utoipa::path(get, path = "/api/v1/resources/power", tag = "resources", params(StatusQuery),
    responses((status = 200, body = PowerDone), (status = 403), (status = 404), (status = 503)))]
pub(super) async fn status(
    app: web::Data<App>,
    guard: Guard<MayUseDevices>,
    query: web::Query<StatusQuery>,
) -> Answer {
    let StatusQuery { resource, ep, limit_millis } = query.into_inner();
    let wish = PowerRequest { resource, action: PowerAction::Status, ep, force: false, limit_millis };
    act(app, guard.caller, wish).await
}

/// Switches the power of a device, as its property `power` says. An EP does it, within its limit. Refused with `held` while somebody else
/// uses the device, unless `force` is set, which takes the role `CHANGE_TESTBED`.
#[utoipa::path(post, path = "/api/v1/resources/power", tag = "resources", request_body = PowerRequest,
    responses((status = 200, body = PowerDone), (status = 403), (status = 404), (status = 409), (status = 503)))]
pub(super) async fn switch(
    app: web::Data<App>,
    guard: Guard<MayUseDevices>,
    body: web::Json<PowerRequest>,
) -> Answer {
    act(app, guard.caller, body.into_inner()).await
}

async fn act(app: web::Data<App>, caller: Caller, wish: PowerRequest) -> Answer {
    let node = policy::node(&app, &wish.resource).await?;
    let step = step(&wish)?;
    let outlet = node.properties.get(POWER_PROPERTY).cloned().ok_or_else(|| {
        let title = format!("{} has no property `power`; docs/lab-files.md shows how to write it", node.path);
        Failure::new(ErrorCode::NotFound, title).field("resource")
    })?;
    let uses =
        if wish.action.is_look() { Vec::new() } else { uses::allowed(&app, &caller, &wish, &node).await? };
    let ep = policy::fit_ep(&app, &caller, wish.ep.as_ref(), POWER_CAPABILITY, &node.path).await?;
    let text = format!("{} switches the power of {}: {}", caller.user, node.path, wish.action.as_str());
    for run in uses.iter().filter_map(|used| used.run) {
        app.engine.event(Event::Noted { run, fact: Fact::Note { text: text.clone() } }).await?;
    }
    if !wish.action.is_look() {
        app.consoles.tell(|path| uses::hangs_together(&node.path, path), &caller.user, &text).await;
    }
    let order = PowerOrder {
        id: 0,
        path: node.path,
        action: wish.action,
        outlet,
        limit_millis: u64::try_from(step.as_millis()).unwrap_or(u64::MAX),
    };
    // Whoever asked may go away: it is done to its end, and written down, all the same.
    let doing = app.tasks.track_future(carry_out(app.clone(), caller, order, ep, step));
    let done = actix_web::rt::spawn(doing).await;
    let done = done.map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))??;
    Ok(HttpResponse::Ok().json(done))
}

fn step(wish: &PowerRequest) -> Result<Duration, Failure> {
    let step = wish.limit_millis.map_or(limits::POWER_STEP_DEFAULT, Duration::from_millis);
    if step.is_zero() || step > limits::POWER_STEP_MAX {
        let title = format!("the limit must be above 0 and at most {} s", limits::POWER_STEP_MAX.as_secs());
        return Err(Failure::new(ErrorCode::BadRequest, title).field("limit_millis"));
    }
    Ok(step)
}

/// Has the EP do it, and writes down what came of it.
async fn carry_out(
    app: web::Data<App>,
    caller: Caller,
    order: PowerOrder,
    ep: EpName,
    step: Duration,
) -> Result<PowerDone, Failure> {
    let (resource, action) = (order.path.clone(), order.action);
    // Before the deed, which no transaction can hold: what cannot be written down is not done.
    if !action.is_look() {
        let told = format!("{} through {ep}: ordered", action.as_str());
        audit_alone(&app, &caller, "resource.power", &resource, &told).await?;
    }
    let wait = step.saturating_mul(2).saturating_add(limits::POWER_PAUSE);
    let asked = app.eps.ask(&ep, wait, |id| EngineToEp::Power(Box::new(PowerOrder { id, ..order }))).await;
    let done = match asked {
        Ok(Said::Power(PowerResult::Done(answer))) => Ok(answer),
        Ok(Said::Power(PowerResult::Failed(problem))) => Err(Failure::from(problem)),
        Ok(Said::Sessions(_) | Said::Modules(_)) => {
            Err(Failure::new(ErrorCode::Internal, format!("EP {ep} answered something else")))
        }
        Err(mut problem) => {
            problem.title =
                format!("{}; nobody knows how the power of {resource} is now: ask its status", problem.title);
            Err(Failure::from(problem))
        }
    };
    let came = match &done {
        Ok(answer) => answer.state.to_string(),
        Err(failure) => format!("failed: {failure}"),
    };
    if !action.is_look() {
        let told = format!("{} through {ep}: {came}", action.as_str());
        // It is done, whatever becomes of this line.
        if let Err(error) = audit_alone(&app, &caller, "resource.power", &resource, &told).await {
            tracing::error!("what came of switching {resource} cannot be written down: {}", error.chain());
        }
    }
    done.map(|answer| PowerDone { resource, action, state: answer.state, said: answer.said, ep })
}
