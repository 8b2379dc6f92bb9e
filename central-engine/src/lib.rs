//! The Central Engine: one loop around the pure scheduler, and everything it needs to be of use.
//!
//! ```text
//! browser, CLI ─HTTP→ http ─┐                                        ┌→ store   commit, one transaction
//! EP ──────WebSocket→ link ─┼→ engine (the loop) → scheduler.handle ─┼→ link    tell the EP
//! clock ────────────────────┘                                        ├→ live    show people
//!                                                                    └→ jobs    files, mail, inserts: durable, later
//! log bytes ───────→ link → logs → live       (never through the loop)
//! ```
//!
//! [`start`] is the way in: it opens the store, restores the scheduler from its rows, and serves until it is stopped.

mod clock;
pub mod limits;

pub mod store;

pub mod auth;
pub mod blobs;
pub mod feed;
pub mod lab;
pub mod live;
pub mod logs;

pub mod engine;

pub mod app;
mod console;
mod failure;
pub mod http;
pub mod jobs;
mod link;
mod run;

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicUsize},
};

use actix_web::{App as ActixApp, HttpServer, dev::ServerHandle, web};
use anyhow::{Context, Result, bail};
use jackfield_config::{EngineSettings, Lab, problem};
use jackfield_protocol::{console::CONSOLE_PATH, link::LINK_PATH};
use jackfield_scheduler::Limits;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::App,
    engine::{Command, Engine, EngineHandle, LoopEnd, Terms},
    feed::Feed,
    live::Live,
    store::{Store, token::TokenRow},
};

/// What an engine is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The lab folder; made if it is not there.
    pub lab: PathBuf,
    /// Port instead of the one in `engine.toml`; 0 takes a free one.
    pub port: Option<u16>,
}

/// An engine that serves.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where to find it with a browser.
    pub url: String,
    /// The administrator's password, at the first start only.
    pub admin_password: Option<String>,
    /// What the person who started it should know of the lab's files.
    pub notices: Vec<String>,
    app: web::Data<App>,
    server: ServerHandle,
    failed: mpsc::Receiver<anyhow::Error>,
}

/// Starts an engine in a lab folder.
///
/// # Errors
/// The folder, its `engine.toml` or the store cannot be used, or the port is taken.
pub async fn start(options: Options) -> Result<Running> {
    let (lab, mut settings) = open_lab(&options.lab)?;
    settings.port = options.port.unwrap_or(settings.port);
    std::fs::create_dir_all(&settings.data_folder)
        .with_context(|| format!("making the data folder {}", settings.data_folder.display()))?;
    let listener = TcpListener::bind((settings.address.as_str(), settings.port)).with_context(|| {
        let EngineSettings { address, port, .. } = &settings;
        format!(
            "cannot listen on {address}:{port}; is another engine running? set another port in engine.toml"
        )
    })?;
    let address = listener.local_addr()?;
    let (app, commands) = assemble(lab, &settings, address).await?;
    let admin_password = auth::first_start(&app.store, clock::now()).await?;
    let notices = auth::take_users_file(&app.store, &app.lab, settings.kind, clock::now()).await?;
    let limits = Limits {
        silence_millis: settings.silence_millis,
        grace_millis: settings.grace_millis,
        test_timeout_millis: settings.test_timeout_millis,
        script_timeout_millis: settings.hook_timeout_millis,
        script_output_bytes: settings.limits.hook_output_bytes.min(limits::EP_SCRIPT_OUTPUT_BYTES_MAX),
        ..Limits::default()
    };
    let (failure, failed) = mpsc::channel(2);
    app.tasks.spawn(keep_running(app.clone(), limits, commands, failure.clone()));
    app.tasks.spawn(jobs::work(app.clone(), settings.clone()));
    app.tasks.spawn(feed::keep_looking(app.clone()));
    let server = serve(app.clone(), listener, failure)?;
    let url = settings.url.clone().unwrap_or_else(|| format!("http://{}", reachable(address)));
    Ok(Running { address, url, admin_password, notices, app, server, failed })
}

/// The address to write into a browser: an engine that listens everywhere is reached here.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], address.port())) } else { address }
}

fn open_lab(folder: &std::path::Path) -> Result<(Lab, EngineSettings)> {
    std::fs::create_dir_all(folder).with_context(|| format!("making the lab folder {}", folder.display()))?;
    let mut lab = Lab::open(folder)?;
    let read = lab.engine_settings();
    for problem in &read.problems {
        tracing::warn!("{problem}");
    }
    if problem::has_errors(&read.problems) {
        let lines: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
        bail!("engine.toml has errors:\n{}", lines.join("\n"));
    }
    let settings = read.value.unwrap_or_default();
    lab.allow(&settings.roots);
    Ok((lab, settings))
}

