//! Each kind of file in the form that its tool documents, what is not carried over, and what nobody should write.

use std::collections::BTreeMap;

use jackfield_resource_allocator::{ResourceId, plan::Extent};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::problem::has_errors;

fn source(name: &str, text: &str) -> Arc<Source> {
    Arc::new(Source::new(name, text))
}

/// A line for each node: its path, and its properties as JSON; then what is told.
fn read_as(format: Format, name: &str, text: &str) -> String {
    let Read { value, problems } = format.read(&source(name, text));
    let mut lines: Vec<String> = value
        .into_iter()
        .flat_map(|outline| outline.nodes)
        .map(|node| format!("/{} {}", node.path.join("/"), json!(node.properties)))
        .collect();
    lines.extend(problems.iter().map(ToString::to_string));
    lines.join("\n")
}

fn tree_of(format: Format, name: &str, text: &str) -> Tree {
    let read = format.read(&source(name, text));
    assert!(read.is_usable(), "{:?}", read.problems);
    let mut tree = Tree::new();
    let mut last = 0;
    let mut ids = || {
        last += 1;
        ResourceId::from_number(last)
    };
    if let Some(edit) = tree.plan(read.value.unwrap(), "/", Extent::Exact, &mut ids).unwrap().edit {
        tree.apply(edit).unwrap();
    }
    tree
}

/// Written, and read again, it is the same.
fn comes_back(format: Format, tree: &Tree) {
    let (text, problems) = format.write(tree).unwrap();
    assert_eq!(problems, []);
    let again = format.read(&source("again", &text)).value.unwrap();
    let plan = tree.plan(again, "/", Extent::Exact, &mut || ResourceId::from_number(0xff_ffff)).unwrap();
    assert_eq!(plan.steps, [], "{text}");
}

const PYATS: &str = "\
testbed:
  name: IOL_Testbed
  credentials:
    default: {username: admin, password: '%ENV{PYATS_PW}'}
devices:
  iosv-1:
    os: ios
    type: router
    platform: iosv
    credentials:
      default: &login
        username: cisco
        password: cisco123
    connections:
      defaults: {class: unicon.Unicon}
      cli:
        protocol: ssh
        ip: 10.255.1.16
        port: 22
      a: {protocol: telnet, ip: 10.1.1.1, port: 2004}
  nxos-1:
    os: nxos
    type: switch
    credentials: {default: *login}
    connections:
      rest: {class: rest.connector.Rest, protocol: https, ip: 10.255.1.17}
topology:
  iosv-1:
    interfaces:
      GigabitEthernet0/0: {type: ethernet, ipv4: 10.0.0.1/24, link: l1}
      Loopback0: {type: loopback}
  nxos-1:
    interfaces:
      Ethernet2/1: {type: ethernet, link: l1}
      Ethernet2/2: {type: ethernet, link: lonely}
extends: other.yaml
";

#[test]
fn a_testbed_of_pyats_comes_in() {
    insta::assert_snapshot!(read_as(Format::Pyats, "testbed.yaml", PYATS));
}

const LABGRID: &str = "\
targets:
  main:
    features: [camera, sd-mux]
    resources:
      RawSerialPort:
        port: /dev/ttyUSB0
        speed: 115200
      NetworkService: {address: 192.168.1.10, username: root, password: secret}
    drivers:
      SerialDriver: {}
      ShellDriver: {prompt: 'root@.*:', login_prompt: ' login: ', username: root}
  second:
    resources:
    - NetworkPowerPort: {model: gude, host: '10.0.0.5', index: !template '$LG_INDEX'}
    - NetworkPowerPort: {model: gude, host: '10.0.0.5', index: 2}
images:
  rootfs: image.img
";

const EXPORTER: &str = "\
imx6-board:
  location: rack 3
  USBSerialPort:
    match: {ID_SERIAL_SHORT: P-00-00682}
    speed: 115200
  console-a:
    cls: RawSerialPort
    port: /dev/ttyS0
";

#[test]
fn environments_and_exporters_of_labgrid_come_in() {
    let environment = read_as(Format::Labgrid, "env.yaml", LABGRID);
    let exporter = read_as(Format::Labgrid, "exporter.yaml", EXPORTER);
    insta::assert_snapshot!(format!("{environment}\n---\n{exporter}"));
}

