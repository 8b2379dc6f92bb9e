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
mod data_folder;
mod facts;
mod front;
mod key_file;
pub mod limits;
mod lock;
mod maintenance;
pub mod own_log;
mod secret_place;
mod settings;
#[cfg(test)]
mod simulation;
mod tls;
mod zone;

pub mod lab_db;
pub mod store;

pub mod auth;
pub mod blobs;
pub mod feed;
pub mod lab;
pub mod live;
pub mod logs;

pub mod engine;

mod app;
mod console;
mod failure;
pub mod http;
pub mod jobs;
mod link;
mod run;

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use actix_web::{App as ActixApp, dev::ServerHandle, web};
use anyhow::{Context, Result, bail};
use jackfield_config::{Lab, engine::HealthSettings, problem};
use jackfield_protocol::{console::CONSOLE_PATH, link::LINK_PATH, secret::Secret};
use jackfield_scheduler::Limits;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::{App, JobsLeft, live_pages::LivePages},
    auth::Rights,
    data_folder::StoreFile,
    engine::{Command, Engine, EngineHandle, LoopEnd, Terms},
    feed::Feed,
    front::Front,
    jobs::retention::Retention,
    key_file::KeyFile,
    lab::{consoles::Consoles, eps::Eps, first_files, globals::Globals, resources::Resources},
    lab_db::turns::Turns,
    live::Live,
    lock::LabLock,
    run::check::Checks,
    settings::{Data, LinkSettings, Listen, Settings},
    store::Store,
    tls::Tls,
};

pub use self::maintenance::{BackedUp, Rotated, back_up, rotate_key};

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
    pub admin_password: Option<Secret>,
    /// What people compare who reach it by TLS: the SHA-256 of its authority, as browsers show it.
    pub fingerprint: String,
    /// What the person who started it should know of the lab's files.
    pub notices: Vec<String>,
    app: web::Data<App>,
    server: ServerHandle,
    failed: mpsc::Receiver<anyhow::Error>,
    /// The folder is this engine's until it has gone down.
    lock: LabLock,
}

/// Starts an engine in a lab folder.
///
/// # Errors
/// The folder, its `engine.toml` or the store cannot be used, another engine has the folder, or the port is taken.
pub async fn start(options: Options) -> Result<Running> {
    let Options { lab: folder, port } = options;
    let (lab, settings) = open_lab(&folder, port)?;
    let data = &settings.data.folder;
    data_folder::prepare(data)?;
    let mut lock = LabLock::take(&folder, data)?;
    let Listen { address, port, .. } = &settings.listen;
    let listener = TcpListener::bind((address.as_str(), *port)).with_context(|| {
        format!(
            "cannot listen on {address}:{port}; is another program there? set another port in engine.toml"
        )
    })?;
    let bound = listener.local_addr()?;
    lock.tell(Some(bound))?;
    let (limits, care) = (settings.scheduler, settings.health.clone());
    let listen = settings.listen.clone();
    let (app, commands) = assemble(lab, settings, bound).await?;
    let admin_password = auth::first_start(&app.store, clock::now()).await?;
    let mut notices = auth::take_users_file(&app.store, &app.lab, app.kind, clock::now()).await?;
    notices.extend(listen.notice(bound, &app.facts.hostname));
    notices.extend(jobs::outbox_notice(&app));
    notices.extend(lab::open_files::notice(&app.lab));
    let (failure, failed) = mpsc::channel(2);
    app.tasks.spawn(keep_running(app.clone(), (limits, care), commands, failure.clone()));
    app.tasks.spawn(run::check::keep_checking(app.clone()));
    app.tasks.spawn(end_where_damaged(app.clone(), failure.clone()));
    app.tasks.spawn(jobs::work(app.clone()));
    app.tasks.spawn(jobs::keep_inserting(app.clone()));
    app.tasks.spawn(jobs::retention::keep_looking(app.clone()));
    app.tasks.spawn(jobs::remind::keep_reminding(app.clone()));
    app.tasks.spawn(feed::keep_looking(app.clone()));
    http::health::look(&app).await;
    app.tasks.spawn(http::health::watch(app.clone()));
    let tls = app.tls.clone();
    app.tasks.spawn(tls.clone().keep(app.stop.clone()));
    let server = serve(app.clone(), Front::new(&tls, listen.plain), listener, failure)?;
    let (url, fingerprint) = (listen.here(bound), tls.fingerprint().to_string());
    Ok(Running { address: bound, url, admin_password, fingerprint, notices, app, server, failed, lock })
}

