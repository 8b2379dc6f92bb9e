//! The engine's own certificate authority: made once, and what others pin.

use std::{fs, io, path::Path};

use anyhow::{Context as _, Result, bail};
use jackfield_tls::Fingerprint;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::data_folder::{make_private, write_private};

const CERTIFICATE: &str = "authority.pem";
const KEY: &str = "authority.key";
/// It is valid from and until these years, whatever the clock says when it is made.
const YEARS: (i32, i32) = (2020, 2120);

/// A certificate that may sign others, with its key.
pub(super) struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Reads it, or makes it where there is none.
    ///
    /// # Errors
    /// The folder cannot be used, or what is in it does not belong together.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        match Self::there(folder)? {
            Some(authority) => Ok(authority),
            None => Self::make(folder),
        }
    }

    /// Reads it, where it was made.
    ///
    /// # Errors
    /// It cannot be read, or its files do not belong together.
    pub(super) fn there(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(CERTIFICATE);
        let remedy = || {
            format!(
                "restore {} from a backup; or move it away, and let every EP and every user agree on the new fingerprint",
                folder.display()
            )
        };
        let pem = match fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        let key = fs::read_to_string(folder.join(KEY))
            .with_context(|| format!("reading {}; {}", folder.join(KEY).display(), remedy()))?;
        let key = KeyPair::from_pem(&key)
            .with_context(|| format!("{} holds no key; {}", folder.join(KEY).display(), remedy()))?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .with_context(|| format!("{} holds no certificate; {}", path.display(), remedy()))?;
        let public = key.public_key_raw();
        if !der.windows(public.len()).any(|part| part == public) {
            bail!("{KEY} is not the key of {}; {}", path.display(), remedy());
        }
        Ok(Some(Self { pem, der, issuer: Issuer::new(params(&key), key) }))
    }

    fn make(folder: &Path) -> Result<Self> {
        let told = || format!("making the engine's certificate authority in {}", folder.display());
        make_private(folder).with_context(told)?;
        let key = KeyPair::generate().with_context(told)?;
        let params = params(&key);
        let certificate = params.self_signed(&key).with_context(told)?;
        let pem = certificate.pem();
        // The certificate comes last: where it stands, the key does, too.
        write_private(&folder.join(KEY), &key.serialize_pem()).with_context(told)?;
        write_private(&folder.join(CERTIFICATE), &pem).with_context(told)?;
        Ok(Self { pem, der: certificate.der().clone(), issuer: Issuer::new(params, key) })
    }

    /// What others pin.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    /// The certificate as a file.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate.
    pub(super) fn der(&self) -> CertificateDer<'static> {
        self.der.clone()
    }

    /// What signs.
    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.fingerprint())
    }
}

/// The same for the same key: what it signs names it as its issuer.
fn params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let name: String = Fingerprint::of(key.public_key_raw()).compact().chars().take(8).collect();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Jackfield");
    params.distinguished_name.push(DnType::CommonName, format!("Jackfield engine {name}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let (from, until) = YEARS;
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params
}
