//! Real routers: FRRouting in network and host-name namespaces of its own, reached by telnet and SSH.
//!
//! Needs root, and Debian's packages frr, inetutils-telnetd, openssh-server, socat, iproute2.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Result;

use crate::{
    node::{Node, Ssh},
    shell::sh,
    wait,
};

/// What a daemon's own telnet port asks for.
pub const PASSWORD: &str = "geheim";
/// What `enable` asks for there.
pub const ENABLE_PASSWORD: &str = "geheimer";
/// The telnet port of zebra itself.
pub const ZEBRA_PORT: u16 = 2601;

/// A running router; gone with this value.
pub struct Router {
    /// Its management address, reachable from here.
    pub address: String,
    /// Private key of the only SSH user, `root`.
    pub key: PathBuf,
    /// Known-hosts file with its host key.
    pub known_hosts: PathBuf,
    /// The fingerprint of its host key, `SHA256:…`.
    pub host_key: String,
    node: Node,
}

impl Router {
    /// Starts zebra and staticd, and the two ways in, both straight to `vtysh`.
    ///
    /// # Errors
    /// A package is missing, or this is no root.
    pub fn start() -> Result<Self> {
        Self::on(Node::start()?, &["zebra", "staticd"], "")
    }

    /// Two routers with a cable between their `eth0`, and OSPF and BGP over it. Router 1 is 198.51.100.1 there and 203.0.113.1 on its loopback,
    /// which OSPF tells the other, and BGP tells that 198.18.1.0/24 is here; router 2 likewise. Their autonomous systems are 65001 and 65002.
    ///
    /// # Errors
    /// A package is missing, or this is no root.
    pub fn pair() -> Result<[Self; 2]> {
        let (one, two) = (Node::start()?, Node::start()?);
        one.cable("eth0", &two, "eth0")?;
        let daemons = ["zebra", "staticd", "ospfd", "bgpd"];
        Ok([Self::on(one, &daemons, &neighbour(1))?, Self::on(two, &daemons, &neighbour(2))?])
    }

    /// `vtysh -c COMMAND` beside any session, to look at what a test really did.
    ///
    /// # Errors
    /// The router does not answer.
    pub fn look(&self, command: &str) -> Result<String> {
        let output = Command::new("vtysh").args(["-N", &self.node.name, "-c", command]).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What `vtysh -N` is told.
    pub fn name(&self) -> &str {
        &self.node.name
    }

    fn on(mut node: Node, daemons: &[&str], settings: &str) -> Result<Self> {
        start_daemons(&node, daemons, settings)?;
        let cli = command_line(&node)?;
        let Ssh { key, known_hosts, host_key } =
            node.serve_ssh(&format!("ForceCommand {}", cli.display()))?;
        node.serve_telnet(&cli)?;
        let router = Self { address: node.address.clone(), key, known_hosts, host_key, node };
        wait::until(Duration::from_secs(20), "FRRouting to answer", || {
            let answers = router.look("show version").is_ok_and(|text| text.contains("FRRouting"));
            Ok(answers.then_some(()))
        })?;
        Ok(router)
    }
}

/// Timers as short as they go: a link that is cut is seen at once, a neighbour that is silent within four seconds.
fn neighbour(number: u8) -> String {
    let other = 3_u8.saturating_sub(number);
    format!(
        "ip route 198.18.{number}.0/24 blackhole\ninterface lo\n ip address 203.0.113.{number}/32\n ip ospf area 0\n\
         interface eth0\n ip address 198.51.100.{number}/30\n ip ospf area 0\n ip ospf network point-to-point\n \
         ip ospf hello-interval 1\n ip ospf dead-interval 4\n\
         router ospf\n ospf router-id 203.0.113.{number}\n timers throttle spf 0 50 200\n timers throttle lsa all 0\n timers lsa min-arrival 0\n\
         router bgp 6500{number}\n bgp router-id 203.0.113.{number}\n no bgp ebgp-requires-policy\n timers bgp 1 3\n \
         neighbor 198.51.100.{other} remote-as 6500{other}\n neighbor 198.51.100.{other} timers connect 1\n \
         neighbor 198.51.100.{other} advertisement-interval 0\n \
         address-family ipv4 unicast\n  network 198.18.{number}.0/24\n exit-address-family\n"
    )
}

fn start_daemons(node: &Node, daemons: &[&str], settings: &str) -> Result<()> {
    let name = &node.name;
    let (etc, run) = (format!("/etc/frr/{name}"), format!("/var/run/frr/{name}"));
    sh(&format!("install -d -o frr -g frr {etc} {run}; chmod 755 /etc/frr"))?;
    fs::write(format!("{etc}/vtysh.conf"), "service integrated-vtysh-config\n")?;
    let passwords = format!("password {PASSWORD}\nenable password {ENABLE_PASSWORD}");
    fs::write(format!("{etc}/frr.conf"), format!("hostname {name}\n{passwords}\n{settings}"))?;
    sh(&format!("chown frr:frr {etc}/*; chmod 640 {etc}/*"))?;
    // FRRouting takes the name in its prompt from the kernel: hence a host-name namespace of its own.
    let daemons = daemons.join(" ");
    node.sh(&format!(
        "exec unshare --uts sh -ec 'hostname {name}; \
         for d in {daemons}; do /usr/lib/frr/$d -d -N {name} -A 0.0.0.0 2>/dev/null; done; vtysh -N {name} -b >/dev/null'"
    ))
    .map(drop)
}

/// A program that is the router's command line.
fn command_line(node: &Node) -> Result<PathBuf> {
    let (name, file) = (&node.name, node.folder().join("cli"));
    let text = format!(
        "#!/bin/sh\nexec ip netns exec {name} unshare --uts sh -c 'hostname {name}; exec vtysh -N {name}'\n"
    );
    write_program(&file, &text)?;
    Ok(file)
}

fn write_program(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text)?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))?;
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
            .stdin(std::process::Stdio::null())
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
