//! Dialogues with a router that is never the slower side: a bare loop, the engine itself, a Python test through the SDK, and what
//! people use instead, all against the same device in the same run, each side on a processor of its own ([`super::pin`]).
//!
//! What is compared: the engine with a bare loop over the same bytes, by turns in batches; the engine with each peer, by the same commands and answers.
//! A figure of one run says little about another machine or hour; its ratio does.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{
    Measure,
    lab::{Lab, project, wait},
    pin::Places,
};
use crate::command::{cargo, root, run};

/// The same work through other clients.
const PEERS: &str = include_str!("device/peers.py");
const EXPECT: &str = include_str!("device/peers.exp");
/// The same work through a test of ours in Python.
const SDK: &str = include_str!("device/sdk.py");

/// Our own figures: name, goal in words, and whether ours and the floor reach it.
type Goal = (&'static str, &'static str, fn(f64, f64) -> bool);
const GOALS: [Goal; 21] = [
    ("telnet: 1 MB to a literal prompt", "0.3 of the bare loop", |ours, floor| ours >= 0.3 * floor),
    ("telnet: 10 MB to a literal prompt", "0.3 of the bare loop", |ours, floor| ours >= 0.3 * floor),
    ("telnet: 100 MB to a literal prompt", "0.3 of the bare loop", |ours, floor| ours >= 0.3 * floor),
    ("telnet: 10 MB to a regex prompt", "at least 300 MB/s", |ours, _| ours >= 300.0),
    ("telnet: 10 MB as the answer of a command", "at least 300 MB/s", |ours, _| ours >= 300.0),
    ("SSH: 10 MB as the answer of a command", "0.9 of the bare loop", |ours, floor| ours >= 0.9 * floor),
    ("SSH by libssh2: 10 MB as the answer of a command", "0.9 of the bare loop", |ours, floor| {
        ours >= 0.9 * floor
    }),
    ("SSH: processor time of 10 MB", "1.5 of the bare loop", |ours, floor| ours <= 1.5 * floor),
    ("SSH by libssh2: processor time of 10 MB", "2 of the bare loop", |ours, floor| ours <= 2.0 * floor),
    ("telnet: show version of 40 lines", "0.5 of the bare loop", |ours, floor| ours >= 0.5 * floor),
    ("SSH: show version of 40 lines", "0.5 of the bare loop", |ours, floor| ours >= 0.5 * floor),
    ("SSH by libssh2: show version of 40 lines", "0.5 of the bare loop", |ours, floor| ours >= 0.5 * floor),
    ("telnet: connect, log in, one command", "3 ms more than bare", |ours, floor| ours <= floor + 3.0),
    ("SSH: connect, log in, one command", "1.1 of the bare login", |ours, floor| ours <= 1.1 * floor),
    ("SSH by libssh2: connect, log in, one command", "1.1 of the bare login", |ours, floor| {
        ours <= 1.1 * floor
    }),
    ("500 sessions: opened, each with an answer", "all answer", |_, _| true),
    ("500 sessions: one more answer of all", "all answer", |_, _| true),
    ("500 sessions: memory of each", "", |_, _| true),
    ("500 sessions: CPU of opening all", "", |_, _| true),
    ("SDK: show version of 40 lines", "at least 3,000 a second", |ours, _| ours >= 3_000.0),
    ("SDK: 10 MB as the answer of a command", "at least 100 MB/s", |ours, _| ours >= 100.0),
];

pub(crate) fn measure(rounds: usize) -> Result<Vec<Measure>> {
    let mut examples = cargo();
    run(examples.args([
        "build",
        "--profile",
        "dist",
        "--locked",
        "--package",
        "jackfield-device",
        "--examples",
    ]))?;
    let expectrl = build_expectrl()?;
    let places = Places::take()?;
    let mut lab = Lab::start("device")?;
    let devices = Devices::start(lab.folder(), &places)?;
    let mut figures = figures(
        Command::new(example("dialogues"))
            .args([devices.telnet.to_string(), devices.ssh.to_string(), user()?])
            .arg(&devices.key)
            .arg(rounds.to_string()),
    )?;
    figures.extend(through_sdk(&mut lab, &devices)?);
    let ours: Vec<Measure> = figures.iter().filter_map(own).collect();
    let peers = peers(&lab, &devices, &expectrl)?;
    let theirs = peers.iter().filter_map(|peer| against(peer, &ours)).collect::<Vec<_>>();
    Ok(ours.into_iter().chain(theirs).collect())
}

/// The peer that is a crate of Rust's, which is no part of the product: the answer is its program.
fn build_expectrl() -> Result<PathBuf> {
    let (manifest, target) = (root().join("xtask/peers/expectrl/Cargo.toml"), root().join("target/peers"));
    let mut build = cargo();
    build.args(["build", "--release", "--locked", "--manifest-path"]).arg(manifest).arg("--target-dir");
    run(build.arg(&target)).context("building the peer expectrl")?;
    Ok(target.join("release/jackfield-peer-expectrl"))
}

fn example(name: &str) -> PathBuf {
    root().join("target/dist/examples").join(name)
}

fn user() -> Result<String> {
    let id = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8(id.stdout)?.trim().to_owned())
}

