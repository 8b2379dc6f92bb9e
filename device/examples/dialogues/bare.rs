//! The floors: loops that read until the prompt stands at the end, and do nothing else.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
};

use russh::{ChannelMsg, client, keys};

use super::Failed;

pub(crate) const PROMPT: &[u8] = b"router#";
const READ_BYTES: usize = 256 * 1024;

/// A socket.
pub(crate) struct BareTelnet {
    stream: TcpStream,
    seen: Vec<u8>,
    piece: Vec<u8>,
}

impl BareTelnet {
    /// Connects and logs in.
    pub(crate) fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let mut bare = Self { stream, seen: Vec::new(), piece: vec![0; READ_BYTES] };
        bare.until(b"Username: ")?;
        bare.stream.write_all(b"lab\r\n")?;
        bare.until(b"Password: ")?;
        bare.command("lab")?;
        Ok(bare)
    }

    /// Gives a command; the answer is how many bytes came.
    pub(crate) fn command(&mut self, command: &str) -> io::Result<usize> {
        self.stream.write_all(format!("{command}\r\n").as_bytes())?;
        self.until(PROMPT)
    }

    fn until(&mut self, end: &[u8]) -> io::Result<usize> {
        self.seen.clear();
        while !self.seen.ends_with(end) {
            let read = self.stream.read(&mut self.piece)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.seen.extend_from_slice(self.piece.get(..read).unwrap_or_default());
        }
        Ok(self.seen.len())
    }
}

/// A shell over the same SSH library.
pub(crate) struct BareSsh {
    /// Dropped, it would end the connection.
    _handle: client::Handle<Trusting>,
    channel: russh::Channel<client::Msg>,
    seen: Vec<u8>,
}

/// Takes any host key: it only talks to this machine.
struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _key: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

impl BareSsh {
    /// Connects, logs in, opens a shell and waits for the prompt.
    pub(crate) async fn open(port: u16, user: &str, key: &str) -> Result<Self, Failed> {
        let config = Arc::new(client::Config { nodelay: true, ..client::Config::default() });
        let mut handle = client::connect(config, ("127.0.0.1", port), Trusting).await?;
        let key = Arc::new(keys::load_secret_key(key, None)?);
        let key = keys::PrivateKeyWithHashAlg::new(key, None);
        if !handle.authenticate_publickey(user, key).await?.success() {
            return Err("the key was not taken".into());
        }
        let channel = handle.channel_open_session().await?;
        channel.request_pty(false, "vt100", 250, 200, 0, 0, &[]).await?;
        channel.request_shell(true).await?;
        let mut bare = Self { _handle: handle, channel, seen: Vec::new() };
        bare.until_prompt().await?;
        Ok(bare)
    }

    /// Gives a command; the answer is how many bytes came.
    pub(crate) async fn command(&mut self, command: &str) -> Result<usize, Failed> {
        self.channel.data(format!("{command}\n").as_bytes()).await?;
        self.until_prompt().await
    }

    async fn until_prompt(&mut self) -> Result<usize, Failed> {
        self.seen.clear();
        while !self.seen.ends_with(PROMPT) {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => self.seen.extend_from_slice(&data),
                Some(_) => {}
                None => return Err("the device went away".into()),
            }
        }
        Ok(self.seen.len())
    }
}
