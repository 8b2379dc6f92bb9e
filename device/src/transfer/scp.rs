//! SCP, as old devices speak it: `scp -t` and `scp -f` run over there, with a line before each file and a zero after each step.

use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    TransferError,
    file::{Sink, Source},
    tree::{Entry, Progress, Tree, check_bounds, is_plain, make_folder},
};
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

/// What a line before a file or a folder says.
#[derive(Debug, PartialEq, Eq)]
struct Header<'l> {
    is_folder: bool,
    mode: u32,
    bytes: u64,
    name: &'l str,
}

/// `C0644 1234 name`, or `D0755 0 name`.
fn header(line: &str) -> Option<Header<'_>> {
    let is_folder = line.starts_with('D');
    let mut words = line.strip_prefix(['C', 'D'])?.splitn(3, ' ');
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    let bytes = words.next()?.parse().ok()?;
    Some(Header { is_folder, mode, bytes, name: words.next()? })
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

impl Scp {
    async fn enter(&mut self, name: &str) -> Result<(), TransferError> {
        self.say(format!("D0755 0 {name}\n").as_bytes()).await?;
        self.agreed().await
    }

    async fn leave(&mut self) -> Result<(), TransferError> {
        self.say(b"E\n").await?;
        self.agreed().await
    }

    async fn send(&mut self, mut file: Source, name: &str) -> Result<u64, TransferError> {
        self.say(format!("C{:04o} {} {name}\n", file.mode, file.bytes).as_bytes()).await?;
        self.agreed().await?;
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
            self.say(piece.get(..count).unwrap_or_default()).await?;
            left = left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        }
        self.say(&[0]).await?;
        self.agreed().await?;
        Ok(file.bytes)
    }

    /// The next line with something in it; none at the end.
    async fn announced(&mut self) -> Result<Option<String>, TransferError> {
        loop {
            let first = match self.stream.read_u8().await {
                Ok(first) => first,
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(self.lost(&error)),
            };
            match first {
                WARNING | FATAL => {
                    let why = self.rest_of_line().await?;
                    return Err(self.refused(&why));
                }
                // Times of the file; nobody asked for them.
                b'T' => {
                    self.rest_of_line().await?;
                    self.say(&[0]).await?;
                }
                first => return Ok(Some(format!("{}{}", char::from(first), self.rest_of_line().await?))),
            }
        }
    }

    async fn receive(&mut self, told: &Header<'_>, mut file: Sink) -> Result<(), TransferError> {
        self.say(&[0]).await?;
        let mut piece = vec![0; READ_BYTES];
        let mut left = told.bytes;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            let room = piece.get_mut(..most).unwrap_or_default();
            let count = self.stream.read(room).await.map_err(|error| self.lost(&error))?;
            if count == 0 {
                return Err(self.broken(&format!("the device ended it {left} bytes early")));
            }
            file.file
                .write_all(piece.get(..count).unwrap_or_default())
                .await
                .map_err(|error| file.failed(error))?;
            left = left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        }
        self.agreed().await?;
        self.say(&[0]).await?;
        file.finish(Some(told.mode)).await
    }

    /// What stands where a file or a folder is to begin is neither.
    fn strange(&self, line: &str) -> TransferError {
        self.broken(&format!("the device says `{line}` where a file begins"))
    }
}

pub(super) async fn put(beside: &dyn Beside, file: Source, remote: &str) -> Result<u64, TransferError> {
    let mut scp = Scp::begin(beside, "-t", remote).await?;
    scp.agreed().await?;
    let name = remote.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("file");
    scp.send(file, name).await
}

