//! Ways into a node: OpenSSH's server and Debian's telnetd.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::Node;
use crate::shell::sh;

/// What is needed to come in over SSH; the only user is `root`.
#[derive(Debug)]
pub struct Ssh {
    /// Private key of the user.
    pub key: std::path::PathBuf,
    /// Known-hosts file with the host's key.
    pub known_hosts: std::path::PathBuf,
    /// The fingerprint of the host's key, `SHA256:…`.
    pub host_key: String,
}

impl Node {
    /// Lets root in by a key on port 22; `settings` are lines of `sshd_config`.
    ///
    /// # Errors
    /// The server does not come up.
    pub fn serve_ssh(&mut self, settings: &str) -> Result<Ssh> {
        let folder = self.folder().to_owned();
        let at = |name: &str| folder.join(name);
        for name in ["host_key", "id"] {
            sh(&format!("ssh-keygen -q -t ed25519 -N '' -f {}", at(name).display()))?;
        }
        let public = fs::read_to_string(at("host_key.pub"))?;
        let shown = sh(&format!("ssh-keygen -lf {}", at("host_key.pub").display()))?;
        let host_key = shown.split(' ').nth(1).context("a fingerprint")?.to_owned();
        let known_hosts = at("known_hosts");
        fs::write(&known_hosts, format!("{} {public}", self.address))?;
        let text = format!(
            "Port 22\nHostKey {0}/host_key\nPidFile none\nAuthorizedKeysFile {0}/id.pub\nStrictModes no\nUsePAM no\n\
             PermitRootLogin prohibit-password\n{settings}\n",
            folder.display()
        );
        fs::write(at("sshd_config"), text)?;
        sh("install -d -m 755 /run/sshd")?;
        let config = at("sshd_config").to_string_lossy().into_owned();
        self.serve("sshd", &["/usr/sbin/sshd", "-D", "-e", "-f", &config])?;
        self.wait_for_port(22)?;
        Ok(Ssh { key: at("id"), known_hosts, host_key })
    }

    /// Starts this program for whoever comes in over telnet on port 23.
    ///
    /// # Errors
    /// The server does not come up.
    pub fn serve_telnet(&mut self, program: &Path) -> Result<()> {
        let telnetd = format!("EXEC:\"/usr/sbin/telnetd -h -E {}\",nofork", program.display());
        self.serve("telnetd", &["socat", "TCP-LISTEN:23,reuseaddr,fork", &telnetd])?;
        self.wait_for_port(23)
    }
}
