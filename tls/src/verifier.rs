//! The check of a certificate, in the middle of the handshake.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use crate::{ENGINE_NAME, Fingerprint, Refused};

/// Whom we believe.
#[derive(Debug)]
pub(crate) enum Believed {
    /// This certificate, or what it signed.
    Pinned(Fingerprint),
    /// What these authorities signed, for the name that was dialled.
    Roots(RootCertStore),
}

/// Checks the engine's certificate.
#[derive(Debug)]
pub(crate) struct Verifier {
    believed: Believed,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(crate) fn new(believed: Believed, provider: &Arc<CryptoProvider>) -> Self {
        Self { believed, algorithms: provider.signature_verification_algorithms }
    }

    fn check(&self, chain: &Chain<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Refused> {
        match &self.believed {
            Believed::Pinned(pin) => self.check_pinned(*pin, chain, name, now),
            Believed::Roots(roots) => {
                let engine = chain.engine()?;
                self.check_chain(&engine, chain, roots, now)?;
                verify_server_name(&engine, name).map_err(|_other_name| Refused::name(name))
            }
        }
    }

    fn check_pinned(
        &self,
        pin: Fingerprint,
        chain: &Chain<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Refused> {
        let mut roots = RootCertStore::empty();
        let engine = chain.engine()?;
        if Fingerprint::of(chain.engine) == pin {
            // The very certificate: whatever else is odd about it, only its dates can speak against it.
            let _ = roots.add(chain.engine.clone());
            return match self.check_chain(&engine, chain, &roots, now) {
                Err(refused @ (Refused::Expired { .. } | Refused::Early { .. })) => Err(refused),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        let pinned = chain.others.iter().find(|other| Fingerprint::of(other) == pin);
        let changed = || Refused::Changed { pinned: pin, offered: chain.offered() };
        let pinned = pinned.ok_or_else(changed)?;
        roots.add(pinned.clone()).map_err(|error| Refused::Broken(error.to_string()))?;
        match self.check_chain(&engine, chain, &roots, now) {
            // The authority was shown, and did not sign: somebody copied it.
            Err(Refused::Unknown { .. }) => {
                return Err(Refused::Broken(format!(
                    "the authority that was agreed on ({pin}) is in the chain, and did not sign it; somebody stands in between"
                )));
            }
            other => other?,
        }
        let any = ServerName::try_from(ENGINE_NAME).ok();
        let is_engines = any.is_some_and(|any| verify_server_name(&engine, &any).is_ok());
        if is_engines || verify_server_name(&engine, name).is_ok() {
            Ok(())
        } else {
            Err(Refused::name(name))
        }
    }

    fn check_chain(
        &self,
        engine: &ParsedCertificate<'_>,
        chain: &Chain<'_>,
        roots: &RootCertStore,
        now: UnixTime,
    ) -> Result<(), Refused> {
        verify_server_cert_signed_by_trust_anchor(engine, roots, chain.others, now, self.algorithms.all)
            .map_err(|error| Refused::from_check(&error, chain.offered()))
    }
}

/// What the other end sent.
struct Chain<'a> {
    engine: &'a CertificateDer<'a>,
    others: &'a [CertificateDer<'a>],
}

impl Chain<'_> {
    fn engine(&self) -> Result<ParsedCertificate<'_>, Refused> {
        ParsedCertificate::try_from(self.engine).map_err(|error| Refused::Broken(error.to_string()))
    }

    /// What a person is asked about.
    fn offered(&self) -> Fingerprint {
        Fingerprint::of(self.others.last().unwrap_or(self.engine))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = Chain { engine: end_entity, others: intermediates };
        self.check(&chain, server_name, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms).map_err(signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms).map_err(signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whoever shows a certificate without its key.
fn signature(error: Error) -> Error {
    if error != Error::InvalidCertificate(CertificateError::BadSignature) {
        return error;
    }
    let text =
        "the other end does not have the key of the certificate that it shows; somebody stands in between";
    Refused::Broken(text.to_owned()).into()
}

#[cfg(test)]
mod tests;
