//! An engine's address, as far as it matters who can read along.

use std::net::IpAddr;

use ureq::http::Uri;

/// `http://host:port`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether it is one with TLS.
    pub is_tls: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// What follows the host: `:8000`, or nothing.
    port: String,
}

impl Address {
    /// Reads `http://…` or `https://…`; none where it is neither, or names no host.
    pub fn read(url: &str) -> Option<Self> {
        let uri: Uri = url.trim_end_matches('/').parse().ok()?;
        let is_tls = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().map_or_else(String::new, |port| format!(":{port}"));
        (!host.is_empty()).then_some(Self { is_tls, host, port })
    }

    /// Whether what is sent there stays on this machine.
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => self.host.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
        }
    }

    /// Whether others can read what is sent there.
    pub fn is_readable(&self) -> bool {
        !self.is_tls && !self.is_loopback()
    }

    /// The same address with TLS.
    pub fn with_tls(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("https://{host}{}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_on_the_machine_may_be_plain() {
        for (url, readable, tls) in [
            ("http://127.0.0.1:8000", false, "https://127.0.0.1:8000"),
            ("http://127.8.8.8", false, "https://127.8.8.8"),
            ("http://localhost:8000/", false, "https://localhost:8000"),
            ("http://LOCALHOST.:1", false, "https://LOCALHOST.:1"),
            ("http://[::1]:8000", false, "https://[::1]:8000"),
            ("http://[::ffff:127.0.0.1]:8000", false, "https://[::ffff:127.0.0.1]:8000"),
            ("http://bench:8000", true, "https://bench:8000"),
            ("http://localhost.example:8000", true, "https://localhost.example:8000"),
            ("http://192.0.2.1:8000", true, "https://192.0.2.1:8000"),
            ("http://[2001:db8::1]:8000", true, "https://[2001:db8::1]:8000"),
            ("http://[fe80::1%eth0]:1", true, "https://[fe80::1%eth0]:1"),
            ("https://bench:8000", false, "https://bench:8000"),
        ] {
            let address = Address::read(url).unwrap();
            assert_eq!((address.is_readable(), &*address.with_tls()), (readable, tls), "{url}");
        }
        for wrong in ["", "bench:8000", "ftp://bench", "http://"] {
            assert_eq!(Address::read(wrong), None, "{wrong}");
        }
    }
}
