//! The test-bed tree.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use jackfield_protocol::{
    api::{DeviceUse, Page},
    error::ErrorCode,
    resource::Resource,
};
use jackfield_resource_allocator::{
    Answer as Found,
    book::{Set, Spot},
    selector::{Selector, Sight},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, body};
use crate::{
    app::App,
    auth::{Guard, MayEditBench, MayReadBench},
    failure::Failure,
    lab::{
        held,
        resources::{Change, Done},
        veil,
    },
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/resources", web::get().to(get))
        .route("/resources", web::put().to(set))
        .route("/resources", web::delete().to(delete))
        .route("/resources/find", web::get().to(find))
        .route("/resources/rename", web::post().to(rename))
        .route("/resources/tree", web::get().to(tree))
        .route("/resources/uses", web::get().to(uses));
}

/// Which node.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ResourceQuery {
    /// Id or path, with `:key` for one property; `/` where it is not given.
    #[serde(default = "root")]
    query: String,
}

fn root() -> String {
    "/".to_owned()
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
    /// What the page before gave as `next`.
    after: Option<String>,
    /// How many; at most 1,000.
    limit: Option<u32>,
}

/// A node to create, or to merge properties into.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct SetResource {
    /// Id or path of the node above it.
    #[serde(default = "root")]
    parent: String,
    /// Its name in that node.
    name: String,
    /// Its properties; null removes one.
    #[serde(default)]
    properties: BTreeMap<String, Value>,
}

/// A new name.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct RenameResource {
    /// Id or path, with `:key` for a property.
    query: String,
    /// The name alone, not a path.
    name: String,
}

/// What an edit led to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Edited {
    /// The node, or the SUT, it was about.
    id: String,
    /// Whether that is new.
    created: bool,
    /// The version after it, for the next `If-Match`.
    version: u64,
}

/// A node with everything below it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TreeNode {
    /// Its id.
    id: String,
    /// Its name in its parent.
    name: String,
    /// Its path.
    path: String,
    /// Its properties.
    meta: BTreeMap<String, Value>,
    /// The nodes right below, by name.
    #[schema(no_recursion)]
    children: Vec<TreeNode>,
}

impl TreeNode {
    /// Makes the secrets of all nodes stars. The tree's depth is limited, so this may recurse.
    fn cover(&mut self) {
        veil::properties(&mut self.meta);
        self.children.iter_mut().for_each(Self::cover);
    }
}

pub(super) fn edited(done: Done) -> HttpResponse {
    let Done { id, created, version } = done;
    let mut response = if created { HttpResponse::Created() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, format!("\"{version}\""))).json(Edited { id, created, version })
}

/// A node, or one property of it.
#[utoipa::path(get, path = "/api/v1/resources", tag = "resources", params(ResourceQuery),
    responses((status = 200, body = Resource), (status = 404)))]
pub(super) async fn get(
    app: web::Data<App>,
    guard: Guard<MayReadBench>,
    query: web::Query<ResourceQuery>,
) -> Answer {
    let query = query.into_inner().query;
    let asked = query.clone();
    let look = app.resources.look(move |bench| (bench.tree.version(), bench.tree.get(&asked)));
    let (version, found) = look.await?;
    let mut found = found.map_err(|error| Failure::new(error.code(), error.to_string()))?;
    if !veil::may_see(&guard.caller) {
        match &mut found {
            Found::Node(node) => veil::properties(&mut node.properties),
            Found::Property(value) => veil::property(query.rsplit(':').next().unwrap_or_default(), value),
        }
    }
    let value = found.into_value();
    Ok(HttpResponse::Ok().insert_header((header::ETAG, format!("\"{version}\""))).json(value))
}

/// The nodes that a selector means, in the order of their paths.
#[utoipa::path(get, path = "/api/v1/resources/find", tag = "resources", params(FindQuery),
    responses((status = 200, body = Page<FoundResource>), (status = 400), (status = 404)))]
