//! A virtual machine behind its serial console: switched on, caught in its boot loader, given an argument, started, logged in to, started anew from
//! its own session, and cut from its mains in the middle of a dialogue. U-Boot, kernel, getty and login are real.

use std::time::Duration;

use jackfield_tests::{
    Bench,
    machine::{Machine, PASSWORD},
};
use serde_json::json;

/// Three boots and a power cycle, where every instruction is computed.
const LIMIT: Duration = Duration::from_secs(300);

const BOOT: &str = r#"
import threading
from jackfield import power, session

VM = "/lab/vm"

assert power(VM, "status") == "off"
# As a person would: at the console first, so that no countdown is missed, and then at the switch.
switched = threading.Timer(0.5, power, [VM, "on"])
switched.start()
with session(VM, connect={"profile": "uboot"}) as loader:
    switched.join()
    assert power(VM, "status") == "on"
    assert "U-Boot 20" in loader.command("version")
    loader.command("setenv more lab.try=1")
    assert loader.command("printenv more") == "more=lab.try=1"
    # Its environment is in memory: gone after a reset, and the countdown is caught again.
    loader.reboot()
    answer = loader.command("printenv more", check=False)
    assert answer == '## Error: "more" not defined', answer
    loader.command("setenv more lab.try=2")
    loader.send("boot")
    seen = loader.expect("login: ", timeout=120)
    assert "Starting kernel" in seen.before and "lab.try=2" in seen.before, seen.before

def start_of(machine):
    return machine.command("cat /proc/sys/kernel/random/boot_id")

with session(VM) as machine:
    assert "lab.try=2" in machine.command("cat /proc/cmdline")
    first = start_of(machine)
    for number in range(50):
        answer = machine.command(f"echo $(({number} * 7))")
        assert answer == str(number * 7), (number, answer)
    assert len(machine.command("seq 1 500").splitlines()) == 500
    long = "x" * 200
    answer = machine.command(f"echo {long}")
    assert answer == long, answer

    machine.reboot(timeout=120)
    second = start_of(machine)
    assert second != first
    # Nobody stopped the boot loader on the way.
    assert "lab.try" not in machine.command("cat /proc/cmdline")
"#;

const CUT: &str = r#"
from jackfield import JackfieldError, power, session

VM = "/lab/vm"

with session(VM, name="before") as machine:
    first = machine.command("cat /proc/sys/kernel/random/boot_id")
    machine.send("sleep 600")
    assert power(VM, "cycle") == "on"
    # The line stays; what comes over it is a machine that starts. A logout before this would stop its boot loader.
    machine.expect("Starting kernel", timeout=120)

with session(VM, name="after", timeout=120) as machine:
    assert machine.command("cat /proc/sys/kernel/random/boot_id") != first
    assert power(VM, "off") == "off"
    try:
        machine.command("echo on", timeout=1)
        raise AssertionError("a machine without power answered")
    except JackfieldError as error:
        assert "timed out" in str(error), error
"#;

#[test]
fn a_machine_is_driven_from_its_mains_to_its_login() {
    if Machine::is_left_out() {
        return;
    }
    let machine = Machine::start().unwrap();
    let mut bench = Bench::start("").unwrap();
    for (file, text) in [("boot.py", BOOT), ("cut.py", CUT)] {
        bench.write(&format!("tests/{file}"), text).unwrap();
    }
    bench.start_ep("EP-1", "").unwrap();
    bench.api.set_resource("/", "lab", &json!({})).unwrap();
    let outlet = |action: &str| json!([machine.switch(), action]);
    let way = json!({
        "protocol": "telnet", "host": "127.0.0.1", "port": machine.console, "profile": "linux", "user": "root", "password": PASSWORD,
        "power": {"command": {"on": outlet("on"), "off": outlet("off"), "status": outlet("status")}, "off_millis": 100},
    });
    bench.api.set_resource("/lab", "vm", &way).unwrap();
    bench.api.pass_files(&["boot.py", "cut.py"], LIMIT).unwrap();
}
