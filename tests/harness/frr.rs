//! A real router: FRRouting in network and host-name namespaces of its own, reached by telnet and SSH.
//!
//! Needs root, or sudo that asks nothing, and Debian's packages frr, inetutils-telnetd, openssh-server, socat, iproute2.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{process::Process, wait};

/// A running router; gone with this value.
pub struct Router {
    namespace: String,
    /// Its management address, reachable from here.
    pub address: String,
    /// Private key of the only SSH user, `root`.
    pub key: PathBuf,
    /// Known-hosts file with its host key.
    pub known_hosts: PathBuf,
    /// The fingerprint of its host key, `SHA256:…`.
    pub host_key: String,
    folder: TempDir,
    servers: Vec<Process>,
}

impl Router {
    /// Starts zebra and staticd, and the two ways in, both straight to `vtysh`.
    ///
    /// # Errors
    /// A package is missing, or this is no root.
    pub fn start() -> Result<Self> {
        let number = std::process::id() % 16_000;
        let namespace = format!("jf{number}");
        let (third, fourth) = (64 + number / 250, number % 250 * 4 / 4 + 1);
        let address = format!("10.99.{third}.{fourth}");
        let folder = TempDir::with_prefix("jackfield-frr-")?;
        let key = folder.path().join("id");
        let known_hosts = folder.path().join("known_hosts");
        let host_key = String::new();
        let router = Self { namespace, address, key, known_hosts, host_key, folder, servers: Vec::new() };
        router.network()?;
        router.daemons()?;
        router.ways_in()
    }

