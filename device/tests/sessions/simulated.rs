//! The whole of a session against our own simulator, over telnet and over SSH by both libraries.

use std::time::Duration;

use jackfield_device::{
    expect::Patterns,
    session::{Session, SessionError},
    simulate::{Listen, serve},
};
use serde_json::json;

use crate::{LONG, WAYS, device, model, open, properties, router_session, settings, target};

const WITH_ROUTE: &str = "\
Codes: C - connected, S - static, O - OSPF
S  0.0.0.0/0            via 192.0.2.1
S  10.50.0.0/16         via 192.0.2.7
C  192.0.2.0/24         via directly connected";

#[tokio::test]
async fn a_route_is_added_and_goes_again() {
    let router = device("router").await;
    for way in WAYS {
        let mut session = router_session(&router, way).await;
        assert_eq!(session.prompt(), "router1#", "{way}");
        let before = session.command("show ip route", LONG).await.unwrap();
        assert!(!before.contains("10.50.0.0/16"), "{before}");
        session.config(&["ip route 10.50.0.0/16 192.0.2.7".to_owned()], LONG).await.unwrap();
        let with = session.command("show ip route", LONG).await.unwrap();
        assert_eq!(with, WITH_ROUTE, "{way}");
        session.config(&["no ip route 10.50.0.0/16 192.0.2.7".to_owned()], LONG).await.unwrap();
        assert_eq!(session.command("show ip route", LONG).await.unwrap(), before);
        session.close().await;
    }
    router.stop().await;
}

#[tokio::test]
async fn a_refused_line_is_named_and_configuration_is_left() {
    let router = device("router").await;
    let mut session = router_session(&router, "telnet").await;
    let lines = ["mtu 1400".to_owned(), "hostname never".to_owned()];
    let error = session.config(&lines, LONG).await.unwrap_err();
    insta::assert_snapshot!(error, @"the device refused `mtu 1400`: % Unknown command: mtu 1400");
    assert_eq!(session.prompt(), "router1#");
    assert_eq!(router.state()["hostname"], "router1");
}

#[tokio::test]
async fn a_new_prompt_is_learned() {
    let router = device("router").await;
    let mut session = router_session(&router, "telnet").await;
    session.config(&["hostname core-7".to_owned()], LONG).await.unwrap();
    assert_eq!(session.prompt(), "core-7#");
    assert!(session.command("show version", LONG).await.unwrap().contains("core-7 uptime"));
    session.level("user", LONG).await.unwrap();
    assert_eq!(session.prompt(), "core-7>");
}

#[tokio::test]
async fn pages_are_joined() {
    let router = device("router").await;
    let mut session = router_session(&router, "telnet").await;
    // The profile has switched the pager off; with it on the answer is the same.
    let whole = session.command("show tech-support", LONG).await.unwrap();
    session.command("terminal length 7", LONG).await.unwrap();
    let paged = session.command("show tech-support", LONG).await.unwrap();
    assert_eq!(paged, whole);
    assert_eq!(paged.lines().count(), 33);
}

#[tokio::test]
async fn wrong_logins_are_told_as_such() {
    let router = device("router").await;
    let told = |error: SessionError| error.to_string().replace(|c: char| c.is_ascii_digit(), "0");
    let more = json!({"profile": "ios", "password": "wrong"});
    let error = open(target(router.properties("telnet"), more.clone())).await.unwrap_err();
    assert!(error.is_lab());
    let text = told(error);
    assert!(text.ends_with("the device says `% Login incorrect`"), "{text}");
    let error = open(target(router.properties("ssh"), more)).await.unwrap_err();
    let text = told(error);
    assert!(text.contains("did not accept the password"), "{text}");
    let more = json!({"profile": "ios", "level": "privileged", "enable_password": "wrong"});
    let error = open(target(router.properties("telnet"), more)).await.unwrap_err();
    let text = told(error);
    assert!(
        text.contains("`enable` did not lead to level `privileged`: the device says `% Bad secrets`"),
        "{text}"
    );
}

#[tokio::test]
async fn a_banner_is_no_question_and_no_refusal() {
    let mut model = model("router");
    model.banner =
        "Access denied to strangers.\nDefault password: see label. Last login: Monday\n# Login failed? Call 555.\n"
            .to_owned();
    let router = serve(model, Listen::default()).await.unwrap();
    let mut session = router_session(&router, "telnet").await;
    assert!(session.command("show version", LONG).await.unwrap().contains("uptime"));
}

with_both_libraries!(questions_of_an_ssh_server_are_answered, a_host_key_is_pinned_taken_in_or_refused);

async fn questions_of_an_ssh_server_are_answered(library: &str) {
    let mut model = model("pbx");
    model.login.as_mut().unwrap().questions = true;
    let pbx = serve(model, Listen::default()).await.unwrap();
    let mut console = open(target(properties(&pbx, library), json!({}))).await.unwrap();
    assert!(console.command("core show version", LONG).await.unwrap().contains("PBX 2.0"));
    let error = open(target(properties(&pbx, library), json!({"password": "no"}))).await.unwrap_err();
    assert!(error.to_string().contains("answers to its questions"), "{error}");
}

