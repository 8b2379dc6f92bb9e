//! The TCP connection under a channel: when a device says nothing, whether what it was sent has reached its host at all.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
};

use tokio::net::TcpStream;

/// The two ends of a TCP connection of this host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    ends: Option<(SocketAddr, SocketAddr)>,
}

impl Wire {
    /// That of a stream.
    pub(super) fn of(stream: &TcpStream) -> Self {
        Self { ends: stream.local_addr().ok().zip(stream.peer_addr().ok()) }
    }

    /// Why the peer's silence says nothing of it: what it was sent has not reached it.
    pub(crate) fn unheard(self) -> Option<String> {
        let (local, peer) = self.ends?;
        let table = if local.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
        let (bytes, tries) = unacknowledged(&fs::read_to_string(table).ok()?, local, peer)?;
        Some(format!(
            "{bytes} bytes that were sent to {peer} were repeated {tries} times and never acknowledged: the network to it is cut, or it is down"
        ))
    }
}

/// Bytes that the kernel repeats for want of an acknowledgement, and how often it did so; none while all is well.
/// The table is that of `proc_pid_net(5)`; addresses stand there as the host's numbers, in hexadecimal.
fn unacknowledged(table: &str, local: SocketAddr, peer: SocketAddr) -> Option<(u64, u32)> {
    let ends = [hexadecimal(local), hexadecimal(peer)];
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (here, there, _state) = (fields.next()?, fields.next()?, fields.next()?);
        if [here, there] != [ends[0].as_str(), ends[1].as_str()] {
            return None;
        }
        let (queues, timer, tries) = (fields.next()?, fields.next()?, fields.next()?);
        let bytes = u64::from_str_radix(queues.split(':').next()?, 16).ok()?;
        let tries = u32::from_str_radix(tries, 16).ok()?;
        // Timer 1 is that of a repetition; a peer that has no room is asked by another one.
        (timer.starts_with("01:") && tries > 0).then_some((bytes, tries))
    })
}

fn hexadecimal(address: SocketAddr) -> String {
    let words: Vec<u32> = match address.ip() {
        IpAddr::V4(ip) => vec![u32::from_ne_bytes(ip.octets())],
        IpAddr::V6(ip) => ip.octets().as_chunks().0.iter().map(|word| u32::from_ne_bytes(*word)).collect(),
    };
    let words: String = words.iter().map(|word| format!("{word:08X}")).collect();
    format!("{words}:{:04X}", address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:5DC1 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1609070 1 0
   1: FE00630A:D2F0 0100630A:0017 01 0000000D:00000000 01:00000021 00000004     0        0 1609071 2 0
   2: FE00630A:D2F1 0100630A:0017 01 0000000D:00000000 04:00000021 00000004     0        0 1609072 2 0
   3: FE00630A:D2F2 0100630A:0017 01 0000000D:00000000 01:00000014 00000000     0        0 1609073 2 0
";

    #[test]
    fn only_what_is_repeated_is_unheard() {
        let peer = "10.99.0.1:23".parse().unwrap();
        for (port, found) in [(0xd2f0, Some((13, 4))), (0xd2f1, None), (0xd2f2, None), (1, None)] {
            let local = SocketAddr::from(([10, 99, 0, 254], port));
            // The sample is from a machine whose numbers begin with their lowest byte.
            #[cfg(target_endian = "little")]
            assert_eq!(unacknowledged(TABLE, local, peer), found, "{port}");
        }
        assert_eq!(hexadecimal("[::1]:22".parse().unwrap()).len(), 37);
    }

    #[tokio::test]
    async fn a_connection_that_is_well_is_heard() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        assert_eq!(Wire::of(&stream).unheard(), None);
    }
}
