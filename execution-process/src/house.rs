//! Puts the parts of an EP together: the work folder first, then one task each, and in the end all of them ended in order.
//!
//! ```text
//! tests ──local API──▶ daemon ◀──events── attempts, spool, link
//!    │                   │
//!    └─output─▶ log pump ├─ control ─▶ link ◀──────▶ engine
//!                  └──── log frames ────┘
//! ```

use std::{
    fs::{File, TryLockError},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{net::UnixListener, sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    EpError, Settings,
    account::Accounts,
    blobs::{self, Blobs},
    cgroup,
    console::Consoles,
    daemon::Daemon,
    event::Event,
    identity::Identity,
    library::KeptFolders,
    limits::CHUNKS_MAX,
    link::Link,
    local_api::{self, Desk, LocalApi},
    log_pump::LogPump,
    log_spool::LogSpool,
    modules::Modules,
    outbox::Outbox,
    packet_capture::PacketCaptures,
    process,
    runner::warm::{Warm, WarmSettings},
    sdk,
    sessions::Sessions,
    spool::Spool,
    station::Station,
    templates::TemplateShelf,
    work_folder::WorkFolders,
};

/// Folders of earlier runs and attempts, which nobody needs any more.
const SWEPT: [&str; 8] = ["work", "idle", "runs", "kept", "recordings", "captures", "staging", "trash"];

/// The work folder, held by this process alone.
#[derive(Debug)]
pub(crate) struct House {
    folder: PathBuf,
    /// Held as long as the EP lives; the kernel lets go of it however that ends.
    _lock: File,
}

impl House {
    /// Takes the work folder, and clears it of what an earlier life left.
    pub(crate) fn open(settings: &Settings) -> Result<Self, EpError> {
        let told = |source| EpError::WorkFolder { path: settings.work_dir.clone(), source };
        std::fs::create_dir_all(&settings.work_dir).map_err(told)?;
        let folder = settings.work_dir.canonicalize().map_err(told)?;
        keep_others_out(&folder).map_err(told)?;
        let lock = File::create(folder.join("lock")).map_err(told)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(EpError::WorkFolderInUse(folder)),
            Err(TryLockError::Error(source)) => return Err(told(source)),
        }
        for name in SWEPT {
            let swept = folder.join(name);
            match std::fs::remove_dir_all(&swept) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(error)),
                _ => {}
            }
            std::fs::create_dir_all(&swept).map_err(told)?;
        }
        Ok(Self { folder, _lock: lock })
    }

    /// Runs every part until `shutdown`, or until the engine refuses for good.
    pub(crate) async fn run(
        self,
        mut settings: Settings,
        shutdown: CancellationToken,
    ) -> Result<(), EpError> {
        settings.work_dir = without_colon(&self.folder)
            .map_err(|source| EpError::WorkFolder { path: self.folder.clone(), source })?;
        process::defaults::take();
        if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
            tracing::warn!("processes that leave their test behind may be missed: {error}");
        }
        let guests = Guests::of(&settings, &self.folder).await?;
        let told = |source| EpError::WorkFolder { path: self.folder.clone(), source };
        let (events, inbox) = mpsc::unbounded_channel();
        let (logs, log_link) = mpsc::unbounded_channel();
        let (chunks, chunks_inbox) = mpsc::channel(CHUNKS_MAX);
        // What the daemon still needs when it says goodbye ends after it.
        let services = CancellationToken::new();
        let folder = settings.work_dir.clone();
        let (station, listener, warm) =
            furnish(&folder, settings, (chunks, guests), &services).map_err(told)?;
        let identity = Identity::open(&self.folder).map_err(told)?;
        let spool = open_spool(&self.folder, !identity.life().is_empty(), &events).map_err(told)?;
        let bytes_max = station.settings.limits.log_spool_bytes;
        let log_spool = LogSpool::open(&self.folder.join("logs"), bytes_max).map_err(told)?;
        let pump = LogPump {
            spool: log_spool,
            chunks: chunks_inbox,
            link: log_link,
            events: events.clone(),
            troubled: false,
        };
        let secret = secret().map_err(told)?;
        admit_users(&station, &folder).await?;
        let daemon_logs = logs.clone();
        let link = Link {
            station: Arc::clone(&station),
            identity,
            events: events.clone(),
            logs,
            shutdown: services.clone(),
            was_welcome: false,
        };
        let desk = Arc::new(Desk::new(Arc::clone(&station), events.clone()));
        let local = LocalApi { listener, desk, shutdown: services.clone() };
        let outbox = station.outbox.clone();
        let daemon = Daemon::new(station, spool, events, daemon_logs, secret);

        let outbox = tokio::spawn(outbox.run(services.clone()));
        let pump = tokio::spawn(pump.run(Instant::now));
        let local = tokio::spawn(local.run());
        let warm = tokio::spawn(warm);
        let stop = shutdown.child_token();
        let mut link = tokio::spawn(link.run());
        let mut daemon = tokio::spawn(daemon.run(inbox, stop.clone()));
        let refused = tokio::select! {
            ended = &mut link => {
                stop.cancel();
                let _ = (&mut daemon).await;
                Some(ended)
            }
            _ = &mut daemon => None,
        };
        services.cancel();
        let link_end = match refused {
            Some(ended) => ended,
            None => link.await,
        };
        let _ = tokio::join!(local, warm, outbox);
        drop(pump.await);
        link_end.unwrap_or(Ok(()))
    }
}

/// As whom tests run, and what keeps together what they start.
struct Guests {
    accounts: Option<Accounts>,
    cgroups: cgroup::Opened,
}

