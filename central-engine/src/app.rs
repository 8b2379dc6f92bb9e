//! Everything of a running engine that its doors may use: HTTP, links, consoles and jobs share one of these.
//!
//! Whatever it holds stands below it and does not know of it.

pub(crate) mod live_pages;

use std::sync::{Arc, Mutex, PoisonError};

use jackfield_config::{Lab, engine::ServerKind};
use jackfield_protocol::{secret::Secret, time::Time};
use jackfield_reporting::results::EngineFacts;
use jackfield_tls::Credential;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::live_pages::LivePages;
use crate::{
    auth::{Caller, Rights, Throttle},
    blobs::Blobs,
    clock,
    data_folder::StoreFile,
    engine::{EngineHandle, Terms},
    feed::Feed,
    http::health::Health,
    jobs::retention::Retention,
    lab::{consoles::Consoles, eps::Eps, globals::Globals, resources::Resources},
    lab_db::turns::Turns,
    live::Live,
    logs::Logs,
    run::check::Checks,
    settings::{JobSettings, Served},
    store::{self, Conn, Store, StoreError, job::JobCounts},
    tls::Tls,
};

/// What every handler may use.
pub struct App {
    /// The engine's own state.
    pub store: Store,
    /// The file of that, where it is one of the data folder.
    pub(crate) store_file: Option<StoreFile>,
    /// The loop.
    pub engine: EngineHandle,
    /// What tests wrote.
    pub logs: Logs,
    /// Files by content.
    pub blobs: Blobs,
    /// What happens in runs.
    pub live: Live,
    /// What changes in the lab as a whole.
    pub feed: Feed,
    /// The resource tree and the SUTs.
    pub resources: Resources,
    /// Global parameters.
    pub globals: Globals,
    /// The EPs, and their connections.
    pub eps: Eps,
    /// Who sits at consoles.
    pub consoles: Consoles,
    /// What kind of server it is, for the accounts of a Twister lab.
    pub(crate) kind: ServerKind,
    /// The lab's files.
    pub lab: Arc<Lab>,
    /// What every EP is told of its connection.
    pub(crate) terms: Terms,
    /// Cancelled when the engine goes down; live pages and links end with it.
    pub stop: CancellationToken,
    /// Tasks that the engine waits for when it goes down.
    pub tasks: TaskTracker,
    /// What changes in who may do what.
    pub(crate) rights: Rights,
    /// Failed log-ins.
    pub throttle: Mutex<Throttle>,
    /// Live pages that are open, by whose they are.
    pub(crate) live_pages: LivePages,
    /// When the engine started.
    pub started: Time,
    /// What it shows of itself on its links.
    pub(crate) tls: Tls,
    /// What reports say of this engine.
    pub facts: EngineFacts,
    /// What is too much, as the lab has set it.
    pub(crate) limits: Served,
    /// How the parts of the engine were, as of the last look.
    pub(crate) health: Mutex<Health>,
    /// How much work is left, as of the last look of whoever does it.
    pub(crate) job_counts: JobsLeft,
    /// What is done after runs, and around them.
    pub(crate) jobs: JobSettings,
    /// Places for reports of the lab's database.
    pub(crate) reports_at_once: Arc<Semaphore>,
    /// The same for those who come by a link.
    pub(crate) shared_at_once: Arc<Semaphore>,
    /// Whose turn it is at each of the lab's databases.
    pub(crate) lab_db_turns: Turns,
    /// Which old runs go by themselves.
    pub(crate) retention: Retention,
    /// What keeps health checks from beginning.
    pub(crate) checks: Checks,
}

impl App {
    /// A token as it is given away: with the authority that the engine is known by, where whoever uses it meets that, and no proxy before it.
    pub(crate) fn with_pin(&self, secret: &Secret) -> Secret {
        let pin = self.tls.authority().map(|(_, pin)| pin).filter(|_| self.limits.is_met_directly);
        Credential::join(secret, pin)
    }
}

/// How much work is left, for whoever asks often: nobody's question costs a look at rows.
#[derive(Debug, Default)]
pub(crate) struct JobsLeft(Mutex<JobCounts>);

impl JobsLeft {
    pub(crate) fn store(&self, counts: JobCounts) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }

    pub(crate) fn load(&self) -> JobCounts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
