//! What a person sees and types on a console of the engine, written down on their own machine.
//!
//! Of a device that was opened for them the EP knows more: how it logged in. Its recording takes the place of this one at the end.

use std::{
    fs::{File, OpenOptions},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use jackfield_device::{
    channel::Window,
    record::{Recorder, Tap},
};
use jackfield_protocol::{console::EpToPerson, id::BlobHash};

use super::way::Came;
use crate::{client::Client, output};

/// A recording that is being made.
pub(super) struct Recording {
    recorder: Recorder<File>,
    path: PathBuf,
    /// The device was opened for this person.
    own: bool,
}

/// A file for a recording.
///
/// # Errors
/// It is there already and is not to be overwritten, or cannot be made.
pub(in crate::command) fn create(path: &Path, overwrite: bool) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    if overwrite {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already; name another file, or say --overwrite", path.display())
        }
        opened => opened.with_context(|| format!("making {}", path.display())),
    }
}

/// Takes away a recording in which nothing was said, so that another try may have its name.
pub(in crate::command) fn forget_empty(path: &Path) {
    let is_empty = std::fs::read_to_string(path).is_ok_and(|text| text.lines().count() <= 1);
    if is_empty && let Err(error) = std::fs::remove_file(path) {
        output::talk(&format!("{} holds nothing and cannot be removed: {error}", path.display()));
    }
}

impl Recording {
    pub(super) fn new(file: File, path: PathBuf, title: &str, window: Window) -> Self {
        let recorder = Recorder::new(file, title, window, &[]);
        Self { recorder, path, own: false }
    }

    pub(super) fn came(&mut self, came: &Came) {
        match came {
            Came::Shown(bytes) => {
                self.recorder.output(bytes);
            }
            Came::Said(EpToPerson::Begin { run, .. }) => self.own = run.is_none(),
            Came::Said(EpToPerson::Typing { user: Some(user), you }) => {
                self.own &= *you;
                self.recorder.mark(&format!("console: {user} types"));
            }
            Came::Said(_) => {}
        }
    }

    pub(super) fn typed(&mut self, keys: &[u8]) {
        self.recorder.input(keys);
    }

    pub(super) fn resized(&mut self, rows: u16, columns: u16) {
        self.recorder.resize(Window { rows, columns });
    }

    pub(super) fn mark(&mut self, label: &str) {
        self.recorder.mark(label);
    }

    /// The end; where it is.
    pub(super) fn finish(mut self, client: &Client, hash: Option<BlobHash>) -> PathBuf {
        self.recorder.end();
        if let Some(hash) = hash.filter(|_| self.own)
            && let Err(error) = fetch(client, hash, &self.path)
        {
            output::talk(&format!("the EP's recording cannot be had, this is what was seen here: {error:#}"));
        }
        self.path
    }
}

/// Puts what the EP wrote down in the place of what was written here; all of it or nothing.
fn fetch(client: &Client, hash: BlobHash, path: &Path) -> Result<()> {
    let whole = path.with_extension("cast.part");
    let mut file = File::create(&whole)?;
    std::io::copy(&mut client.bytes(&format!("/blobs/{hash}"))?, &mut file)?;
    Ok(std::fs::rename(&whole, path)?)
}

#[cfg(test)]
mod tests {
    use jackfield_device::record::cast::{Cast, Happened};

    use super::*;
    use crate::client::Token;

    #[test]
    fn what_is_seen_is_written_down_and_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.cast");
        let window = Window { rows: 24, columns: 80 };
        let mut recording = Recording::new(create(&path, false).unwrap(), path.clone(), "/lab/r1", window);
        let shown = |text: &str| Came::Shown(text.as_bytes().to_vec());
        let typing = EpToPerson::Typing { user: Some("ana".into()), you: true };
        recording.came(&Came::Said(typing));
        recording.came(&shown("r1> "));
        recording.typed(b"enable\r");
        recording.came(&shown("enable\r\nPassword: "));
        recording.typed(b"gehe");
        recording.typed(b"im\r");
        recording.mark("mark 1");
        recording.came(&shown("\r\nr1# "));
        assert_eq!(
            recording.finish(&Client::new("http://127.0.0.1:1", Token::Missing, None).unwrap(), None),
            path
        );
        let cast = Cast::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let happened: Vec<Happened> = cast.events.into_iter().map(|event| event.what).collect();
        let expect = [
            Happened::Mark("console: ana types".to_owned()),
            Happened::Output("r1> ".to_owned()),
            Happened::Input("enable\r".to_owned()),
            Happened::Output("enable\r\nPassword: ".to_owned()),
            Happened::Input("********".to_owned()),
            Happened::Mark("mark 1".to_owned()),
            Happened::Output("\r\nr1# ".to_owned()),
        ];
        assert_eq!(happened, expect);
        assert!(create(&path, false).unwrap_err().to_string().contains("--overwrite"));
        assert!(create(&path, true).is_ok());
    }
}
