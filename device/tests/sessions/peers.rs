//! The system's own servers, OpenSSH and inetutils' telnetd, each started as inetd would: with a connection as its standard input.

use std::{
    net::TcpListener,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use jackfield_device::{channel::Window, expect::Patterns, session::Session};
use serde_json::json;

use crate::{LONG, open, scratch, settings, target};

/// A port on which every connection gets a server process of its own.
pub(crate) struct Server {
    pub(crate) port: u16,
    children: Arc<Mutex<Vec<Child>>>,
}

impl Server {
    pub(crate) fn start(program: &str, arguments: &[String]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let children = Arc::<Mutex<Vec<Child>>>::default();
        let (program, arguments, kept) = (program.to_owned(), arguments.to_vec(), Arc::clone(&children));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let input: OwnedFd = stream.into();
                let output = input.try_clone().unwrap();
                // A shell shows its prompt on its standard error.
                let errors =
                    if program == "/bin/sh" { output.try_clone().unwrap().into() } else { Stdio::null() };
                let mut command = Command::new(&program);
                command.args(&arguments).stdin(input).stdout(output).stderr(errors).process_group(0);
                kept.lock().unwrap().push(command.spawn().unwrap());
            }
        });
        Self { port, children }
    }

    /// Ends every server with all that it started, without a goodbye.
    pub(crate) fn kill(&self) {
        for child in self.children.lock().unwrap().iter_mut() {
            let group = format!("-{}", child.id());
            run("/bin/kill", &["-KILL", "--", &group]);
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// Sends a signal to every server and all that it started.
    pub(crate) fn signal(&self, signal: &str) {
        for child in self.children.lock().unwrap().iter() {
            run("/bin/kill", &[signal, "--", &format!("-{}", child.id())]);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Says loudly when a server is not installed, so that a green run does not hide it.
pub(crate) fn installed(program: &str, package: &str) -> bool {
    let there = Path::new(program).try_exists().unwrap_or(false);
    if !there {
        eprintln!("NOT TESTED: {program} is not there; apt-get install {package}");
    }
    there
}

pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// An OpenSSH server with keys in a folder of its own.
pub(crate) fn sshd(folder: &tempfile::TempDir, more: &str) -> Server {
    let path = |name: &str| scratch(folder, name).display().to_string();
    for (file, kind) in [("host_rsa", "rsa"), ("host_ed", "ed25519"), ("id", "ed25519")] {
        run("ssh-keygen", &["-q", "-t", kind, "-N", "", "-f", &path(file)]);
    }
    std::fs::copy(path("id.pub"), path("authorized")).unwrap();
    std::fs::create_dir_all("/run/sshd").ok();
    let config = format!(
        "HostKey {}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nForceCommand /bin/sh -i\n{more}\n",
        path("host_ed"),
        path("host_rsa"),
        path("authorized")
    );
    std::fs::write(path("config"), config).unwrap();
    Server::start("/usr/sbin/sshd", &["-i".to_owned(), "-f".to_owned(), path("config")])
}

/// inetutils' telnetd, which lets everybody in.
pub(crate) fn telnetd(folder: &tempfile::TempDir) -> Server {
    let shell = scratch(folder, "shell");
    std::fs::write(&shell, "#!/bin/sh\nexec /bin/sh -i\n").unwrap();
    run("chmod", &["755", &shell.display().to_string()]);
    Server::start("/usr/sbin/telnetd", &["-h".to_owned(), "-E".to_owned(), shell.display().to_string()])
}

pub(crate) fn ssh_properties(
    library: &str,
    server: &Server,
    folder: &tempfile::TempDir,
) -> serde_json::Value {
    json!({
        "protocol": "ssh", "host": "127.0.0.1", "port": server.port, "user": run("id", &["-un"]),
        "key": scratch(folder, "id").display().to_string(), "host_key": "accept-new", "profile": "linux",
        "ssh_backend": library,
    })
}

with_both_libraries!(openssh_lets_us_in_by_key, an_old_ssh_server_needs_legacy);

async fn openssh_lets_us_in_by_key(library: &str) {
    if !installed("/usr/sbin/sshd", "openssh-server") {
        return;
    }
    let (folder, settings) = settings();
    let server = sshd(&folder, "");
    let target = target([], ssh_properties(library, &server, &folder));
    let mut session = Session::open(target.clone(), &settings, LONG, Vec::new()).await.unwrap();
    assert_eq!(session.command("echo $((40 + 2)) $TERM", LONG).await.unwrap(), "42 dumb");
    session.resize(Window { rows: 33, columns: 132 }).await.unwrap();
    assert_eq!(session.command("stty size", LONG).await.unwrap(), "33 132");
    let many = session.command("seq 1 20000", LONG).await.unwrap();
    assert_eq!(many.lines().count(), 20_000);
    session.close().await;
    // The key was written down: strict is content now.
    let mut again = ssh_properties(library, &server, &folder);
    again["host_key"] = json!("strict");
    let mut session = Session::open(crate::target([], again), &settings, LONG, Vec::new()).await.unwrap();
    server.kill();
    let error = session.command("sleep 60", LONG).await.unwrap_err();
    assert!(error.is_lab(), "{error}");
}

async fn an_old_ssh_server_needs_legacy(library: &str) {
    if !installed("/usr/sbin/sshd", "openssh-server") {
        return;
    }
    let (folder, settings) = settings();
    let old = "KexAlgorithms diffie-hellman-group1-sha1\nCiphers 3des-cbc\nMACs hmac-sha1\nHostKeyAlgorithms ssh-rsa\nPubkeyAcceptedAlgorithms +ssh-rsa";
    let server = sshd(&folder, old);
    let mut properties = ssh_properties(library, &server, &folder);
    let modern = target([], properties.clone());
    let error = Session::open(modern, &settings, LONG, Vec::new()).await.unwrap_err().to_string();
    let expected = "the device offers no key exchange that is safe by today's measure (it offers diffie-hellman-group1-sha1";
    assert!(error.contains(expected), "{error}");
    assert!(error.ends_with("set legacy = true on the resource if it can offer nothing better"), "{error}");
    properties["legacy"] = json!(true);
    let mut session = Session::open(target([], properties), &settings, LONG, Vec::new()).await.unwrap();
    assert_eq!(session.command("echo old", LONG).await.unwrap(), "old");
    session.close().await;
}

/// What is so old that only libssh2 still knows it.
#[tokio::test]
async fn the_oldest_ssh_servers_need_libssh2() {
    if !installed("/usr/sbin/sshd", "openssh-server") {
        return;
    }
    let (folder, settings) = settings();
    run(
        "ssh-keygen",
        &["-q", "-t", "dsa", "-N", "", "-f", &scratch(&folder, "host_dsa").display().to_string()],
    );
    let more = format!("HostKey {}\n", scratch(&folder, "host_dsa").display());
    let macs = "Ciphers aes128-cbc\nMACs hmac-md5,hmac-md5-96";
    let key = "HostKeyAlgorithms ssh-dss";
    for (old, what, offered) in
        [(macs, "message check", "hmac-md5, hmac-md5-96"), (key, "kind of host key", "ssh-dss")]
    {
        let server = sshd(
            &folder,
            &format!("{more}{old}\nKexAlgorithms curve25519-sha256,diffie-hellman-group14-sha1"),
        );
        let open = async |library, legacy| {
            let mut properties = ssh_properties(library, &server, &folder);
            properties["legacy"] = json!(legacy);
            Session::open(target([], properties), &settings, LONG, Vec::new()).await
        };
        let told = open("libssh2", false).await.unwrap_err().to_string();
        assert!(told.contains("set legacy = true on the resource"), "{told}");
        let told = open("russh", true).await.unwrap_err().to_string();
        assert!(told.contains(&format!("offers no {what} that is safe")), "{told}");
        assert!(
            told.ends_with(&format!(
                "(it offers {offered}): set ssh_backend = libssh2 on the resource, which knows it"
            )),
            "{told}"
        );
        let mut session = open("libssh2", true).await.unwrap();
        assert_eq!(session.command("echo oldest", LONG).await.unwrap(), "oldest");
        session.close().await;
    }
}

#[tokio::test]
async fn telnetd_negotiates_and_serves_a_shell() {
    if !installed("/usr/sbin/telnetd", "inetutils-telnetd") {
        return;
    }
    let (folder, _) = settings();
    let server = telnetd(&folder);
    let properties = json!({"protocol": "telnet", "host": "127.0.0.1", "port": server.port, "profile": "linux", "user": "ana"});
    let mut session = open(target([], properties)).await.unwrap();
    assert_eq!(
        session.command("echo $((40 + 2)) $TERM $USER", LONG).await.unwrap().split(' ').next(),
        Some("42")
    );
    session.resize(Window { rows: 33, columns: 255 }).await.unwrap();
    assert_eq!(session.command("stty size", LONG).await.unwrap(), "33 255");
    // A byte of 255 is escaped on its way, in both directions.
    let bytes = session.command(r"printf '\377' | od -An -tu1", LONG).await.unwrap();
    assert_eq!(bytes.trim(), "255");
    let many = session.command("seq 1 20000", LONG).await.unwrap();
    assert_eq!(many.lines().count(), 20_000);
    session.close().await;
}

#[tokio::test]
async fn a_raw_console_is_a_session() {
    let server = Server::start("/bin/sh", &["-i".to_owned()]);
    let properties = json!({"protocol": "tcp", "host": "127.0.0.1", "port": server.port, "profile": "linux"});
    let mut session = open(target([], properties)).await.unwrap();
    assert_eq!(session.command("echo $((40 + 2))", LONG).await.unwrap(), "42");
    let many = session.command("seq 1 20000", LONG).await.unwrap();
    assert_eq!(many.lines().count(), 20_000);
    session.close().await;
}

#[tokio::test]
async fn a_greeting_is_a_prompt_where_a_line_protocol_has_no_other() {
    // As Asterisk's manager interface: an empty line is an order, and a wrong one.
    let program = "printf 'Call Manager/11.0.0\\r\\n'; while read -r line; do printf 'Response: %s\\r\\n' \"$line\"; done";
    let server = Server::start("/bin/sh", &["-c".to_owned(), program.to_owned()]);
    let properties = json!({
        "protocol": "tcp", "host": "127.0.0.1", "port": server.port, "profile": "generic",
        "profile_settings": {"prompt": r"Call Manager/[\d.]+\s*$", "login": {"confirm": false}},
    });
    let mut session = open(target([], properties)).await.unwrap();
    session.send("ping\n", false, LONG).await.unwrap();
    let answers = Patterns::regexes(&[r"Response: \w*"]).unwrap();
    let found = session.expect(&answers, LONG).await.unwrap();
    assert_eq!(found.text, b"Response: ping", "no empty line went before it");
}
