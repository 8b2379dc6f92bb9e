//! Whoever is not who they should be: an engine of another authority, a certificate that is over, a token that was copied, and those who come
//! to the engine's door with something else than TLS.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use jackfield_protocol::api::EpState;
use jackfield_tests::{Bench, process::jackfield, wait};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

const LIMIT: Duration = Duration::from_secs(60);

/// A command of somebody with a configuration folder of their own.
fn command(home: &Path, arguments: &[&str], input: &str) -> Output {
    let file = home.join("input");
    std::fs::create_dir_all(home).unwrap();
    std::fs::write(&file, input).unwrap();
    let mut command = Command::new(jackfield());
    command.args(arguments).env("XDG_CONFIG_HOME", home).env_remove("JACKFIELD_API_TOKEN");
    command.stdin(std::fs::File::open(&file).unwrap()).stdout(Stdio::piped()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What an EP says until it ends, or until it has said this.
fn wait_for_word(bench: &Bench, ep: &str, word: &str) {
    wait::until(LIMIT, &format!("{ep} to say {word}"), || Ok(bench.ep_log(ep).contains(word).then_some(())))
        .unwrap();
}

#[test]
fn an_engine_that_is_another_one_gets_nothing_until_somebody_agrees() {
    let mut bench = Bench::start("").unwrap();
    let (home, engine, password) = (bench.path().join("home"), bench.https(), bench.admin_password.clone());
    // Nobody is there to be asked.
    let unknown = command(&home, &["login", "admin", "--engine", &engine], &password);
    assert_eq!(unknown.status.code(), Some(3), "{}", said(&unknown));
    assert!(
        said(&unknown).contains("--fingerprint") && said(&unknown).contains(&bench.fingerprint),
        "{}",
        said(&unknown)
    );
    let wrong = "AB".repeat(32);
    let login = ["login", "admin", "--engine", &engine, "--fingerprint"];
    let other = command(&home, &[&login[..], &[&wrong]].concat(), &password);
    assert!(
        said(&other).contains("is not the one it was") && said(&other).contains(&bench.fingerprint),
        "{}",
        said(&other)
    );
    let first = bench.fingerprint.clone();
    let agreed = command(&home, &[&login[..], &[&first]].concat(), &password);
    assert!(agreed.status.success(), "{}", said(&agreed));
    let list = ["eps", "list", "--engine", &engine];
    assert!(command(&home, &list, "").status.success());
    bench.start_ep("EP-1", &format!("engine = {engine:?}\n")).unwrap();

    // It knows that it was welcome a moment after the engine does.
    wait_for_word(&bench, "EP-1", "connected to");

    // Somebody else answers there: the store is the same, so that only what they show is another.
    bench.kill_engine();
    let (own, aside) = (bench.lab().join(".jackfield/tls"), bench.path().join("tls"));
    std::fs::rename(&own, &aside).unwrap();
    bench.start_engine().unwrap();
    assert_ne!(bench.fingerprint, first);
    let changed = command(&home, &list, "");
    assert_eq!(changed.status.code(), Some(3), "{}", said(&changed));
    for word in ["is not the one it was", &bench.fingerprint, &first, "nothing was sent"] {
        assert!(said(&changed).contains(word), "{word}: {}", said(&changed));
    }
    wait_for_word(&bench, "EP-1", "is not the one it was");
    assert_eq!(bench.ep("EP-1").ended(), None, "what it holds is another's to hear");
    let asked = bench.jackfield(&["eps", "show", "EP-1", "--json"]).unwrap();
    assert!(String::from_utf8_lossy(&asked.stdout).contains("offline"));
    // A new EP with the token of the first engine ends, and says what to do.
    bench.launch_ep("EP-2", &format!("engine = {engine:?}\nfingerprint = {first:?}\n")).unwrap();
    wait_for_word(&bench, "EP-2", "make another token there");
    // And a person who knows better agrees anew.
    let second = bench.fingerprint.clone();
    assert!(command(&home, &[&login[..], &[&second]].concat(), &password).status.success());
    assert!(command(&home, &list, "").status.success());

    bench.kill_engine();
    std::fs::remove_dir_all(&own).unwrap();
    std::fs::rename(&aside, &own).unwrap();
    bench.start_engine().unwrap();
    bench.wait_for_ep("EP-1", |state| state != EpState::Offline).unwrap();
}

/// An authority, and a certificate that it signed for this machine's address, from and until these years, with its key.
fn certificate(from: i32, until: i32) -> [String; 3] {
    let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::default());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let (key, names) = (KeyPair::generate().unwrap(), vec!["127.0.0.1".to_owned()]);
    let mut params = CertificateParams::new(names).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    [authority, certificate, key.serialize_pem()]
}

#[test]
fn a_certificate_of_the_labs_own_is_believed_while_it_lasts_and_renewed_without_a_restart() {
    let settings = "[tls]\ncertificate = \"own.pem\"\nkey = \"own.key\"\n";
    let [old_authority, old, old_key] = certificate(2001, 2002);
    let write = |bench: &Bench, certificate: &str, key: &str| {
        bench.write("own.pem", certificate).unwrap();
        bench.write("own.key", key).unwrap();
    };
    let mut bench = Bench::start_in(settings, |bench| {
        write(bench, &old, &old_key);
        Ok(None)
    })
    .unwrap();
    let (home, engine, ca) = (bench.path().join("home"), bench.https(), bench.path().join("ca.pem"));
    std::fs::write(&ca, &old_authority).unwrap();
    let list = |bench: &Bench, engine: &str| {
        let mut list = Command::new(jackfield());
        list.args(["eps", "list", "--engine", engine, "--token", &bench.api.token])
            .env("XDG_CONFIG_HOME", &home);
        list.env("SSL_CERT_FILE", &ca).output().unwrap()
    };
    let over = list(&bench, &engine);
    assert!(
        said(&over).contains("ended at 2002-01-01T00:00:00.000Z") && said(&over).contains("clock"),
        "{}",
        said(&over)
    );
    bench.launch_ep("EP-1", &format!("engine = {engine:?}\nca = {ca:?}\n")).unwrap();
    wait_for_word(&bench, "EP-1", "ended at 2002-01-01");

    // One file after the other, and then of another authority: the EP goes on, and believes what it was told to.
    let [_, other, other_key] = certificate(2001, 2099);
    write(&bench, &other, &other_key);
    let told = |word: &str| {
        wait::until(LIMIT, word, || Ok(said(&list(&bench, &engine)).contains(word).then_some(()))).unwrap();
    };
    told("does not know the authority");
    let [new_authority, new, new_key] = certificate(2001, 2099);
    std::fs::write(&ca, &new_authority).unwrap();
    write(&bench, "no certificate", &new_key);
    let broken = || bench.jackfield(&["doctor", "--json"]).unwrap();
    wait::until(LIMIT, "the broken file to be told", || {
        Ok(String::from_utf8_lossy(&broken().stdout).contains("holds no certificate").then_some(()))
    })
    .unwrap();
    write(&bench, &new, &new_key);
    wait::until(LIMIT, "the new certificate", || Ok(list(&bench, &engine).status.success().then_some(())))
        .unwrap();
    // A name that it is not for.
    let elsewhere = list(&bench, &engine.replacen("127.0.0.1", "localhost", 1));
    assert!(said(&elsewhere).contains("is not for `localhost`"), "{}", said(&elsewhere));
    bench.kill_ep("EP-1");
    bench.start_ep("EP-1", "").unwrap();
}

#[test]
fn a_token_is_the_first_eps_and_a_copy_of_it_opens_nothing() {
    let mut bench = Bench::start("").unwrap();
    let engine = bench.https();
    bench.start_ep("EP-1", &format!("engine = {engine:?}\n")).unwrap();
    let token = bench.ep_token("EP-1").unwrap();
    bench.kill_ep("EP-1");
    let copied = |name: &str, work: &str| {
        let config = bench.path().join("copy.toml");
        let work = bench.path().join(work);
        let text = format!("name = {name:?}\nengine = {engine:?}\ntoken = {token:?}\nwork = {work:?}\n");
        std::fs::write(&config, text).unwrap();
        let output = Command::new(jackfield()).arg("ep").arg("--config").arg(&config).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        said(&output)
    };
    let other = copied("EP-2", "other");
    assert!(other.contains("by EP EP-1 which it belongs to") && other.contains("revoke it"), "{other}");
    let same = copied("EP-1", "copy");
    assert!(same.contains("with another work folder") && same.contains("it was stolen"), "{same}");
    // Whose it is comes back as ever.
    bench.start_ep("EP-1", "").unwrap();
    let listed = bench.jackfield(&["token", "list"]).unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.lines().any(|line| line.trim_end().ends_with("EP-1")), "{listed}");
    let made = bench.jackfield(&["token", "create", "many", "--scope", "ep"]).unwrap();
    let shared = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    for name in ["EP-3", "EP-4"] {
        let folder = bench.path().join("eps").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let (file, work) = (folder.join("ep.toml"), folder.join("work"));
        let text = format!("name = {name:?}\nengine = {engine:?}\ntoken = {shared:?}\nwork = {work:?}\n");
        std::fs::write(file, text).unwrap();
        bench.start_ep(name, "").unwrap();
    }
}

