//! What a person's terminal is joined to: the engine, which has an EP talk to the device, or a device that this machine reaches by itself.

use std::path::PathBuf;

use anyhow::Result;
use jackfield_protocol::{
    console::{EpToPerson, PersonToEp},
    error::{ErrorCode, Problem},
    id::BlobHash,
};

use super::{here::Here, recording::Recording, socket::Socket};
use crate::{exit::Exit, output};

/// What came.
pub(in crate::command) enum Came {
    /// The device said this.
    Shown(Vec<u8>),
    /// The EP, the engine, or this machine in their place, said this.
    Said(EpToPerson),
}

/// An open way to a device.
pub(in crate::command) struct Way {
    end: End,
    marks: u32,
}

enum End {
    Engine(Box<Socket>, Option<Box<Recording>>),
    Here(Box<Here>),
}

impl Way {
    /// Through the engine; what goes over it is written down, too.
    pub(super) fn engine(socket: Socket, recording: Option<Recording>) -> Self {
        Self { end: End::Engine(Box::new(socket), recording.map(Box::new)), marks: 0 }
    }

    /// From this machine.
    pub(in crate::command) fn here(here: Here) -> Self {
        Self { end: End::Here(Box::new(here)), marks: 0 }
    }

    /// What comes next; nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// The connection to the engine broke before the console was over.
    pub(super) async fn next(&mut self) -> Result<Came> {
        match &mut self.end {
            End::Here(here) => Ok(here.next().await),
            End::Engine(socket, recording) => {
                let came = socket.next().await?;
                if let Some(recording) = recording {
                    recording.came(&came);
                }
                Ok(came)
            }
        }
    }

    pub(super) async fn type_in(&mut self, keys: Vec<u8>) -> Result<()> {
        match &mut self.end {
            End::Here(here) => here.type_in(&keys).await,
            End::Engine(socket, recording) => {
                if let Some(recording) = recording {
                    recording.typed(&keys);
                }
                socket.type_in(keys).await
            }
        }
    }

    pub(super) async fn say(&mut self, said: PersonToEp) -> Result<()> {
        match &mut self.end {
            End::Here(here) => here.hear(said).await,
            End::Engine(socket, recording) => {
                if let (Some(recording), PersonToEp::Resize { rows, columns }) = (recording, &said) {
                    recording.resized(*rows, *columns);
                }
                socket.say(said).await
            }
        }
    }

    /// Sets a mark in the recordings; its label.
    pub(super) async fn mark(&mut self) -> Result<String> {
        self.marks = self.marks.saturating_add(1);
        let label = format!("mark {}", self.marks);
        match &mut self.end {
            End::Here(here) => here.mark(&label),
            End::Engine(socket, recording) => {
                if let Some(recording) = recording {
                    recording.mark(&label);
                }
                socket.say(PersonToEp::Mark { label: label.clone() }).await?;
            }
        }
        Ok(label)
    }

    /// Leaves: the device is logged out of, or goes back to its test.
    pub(super) async fn leave(self) -> Left {
        match self.end {
            End::Here(here) => Left { hash: None, file: Some(here.leave().await) },
            End::Engine(socket, recording) => {
                let client = socket.client().clone();
                let hash = socket.leave().await;
                Left { hash, file: recording.map(|recording| recording.finish(&client, hash)) }
            }
        }
    }

    /// It was ended by the other side, for this reason.
    pub(super) fn ended(self, reason: &str, code: Option<ErrorCode>, hash: Option<BlobHash>) -> Result<Exit> {
        let file = match self.end {
            End::Here(here) => Some(here.finish()),
            End::Engine(socket, recording) => {
                recording.map(|recording| recording.finish(socket.client(), hash))
            }
        };
        Left { hash, file }.tell();
        match code {
            Some(code) => Err(Problem::new(code, reason).into()),
            None => {
                output::talk(reason);
                Ok(Exit::Done)
            }
        }
    }
}

/// Where what was said is kept.
#[must_use = "a person is to know where it is"]
pub(super) struct Left {
    /// By the engine.
    hash: Option<BlobHash>,
    /// On this machine.
    file: Option<PathBuf>,
}

impl Left {
    pub(super) fn tell(self) {
        if let Some(hash) = self.hash {
            output::talk(&format!("recorded (with --record FILE it is a file here): /api/v1/blobs/{hash}"));
        }
        if let Some(file) = self.file {
            output::talk(&format!("recorded: {}", file.display()));
        }
    }
}