const INI: &str = "\
# the lab
jump.lab:2222 ansible_user=admin
[routers]
r[01:03] ansible_host=10.0.0.1 role='core router'   # three
edge ansible_password=topsecret
[switches]
s1
[network:children]
routers
switches
[network:vars]
ansible_network_os=junos
ansible_user=ansible
[all:vars]
ntp={{ ntp_server }}
[unused:vars]
x=1
";

const INVENTORY: &str = "\
all:
  vars: {site: cluj}
  hosts:
    jump: {ansible_host: 10.0.0.9}
  children:
    routers:
      vars: {ansible_user: ansible, site: iasi}
      hosts:
        r1:
        r2: {ansible_user: root}
      children:
        core: {hosts: {r2: }}
";

#[test]
fn inventories_of_ansible_come_in() {
    let ini = read_as(Format::Ansible, "hosts", INI);
    let yaml = read_as(Format::Ansible, "hosts.yml", INVENTORY);
    insta::assert_snapshot!(format!("{ini}\n---\n{yaml}"));
}

#[test]
fn a_name_of_ansible_means_as_many_hosts_as_it_says() {
    assert_eq!(
        read_as(Format::Ansible, "hosts", "web[08:10]:2222\ndb-[a:c:2]x[1:2]\n"),
        "/db-ax1 {}\n/db-ax2 {}\n/db-cx1 {}\n/db-cx2 {}\n\
         /web08 {\"port\":2222}\n/web09 {\"port\":2222}\n/web10 {\"port\":2222}"
    );
    let long = format!("r[{}1:2]\n", "0".repeat(70_000));
    assert!(read_as(Format::Ansible, "hosts", &long).starts_with("/r[000"), "no number is that long");
}

const NETBOX: &str = r#"{"count": 2, "next": null, "previous": null, "results": [
 {"id": 1, "url": "http://netbox/api/dcim/devices/1/", "display": "r1", "name": "r1",
  "device_type": {"id": 3, "manufacturer": {"name": "Juniper", "slug": "juniper"}, "model": "MX480"},
  "role": {"name": "Core Router", "slug": "core-router"}, "platform": {"name": "Junos", "slug": "junos"},
  "serial": "JN123", "asset_tag": "0042", "site": {"name": "Cluj", "slug": "cluj"}, "rack": {"name": "R1"}, "position": 12.0,
  "status": {"value": "active", "label": "Active"}, "primary_ip": {"address": "10.0.0.1/24"}, "tags": [{"name": "10G", "slug": "10g"}],
  "custom_fields": {"ports": 48, "owner": null}, "comments": "", "console_port_count": 1, "virtual_chassis": {"id": 4}, "created": "2026-01-01"},
 {"id": 2, "name": null, "device_type": {"model": "PDU"}}]}"#;

#[test]
fn devices_of_netbox_come_in() {
    insta::assert_snapshot!(read_as(Format::Netbox, "devices.json", NETBOX));
}

const HWCONFIG: &str = "\
<root>
<!-- the lab of the second floor -->
\t<testbed>
\t\t<testbedid>001</testbedid>
\t\t<testbedname>TB-001</testbedname>
\t\t<device>
\t\t\t<deviceid>DUT-1</deviceid>
\t\t\t<devicename>DUT1 &amp; co</devicename>
\t\t\t<TerminalServerPort>5014</TerminalServerPort>
\t\t\t<devicemodule>
\t\t\t\t<moduletype>ATM</moduletype>
\t\t\t\t<deviceport><port>1</port><portType>Phone</portType><HasSpeaker>True</HasSpeaker></deviceport>
\t\t\t</devicemodule>
\t\t\t<devicemodule><moduletype>ATM</moduletype><vlan>1</vlan><vlan>2</vlan></devicemodule>
\t\t</device>
\t</testbed>
</root>
";

#[test]
fn hwconfig_comes_in_goes_out_and_comes_in_again() {
    insta::assert_snapshot!(read_as(Format::Hwconfig, "hwconfig.xml", HWCONFIG));
    comes_back(Format::Hwconfig, &tree_of(Format::Hwconfig, "hwconfig.xml", HWCONFIG));
}