#[test]
fn a_cookie_is_for_the_encrypted_wire_where_it_came_by_one() {
    let bench = Bench::start("").unwrap();
    let pin = bench.fingerprint.parse().unwrap();
    let config = || ureq::Agent::config_builder().http_status_as_error(false).build();
    let secure = jackfield_tls::agent(config(), jackfield_tls::Trust::Pinned(pin).client().unwrap());
    let cookie = |agent: &ureq::Agent, engine: &str| {
        let login = serde_json::json!({"user": "admin", "password": bench.admin_password});
        let answer = agent.post(format!("{engine}/api/v1/login")).send_json(login).unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(
            answer.headers().get("strict-transport-security"),
            None,
            "it would hold for every port of the host"
        );
        answer.headers().get("set-cookie").unwrap().to_str().unwrap().to_owned()
    };
    assert!(cookie(&secure, &bench.https()).contains("Secure"));
    assert!(!cookie(&config().new_agent(), &bench.api.url).contains("Secure"));
    // The authority is there for whoever compares it.
    let mut answer = secure.get(format!("{}/authority.pem", bench.https())).call().unwrap();
    let pem = answer.body_mut().read_to_string().unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
    let said = bench.jackfield(&["engine", "fingerprint", "--lab", bench.lab().to_str().unwrap()]).unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), bench.fingerprint);
}

