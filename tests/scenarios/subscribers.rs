//! A real node of a mobile network: a subscriber is added to `OsmoHLR` over its telnet command line, and read back.

use std::time::Duration;

use jackfield_tests::{
    Bench,
    osmo::{Hlr, PACKAGE, PORT},
    present::left_out,
};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);

const ADD: &str = r#"
from jackfield import JackfieldError, session

TABLE = """Value ID (\\d+)
Value MSISDN (\\d+|none)
Value IMSI (\\d+)

Start
  ^${ID}\\s+${MSISDN}\\s+${IMSI}\\s -> Record
"""
IMSI = "001010000000001"

with session("/lab/hlr") as hlr:
    hlr.level("enable")
    created = hlr.command(f"subscriber imsi {IMSI} create")
    assert "% Created subscriber" in created, created
    hlr.command(f"subscriber imsi {IMSI} update msisdn 5551234")
    hlr.command(f"subscriber imsi {IMSI} update aud2g comp128v1 ki 0123456789abcdef0123456789abcdef")
    shown = hlr.command(f"subscriber msisdn 5551234 show")
    assert f"IMSI: {IMSI}" in shown and "KI=0123456789abcdef0123456789abcdef" in shown, shown
    assert "already exists" in hlr.command(f"subscriber imsi {IMSI} create", check=False)
    for number in range(2, 60):
        hlr.command(f"subscriber imsi 0010100000000{number:02} create")
    rows = hlr.rows("show subscribers all", TABLE)
    assert len(rows) == 59 and rows[0] == {"ID": "1", "MSISDN": "5551234", "IMSI": IMSI}, rows

    # The node pages by itself where it is told how long a screen is.
    whole = hlr.command("list")
    hlr.command("terminal length 7")
    assert hlr.command("list") == whole
    hlr.command("terminal length 0")

    hlr.config(["hlr", "ussd route prefix *#100# internal own-msisdn"])
    assert "*#100#" in hlr.command("show running-config")
    try:
        hlr.config(["hlr", "usd route prefix", "subscriber-create-on-demand 15 cs+ps"])
        raise AssertionError("a wrong line was taken")
    except JackfieldError as error:
        assert "`usd route prefix`" in str(error) and "Unknown command" in str(error), error
    hlr.level("view")
    hlr.level("enable")
    assert "% Deleted subscriber" in hlr.command(f"subscriber imsi {IMSI} delete")
    assert "No subscriber" in hlr.command(f"subscriber imsi {IMSI} show", check=False)
"#;

#[test]
fn a_subscriber_is_added_to_a_real_register_and_read_back() {
    if left_out(PACKAGE.0, PACKAGE.1) {
        return;
    }
    let hlr = Hlr::start().unwrap();
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/add.py", ADD).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    bench.api.set_resource("/", "lab", &json!({})).unwrap();
    let way = json!({"protocol": "telnet", "host": hlr.address, "port": PORT, "profile": "osmocom"});
    bench.api.set_resource("/lab", "hlr", &way).unwrap();
    bench.api.pass_files(&["add.py"], LIMIT).unwrap();
}
