use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ClientConnection, ServerConfig, ServerConnection,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::*;
use crate::Trust;

/// Seconds of a day of the year 2026.
const NOW: u64 = 1_795_000_000;

struct Authority {
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::default());
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let der = params.self_signed(&key).unwrap().der().clone();
        Self { der, issuer: Issuer::new(params, key) }
    }

    fn pin(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    /// A certificate for these names, from and until these years, and its key.
    fn sign(&self, names: &[&str], years: (i32, i32)) -> (CertificateDer<'static>, KeyPair) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::new(names).unwrap());
        (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
        (params.signed_by(&key, &self.issuer).unwrap().der().clone(), key)
    }
}

/// What is said of this chain in 2026, under this name.
fn check(believed: Believed, chain: &[&CertificateDer<'static>], name: &str) -> Result<(), String> {
    let verifier = Verifier::new(believed, &Arc::new(ring::default_provider()));
    let (engine, others) = chain.split_first().unwrap();
    let others: Vec<_> = others.iter().map(|other| (*other).clone()).collect();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let checked = verifier.verify_server_cert(engine, &others, &name, &[], now);
    checked.map(drop).map_err(|error| Refused::of(&error).unwrap().to_string())
}

#[test]
fn an_authority_that_was_agreed_on_signs_for_its_engine_by_any_name() {
    let own = Authority::new("engine");
    let (engine, _) = own.sign(&["localhost", ENGINE_NAME], (2025, 2027));
    let pinned = || Believed::Pinned(own.pin());
    for name in ["localhost", "bench.example", "bench.example.", "192.0.2.7", "2001:db8::1"] {
        check(pinned(), &[&engine, &own.der], name).unwrap();
    }
    // An authority of the company's has other certificates, too: those are for their names alone.
    let (company, _) = own.sign(&["lab.example", "192.0.2.9"], (2025, 2027));
    for name in ["lab.example", "LAB.example.", "192.0.2.9"] {
        check(pinned(), &[&company, &own.der], name).unwrap();
    }
    assert!(
        check(pinned(), &[&company, &own.der], "other.example")
            .unwrap_err()
            .contains("not for `other.example`")
    );
}

#[test]
fn whoever_stands_in_between_is_told_by_what_gives_them_away() {
    let (own, other) = (Authority::new("engine"), Authority::new("engine"));
    let pinned = || Believed::Pinned(own.pin());
    let names = ["bench", ENGINE_NAME];
    let (forged, _) = other.sign(&names, (2025, 2027));
    let (old, _) = own.sign(&names, (2001, 2002));
    let (early, _) = own.sign(&names, (2090, 2091));
    let said = [
        check(pinned(), &[&forged, &other.der], "bench"),
        check(pinned(), &[&forged], "bench"),
        // They show a copy of our authority, and cannot sign with it.
        check(pinned(), &[&forged, &own.der], "bench"),
        check(pinned(), &[&forged, &other.der, &own.der], "bench"),
        check(pinned(), &[&old, &own.der], "bench"),
        check(pinned(), &[&early, &own.der], "bench"),
        check(Believed::Roots(RootCertStore::empty()), &[&forged, &other.der], "bench"),
        check(pinned(), &[&CertificateDer::from(vec![0x30, 0x82, 0xff, 0xff])], "bench"),
    ];
    let said: Vec<String> = said.into_iter().map(Result::unwrap_err).collect();
    let said =
        said.join("\n").replace(&own.pin().to_string(), "OWN").replace(&other.pin().to_string(), "OTHER");
    insta::assert_snapshot!(said.replace(&Fingerprint::of(&forged).to_string(), "FORGED"));
}

#[test]
fn a_certificate_that_was_agreed_on_itself_counts_while_it_lasts() {
    let own = Authority::new("engine");
    let (alone, _) = own.sign(&["x"], (2025, 2027));
    let pinned = |of: &CertificateDer<'_>| Believed::Pinned(Fingerprint::of(of));
    check(pinned(&alone), &[&alone], "any.example").unwrap();
    // `openssl req -x509` makes one that is an authority as well.
    check(pinned(&own.der), &[&own.der], "any.example").unwrap();
    let (old, _) = own.sign(&["x"], (2001, 2002));
    assert!(check(pinned(&old), &[&old], "x").unwrap_err().contains("ended at 2002-01-01"));
}

#[test]
fn authorities_of_a_file_sign_for_names() {
    let company = Authority::new("company");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "no certificate").unwrap();
    let told = Trust::File(file).client().unwrap_err().to_string();
    assert!(told.contains("there is no certificate in it"), "{told}");
    let (engine, _) = company.sign(&["lab.example"], (2025, 2027));
    let roots = || {
        let mut roots = RootCertStore::empty();
        roots.add(company.der.clone()).unwrap();
        Believed::Roots(roots)
    };
    check(roots(), &[&engine], "lab.example").unwrap();
    assert!(check(roots(), &[&engine], "192.0.2.1").unwrap_err().contains("`[tls] names`"));
}

/// Shows a certificate, and signs with whatever key there is.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// The end of a handshake with a server that shows this chain.
fn shake(chain: Vec<CertificateDer<'static>>, key: &KeyPair, pin: Fingerprint) -> Result<(), Error> {
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signing = ring::sign::any_supported_type(&der).unwrap();
    let shows = Shows(Arc::new(CertifiedKey::new(chain, signing)));
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shows));
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let client = Trust::Pinned(pin).client().unwrap();
    let mut client = ClientConnection::new(client, ServerName::try_from("bench").unwrap()).unwrap();
    for _ in 0..4 {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(())
}

#[test]
fn whoever_has_copied_all_certificates_still_has_no_key() {
    let own = Authority::new("engine");
    let (engine, key) = own.sign(&[ENGINE_NAME], (2025, 9000));
    let chain = vec![engine, own.der.clone()];
    shake(chain.clone(), &key, own.pin()).unwrap();
    let error = shake(chain, &KeyPair::generate().unwrap(), own.pin()).unwrap_err();
    let told = Refused::of(&error).unwrap().to_string();
    assert!(told.contains("does not have the key"), "{told}");
}
