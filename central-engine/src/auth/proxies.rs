//! Who asks, where a proxy stands before the engine: what it says of its clients counts, and what anybody else says does not.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;

use crate::front;

/// The addresses of the lab's own proxies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies(Vec<IpAddr>);

impl Proxies {
    pub(crate) fn new(addresses: Vec<IpAddr>) -> Self {
        Self(addresses)
    }

    /// The address that a request comes from: the last one that no proxy of ours wrote down of another proxy of ours.
    pub(crate) fn client(&self, request: &HttpRequest) -> IpAddr {
        let peer =
            request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
        if !self.0.contains(&peer) {
            return peer;
        }
        let header = request.headers().get_all("x-forwarded-for");
        let named = header.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let named: Vec<Option<IpAddr>> = named
            .map(|text| text.trim().parse().ok().map(|address: IpAddr| address.to_canonical()))
            .collect();
        let mut nearest_first = named.into_iter().rev().map_while(|address| address);
        nearest_first.find(|address| !self.0.contains(address)).unwrap_or(peer)
    }

    /// Whether the browser speaks TLS, with us or with our proxy.
    pub(crate) fn is_https(&self, request: &HttpRequest) -> bool {
        let is_ours = request.peer_addr().is_some_and(|peer| self.0.contains(&peer.ip().to_canonical()));
        let said = request.headers().get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        front::is_encrypted(request) || (is_ours && said == Some("https"))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_our_own_proxy_is_believed() {
        let proxies = Proxies::new(vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()]);
        let client = |peer: &str, headers: &[&'static str]| {
            let request = TestRequest::get().peer_addr(format!("{peer}:1").parse().unwrap());
            let request = headers
                .iter()
                .fold(request, |request, value| request.append_header(("x-forwarded-for", *value)));
            proxies.client(&request.to_http_request()).to_string()
        };
        for (peer, headers, expect) in [
            ("192.0.2.9", &["198.51.100.1"][..], "192.0.2.9"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.5, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.5", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1"),
        ] {
            assert_eq!(client(peer, headers), expect, "{peer} {headers:?}");
        }
    }
}
