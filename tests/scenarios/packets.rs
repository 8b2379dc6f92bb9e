//! Packets that a test exchanges with a device are kept with it.

use std::time::Duration;

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::Bench;
use serde_json::Value;

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
        let attempt: Value = bench.api.get(&format!("/attempts/{}", row.attempt.unwrap())).unwrap();
        let hash =
            attempt["artifacts"][file].as_str().unwrap_or_else(|| panic!("{file} is not kept: {attempt}"));
        let packets = bench.api.blob(hash).unwrap();
        assert_eq!(packets.first_chunk().copied().map(u32::from_ne_bytes), Some(PCAP));
        assert!(
            packets.windows(14).any(|bytes| bytes == b"who goes there"),
            "{file} does not hold what was said"
        );
    }
    assert_eq!(rows[2].state, TestState::Ended(Verdict::Invalid));
    assert!(rows[2].reason.contains("nowhere0") && rows[2].reason.contains("ip link"), "{}", rows[2].reason);
}
