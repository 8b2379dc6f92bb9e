//! What the engine shows of itself on its links: a certificate that is always valid, and an authority that others pin.
//!
//! ```text
//! no certificate named:  authority (made once) ──signs──▶ certificate ──▶ Shown ──▶ handshakes
//!                                            └── a new one: in time, for a new name ──┘
//! `[tls] certificate`:   files ──▶ Shown; again when they change, the old one while they are broken
//! ```

mod authority;
mod files;
mod leaf;
mod names;
mod shown;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Result, bail};
use jackfield_config::engine::TlsSettings;
use jackfield_protocol::time::Time;
use jackfield_tls::Fingerprint;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, pem::PemObject as _},
    server::ResolvesServerCert,
};
use tokio_util::sync::CancellationToken;

use self::{authority::Authority, files::Files, leaf::Leaf, shown::Shown};
use crate::{clock, limits, settings::Listen};

/// The folder of it in the data folder.
const FOLDER: &str = "tls";
/// What we speak inside of TLS.
const HTTP: &[u8] = b"http/1.1";

/// What the engine shows, for whoever takes connections.
#[derive(Clone, Debug)]
pub(crate) struct Tls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shown: Arc<Shown>,
    source: Source,
    /// What is wrong with it, since when it is; told once.
    trouble: Mutex<Option<String>>,
}

/// Where the certificate comes from.
#[derive(Debug)]
enum Source {
    /// We made it.
    Made { folder: PathBuf, authority: Box<Authority>, reach: Reach, leaf: Mutex<Leaf> },
    /// The lab has one.
    Files(Mutex<Files>),
}

/// How the engine is reached.
#[derive(Clone, Debug)]
struct Reach {
    listen: Listen,
    bound: SocketAddr,
    names: Vec<String>,
}

impl Reach {
    /// The names and addresses of now: those of the machine change.
    fn names(&self) -> BTreeSet<String> {
        let mut names = names::of_machine(self.bound);
        names.extend(names::of_settings(&self.listen.address, self.listen.url.as_deref()));
        names.extend(self.names.iter().cloned());
        names
    }
}

impl Tls {
    /// Makes or reads what the engine shows.
    ///
    /// # Errors
    /// A file cannot be read or written, or does not hold what it should.
    pub(crate) fn open(
        settings: &TlsSettings,
        listen: &Listen,
        bound: SocketAddr,
        data: &Path,
        now: Time,
    ) -> Result<Self> {
        let (key, source) = match &settings.own {
            Some(own) => {
                let (files, key) = Files::open(own)?;
                (key, Source::Files(Mutex::new(files)))
            }
            None => {
                let folder = data.join(FOLDER);
                let authority = Box::new(Authority::open(&folder)?);
                let reach = Reach { listen: listen.clone(), bound, names: settings.names.clone() };
                let leaf = leaf::current(&folder, &authority, &reach.names(), now)?;
                let key = leaf.certified(&authority)?;
                (key, Source::Made { folder, authority, reach, leaf: Mutex::new(leaf) })
            }
        };
        let shown = Arc::new(Shown::new(key));
        Ok(Self(Arc::new(Inner { shown, source, trouble: Mutex::default() })))
    }

    /// The engine's side of a handshake.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let shown: Arc<dyn ResolvesServerCert> = self.0.shown.clone();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider speaks TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(shown);
        config.alpn_protocols = vec![HTTP.to_vec()];
        Arc::new(config)
    }

    /// What people compare: of our authority, or of the last certificate that the lab's file has.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.0.shown.fingerprints().1
    }

    /// The authority that tokens carry: ours alone. Whom a lab's own certificate is from, its machines know.
    pub(crate) fn authority(&self) -> Option<(&str, Fingerprint)> {
        match &self.0.source {
            Source::Made { authority, .. } => Some((authority.pem(), authority.fingerprint())),
            Source::Files(_) => None,
        }
    }

    /// What somebody should mend.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks whether another certificate is due, or there, and shows it from now on.
    pub(crate) fn look(&self, now: Time) {
        let looked = match &self.0.source {
            Source::Made { folder, authority, reach, leaf } => {
                renew(&self.0.shown, folder, authority, reach, leaf, now)
            }
            Source::Files(files) => {
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                files.changed().map(|changed| {
                    if let Some(key) = changed {
                        self.0.shown.show(key);
                        tracing::info!("another certificate is shown from now on: {}", self.fingerprint());
                    }
                })
            }
        };
        let trouble = looked.err().map(|error| format!("{error:#}"));
        let mut told = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trouble) = trouble.as_ref().filter(|trouble| Some(*trouble) != told.as_ref()) {
            tracing::error!("the certificate so far is shown: {trouble}");
        }
        *told = trouble;
    }

    /// Looks again and again, until the engine goes down.
    pub(crate) async fn keep(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(limits::CERTIFICATE_LOOK) => {}
            }
            let tls = self.clone();
            // It reads files, and may have to write some.
            let looked = tokio::task::spawn_blocking(move || tls.look(clock::wall())).await;
            if let Err(error) = looked {
                tracing::error!(%error, "the certificate was not looked at");
            }
        }
    }
}

/// Makes another certificate where one is due.
fn renew(
    shown: &Shown,
    folder: &Path,
    authority: &Authority,
    reach: &Reach,
    leaf: &Mutex<Leaf>,
    now: Time,
) -> Result<()> {
    let mut leaf = leaf.lock().unwrap_or_else(PoisonError::into_inner);
    let names = reach.names();
    let Some(why) = leaf.is_over(&names, now) else { return Ok(()) };
    let new = leaf.successor(authority, &names, now)?;
    let key = new.certified(authority)?;
    *leaf = new;
    shown.show(key);
    tracing::info!("a new certificate is shown from now on: {why}");
    leaf.store(folder)
}

/// What people compare, without an engine that runs: of its authority, and of the certificate itself.
///
/// # Errors
/// It has none yet, or the files are broken.
pub(crate) fn fingerprints(settings: &TlsSettings, data: &Path) -> Result<(Fingerprint, Fingerprint)> {
    if let Some(own) = &settings.own {
        let (_, key) = Files::open(own)?;
        return Ok(Shown::new(key).fingerprints());
    }
    let folder = data.join(FOLDER);
    let Some(authority) = Authority::there(&folder)? else {
        bail!("there is no authority of an engine in {} yet; start the engine once", folder.display());
    };
    let leaf = Leaf::stored(&folder)?;
    let certificate = leaf.and_then(|leaf| CertificateDer::from_pem_slice(leaf.certificate.as_bytes()).ok());
    let of = certificate.map_or(authority.fingerprint(), |der| Fingerprint::of(&der));
    Ok((of, authority.fingerprint()))
}

#[cfg(test)]
mod tests;
