use std::{fs, os::unix::fs::PermissionsExt as _};

use jackfield_config::engine::OwnCertificate;
use rcgen::{CertificateParams, KeyPair};

use super::*;

const DAY: i64 = 24 * 60 * 60 * 1_000;

fn listen() -> Listen {
    Listen { address: "127.0.0.1".to_owned(), port: 0, url: None, plain: false }
}

fn open(settings: &TlsSettings, data: &Path, now: Time) -> Result<Tls> {
    Tls::open(settings, &listen(), "127.0.0.1:8000".parse().unwrap(), data, now)
}

/// The fingerprint of the certificate that is shown, and of its authority.
fn shown(tls: &Tls) -> (Fingerprint, Fingerprint) {
    tls.0.shown.fingerprints()
}

#[test]
fn an_authority_is_made_once_and_its_certificate_lasts_until_it_must_not() {
    let data = tempfile::tempdir().unwrap();
    let (settings, now) = (TlsSettings::default(), Time(1_795_000_000_000));
    let first = open(&settings, data.path(), now).unwrap();
    let (certificate, authority) = shown(&first);
    assert_eq!(first.authority().unwrap().1, authority);
    assert_eq!(first.fingerprint(), authority);
    assert!(!format!("{first:?}").contains("PRIVATE KEY"), "{first:?}");
    let after = |days: i64| shown(&open(&settings, data.path(), Time(now.0 + days * DAY)).unwrap());
    assert_eq!(after(59), (certificate, authority), "a browser is not asked again");
    let renewed = after(61);
    assert_ne!(renewed.0, certificate);
    assert_eq!(renewed.1, authority, "no pin changes");
    let early = after(-5);
    assert!(early.0 != renewed.0 && early.1 == authority, "the clock was set back");
    for file in fs::read_dir(data.path().join("tls")).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
    assert_eq!(fingerprints(&settings, data.path()).unwrap(), early);
}

#[test]
fn a_certificate_is_renewed_while_the_engine_runs() {
    let data = tempfile::tempdir().unwrap();
    let now = Time(1_795_000_000_000);
    let tls = open(&TlsSettings::default(), data.path(), now).unwrap();
    let (certificate, authority) = shown(&tls);
    tls.look(now);
    assert_eq!(shown(&tls), (certificate, authority));
    tls.look(Time(now.0 + 61 * DAY));
    let renewed = shown(&tls);
    assert!(renewed.0 != certificate && renewed.1 == authority);
    assert_eq!(tls.trouble(), None);
    // Whatever a clock says: there is a certificate, and another one as soon as the clock is right.
    for wrong in [i64::MIN, 0, i64::MAX] {
        tls.look(Time(wrong));
        tls.look(Time(now.0 + 61 * DAY));
        assert_eq!((tls.trouble(), shown(&tls).1), (None, authority), "{wrong}");
    }
}

#[test]
fn a_further_name_makes_a_further_certificate_and_one_that_goes_does_not() {
    let data = tempfile::tempdir().unwrap();
    let now = Time(1_795_000_000_000);
    let certificate = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        shown(&open(&TlsSettings { names, ..TlsSettings::default() }, data.path(), now).unwrap()).0
    };
    let (none, one) = (certificate(&[]), certificate(&["bench.example"]));
    assert_ne!(none, one);
    assert_eq!(certificate(&[]), one);
    let two = certificate(&["192.0.2.7"]);
    assert!(two != one && certificate(&["bench.example", "192.0.2.7"]) == two, "both are in it");
}

