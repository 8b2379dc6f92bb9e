//! Somebody listens on the cable between an engine, its EPs and its people: what can be read there.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use jackfield_tests::{
    Bench,
    node::Node,
    present::left_out,
    process::{Process, jackfield},
    proxy::Cable,
    wait,
};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(90);
/// What a test says and does, with words that occur nowhere else.
const TEST: &str = r#"
import os
from jackfield import get_resource, session
# written-in-the-test
print("printed-by-the-test " + get_resource("/dut:password"))
with open("file-beside-it.txt", "w") as out:
    out.write("kept-with-the-attempt")
shell = session("/shell")
assert "said-to-a-device" in shell.command("echo said-to-a-device")
"#;
/// What may be seen by nobody. The control test sees each of them.
const PLANTED: [&str; 7] = [
    "written-in-the-test",
    "printed-by-the-test",
    "password-of-a-device",
    "authorization: bearer",
    "HTTP/1.1 200 OK",
    "jackfield_",
    "typed-by-a-",
];

/// Runs everything that goes to and fro over this address: log-in, an EP with a test, its files and logs.
fn use_all(bench: &mut Bench, engine: &str, ep: &str) {
    let home = bench.path().join(format!("home-{ep}"));
    let secure = engine.starts_with("https");
    let fingerprint = bench.fingerprint.clone();
    let mut login = vec!["login", "admin", "--engine", engine];
    if secure {
        login.extend(["--fingerprint", &fingerprint]);
    }
    let password = bench.path().join("password");
    std::fs::write(&password, &bench.admin_password).unwrap();
    let said = at_home(&home, &login, Some(&password));
    assert!(said.status.success(), "{}", text(&said));
    bench.write("tests/open.py", TEST).unwrap();
    bench.api.set_resource("/", "dut", &json!({"password": "password-of-a-device"})).unwrap();
    bench
        .api
        .set_resource("/", "shell", &json!({"protocol": "process", "command": "sh", "profile": "linux"}))
        .unwrap();
    bench.start_ep(ep, &format!("engine = {engine:?}\n")).unwrap();
    let project = bench.path().join("open.xml");
    let xml = format!(
        "<Root><TestSuite><tsName>open</tsName><EpId>{ep}</EpId><TestCase><tcName>open.py</tcName></TestCase></TestSuite></Root>"
    );
    std::fs::write(&project, xml).unwrap();
    let run = at_home(&home, &["run", project.to_str().unwrap(), "--engine", engine], None);
    assert!(run.status.success(), "{}", text(&run));
    let runs = at_home(&home, &["runs", "list", "--json", "--engine", engine], None);
    let runs: serde_json::Value = serde_json::from_slice(&runs.stdout).unwrap();
    let newest = format!("{}.0", runs.pointer("/0/id").and_then(serde_json::Value::as_u64).unwrap());
    let logs = at_home(&home, &["runs", "logs", &newest, "--engine", engine], None);
    assert!(text(&logs).contains("printed-by-the-test"), "{}", text(&logs));
    let typed = bench.path().join("typed");
    std::fs::write(&typed, "echo typed-by-a-$((1))-person\n").unwrap();
    let console = at_home(&home, &["console", "/shell", "--engine", engine], Some(&typed));
    assert!(text(&console).contains("typed-by-a-1-person"), "{}", text(&console));
}