/// Sends a folder into the one above it, where it gets its name. The device writes each file in its place.
pub(super) async fn put_folder(
    beside: &dyn Beside,
    local: &Path,
    tree: &Tree,
    remote: &str,
    progress: &Progress,
) -> Result<(), TransferError> {
    let (above, name) = match remote.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((above, name)) => (above, name),
        None => (".", remote),
    };
    progress.begin(remote);
    let mut scp = Scp::begin(beside, "-r -t", above).await?;
    remote.clone_into(&mut scp.remote);
    scp.agreed().await?;
    scp.enter(name).await?;
    let mut depth = 1;
    for Entry { names, is_folder } in &tree.entries {
        while depth > names.len() {
            scp.leave().await?;
            depth = depth.saturating_sub(1);
        }
        let name = names.last().map(String::as_str).unwrap_or_default();
        scp.remote = format!("{remote}/{}", names.join("/"));
        progress.begin(&scp.remote);
        if *is_folder {
            scp.enter(name).await?;
            depth = depth.saturating_add(1);
        } else {
            let path = names.iter().fold(local.to_owned(), |path, name| path.join(name));
            progress.done(scp.send(Source::open(&path).await?, name).await?);
        }
    }
    for _ in 0..depth {
        scp.leave().await?;
    }
    Ok(())
}

/// Gets a file or a folder; true for a folder. A device whose SCP knows no folders is asked for a file first.
pub(super) async fn get(
    beside: &dyn Beside,
    remote: &str,
    local: &Path,
    progress: &Progress,
) -> Result<bool, TransferError> {
    match get_file(beside, remote, local, progress).await {
        Err(TransferError::Remote { why, .. }) if why.contains("not a regular file") => {
            get_folder(beside, remote, local, progress).await.map(|()| true)
        }
        other => other.map(|()| false),
    }
}

async fn get_file(
    beside: &dyn Beside,
    remote: &str,
    local: &Path,
    progress: &Progress,
) -> Result<(), TransferError> {
    let sink = Sink::create(local).await?;
    let mut scp = Scp::begin(beside, "-f", remote).await?;
    scp.say(&[0]).await?;
    let line = scp.announced().await?.ok_or_else(|| scp.broken("the device ended it"))?;
    let told = header(&line).filter(|told| !told.is_folder).ok_or_else(|| scp.strange(&line))?;
    scp.receive(&told, sink).await?;
    progress.done(told.bytes);
    Ok(())
}

async fn get_folder(
    beside: &dyn Beside,
    remote: &str,
    local: &Path,
    progress: &Progress,
) -> Result<(), TransferError> {
    let mut scp = Scp::begin(beside, "-r -f", remote).await?;
    scp.say(&[0]).await?;
    // The folders we are in, the innermost last, here and there.
    let mut folders: Vec<(PathBuf, String)> = Vec::new();
    let mut entries = 0;
    while let Some(line) = scp.announced().await? {
        if line == "E" {
            folders.pop();
            scp.say(&[0]).await?;
            continue;
        }
        let told = header(&line).ok_or_else(|| scp.strange(&line))?;
        let (here, there) = match folders.last() {
            // The folder that was asked for is named by the one who asked.
            None if told.is_folder => (local.to_owned(), remote.to_owned()),
            Some((here, there)) if is_plain(told.name) => {
                (here.join(told.name), format!("{}/{}", there.trim_end_matches('/'), told.name))
            }
            _ => return Err(scp.strange(&line)),
        };
        progress.begin(&there);
        there.clone_into(&mut scp.remote);
        check_bounds(entries, folders.len()).map_err(|why| scp.refused(&why))?;
        entries = entries.saturating_add(1);
        if told.is_folder {
            make_folder(&here).await?;
            folders.push((here, there));
            scp.say(&[0]).await?;
        } else {
            scp.receive(&told, Sink::create(&here).await?).await?;
            progress.done(told.bytes);
        }
    }
    if folders.is_empty() { Ok(()) } else { Err(scp.broken("the device ended it within a folder")) }
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
        let file = Header { is_folder: false, mode: 0o644, bytes: 1234, name: "a name" };
        assert_eq!(header("C0644 1234 a name"), Some(file));
        let folder = Header { is_folder: true, mode: 0o755, bytes: 0, name: "folder" };
        assert_eq!(header("D0755 0 folder"), Some(folder));
        for line in ["", "E", "C0899 1 x", "C0644 many x", "C0644 1"] {
            assert_eq!(header(line), None, "{line}");
        }
    }
}