pub(super) async fn find(
    app: web::Data<App>,
    guard: Guard<MayReadBench>,
    query: web::Query<FindQuery>,
) -> Answer {
    let FindQuery { selector, below, after, limit } = query.into_inner();
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
    let look = app.resources.look(move |bench| {
        let tree = &bench.tree;
        let within = tree
            .spot(&below)
            .map_err(|error| Failure::new(error.code(), error.to_string()).field("below"))?;
        let found = tree.select(&selector, sight, &within.node, after.as_deref(), limit);
        let found = found.map_err(|error| Failure::new(error.code(), error.to_string()).field("selector"))?;
        let spots: Vec<_> = found.nodes.iter().filter_map(|id| tree.spot_at(id)).collect();
        let items: Vec<Resource> = found.nodes.iter().filter_map(|id| tree.resource_at(id)).collect();
        Ok::<_, Failure>((tree.version(), found.more, items, spots))
    });
    let (version, more, mut items, spots) = look.await??;
    if !sees {
        items.iter_mut().for_each(|node| veil::properties(&mut node.properties));
    }
    let next = items.last().filter(|_| more).map(|node| node.path.clone());
    let items = with_health(&app, items, spots).await?;
    let mut response = HttpResponse::Ok();
    Ok(response.insert_header((header::ETAG, format!("\"{version}\""))).json(Page { items, next }))
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

async fn with_health(
    app: &App,
    items: Vec<Resource>,
    spots: Vec<Spot>,
) -> Result<Vec<FoundResource>, Failure> {
    let told = app.engine.ask(move |scheduler| {
        let unfit = |spot: &Spot| Some(scheduler.book().unfit(&Set::of(spot), None)?.to_string());
        spots.iter().map(unfit).collect::<Vec<_>>()
    });
    let told = told.await?;
    Ok(items.into_iter().zip(told).map(|(node, health)| FoundResource { node, health }).collect())
}

/// Creates a node, or merges properties into one. `If-Match` takes the version of the tree that was read.
#[utoipa::path(put, path = "/api/v1/resources", tag = "resources", request_body = SetResource,
    responses((status = 200, body = Edited), (status = 201, body = Edited), (status = 404), (status = 412)))]
pub(super) async fn set(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditBench>,
    body: web::Json<SetResource>,
) -> Answer {
    let SetResource { parent, name, properties } = body.into_inner();
    let change = Change::Set { parent, name, properties };
    Ok(edited(app.resources.edit(&guard.caller.user, body::if_match(&request)?, change).await?))
}

/// Renames a node, or a property of it.
#[utoipa::path(post, path = "/api/v1/resources/rename", tag = "resources", request_body = RenameResource,
    responses((status = 200, body = Edited), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn rename(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditBench>,
    body: web::Json<RenameResource>,
) -> Answer {
    let RenameResource { query, name } = body.into_inner();
    let change = Change::Rename { query, name };
    Ok(edited(app.resources.edit(&guard.caller.user, body::if_match(&request)?, change).await?))
}

/// Deletes a node with everything below it, or one property. Refused where somebody else has leased some of it.
#[utoipa::path(delete, path = "/api/v1/resources", tag = "resources", params(ResourceQuery),
    responses((status = 200, body = Edited), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn delete(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditBench>,
    query: web::Query<ResourceQuery>,
) -> Answer {
    let query = query.into_inner().query;
    held::refuse(&app, &guard.caller.user, &query).await?;
    Ok(edited(
        app.resources.edit(&guard.caller.user, body::if_match(&request)?, Change::Delete { query }).await?,
    ))
}

/// A node with everything below it.
#[utoipa::path(get, path = "/api/v1/resources/tree", tag = "resources", params(ResourceQuery),
    responses((status = 200, body = TreeNode), (status = 404)))]
pub(super) async fn tree(
    app: web::Data<App>,
    guard: Guard<MayReadBench>,
    query: web::Query<ResourceQuery>,
) -> Answer {
    let query = query.into_inner().query;
    let look = app.resources.look(move |bench| (bench.tree.version(), below(&bench.tree, &query)));
    let (version, found) = look.await?;
    let mut found = found?;
    if !veil::may_see(&guard.caller) {
        found.cover();
    }
    Ok(HttpResponse::Ok().insert_header((header::ETAG, format!("\"{version}\""))).json(found))
}

/// Who uses which device now: sessions of tests, leased SUTs, persons at consoles. EPs are asked for the sessions.
#[utoipa::path(get, path = "/api/v1/resources/uses", tag = "resources",
    responses((status = 200, body = Page<DeviceUse>)))]
pub(super) async fn uses(app: web::Data<App>, _: Guard<MayReadBench>) -> Answer {
    let items = crate::console::uses::all(&app).await?;
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// The tree's depth is limited, so this may recurse.
fn below(tree: &jackfield_resource_allocator::Tree, query: &str) -> Result<TreeNode, Failure> {
    match tree.get(query).map_err(|error| Failure::new(error.code(), error.to_string()))? {
        Found::Node(Resource { id, path, properties, children, .. }) => {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            let mut children =
                children.iter().map(|child| below(tree, child)).collect::<Result<Vec<_>, _>>()?;
            children.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(TreeNode { id, name, path, meta: properties, children })
        }
        Found::Property(_) => {
            let title = format!("`{query}` is a property; a tree begins at a node");
            Err(Failure::new(ErrorCode::BadRequest, title).field("query"))
        }
    }
}