/// Runs a command as somebody with a configuration folder of their own.
fn at_home(home: &Path, arguments: &[&str], input: Option<&Path>) -> Output {
    let mut command = Command::new(jackfield());
    command.args(arguments).env("XDG_CONFIG_HOME", home).env_remove("JACKFIELD_API_TOKEN");
    match input {
        Some(file) => command.stdin(std::fs::File::open(file).unwrap()),
        None => command.stdin(Stdio::null()),
    };
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    let both = [&*output.stdout, &*output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// Which of these occur in what was heard, whatever their case.
fn read_along(heard: &[u8], wanted: &[String]) -> Vec<String> {
    let heard = heard.to_ascii_lowercase();
    let occurs = |word: &String| {
        let word = word.to_ascii_lowercase();
        heard.windows(word.len()).any(|part| part == word.as_bytes())
    };
    wanted.iter().filter(|word| occurs(word)).cloned().collect()
}

#[test]
fn a_cable_tells_nothing_and_without_tls_it_tells_everything() {
    let mut bench = Bench::start("").unwrap();
    let (secure, open) = (bench.address().unwrap(), bench.address().unwrap());
    let (secure, open) = (Cable::tapped(secure).unwrap(), Cable::tapped(open).unwrap());
    use_all(&mut bench, &format!("https://{}", secure.address), "EP-1");
    bench.kill_ep("EP-1");
    use_all(&mut bench, &format!("http://{}", open.address), "EP-2");
    let mut wanted: Vec<String> = PLANTED.iter().map(|word| (*word).to_owned()).collect();
    wanted.push(bench.admin_password.clone());
    let heard = secure.heard();
    assert!(heard.len() > 20_000, "somebody spoke: {} bytes", heard.len());
    assert_eq!(read_along(&heard, &wanted), Vec::<String>::new());
    // The control: this test would see them.
    assert_eq!(read_along(&open.heard(), &wanted), wanted);
}

/// The engine of a lab, and three workstations, each with a network of its own.
#[test]
fn three_workstations_reach_an_engine_and_their_cables_tell_nothing() {
    if left_out("tcpdump", "/usr/bin/tcpdump") {
        return;
    }
    let mut nodes: Vec<Node> = (0..3).map(|_| Node::start().unwrap()).collect();
    let bench = Bench::start("address = \"0.0.0.0\"\n").unwrap();
    assert!(bench.engine_log().contains("by TLS alone"), "{}", bench.engine_log());
    assert!(bench.engine_log().contains(&bench.fingerprint), "{}", bench.engine_log());
    let port = bench.address().unwrap().port();
    bench.write("tests/open.sh", "#!/bin/sh\n# written-in-the-test\necho printed-by-the-test\n").unwrap();
    let captured: Vec<_> =
        nodes.iter().map(|node| bench.path().join(format!("{}.pcap", node.name))).collect();
    let mut listening = Vec::new();
    for (node, file) in nodes.iter().zip(&captured) {
        let mut tcpdump = Command::new("tcpdump");
        tcpdump.args(["-U", "--immediate-mode", "-i", &format!("{}v", node.name), "-w"]).arg(file);
        let log = bench.path().join(format!("{}.tcpdump", node.name));
        listening.push(Process::start("tcpdump", &mut tcpdump, &log).unwrap());
        wait::until(LIMIT, "tcpdump", || {
            Ok(std::fs::read_to_string(&log)?.contains("listening").then_some(()))
        })
        .unwrap();
    }
    let mut suites = String::new();
    for (number, node) in nodes.iter_mut().enumerate() {
        let name = format!("EP-{number}");
        let made: serde_json::Value =
            bench.api.post("/tokens", &json!({"name": name, "scope": "ep", "join": true})).unwrap();
        // What the workstation dials is an address that no certificate was asked for.
        let engine = format!("https://{}:{port}", node.address.replacen("10.99.", "10.98.", 1));
        let (config, work) = (node.folder().join("ep.toml"), node.folder().join("work"));
        let settings =
            format!("name = {name:?}\nengine = {engine:?}\ntoken = {}\nwork = {work:?}\n", made["token"]);
        std::fs::write(&config, settings).unwrap();
        let program = jackfield();
        node.serve(&name, &[program.to_str().unwrap(), "ep", "--config", config.to_str().unwrap()]).unwrap();
        bench.wait_for_ep(&name, |state| state != jackfield_protocol::api::EpState::Offline).unwrap();
        suites.push_str(&format!(
            "<TestSuite><tsName>s{number}</tsName><EpId>{name}</EpId><TestCase><tcName>open.sh</tcName></TestCase></TestSuite>"
        ));
        // Who speaks plain HTTP from there is told, and the token stays.
        let plain = engine.replacen("https", "http", 1);
        let told = node
            .sh(&format!("{} runs list --engine {plain} --token x 2>&1 || true", program.display()))
            .unwrap();
        assert!(told.contains("speaks TLS") && told.contains(&engine), "{told}");
        let told = node
            .sh(&format!("{} ep --config {} --to {plain} 2>&1 || true", program.display(), config.display()))
            .unwrap();
        assert!(told.contains("can be read by others"), "{told}");
    }
    let run = bench.api.submit("three", &format!("<Root>{suites}</Root>")).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    for row in bench.api.tests(run).unwrap() {
        let log = bench.api.log(row.attempt.unwrap(), "cli").unwrap();
        assert!(log.contains("printed-by-the-test"), "{log}");
    }
    drop(listening);
    let wanted: Vec<String> = PLANTED.iter().map(|word| (*word).to_owned()).collect();
    for file in captured {
        let heard = std::fs::read(file).unwrap();
        assert!(heard.len() > 5_000, "somebody spoke: {} bytes", heard.len());
        assert_eq!(read_along(&heard, &wanted), Vec::<String>::new());
    }
}

/// The other way round: a lab that says that its network may be read.
#[test]
fn a_lab_that_wants_plain_http_has_it_and_is_told_what_that_means() {
    let node = Node::start().unwrap();
    let bench = Bench::start("address = \"0.0.0.0\"\n[tls]\nplain = true\n").unwrap();
    let log = bench.engine_log();
    assert!(log.contains("passwords and tokens can be read on the way"), "{log}");
    let made: serde_json::Value =
        bench.api.post("/tokens", &json!({"name": "plain", "scope": "read"})).unwrap();
    let token = made["token"].as_str().unwrap();
    // One with a pin asks for TLS.
    assert!(!token.contains('.'), "{token}");
    let port = bench.address().unwrap().port();
    let engine = format!("http://{}:{port}", node.address.replacen("10.99.", "10.98.", 1));
    let program = jackfield();
    let listed = node
        .sh(&format!("{} runs list --json --engine {engine} --token {token}", program.display()))
        .unwrap();
    assert_eq!(listed.trim(), "[]");
}
