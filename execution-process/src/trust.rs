//! Whom this EP believes to be its engine: what its token says, unless its settings say something else.

use std::{path::PathBuf, sync::Arc};

use jackfield_protocol::secret::Secret;
use jackfield_tls::{Address, Credential, Fingerprint, Trust};
use rustls::ClientConfig;

use crate::EpError;

/// The secret of the token, and the client's side of TLS, none for an engine that is reached without; `fingerprint` and `ca` as the settings say
/// them.
///
/// # Errors
/// The settings say something that cannot be used, or something that would let others read the secret.
pub(crate) fn of(
    engine: &str,
    token: &Secret,
    fingerprint: Option<&str>,
    ca: Option<PathBuf>,
) -> Result<(Secret, Option<Arc<ClientConfig>>), EpError> {
    let Credential { secret, pin } = Credential::read(token);
    let address = Address::read(engine).ok_or_else(|| EpError::EngineAddress(engine.to_owned()))?;
    let said = fingerprint.map(str::parse::<Fingerprint>).transpose()?;
    if address.is_readable() && (said.or(pin).is_some() || ca.is_some()) {
        return Err(EpError::Readable { engine: engine.to_owned(), tls: address.with_tls() });
    }
    if !address.is_tls {
        return Ok((secret, None));
    }
    let trust = match (ca, said) {
        (Some(_), Some(_)) => return Err(EpError::TrustTwice),
        // A file is said by whoever runs the EP, and beats what a token has always with it.
        (Some(file), None) => Trust::File(file),
        (None, said) => Trust::of(said.or(pin)),
    };
    Ok((secret, Some(trust.client()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_nowhere_where_it_can_be_read() {
        let pin = Fingerprint::of(b"authority");
        let bare = Secret::new("jackfield_1");
        let token = Credential::join(&bare, Some(pin));
        let of = |engine: &str, token: &Secret, fingerprint: Option<&str>, ca: Option<&str>| {
            of(engine, token, fingerprint, ca.map(PathBuf::from)).map(|(secret, tls)| (secret, tls.is_some()))
        };
        let good = |tls: bool| (bare.clone(), tls);
        assert_eq!(of("http://127.0.0.1:8000", &token, None, None).unwrap(), good(false));
        assert_eq!(of("http://bench:8000", &bare, None, None).unwrap(), good(false));
        assert_eq!(of("https://bench:8000", &token, None, None).unwrap(), good(true));
        assert_eq!(of("https://bench:8000", &bare, Some(&pin.to_string()), None).unwrap(), good(true));
        let wrong = [
            of("http://bench:8000", &token, None, None),
            of("http://192.0.2.1", &bare, Some(&pin.to_string()), None),
            of("https://bench:8000", &token, Some("AB:CD"), None),
            // The file, and not what the token has with it.
            of("https://bench:8000", &token, None, Some("/nowhere.pem")),
            of("https://bench:8000", &token, Some(&pin.to_string()), Some("/nowhere.pem")),
            of("ws://bench", &token, None, None),
        ];
        let told: Vec<String> = wrong.into_iter().map(|wrong| wrong.unwrap_err().to_string()).collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