#[test]
fn what_hwconfig_cannot_say_is_told() {
    let table = "path,ports,:id,odd name\n/tb1/r1/m1/p1/deep,4,7,x\n/tb1/r2,8,,\n";
    let (text, problems) = Format::Hwconfig.write(&tree_of(Format::Csv, "t.csv", table)).unwrap();
    let told: Vec<_> = problems.iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(
        told,
        ["`/tb1/r1/m1/p1/deep` is not carried over", "`/tb1/r2:ports` is written as the text 8"],
        "{text}"
    );
}

#[test]
fn a_table_is_read_as_it_is_seen() {
    let text = "\u{feff}path;ports;serial;up;note;tags\r\n/tb1;;;;;\r\n/tb1/r1;4;007;true;\"two\r\nlines; \"\"quoted\"\"\";[\"a\",\"b\"]\r\n;;;;;\r\n/tb1/r2;x\r\n";
    assert_eq!(
        read_as(Format::Csv, "lab.csv", text),
        "/tb1 {}\n\
         /tb1/r1 {\"note\":\"two\\r\\nlines; \\\"quoted\\\"\",\"ports\":4,\"serial\":\"007\",\"tags\":[\"a\",\"b\"],\"up\":true}\n\
         /tb1/r2 {\"ports\":\"x\"}"
    );
    let named = read_as(Format::Csv, "lab.csv", "name,parent,id\nr1,/tb1,0000000007\n");
    assert_eq!(named, "/tb1/r1 {}");
}

#[test]
fn tables_that_make_no_sense_are_refused_with_the_line() {
    for (text, problem) in [
        (
            "ports,kind\n1,x\n",
            "t.csv:1:1: error: the first line does not say where the resources are; name a column `path`, with /tb1/r1 in it, or `name`, and `parent` where that is not /",
        ),
        ("path,a,a\n", "t.csv:1:8: error: there are two columns `a`; rename one"),
        ("path\n/a\n/a\n", "t.csv:3:1: error: `/a` has a line already; a resource has one line"),
        ("path,id\n/a,12\n", "t.csv:2:1: error: `12` is no id; ten hexadecimal digits, or an empty cell"),
        (
            "path,a\n/a,\"x\n",
            "t.csv:2:4: error: a quoted cell does not end; close it with \", or double the quotes in it",
        ),
        (
            "path\n/a,extra\n",
            "t.csv:2:4: warning: `extra` is not carried over; the first line has no name for this column",
        ),
    ] {
        let told = read_as(Format::Csv, "t.csv", text);
        assert!(told.lines().any(|line| line == problem), "{text:?}: {told}");
    }
}

#[test]
fn what_a_file_is_is_told_by_its_name_and_text() {
    for (name, text, format) in [
        ("resources.json", "{\"children\": {}}", Some(Format::Resources)),
        ("hwconfig.xml", "<root/>", Some(Format::Hwconfig)),
        ("lab.csv", "path\n", Some(Format::Csv)),
        ("x.yaml", PYATS, Some(Format::Pyats)),
        ("x.yaml", LABGRID, Some(Format::Labgrid)),
        ("x.yaml", EXPORTER, Some(Format::Labgrid)),
        ("x.yaml", INVENTORY, Some(Format::Ansible)),
        ("hosts", INI, Some(Format::Ansible)),
        ("devices.json", NETBOX, Some(Format::Netbox)),
        ("x.yaml", "a: 1\n", None),
        ("x.docx", "PK", None),
    ] {
        assert_eq!(Format::guess(&source(name, text)), format, "{name}");
    }
}

