//! Which resources are not fit to be given, since when and why; and what persons say of them.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::Page,
    error::ErrorCode,
    health::{HealthState, JudgeResource, ResourceHealth},
};
use jackfield_resource_allocator::{
    ResourceId,
    book::{Fitness, Health, Judgement, Set, Unfit, Upkeep},
};
use jackfield_scheduler::Event;

use super::{Answer, lease::check_text};
use crate::{
    app::App,
    auth::{Guard, MayEditBench, MayReadBench},
    failure::Failure,
    lab::resources::Bench,
    store::audit::Deed,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/resources/health", web::get().to(list)).route("/resources/health", web::put().to(judge));
}

/// Every resource that is not fit, or that the lab spoiled a use of, by path: since when and why, and what checks it.
#[utoipa::path(get, path = "/api/v1/resources/health", tag = "resources",
    responses((status = 200, body = Page<ResourceHealth>)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayReadBench>) -> Answer {
    Ok(HttpResponse::Ok().json(Page { items: all(&app).await?, next: None }))
}

/// Says how fit a resource is. What is dirty is checked, where a project of the lab does that; `fit` ends that, and an outage.
#[utoipa::path(put, path = "/api/v1/resources/health", tag = "resources", request_body = JudgeResource,
    responses((status = 200, body = ResourceHealth), (status = 400), (status = 404)))]
pub(super) async fn judge(
    app: web::Data<App>,
    guard: Guard<MayEditBench>,
    body: web::Json<JudgeResource>,
) -> Answer {
    let JudgeResource { resource, health, reason } = body.into_inner();
    check_text("reason", &reason)?;
    let asked = resource.clone();
    let spot = app.resources.look(move |bench: &Bench| bench.tree.spot(&asked)).await?;
    let spot = spot.map_err(|error| Failure::new(error.code(), error.to_string()).field("resource"))?;
    let judgement = judgement(health, &reason)?;
    let by = guard.caller.user.clone();
    let deed = Deed::new(&by, "resource.health", &spot.path, format!("{health}: {reason}"));
    let (node, path) = (spot.node.clone(), spot.path.clone());
    app.engine.deed(vec![Event::Judged { spot: spot.clone(), judgement, by }], deed).await?;
    let known = app.engine.ask(move |scheduler| {
        let book = scheduler.book();
        let outage = match book.unfit(&Set::of(&spot), None) {
            Some(Unfit::Outage(outage)) => Some(outage.clone()),
            Some(Unfit::Health(_)) | None => None,
        };
        let health = book.health().find(|health| health.spot.node == spot.node);
        (outage, health.map(|health| of_book(health, book.upkeep())))
    });
    let (outage, known) = known.await?;
    if let Some(outage) = outage.filter(|_| health == HealthState::Fit) {
        let title = format!(
            "{path} is out of service all the same: the property `out_of_service` of {} says `{}`; remove that too",
            outage.path, outage.why
        );
        return Err(Failure::new(ErrorCode::WrongState, title).field("resource"));
    }
    Ok(HttpResponse::Ok().json(known.unwrap_or_else(|| fit(&node, path))))
}

fn judgement(health: HealthState, reason: &str) -> Result<Judgement, Failure> {
    let needs_reason = |judgement: fn(String) -> Judgement| {
        if reason.trim().is_empty() {
            let title = "say why in `reason`; others read it who wait for the resource";
            return Err(Failure::new(ErrorCode::BadRequest, title).field("reason"));
        }
        Ok(judgement(reason.trim().to_owned()))
    };
    match health {
        HealthState::Fit => Ok(Judgement::Fit),
        HealthState::Dirty => needs_reason(Judgement::Dirty),
        HealthState::OutOfService => needs_reason(Judgement::Out),
        HealthState::UnderCheck => {
            let title = "what is `dirty` is checked by itself; write fit, dirty or out_of_service";
            Err(Failure::new(ErrorCode::BadRequest, title).field("health"))
        }
    }
}

/// All that is known of the health of resources, by path.
pub(crate) async fn all(app: &App) -> Result<Vec<ResourceHealth>, Failure> {
    let known = app.engine.ask(|scheduler| {
        let book = scheduler.book();
        let upkeep = book.upkeep();
        let outages = upkeep.out.iter().filter_map(|(id, outage)| Some((id, outage.as_ref()?)));
        let outages = outages.map(|(id, outage)| ResourceHealth {
            health: HealthState::OutOfService,
            reason: outage.why.clone(),
            ..fit(id, outage.path.clone())
        });
        outages.chain(book.health().map(|health| of_book(health, upkeep))).collect::<Vec<_>>()
    });
    let mut known = known.await?;
    for health in &mut known {
        health.trouble = ResourceId::parse(&health.id).and_then(|id| app.checks.trouble(&id));
    }
    // A resource that was renamed is told by the name that it has now.
    let look = move |bench: &Bench| {
        for health in &mut known {
            if let Some(id) = ResourceId::parse(&health.id).filter(|id| bench.tree.row(id).is_some()) {
                health.resource = bench.tree.path(&id);
            }
        }
        known.sort_by(|one, other| (&one.resource, &one.id).cmp(&(&other.resource, &other.id)));
        known
    };
    Ok(app.resources.look(look).await?)
}

fn fit(id: &ResourceId, resource: String) -> ResourceHealth {
    ResourceHealth {
        id: id.to_string(),
        resource,
        health: HealthState::Fit,
        since: None,
        reason: String::new(),
        by: None,
        run: None,
        check: None,
        trouble: None,
        spoiled: 0,
    }
}

fn of_book(known: &Health, upkeep: &Upkeep) -> ResourceHealth {
    let Health { spot, fitness, since, spoiled } = known;
    let (health, reason, by, run) = match fitness {
        Fitness::Fit => (HealthState::Fit, "", None, None),
        Fitness::Dirty { why, .. } => (HealthState::Dirty, why.as_str(), None, None),
        Fitness::UnderCheck { why, run, .. } => (HealthState::UnderCheck, why.as_str(), None, Some(*run)),
        Fitness::Out { why, by } => (HealthState::OutOfService, why.as_str(), by.clone(), None),
    };
    ResourceHealth {
        health,
        since: Some(*since),
        reason: reason.to_owned(),
        by,
        run,
        check: upkeep.check_of(spot).map(ToString::to_string),
        spoiled: *spoiled,
        ..fit(&spot.node, spot.path.clone())
    }
}
