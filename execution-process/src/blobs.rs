//! Files by content: fetched from the engine once, checked, kept for later runs, and sent to it.
//!
//! HTTP is spoken on blocking threads. A file that is being fetched is not fetched a second time: who needs it
//! too waits for it. The cache forgets what was not used for longest; what running tests use is a copy
//! of their own, which stays.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_protocol::{id::BlobHash, secret::Secret};
use rustls::ClientConfig;

use crate::limits::{CONNECT_LIMIT, FILE_BYTES_MAX, TRANSFER_LIMIT};

mod place;

/// Why a file is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlobError {
    /// The engine cannot be reached, or is busy: try again.
    #[error("the engine did not send file {hash}: {reason}")]
    Engine { hash: BlobHash, reason: String },
    /// The engine answers, but does not have it or does not give it.
    #[error("the engine has no file {hash} for this EP (status {status})")]
    Refused { hash: BlobHash, status: u16 },
    /// What came is not what was asked for.
    #[error("what the engine sent as file {hash} is something else; check the network between engine and EP")]
    Damaged { hash: BlobHash },
    /// The EP's disk.
    #[error("file {hash} cannot be kept in `{path}`: {source}; free disk space", path = path.display())]
    Disk { hash: BlobHash, path: PathBuf, source: io::Error },
}

/// Why the engine did not take a file.
#[derive(Debug)]
pub(crate) enum PutError {
    /// It cannot be reached, or is busy: try again.
    Engine(String),
    /// It does not want it, or the file cannot be read.
    Refused(String),
}

/// The EP's files.
#[derive(Clone, Debug)]
pub(crate) struct Blobs(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    agent: ureq::Agent,
    address: String,
    authorization: Secret,
    folder: PathBuf,
    bytes_max: u64,
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    files: BTreeMap<BlobHash, Cached>,
    bytes: u64,
    /// Grows with each use.
    uses: u64,
    fetching: BTreeMap<BlobHash, Arc<tokio::sync::Mutex<()>>>,
}

#[derive(Clone, Copy, Debug)]
struct Cached {
    bytes: u64,
    last_use: u64,
}

impl Blobs {
    /// Opens the cache in a folder.
    pub(crate) fn open(
        agent: ureq::Agent,
        engine: &str,
        token: &Secret,
        folder: &Path,
        bytes_max: u64,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut cache = Cache::default();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_name().to_str().and_then(|name| name.parse::<BlobHash>().ok()) {
                Some(hash) => cache.add(hash, entry.metadata()?.len()),
                None => std::fs::remove_file(entry.path())?,
            }
        }
        Ok(Self(Arc::new(Shared {
            agent,
            address: format!("{}/api/v1/blobs/", engine.trim_end_matches('/')),
            authorization: token.map(|token| format!("Bearer {token}")),
            folder: folder.to_owned(),
            bytes_max,
            cache: Mutex::new(cache),
        })))
    }

    /// Where the file is in the cache, once it is there.
    async fn get(&self, hash: BlobHash) -> Result<PathBuf, BlobError> {
        if self.0.is_cached(hash) {
            return Ok(self.0.path(hash));
        }
        let turn = Arc::clone(self.0.cache().fetching.entry(hash).or_default());
        let _mine = turn.lock().await;
        if !self.0.is_cached(hash) {
            let shared = Arc::clone(&self.0);
            let fetched = tokio::task::spawn_blocking(move || shared.fetch(hash)).await;
            self.0.cache().fetching.remove(&hash);
            fetched.map_err(|error| BlobError::Engine { hash, reason: error.to_string() })??;
        }
        Ok(self.0.path(hash))
    }

    /// Fetches files that will be needed soon; what goes wrong is met again when they are needed.
    pub(crate) fn prefetch(&self, hashes: impl IntoIterator<Item = BlobHash>) {
        for hash in hashes {
            if !self.0.is_cached(hash) && !self.0.cache().fetching.contains_key(&hash) {
                let blobs = self.clone();
                tokio::spawn(async move {
                    if let Err(error) = blobs.get(hash).await {
                        tracing::debug!("ahead of time: {error}");
                    }
                });
            }
        }
    }

    /// Has it there, for later.
    pub(crate) async fn fetch(&self, hash: BlobHash) -> Result<(), BlobError> {
        self.get(hash).await.map(drop)
    }

    /// Lets it be fetched anew.
    fn forget(&self, hash: BlobHash) {
        let mut cache = self.0.cache();
        if let Some(file) = cache.files.remove(&hash) {
            cache.bytes = cache.bytes.saturating_sub(file.bytes);
        }
        let _ = std::fs::remove_file(self.0.path(hash));
    }

    /// Gives the engine a file of this machine; answers with its name there.
    pub(crate) async fn put(&self, path: PathBuf) -> Result<BlobHash, PutError> {
        let shared = Arc::clone(&self.0);
        let sent = tokio::task::spawn_blocking(move || shared.send(&path)).await;
        sent.map_err(|error| PutError::Refused(error.to_string()))?
    }
}

