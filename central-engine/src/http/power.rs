//! A person switches the mains of a device: refused while somebody else uses it, done by an EP that reaches it.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    error::ErrorCode,
    event::Fact,
    id::{EpName, RunId, UserName},
    link::EngineToEp,
    power::{
        POWER_CAPABILITY, POWER_PROPERTY, PowerAction, PowerDone, PowerOrder, PowerRequest, PowerResult,
    },
    resource::Resource,
};
use jackfield_resource_allocator::ResourceId;
use jackfield_scheduler::{
    Event,
    effect::{LeaseRow, Leased},
};
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, App, Failure, audit_alone, console};
use crate::{
    auth::{Caller, Guard, MayRead, MayUseDevices, Role},
    limits, store,
    ways::Said,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/resources/power", web::get().to(status)).route("/resources/power", web::post().to(switch));
}

/// Somebody who uses a device.
struct Use {
    user: UserName,
    /// The run that does it for them.
    run: Option<RunId>,
    /// How: a sentence.
    told: String,
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

/// How the mains of a device are, as far as its outlet tells. An EP asks it.
#[utoipa::path(get, path = "/api/v1/resources/power", tag = "resources", params(StatusQuery),
    responses((status = 200, body = PowerDone), (status = 404), (status = 503)))]
pub(super) async fn status(
    app: web::Data<App>,
    guard: Guard<MayRead>,
    query: web::Query<StatusQuery>,
) -> Answer {
    let StatusQuery { resource, ep, limit_millis } = query.into_inner();
    let wish = PowerRequest { resource, action: PowerAction::Status, ep, force: false, limit_millis };
    act(app, guard.caller, wish).await
}

