//! A real FRRouting router is driven over telnet and over SSH: a route is added, seen, taken away, and seen gone.

use std::time::Duration;

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::{Bench, frr::Router};
use serde_json::json;

/// Adds a route and asserts on what the router then shows; the session is opened by its resource path alone.
const PYTHON: &str = r#"
import time
from jackfield import session

with session("/lab/router") as router:
    assert "FRRouting" in router.command("show version")
    router.command("configure terminal")
    router.command("ip route 192.0.2.0/24 blackhole")
    router.command("end")
    # The router takes the route over into its table a moment after the command.
    until = time.monotonic() + 10
    while "blackhole" not in (shown := router.command("show ip route 192.0.2.0/24")):
        assert time.monotonic() < until, shown
    print(shown)
"#;

/// Takes the route away again.
const STEPS: &str = r#"
title = "the route goes away when it is taken out of the configuration"

[sessions.router]
resource = "/lab/router"

[[steps]]
session = "router"
command = "configure terminal"

[[steps]]
session = "router"
command = "no ip route 192.0.2.0/24 blackhole"

[[steps]]
session = "router"
command = "end"

[[steps]]
session = "router"
wait_until = "show ip route 192.0.2.0/24"
check = { contains = "Network not in table" }
timeout = "10s"
every = "100ms"
"#;

const PROJECT: &str = r#"<Root>
  <TestSuite><tsName>routes</tsName><ID>s1</ID>
    <TestCase><tcName>add_route.py</tcName><ID>t1</ID></TestCase>
    <TestCase><tcName>remove_route.steps.toml</tcName><ID>t2</ID></TestCase>
  </TestSuite>
</Root>"#;

#[test]
fn a_route_comes_and_goes_over_telnet_and_over_ssh() {
    let router = Router::start().unwrap();
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/add_route.py", PYTHON).unwrap();
    bench.write("tests/remove_route.steps.toml", STEPS).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let set = |name: &str, parent: &str, properties: serde_json::Value| {
        let body = json!({"parent": parent, "name": name, "properties": properties});
        bench.api.put::<serde_json::Value>("/resources", &body).unwrap();
    };
    set("lab", "/", json!({}));
    let ways = [
        json!({"protocol": "telnet", "host": router.address, "port": 23, "profile": "frr"}),
        json!({
            "protocol": "ssh", "host": router.address, "port": 22, "profile": "frr", "user": "root",
            "key": router.key, "host_key": router.host_key,
        }),
    ];
    for way in ways {
        set("router", "/lab", way.clone());
        let run = bench.api.submit("routes", PROJECT).unwrap();
        bench.api.wait(run, Duration::from_secs(60)).unwrap();
        for test in bench.api.tests(run).unwrap() {
            let log = bench.api.log(test.attempt.unwrap(), "cli").unwrap_or_default();
            assert_eq!(
                test.state,
                TestState::Ended(Verdict::Pass),
                "{way}: {}: {}\n{log}",
                test.name,
                test.reason
            );
        }
        let left = router.look("show ip route").unwrap();
        assert!(!left.contains("192.0.2.0/24"), "{left}");
    }
}
