//! OpenSSH's server and agent: every way in, every way it is refused, through other hosts, and what happens when it dies.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use jackfield_device::{
    beside::{Status, execute},
    session::{Session, SessionError, SessionSettings},
};
use serde_json::{Value, json};

use crate::{
    LONG,
    peers::{Server, installed, run, ssh_properties, sshd},
    scratch, settings, target,
};

const SSHD: &str = "/usr/sbin/sshd";

fn there() -> bool {
    installed(SSHD, "openssh-server") && installed("/usr/bin/ssh-agent", "openssh-client")
}

async fn enter(properties: Value, settings: &SessionSettings) -> Result<Session, SessionError> {
    Session::open(target([], properties), settings, LONG, Vec::new()).await
}

async fn refused(properties: Value, settings: &SessionSettings) -> String {
    let error = enter(properties, settings).await.unwrap_err();
    assert!(error.is_lab(), "{error}");
    error.to_string()
}

/// Some properties with others over them; null takes one away.
fn with(properties: &Value, more: &Value) -> Value {
    let mut all = properties.as_object().unwrap().clone();
    all.extend(more.as_object().unwrap().clone());
    all.retain(|_, value| !value.is_null());
    Value::Object(all)
}

with_both_libraries!(
    a_key_may_be_protected_or_stand_in_the_resource,
    an_agent_shows_its_keys,
    passwords_are_given_as_the_server_asks,
    a_changed_host_key_is_refused_with_file_line_and_both_keys,
    a_device_is_reached_through_other_hosts,
    commands_run_beside_the_dialogue,
    a_server_that_dies_is_told_as_what_it_is,
    a_server_that_no_longer_answers_is_given_up
);

async fn a_key_may_be_protected_or_stand_in_the_resource(library: &str) {
    if !there() {
        return;
    }
    let (folder, settings) = settings();
    let server = sshd(&folder, "");
    let key = scratch(&folder, "locked").display().to_string();
    run("ssh-keygen", &["-q", "-t", "rsa", "-b", "2048", "-N", "open sesame", "-f", &key]);
    let authorized = std::fs::read_to_string(format!("{key}.pub")).unwrap();
    std::fs::write(scratch(&folder, "authorized"), authorized).unwrap();
    let plain = with(&ssh_properties(library, &server, &folder), &json!({"key": key}));
    let told = refused(plain.clone(), &settings).await;
    assert!(
        told.contains(&format!("key file `{key}` cannot be used: it is protected: add `passphrase`")),
        "{told}"
    );
    let told = refused(with(&plain, &json!({"passphrase": "no"})), &settings).await;
    assert!(told.ends_with("its passphrase is wrong"), "{told}");
    let mut session = enter(with(&plain, &json!({"passphrase": "open sesame"})), &settings).await.unwrap();
    assert_eq!(session.command("echo in", LONG).await.unwrap(), "in");
    session.close().await;
    let text = std::fs::read_to_string(&key).unwrap();
    let mut session =
        enter(with(&plain, &json!({"key": text, "passphrase": "open sesame"})), &settings).await.unwrap();
    session.close().await;
    let told = refused(with(&plain, &json!({"key": scratch(&folder, "id")})), &settings).await;
    assert!(told.contains("the device did not accept the key for user"), "{told}");
    let told = refused(with(&plain, &json!({"key": "/no/such/key"})), &settings).await;
    assert!(told.contains("key file `/no/such/key` cannot be used: No such file"), "{told}");
    let told = refused(with(&plain, &json!({"key": null})), &settings).await;
    assert!(told.contains("add `password`, `key` or `agent` to the resource"), "{told}");
}

/// An agent of its own.
struct Agent(Child);