impl Shared {
    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        // A panic between two statements of this module cannot leave the map half changed.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, hash: BlobHash) -> PathBuf {
        self.folder.join(hash.to_string())
    }

    fn is_cached(&self, hash: BlobHash) -> bool {
        let mut cache = self.cache();
        let uses = cache.uses.saturating_add(1);
        cache.uses = uses;
        match cache.files.get_mut(&hash) {
            Some(file) => {
                file.last_use = uses;
                true
            }
            None => false,
        }
    }

    fn fetch(&self, hash: BlobHash) -> Result<(), BlobError> {
        let engine = |error: ureq::Error| BlobError::Engine { hash, reason: error.to_string() };
        let request = self.agent.get(format!("{}{hash}", self.address));
        let mut response =
            request.header("Authorization", self.authorization.expose_for_login()).call().map_err(engine)?;
        match response.status().as_u16() {
            200 => {}
            status @ (408 | 429 | 500..) => {
                return Err(BlobError::Engine { hash, reason: format!("status {status}") });
            }
            status => return Err(BlobError::Refused { hash, status }),
        }
        let mut body = response.body_mut().with_config().limit(FILE_BYTES_MAX).reader();
        let part = self.folder.join(format!("{hash}.part"));
        let disk = |source| BlobError::Disk { hash, path: self.folder.clone(), source };
        let (bytes, have) =
            copy_hashed(&mut body, &mut File::create(&part).map_err(disk)?).map_err(|error| match error {
                Copy::Read(error) => BlobError::Engine { hash, reason: error.to_string() },
                Copy::Write(source) => disk(source),
            })?;
        if have != hash {
            let _ = std::fs::remove_file(&part);
            return Err(BlobError::Damaged { hash });
        }
        std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o555)).map_err(disk)?;
        std::fs::rename(&part, self.path(hash)).map_err(disk)?;
        self.keep(hash, bytes);
        Ok(())
    }

    /// Notes a new file, and forgets those that were not used for longest where there are too many.
    fn keep(&self, hash: BlobHash, bytes: u64) {
        let mut cache = self.cache();
        cache.add(hash, bytes);
        while cache.bytes > self.bytes_max && cache.files.len() > 1 {
            let files = cache.files.iter().filter(|(name, _)| **name != hash);
            let Some(oldest) = files.min_by_key(|(_, file)| file.last_use).map(|(name, _)| *name) else {
                break;
            };
            if let Some(file) = cache.files.remove(&oldest) {
                cache.bytes = cache.bytes.saturating_sub(file.bytes);
            }
            let _ = std::fs::remove_file(self.path(oldest));
        }
    }

    fn send(&self, path: &Path) -> Result<BlobHash, PutError> {
        let told = |error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
        let disk = |error: io::Error| PutError::Refused(told(&error));
        let mut file = File::open(path).map_err(disk)?;
        let (bytes, hash) = copy_hashed(&mut file, &mut io::sink()).map_err(|error| match error {
            Copy::Read(error) | Copy::Write(error) => disk(error),
        })?;
        let file = File::open(path).map_err(disk)?;
        let request = self.agent.put(format!("{}{hash}", self.address));
        let request = request
            .header("Authorization", self.authorization.expose_for_login())
            .header("Content-Length", bytes);
        let response = request.send(&file).map_err(|error| PutError::Engine(told(&error)))?;
        match response.status().as_u16() {
            200..=299 => Ok(hash),
            status @ (408 | 429 | 500..) => {
                Err(PutError::Engine(told(&format!("the engine did not take it (status {status})"))))
            }
            status => Err(PutError::Refused(told(&format!("the engine refused it (status {status})")))),
        }
    }
}

impl Cache {
    fn add(&mut self, hash: BlobHash, bytes: u64) {
        self.uses = self.uses.saturating_add(1);
        let file = Cached { bytes, last_use: self.uses };
        let before = self.files.insert(hash, file).map_or(0, |file| file.bytes);
        self.bytes = self.bytes.saturating_sub(before).saturating_add(bytes);
    }
}

/// An agent for the engine's HTTP interface.
pub(crate) fn agent(tls: Option<Arc<ClientConfig>>) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        // Nobody but the engine is to have the token, or to be asked for files.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECT_LIMIT))
        .timeout_global(Some(TRANSFER_LIMIT))
        .build();
    match tls {
        Some(tls) => jackfield_tls::agent(config, tls),
        None => config.new_agent(),
    }
}

/// Copies a file into a folder, under the name of its content, and makes it durable.
pub(crate) fn copy_in(path: &Path, folder: &Path) -> io::Result<BlobHash> {
    let part = folder.join("part");
    let mut to = File::create(&part)?;
    let (_, hash) = copy_hashed(&mut File::open(path)?, &mut to).map_err(|error| match error {
        Copy::Read(error) | Copy::Write(error) => error,
    })?;
    to.sync_all()?;
    std::fs::rename(&part, folder.join(hash.to_string()))?;
    Ok(hash)
}

enum Copy {
    Read(io::Error),
    Write(io::Error),
}

fn copy_hashed(from: &mut impl Read, to: &mut impl Write) -> Result<(u64, BlobHash), Copy> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Copy::Read(error)),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        hasher.update(bytes);
        to.write_all(bytes).map_err(Copy::Write)?;
    }
    Ok((hasher.count(), BlobHash(*hasher.finalize().as_bytes())))
}
