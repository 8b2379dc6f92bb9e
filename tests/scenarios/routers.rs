//! Two real FRRouting routers: a long dialogue over telnet and over SSH, levels and pages of `vtysh` and of a daemon's own port, a line
//! of configuration that is refused, and routes over OSPF and BGP that are awaited, cut and awaited again.

use std::time::Duration;

use jackfield_tests::{
    Bench,
    frr::{ENABLE_PASSWORD, PASSWORD, Router, ZEBRA_PORT},
    present::left_out,
};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(90);

/// Each answer must be that of its command, a thousand times.
const THOUSAND: &str = r##"
from jackfield import JackfieldError, session

with session("/lab/r1") as router:
    version = router.command("show version")
    assert version.startswith("FRRouting 8.") or version.startswith("FRRouting "), version
    assert "#" not in version and len(version.splitlines()) > 3, version
    for number in range(500):
        answer = router.command(f"show interface n{number}", check=False)
        assert answer == f"% Can't find interface n{number}", answer
        assert router.command("show version") == version, number

    # Levels: down, where configuration is not to be had, and up.
    router.level("view")
    try:
        router.command("configure terminal")
        raise AssertionError("configuration was to be had")
    except JackfieldError as error:
        assert "refused `configure terminal`: % Unknown command" in str(error), error
    router.level("enable")

    # The refused line is named, what stood before it is done, what follows is not sent.
    try:
        router.config(["ip route 192.0.2.0/25 blackhole", "ip rute 192.0.2.9", "ip route 192.0.2.128/25 blackhole"])
        raise AssertionError("a wrong line was taken")
    except JackfieldError as error:
        assert "`ip rute 192.0.2.9`" in str(error) and "Unknown command" in str(error), error
    shown = router.command("show running-config")
    assert "192.0.2.0/25" in shown and "192.0.2.128/25" not in shown, shown
    router.level("view")
    router.config("no ip route 192.0.2.0/25 blackhole")
    assert "192.0.2.0/25" not in router.command("show running-config")

    # vtysh starts the pager of its machine where it is told to page.
    lines = [f"ip route 192.0.2.{number}/32 blackhole" for number in range(80)]
    router.config(lines)
    whole = router.command("show running-config")
    router.command("terminal paginate")
    paged = router.command("show running-config")
    assert paged == whole, (paged, whole)
    router.config(["no " + line for line in lines])
"##;

/// A daemon's own port asks for a password, for another one at `enable`, and pages by itself.
const DAEMON: &str = r#"
from jackfield import JackfieldError, session

with session("/lab/zebra") as zebra:
    zebra.level("enable")
    whole = zebra.command("show running-config")
    assert "hostname" in whole and len(whole.splitlines()) > 10, whole
    # Every length of a page: at some of them the answer ends exactly where a page does.
    for length in range(2, 31):
        zebra.command(f"terminal length {length}")
        paged = zebra.command("show running-config")
        assert paged == whole, (length, paged, whole)
    zebra.level("view")
    assert "Unknown command" in zebra.command("configure terminal", check=False)

with session("/lab/stranger") as stranger:
    try:
        stranger.level("enable")
        raise AssertionError("a wrong secret was taken")
    except JackfieldError as error:
        assert "did not take the secret" in str(error), error
"#;

const LINK: &str = r#"
title = "routes are learned over OSPF and BGP, go with the link, and come back"

[sessions.r1]
resource = "/lab/r1"
[sessions.r2]
resource = "/lab/r2"

[[steps]]
name = "the neighbour's loopback is learned"
session = "r1"
wait_until = "show ip route 203.0.113.2/32"
check = [{ contains = 'Known via "ospf"' }, { contains = "198.51.100.2, via eth0" }]
timeout = "30s"
every = "100ms"

[[steps]]
name = "and over BGP the one that it announces"
session = "r1"
wait_until = "show ip route 198.18.2.0/24"
check = [{ contains = 'Known via "bgp"' }, { contains = "198.51.100.2, via eth0" }]
timeout = "30s"
every = "100ms"

[[steps]]
session = "r1"
command = "show bgp summary json"
check = { json = "/ipv4Unicast/peers/198.51.100.2/state", equals = "Established" }

[[steps]]
name = "the link is taken down"
session = "r1"
config = ["interface eth0", "shutdown"]

[[steps]]
session = "r1"
wait_until = "show ip route 203.0.113.2/32"
check = { contains = "Network not in table" }
timeout = "10s"
every = "100ms"

[[steps]]
session = "r1"
wait_until = "show ip route 198.18.2.0/24"
check = { contains = "Network not in table" }
timeout = "10s"
every = "100ms"

[[steps]]
name = "the other end sees it go, too"
session = "r2"
wait_until = "show ip route 203.0.113.1/32"
check = { contains = "Network not in table" }
timeout = "10s"
every = "100ms"

[[steps]]
name = "and comes back"
session = "r1"
config = ["interface eth0", "no shutdown"]

[[steps]]
session = "r2"
wait_until = "show ip route 203.0.113.1/32"
check = { contains = 'Known via "ospf"' }
timeout = "20s"
every = "100ms"

[[steps]]
session = "r2"
wait_until = "show ip route 198.18.1.0/24"
check = { contains = 'Known via "bgp"' }
timeout = "30s"
every = "100ms"
"#;

#[test]
fn two_routers_are_driven_for_long_and_their_link_is_cut() {
    if left_out("frr", "/usr/lib/frr/ospfd") {
        return;
    }
    let [one, two] = Router::pair().unwrap();
    let mut bench = Bench::start("").unwrap();
    for (file, text) in [("thousand.py", THOUSAND), ("daemon.py", DAEMON), ("link.steps.toml", LINK)] {
        bench.write(&format!("tests/{file}"), text).unwrap();
    }
    bench.start_ep("EP-1", "").unwrap();
    let set = |name: &str, way: &Value| bench.api.set_resource("/lab", name, way).unwrap();
    let telnet = |router: &Router| json!({"protocol": "telnet", "host": router.address, "profile": "frr"});
    let ssh = json!({
        "protocol": "ssh", "host": one.address, "profile": "frr", "user": "root", "key": one.key, "host_key": one.host_key,
    });
    let daemon = |secret: &str| {
        json!({
            "protocol": "telnet", "host": one.address, "port": ZEBRA_PORT, "profile": "frr", "password": PASSWORD,
            "enable_password": secret,
        })
    };
    bench.api.set_resource("/", "lab", &json!({})).unwrap();
    set("r1", &telnet(&one));
    set("r2", &telnet(&two));
    set("zebra", &daemon(ENABLE_PASSWORD));
    set("stranger", &daemon("wrong"));
    bench.api.pass_files(&["link.steps.toml", "thousand.py", "daemon.py"], LIMIT).unwrap();
    set("r1", &ssh);
    bench.api.pass_files(&["thousand.py", "link.steps.toml"], LIMIT).unwrap();
    let left = one.look("show running-config").unwrap();
    assert!(!left.contains("192.0.2."), "{left}");
}
