//! The names and addresses by which an engine is reached, as far as the machine and the settings tell.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use jackfield_tls::Address;
use nix::ifaddrs::getifaddrs;

use crate::limits;

/// Those of the machine: always itself, and where it listens.
pub(super) fn of_machine(bound: SocketAddr) -> BTreeSet<String> {
    let here = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let mut names: BTreeSet<String> = here.iter().map(ToString::to_string).collect();
    names.insert("localhost".to_owned());
    let hostname = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
    names.extend(as_host(&hostname));
    if bound.ip().is_unspecified() {
        names.extend(
            addresses()
                .into_iter()
                .map(|address| address.to_string())
                .take(limits::CERTIFICATE_NAMES_MAX / 2),
        );
    } else {
        names.insert(bound.ip().to_canonical().to_string());
    }
    names
}

/// Those that the settings say.
pub(super) fn of_settings(address: &str, url: Option<&str>) -> BTreeSet<String> {
    let listened =
        as_host(address).filter(|host| !host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified()));
    let told = url.and_then(Address::read).and_then(|address| as_host(&address.host));
    listened.into_iter().chain(told).collect()
}

/// A host as a certificate may have it.
fn as_host(text: &str) -> Option<String> {
    let host = text.trim_end_matches('.').to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let good = host.parse::<IpAddr>().is_ok() || (!host.is_empty() && host.chars().all(plain));
    good.then_some(host)
}

/// The addresses of this machine. Those that exist on one cable only come and go, and nobody types them.
fn addresses() -> BTreeSet<IpAddr> {
    let addresses = getifaddrs().into_iter().flatten().filter_map(|interface| interface.address);
    let addresses = addresses.filter_map(|address| {
        let old = address.as_sockaddr_in().map(|address| IpAddr::from(address.ip()));
        old.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::from(address.ip())))
    });
    addresses.filter(is_typed).collect()
}

fn is_typed(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !address.is_link_local() && !address.is_loopback(),
        IpAddr::V6(address) => !address.is_unicast_link_local() && !address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_name_hosts_and_nothing_else() {
        let names = |address: &str, url: Option<&str>| {
            of_settings(address, url).into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("0.0.0.0", None), "");
        assert_eq!(names("::", Some("https://Lab.Example.:8443/jackfield")), "lab.example");
        assert_eq!(names("bench", Some("http://[2001:db8::7]:8000")), "2001:db8::7 bench");
        assert_eq!(names("192.0.2.1", Some("no address")), "192.0.2.1");
    }

    #[test]
    fn a_machine_is_always_itself() {
        let names = of_machine("0.0.0.0:1".parse().unwrap());
        assert!(["localhost", "127.0.0.1", "::1"].iter().all(|name| names.contains(*name)), "{names:?}");
        assert!(of_machine("[::ffff:192.0.2.1]:1".parse().unwrap()).contains("192.0.2.1"));
    }
}
