//! Whom a client believes, and its side of TLS made of that.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use crate::{
    Fingerprint,
    verifier::{Believed, Verifier},
};

/// Where systems keep the authorities that they believe.
const SYSTEM_LISTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Whom a client believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The certificate with this fingerprint, and what it signed.
    Pinned(Fingerprint),
    /// The authorities of a PEM file, and nobody else.
    File(PathBuf),
    /// The authorities that this machine believes.
    Machine,
}

/// A list of authorities cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be used as a list of authorities: {reason}", path = path.display())]
pub struct TrustError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub reason: String,
}

impl Trust {
    /// What is known of an engine's authority: the pin first, else what the machine believes.
    pub fn of(pin: Option<Fingerprint>) -> Self {
        pin.map_or(Self::Machine, Self::Pinned)
    }

    /// The certificates of the authorities, for a client that is not made here; none stand for those of the public web.
    ///
    /// # Errors
    /// As [`Self::client`]. What is pinned has no certificates.
    pub fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, TrustError> {
        match self {
            Self::Pinned(_) => Ok(Vec::new()),
            Self::File(path) => listed(path),
            Self::Machine => {
                named_for_machine().map_or_else(|| Ok(list_of_machine()), |named| listed(&named))
            }
        }
    }

    /// A client's side of TLS.
    ///
    /// # Errors
    /// The file with the authorities cannot be read, or has none.
    pub fn client(&self) -> Result<Arc<ClientConfig>, TrustError> {
        let believed = match self {
            Self::Pinned(pin) => Believed::Pinned(*pin),
            Self::File(path) => Believed::Roots(roots(path)?),
            Self::Machine => Believed::Roots(machine()?),
        };
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(believed, &provider);
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider speaks TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

/// The authorities of a file that a person named: one that cannot be read is an error.
fn roots(path: &Path) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in listed(path)? {
        let bad = |error: rustls::Error| TrustError { path: path.to_owned(), reason: error.to_string() };
        roots.add(certificate).map_err(bad)?;
    }
    Ok(roots)
}

/// The certificates of a file, at least one.
fn listed(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let bad = |reason: String| TrustError { path: path.to_owned(), reason };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))?;
    let listed = read.collect::<Result<Vec<_>, _>>().map_err(|error| bad(error.to_string()))?;
    if listed.is_empty() {
        return Err(bad("there is no certificate in it (`-----BEGIN CERTIFICATE-----`)".to_owned()));
    }
    Ok(listed)
}

/// The authorities of this machine; where it has no list, those of the public web.
fn machine() -> Result<RootCertStore, TrustError> {
    if let Some(named) = named_for_machine() {
        return roots(&named);
    }
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(list_of_machine());
    if added == 0 {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(store)
}

/// A file that stands for the machine's list, as OpenSSL has it.
fn named_for_machine() -> Option<PathBuf> {
    std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The first of the machine's lists that holds something. It may have old certificates that nobody can read any more; the others count.
fn list_of_machine() -> Vec<CertificateDer<'static>> {
    let lists = SYSTEM_LISTS.iter().map(|list| {
        let certificates = CertificateDer::pem_file_iter(list).into_iter().flatten().flatten();
        let is_readable = |one: &CertificateDer<'_>| RootCertStore::empty().add(one.clone()).is_ok();
        certificates.filter(is_readable).collect::<Vec<_>>()
    });
    lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default()
}
