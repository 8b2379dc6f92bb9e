//! TCP connections: every address of a host, IPv6 and IPv4, each with a head start over the next (RFC 8305); and a question now and then
//! whether a silent peer still lives, so that a connection that is open on one side only ends.

use std::{io, net::SocketAddr, time::Duration};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::FuturesUnordered,
};
use rustix::net::sockopt;
use tokio::net::{TcpStream, lookup_host};

use crate::{
    limits::{ADDRESS_HEAD_START, KEEPALIVE, KEEPALIVE_MAX},
    target::Address,
};

pub(crate) async fn dial(address: &Address) -> io::Result<TcpStream> {
    let found: Vec<SocketAddr> = lookup_host((address.host.as_str(), address.port)).await?.collect();
    let stream = race(in_turns(found)).await?;
    stream.set_nodelay(true)?;
    keep_alive(&stream)?;
    Ok(stream)
}

/// The families in turns, the resolver's first choice first.
fn in_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut other) = (first.into_iter(), other.into_iter());
    let mut turns = Vec::new();
    loop {
        match (first.next(), other.next()) {
            (None, None) => return turns,
            (one, two) => turns.extend(one.into_iter().chain(two)),
        }
    }
}

/// The first connection that is made; the last error where none is.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut left = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let begin = |address| Box::pin(TcpStream::connect(address));
    trying.extend(left.next().map(begin));
    while !trying.is_empty() {
        let head_start = Box::pin(async {
            if left.len() == 0 {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(ADDRESS_HEAD_START).await;
        });
        match select(trying.next(), head_start).await {
            Either::Left((Some(Ok(stream)), _)) => return Ok(stream),
            Either::Left((Some(Err(error)), _)) => failed = error,
            Either::Left((None, _)) | Either::Right(_) => {}
        }
        trying.extend(left.next().map(begin));
    }
    Err(failed)
}

fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEPALIVE)?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(5))?;
    sockopt::set_tcp_keepcnt(stream, KEEPALIVE_MAX)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let addresses = ["[::1]:1", "[::2]:1", "10.0.0.1:1"].map(|text| text.parse().unwrap());
        let turns: Vec<String> = in_turns(addresses.to_vec()).iter().map(ToString::to_string).collect();
        assert_eq!(turns, ["[::1]:1", "10.0.0.1:1", "[::2]:1"]);
    }

    #[tokio::test]
    async fn an_address_that_refuses_gives_way_to_the_next() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let there = listener.local_addr().unwrap();
        let refused = SocketAddr::from(([127, 0, 0, 1], 1));
        let stream = race(vec![refused, there]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), there);
        assert_eq!(race(vec![refused]).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
