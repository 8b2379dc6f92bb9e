//! A dialogue that was recorded on a real router is played by the simulator, and the same test passes against it; a test that asks
//! something else is told at which command it departs.

use std::{fs, process::Command, time::Duration};

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::{
    Bench,
    frr::Router,
    present::left_out,
    process::{Process, jackfield},
    wait,
};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);

const TEST: &str = r#"
from jackfield import JackfieldError, session

with session("/lab/router") as router:
    assert "FRRouting" in router.command("show version")
    router.level("view")
    router.level("enable")
    router.config(["ip route 192.0.2.0/24 blackhole", "ip route 192.0.2.0/25 reject"])
    shown = router.command("show running-config")
    assert "ip route 192.0.2.0/24 blackhole" in shown and "ip route 192.0.2.0/25 reject" in shown, shown
    try:
        router.config(["ip rute 192.0.2.9"])
        raise AssertionError("a wrong line was taken")
    except JackfieldError as error:
        assert "`ip rute 192.0.2.9`" in str(error), error
    router.config(["no ip route 192.0.2.0/24 blackhole", "no ip route 192.0.2.0/25 reject"])
    assert "192.0.2." not in router.command("show running-config")
"#;

/// Serves a recording; the resource's properties for telnet and for SSH.
fn serve(bench: &Bench, recording: &[u8]) -> (Process, Value) {
    let (file, told) = (bench.path().join("router.cast"), bench.path().join("simulated.json"));
    fs::write(&file, recording).unwrap();
    let mut command = Command::new(jackfield());
    command.arg("simulate").arg("--json").arg(&file);
    let simulator = Process::start("the simulator", &mut command, &told).unwrap();
    let list: Value = wait::until(Duration::from_secs(20), "the simulator", || {
        Ok(serde_json::from_slice(&fs::read(&told)?).ok())
    })
    .unwrap();
    (simulator, list.get(0).unwrap().clone())
}

#[test]
fn what_was_recorded_on_a_router_is_played_by_the_simulator() {
    if left_out("frr", "/usr/lib/frr/zebra") {
        return;
    }
    let router = Router::start().unwrap();
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/routes.py", TEST).unwrap();
    bench.write("tests/changed.py", &TEST.replace("reject", "Null0")).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    bench.api.set_resource("/", "lab", &json!({})).unwrap();
    let real = json!({"protocol": "telnet", "host": router.address, "profile": "frr"});
    bench.api.set_resource("/lab", "router", &real).unwrap();
    let rows = bench.api.pass_files(&["routes.py"], LIMIT).unwrap();
    let attempt: Value = bench.api.get(&format!("/attempts/{}", rows[0].attempt.unwrap())).unwrap();
    let artifacts = attempt["artifacts"].as_object().unwrap();
    let hash = artifacts.iter().find(|(name, _)| name.ends_with(".cast")).unwrap().1.get("hash").unwrap();
    let recording = bench.api.blob(hash.as_str().unwrap()).unwrap();
    drop(router);

    let (_simulator, ways) = serve(&bench, &recording);
    for protocol in ["telnet", "ssh"] {
        let mut way = ways[protocol].clone();
        way["profile"] = json!("frr");
        bench.api.set_resource("/lab", "router", &way).unwrap();
        bench.api.pass_files(&["routes.py"], LIMIT).unwrap();
    }
    let changed = bench.api.run_files(&["changed.py"], LIMIT).unwrap().remove(0);
    assert_eq!(changed.state, TestState::Ended(Verdict::Fail), "{}", changed.reason);
    for told in ["it has `ip route 192.0.2.0/25 reject`, not `ip route 192.0.2.0/25 Null0`", "at command"] {
        assert!(changed.reason.contains(told), "{}", changed.reason);
    }
}
