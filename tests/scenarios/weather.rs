//! Real devices in bad weather: bytes that come in odd pieces and with pauses, and lines that a device logs while nothing is asked, and
//! while something is. Every answer is compared with what the device says of itself beside the session. `JACKFIELD_WEATHER` is another seed.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use jackfield_tests::{
    Bench,
    frr::{ENABLE_PASSWORD, PASSWORD, Router, ZEBRA_PORT},
    machine::{self, Machine},
    node::Node,
    osmo::{self, Hlr},
    ovs::{self, Switch},
    present::left_out,
    proxy::Cable,
};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(120);

/// Asks a device twenty times, with lines logged in between and meanwhile. A line that is logged within an answer may stand in it; nothing
/// else may, and nothing may be missing. `DEVICE`, `SEED` and `truth`, `log`, `begin`, `COMMANDS` come before it.
const ASK: &str = r#"
import os, random, re, subprocess, threading
from jackfield import session

dice = random.Random(SEED)
logged = 0

def plain(text):
    """What stands in it besides what was logged and how lines end."""
    return re.sub(r"\s+", " ", re.sub(r"[^\n]*weather \d+ \.[^\n]*", " ", text)).strip()

def logs(count):
    global logged
    for _ in range(count):
        logged += 1
        log(f"weather {logged} .")

def meanwhile(seconds, count):
    timer = threading.Timer(seconds, logs, [count])
    timer.start()
    return timer

with session(DEVICE) as device:
    begin(device)
    wanted = {command: plain(truth(command)) for command in COMMANDS}
    for number in range(20):
        command = dice.choice(COMMANDS)
        if dice.random() < 0.5:
            logs(dice.randint(1, 3))
        timer = meanwhile(dice.uniform(0, 0.2), 1) if dice.random() < 0.4 else None
        answer = device.command(command, timeout=20)
        if timer:
            timer.join()
        got = plain(answer)
        if got != wanted[command]:
            same = len(os.path.commonprefix([got, wanted[command]]))
            raise AssertionError((number, command, answer[:300], answer[-300:], same, got[max(0, same - 60):same + 120], wanted[command][same:same + 120]))
assert logged > 10
"#;

/// A command line of FRRouting: `terminal monitor` shows what the daemons log.
const FRR: &str = r#"
def beside(command):
    return subprocess.run(["vtysh", "-N", NAME, "-c", command], capture_output=True, text=True, check=True).stdout

COMMANDS = ["show ip prefix-list", "show interface lo", "show ip protocol", "show logging"]
truth = beside

other = session("/lab/zebra")
other.level("enable")

def log(line):
    other.command(f"logmsg warnings {line}")

def begin(device):
    device.config([f"ip prefix-list LONG seq {number} permit 192.0.2.0/24 le {24 + number % 9}" for number in range(1, 60)])
    device.command("terminal monitor")
"#;

/// The command line of a telecom node, which shows what is done beside it.
const HLR: &str = r#"
calm = session("/lab/calm")
calm.level("enable")
for number in range(1, 60):
    calm.command(f"subscriber imsi 00101000000{number:04} create")
COMMANDS = ["list", "show subscribers all", "show running-config", "subscriber id 7 show"]
truth = calm.command

def log(line):
    calm.command(f"logp lgsup notice {line}")

def begin(device):
    device.level("enable")
    for line in ["logging enable", "logging filter all 1", "logging color 0", "logging level set-all info"]:
        device.command(line)
"#;

/// A shell: whoever may write to its terminal does.
const SHELL: &str = r##"
COMMANDS = ["cat /etc/protocols", "seq 1 99", r"printf 'a\n\n  b\n'", "echo one; sleep 0.1; echo two", "ls /proc/1/fd 2>&1 | head -n 0; echo $((6*7))"]

def truth(command):
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True).stdout

STAMP = "[  123.456789] "
"##;

