//! The certificate that the engine makes for itself: for a while, for the names of now, and followed by another in time.

use std::{collections::BTreeSet, fmt, fs, io, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use jackfield_protocol::time::Time;
use jackfield_tls::ENGINE_NAME;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use serde::{Deserialize, Serialize};

use super::authority::Authority;
use crate::{data_folder::write_private, limits};

const FILE: &str = "certificate.json";
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;
/// How long one lasts.
const LIFE_MILLIS: i64 = 90 * DAY_MILLIS;
/// How long before its end another is made.
const RENEWED_MILLIS: i64 = 30 * DAY_MILLIS;
/// How far before now it begins: clocks differ, and some take their own time for that of Greenwich.
const BACK_MILLIS: i64 = 2 * DAY_MILLIS;
/// Instants that a certificate can have: a clock that says others is wrong, and will be set.
const INSTANTS: (i64, i64) = (BACK_MILLIS, 200_000_000_000_000);

/// A certificate of ours, with what has to be known of it later.
#[derive(Serialize, Deserialize)]
pub(super) struct Leaf {
    names: BTreeSet<String>,
    begins: Time,
    ends: Time,
    pub(super) certificate: String,
    key: String,
}

/// The one that is stored where it still does, else a new one, which is stored.
///
/// # Errors
/// The folder cannot be read or written.
pub(super) fn current(
    folder: &Path,
    authority: &Authority,
    names: &BTreeSet<String>,
    now: Time,
) -> Result<Leaf> {
    let stored = Leaf::stored(folder)?.filter(|leaf| leaf.certified(authority).is_ok());
    let leaf = match stored {
        Some(leaf) if leaf.is_over(names, now).is_none() => return Ok(leaf),
        Some(leaf) => leaf.successor(authority, names, now)?,
        None => Leaf::issue(authority, names.clone(), now)?,
    };
    leaf.store(folder)?;
    Ok(leaf)
}

impl Leaf {
    /// The one that an earlier life stored; none where it cannot be read: another one is made.
    ///
    /// # Errors
    /// The disk does not answer.
    pub(super) fn stored(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(FILE);
        match fs::read(&path) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// Keeps it for the next life: a browser that was told to trust it is not asked again.
    ///
    /// # Errors
    /// The disk takes nothing.
    pub(super) fn store(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string(self)?;
        let path = folder.join(FILE);
        write_private(&path, &text).with_context(|| format!("writing {}", path.display()))
    }

    fn issue(authority: &Authority, mut names: BTreeSet<String>, now: Time) -> Result<Self> {
        let now = Time(now.0.clamp(INSTANTS.0, INSTANTS.1));
        let (begins, ends) = (Time(now.0 - BACK_MILLIS), Time(now.0 + LIFE_MILLIS));
        names.insert(ENGINE_NAME.to_owned());
        let list: Vec<String> = names.iter().cloned().collect();
        let mut params = CertificateParams::new(list).context("naming the engine in its certificate")?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Jackfield engine");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = date_time_ymd(1970, 1, 1) + since_1970(begins);
        params.not_after = date_time_ymd(1970, 1, 1) + since_1970(ends);
        let key = KeyPair::generate().context("making a key")?;
        let certificate =
            params.signed_by(&key, authority.issuer()).context("signing the engine's certificate")?;
        Ok(Self { names, begins, ends, certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// The next one, for the names of this one, too: an address that comes and goes costs one certificate.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn successor(
        &self,
        authority: &Authority,
        names: &BTreeSet<String>,
        now: Time,
    ) -> Result<Self> {
        let room = limits::CERTIFICATE_NAMES_MAX.saturating_sub(names.len());
        let past = self.names.difference(names).take(room).cloned();
        let is_new = self.is_outdated(now).is_some();
        let names = if is_new { names.clone() } else { names.iter().cloned().chain(past).collect() };
        Self::issue(authority, names, now)
    }

    /// Why another one is due; none where it is not.
    pub(super) fn is_over(&self, names: &BTreeSet<String>, now: Time) -> Option<String> {
        let missing: Vec<&str> = names.difference(&self.names).map(String::as_str).collect();
        if !missing.is_empty() {
            return Some(format!("the engine is also reached as {}", missing.join(", ")));
        }
        self.is_outdated(now)
    }

    fn is_outdated(&self, now: Time) -> Option<String> {
        if now < self.begins {
            return Some(format!("the one so far begins at {} only", self.begins));
        }
        (self.ends.0.saturating_sub(now.0) < RENEWED_MILLIS)
            .then(|| format!("the one so far ends at {}", self.ends))
    }

    /// For handshakes, with the authority behind it, so that whoever has pinned that finds it.
    ///
    /// # Errors
    /// What was stored does not belong together, or is another authority's.
    pub(super) fn certified(&self, authority: &Authority) -> Result<CertifiedKey> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())?;
        let chain = vec![certificate, authority.der()];
        Ok(CertifiedKey::from_der(chain, key, &ring::default_provider())?)
    }
}

/// Without its key.
impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leaf({:?} until {})", self.names, self.ends)
    }
}

fn since_1970(time: Time) -> Duration {
    Duration::from_millis(u64::try_from(time.0).unwrap_or(0))
}
