//! Who hears of runs: a real mail server with TLS and a log-in, and an address for webhooks, on good and bad days. Each mail comes once, each
//! webhook at least once.

use std::{path::PathBuf, process::Command, time::Duration};

use jackfield_protocol::{event::RunState, id::RunId};
use jackfield_tests::{Bench, full_disk::SmallDisk, present, process::Process, wait};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
const SERVER: &str = include_str!("hearers/receiver.py");

/// The other end.
struct Hearers {
    folder: PathBuf,
    mail: u64,
    hooks: u64,
    _process: Process,
}

impl Hearers {
    fn start(bench: &Bench, mode: &str) -> Self {
        let folder = bench.path().join("hearers");
        std::fs::create_dir(&folder).unwrap();
        let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::default());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        std::fs::write(bench.lab().join("lab-ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.join("own.pem"), own.signed_by(&key, &issuer).unwrap().pem()).unwrap();
        std::fs::write(folder.join("own.key"), key.serialize_pem()).unwrap();
        std::fs::write(folder.join("mode"), mode).unwrap();
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", SERVER]).arg(&folder);
        let process = Process::start("receiver", &mut command, &folder.join("log")).unwrap();
        let ports = wait::until(LIMIT, "the receiver", || {
            let ports = std::fs::read(folder.join("ports")).ok();
            Ok(ports.map(|ports| serde_json::from_slice::<[u64; 2]>(&ports).unwrap()))
        });
        let [mail, hooks] = ports.unwrap_or_else(|error| panic!("{error}: {}", process.output()));
        Self { folder, mail, hooks, _process: process }
    }

    fn mode(&self, mode: &str) {
        std::fs::write(self.folder.join("mode"), mode).unwrap();
    }

    fn noted(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn wait_for(&self, name: &str, count: usize) -> Vec<Value> {
        wait::until(LIMIT, name, || Ok(Some(self.noted(name)).filter(|noted| noted.len() >= count))).unwrap()
    }
}

/// An engine that knows the lab's authority, with everything that tells of runs.
fn bench(mode: &str) -> (Bench, Hearers) {
    let mut bench = Bench::start_in("[mail]\nca = \"lab-ca.pem\"\n", |bench| {
        SmallDisk::mount(&bench.lab().join(".jackfield"), 24).map(Some)
    })
    .unwrap();
    let hearers = Hearers::start(&bench, mode);
    let email = format!(
        "<root><Enabled>true</Enabled><SMTPPath>127.0.0.1:{}</SMTPPath><SMTPUser>lab</SMTPUser><SMTPPwd>s3cret</SMTPPwd>\
         <From>lab@example.org</From><Subject>$jackfield_project</Subject></root>\n",
        hearers.mail
    );
    bench.write("email.xml", &email).unwrap();
    // No <To> at all: the rules name everybody.
    bench
        .write("mail.toml", "[[rule]]\nto = [\"\\\"Pop, Ana\\\" <ana@example.org>\", \"bob@example.org\"]\n")
        .unwrap();
    let hook = format!("[[webhook]]\nname = \"ci\"\nurl = \"http://127.0.0.1:{}/ci\"\n", hearers.hooks);
    bench.write("webhooks.toml", &hook).unwrap();
    bench.write("tests/bad.sh", "#!/bin/sh\necho what the router said\nexit 1\n").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    (bench, hearers)
}

fn ended_run(bench: &Bench) -> RunId {
    let project = "<Root><TestSuite><tsName>one</tsName><TestCase><tcName>bad.sh</tcName></TestCase></TestSuite></Root>";
    let run = bench.api.submit("night", project).unwrap();
    assert_eq!(bench.api.wait(run, LIMIT).unwrap().state, RunState::Completed);
    run
}

fn wait_until_all_is_done(bench: &Bench, run: RunId) {
    let jobs = || Ok(bench.api.get::<Vec<Value>>(&format!("/runs/{run}/jobs"))?.is_empty().then_some(()));
    wait::until(LIMIT, "the work after the run", jobs).unwrap();
}

fn is_left_out() -> bool {
    present::left_out("python3-aiosmtpd", "/usr/lib/python3/dist-packages/aiosmtpd")
}

#[test]
fn mail_and_webhooks_come_by_tls_with_a_log_in_although_refused_at_first() {
    if is_left_out() {
        return;
    }
    let (bench, hearers) = bench("grey");
    let run = ended_run(&bench);
    wait_until_all_is_done(&bench, run);
    let mails = hearers.noted("mails");
    let mut people: Vec<&str> =
        mails.iter().flat_map(|mail| mail["to"].as_array().unwrap()).filter_map(Value::as_str).collect();
    people.sort_unstable();
    assert_eq!(people, ["ana@example.org", "bob@example.org"], "each once");
    for mail in &mails {
        let text = |key: &str| mail[key].as_str().unwrap();
        assert!(
            mail["tls"] == true
                && text("subject") == "night"
                && text("people") == "\"Pop, Ana\" <ana@example.org>",
            "{mail}"
        );
        assert!(
            text("plain").contains("  | what the router said")
                && text("html").contains("what the router said"),
            "{mail}"
        );
    }
    let [hook] = &*hearers.noted("hooks") else { panic!("once, since its answer came") };
    let refused: Vec<Value> =
        hearers.noted("refused").into_iter().filter(|refused| refused["path"] == "/ci").collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["id"], hook["id"], "the same each time");
    let told: Value = serde_json::from_str(hook["body"].as_str().unwrap()).unwrap();
    assert_eq!(told["not_passed"][0]["verdict"], "FAIL", "{told}");
    hearers.mode("");
    wait_until_all_is_done(&bench, ended_run(&bench));
    let second = hearers.noted("mails").pop().unwrap();
    assert!(
        second["has_picture"] == true && second["html"].as_str().unwrap().contains("cid:trend"),
        "{second}"
    );
    for arguments in [&["mail", "test", "eva@example.org"][..], &["webhook", "test", "ci"]] {
        let tested = bench.jackfield(arguments).unwrap();
        assert!(tested.status.success(), "{tested:?}");
    }
    assert_eq!(hearers.noted("mails").last().unwrap()["to"][0], "eva@example.org");
    let shown = bench.jackfield(&["webhook", "preview", &run.to_string(), "ci"]).unwrap();
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown, told, "what is shown is what was sent");
}

#[test]
fn one_copy_comes_although_the_engines_disk_is_full_when_it_is_taken() {
    if is_left_out() {
        return;
    }
    let (bench, hearers) = bench("down");
    let run = ended_run(&bench);
    hearers.wait_for("refused", 3);
    bench.disk().fill().unwrap();
    hearers.mode("");
    hearers.wait_for("mails", 1);
    hearers.wait_for("hooks", 1);
    bench.disk().make_room().unwrap();
    wait_until_all_is_done(&bench, run);
    assert_eq!(
        hearers.noted("mails").len(),
        1,
        "that it was taken is noted as often as that needs, and the mail not sent again"
    );
}

#[test]
fn a_server_that_nobody_here_believes_gets_no_password() {
    if is_left_out() {
        return;
    }
    let (bench, hearers) = bench("");
    std::fs::remove_file(bench.lab().join("lab-ca.pem")).unwrap();
    let tested = bench.jackfield(&["mail", "test", "eva@example.org"]).unwrap();
    let told = String::from_utf8_lossy(&tested.stderr).into_owned();
    assert!(!tested.status.success() && told.contains("lab-ca.pem"), "{told}");
    assert!(hearers.noted("mails").is_empty());
}