#[test]
fn an_authority_that_is_broken_is_told_with_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("tls");
    let settings = TlsSettings::default();
    let mut said = vec![fingerprints(&settings, data.path()).unwrap_err()];
    drop(open(&settings, data.path(), Time(0)).unwrap());
    let key = fs::read_to_string(folder.join("authority.key")).unwrap();
    let mut broken = |file: &str, text: Option<&str>| {
        let before = fs::read_to_string(folder.join(file)).unwrap();
        match text {
            Some(text) => fs::write(folder.join(file), text).unwrap(),
            None => fs::remove_file(folder.join(file)).unwrap(),
        }
        said.push(open(&settings, data.path(), Time(0)).unwrap_err());
        fs::write(folder.join(file), before).unwrap();
    };
    broken("authority.key", None);
    broken("authority.key", Some("no key"));
    broken("authority.key", Some(&KeyPair::generate().unwrap().serialize_pem()));
    broken("authority.pem", Some("no certificate"));
    broken("authority.pem", Some(&key));
    let said: Vec<String> = said.iter().map(|error| format!("{error:#}")).collect();
    insta::assert_snapshot!(said.join("\n").replace(&data.path().display().to_string(), "DATA"));
    // The certificate itself is only stored to be used again.
    fs::write(folder.join("certificate.json"), "{").unwrap();
    open(&settings, data.path(), Time(0)).unwrap();
}

/// A certificate that signs itself, and its key, as PEM.
fn own(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[test]
fn a_certificate_in_files_is_taken_anew_and_the_old_one_kept_while_they_are_broken() {
    let folder = tempfile::tempdir().unwrap();
    let paths = OwnCertificate { certificate: folder.path().join("c.pem"), key: folder.path().join("k.pem") };
    let settings = TlsSettings { own: Some(paths.clone()), ..TlsSettings::default() };
    let write = |certificate: &str, key: &str| {
        fs::write(&paths.certificate, certificate).unwrap();
        fs::write(&paths.key, key).unwrap();
    };
    let (first, second) = (own("first"), own("second"));
    write(&first.0, &first.1);
    let tls = open(&settings, folder.path(), Time(0)).unwrap();
    assert!(tls.authority().is_none(), "whom it is from, the machines of the lab know");
    let before = shown(&tls);
    assert_eq!(fingerprints(&settings, folder.path()).unwrap(), before);
    let look = || {
        tls.look(Time(0));
        (shown(&tls) == before, tls.trouble().unwrap_or_default())
    };
    assert_eq!(look(), (true, String::new()));
    // As it is renewed: one file after the other.
    write(&second.0, &first.1);
    let (kept, told) = look();
    assert!(kept && told.contains("k.pem is not the key of the first certificate"), "{told}");
    assert_eq!(look(), (true, told), "it is told for as long as it is so");
    write(&second.0, &second.1);
    assert_eq!(look(), (false, String::new()));
    write("", "");
    let (_, told) = look();
    assert!(told.contains("c.pem holds no certificate"), "{told}");
}

#[test]
fn files_that_hold_no_certificate_and_key_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = own("bench");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let paths = OwnCertificate { certificate: folder.path().join("c.pem"), key: folder.path().join("k.pem") };
    let settings = TlsSettings { own: Some(paths.clone()), ..TlsSettings::default() };
    let mut said = Vec::new();
    let list = certificate.repeat(limits::CERTIFICATES_MAX + 1);
    let large = "x".repeat(usize::try_from(limits::CERTIFICATE_BYTES_MAX).unwrap() + 1);
    let damaged = certificate.replace("MII", "!!!");
    for (certificate, key) in [
        (None, Some(&*key)),
        (Some(&*certificate), None),
        (Some(&*key), Some(&*key)),
        (Some(&*damaged), Some(&*key)),
        (Some(&*list), Some(&*key)),
        (Some(&*large), Some(&*key)),
        (Some(&*certificate), Some(&*certificate)),
        (Some(&*certificate), Some(encrypted)),
        (Some(&*certificate), Some(&*own("other").1)),
    ] {
        for (path, text) in [(&paths.certificate, certificate), (&paths.key, key)] {
            drop(fs::remove_file(path));
            if let Some(text) = text {
                fs::write(path, text).unwrap();
            }
        }
        said.push(format!("{:#}", open(&settings, folder.path(), Time(0)).unwrap_err()));
    }
    insta::assert_snapshot!(said.join("\n").replace(&folder.path().display().to_string(), "LAB"));
}
