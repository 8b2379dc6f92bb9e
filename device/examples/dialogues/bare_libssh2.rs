//! The floor under libssh2: the library as it is, blocking, on the thread that asks.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    path::Path,
};

use super::{Failed, bare::PROMPT};

/// Bytes read at once: what a session of ours reads.
const READ_BYTES: usize = 64 * 1024;

/// A shell.
pub(crate) struct BareLibssh2 {
    channel: ssh2::Channel,
    seen: Vec<u8>,
    piece: Vec<u8>,
}

impl BareLibssh2 {
    /// Connects, logs in, opens a shell and waits for the prompt.
    pub(crate) fn open(port: u16, user: &str, key: &str) -> Result<Self, Failed> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let mut session = ssh2::Session::new()?;
        session.set_tcp_stream(stream);
        session.handshake()?;
        session.userauth_pubkey_file(user, None, Path::new(key), None)?;
        let mut channel = session.channel_session()?;
        channel.request_pty("vt100", None, Some((250, 200, 0, 0)))?;
        channel.shell()?;
        let mut bare = Self { channel, seen: Vec::new(), piece: vec![0; READ_BYTES] };
        bare.until_prompt()?;
        Ok(bare)
    }

    /// Gives a command; the answer is how many bytes came.
    pub(crate) fn command(&mut self, command: &str) -> io::Result<usize> {
        self.channel.write_all(format!("{command}\n").as_bytes())?;
        self.until_prompt()
    }

    fn until_prompt(&mut self) -> io::Result<usize> {
        self.seen.clear();
        while !self.seen.ends_with(PROMPT) {
            let read = self.channel.read(&mut self.piece)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.seen.extend_from_slice(self.piece.get(..read).unwrap_or_default());
        }
        Ok(self.seen.len())
    }
}
