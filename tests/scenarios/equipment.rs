//! What stands around a device: the wire to it, and its mains.

use std::time::Duration;

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::Bench;
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);
/// How a file of tcpdump begins on a machine of this kind: pcap-savefile(5), microseconds.
const PCAP: u32 = 0xa1b2_c3d4;

/// Sends a text to itself over TCP, on a port of its own.
const TALK: &str = r#"
import socket
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]

def talk():
    with socket.create_connection(("127.0.0.1", port)) as client:
        server.accept()[0].sendall(b"who goes there")
        assert client.recv(100) == b"who goes there"
"#;

#[test]
fn packets_are_captured_by_a_call_and_by_a_property() {
    let mut bench = Bench::start("").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let call = "import jackfield\nwith jackfield.capture('lo', f'tcp port {port}', name='wire') as counts:\n    talk()\n\
        assert counts['packets'] >= 6 and counts['dropped'] == 0, counts\n";
    bench.write("tests/call.py", &format!("{TALK}\n{call}")).unwrap();
    bench.write("tests/property.py", &format!("{TALK}\ntalk()\n")).unwrap();
    let case = |file: &str, property: &str| {
        format!(
            "<TestCase><tcName>{file}</tcName><Property><propName>capture</propName><propValue>{property}</propValue></Property></TestCase>"
        )
    };
    let xml = format!(
        "<Root><TestSuite><tsName>wire</tsName><TestCase><tcName>call.py</tcName></TestCase>{}{}</TestSuite></Root>",
        case("property.py", "lo tcp"),
        case("property.py", "nowhere0")
    );
    let run = bench.api.submit("packets", &xml).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let rows = bench.api.tests(run).unwrap();
    for (row, file) in rows.iter().zip(["wire.pcap", "lo.pcap"]) {
        assert_eq!(row.state, TestState::Ended(Verdict::Pass), "{}", row.reason);
        let test = row.attempt.unwrap().to_string();
        let fetched = bench.jackfield(&["runs", "artifacts", &test, file, "--to", "-"]).unwrap();
        assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
        let packets = fetched.stdout;
        assert_eq!(packets.first_chunk().copied().map(u32::from_ne_bytes), Some(PCAP));
        assert!(
            packets.windows(14).any(|bytes| bytes == b"who goes there"),
            "{file} does not hold what was said"
        );
    }
    assert_eq!(rows[2].state, TestState::Ended(Verdict::Invalid));
    assert!(rows[2].reason.contains("nowhere0") && rows[2].reason.contains("ip link"), "{}", rows[2].reason);
}

#[test]
fn a_test_switches_the_mains_of_a_device() {
    let mut bench = Bench::start("").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let trace = bench.path().join("relay");
    let relay = |word: &str| json!(["sh", "-c", format!("echo {word} >> {}", trace.display())]);
    let outlet = json!({"command": {"on": relay("on"), "off": relay("off"), "status": ["tail", "-n1", trace]}, "off_millis": 10});
    let lab = |name: &str, parent: &str, properties: Value| {
        let body = json!({"name": name, "parent": parent, "properties": properties});
        bench.api.put::<Value>("/resources", &body).unwrap()
    };
    lab("lab", "/", json!({}));
    lab("router", "/lab", json!({ "power": outlet }));
    lab("bare", "/lab", json!({}));
    let test = "import jackfield\nassert jackfield.power('/lab/router', 'cycle') == 'on'\n\
        assert jackfield.power('/lab/router', 'off') == 'off'\nassert jackfield.power('/lab/router', 'status') == 'off'\n";
    bench.write("tests/cycle.py", test).unwrap();
    bench.write("tests/bare.py", "import jackfield\njackfield.power('/lab/bare', 'on')\n").unwrap();
    bench.write("tests/word.py", "import jackfield\njackfield.power('/lab/router', 'reboot')\n").unwrap();
    let xml = "<Root><TestSuite><tsName>mains</tsName><TestCase><tcName>cycle.py</tcName></TestCase>\
        <TestCase><tcName>bare.py</tcName></TestCase><TestCase><tcName>word.py</tcName></TestCase></TestSuite></Root>";
    let run = bench.api.submit("mains", xml).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let rows = bench.api.tests(run).unwrap();
    assert_eq!(rows[0].state, TestState::Ended(Verdict::Pass), "{}", rows[0].reason);
    assert_eq!(std::fs::read_to_string(&trace).unwrap(), "off\non\noff\n");
    assert!(rows[1].reason.contains("has no property `power`"), "{}", rows[1].reason);
    assert!(rows[2].reason.contains("on, off, cycle or status"), "{}", rows[2].reason);
}