/// Figures that a program prints, one JSON object a line.
fn figures(command: &mut Command) -> Result<Vec<Value>> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    String::from_utf8(output.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn own(figure: &Value) -> Option<Measure> {
    let name = figure.get("name")?.as_str()?;
    let (name, goal, holds) = GOALS.into_iter().find(|(known, ..)| *known == name)?;
    let (value, floor) = (figure.get("value")?.as_f64()?, figure.get("floor").and_then(Value::as_f64));
    let unit = unit(figure)?;
    let measure = Measure::own(name, value, unit, goal).holds(holds(value, floor.unwrap_or(f64::NAN)));
    Some(match floor {
        Some(floor) => measure.against("a bare loop", floor),
        None => measure,
    })
}

fn unit(figure: &Value) -> Option<&'static str> {
    let unit = figure.get("unit")?.as_str()?;
    ["MB/s", "1/s", "ms", "s", "KiB"].into_iter().find(|known| *known == unit)
}

/// One of ours against the same figure of a peer, which stands where a floor stands.
fn against(peer: &Value, ours: &[Measure]) -> Option<Measure> {
    let (who, what) = (peer.get("peer")?.as_str()?, peer.get("name")?.as_str()?);
    let theirs = peer.get("value")?.as_f64()?;
    let same = ours.iter().find(|own| own.name == what)?;
    let ahead = if same.unit.ends_with("/s") { same.value / theirs } else { theirs / same.value };
    // A bare loop is what the language of the peers costs, and nobody's way to work.
    let (least, goal) = match (who, what) {
        ("a bare loop in Python", _) => (0.0, ""),
        // Nor is a socket that is read up to a text: no terminal, and nothing proven.
        (who, _) if who.ends_with("on a socket") => (0.0, ""),
        (_, "telnet: show version of 40 lines") => (3.0, "3 times as many"),
        _ => (1.0, "ahead of it"),
    };
    // The list of measures lives as long as the command.
    let lasting = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let name = lasting(format!("{what}, against {who}"));
    let measure = Measure::own(name, same.value, same.unit.clone(), goal).holds(ahead >= least);
    Some(measure.against(lasting(who.to_owned()), theirs))
}

/// A Python test on an EP measures itself and prints the figures into a file.
fn through_sdk(lab: &mut Lab, devices: &Devices) -> Result<Vec<Value>> {
    lab.start_ep("EP-1", "")?;
    let file = lab.folder().join("sdk.json");
    let test = SDK.replace("@PORT@", &devices.telnet.to_string()).replace("@FILE@", &file.to_string_lossy());
    lab.write("tests/sdk.py", test.as_bytes())?;
    let project =
        lab.write("projects/sdk.xml", project(&[("sdk", "EP-1", vec!["sdk.py".to_owned()])]).as_bytes())?;
    lab.run(&["run", &project.to_string_lossy()], 0)?;
    fs::read_to_string(file)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn peers(lab: &Lab, devices: &Devices, expectrl: &Path) -> Result<Vec<Value>> {
    let own = root().join("target/python/bin/python3");
    let python = if own.is_file() { own } else { PathBuf::from("/usr/bin/python3") };
    let ways =
        || -> Result<[String; 3]> { Ok([devices.telnet.to_string(), devices.ssh.to_string(), user()?]) };
    let mut peers = figures(Command::new(expectrl).args(ways()?).arg(&devices.key))?;
    for (program, name, script) in [(python, "peers.py", PEERS), ("expect".into(), "peers.exp", EXPECT)] {
        let file = lab.folder().join(name);
        fs::write(&file, script)?;
        peers.extend(figures(Command::new(program).arg(file).args(ways()?).arg(&devices.key))?);
    }
    Ok(peers)
}

/// The fast router over telnet, and behind OpenSSH.
struct Devices {
    telnet: u16,
    ssh: u16,
    key: PathBuf,
    processes: Vec<Child>,
}

impl Devices {
    fn start(folder: &Path, places: &Places) -> Result<Self> {
        let (telnet, ssh) = (free_port()?, free_port()?);
        let key = folder.join("key");
        for file in [&key, &folder.join("host_key")] {
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file))?;
        }
        let mut devices = Self { telnet, ssh, key, processes: Vec::new() };
        devices.processes.push(places.device(example("fast_device")).arg(telnet.to_string()).spawn()?);
        let config = folder.join("sshd_config");
        let folder = folder.display();
        fs::write(
            &config,
            format!(
                "ListenAddress 127.0.0.1\nPort {ssh}\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\n\
                 AuthorizedKeysFile {folder}/key.pub\nStrictModes no\nPasswordAuthentication no\n\
                 PermitRootLogin yes\nPrintMotd no\nPrintLastLog no\nLogLevel ERROR\nForceCommand {} stdio\n",
                example("fast_device").display()
            ),
        )?;
        fs::create_dir_all("/run/sshd").context("sshd wants /run/sshd; run this as root")?;
        devices.processes.push(places.device("/usr/sbin/sshd").args(["-D", "-f"]).arg(config).spawn()?);
        for port in [telnet, ssh] {
            wait(Duration::from_secs(10), "the fast device", || {
                std::net::TcpStream::connect(("127.0.0.1", port)).ok()
            })?;
        }
        Ok(devices)
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        for process in &mut self.processes {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