    /// `vtysh -c COMMAND` beside any session, to look at what a test really did.
    ///
    /// # Errors
    /// The router does not answer.
    pub fn look(&self, command: &str) -> Result<String> {
        let output = Command::new("vtysh").args(["-N", &self.namespace, "-c", command]).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn network(&self) -> Result<()> {
        let Self { namespace, address, .. } = self;
        let outside = format!("{namespace}v");
        let gateway = address.replacen("10.99.", "10.98.", 1);
        sh(&format!("ip netns add {namespace}"))?;
        sh(&format!("ip link add {outside} type veth peer name mgmt0 netns {namespace}"))?;
        sh(&format!("ip addr add {gateway}/32 peer {address}/32 dev {outside} && ip link set {outside} up"))?;
        sh(&format!(
            "ip -n {namespace} link set lo up && ip -n {namespace} addr add {address}/32 peer {gateway}/32 dev mgmt0"
        ))?;
        sh(&format!("ip -n {namespace} link set mgmt0 up"))
    }

    fn daemons(&self) -> Result<()> {
        let Self { namespace, .. } = self;
        let (etc, run) = (format!("/etc/frr/{namespace}"), format!("/var/run/frr/{namespace}"));
        sh(&format!("install -d -o frr -g frr {etc} {run}"))?;
        fs::write(format!("{etc}/vtysh.conf"), "service integrated-vtysh-config\n")?;
        fs::write(format!("{etc}/frr.conf"), format!("hostname {namespace}\n"))?;
        sh(&format!("chown frr:frr {etc}/*; chmod 640 {etc}/*"))?;
        // FRRouting takes the name in its prompt from the kernel: hence a host-name namespace of its own.
        sh(&format!(
            "ip netns exec {namespace} unshare --uts sh -c 'hostname {namespace}; \
             for d in zebra staticd; do /usr/lib/frr/$d -d -N {namespace} 2>/dev/null; done'"
        ))?;
        wait::until(Duration::from_secs(20), "FRRouting to answer", || {
            let answers = self.look("show version").is_ok_and(|text| text.contains("FRRouting"));
            Ok(answers.then_some(()))
        })
    }

    fn ways_in(mut self) -> Result<Self> {
        let Self { namespace, address, .. } = &self;
        let folder = self.folder.path().to_owned();
        let cli = folder.join("cli");
        let text = format!(
            "#!/bin/sh\nexec ip netns exec {namespace} unshare --uts sh -c 'hostname {namespace}; exec vtysh -N {namespace}'\n"
        );
        fs::write(&cli, text)?;
        let keygen = |kind: &str, name: &str| {
            sh(&format!("ssh-keygen -q -t {kind} -N '' -f {}/{name}", folder.display()))
        };
        keygen("ed25519", "host_key")?;
        keygen("ed25519", "id")?;
        let public = fs::read_to_string(folder.join("host_key.pub"))?;
        let shown = Command::new("ssh-keygen").arg("-lf").arg(folder.join("host_key.pub")).output()?.stdout;
        let shown = String::from_utf8(shown)?;
        let host_key = shown.split(' ').nth(1).context("a fingerprint")?.to_owned();
        fs::write(&self.known_hosts, format!("{address} {public}"))?;
        // sshd refuses a key file below a folder that others may write.
        let allowed = format!("/etc/frr/{namespace}/authorized_keys");
        fs::copy(folder.join("id.pub"), &allowed)?;
        sh(&format!(
            "chown root:root {allowed}; chmod 644 {allowed}; chmod 755 /etc/frr /etc/frr/{namespace} {}; install -d -m 755 /run/sshd",
            cli.display()
        ))?;
        let config = folder.join("sshd_config");
        let text = format!(
            "Port 22\nHostKey {0}/host_key\nPidFile none\nAuthorizedKeysFile {allowed}\nPermitRootLogin prohibit-password\nUsePAM no\nForceCommand {0}/cli\nStrictModes no\n",
            folder.display()
        );
        fs::write(&config, text)?;
        let log = folder.join("log");
        let telnet = format!("EXEC:\"/usr/sbin/telnetd -h -E {}\",nofork", cli.display());
        let telnetd = ["socat", "TCP-LISTEN:23,reuseaddr,fork", &telnet];
        let sshd = ["/usr/sbin/sshd", "-D", "-e", "-f", &config.to_string_lossy()];
        let mut servers = Vec::new();
        for (name, command) in [("telnetd", &telnetd[..]), ("sshd", &sshd[..])] {
            let mut start = Command::new("ip");
            start.args(["netns", "exec", namespace.as_str()]).args(command);
            servers.push(Process::start(name, &mut start, &log)?);
        }
        self.servers = servers;
        self.host_key = host_key;
        for port in [23, 22] {
            self.wait_for_port(port, &log)?;
        }
        Ok(self)
    }

    fn wait_for_port(&self, port: u16, log: &Path) -> Result<()> {
        let target = format!("{}:{port}", self.address);
        wait::until(Duration::from_secs(10), &format!("{target} to listen"), || {
            Ok(std::net::TcpStream::connect_timeout(&target.parse()?, Duration::from_secs(1)).ok().map(drop))
        })
        .with_context(|| fs::read_to_string(log).unwrap_or_default())
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.servers.clear();
        let namespace = &self.namespace;
        // Every process of the namespace is one of ours; the rest goes with it.
        drop(sh(&format!(
            "for p in $(ip netns pids {namespace}); do kill -9 $p; done; ip netns del {namespace}; \
             rm -rf /etc/frr/{namespace} /var/run/frr/{namespace}"
        )));
    }
}

fn sh(script: &str) -> Result<()> {
    let output =
        Command::new("sh").args(["-ec", script]).stdin(Stdio::null()).output().context("starting sh")?;
    if !output.status.success() {
        bail!("`{script}` failed (are you root?): {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_router_answers_over_ssh() {
        let router = Router::start().unwrap();
        let output = Command::new("timeout")
            .args(["20", "ssh", "-T", "-o", "BatchMode=yes", "-o"])
            .arg(format!("UserKnownHostsFile={}", router.known_hosts.display()))
            .arg("-i")
            .arg(&router.key)
            .arg(format!("root@{}", router.address))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.contains("Hello, this is FRRouting"),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