#[test]
fn hostile_files_are_refused() {
    let bomb = (1..30).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
        let before = level - 1;
        let list = vec![format!("*a{before}"); 9].join(",");
        format!("{text}a{level}: &a{level} [{list}]\n")
    });
    let tall = (1..200).fold("a0: &a0 x\n".to_owned(), |text, level| {
        let (open, close, before) = ("[".repeat(60), "]".repeat(60), level - 1);
        format!("{text}a{level}: &a{level} {open}*a{before}{close}\n")
    });
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a,".repeat(10_000));
    let wide = format!("path{}\n/a\n", ",".repeat(20_000));
    let said = format!("r[1:10000] note={}\n", "x".repeat(1 << 16));
    let deep_yaml = format!("devices: {}{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_json = format!("{}{}", "{\"children\":{\"a\":".repeat(10_000), "}}".repeat(10_000));
    let deep_xml = format!("<root>{}{}</root>", "<testbed>".repeat(10_000), "</testbed>".repeat(10_000));
    for (format, text) in [
        (Format::Pyats, bomb.as_str()),
        (Format::Pyats, &tall),
        (Format::Pyats, &long),
        (Format::Csv, &wide),
        (Format::Ansible, &said),
        (Format::Ansible, "ok\nr[0:9][0:9][0:9][0:9][0:9]\n"),
        (Format::Ansible, "ok\nr[3:1]\n"),
        (Format::Pyats, &deep_yaml),
        (Format::Pyats, "a: *nowhere\n"),
        (Format::Pyats, "a: &x [*x]\n"),
        (Format::Pyats, "a: 1\na: 2\n"),
        (Format::Pyats, "\t- x"),
        (Format::Pyats, ""),
        (Format::Resources, &deep_json),
        (Format::Resources, "[1, 2]"),
        (Format::Resources, "{\"path\": [\"a.user\"], \"id\": \"0000000001\", \"children\": {}}"),
        (Format::Resources, "{\"children\": {\"a\": {\"id\": 5}}}"),
        (Format::Hwconfig, &deep_xml),
        (Format::Hwconfig, "<root><suite/></root>"),
        (
            Format::Hwconfig,
            "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><root><testbed><a>&e;</a></testbed></root>",
        ),
        (Format::Netbox, "[5]"),
        (Format::Netbox, "{\"results\": "),
    ] {
        let read = format.read(&source("x", text));
        let start: String = text.chars().take(60).collect();
        assert!(has_errors(&read.problems), "{start}: {:?}", read.problems);
        assert!(read.problems.iter().all(|problem| problem.message.len() < 1_000), "{start}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z]{0,4}".prop_map(Value::from),
        Just(json!("=1+1")),
        Just(json!("007")),
        Just(json!("12")),
        Just(json!("true")),
        Just(json!("a,b;c\"d\ne\r\n")),
        Just(json!(" padded ")),
        Just(json!("[1]")),
        Just(json!("\"q\"")),
    ];
    let leaf = prop_oneof![
        text,
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(json!(1.5))
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    let properties = || {
        prop::collection::btree_map(
            prop_oneof![Just("ports"), Just("path"), Just("id"), Just(":odd"), Just("kind")],
            value(),
            0..4,
        )
    };
    prop::collection::vec((0..5_usize, properties()), 0..8).prop_map(|nodes| {
        let mut tree = Tree::new();
        let mut paths = vec!["/".to_owned()];
        for (number, (parent, properties)) in (1..).zip(nodes) {
            let properties: BTreeMap<_, _> =
                properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            let parent = paths[parent % paths.len()].clone();
            let name = format!("n{number}");
            tree.set(&name, &parent, properties, ResourceId::from_number(number)).unwrap();
            paths.push(format!("{}/{name}", parent.trim_end_matches('/')));
        }
        tree
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again_with_nothing_lost(tree in tree()) {
        for format in [Format::Resources, Format::Csv] {
            comes_back(format, &tree);
        }
    }

    #[test]
    fn no_text_is_too_much_for_the_readers(text in "[a-z:\\[\\]{}&*!|>'\"<>=,;#%\\- \\n\\t/0-9.]{0,120}") {
        for format in Format::ALL {
            let read = format.read(&source("x", &text));
            prop_assert!(read.value.is_some() || has_errors(&read.problems));
        }
    }
}

#[test]
fn twisters_own_samples_come_back_as_they_were() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/twister/data/config");
    for (format, name) in [(Format::Hwconfig, "hwconfig.xml"), (Format::Resources, "resources.json")] {
        let Ok(text) = std::fs::read_to_string(data.join(name)) else {
            println!("{name} is absent: the sample is not tried");
            continue;
        };
        comes_back(format, &tree_of(format, name, &text));
    }
}
