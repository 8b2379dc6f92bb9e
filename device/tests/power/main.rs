//! Power outlets: a real SNMP agent that holds an outlet's number, and a small web server that holds its state.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, UdpSocket},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use jackfield_device::power::{Action, Outlet, State};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(20);
/// The third outlet of an APC PDU.
const OUTLET: &str = ".1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.3";

/// An agent of Net-SNMP that keeps one number.
struct Pdu {
    agent: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Pdu {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("snmpd.conf");
        std::fs::write(&conf, format!("rwcommunity private\noverride -rw {OUTLET} integer 1\n")).unwrap();
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let agent = Command::new("/usr/sbin/snmpd")
            .args(["-f", "-Lo", "-C", "-c"])
            .arg(&conf)
            .arg(format!("udp:127.0.0.1:{port}"))
            .env("SNMP_PERSISTENT_DIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("snmpd is missing: run `cargo xtask setup`");
        let mut pdu = Self { agent, port, _folder: folder };
        let said = BufReader::new(pdu.agent.stdout.take().unwrap());
        assert!(said.lines().map_while(Result::ok).any(|line| line.contains("NET-SNMP version")));
        pdu
    }
}

impl Drop for Pdu {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

#[tokio::test]
async fn an_outlet_of_a_pdu_is_switched_over_snmp() {
    let pdu = Pdu::start();
    let host = format!("127.0.0.1:{}", pdu.port);
    let snmp = json!({"host": host, "kind": "apc", "outlet": 3, "community": "private"});
    let outlet = Outlet::from_property(&json!({ "snmp": snmp })).unwrap();
    assert_eq!(outlet.act(Action::Status, LIMIT).await.unwrap(), State::On);
    assert_eq!(outlet.act(Action::Off, LIMIT).await.unwrap(), State::Off);
    assert_eq!(outlet.act(Action::Status, LIMIT).await.unwrap(), State::Off);
    assert_eq!(outlet.act(Action::Cycle, LIMIT).await.unwrap(), State::On);
    assert_eq!(
        outlet.act(Action::Status, LIMIT).await.unwrap(),
        State::Unknown,
        "this agent keeps the 3 of the cycle"
    );

    let own = json!({"host": host, "oid": OUTLET, "on": 1, "off": 2, "community": "private"});
    let outlet = Outlet::from_property(&json!({"snmp": own, "off_millis": 1})).unwrap();
    assert_eq!(outlet.act(Action::Cycle, LIMIT).await.unwrap(), State::On);
    assert_eq!(outlet.act(Action::Status, LIMIT).await.unwrap(), State::On);

    let stranger = json!({"host": host, "kind": "apc", "outlet": 3, "community": "public"});
    let outlet = Outlet::from_property(&json!({ "snmp": stranger })).unwrap();
    let error = outlet.act(Action::Off, LIMIT).await.unwrap_err().to_string();
    assert!(error.contains("snmpset") && error.contains("Timeout"), "{error}");
    assert!(!error.contains("public"), "{error}");
}

/// A PDU with a web page: `/on` and `/off` change it, `/state` tells it, with a password.
fn web_pdu() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    std::thread::spawn(move || {
        let mut state = "off";
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let head: Vec<String> =
                reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let asked = head.first().cloned().unwrap_or_default();
            let trusted =
                head.iter().any(|line| line.eq_ignore_ascii_case("authorization: Basic YW5hOnNlY3JldA=="));
            match asked.split(' ').nth(1) {
                Some("/on") if trusted => state = "on",
                Some("/off") if trusted => state = "off",
                _ => {}
            }
            let status = if trusted { "200 OK" } else { "401 Unauthorized" };
            let body = format!("{{\"outlet\": 3, \"power\": \"{state}\"}}");
            log.lock().unwrap().push(asked);
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
            let _ = reader.get_mut().write_all(answer.as_bytes());
            // What is unread when a socket is closed would take the answer with it.
            let _ = reader.get_mut().shutdown(Shutdown::Write);
            let _ = std::io::copy(&mut reader, &mut std::io::sink());
        }
    });
    (port, seen)
}

#[tokio::test]
async fn an_outlet_with_a_web_page_is_switched_over_http() {
    let (port, seen) = web_pdu();
    let at = |who: &str, path: &str| format!("http://{who}127.0.0.1:{port}/{path}");
    let property = |who: &str| json!({"http": {"on": at(who, "on"), "off": at(who, "off"), "status": at(who, "state"), "is_on": "\"power\": \"on\"", "method": "POST"}, "off_millis": 1});
    let outlet = Outlet::from_property(&property("ana:secret@")).unwrap();
    assert_eq!(outlet.act(Action::Status, LIMIT).await.unwrap(), State::Off);
    assert_eq!(outlet.act(Action::Cycle, LIMIT).await.unwrap(), State::On);
    assert_eq!(outlet.act(Action::Status, LIMIT).await.unwrap(), State::On);
    let seen: Vec<String> = seen.lock().unwrap().clone();
    assert_eq!(
        seen,
        ["GET /state HTTP/1.1", "POST /off HTTP/1.1", "POST /on HTTP/1.1", "GET /state HTTP/1.1"]
    );
    let stranger = Outlet::from_property(&property("bob:guess@")).unwrap();
    let error = stranger.act(Action::Off, LIMIT).await.unwrap_err().to_string();
    assert!(error.contains("401") && !error.contains("guess"), "{error}");
}
