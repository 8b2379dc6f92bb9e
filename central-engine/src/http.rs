//! The engine's face to people and programs: `/api/v1`, and the pages.
//!
//! One file per noun. Each handler says in its signature who may call it ([`crate::auth::Guard`]), and answers failures
//! as problem documents ([`Failure`]). The routes of a noun stand at the top of its file.

mod attempt;
mod blob;
mod body;
mod console;
mod ep;
mod event;
mod failure;
mod health;
mod live;
mod log;
mod login;
mod openapi;
mod page;
mod power;
mod project;
mod question;
mod report;
mod resource;
mod run;
mod run_control;
mod sut;
mod test;
mod token;
mod user;

use std::sync::{Arc, Mutex, atomic::AtomicUsize};

use actix_web::web;
use jackfield_config::{
    Lab,
    engine::{EngineLimits, ServerKind},
};
use jackfield_protocol::time::Time;
use jackfield_reporting::results::EngineFacts;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::failure::Failure;
use crate::{
    auth::{self, Caller, Throttle},
    blobs::Blobs,
    clock,
    consoles::Consoles,
    engine::{EngineHandle, Terms},
    eps::Eps,
    globals::Globals,
    limits,
    live::Live,
    logs::Logs,
    resources::Resources,
    store::{self, Conn, Store, StoreError},
    ways::Ways,
};

/// What every handler may use.
pub struct App {
    /// The engine's own state.
    pub store: Store,
    /// The loop.
    pub engine: EngineHandle,
    /// What tests wrote.
    pub logs: Logs,
    /// Files by content.
    pub blobs: Blobs,
    /// What happens in runs.
    pub live: Live,
    /// The resource tree and the SUTs.
    pub resources: Resources,
    /// Global parameters.
    pub globals: Globals,
    /// What EPs said of themselves.
    pub eps: Eps,
    /// Who sits at consoles.
    pub consoles: Consoles,
    /// The EPs, for what a person wants of one.
    pub ways: Ways,
    /// What kind of server it is, for the accounts of a Twister lab.
    pub kind: ServerKind,
    /// The lab's files.
    pub lab: Arc<Lab>,
    /// What every EP is told of its connection.
    pub(crate) terms: Terms,
    /// Cancelled when the engine goes down; live pages and links end with it.
    pub stop: CancellationToken,
    /// Tasks that the engine waits for when it goes down.
    pub tasks: TaskTracker,
    /// Failed log-ins.
    pub throttle: Mutex<Throttle>,
    /// Live pages that are open.
    pub live_pages: Arc<AtomicUsize>,
    /// When the engine started.
    pub started: Time,
    /// What reports say of this engine.
    pub facts: EngineFacts,
    /// What is too much, as the lab has set it.
    pub limits: EngineLimits,
}

/// A handler's answer.
pub(crate) type Answer = Result<actix_web::HttpResponse, Failure>;

/// All routes but the EPs' link.
pub fn configure(config: &mut web::ServiceConfig) {
    let json = body::json(limits::JSON_BYTES_MAX);
    let query = web::QueryConfig::default().error_handler(|error, _| Failure::from_query(&error).into());
    let path = web::PathConfig::default().error_handler(|error, _| Failure::from_path(&error).into());
    config.app_data(json).app_data(query).app_data(path).service(
        web::scope("/api/v1")
            .wrap(actix_web::middleware::from_fn(auth::identify))
            .configure(login::routes)
            .configure(run::routes)
            .configure(run_control::routes)
            .configure(report::routes)
            .configure(test::routes)
            .configure(event::routes)
            .configure(live::routes)
            .configure(question::routes)
            .configure(log::routes)
            .configure(attempt::routes)
            .configure(blob::routes)
            .configure(ep::routes)
            .configure(console::routes)
            .configure(resource::routes)
            .configure(power::routes)
            .configure(sut::routes)
            .configure(project::routes)
            .configure(user::routes)
            .configure(token::routes)
            .default_service(web::to(failure::no_such_address)),
    );
    config.configure(openapi::routes).configure(health::routes).configure(page::routes);
}

/// Writes a line of the audit log for what a caller did.
pub(crate) async fn audit(
    conn: &mut Conn,
    caller: &Caller,
    action: &str,
    target: impl ToString,
    detail: &str,
) -> Result<(), StoreError> {
    let (who, target) = (caller.user.as_str(), target.to_string());
    store::audit::add(conn, clock::now(), who, (action, &target), detail).await
}

/// The same, where nothing else is written.
pub(crate) async fn audit_alone(
    app: &App,
    caller: &Caller,
    action: &str,
    target: impl ToString,
    detail: &str,
) -> Result<(), StoreError> {
    let mut conn = app.store.write().await?;
    audit(&mut conn, caller, action, target, detail).await?;
    conn.commit().await
}

#[cfg(test)]
mod tests;
