//! A machine of the lab in a box: a network namespace with processes in it, and a cable from here for its management.
//!
//! Its number is a lock on a file, which the kernel lets go with the process that held it: what a killed test left behind is found by
//! the next one that gets its number, and swept away.

use std::{
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{process::Process, shell::sh, wait};

mod ways;

pub use ways::Ssh;

/// Where the numbers in use are known, for every test of this machine.
const LOCKS: &str = "/run/jackfield-tests";
/// How many there may be at once; each is an address.
const NODES_MAX: u32 = 250;
/// How long a server of the lab may take to listen.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A network namespace; gone with this value, and every process in it.
pub struct Node {
    /// The name of its network namespace.
    pub name: String,
    /// Its management address, reachable from here.
    pub address: String,
    servers: Vec<Process>,
    folder: TempDir,
    /// Held for as long as the number is in use.
    _number: File,
}

impl Node {
    /// A namespace with a management link.
    ///
    /// # Errors
    /// This is not root, or iproute2 is missing.
    pub fn start() -> Result<Self> {
        let (number, lock) = claim()?;
        let name = format!("jfn{number}");
        sweep(&name);
        let folder = TempDir::with_prefix(folder_prefix(&name))?;
        // Users of other names, such as FRRouting's, look into it.
        sh(&format!("chmod 755 {}", folder.path().display()))?;
        let address = format!("10.99.{}.{}", number / 250, number % 250 + 1);
        let node = Self { name, address, servers: Vec::new(), folder, _number: lock };
        node.connect()?;
        Ok(node)
    }

    /// A folder for its files, gone with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a script in it.
    ///
    /// # Errors
    /// One of its commands failed.
    pub fn sh(&self, script: &str) -> Result<String> {
        let file = self.folder.path().join("script");
        fs::write(&file, script)?;
        sh(&format!("ip netns exec {} sh -e {}", self.name, file.display()))
    }

    /// Starts a server in it; it ends with the node.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn serve(&mut self, name: &str, command: &[&str]) -> Result<()> {
        let mut start = Command::new("ip");
        start.args(["netns", "exec", self.name.as_str()]).args(command);
        let server = Process::start(name, &mut start, &self.log())?;
        self.servers.push(server);
        Ok(())
    }

    /// Waits until a port of it listens.
    ///
    /// # Errors
    /// It does not, in time; with what its servers printed.
    pub fn wait_for_port(&self, port: u16) -> Result<()> {
        let target = format!("{}:{port}", self.address);
        wait::until(START_LIMIT, &format!("{target} to listen"), || {
            Ok(TcpStream::connect_timeout(&target.parse()?, Duration::from_secs(1)).ok().map(drop))
        })
        .with_context(|| fs::read_to_string(self.log()).unwrap_or_default())
    }

    /// Waits until a file is there.
    ///
    /// # Errors
    /// It is not, in time; with what its servers printed.
    pub fn wait_for_file(&self, file: &Path) -> Result<()> {
        wait::until(START_LIMIT, &file.display().to_string(), || Ok(file.try_exists()?.then_some(())))
            .with_context(|| fs::read_to_string(self.log()).unwrap_or_default())
    }

    /// A cable between two nodes: the interface at either end.
    ///
    /// # Errors
    /// One of the names is taken.
    pub fn cable(&self, here: &str, other: &Self, there: &str) -> Result<()> {
        sh(&format!(
            "ip link add {here} netns {0} type veth peer name {there} netns {1}; \
             ip -n {0} link set {here} up; ip -n {1} link set {there} up",
            self.name, other.name
        ))
        .map(drop)
    }

    /// The ids of the processes in it, the oldest first.
    ///
    /// # Errors
    /// It is gone.
    pub fn pids(&self) -> Result<String> {
        sh(&format!("ip netns pids {}", self.name))
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn connect(&self) -> Result<()> {
        let Self { name, address, .. } = self;
        let outside = format!("{name}v");
        let gateway = address.replacen("10.99.", "10.98.", 1);
        sh(&format!(
            "ip netns add {name}; ip link add {outside} type veth peer name mgmt0 netns {name}; \
             ip addr add {gateway}/32 peer {address}/32 dev {outside}; ip link set {outside} up; \
             ip -n {name} link set lo up; ip -n {name} addr add {address}/32 peer {gateway}/32 dev mgmt0; \
             ip -n {name} link set mgmt0 up"
        ))
        .map(drop)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.servers.clear();
        sweep(&self.name);
    }
}

/// The first number that no living test holds.
fn claim() -> Result<(u32, File)> {
    fs::create_dir_all(LOCKS).with_context(|| format!("{LOCKS} (are you root?)"))?;
    for number in 0..NODES_MAX {
        let lock = File::create(Path::new(LOCKS).join(number.to_string()))?;
        if lock.try_lock().is_ok() {
            return Ok((number, lock));
        }
    }
    bail!("{NODES_MAX} nodes of the lab are in use at once")
}

fn folder_prefix(name: &str) -> String {
    format!("jackfield-node-{name}-")
}

/// Every process of the namespace is one of ours; the rest goes with it.
fn sweep(name: &str) {
    if Path::new("/run/netns").join(name).try_exists().unwrap_or(true) {
        // What is gone already needs no end.
        drop(sh(&format!(
            "for p in $(ip netns pids {name}); do kill -9 $p || true; done; ip netns del {name}"
        )));
    }
    // The other end goes with the namespace, but not at once where a process still holds it.
    drop(sh(&format!("! ip link show {name}v >/dev/null 2>&1 || ip link del {name}v")));
    let begins = folder_prefix(name);
    for folder in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if folder.file_name().to_string_lossy().starts_with(&begins) {
            drop(fs::remove_dir_all(folder.path()));
        }
    }
    drop(fs::remove_dir_all(format!("/etc/frr/{name}")));
    drop(fs::remove_dir_all(format!("/var/run/frr/{name}")));
}
