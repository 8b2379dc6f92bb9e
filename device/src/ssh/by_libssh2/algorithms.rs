//! Which algorithms libssh2 offers: by the same rule as russh, and with `legacy` the oldest ones, which only this library knows.

use russh::Preferred;
use ssh2::{Error, MethodType, Session};

use super::{
    super::algorithms::{Matter, OLDEST_KEYS, OLDEST_MACS, preferred_of},
    offer::Offer,
};

/// How a server's optional part of the key exchange is asked for; the library adds it itself.
const EXTENSIONS: [&str; 2] = ["ext-info-", "kex-strict-"];

/// What may be used with a host, best first.
pub(super) struct Allowed {
    kex: Vec<String>,
    keys: Vec<String>,
    ciphers: Vec<String>,
    macs: Vec<String>,
}

fn named<N: AsRef<str>>(names: &[N]) -> Vec<String> {
    names.iter().map(|name| name.as_ref().to_owned()).collect()
}

impl Allowed {
    pub(super) fn of(legacy: bool, known: &[russh::keys::Algorithm]) -> Self {
        let Preferred { kex, key, cipher, mac, .. } = preferred_of(legacy, known);
        let mut allowed =
            Self { kex: named(&kex), keys: named(&key), ciphers: named(&cipher), macs: named(&mac) };
        allowed.kex.retain(|name| !EXTENSIONS.iter().any(|extension| name.starts_with(extension)));
        if legacy {
            allowed.macs.extend(named(&OLDEST_MACS));
            // A host that is known by such a key is asked for it first, as for any other.
            let is_known = known.contains(&russh::keys::Algorithm::Dsa);
            let at = if is_known { 0 } else { allowed.keys.len() };
            allowed.keys.splice(at..at, named(&OLDEST_KEYS));
        }
        allowed
    }

    /// Tells the library; what it does not know is left out here as well.
    pub(super) fn apply(&mut self, session: &Session) -> Result<(), Error> {
        let signatures = self.keys.iter().filter(|name| name.contains("rsa")).cloned().collect::<Vec<_>>();
        session.method_pref(MethodType::SignAlgo, &signatures.join(","))?;
        for (names, out, back) in [
            (&mut self.kex, MethodType::Kex, None),
            (&mut self.keys, MethodType::HostKey, None),
            (&mut self.ciphers, MethodType::CryptCs, Some(MethodType::CryptSc)),
            (&mut self.macs, MethodType::MacCs, Some(MethodType::MacSc)),
        ] {
            let supported = session.supported_algs(out)?;
            names.retain(|name| supported.contains(&name.as_str()));
            for direction in [Some(out), back].into_iter().flatten() {
                session.method_pref(direction, &names.join(","))?;
            }
        }
        Ok(())
    }

    /// The first matter in which a server has nothing that we may use.
    pub(super) fn lacks<'o>(&self, offer: &'o Offer) -> Option<(Matter, &'o [String])> {
        let common =
            |ours: &[String], theirs: &[String]| ours.iter().find(|name| theirs.contains(name)).cloned();
        let lack = |ours: &[String], theirs: &[String]| common(ours, theirs).is_none();
        for (matter, ours, theirs) in [
            (Matter::Kex, &self.kex, &offer.kex),
            (Matter::HostKey, &self.keys, &offer.keys),
            (Matter::Cipher, &self.ciphers, &offer.ciphers),
        ] {
            if lack(ours, theirs) {
                return Some((matter, theirs));
            }
        }
        // These ciphers notice changes themselves.
        let checks_itself = common(&self.ciphers, &offer.ciphers)
            .is_some_and(|cipher| cipher.contains("gcm") || cipher.contains("poly1305"));
        (!checks_itself && lack(&self.macs, &offer.macs)).then_some((Matter::Mac, offer.macs.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supported(legacy: bool) -> Allowed {
        let mut allowed = Allowed::of(legacy, &[]);
        allowed.apply(&Session::new().unwrap()).unwrap();
        allowed
    }

    fn offer(kex: &str, keys: &str, ciphers: &str, macs: &str) -> Offer {
        let names = |list: &str| list.split(',').map(str::to_owned).collect();
        Offer { kex: names(kex), keys: names(keys), ciphers: names(ciphers), macs: names(macs) }
    }

    #[test]
    fn the_library_was_built_with_what_old_devices_know() {
        let (modern, old) = (supported(false), supported(true));
        let names = |allowed: &Allowed| {
            [&allowed.kex, &allowed.keys, &allowed.ciphers, &allowed.macs].map(Vec::as_slice).concat()
        };
        for oldest in
            ["diffie-hellman-group1-sha1", "ssh-dss", "ssh-rsa", "3des-cbc", "hmac-sha1", "hmac-md5"]
        {
            assert!(names(&old).contains(&oldest.to_owned()), "{oldest}");
            assert!(!names(&modern).contains(&oldest.to_owned()), "{oldest}");
        }
        assert_eq!(modern.kex.first().map(String::as_str), Some("curve25519-sha256"));
        assert!(!modern.ciphers.is_empty() && !modern.macs.is_empty());
    }

    #[test]
    fn what_a_server_lacks_is_found() {
        let (modern, old) = (supported(false), supported(true));
        let (kex, key) = ("curve25519-sha256", "ssh-ed25519");
        for (server, of_modern, of_old) in [
            (offer(kex, key, "aes256-ctr", "hmac-sha2-256"), None, None),
            (offer("diffie-hellman-group1-sha1", key, "x", "x"), Some(Matter::Kex), Some(Matter::Cipher)),
            (offer(kex, "ssh-dss", "aes256-ctr", "hmac-md5"), Some(Matter::HostKey), None),
            (offer(kex, key, "3des-cbc", "hmac-md5"), Some(Matter::Cipher), None),
            (offer(kex, key, "aes256-ctr", "hmac-md5"), Some(Matter::Mac), None),
            (offer(kex, key, "aes256-gcm@openssh.com", "hmac-md5"), None, None),
            (offer(kex, key, "aes256-ctr", "umac"), Some(Matter::Mac), Some(Matter::Mac)),
        ] {
            assert_eq!(modern.lacks(&server).map(|(matter, _)| matter), of_modern, "{server:?}");
            assert_eq!(old.lacks(&server).map(|(matter, _)| matter), of_old, "{server:?}");
        }
    }
}