async fn a_host_key_is_pinned_taken_in_or_refused(library: &str) {
    let (_folder, settings) = settings();
    let first = device("pbx").await;
    let port = first.ssh.unwrap().port();
    let connect = |more| {
        let target = target(properties(&first, library), more);
        Session::open(target, &settings, LONG, Vec::new())
    };
    let unknown = connect(json!({"host_key": "strict"})).await.unwrap_err().to_string();
    assert!(unknown.contains("is not known (ssh-ed25519 SHA256:"), "{unknown}");
    let other = connect(json!({"host_key": "SHA256:AAAA"})).await.unwrap_err().to_string();
    assert!(other.contains("but the resource says host_key = \"SHA256:AAAA\""), "{other}");
    connect(json!({"host_key": "accept-new"})).await.unwrap().close().await;
    connect(json!({"host_key": "strict"})).await.unwrap().close().await;
    // The key of the file is now another one's.
    let second = device("pbx").await;
    let known = std::fs::read_to_string(&settings.known_hosts).unwrap();
    let moved = known.replace(&port.to_string(), &second.ssh.unwrap().port().to_string());
    std::fs::write(&settings.known_hosts, moved).unwrap();
    let target = target(properties(&second, library), json!({"host_key": "accept-new"}));
    let changed = Session::open(target, &settings, LONG, Vec::new()).await.unwrap_err().to_string();
    assert!(changed.contains("has changed: line 1 of "), "{changed}");
}

#[tokio::test]
async fn a_switch_and_a_pbx_change_their_state() {
    let (switch, pbx) = (device("switch").await, device("pbx").await);
    let mut session = open(target(switch.properties("telnet"), json!({"profile": "ios"}))).await.unwrap();
    let lines = ["vlan 42", "name lab", "interface ge0/3", "switchport access vlan 42", "no shutdown"];
    session.config(&lines.map(str::to_owned), LONG).await.unwrap();
    assert!(session.command("show vlan", LONG).await.unwrap().contains("42    lab"));
    let ports = session.command("sh int stat", LONG).await.unwrap();
    assert!(ports.contains("ge0/3   connected   42"), "{ports}");
    let refused = session.command("show interfaces ge9/9 counters", LONG).await.unwrap();
    assert_eq!(session.refusal(&refused).as_deref(), Some("% Invalid port ge9/9"));

    let mut console = open(target(pbx.properties("ssh"), json!({}))).await.unwrap();
    console.command("originate 100 101", LONG).await.unwrap();
    let calls = console.command("channels show", LONG).await.unwrap();
    assert!(calls.contains("100-101     Ringing") && calls.contains("1 active calls"), "{calls}");
    console.command("hangup 100-101", LONG).await.unwrap();
    let calls = console.command("channels show", LONG).await.unwrap();
    assert!(calls.contains("0 active calls\n1 calls processed"), "{calls}");
}

#[tokio::test]
async fn text_can_be_sent_and_awaited_as_it_comes() {
    let router = device("router").await;
    let mut session = router_session(&router, "russh").await;
    session.send("ping 192.0.2.1", true, LONG).await.unwrap();
    let patterns = Patterns::regexes(&[r"Success rate is (?<rate>\d+) percent", "timed out"]).unwrap();
    let seen = session.expect(&patterns, LONG).await.unwrap();
    assert_eq!((seen.index, seen.named["rate"].as_slice()), (0, &b"100"[..]));
}

#[tokio::test]
async fn many_sessions_share_one_state() {
    let router = device("router").await;
    let properties = router.properties("telnet");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let target = target(properties.clone(), json!({"profile": "ios"}));
        tasks.spawn(async move {
            let mut session = open(target).await.unwrap();
            session.command("show counters", LONG).await.unwrap();
            session.close().await;
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(router.state()["commands"], 40);
    tokio::time::timeout(LONG, router.stop()).await.unwrap();
}

#[tokio::test]
async fn a_local_command_is_a_session() {
    let local = json!({"protocol": "process", "command": ["/bin/sh"], "profile": "linux"});
    let mut session = open(target([], local)).await.unwrap();
    assert_eq!(session.command("echo $((6 * 7)); echo two", LONG).await.unwrap(), "42\ntwo");
    assert_eq!(session.command("true", LONG).await.unwrap(), "");
    assert_eq!(session.command("printf unfinished", LONG).await.unwrap(), "unfinished");
    let answer = session.command("no-such-program", LONG).await.unwrap();
    assert!(session.refusal(&answer).is_some(), "{answer}");
    session.close().await;
    let missing = json!({"command": ["/no/such/program"]});
    let error = open(target([], missing)).await.unwrap_err();
    insta::assert_snapshot!(error, @"command `/no/such/program` cannot be reached: no such file or directory");
}

#[tokio::test]
async fn nobody_there_is_told_soon() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let gone = json!({"protocol": "telnet", "host": "127.0.0.1", "port": port});
    let error = open(target([], gone)).await.unwrap_err();
    assert!(error.is_lab());
    assert!(error.to_string().ends_with("cannot be reached: connection refused (3 tries)"), "{error}");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = json!({"protocol": "ssh", "host": "127.0.0.1", "port": listener.local_addr().unwrap().port(), "user": "x", "password": "y"});
    let (_folder, settings) = settings();
    let short = Duration::from_millis(200);
    let error = Session::open(target([], silent), &settings, short, Vec::new()).await.unwrap_err();
    let told = error.to_string();
    assert!(told.contains("no answer within ") && told.contains("waiting for its SSH greeting"), "{told}");
}