/// Switches the mains of a device, as its property `power` says. An EP does it, within its limit. Refused with `held` while somebody else
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
    let node = console::node(&app, &wish.resource).await?;
    let step = step(&wish)?;
    let outlet = node.properties.get(POWER_PROPERTY).cloned().ok_or_else(|| {
        let title = format!("{} has no property `power`; docs/lab-files.md shows how to write it", node.path);
        Failure::new(ErrorCode::NotFound, title).field("resource")
    })?;
    let uses = if wish.action.is_look() { Vec::new() } else { allowed(&app, &caller, &wish, &node).await? };
    let ep = console::fit_ep(&app, &caller, wish.ep.as_ref(), POWER_CAPABILITY, &node.path).await?;
    for run in uses.iter().filter_map(|used| used.run) {
        let text = format!("{} switches the power of {}: {}", caller.user, node.path, wish.action.as_str());
        app.engine.event(Event::Noted { run, fact: Fact::Note { text } }).await?;
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
    let wait = step.saturating_mul(2).saturating_add(limits::POWER_PAUSE);
    let asked = app.ways.ask(&ep, wait, |id| EngineToEp::Power(Box::new(PowerOrder { id, ..order }))).await;
    let done = match asked {
        Ok(Said::Power(PowerResult::Done(answer))) => Ok(answer),
        Ok(Said::Power(PowerResult::Failed(problem))) => Err(Failure::from(problem)),
        Ok(Said::Sessions(_)) => {
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
        audit_alone(&app, &caller, "resource.power", &resource, &told).await?;
    }
    done.map(|answer| PowerDone { resource, action, state: answer.state, said: answer.said, ep })
}

/// Whether the caller may switch the device now; those who use it.
async fn allowed(
    app: &App,
    caller: &Caller,
    wish: &PowerRequest,
    node: &Resource,
) -> Result<Vec<Use>, Failure> {
    let may_force = caller.may(Role::ChangeTestbed);
    if wish.force && !may_force {
        let title = format!(
            "{} may not switch {} over the heads of others: that needs the role CHANGE_TESTBED",
            caller.user, node.path
        );
        return Err(Failure::new(ErrorCode::Forbidden, title));
    }
    let uses = uses(app, node).await?;
    let others: Vec<&str> =
        uses.iter().filter(|used| used.user != caller.user).map(|used| used.told.as_str()).collect();
    if others.is_empty() || wish.force {
        return Ok(uses);
    }
    let how = if may_force { "you" } else { "who has the role CHANGE_TESTBED" };
    let title = format!("{}; {how} can switch it all the same with --force", others.join("; "));
    Err(Failure::new(ErrorCode::Held, title))
}

/// Everybody who uses a device, or something that hangs on it or that it hangs on.
async fn uses(app: &App, node: &Resource) -> Result<Vec<Use>, Failure> {
    let mut all = Vec::new();
    for (resource, holder) in app.consoles.holders() {
        if let Some(path) = touched(app, node, resource).await? {
            all.push(Use { user: holder.user.clone(), run: None, told: holder.told(&path) });
        }
    }
    for (ep, session) in console::open_sessions(app, None).await? {
        let Some(resource) = session.resource else { continue };
        if let Some(path) = touched(app, node, resource).await? {
            let told = |owner: &UserName| {
                format!(
                    "{owner}'s run {} has session `{}` open with {path} on {ep}",
                    session.run, session.name
                )
            };
            all.extend(used_by(app, session.run, told).await?);
        }
    }
    for (run, told) in leased(app, node).await? {
        all.extend(used_by(app, run, |owner| format!("{owner}'s run {run} {told}")).await?);
    }
    Ok(all)
}

async fn used_by(
    app: &App,
    run: RunId,
    told: impl FnOnce(&UserName) -> String,
) -> Result<Option<Use>, Failure> {
    let view = app.engine.ask(move |scheduler| scheduler.run_view(run)).await?;
    Ok(view.map(|view| Use { told: told(&view.user), user: view.user, run: Some(run) }))
}

/// The path of a resource, where switching the node touches it.
async fn touched(app: &App, node: &Resource, id: String) -> Result<Option<String>, Failure> {
    let of = node.path.clone();
    let look = move |bench: &crate::resources::Bench| {
        let path = bench.tree.path(&ResourceId::parse(&id)?);
        hangs_together(&of, &path).then_some(path)
    };
    Ok(app.resources.look(look).await?)
}

/// One is the other, or above or below it.
fn hangs_together(one: &str, other: &str) -> bool {
    let above = |top: &str, below: &str| {
        below.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    above(one, other) || above(other, one)
}

/// Runs that have leased a SUT with the device in it.
async fn leased(app: &App, node: &Resource) -> Result<Vec<(RunId, String)>, Failure> {
    let leases = store::lease::list(&mut app.store.read().await?).await?;
    let of = node.path.clone();
    let look = move |bench: &crate::resources::Bench| {
        let holds = |lease: LeaseRow| {
            let Leased::Sut(sut) = lease.what else { return None };
            let linked = bench.suts.sut(&sut)?.rows().find_map(|row| {
                let id = ResourceId::parse(row.properties.get("_id").and_then(Value::as_str)?)?;
                let path = bench.tree.row(&id).map(|row| bench.tree.path(&row.id))?;
                hangs_together(&of, &path).then_some(path)
            })?;
            Some((
                lease.run,
                format!("has leased SUT {sut}, which has {linked} in it, since {}", lease.since),
            ))
        };
        leases.into_iter().filter_map(holds).collect()
    };
    Ok(app.resources.look(look).await?)
}

#[cfg(test)]
mod tests {
    use super::hangs_together;

    #[test]
    fn what_hangs_on_a_device_goes_with_it() {
        for (one, other, expect) in [
            ("/lab/r1", "/lab/r1", true),
            ("/lab/r1", "/lab/r1/card", true),
            ("/lab/r1/card", "/lab/r1", true),
            ("/lab/r1", "/lab/r10", false),
            ("/lab/r1", "/lab/r2", false),
        ] {
            assert_eq!(hangs_together(one, other), expect, "{one} {other}");
        }
    }
}
