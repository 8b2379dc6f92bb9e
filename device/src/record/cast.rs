//! A recording read back: asciicast, as [`super::Recorder`] and others write it.
//!
//! Three versions are in use. [`super::Recorder`] and asciinema up to 2.4 write the second, a header and then a line for each event; asciinema 3
//! writes the third, whose events say how long after the one before they came; old collections hold the first, one object with nothing but what
//! was said. `read` tells them apart.

mod read;

/// What happened at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The device said this.
    Output(String),
    /// It was sent this; stars for a secret.
    Input(String),
    /// The terminal got another size.
    Resize(String),
    /// A place people look for.
    Mark(String),
}

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub struct CastEvent {
    /// Seconds since the beginning.
    pub at: f64,
    /// What.
    pub what: Happened,
}

/// A recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cast {
    /// What it is called.
    pub title: String,
    /// When it was begun, in seconds since 1970; none where it does not say.
    pub timestamp: Option<i64>,
    /// What happened, in order.
    pub events: Vec<CastEvent>,
    /// The last line was cut off, as a power cut leaves it; it is not among the events.
    pub cut: bool,
}

/// A file that is no recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the recording {why}")]
pub struct CastError {
    /// Which line.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl Cast {
    /// Reads a recording; a last line that was cut off is left out.
    ///
    /// # Errors
    /// The first line that is not what it should be.
    pub fn parse(text: &str) -> Result<Self, CastError> {
        read::read(text)
    }

    /// How long it is, in seconds.
    pub fn seconds(&self) -> f64 {
        self.events.last().map_or(0.0, |event| event.at)
    }

    /// Whether it holds what was typed, which asciinema writes down only when asked to.
    pub fn has_keys(&self) -> bool {
        self.events.iter().any(|event| matches!(event.what, Happened::Input(_)))
    }
}