impl Agent {
    async fn start(socket: &Path) -> Self {
        let child = Command::new("/usr/bin/ssh-agent")
            .args(["-D", "-a"])
            .arg(socket)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while tokio::net::UnixStream::connect(socket).await.is_err() {
            tokio::task::yield_now().await;
        }
        Self(child)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

async fn an_agent_shows_its_keys(library: &str) {
    if !there() {
        return;
    }
    let (folder, mut settings) = settings();
    let server = sshd(&folder, "");
    let socket = scratch(&folder, "agent");
    let _agent = Agent::start(&socket).await;
    let by_agent = with(&ssh_properties(library, &server, &folder), &json!({"key": null, "agent": socket}));
    let told = refused(by_agent.clone(), &settings).await;
    assert!(told.ends_with("has no keys: add one with ssh-add"), "{told}");
    // A key that the server does not know goes first.
    let other = scratch(&folder, "other").display().to_string();
    run("ssh-keygen", &["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", &other]);
    for key in [other, scratch(&folder, "id").display().to_string()] {
        let added = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &socket).status();
        assert!(added.unwrap().success());
    }
    let mut session = enter(by_agent.clone(), &settings).await.unwrap();
    assert_eq!(session.command("echo by agent", LONG).await.unwrap(), "by agent");
    session.close().await;
    // The EP's own agent is asked where nothing else is said.
    let bare = with(&by_agent, &json!({"agent": null}));
    let told = refused(bare.clone(), &settings).await;
    assert!(told.contains("nothing to log in with"), "{told}");
    settings.agent = Some(socket);
    enter(bare.clone(), &settings).await.unwrap().close().await;
    let told = refused(with(&bare, &json!({"agent": false})), &settings).await;
    assert!(told.contains("nothing to log in with"), "{told}");
    settings.agent = Some("/no/such/socket".into());
    let told = refused(bare, &settings).await;
    assert!(told.contains("the SSH agent cannot be used: `/no/such/socket`"), "{told}");
}

/// A server that sees another /etc/shadow, in which root's password is `jackfield`: in a mount namespace of its own.
fn sshd_with_password(folder: &tempfile::TempDir, more: &str) -> Option<Server> {
    if run("id", &["-u"]) != "0" {
        eprintln!(
            "NOT TESTED: passwords of OpenSSH; only root can give the server a password file of its own"
        );
        return None;
    }
    // Keys and configuration as everywhere; the server itself is started anew.
    drop(sshd(folder, more));
    let hash = run("/usr/bin/perl", &["-e", r#"print crypt("jackfield", "\$6\$jackfield\$")"#]);
    let shadow = std::fs::read_to_string("/etc/shadow").unwrap();
    let others: Vec<&str> = shadow.lines().filter(|line| !line.starts_with("root:")).collect();
    let text = format!("root:{hash}:19000:0:99999:7:::\n{}\n", others.join("\n"));
    let file = scratch(folder, "shadow");
    std::fs::write(&file, text).unwrap();
    let config = scratch(folder, "config");
    let script =
        format!("mount --bind {} /etc/shadow && exec {SSHD} -i -f {}", file.display(), config.display());
    let arguments = ["--mount", "sh", "-c", &script].map(str::to_owned);
    Some(Server::start("/usr/bin/unshare", &arguments))
}

async fn passwords_are_given_as_the_server_asks(library: &str) {
    if !there() {
        return;
    }
    for (more, by) in [
        ("PasswordAuthentication yes\nKbdInteractiveAuthentication no", "the password"),
        (
            "PasswordAuthentication no\nKbdInteractiveAuthentication yes\nUsePAM yes",
            "answers to its questions",
        ),
        ("AuthenticationMethods publickey,password", "the key and the password"),
    ] {
        let (folder, settings) = settings();
        // OpenSSH takes the first of two lines that say the same.
        let Some(server) = sshd_with_password(&folder, "") else { return };
        let config = std::fs::read_to_string(scratch(&folder, "config")).unwrap();
        std::fs::write(scratch(&folder, "config"), format!("{more}\n{config}")).unwrap();
        let key = if by.contains("key") {
            scratch(&folder, "id").display().to_string().into()
        } else {
            Value::Null
        };
        let properties = with(
            &ssh_properties(library, &server, &folder),
            &json!({"user": "root", "password": "jackfield", "key": key}),
        );
        let mut session = enter(properties.clone(), &settings).await.unwrap();
        assert_eq!(session.command("echo in", LONG).await.unwrap(), "in", "{by}");
        session.close().await;
        let told = refused(with(&properties, &json!({"password": "wrong"})), &settings).await;
        assert!(
            told.contains(&format!("the device did not accept {by} for user `root`; it offers: ")),
            "{told}"
        );
    }
}

async fn a_changed_host_key_is_refused_with_file_line_and_both_keys(library: &str) {
    if !there() {
        return;
    }
    let (folder, settings) = settings();
    let server = sshd(&folder, "");
    let properties = ssh_properties(library, &server, &folder);
    std::fs::write(&settings.known_hosts, "# keys of the lab\n").unwrap();
    enter(properties.clone(), &settings).await.unwrap().close().await;
    let file = settings.known_hosts.display().to_string();
    // The device was set up anew: it has other keys.
    let old = run("ssh-keygen", &["-lf", &scratch(&folder, "host_ed").display().to_string()]);
    let old = old.split(' ').nth(1).unwrap().to_owned();
    for kind in ["ed", "rsa"] {
        let key = scratch(&folder, &format!("host_{kind}"));
        std::fs::remove_file(&key).unwrap();
        let kind = if kind == "ed" { "ed25519" } else { "rsa" };
        run("ssh-keygen", &["-q", "-t", kind, "-N", "", "-f", &key.display().to_string()]);
    }
    let new = run("ssh-keygen", &["-lf", &scratch(&folder, "host_ed").display().to_string()]);
    let new = new.split(' ').nth(1).unwrap().to_owned();
    for policy in ["accept-new", "strict"] {
        let told = refused(with(&properties, &json!({"host_key": policy})), &settings).await;
        let host = format!("127.0.0.1:{}", server.port);
        let expected = format!(
            "ssh {host}: the host key of {host} has changed: line 2 of {file} has ssh-ed25519 {old}, the host now shows {new}; someone may be listening. If the device was replaced or set up anew, check the new key and remove that line (ssh-keygen -R '[127.0.0.1]:{}' -f {file})",
            server.port
        );
        assert_eq!(told, expected);
    }
    // What it tells to do helps.
    run("ssh-keygen", &["-R", &format!("[127.0.0.1]:{}", server.port), "-f", &file]);
    let told = refused(with(&properties, &json!({"host_key": "strict"})), &settings).await;
    assert!(told.contains(&format!("is not known (ssh-ed25519 {new})")), "{told}");
    enter(with(&properties, &json!({"host_key": new})), &settings).await.unwrap().close().await;
    // The file may hash its names.
    enter(properties.clone(), &settings).await.unwrap().close().await;
    run("ssh-keygen", &["-H", "-f", &file]);
    enter(with(&properties, &json!({"host_key": "strict"})), &settings).await.unwrap().close().await;
    // A host that is known by one kind of key does not get in with another.
    let text = std::fs::read_to_string(&file).unwrap();
    let rsa = std::fs::read_to_string(scratch(&folder, "host_rsa.pub")).unwrap();
    let mut words = rsa.split(' ');
    let rsa = format!("[127.0.0.1]:{} {} {}\n", server.port, words.next().unwrap(), words.next().unwrap());
    std::fs::write(&file, rsa).unwrap();
    enter(with(&properties, &json!({"host_key": "strict"})), &settings).await.unwrap().close().await;
    std::fs::write(
        &file,
        format!(
            "@revoked * {}",
            text.rsplit_once("ssh-ed25519").map(|(_, key)| format!("ssh-ed25519{key}")).unwrap()
        ),
    )
    .unwrap();
    let told = refused(properties, &settings).await;
    assert!(told.contains("is revoked by line 1 of"), "{told}");
}

async fn a_device_is_reached_through_other_hosts(library: &str) {
    if !there() {
        return;
    }
    let (folder, settings) = settings();
    let device = sshd(&folder, "");
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let jumps = folders.each_ref().map(|folder| sshd(folder, ""));
    let jump = |at: usize| json!({"host": "127.0.0.1", "port": jumps[at].port, "user": "root", "key": scratch(&folders[at], "id")});
    let properties = ssh_properties(library, &device, &folder);
    // Another library may speak with a host on the way.
    let mut by_other = jump(1);
    by_other["ssh_backend"] = json!(if library == "russh" { "libssh2" } else { "russh" });
    for way in [json!([jump(0)]), json!([jump(0), jump(1)]), json!([jump(0), by_other])] {
        let mut session = enter(with(&properties, &json!({"jump": way})), &settings).await.unwrap();
        assert_eq!(session.command("echo far", LONG).await.unwrap(), "far");
        let many = session.command("seq 1 20000", LONG).await.unwrap();
        assert_eq!(many.lines().count(), 20_000);
        session.close().await;
    }
    // Each host's own key is checked, and the error names the host.
    let mut stranger = jump(0);
    stranger["host_key"] = json!("SHA256:AAAA");
    let told = refused(with(&properties, &json!({"jump": [jump(1), stranger]})), &settings).await;
    assert!(told.contains(&format!("jump host 127.0.0.1:{}: the host key of", jumps[0].port)), "{told}");
    let mut elsewhere = properties.clone();
    elsewhere["port"] = json!(1);
    let told = refused(with(&elsewhere, &json!({"jump": [jump(0)]})), &settings).await;
    assert!(told.contains(&format!("jump host 127.0.0.1:{}", jumps[0].port)), "{told}");
    assert!(told.contains("the server could not connect there"), "{told}");
}

async fn commands_run_beside_the_dialogue(library: &str) {
    if !there() {
        return;
    }
    let (folder, settings) = settings();
    let server = sshd(&folder, "");
    // Without the forced shell, which would take the place of every command.
    let config = std::fs::read_to_string(scratch(&folder, "config")).unwrap();
    std::fs::write(scratch(&folder, "config"), config.replace("ForceCommand /bin/sh -i\n", "")).unwrap();
    let mut session = enter(ssh_properties(library, &server, &folder), &settings).await.unwrap();
    let beside = session.dialogue().beside().unwrap();
    let left = execute(beside.as_ref(), "echo out; echo err >&2; exit 3").await.unwrap();
    assert_eq!((left.output.as_slice(), left.error.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    assert_eq!((left.status, left.cut), (Some(Status::Code(3)), false));
    let killed = execute(beside.as_ref(), "kill -TERM $$").await.unwrap();
    assert_eq!(killed.status, Some(Status::Signal("TERM".to_owned())));
    let large = execute(beside.as_ref(), "head -c 3000000 /dev/zero").await.unwrap();
    assert_eq!(large.output.len(), 3_000_000);
    assert_eq!(session.command("echo still here", LONG).await.unwrap(), "still here");
    session.close().await;
    let gone = execute(beside.as_ref(), "true").await.unwrap_err();
    assert!(gone.to_string().contains("SSH"), "{gone}");
}

async fn a_server_that_dies_is_told_as_what_it_is(library: &str) {
    if !there() {
        return;
    }
    let (folder, settings) = settings();
    let server = sshd(&folder, "");
    let mut session = enter(ssh_properties(library, &server, &folder), &settings).await.unwrap();
    let waiting = session.command("echo begun; sleep 60", LONG);
    let killing = async {
        tokio::task::yield_now().await;
        server.kill();
    };
    let (ended, ()) = tokio::join!(waiting, killing);
    let error = ended.unwrap_err();
    assert!(error.is_lab(), "{error}");
    let source = std::error::Error::source(&error).unwrap();
    let told = format!(
        "{error}: {}",
        std::error::Error::source(source).map(ToString::to_string).unwrap_or_default()
    );
    assert!(told.contains("the connection to the device broke waiting for the prompt"), "{told}");
    assert!(told.contains("the SSH connection was lost: "), "{told}");
    // A shell that ends by itself is another matter.
    let mut session = enter(ssh_properties(library, &server, &folder), &settings).await.unwrap();
    let told = session.command("exit 7", LONG).await.unwrap_err().to_string();
    assert!(told.contains("the device closed the connection"), "{told}");
    assert!(told.ends_with("(the shell ended with status 7)"), "{told}");
}

async fn a_server_that_no_longer_answers_is_given_up(library: &str) {
    if !there() {
        return;
    }
    let (folder, settings) = settings();
    let server = sshd(&folder, "");
    let properties = with(&ssh_properties(library, &server, &folder), &json!({"keepalive": "100ms"}));
    let mut session = enter(properties, &settings).await.unwrap();
    server.signal("-STOP");
    let error = session.command("echo", Duration::from_secs(15)).await.unwrap_err();
    server.signal("-CONT");
    let source = std::error::Error::source(&error).unwrap();
    let told = std::error::Error::source(source).map(ToString::to_string).unwrap_or_default();
    assert_eq!(told, "the SSH connection was lost: the server did not answer when asked whether it lives");
}
