//! A test that talks nonsense to its EP.

use std::time::Duration;

use jackfield_tests::{Bench, wait};

use super::{Campaign, text};

const LIMIT: Duration = Duration::from_secs(300);

const NONSENSE: &str = r#"
import json, os, random, socket, sys, time

seed, seconds = int(sys.argv[1]), float(sys.argv[2])
texts = json.loads(os.environ['JACKFIELD_PROPERTIES'])['texts']
texts = json.loads(texts)
dice = random.Random(seed)
methods = '''hello log result part check mark variable artifact cleanup power capture_start capture_stop get_global set_global get_config
get_resource set_resource rename_resource delete_resource get_sut get_bind_id get_bind_name interact session_open session_send session_expect
session_command session_screen session_press session_rows session_config session_close session_list textfsm session_put nothing_like_it'''.split()
names = '''token log text verdict reason name value limits label path command timeout_millis resource action interface filter capture config query
parent properties component kind message options default connect session patterns template local remote'''.split()

def any_value(depth=2):
    kind = dice.randrange(8 if depth else 6)
    if kind == 0: return None
    if kind == 1: return dice.choice([True, False])
    if kind == 2: return dice.choice([0, -1, 1, 2**63, 1e308, 10**30])
    if kind < 6: return dice.choice(texts)
    if kind == 6: return [any_value(depth - 1) for _ in range(dice.randrange(4))]
    return {dice.choice(names): any_value(depth - 1) for _ in range(dice.randrange(4))}

def connect():
    talk = socket.socket(socket.AF_UNIX)
    talk.settimeout(20)
    talk.connect(os.environ['JACKFIELD_SOCKET'])
    return talk

def line(talk):
    said = b''
    while not said.endswith(b'\n'):
        piece = talk.recv(65536)
        if not piece: return said
        said += piece
    return said

def hello(talk):
    talk.sendall(json.dumps({'jsonrpc': '2.0', 'id': 0, 'method': 'hello', 'params': {'token': os.environ['JACKFIELD_TOKEN']}}).encode() + b'\n')
    assert b'"result"' in line(talk)

end, count = time.monotonic() + seconds, 0
while time.monotonic() < end:
    talk = connect()
    try:
        if dice.random() < 0.8: hello(talk)
        for number in range(dice.randrange(20)):
            way = dice.randrange(12)
            if way == 0: talk.sendall(os.urandom(dice.randrange(400)).replace(b'\n', b' ') + b'x\n')
            elif way == 1: talk.sendall(b'[' * 50000 + b'\n')
            elif way == 2: talk.sendall(b'{"jsonrpc": "2.0", "id": 1, "meth'); break
            else:
                method = dice.choice(methods)
                params = {dice.choice(names): any_value() for _ in range(dice.randrange(5))}
                # Nothing that waits for a person or a device.
                if method in ('interact', 'session_open', 'session_expect', 'power', 'capture_start', 'cleanup'): params.pop('resource', None); params['timeout_millis'] = 1; params.pop('connect', None)
                if method == 'result': params['verdict'] = 'NOTHING'
                talk.sendall(json.dumps({'jsonrpc': '2.0', 'id': number, 'method': method, 'params': params}).encode() + b'\n')
            count += 1
            said = line(talk)
            if not said: break
            json.loads(said)
    except (BrokenPipeError, ConnectionResetError): pass
    finally: talk.close()
talk = connect()
hello(talk)
talk.sendall(b'{"jsonrpc":"2.0","id":7,"method":"session_list"}\n')
assert json.loads(line(talk))['id'] == 7
assert count > 50, count
"#;

#[test]
fn a_test_that_talks_nonsense_gets_answers_and_its_ep_lives() {
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/nonsense.py", NONSENSE).unwrap();
    bench.write("tests/t.sh", "#!/bin/sh\necho hello\n").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let mut campaign = Campaign::begin();
    let texts: Vec<String> = (0..40).map(|_| text(campaign.dice()).replace(['\0', '\n'], " ")).collect();
    let texts = serde_json::to_string(&texts)
        .unwrap()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let plain: String = texts.chars().filter(|letter| !letter.is_control()).collect();
    let (seed, seconds) = (campaign.seed, campaign.seconds);
    let property = |name: &str, value: &str| {
        format!("<Property><propName>{name}</propName><propValue>{value}</propValue></Property>")
    };
    let properties = [
        property("param", &seed.to_string()),
        property("param", &seconds.to_string()),
        property("texts", &plain),
    ]
    .concat();
    let xml = format!(
        "<Root><TestSuite><tsName>a</tsName><TestCase><tcName>nonsense.py</tcName>{properties}</TestCase></TestSuite></Root>"
    );
    let run = bench.api.submit("nonsense", &xml).unwrap();
    bench.api.wait(run, LIMIT + Duration::from_secs(seconds)).unwrap();
    let tests = bench.api.tests(run).unwrap();
    let test = tests.first().unwrap();
    let log = bench.api.log(test.attempt.unwrap(), "cli").unwrap_or_default();
    assert_eq!(format!("{:?}", test.state), "Ended(Pass)", "seed {seed}: {} {log}", test.reason);
    assert!(
        bench.ep("EP-1").ended().is_none() && !bench.ep_log("EP-1").contains("panicked"),
        "{}",
        bench.ep_log("EP-1")
    );
    wait::until(LIMIT, "another test to pass", || Ok(bench.api.pass_files(&["t.sh"], LIMIT).ok())).unwrap();
}