/// Lets whoever owns a lab folder back in, while no engine runs there; the answer is the new password of the account.
///
/// # Errors
/// An engine has the folder, it has none yet, or its store cannot be used.
pub async fn recover(folder: &std::path::Path, user: &str) -> Result<Secret> {
    let (_, settings) = open_lab(folder, None)?;
    let Data { folder: data, key, store, log_bytes: _ } = settings.data;
    if !data.is_dir() {
        bail!(
            "{} has no data folder of an engine yet; start `jackfield engine --lab {}` once",
            folder.display(),
            folder.display()
        );
    }
    let lock = LabLock::take(folder, &data)?;
    let (store, _) = open_store(&data, &KeyFile::new(key, &data), store).await?;
    let password = auth::recover(&store, user, clock::now()).await?;
    store.close().await;
    drop(lock);
    Ok(password)
}

/// What people compare who reach the engine of this lab folder by TLS, without starting one: the fingerprints of its authority, and of the
/// certificate that it shows.
///
/// # Errors
/// It has none yet, or its files are broken.
pub fn fingerprints(folder: &std::path::Path) -> Result<[String; 2]> {
    if !folder.is_dir() {
        bail!("there is no lab folder {}; name it with --lab", folder.display());
    }
    let (_, settings) = open_lab(folder, None)?;
    let (certificate, authority) = tls::fingerprints(&settings.tls, &settings.data.folder)?;
    Ok([authority.to_string(), certificate.to_string()])
}

/// Makes a lab folder that is not there, with the folders that a first test needs.
fn make_lab(folder: &std::path::Path) -> std::io::Result<()> {
    if folder.try_exists()? {
        return Ok(());
    }
    ["projects", "tests", "libs", "configs"]
        .iter()
        .try_for_each(|inner| std::fs::create_dir_all(folder.join(inner)))
}

fn open_lab(folder: &std::path::Path, port: Option<u16>) -> Result<(Lab, Settings)> {
    make_lab(folder).with_context(|| format!("making the lab folder {}", folder.display()))?;
    let mut lab = Lab::open(folder)?;
    let read = lab.engine_settings();
    if problem::has_errors(&read.problems) {
        let lines: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
        bail!("engine.toml has errors:\n{}", lines.join("\n"));
    }
    for problem in &read.problems {
        tracing::warn!("{problem}");
    }
    let settings = Settings::of(read.value.unwrap_or_default(), port);
    lab.allow(&settings.roots);
    Ok((lab, settings))
}

/// Opens everything a handler may use.
async fn assemble(
    lab: Lab,
    settings: Settings,
    address: SocketAddr,
) -> Result<(web::Data<App>, mpsc::Receiver<Command>)> {
    let Settings {
        listen,
        tls,
        data,
        link,
        scheduler: _,
        jobs,
        retention,
        health: _,
        served,
        server,
        roots: _,
    } = settings;
    let Data { folder, key, store, log_bytes } = data;
    let tls = Tls::open(&tls, &listen, address, &folder, clock::wall())?;
    let (store, store_file) = open_store(&folder, &KeyFile::new(key, &folder), store).await?;
    let (engine, commands) = EngineHandle::new();
    let facts = facts::gather(&lab, &listen, &server, address).await;
    let terms = begin_life(&store, link, address).await?;
    data_folder::belong_to(&folder, &store).await?;
    let lab = Arc::new(lab);
    let feed = Feed::new(getrandom::u32().context("drawing a number for this life of the engine")?);
    let resources = Resources::start(store.clone(), first_files::resources(&lab)?, feed.clone()).await?;
    resources.heed(engine.clone()).await?;
    let app = App {
        engine,
        logs: logs::Logs::open(folder.join("logs"), log_bytes).context("opening the logs")?,
        blobs: blobs::Blobs::open(folder.join("blobs")).context("opening the files")?,
        live: Live::new(feed.clone()),
        resources,
        globals: Globals::new(store.clone(), first_files::globals(Arc::clone(&lab))),
        eps: Eps::load(&store).await?,
        consoles: Consoles::new(feed.clone()),
        feed,
        kind: server.kind,
        lab,
        terms,
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
        rights: Rights::default(),
        throttle: Mutex::default(),
        live_pages: LivePages::default(),
        started: clock::now(),
        tls,
        facts,
        limits: served,
        health: Mutex::default(),
        job_counts: JobsLeft::default(),
        jobs,
        reports_at_once: Arc::new(Semaphore::new(limits::REPORTS_AT_ONCE_MAX)),
        shared_at_once: Arc::new(Semaphore::new(limits::SHARED_AT_ONCE_MAX)),
        lab_db_turns: Turns::default(),
        retention: Retention::new(retention),
        checks: Checks::default(),
        store,
        store_file,
    };
    Ok((web::Data::new(app), commands))
}

