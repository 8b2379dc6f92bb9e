//! The resources that a selector means, and of them those that are as fit as is asked.

use actix_web::{HttpResponse, http::header, web};
use jackfield_protocol::{api::Page, error::ErrorCode, resource::Resource};
use jackfield_resource_allocator::{
    book::{Fitness, Set, Spot, Unfit},
    selector::{Selector, Sight},
};
use serde::{Deserialize, Serialize};

use super::{Answer, resource::root};
use crate::{
    app::App,
    auth::{Guard, MayReadBench},
    failure::Failure,
    lab::veil,
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/resources/find", web::get().to(find));
}

/// Which nodes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FindQuery {
    /// What they are: `kind=router, ports>=4, !broken`.
    selector: String,
    /// Only this node and what is below it: id or path.
    #[serde(default = "root")]
    below: String,
    /// Only those that are so: `fit`, `unfit` (one of the others), `dirty`, `under_check`, `out_of_service`.
    #[param(value_type = Option<String>)]
    health: Option<Wanted>,
    /// What the page before gave as `next`.
    after: Option<String>,
    /// How many; at most 1,000.
    limit: Option<u32>,
}

/// How fit they are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wanted {
    /// Given to whoever asks.
    Fit,
    /// Not given now, for whatever reason.
    Unfit,
    /// To be checked.
    Dirty,
    /// Being checked.
    UnderCheck,
    /// To be repaired.
    OutOfService,
}

impl Wanted {
    fn is_so(self, unfit: Option<&Unfit<'_>>) -> bool {
        let fitness = match unfit {
            None => return self == Self::Fit,
            Some(Unfit::Outage(_)) => return matches!(self, Self::Unfit | Self::OutOfService),
            Some(Unfit::Health(health)) => &health.fitness,
        };
        let is = match fitness {
            Fitness::Fit => Self::Fit,
            Fitness::Dirty { .. } => Self::Dirty,
            Fitness::UnderCheck { .. } => Self::UnderCheck,
            Fitness::Out { .. } => Self::OutOfService,
        };
        self == is || (self == Self::Unfit && is != Self::Fit)
    }
}

/// A node that was found, with what keeps it from being given.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct FoundResource {
    #[serde(flatten)]
    node: Resource,
    /// That it is dirty, under a check or out of service, since when and why; none where it is fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<String>,
}

/// A part of those that a selector means.
struct Part {
    version: u64,
    more: bool,
    items: Vec<Resource>,
    spots: Vec<Spot>,
}

/// The nodes that a selector means, in the order of their paths; with `health` only those that are so, themselves or by what they are in.
#[utoipa::path(get, path = "/api/v1/resources/find", tag = "resources", params(FindQuery),
    responses((status = 200, body = Page<FoundResource>), (status = 400), (status = 404)))]
pub(super) async fn find(
    app: web::Data<App>,
    guard: Guard<MayReadBench>,
    query: web::Query<FindQuery>,
) -> Answer {
    let FindQuery { selector, below, health, mut after, limit } = query.into_inner();
    let selector = Selector::parse(&selector);
    let selector =
        selector.map_err(|error| Failure::new(error.code(), error.to_string()).field("selector"))?;
    let sees = veil::may_see(&guard.caller);
    if selector.looks_at_secrets() && !sees {
        let title =
            format!("{} may not see the secrets of resources, and so not select by them", guard.caller.user);
        return Err(Failure::new(ErrorCode::Forbidden, title).field("selector"));
    }
    let limit = limit.unwrap_or(limits::PAGE_DEFAULT).clamp(1, limits::PAGE_MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let sight = if sees { Sight::All } else { Sight::Open };
    // Of those that are looked at, most may be as fit as is not wanted.
    let look = if health.is_some() { limits::RESOURCES_LOOKED_AT } else { limit };
    let mut found = Vec::new();
    let (version, more) = loop {
        let part = part(&app, (selector.clone(), sight), &below, after.take(), look).await?;
        let (version, more) = (part.version, part.more);
        after = part.items.last().map(|node| node.path.clone());
        found.extend(with_health(&app, part, health).await?);
        if found.len() > limit || !more {
            break (version, more || found.len() > limit);
        }
        if health.is_none() {
            break (version, more);
        }
    };
    found.truncate(limit);
    if !sees {
        found.iter_mut().for_each(|found| veil::properties(&mut found.node.properties));
    }
    let next = found.last().filter(|_| more).map(|found| found.node.path.clone());
    let mut response = HttpResponse::Ok();
    Ok(response.insert_header((header::ETAG, format!("\"{version}\""))).json(Page { items: found, next }))
}

async fn part(
    app: &App,
    (selector, sight): (Selector, Sight),
    below: &str,
    after: Option<String>,
    limit: usize,
) -> Result<Part, Failure> {
    let below = below.to_owned();
    let look = app.resources.look(move |bench| {
        let tree = &bench.tree;
        let within = tree
            .spot(&below)
            .map_err(|error| Failure::new(error.code(), error.to_string()).field("below"))?;
        let found = tree.select(&selector, sight, &within.node, after.as_deref(), limit);
        let found = found.map_err(|error| Failure::new(error.code(), error.to_string()).field("selector"))?;
        let spots: Vec<_> = found.nodes.iter().filter_map(|id| tree.spot_at(id)).collect();
        let items: Vec<Resource> = found.nodes.iter().filter_map(|id| tree.resource_at(id)).collect();
        Ok::<_, Failure>(Part { version: tree.version(), more: found.more, items, spots })
    });
    look.await?
}

/// Those of a part that are as fit as is wanted, with what is the matter with them.
async fn with_health(app: &App, part: Part, wanted: Option<Wanted>) -> Result<Vec<FoundResource>, Failure> {
    let Part { items, spots, .. } = part;
    let told = app.engine.ask(move |scheduler| {
        let look = |spot: &Spot| {
            let unfit = scheduler.book().unfit(&Set::of(spot), None);
            let is_meant = wanted.is_none_or(|wanted| wanted.is_so(unfit.as_ref()));
            (is_meant, unfit.map(|unfit| unfit.to_string()))
        };
        spots.iter().map(look).collect::<Vec<_>>()
    });
    let told = told.await?;
    let found = items.into_iter().zip(told).filter(|(_, (is_meant, _))| *is_meant);
    Ok(found.map(|(node, (_, health))| FoundResource { node, health }).collect())
}
