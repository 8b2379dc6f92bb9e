//! A recording read back: asciicast v2, as [`super::Recorder`] and others write it.

use serde_json::Value;

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
        let wrong = |line: usize, why: &str| CastError { line, why: why.to_owned() };
        let mut lines = text.lines().zip(1..);
        let (header, _) = lines.next().ok_or_else(|| wrong(1, "is not there: the file is empty"))?;
        let header: Value = serde_json::from_str(header)
            .map_err(|error| wrong(1, &format!("is no header of asciicast: {error}")))?;
        if header.get("version").and_then(Value::as_u64) != Some(2) {
            return Err(wrong(1, "is no header of asciicast version 2"));
        }
        let title = header.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
        let timestamp = header.get("timestamp").and_then(Value::as_i64);
        let mut cast = Self { title, timestamp, events: Vec::new(), cut: false };
        let is_cut = !text.ends_with('\n');
        let last = text.lines().count();
        for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
            match read_event(line) {
                Some(Some(event)) => cast.events.push(event),
                // Other kinds of events say nothing that we replay.
                Some(None) => {}
                None if number == last && is_cut => cast.cut = true,
                None => return Err(wrong(number, "is no event of asciicast: [seconds, kind, text]")),
            }
        }
        Ok(cast)
    }

    /// How long it is, in seconds.
    pub fn seconds(&self) -> f64 {
        self.events.last().map_or(0.0, |event| event.at)
    }
}

fn read_event(line: &str) -> Option<Option<CastEvent>> {
    let (at, kind, text): (f64, String, String) = serde_json::from_str(line).ok()?;
    let what = match kind.as_str() {
        "o" => Happened::Output(text),
        "i" => Happened::Input(text),
        "r" => Happened::Resize(text),
        "m" => Happened::Mark(text),
        _ => return Some(None),
    };
    Some(Some(CastEvent { at, what }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_reads_back() {
        let text = "{\"version\": 2, \"width\": 80, \"height\": 24, \"title\": \"r1\"}\n[0.0, \"o\", \"r1# \"]\n[1.5, \"i\", \"show\\r\"]\n[2, \"x\", \"\"]\n[2.5, \"m\", \"st";
        let cast = Cast::parse(text).unwrap();
        assert_eq!((cast.title.as_str(), cast.events.len(), cast.seconds(), cast.cut), ("r1", 2, 1.5, true));
        assert_eq!(cast.events[1].what, Happened::Input("show\r".to_owned()));
        for (text, told) in [
            ("", "line 1 of the recording is not there: the file is empty"),
            ("{\"version\": 1}\n", "line 1 of the recording is no header of asciicast version 2"),
            (
                "{\"version\": 2}\nx\n",
                "line 2 of the recording is no event of asciicast: [seconds, kind, text]",
            ),
        ] {
            assert_eq!(Cast::parse(text).unwrap_err().to_string(), told);
        }
    }
}