/// A switch: flows, ports and a database, and the terminal of its shell, to which its daemons write.
const OVS: &str = r##"
calm = session("/lab/calm")
calm.config(["ovs-vsctl add-br br0 -- set bridge br0 datapath_type=netdev fail-mode=secure"])
calm.config([f"ovs-ofctl add-flow br0 priority={number},icmp,nw_tos={4 * number},actions=drop" for number in range(1, 40)])
COMMANDS = ["ovs-ofctl --no-stats dump-flows br0", "ovs-vsctl show", "ovs-vsctl list bridge", "ovs-vsctl get bridge br0 datapath_type"]
truth = calm.command
STAMP = "2026-01-01T00:00:00.000Z|00042|bridge|WARN|"
"##;

/// What writes to the terminal of a shell: a line behind a `STAMP`.
const TERMINAL: &str = r#"
def log(line):
    with open(terminal, "w") as tty:
        tty.write(f"\r\n{STAMP}{line}\r\n")

def begin(device):
    global terminal
    terminal = device.command("tty")
"#;

/// A machine from its boot loader to its shell, while its kernel talks: what it says comes over the same line as all answers.
const MACHINE: &str = r##"
import random, re
from jackfield import power, session

dice = random.Random(SEED)
power(DEVICE, "on")
with session(DEVICE, connect={"profile": "uboot"}, timeout=60) as loader:
    for number in range(20):
        value = " ".join(str(dice.randrange(10 ** dice.randint(1, 9))) for _ in range(dice.randint(1, 8)))
        loader.command(f"setenv more {value}")
        assert loader.command("printenv more") == f"more={value}", (number, value)
        answer = loader.command("printenv no_such", check=False)
        assert answer == '## Error: "no_such" not defined', (number, answer)
    loader.send("setenv more; boot")
    loader.expect("login: ", timeout=90)

def plain(text):
    """What stands in it besides what the kernel says, which it may write behind anything."""
    return re.sub(r"\s+", " ", re.sub(r"\[ *\d+\.\d+\] weather \d+ \.", " ", text)).strip()

with session(DEVICE, timeout=60) as machine:
    machine.command("i=0; while sleep 0.2; do i=$((i+1)); echo \"<1>weather $i .\" > /dev/kmsg; done > /dev/null 2>&1 &")
    seen = 0
    for number in range(15):
        count = dice.randint(1, 60)
        answer = machine.command(f"seq 1 {count}; sleep 0.{dice.randint(0, 5)}; echo $(({number} * 7))", timeout=30)
        wanted = " ".join(str(line) for line in range(1, count + 1)) + f" {number * 7}"
        assert plain(answer) == wanted, (number, count, answer)
        seen += answer.count("weather")
    assert seen + len(machine.unasked()) > 10, seen
power(DEVICE, "off")
"##;

fn place(bench: &Bench, name: &str, way: &Value) {
    bench.api.set_resource("/lab", name, way).unwrap();
}

fn bench() -> Bench {
    let mut bench = Bench::start("").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    bench.api.set_resource("/", "lab", &json!({})).unwrap();
    bench
}

/// A way to a device over a bad cable.
fn over(cable: &Cable, profile: &str) -> Value {
    json!({"protocol": "telnet", "host": "127.0.0.1", "port": cable.address.port(), "profile": profile})
}

fn address(host: &str, port: u16) -> SocketAddr {
    format!("{host}:{port}").parse().unwrap()
}

