//! Why the other end is not taken for the engine, in words for whoever has to decide.

use std::{error::Error, io, sync::Arc};

use jackfield_protocol::time::Time;
use rustls::{
    CertificateError, OtherError,
    pki_types::{ServerName, UnixTime},
};

use crate::Fingerprint;

/// A certificate that is not taken. Nothing of ours was sent when it is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody whom we know vouches for it.
    #[error(
        "this machine does not know the authority of the engine's certificate; its fingerprint is {offered}; compare it with what `jackfield engine fingerprint` prints on the engine's machine"
    )]
    Unknown {
        /// The last certificate of the chain.
        offered: Fingerprint,
    },
    /// It is another one than it was.
    #[error(
        "the engine is not the one it was: its authority has the fingerprint {offered}, and {pinned} was agreed on; somebody may stand in between, or the engine was set up anew; nothing was sent; ask who runs it, and compare with what `jackfield engine fingerprint` prints there"
    )]
    Changed {
        /// What was agreed on.
        pinned: Fingerprint,
        /// The last certificate of the chain.
        offered: Fingerprint,
    },
    /// It is over, by our clock.
    #[error(
        "the engine's certificate ended at {ended}, and this machine's clock says {now}; set the clock if that is wrong, else have the engine's certificate renewed"
    )]
    Expired {
        /// Its end.
        ended: Time,
        /// Our clock.
        now: Time,
    },
    /// It is not yet valid, by our clock.
    #[error(
        "the engine's certificate begins at {begins}, and this machine's clock says {now}; set the clock of the machine that is wrong"
    )]
    Early {
        /// Its beginning.
        begins: Time,
        /// Our clock.
        now: Time,
    },
    /// It is somebody else's.
    #[error(
        "the engine's certificate is not for `{wanted}`; use a name that it is for, or add this one (`[tls] names` of engine.toml)"
    )]
    Name {
        /// The address that was dialled.
        wanted: String,
    },
    /// It is no certificate that could be checked.
    #[error("the engine's certificate cannot be checked: {0}")]
    Broken(String),
}

impl Refused {
    /// What stands behind an error of whatever wrapped the connection.
    pub fn of<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            if let Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner)))) =
                error.downcast_ref()
            {
                return inner.downcast_ref();
            }
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = match inner {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }

    /// What was found wrong with a certificate at all.
    pub(crate) fn from_check(error: &rustls::Error, offered: Fingerprint) -> Self {
        let rustls::Error::InvalidCertificate(why) = error else { return Self::Broken(error.to_string()) };
        if let CertificateError::ExpiredContext { time, not_after } = why {
            return Self::Expired { ended: instant(*not_after), now: instant(*time) };
        }
        if let CertificateError::NotValidYetContext { time, not_before } = why {
            return Self::Early { begins: instant(*not_before), now: instant(*time) };
        }
        // An authority of the same name with another key, and one that is no authority.
        let is_unknown = matches!(
            why,
            CertificateError::UnknownIssuer | CertificateError::BadSignature | CertificateError::Other(_)
        );
        if is_unknown { Self::Unknown { offered } } else { Self::Broken(error.to_string()) }
    }

    pub(crate) fn name(wanted: &ServerName<'_>) -> Self {
        Self::Name { wanted: wanted.to_str().into_owned() }
    }
}

impl From<Refused> for rustls::Error {
    fn from(refused: Refused) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused))))
    }
}

fn instant(time: UnixTime) -> Time {
    Time(i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000))
}
