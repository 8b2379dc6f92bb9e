//! What a server offers, as it tells before anything is secret. The library does not say it when the two sides have nothing in common, so
//! the server is asked once more, on a connection of its own.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::limits::SSH_OFFER_BYTES_MAX;

/// Names of algorithms, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) kex: Vec<String>,
    pub(super) keys: Vec<String>,
    /// For both directions: devices do not tell them apart.
    pub(super) ciphers: Vec<String>,
    pub(super) macs: Vec<String>,
}

const GREETING: &[u8] = b"SSH-2.0-jackfield\r\n";
const KEXINIT: u8 = 20;
/// Between the kind of the message and its lists.
const COOKIE_BYTES: usize = 16;

/// Greets a server and reads what it offers.
pub(super) async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<Offer> {
    stream.write_all(GREETING).await?;
    stream.flush().await?;
    let mut heard = Vec::new();
    loop {
        if let Some(offer) = read(&heard) {
            return Ok(offer);
        }
        if heard.len() > SSH_OFFER_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if stream.read_buf(&mut heard).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The offer in what a server said, where all of it is there.
fn read(heard: &[u8]) -> Option<Offer> {
    // Lines before the greeting are allowed, and say nothing.
    let mut left = heard;
    loop {
        let end = left.iter().position(|byte| *byte == b'\n')?;
        let (line, rest) = left.split_at_checked(end.saturating_add(1))?;
        left = rest;
        if line.starts_with(b"SSH-") {
            break;
        }
    }
    let packet = take(&mut left)?;
    let (padding, message) = packet.split_first()?;
    let message = message.get(..message.len().checked_sub(usize::from(*padding))?)?;
    let mut lists = message.strip_prefix(&[KEXINIT])?.get(COOKIE_BYTES..)?;
    let mut names = || -> Option<Vec<String>> {
        let list = String::from_utf8_lossy(take(&mut lists)?).into_owned();
        Some(list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    };
    let (kex, keys, ciphers, _back, macs) = (names()?, names()?, names()?, names()?, names()?);
    Some(Offer { kex, keys, ciphers, macs })
}

/// Takes bytes that stand behind their count.
fn take<'b>(left: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (count, rest) = left.split_first_chunk::<4>()?;
    let (taken, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*count)).ok()?)?;
    *left = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
    }

    fn said() -> Vec<u8> {
        let mut message = vec![4, KEXINIT];
        message.extend([7; COOKIE_BYTES]);
        for list in ["a,b@c", "ssh-dss", "3des-cbc", "x", "hmac-md5,hmac-sha1", "", "none", "none", "", ""] {
            message.extend(counted(list.as_bytes()));
        }
        message.extend([0; 5 + 4]);
        [b"Welcome\r\nSSH-2.0-Old_1.0\r\n".as_slice(), &counted(&message), b"more"].concat()
    }

    #[test]
    fn an_offer_is_read_when_it_is_whole() {
        let said = said();
        let names = |list: &str| list.split(',').map(str::to_owned).collect::<Vec<_>>();
        let offer = Offer {
            kex: names("a,b@c"),
            keys: names("ssh-dss"),
            ciphers: names("3des-cbc"),
            macs: names("hmac-md5,hmac-sha1"),
        };
        assert_eq!(read(&said), Some(offer));
        for cut in 0..said.len() - 4 {
            assert_eq!(read(&said[..cut]), None, "{cut}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_server_says_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&bytes);
            read(&[b"SSH-2.0-x\n".as_slice(), &bytes].concat());
            read(&[b"SSH-2.0-x\n\0\0\0\x60\x04\x14".as_slice(), &bytes].concat());
        }
    }
}