/// What the dice of cable and test begin with.
#[expect(clippy::disallowed_methods, reason = "a person says which weather")]
fn seed() -> u64 {
    std::env::var("JACKFIELD_WEATHER").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// Asks as [`ASK`] does, with these words before it.
fn ask(bench: &Bench, device: &str, words: &str) {
    let text = format!("SEED = {}\nDEVICE = {device:?}\n{words}\n{ASK}", seed());
    let file = format!("{}.py", Path::new(device).file_name().unwrap().to_string_lossy());
    bench.write(&format!("tests/{file}"), &text).unwrap();
    bench.api.pass_files(&[&file], LIMIT).unwrap();
}

#[test]
fn a_router_that_logs_is_asked_over_a_bad_cable() {
    if left_out("frr", "/usr/lib/frr/zebra") {
        return;
    }
    let router = Router::start().unwrap();
    let cable = Cable::bad(address(&router.address, 23), seed()).unwrap();
    let bench = bench();
    place(&bench, "router", &over(&cable, "frr"));
    let zebra = json!({
        "protocol": "telnet", "host": router.address, "port": ZEBRA_PORT, "profile": "frr", "password": PASSWORD,
        "enable_password": ENABLE_PASSWORD,
    });
    place(&bench, "zebra", &zebra);
    ask(&bench, "/lab/router", &format!("NAME = {:?}\n{FRR}", router.name()));
}

#[test]
fn a_telecom_node_that_logs_is_asked_over_a_bad_cable() {
    if left_out(osmo::PACKAGE.0, osmo::PACKAGE.1) {
        return;
    }
    let hlr = Hlr::start().unwrap();
    let cable = Cable::bad(address(&hlr.address, osmo::PORT), seed()).unwrap();
    let bench = bench();
    place(&bench, "hlr", &over(&cable, "osmocom"));
    place(
        &bench,
        "calm",
        &json!({"protocol": "telnet", "host": hlr.address, "port": osmo::PORT, "profile": "osmocom"}),
    );
    ask(&bench, "/lab/hlr", HLR);
}

#[test]
fn shells_that_are_written_to_are_asked_over_a_bad_cable() {
    let shells = [("dash", "exec dash"), ("bash", "exec bash --norc"), ("ash", "exec busybox ash")];
    let bench = bench();
    for (name, program) in shells {
        let mut node = Node::start().unwrap();
        let cli = node.folder().join("cli");
        fs::write(&cli, format!("#!/bin/sh\n{program}\n")).unwrap();
        fs::set_permissions(&cli, fs::Permissions::from_mode(0o755)).unwrap();
        node.serve_telnet(&cli).unwrap();
        let cable = Cable::bad(address(&node.address, 23), seed()).unwrap();
        place(&bench, name, &over(&cable, "linux"));
        ask(&bench, &format!("/lab/{name}"), &format!("{SHELL}{TERMINAL}"));
    }
}

#[test]
fn a_switch_whose_daemons_write_to_its_shell_is_asked_over_a_bad_cable() {
    if left_out(ovs::PACKAGE.0, ovs::PACKAGE.1) {
        return;
    }
    let switch = Switch::start().unwrap();
    let cable = Cable::bad(address(&switch.address, 22), seed()).unwrap();
    let bench = bench();
    let way = |address: SocketAddr| {
        json!({
            "protocol": "ssh", "host": address.ip().to_string(), "port": address.port(), "profile": "ovs", "user": "root",
            "key": switch.ssh.key, "host_key": switch.ssh.host_key,
        })
    };
    place(&bench, "switch", &way(cable.address));
    place(&bench, "calm", &way(address(&switch.address, 22)));
    ask(&bench, "/lab/switch", &format!("{OVS}{TERMINAL}"));
}

#[test]
fn a_machine_whose_kernel_talks_is_driven_over_a_bad_cable() {
    if Machine::is_left_out() {
        return;
    }
    let machine = Machine::start().unwrap();
    let cable = Cable::bad(address("127.0.0.1", machine.console), seed()).unwrap();
    let bench = bench();
    let outlet = |action: &str| json!([machine.switch(), action]);
    let mut way = over(&cable, "linux");
    way["user"] = json!("root");
    way["password"] = json!(machine::PASSWORD);
    way["power"] = json!({"command": {"on": outlet("on"), "off": outlet("off"), "status": outlet("status")}, "off_millis": 100});
    place(&bench, "vm", &way);
    let text = format!("SEED = {}\nDEVICE = \"/lab/vm\"\n{MACHINE}", seed());
    bench.write("tests/vm.py", &text).unwrap();
    bench.api.pass_files(&["vm.py"], LIMIT * 2).unwrap();
}
