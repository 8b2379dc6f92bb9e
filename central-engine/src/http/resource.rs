//! The test-bed tree.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use jackfield_protocol::{
    api::{DeviceUse, Page},
    error::ErrorCode,
    resource::Resource,
};
use jackfield_resource_allocator::{Act, Answer as Found};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, body};
use crate::{
    app::App,
    auth::{Caller, Guard, MayEditBench, MayReadBench},
    failure::Failure,
    lab::{
        held,
        resources::{Change, Done},
        veil,
    },
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/resources", web::get().to(get))
        .route("/resources", web::put().to(set))
        .route("/resources", web::delete().to(delete))
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

/// Where nothing else is said.
pub(super) fn root() -> String {
    "/".to_owned()
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

/// Makes a change, if `If-Match` names the version that it is made to, and answers what it led to.
pub(super) async fn make(request: &HttpRequest, app: &App, caller: &Caller, change: Change) -> Answer {
    let done = app.resources.edit(&caller.user, body::if_match(request)?, change).await?;
    let Done { id, created, version } = done;
    let mut response = if created { HttpResponse::Created() } else { HttpResponse::Ok() };
    let etag = (header::ETAG, format!("\"{version}\""));
    Ok(response.insert_header(etag).json(Edited { id, created, version }))
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
    let change = Change::Act(Act::Set { parent, name, properties });
    make(&request, &app, &guard.caller, change).await
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
    let change = Change::Act(Act::Rename { query, name });
    make(&request, &app, &guard.caller, change).await
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
    let change = Change::Act(Act::Delete { query });
    make(&request, &app, &guard.caller, change).await
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