impl Guests {
    /// To be asked before anything is started: what was, would be left in a group that is to be divided.
    async fn of(settings: &Settings, folder: &Path) -> Result<Self, EpError> {
        let who = (settings.program.as_path(), settings.offer.lanes);
        let found = settings
            .run_as
            .as_ref()
            .map(|wanted| Accounts::find(wanted, who, settings.limits.process).and_then(Accounts::hold));
        let accounts = found.transpose().map_err(EpError::RunAs)?;
        let cgroups = cgroup::open(&settings.cgroup, folder, &settings.program).await;
        Ok(Self { accounts, cgroups: cgroups.map_err(EpError::Cgroup)? })
    }
}

/// Lets the users of tests in as far as they need it, before the first test.
async fn admit_users(station: &Station, folder: &Path) -> Result<(), EpError> {
    let Some(accounts) = &station.accounts else { return Ok(()) };
    let (mark, places) = (station.mark(), (folder, station.socket.as_path()));
    accounts.admit(places, &station.settings.secret_files, &mark).await.map_err(EpError::RunAs)?;
    for mighty in accounts.mighty_groups() {
        tracing::warn!("{mighty}");
    }
    for closed in accounts.closed_programs(&station.settings.languages.interpreters).await {
        tracing::warn!("{closed}");
    }
    Ok(())
}

/// Makes what all parts share.
fn furnish(
    folder: &Path,
    settings: Settings,
    (chunks, guests): (mpsc::Sender<crate::capture::Chunk>, Guests),
    services: &CancellationToken,
) -> io::Result<(Arc<Station>, UnixListener, impl Future<Output = ()> + use<>)> {
    let Guests { accounts, cgroups } = guests;
    let socket = local_api::socket_path(folder);
    let listener = local_api::listen(&socket)?;
    let sdk = sdk::unpack(&folder.join("sdk"))?;
    let agent = blobs::agent(settings.tls.clone());
    let cache = folder.join("cache");
    let cache_bytes = settings.limits.cache_bytes;
    let blobs = Blobs::open(agent, &settings.engine, &settings.token, &cache, cache_bytes)?;
    let mut environment = process::defaults::environment(&settings.locale);
    let warm = WarmSettings {
        python: settings.languages.interpreter("python").to_owned(),
        script: sdk.join("python/jackfield/warm.py"),
        environment: environment.clone(),
        mark: socket.clone().into(),
        changes_users: accounts.is_some(),
        is_kept: accounts.as_ref().is_none_or(Accounts::are_forked_to),
    };
    let (warm, warm_task) = Warm::start(warm, services.clone());
    environment.insert("JACKFIELD_SOCKET".into(), socket.clone().into());
    environment.insert("JACKFIELD_BIN".into(), settings.program.clone().into());
    environment.insert("JACKFIELD_EP".into(), settings.name.as_str().into());
    let sessions = Sessions::new(folder, cgroups.groups.as_ref().map(cgroup::Groups::of_sessions));
    let outbox = Outbox::open(&folder.join("outbox"), blobs.clone())?;
    let templates = TemplateShelf::new(blobs.clone());
    let consoles = Consoles::default();
    let work_folders = WorkFolders::new(folder.join("work"), folder.join("idle"));
    let kept_folders = Arc::new(KeptFolders::new(folder.join("kept")));
    let mark = ("JACKFIELD_SOCKET".into(), socket.clone().into());
    let captures = PacketCaptures::new(folder.join("captures"), mark, settings.limits.artifact_bytes);
    let station = Station {
        settings,
        socket,
        sdk,
        environment,
        blobs,
        outbox,
        warm,
        modules: Modules::default(),
        sessions,
        templates,
        consoles,
        captures,
        work_folders,
        kept_folders,
        accounts,
        cgroups,
        chunks,
    };
    Ok((Arc::new(station), listener, warm_task))
}

/// Logs, files of tests and what devices said are this user's alone, whatever the umask or an earlier build made of the folder.
fn keep_others_out(folder: &Path) -> io::Result<()> {
    let others = 0o077;
    if std::fs::metadata(folder)?.permissions().mode() & others != 0 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The same folder by a name without a colon: lists of folders, such as `PATH` and `PYTHONPATH`, are parted by colons and know no way to
/// write one.
fn without_colon(folder: &Path) -> io::Result<PathBuf> {
    if !folder.as_os_str().as_encoded_bytes().contains(&b':') {
        return Ok(folder.to_owned());
    }
    let hash: String =
        blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex().chars().take(16).collect();
    let link = std::env::temp_dir().join(format!("jackfield-work-{hash}"));
    match std::os::unix::fs::symlink(folder, &link) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    let is_ours = std::fs::symlink_metadata(&link)?.uid() == rustix::process::geteuid().as_raw();
    if is_ours && std::fs::read_link(&link)? == folder {
        return Ok(link);
    }
    let told =
        format!("`{}` is somebody else's; remove it, or take a folder without a colon", link.display());
    Err(io::Error::other(told))
}

fn open_spool(
    folder: &Path,
    should_be_there: bool,
    events: &mpsc::UnboundedSender<Event>,
) -> io::Result<Spool> {
    let events = events.clone();
    Spool::open(&folder.join("reports"), should_be_there, move |synced| {
        // The daemon lives as long as the spool it owns.
        let _ = events.send(Event::Synced(synced));
    })
}

/// Bytes nobody can guess, for the secrets of attempts.
fn secret() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    io::Read::read_exact(&mut File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes)
}
