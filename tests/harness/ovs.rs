//! A real switch: Open vSwitch in a network namespace of its own, forwarding in user space (no kernel module is needed), with a host at
//! either end of it. It is driven over SSH.
//!
//! Needs root, and Debian's packages openvswitch-switch, openssh-server, iproute2, iputils-ping.

use anyhow::Result;

use crate::node::{Node, Ssh};

/// The package that [`crate::present::left_out`] asks for, and a file of it.
pub const PACKAGE: (&str, &str) = ("openvswitch-switch", "/usr/sbin/ovs-vswitchd");

/// A running switch without a bridge, cables to two hosts in its `p1` and `p2`; gone with this value.
pub struct Switch {
    /// Its management address, reachable from here.
    pub address: String,
    /// How to come in.
    pub ssh: Ssh,
    /// Hosts 10.50.0.1 at `p1` and 10.50.0.2 at `p2`.
    pub hosts: [Node; 2],
    // Gone after its hosts.
    _node: Node,
}

impl Switch {
    /// Starts the database and the switch.
    ///
    /// # Errors
    /// A package is missing, or this is no root.
    pub fn start() -> Result<Self> {
        let mut node = Node::start()?;
        let hosts = [Node::start()?, Node::start()?];
        for (host, number) in hosts.iter().zip(1..) {
            node.cable(&format!("p{number}"), host, "eth0")?;
            host.sh(&format!("ip addr add 10.50.0.{number}/24 dev eth0"))?;
        }
        let folder = node.folder().display().to_string();
        let (database, socket) = (format!("{folder}/conf.db"), format!("{folder}/db.sock"));
        node.sh(&format!("ovsdb-tool create {database} /usr/share/openvswitch/vswitch.ovsschema"))?;
        let place = ["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR"]
            .map(|variable| format!("{variable}={folder}"));
        let serve = |node: &mut Node, name: &str, arguments: &[&str]| {
            let mut command = vec!["env"];
            command.extend(place.iter().map(String::as_str));
            command.extend([name].iter().chain(arguments));
            node.serve(name, &command)
        };
        let remote = format!("--remote=punix:{socket}");
        serve(&mut node, "ovsdb-server", &[&database, &remote])?;
        node.wait_for_file(socket.as_ref())?;
        node.sh(&format!("ovs-vsctl --db=unix:{socket} --no-wait init"))?;
        serve(&mut node, "ovs-vswitchd", &[&format!("unix:{socket}")])?;
        let ssh = node.serve_ssh(&format!("SetEnv {}", place.join(" ")))?;
        Ok(Self { address: node.address.clone(), ssh, hosts, _node: node })
    }
}