/// Opens everything a handler may use.
async fn assemble(
    lab: Lab,
    settings: &EngineSettings,
    address: SocketAddr,
) -> Result<(web::Data<App>, mpsc::Receiver<Command>)> {
    let data = &settings.data_folder;
    let store_url =
        settings.store.clone().unwrap_or_else(|| data.join("engine.sqlite").display().to_string());
    let store = Store::open(&store_url, clock::now()).await.context("opening the store")?;
    let (engine, commands) = EngineHandle::new();
    let terms = Terms {
        engine: format!("jackfield {} at {address}", env!("CARGO_PKG_VERSION")),
        heartbeat_millis: settings.heartbeat_millis,
        silence_millis: settings.silence_millis,
        log_window_bytes: settings.log_window_bytes,
    };
    let lab = Arc::new(lab);
    let feed = Feed::new(getrandom::u32().context("drawing a number for this life of the engine")?);
    let app = App {
        engine,
        logs: logs::Logs::open(data.join("logs"), settings.limits.log_bytes).context("opening the logs")?,
        blobs: blobs::Blobs::open(data.join("blobs")).context("opening the files")?,
        live: Live::new(feed.clone()),
        resources: lab::resources::Resources::start(
            store.clone(),
            lab::first_files::resources(&lab)?,
            feed.clone(),
        )
        .await?,
        globals: lab::globals::Globals::new(store.clone(), lab::first_files::globals(Arc::clone(&lab))),
        eps: lab::eps::Eps::load(&store).await?,
        consoles: lab::consoles::Consoles::new(feed.clone()),
        feed,
        kind: settings.kind,
        lab,
        terms,
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
        throttle: Mutex::default(),
        live_pages: Arc::new(AtomicUsize::new(0)),
        started: clock::now(),
        facts: jobs::engine_facts(settings),
        limits: settings.limits,
        store,
    };
    Ok((web::Data::new(app), commands))
}

/// Runs the loop; after a failed commit, again from what the rows say.
async fn keep_running(
    app: web::Data<App>,
    limits: Limits,
    mut commands: mpsc::Receiver<Command>,
    failure: mpsc::Sender<anyhow::Error>,
) {
    loop {
        match engine::restore::scheduler(&app.store, limits, clock::now()).await {
            Ok(scheduler) => {
                let engine = Engine::new(
                    scheduler,
                    app.store.clone(),
                    app.live.clone(),
                    app.eps.clone(),
                    app.terms.clone(),
                );
                if let LoopEnd::Stopped = engine.run(&mut commands, &app.stop).await {
                    return;
                }
            }
            Err(error @ (store::StoreError::Corrupt(_) | store::StoreError::Newer { .. })) => {
                // Nobody listens any more when the engine is going down.
                drop(failure.send(anyhow::Error::from(error)).await);
                return;
            }
            Err(error) => {
                tracing::error!("cannot restore from the store: {:#}", anyhow::Error::from(error))
            }
        }
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(limits::RESTORE_WAIT) => {}
        }
    }
}

/// Serves HTTP and the EPs' links until the handle stops it.
fn serve(
    app: web::Data<App>,
    listener: TcpListener,
    failure: mpsc::Sender<anyhow::Error>,
) -> Result<ServerHandle> {
    let tasks = app.tasks.clone();
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .route(LINK_PATH, web::get().to(link::accept))
            .route(&format!("{CONSOLE_PATH}/{{console}}"), web::get().to(console::relay::accept))
            .configure(http::configure)
    })
    .workers(2)
    .disable_signals()
    .shutdown_timeout(2)
    .listen(listener)
    .context("serving HTTP")?
    .run();
    let handle = server.handle();
    tasks.spawn(async move {
        if let Err(error) = server.await {
            drop(failure.send(anyhow::Error::from(error).context("the HTTP server failed")).await);
        }
    });
    Ok(handle)
}

impl Running {
    /// Ends when something failed that no retry can mend.
    pub async fn failed(&mut self) -> anyhow::Error {
        match self.failed.recv().await {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }

    /// Makes a token for an EP or a script of the same process, as an administrator would.
    ///
    /// # Errors
    /// The store does not take it.
    pub async fn make_token(&self, name: &str, scope: auth::Scope) -> Result<String> {
        let secret = auth::Secret::random().context("drawing a random token")?;
        let token = TokenRow {
            id: 0,
            owner: "admin".into(),
            name: name.to_owned(),
            scope: scope.as_str().to_owned(),
            created: clock::now(),
            expires: None,
            used: None,
        };
        let mut conn = self.app.store.write().await?;
        store::token::insert(&mut conn, &auth::Secret::hash(secret.reveal()), &token).await?;
        conn.commit().await?;
        Ok(secret.reveal().to_owned())
    }

    /// Goes down in order: links and live pages end, the loop commits what it has, files are closed.
    pub async fn stop(self) {
        self.app.stop.cancel();
        self.server.stop(true).await;
        self.app.tasks.close();
        if tokio::time::timeout(limits::SHUTDOWN_WAIT, self.app.tasks.wait()).await.is_err() {
            tracing::warn!("some tasks did not end in time");
        }
    }
}
