//! A certificate of the lab's own, in files that somebody or something renews.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use anyhow::{Context as _, Result, bail};
use jackfield_config::engine::OwnCertificate;
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

use crate::limits;

/// How a file was when it was looked at: device, inode, length and the time of its last change.
type Stamp = (u64, u64, u64, i64, i64);

/// The two files.
#[derive(Debug)]
pub(super) struct Files {
    paths: OwnCertificate,
    /// How they were when they were read last, broken or not.
    stamps: [Option<Stamp>; 2],
    /// What was wrong with them then.
    broken: Option<String>,
}

impl Files {
    /// Reads them.
    ///
    /// # Errors
    /// They cannot be read, or do not belong together.
    pub(super) fn open(paths: &OwnCertificate) -> Result<(Self, CertifiedKey)> {
        let stamps = stamps(paths);
        let key = load(paths)?;
        Ok((Self { paths: paths.clone(), stamps, broken: None }, key))
    }

    /// What is in them now, where it is something else than before.
    ///
    /// # Errors
    /// They are broken, now or since an earlier look; both are written one after the other, so it may pass.
    pub(super) fn changed(&mut self) -> Result<Option<CertifiedKey>> {
        let stamps = stamps(&self.paths);
        if stamps == self.stamps {
            return match &self.broken {
                Some(broken) => bail!("{broken}"),
                None => Ok(None),
            };
        }
        self.stamps = stamps;
        let loaded = load(&self.paths);
        self.broken = loaded.as_ref().err().map(|error| format!("{error:#}"));
        loaded.map(Some)
    }
}

fn stamps(paths: &OwnCertificate) -> [Option<Stamp>; 2] {
    [&paths.certificate, &paths.key].map(|path| {
        let about = fs::metadata(path).ok()?;
        Some((about.dev(), about.ino(), about.len(), about.mtime(), about.mtime_nsec()))
    })
}

fn load(paths: &OwnCertificate) -> Result<CertifiedKey> {
    let OwnCertificate { certificate, key } = paths;
    let text = read(certificate, "tls.certificate")?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let shown = certificate.display();
    let chain = chain.with_context(|| format!("`tls.certificate`: {shown} is damaged"))?;
    if chain.is_empty() {
        bail!("`tls.certificate`: {shown} holds no certificate (`-----BEGIN CERTIFICATE-----`)");
    }
    if chain.len() > limits::CERTIFICATES_MAX {
        bail!(
            "`tls.certificate`: {shown} holds {} certificates; put the engine's own there, and those between it and its authority, no list of authorities",
            chain.len()
        );
    }
    let text = read(key, "tls.key")?;
    let shown = key.display();
    if text.windows(9).any(|part| part == b"ENCRYPTED") {
        bail!(
            "`tls.key`: {shown} is encrypted; nobody is there to type its password: take that off with `openssl pkey`"
        );
    }
    let Ok(private) = PrivateKeyDer::from_pem_slice(&text) else {
        bail!("`tls.key`: {shown} holds no private key (`-----BEGIN PRIVATE KEY-----`)");
    };
    match CertifiedKey::from_der(chain, private, &ring::default_provider()) {
        Ok(certified) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => {
            bail!("`tls.key`: {shown} is not the key of the first certificate in {}", certificate.display())
        }
        Err(error) => bail!("`tls.certificate` and `tls.key` cannot be used: {error}"),
    }
}

fn read(path: &Path, setting: &str) -> Result<Vec<u8>> {
    let about = fs::metadata(path).with_context(|| format!("`{setting}`: reading {}", path.display()))?;
    if about.len() > limits::CERTIFICATE_BYTES_MAX {
        bail!("`{setting}`: {} has {} bytes; that is no certificate or key", path.display(), about.len());
    }
    fs::read(path).with_context(|| format!("`{setting}`: reading {}", path.display()))
}
