//! SCP, as old devices speak it: `scp -t` and `scp -f` run over there, with a line before each file and a zero after each step.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Moved, Sink, Source, TransferError};
use crate::{
    beside::{Beside, ProgramStream, Start},
    limits::{READ_BYTES, SCP_LINE_BYTES_MAX},
};

const WAY: &str = "SCP";
const WARNING: u8 = 1;
const FATAL: u8 = 2;

struct Scp {
    stream: ProgramStream,
    remote: String,
}

/// A name as a shell over there takes it; names without anything special stay as they are, for devices without a shell.
fn quoted(name: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "/._-:+@~".contains(letter);
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

/// What a line before a file says: `C0644 1234 name`.
fn header(line: &str) -> Option<(u32, u64)> {
    let mut words = line.strip_prefix('C')?.splitn(3, ' ');
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    let bytes = words.next()?.parse().ok()?;
    words.next()?;
    Some((mode, bytes))
}

impl Scp {
    async fn begin(beside: &dyn Beside, options: &str, remote: &str) -> Result<Self, TransferError> {
        let command = format!("scp {options} {}", quoted(remote));
        let started = beside.start(Start::Command(command)).await;
        let program =
            started.map_err(|error| TransferError::Protocol { way: WAY, why: error.to_string() })?;
        Ok(Self { stream: ProgramStream::new(program), remote: remote.to_owned() })
    }

    /// What went wrong, with what the device said about it.
    fn broken(&self, why: &str) -> TransferError {
        let told = self.stream.errors().told();
        let why = if told.is_empty() { why.to_owned() } else { format!("{why}: {told}") };
        TransferError::Protocol { way: WAY, why }
    }

    fn lost(&self, error: &std::io::Error) -> TransferError {
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            self.broken("the device ended it")
        } else {
            self.broken(&error.to_string())
        }
    }

    fn refused(&self, why: &str) -> TransferError {
        let why = why.trim().trim_start_matches("scp: ").to_owned();
        TransferError::Remote { path: self.remote.clone(), why }
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        let said = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        said.await.map_err(|error| self.lost(&error))
    }

    async fn byte(&mut self) -> Result<u8, TransferError> {
        self.stream.read_u8().await.map_err(|error| self.lost(&error))
    }

    async fn rest_of_line(&mut self) -> Result<String, TransferError> {
        let mut line = Vec::new();
        loop {
            match self.byte().await? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).into_owned()),
                byte if line.len() < SCP_LINE_BYTES_MAX => line.push(byte),
                _ => return Err(self.broken("the device says more than a line")),
            }
        }
    }

    /// The device agrees, or says why not.
    async fn agreed(&mut self) -> Result<(), TransferError> {
        match self.byte().await? {
            0 => Ok(()),
            WARNING | FATAL => {
                let why = self.rest_of_line().await?;
                Err(self.refused(&why))
            }
            other => {
                // Something that is no SCP at all: what it says is the best there is.
                let rest = self.rest_of_line().await.unwrap_or_default();
                let said = format!("{}{rest}", char::from(other));
                Err(self.broken(&format!("the device does not speak it, it says `{}`", said.trim())))
            }
        }
    }
}

pub(super) async fn put(beside: &dyn Beside, mut file: Source, remote: &str) -> Result<Moved, TransferError> {
    let mut scp = Scp::begin(beside, "-t", remote).await?;
    scp.agreed().await?;
    let name = remote.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("file");
    scp.say(format!("C{:04o} {} {name}\n", file.mode, file.bytes).as_bytes()).await?;
    scp.agreed().await?;
    let mut piece = vec![0; READ_BYTES];
    let mut left = file.bytes;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        let room = piece.get_mut(..most).unwrap_or_default();
        let count = file.file.read(room).await.map_err(|error| file.failed(error))?;
        if count == 0 {
            let shorter = std::io::Error::other("it became shorter while it was sent");
            return Err(file.failed(shorter));
        }
        scp.say(piece.get(..count).unwrap_or_default()).await?;
        left = left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
    }
    scp.say(&[0]).await?;
    scp.agreed().await?;
    Ok(Moved { bytes: file.bytes, way: "scp" })
}

pub(super) async fn get(beside: &dyn Beside, remote: &str, mut file: Sink) -> Result<Moved, TransferError> {
    let mut scp = Scp::begin(beside, "-f", remote).await?;
    scp.say(&[0]).await?;
    let (mode, bytes) = loop {
        match scp.byte().await? {
            WARNING | FATAL => {
                let why = scp.rest_of_line().await?;
                return Err(scp.refused(&why));
            }
            // Times of the file; nobody asked for them.
            b'T' => {
                scp.rest_of_line().await?;
                scp.say(&[0]).await?;
            }
            first => {
                let line = format!("{}{}", char::from(first), scp.rest_of_line().await?);
                let told = header(&line);
                break told
                    .ok_or_else(|| scp.broken(&format!("the device says `{line}` where a file begins")))?;
            }
        }
    };
    scp.say(&[0]).await?;
    let mut piece = vec![0; READ_BYTES];
    let mut left = bytes;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        let room = piece.get_mut(..most).unwrap_or_default();
        let count = scp.stream.read(room).await.map_err(|error| scp.lost(&error))?;
        if count == 0 {
            return Err(scp.broken(&format!("the device ended it {left} bytes early")));
        }
        file.file
            .write_all(piece.get(..count).unwrap_or_default())
            .await
            .map_err(|error| file.failed(error))?;
        left = left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
    }
    scp.agreed().await?;
    scp.say(&[0]).await?;
    file.finish(Some(mode)).await?;
    Ok(Moved { bytes, way: "scp" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_only_where_a_shell_needs_it() {
        for (name, told) in [
            ("/tmp/a-b.c", "/tmp/a-b.c"),
            ("flash:run.cfg", "flash:run.cfg"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(name), told);
        }
    }

    #[test]
    fn a_line_before_a_file_is_read() {
        assert_eq!(header("C0644 1234 a name"), Some((0o644, 1234)));
        for line in ["", "D0755 0 folder", "C0899 1 x", "C0644 many x", "C0644 1"] {
            assert_eq!(header(line), None, "{line}");
        }
    }
}
