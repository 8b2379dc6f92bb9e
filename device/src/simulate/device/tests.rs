//! What lines do to a small device.

use super::*;

const MODEL: &str = r#"
name = "d"
start = "exec"
abbreviate = true
unknown = "unknown: {{line}}"
ambiguous = "which?"

[modes.exec]
prompt = "{{name}}> "
[modes.config]
prompt = "{{name}}(config)# "
[modes.port]
prompt = "{{name}}(port {{port}})# "
also = "config"

[state]
name = "d1"
[state.ports]
p1 = { speed = "100" }

[[commands]]
modes = ["exec"]
command = "show version"
output = "v1"
[[commands]]
modes = ["exec"]
command = "show vlan {id}"
output = "vlan {{id}}"
[[commands]]
modes = ["exec"]
command = "shutdown"
output = "bye"
go = "close"
[[commands]]
modes = ["exec"]
command = "configure"
ask = { prompt = "Secret: ", answer = "s3" }
go = "config"
[[commands]]
modes = ["config"]
command = "port {port}"
needs = { table = "ports", key = "{{port}}", otherwise = "no port {{port}}" }
go = "port"
context = { port = "{{port}}" }
[[commands]]
modes = ["port"]
command = "speed {mbps}"
put = { table = "ports", key = "{{port}}", value = { speed = "{{mbps}}" } }
later = { after = "1s", put = { table = "ports", key = "{{port}}", value = { link = "up" } } }
[[commands]]
modes = ["config"]
command = "name {text...}"
set = { name = "{{text}}" }
[[commands]]
modes = ["config"]
command = "end"
go = "exec"
"#;

fn device() -> (Device, Place) {
    let device = Device::new(DeviceModel::parse("d.toml", MODEL).unwrap()).unwrap();
    let (place, reply) = device.enter();
    assert_eq!(reply.prompt, "d1> ");
    (device, place)
}

#[test]
fn lines_mean_what_a_person_would_expect() {
    for (line, shown) in [
        ("show version", "v1\n"),
        ("sh ver", "v1\n"),
        ("  SHOW   VERSION ", "v1\n"),
        ("show vlan 7", "vlan 7\n"),
        ("sh v", "v1\n"),
        ("s ver", "v1\n"),
        ("show vlan", "% Incomplete command.\n"),
        ("bogus", "unknown: bogus\n"),
        ("port p1", "unknown: port p1\n"),
        ("", ""),
    ] {
        let (device, mut place) = device();
        let reply = device.line(&mut place, line);
        assert_eq!((reply.text.as_str(), reply.prompt.as_str()), (shown, "d1> "), "{line}");
    }
}

#[test]
fn shortened_words_that_fit_two_commands_are_refused() {
    let more = format!("{MODEL}\n[[commands]]\nmodes = ['exec']\ncommand = 'show vendor'\noutput = 'x'\n");
    let device = Device::new(DeviceModel::parse("d.toml", &more).unwrap()).unwrap();
    let (mut place, _) = device.enter();
    assert_eq!(device.line(&mut place, "show ve").text, "which?\n");
    assert_eq!(device.line(&mut place, "show vend").text, "x\n");
}

#[test]
fn modes_nest_and_secrets_are_asked_for() {
    let (device, mut place) = device();
    let mut say = |line: &str| device.line(&mut place, line);
    let asked = say("configure");
    assert_eq!((asked.prompt.as_str(), asked.hidden), ("Secret: ", true));
    assert_eq!(say("wrong").text, "% Bad secrets\n");
    say("configure");
    assert_eq!(say("s3").prompt, "d1(config)# ");
    assert_eq!(say("port p9").text, "no port p9\n");
    assert_eq!(say("port p1").prompt, "d1(port p1)# ");
    assert_eq!(say("name big one").prompt, "big one(port p1)# ");
    let reply = say("speed 1000");
    let [(after, changes)] = reply.later.as_slice() else { panic!("{reply:?}") };
    assert_eq!(after.as_secs(), 1);
    assert_eq!(say("end").prompt, "big one> ");
    assert!(say("shutdown").close);
    device.change(changes);
    assert_eq!(device.state()["ports"]["p1"], serde_json::json!({"speed": "1000", "link": "up"}));
}

#[test]
fn a_broken_template_is_told_with_its_place() {
    let text = MODEL.replace("vlan {{id}}", "vlan {{#each}");
    let error = Device::new(DeviceModel::parse("d.toml", &text).unwrap()).err().unwrap().to_string();
    assert!(error.starts_with("d: template of the command at line 25: "), "{error}");
}