/// Says this to the engine, and what it answers until it closes.
fn say(bench: &Bench, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(bench.address().unwrap()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A reset is an end, too.
    drop(stream.read_to_end(&mut answer));
    answer
}

/// The first word of a client that speaks this version at the most.
fn client_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![3, minor];
    hello.extend([7; 32]);
    // No session, one cipher of old, no compression.
    hello.extend([0, 0, 2, 0xc0, 0x14, 1, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![0x16, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    record
}

#[test]
fn whoever_comes_with_something_else_is_sent_away_and_nobody_waits_for_the_silent() {
    let bench = Bench::start("").unwrap();
    for minor in [0, 1, 2] {
        let alert = say(&bench, &client_hello(minor));
        let [0x15, 3, _, 0, 2, 2, _why] = alert[..] else {
            panic!("SSL 3, TLS 1.0 and 1.1 are over, and this is no fatal alert: {minor}: {alert:?}")
        };
    }
    // A record that is longer than any may be, one that is none, and a handshake that does not begin with a hello.
    for broken in
        [&[0x16, 3, 1, 0xff, 0xff][..], &[0x16, 0, 0, 0, 4, 9, 9, 9, 9], &[0x16, 3, 1, 0, 4, 2, 0, 0, 0]]
    {
        let answer = say(&bench, broken);
        assert!(answer.first().is_none_or(|kind| *kind == 0x15), "{answer:?}");
    }
    let silent: Vec<TcpStream> =
        (0..500).map(|_| TcpStream::connect(bench.address().unwrap()).unwrap()).collect();
    let mut half = TcpStream::connect(bench.address().unwrap()).unwrap();
    half.write_all(&[0x16, 3, 1, 2]).unwrap();
    let engine = bench.https();
    for host in ["127.0.0.1", "localhost"] {
        let at = engine.replacen("127.0.0.1", host, 1);
        let seen = Command::new(jackfield())
            .args(["eps", "list", "--engine", &at, "--token", &bench.api.token])
            .output()
            .unwrap();
        assert!(seen.status.success(), "{host}: {}", said(&seen));
    }
    drop((silent, half));
}