/// Opens the store of the data folder, or the one that the lab has elsewhere; never another one than before.
async fn open_store(
    folder: &std::path::Path,
    file: &KeyFile,
    url: Option<Secret>,
) -> Result<(Store, Option<StoreFile>)> {
    let own = folder.join("engine.sqlite");
    if url.is_none() {
        StoreFile::prepare(&own)?;
    }
    let is_own = url.is_none();
    let url = url.unwrap_or_else(|| Secret::new(own.display().to_string()));
    let known = file.read()?;
    let seal = known.clone().map_or_else(store::Seal::random, Ok).context("drawing a key")?;
    let store = Store::open_sealed(url.expose_for_login(), seal.clone(), clock::now()).await;
    let store = store.context("opening the store")?;
    store.check_seal().await.with_context(|| {
        format!(
            "put back the key file {} that belongs to this store; no backup holds it",
            file.path().display()
        )
    })?;
    if known.is_none() {
        file.write(&seal)?;
    }
    store.seal_all().await.context("sealing what the store holds")?;
    // The address of a database has a password in it.
    let shown = if is_own { own.display().to_string() } else { "that `data.store` names".to_owned() };
    data_folder::check_store(folder, &store, &shown).await?;
    let file = if is_own { Some(StoreFile::of(&own)?) } else { None };
    Ok((store, file))
}

/// Begins a life of the engine, and says what EPs are told of it.
async fn begin_life(store: &Store, link: LinkSettings, address: SocketAddr) -> Result<Terms> {
    let life = auth::random_token().context("drawing a random number")?;
    // Not one to let anybody in: it tells the starts of engines apart, and is kept and told as it is.
    let life = life.expose_for_owner().to_owned();
    let mut conn = store.write().await?;
    let lives = store::life::begin(&mut conn, &life, clock::now()).await?;
    conn.commit().await?;
    let engine = format!("jackfield {} at {address}", env!("CARGO_PKG_VERSION"));
    Ok(Terms { engine, link, life, lives: Arc::new(lives) })
}

/// Ends the engine when anybody finds its store damaged: a page or a job may find it long before the loop does.
async fn end_where_damaged(app: web::Data<App>, failure: mpsc::Sender<anyhow::Error>) {
    tokio::select! {
        () = app.stop.cancelled() => {}
        // Nobody listens any more when the engine is going down.
        told = app.store.damaged() => drop(failure.send(anyhow::Error::msg(told)).await),
    }
}

/// Runs the loop; after a failed commit, again from what the rows say.
async fn keep_running(
    app: web::Data<App>,
    (limits, care): (Limits, HealthSettings),
    mut commands: mpsc::Receiver<Command>,
    failure: mpsc::Sender<anyhow::Error>,
) {
    loop {
        let mut links = app.resources.links();
        let linked = links.borrow_and_update().clone();
        let mut signs = app.resources.signs();
        let upkeep = signs.borrow_and_update().upkeep(&care);
        match engine::restore::scheduler(&app.store, limits, (linked, upkeep), clock::now()).await {
            Ok(scheduler) => {
                let engine = Engine::new(
                    scheduler,
                    app.store.clone(),
                    app.live.clone(),
                    app.eps.clone(),
                    app.terms.clone(),
                )
                .with_lab(links, app.resources.needs(), app.consoles.clone())
                .with_care(signs, care.clone());
                match engine.run(&mut commands, &app.stop).await {
                    LoopEnd::Stopped => return,
                    LoopEnd::CommitFailed => {}
                    LoopEnd::Damaged(error) => {
                        // Nobody listens any more when the engine is going down.
                        drop(failure.send(anyhow::Error::from(error)).await);
                        return;
                    }
                }
            }
            Err(
                error @ (store::StoreError::Corrupt(_)
                | store::StoreError::Damaged(_)
                | store::StoreError::Key(_)
                | store::StoreError::Newer { .. }),
            ) => {
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
    front: Front,
    listener: TcpListener,
    failure: mpsc::Sender<anyhow::Error>,
) -> Result<ServerHandle> {
    let tasks = app.tasks.clone();
    let make = move || {
        ActixApp::new()
            .app_data(app.clone())
            .route(LINK_PATH, web::get().to(link::accept))
            .route(&format!("{CONSOLE_PATH}/{{console}}"), web::get().to(console::relay::accept))
            .configure(http::configure)
    };
    let server = front::serve(front, listener, make).context("serving HTTP")?;
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
    pub async fn make_token(&self, name: &str, scope: auth::Scope) -> Result<Secret> {
        let token = auth::make_token(&self.app.store, &"admin".into(), name, scope, clock::now()).await?;
        Ok(self.app.with_pin(&token))
    }

    /// Goes down in order: links and live pages end, the loop commits what it has, files are closed.
    pub async fn stop(self) {
        self.app.stop.cancel();
        self.server.stop(true).await;
        self.app.tasks.close();
        if tokio::time::timeout(limits::SHUTDOWN_WAIT, self.app.tasks.wait()).await.is_err() {
            tracing::warn!("some tasks did not end in time");
        }
        drop(self.lock);
    }
}
