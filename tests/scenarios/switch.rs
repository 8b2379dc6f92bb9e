//! A real Open vSwitch, driven over SSH by the commands that people type: a bridge, its ports and flows, and counters that follow what
//! two hosts send through it.

use std::time::Duration;

use jackfield_tests::{
    Bench,
    ovs::{PACKAGE, Switch},
    present::left_out,
};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);

const BRIDGE: &str = r#"
import time
from jackfield import JackfieldError, session

with session("/lab/switch") as switch, session("/lab/host") as host:
    switch.config([
        "ovs-vsctl add-br br0 -- set bridge br0 datapath_type=netdev fail-mode=secure",
        "ovs-vsctl add-port br0 p1 -- set interface p1 ofport_request=1",
        "ovs-vsctl add-port br0 p2 -- set interface p2 ofport_request=2",
    ])
    assert switch.command("ovs-vsctl list-ports br0").split() == ["p1", "p2"]
    assert switch.command("ovs-vsctl get interface p2 ofport") == "2"
    try:
        switch.config(["ovs-vsctl add-port br0 p1", "ovs-vsctl del-br br0"])
        raise AssertionError("a port was added twice")
    except JackfieldError as error:
        assert "`ovs-vsctl add-port br0 p1`" in str(error) and "already exists" in str(error), error
    assert switch.command("ovs-vsctl list-br") == "br0"

    # Secure: nothing passes without a flow.
    assert " 0 received" in host.command("ping -n -q -c 2 -i 0.05 -w 1 10.50.0.2")
    switch.config(["ovs-ofctl add-flow br0 arp,actions=normal"])
    # What is marked has a flow of its own, whose counters begin with the test of them.
    switch.config(["ovs-ofctl add-flow br0 priority=11,icmp,in_port=1,nw_tos=32,actions=2"])
    switch.config(["ovs-ofctl add-flow br0 priority=9,icmp,in_port=1,actions=2", "ovs-ofctl add-flow br0 priority=9,icmp,in_port=2,actions=1"])
    # The host remembers for a moment that nobody answered.
    until = time.monotonic() + 20
    while " 1 received" not in (answer := host.command("ping -n -q -c 1 -w 1 10.50.0.2")):
        assert time.monotonic() < until, answer
"#;

/// The switch counts what passed a moment after it did.
const COUNTERS: &str = r#"
title = "the counters show what passed, and a flow that drops lets nothing through"

[sessions.switch]
resource = "/lab/switch"
[sessions.host]
resource = "/lab/host"

[[steps]]
session = "switch"
command = "ovs-ofctl dump-ports br0 p2"
capture = 'tx pkts=(?<before>\d+), bytes='
check = { value = "${before}", at_least = 1 }

[[steps]]
session = "host"
command = "ping -n -q -Q 32 -i 0.05 -c 40 -w 20 10.50.0.2"
capture = '(?<sent>\d+) packets transmitted, (?<received>\d+) received'
check = { value = "${received}", at_least = 40 }

[[steps]]
session = "switch"
wait_until = "ovs-ofctl dump-flows br0 icmp,in_port=1,nw_tos=32"
capture = 'n_packets=(?<packets>\d+), n_bytes=(?<bytes>\d+)'
check = [{ value = "${packets}", equals = "${sent}" }, { value = "${bytes} B", at_least = "3920 B" }]
every = "100ms"
timeout = "10s"

[[steps]]
session = "switch"
command = "ovs-ofctl dump-ports br0 p2"
capture = 'tx pkts=(?<after>\d+), bytes=\d+, drop=(?<dropped>\d+)'
check = [{ value = "${after}", at_least = "${received}" }, { value = "${after}", above = "${before}" }, { value = "${dropped}", equals = 0 }]

[[steps]]
session = "switch"
config = ["ovs-ofctl add-flow br0 priority=12,icmp,in_port=1,nw_dst=10.50.0.2,actions=drop"]

[[steps]]
session = "host"
wait_until = "ping -n -q -i 0.05 -c 10 -w 1 10.50.0.2"
capture = '(?<sent>\d+) packets transmitted, (?<received>\d+) received'
check = { value = "${received}", equals = 0 }

[[steps]]
session = "switch"
wait_until = "ovs-ofctl dump-flows br0 icmp,in_port=1,nw_dst=10.50.0.2"
capture = 'n_packets=(?<packets>\d+)'
check = { value = "${packets}", at_least = "${sent}" }
every = "100ms"
timeout = "10s"
"#;

#[test]
fn a_switch_is_driven_over_ssh_and_counts_what_passes() {
    if left_out(PACKAGE.0, PACKAGE.1) {
        return;
    }
    let switch = Switch::start().unwrap();
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/bridge.py", BRIDGE).unwrap();
    bench.write("tests/counters.steps.toml", COUNTERS).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    bench.api.set_resource("/", "lab", &json!({})).unwrap();
    let way = json!({
        "protocol": "ssh", "host": switch.address, "profile": "ovs", "user": "root", "key": switch.ssh.key,
        "host_key": switch.ssh.host_key,
    });
    bench.api.set_resource("/lab", "switch", &way).unwrap();
    let [host, _] = &switch.hosts;
    let shell = json!({"command": ["ip", "netns", "exec", host.name, "sh"], "profile": "linux"});
    bench.api.set_resource("/lab", "host", &shell).unwrap();
    bench.api.pass_files(&["bridge.py", "counters.steps.toml"], LIMIT).unwrap();
}
