//! The certificate that handshakes show from now on.

use std::sync::{Arc, PoisonError, RwLock};

use jackfield_tls::Fingerprint;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// One certificate, whatever name is asked for: it is one engine, and who it is not for says so better than we.
#[derive(Debug)]
pub(super) struct Shown(RwLock<Arc<CertifiedKey>>);

impl Shown {
    pub(super) fn new(key: CertifiedKey) -> Self {
        Self(RwLock::new(Arc::new(key)))
    }

    pub(super) fn show(&self, key: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }

    /// Of the certificate itself, and of the last one behind it.
    pub(super) fn fingerprints(&self) -> (Fingerprint, Fingerprint) {
        let key = self.now();
        let of = |end: Option<&rustls::pki_types::CertificateDer<'_>>| {
            Fingerprint::of(end.map(AsRef::as_ref).unwrap_or_default())
        };
        (of(key.cert.first()), of(key.cert.last()))
    }

    fn now(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now())
    }
}
