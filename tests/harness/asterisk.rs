//! A real telephone exchange: Asterisk, from Debian's unstable distribution, since Debian 12 has none. Its root file system is made once
//! (a minute, 350 MB) beside the test binaries and used by every test; what an exchange writes goes to memory.
//!
//! Needs root, and Debian's packages mmdebstrap and sip-tester, which `cargo xtask setup` does not install: asked for by
//! `JACKFIELD_WITH=asterisk`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{node::Node, shell::sh, wait};

/// What [`crate::present::asked_for`] is asked.
pub const NAME: &str = "asterisk";

/// Settings of an exchange that answers at 100 and sends back what it hears at 600.
const FILES: [(&str, &str); 6] = [
    ("asterisk.conf", "[options]\nnocolor = yes\n"),
    ("modules.conf", "[modules]\nautoload = yes\n"),
    ("cdr.conf", "[general]\nenable = yes\n[csv]\nusegmtime = yes\n"),
    (
        "manager.conf",
        "[general]\nenabled = yes\nport = 5038\nbindaddr = 0.0.0.0\n[tester]\nsecret = geheim\nread = all\nwrite = all\n",
    ),
    (
        "extensions.conf",
        "[default]\nexten => 100,1,Answer()\n same => n,Wait(1)\n same => n,Hangup()\nexten => 600,1,Answer()\n same => n,Echo()\n",
    ),
    (
        "pjsip.conf",
        "[udp]\ntype=transport\nprotocol=udp\nbind=0.0.0.0:5060\n[anonymous]\ntype=endpoint\ncontext=default\ndisallow=all\nallow=ulaw,alaw\n",
    ),
];

/// A running exchange; gone with this value.
pub struct Exchange {
    /// Its address: SIP on 5060, the manager interface on 5038.
    pub address: String,
    node: Node,
    root: PathBuf,
}

impl Exchange {
    /// Makes its root file system where there is none, and starts it.
    ///
    /// # Errors
    /// A package is missing, there is no network for the first start, or this is no root.
    pub fn start() -> Result<Self> {
        let root = root_file_system()?;
        let mut node = Node::start()?;
        let etc = node.folder().join("etc");
        fs::create_dir(&etc)?;
        for (name, text) in FILES {
            fs::write(etc.join(name), text)?;
        }
        let script = node.folder().join("start");
        // Mounts of a namespace of its own: they go with it, and nobody else sees them.
        let text = format!(
            "set -e\ncd {}\nmount --bind {} etc/asterisk\nmount -t proc proc proc\nmount --rbind /dev dev\nmkdir -p run/asterisk\n\
             for folder in run/asterisk var/lib/asterisk var/log/asterisk var/spool/asterisk; do mount -t tmpfs none $folder; done\n\
             mkdir var/log/asterisk/cdr-csv\nexec chroot . asterisk -f -U root -G root\n",
            root.display(),
            etc.display()
        );
        fs::write(&script, text)?;
        node.serve("asterisk", &["unshare", "--mount", "sh", &script.to_string_lossy()])?;
        node.wait_for_port(5038)?;
        let exchange = Self { address: node.address.clone(), node, root };
        let booted = exchange.inside("asterisk -rx 'core waitfullybooted'");
        wait::until(Duration::from_secs(30), "Asterisk to be ready", || Ok(sh(&booted.join(" ")).ok()))?;
        Ok(exchange)
    }

    /// Its process, to hold it up.
    pub fn pid(&self) -> u32 {
        let pids = self.node.pids().unwrap_or_default();
        pids.split_whitespace().next().and_then(|pid| pid.parse().ok()).unwrap_or_default()
    }

    /// A program inside of it, for `sh`.
    pub fn inside(&self, command: &str) -> Vec<String> {
        format!("nsenter -t {} -n -m chroot {} {command}", self.pid(), self.root.display())
            .split(' ')
            .map(str::to_owned)
            .collect()
    }
}

fn root_file_system() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let target = here.ancestors().nth(3).context("test binaries are in target/<profile>/deps")?;
    let (root, half) = (target.join("asterisk-root"), target.join("asterisk-root.half"));
    if !is_there(&root) {
        drop(fs::remove_dir_all(&half));
        sh(&format!(
            "mmdebstrap --quiet --variant=apt --include=asterisk --aptopt='APT::Install-Recommends \"false\"' \
             --aptopt='Acquire::Check-Valid-Until \"false\"' sid {}",
            half.display()
        ))
        .context("apt-get install mmdebstrap sip-tester")?;
        fs::rename(&half, &root)?;
    }
    Ok(root)
}

fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(false)
}
