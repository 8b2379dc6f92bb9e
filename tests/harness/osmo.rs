//! A real node of a mobile network: `OsmoHLR`, which knows the subscribers, with its command line over telnet.
//!
//! Needs root, and Debian's packages osmo-hlr and iproute2.

use std::fs;

use anyhow::Result;

use crate::node::Node;

/// The package that [`crate::present::left_out`] asks for, and a file of it.
pub const PACKAGE: (&str, &str) = ("osmo-hlr", "/usr/bin/osmo-hlr");
/// Where its command line listens.
pub const PORT: u16 = 4258;

/// A running home location register; gone with this value.
pub struct Hlr {
    /// Its address.
    pub address: String,
    _node: Node,
}

impl Hlr {
    /// Starts it without a subscriber.
    ///
    /// # Errors
    /// A package is missing, or this is no root.
    pub fn start() -> Result<Self> {
        let mut node = Node::start()?;
        let folder = node.folder().display().to_string();
        let (config, database) = (format!("{folder}/hlr.cfg"), format!("{folder}/hlr.db"));
        fs::write(&config, format!("line vty\n bind 0.0.0.0 {PORT}\nhlr\n database {database}\n"))?;
        node.serve("osmo-hlr", &["osmo-hlr", "-c", &config, "-l", &database])?;
        node.wait_for_port(PORT)?;
        Ok(Self { address: node.address.clone(), _node: node })
    }
}
