//! Nodes of the tree that are moved, copied, or changed together.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use jackfield_protocol::error::ErrorCode;
use jackfield_resource_allocator::Act;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Answer,
    resource::{Edited, make},
};
use crate::{
    app::App,
    auth::{Guard, MayEditBench},
    failure::Failure,
    lab::resources::Change,
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/resources/edits", web::post().to(together))
        .route("/resources/move", web::post().to(carry))
        .route("/resources/copy", web::post().to(copy));
}

/// A node, and where it is to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CarryResource {
    /// Id or path.
    query: String,
    /// Id or path of the node above it from then on.
    parent: String,
    /// Its name there; the one it has, where it is not given.
    name: Option<String>,
}

/// Edits that are made together or not at all.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditResources {
    /// In this order; each finds the tree as those before it left it.
    edits: Vec<ResourceEdit>,
}

/// One of them.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ResourceEdit {
    /// Creates a node, or merges properties into the one that is there.
    Set {
        /// Id or path of the node above it.
        parent: String,
        /// Its name in that node.
        name: String,
        /// Its properties; null removes one.
        #[serde(default)]
        properties: BTreeMap<String, Value>,
    },
    /// Renames a node, or a property.
    Rename {
        /// Id or path, with `:key` for a property.
        query: String,
        /// The name alone, not a path.
        name: String,
    },
    /// Deletes a node with everything below it, or a property.
    Delete {
        /// Id or path, with `:key` for a property.
        query: String,
    },
    /// Puts a node into another.
    Move {
        /// Id or path.
        query: String,
        /// Id or path of the node above it from then on.
        parent: String,
        /// Its name there; the one it has, where it is not given.
        name: Option<String>,
    },
    /// The same nodes once more.
    Copy {
        /// Id or path.
        query: String,
        /// Id or path of the node above the copy.
        parent: String,
        /// The name of the copy; that of the one copied, where it is not given.
        name: Option<String>,
    },
}

impl From<ResourceEdit> for Act {
    fn from(edit: ResourceEdit) -> Self {
        match edit {
            ResourceEdit::Set { parent, name, properties } => Self::Set { parent, name, properties },
            ResourceEdit::Rename { query, name } => Self::Rename { query, name },
            ResourceEdit::Delete { query } => Self::Delete { query },
            ResourceEdit::Move { query, parent, name } => Self::Move { query, parent, name },
            ResourceEdit::Copy { query, parent, name } => Self::Copy { query, parent, name },
        }
    }
}

/// Makes edits together, or none of them: the first that cannot be made is named (`field`: `edits.3`). Refused where somebody has what would be
/// moved or deleted.
#[utoipa::path(post, path = "/api/v1/resources/edits", tag = "resources", request_body = EditResources,
    responses((status = 200, body = Edited), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn together(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditBench>,
    body: web::Json<EditResources>,
) -> Answer {
    let edits = body.into_inner().edits;
    if edits.len() > limits::EDITS_TOGETHER_MAX {
        let title = format!(
            "{} edits are too many for one request, which may have {}",
            edits.len(),
            limits::EDITS_TOGETHER_MAX
        );
        return Err(Failure::new(ErrorCode::TooLarge, title).field("edits"));
    }
    let change = Change::All(edits.into_iter().map(Act::from).collect());
    make(&request, &app, &guard.caller, change).await
}

/// Puts a node with everything below it into another. Refused where somebody has it, something in it or what it is in, waits for it or has booked
/// it. A SUT that links to it still does.
#[utoipa::path(post, path = "/api/v1/resources/move", tag = "resources", request_body = CarryResource,
    responses((status = 200, body = Edited), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn carry(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditBench>,
    body: web::Json<CarryResource>,
) -> Answer {
    let CarryResource { query, parent, name } = body.into_inner();
    let change = Change::Act(Act::Move { query, parent, name });
    make(&request, &app, &guard.caller, change).await
}

/// The same nodes once more, with ids of their own. Links within them are links within the copy; those to what is outside are not copied.
#[utoipa::path(post, path = "/api/v1/resources/copy", tag = "resources", request_body = CarryResource,
    responses((status = 201, body = Edited), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn copy(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<MayEditBench>,
    body: web::Json<CarryResource>,
) -> Answer {
    let CarryResource { query, parent, name } = body.into_inner();
    let change = Change::Act(Act::Copy { query, parent, name });
    make(&request, &app, &guard.caller, change).await
}
