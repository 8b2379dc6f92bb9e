//! The three versions of asciicast.

use serde_json::Value;

use super::{Cast, CastError, CastEvent, Happened};

/// How a version counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// Each event says when it was, from the beginning on.
    SinceBeginning,
    /// Each event says how long after the one before it was.
    SinceEventBefore,
}

pub(super) fn read(text: &str) -> Result<Cast, CastError> {
    let (first, _) = text.split_once('\n').unwrap_or((text, ""));
    if text.trim().is_empty() {
        return Err(wrong(1, "is not there: the file is empty"));
    }
    // The first version is one object, on as many lines as its writer liked.
    let header = match serde_json::from_str(first) {
        Ok(header) => header,
        Err(error) => match serde_json::from_str::<Value>(text) {
            Ok(whole) if version(&whole) == Some(1) => whole,
            _ => return Err(wrong(1, &format!("is no header of asciicast: {error}"))),
        },
    };
    match version(&header) {
        Some(1) => read_frames(&header),
        Some(2) => read_lines(text, &header, Clock::SinceBeginning),
        Some(3) => read_lines(text, &header, Clock::SinceEventBefore),
        Some(other) => {
            let remedy = "write it anew with `asciinema convert --output-format asciicast-v3`";
            let why =
                format!("is the header of asciicast version {other}; versions 1, 2 and 3 are read: {remedy}");
            Err(wrong(1, &why))
        }
        None => Err(wrong(1, "is no header of asciicast: it names no `version`")),
    }
}

fn wrong(line: usize, why: &str) -> CastError {
    CastError { line, why: why.to_owned() }
}

fn version(header: &Value) -> Option<u64> {
    header.get("version").and_then(Value::as_u64)
}

fn begin(header: &Value) -> Cast {
    Cast {
        title: header.get("title").and_then(Value::as_str).unwrap_or_default().to_owned(),
        timestamp: header.get("timestamp").and_then(Value::as_i64),
        ..Cast::default()
    }
}

/// The first version: `stdout` is a list of `[delay, text]`.
fn read_frames(header: &Value) -> Result<Cast, CastError> {
    let frames = header.get("stdout").and_then(Value::as_array);
    let frames = frames.ok_or_else(|| wrong(1, "is of asciicast version 1 and has no list `stdout`"))?;
    let mut cast = begin(header);
    let mut moment = Moment::new(Clock::SinceEventBefore);
    for (frame, number) in frames.iter().zip(1_usize..) {
        let refused =
            |why: &str| wrong(1, &format!("is of asciicast version 1, and frame {number} of `stdout` {why}"));
        let read: Option<(f64, String)> = serde_json::from_value(frame.clone()).ok();
        let (time, text) = read.ok_or_else(|| refused("is not [delay, text]"))?;
        let at = moment.of(time).map_err(|why| refused(&why))?;
        cast.events.push(CastEvent { at, what: Happened::Output(text) });
    }
    Ok(cast)
}

/// A header, then a line for each event.
fn read_lines(text: &str, header: &Value, clock: Clock) -> Result<Cast, CastError> {
    let mut cast = begin(header);
    let mut moment = Moment::new(clock);
    let is_cut = !text.ends_with('\n');
    let last = text.lines().count();
    for (line, number) in text.lines().zip(1_usize..).skip(1) {
        // Comments came with the third version.
        if line.trim().is_empty() || (clock == Clock::SinceEventBefore && line.starts_with('#')) {
            continue;
        }
        let Some((time, what)) = read_event(line) else {
            if number == last && is_cut {
                cast.cut = true;
                break;
            }
            return Err(wrong(number, "is no event of asciicast: [seconds, kind, text]"));
        };
        // Also one that is not replayed moves the time on.
        let at = moment.of(time).map_err(|why| wrong(number, &why))?;
        cast.events.extend(what.map(|what| CastEvent { at, what }));
    }
    Ok(cast)
}

/// The time and what happened; none for kinds of events that say nothing that we replay.
fn read_event(line: &str) -> Option<(f64, Option<Happened>)> {
    let (time, kind, text): (f64, String, String) = serde_json::from_str(line).ok()?;
    let what = match kind.as_str() {
        "o" => Happened::Output(text),
        "i" => Happened::Input(text),
        "r" => Happened::Resize(text),
        "m" => Happened::Mark(text),
        _ => return Some((time, None)),
    };
    Some((time, Some(what)))
}

/// Seconds since the beginning, of the times that events say.
struct Moment {
    clock: Clock,
    now: f64,
}

impl Moment {
    fn new(clock: Clock) -> Self {
        Self { clock, now: 0.0 }
    }

    fn of(&mut self, time: f64) -> Result<f64, String> {
        if self.clock == Clock::SinceBeginning {
            return Ok(time);
        }
        if time < 0.0 {
            return Err(format!("comes {time} seconds after the one before it, which is less than none"));
        }
        self.now += time;
        if !self.now.is_finite() {
            return Err("is beyond the end of time".to_owned());
        }
        Ok(self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(cast: &Cast) -> Vec<(f64, &Happened)> {
        cast.events.iter().map(|event| (event.at, &event.what)).collect()
    }

    #[test]
    fn a_recording_reads_back() {
        let text = "{\"version\": 2, \"width\": 80, \"height\": 24, \"title\": \"r1\"}\n[0.0, \"o\", \"r1# \"]\n[1.5, \"i\", \"show\\r\"]\n[2, \"x\", \"\"]\n[2.5, \"m\", \"st";
        let cast = Cast::parse(text).unwrap();
        assert_eq!((cast.title.as_str(), cast.events.len(), cast.seconds(), cast.cut), ("r1", 2, 1.5, true));
        assert_eq!(cast.events[1].what, Happened::Input("show\r".to_owned()));
        assert!(cast.has_keys());
    }

    #[test]
    fn the_third_version_tells_time_from_event_to_event() {
        let text = "{\"version\": 3, \"term\": {\"cols\": 80, \"rows\": 24}, \"timestamp\": 1760000000, \"title\": \"r1\"}\n# a comment\n\
                    [0.5, \"o\", \"r1# \"]\n[1, \"i\", \"show\\r\"]\n[0.25, \"q\", \"a kind of tomorrow\"]\n[0.25, \"o\", \"show\\r\\n\"]\n[2, \"x\", \"0\"]\n";
        let cast = Cast::parse(text).unwrap();
        assert_eq!((cast.title.as_str(), cast.timestamp, cast.cut), ("r1", Some(1_760_000_000), false));
        assert_eq!(
            told(&cast),
            [
                (0.5, &Happened::Output("r1# ".to_owned())),
                (1.5, &Happened::Input("show\r".to_owned())),
                (2.0, &Happened::Output("show\r\n".to_owned())),
            ]
        );
    }

    #[test]
    fn the_first_version_is_one_object_and_holds_no_keys() {
        let frames = "\"stdout\": [[0.5, \"r1# \"], [1, \"show\\r\\n\"]]";
        for text in [
            format!("{{\"version\": 1, \"width\": 80, \"title\": \"r1\", {frames}}}"),
            format!("{{\n  \"version\": 1,\n  \"title\": \"r1\",\n  {frames}\n}}\n"),
        ] {
            let cast = Cast::parse(&text).unwrap();
            assert_eq!((cast.title.as_str(), cast.has_keys(), cast.cut), ("r1", false, false), "{text}");
            let said = [Happened::Output("r1# ".to_owned()), Happened::Output("show\r\n".to_owned())];
            assert_eq!(told(&cast), [(0.5, &said[0]), (1.5, &said[1])], "{text}");
        }
    }

    #[test]
    fn what_is_no_recording_is_told_with_its_line() {
        let all: Vec<String> = [
            "",
            "hello\n",
            "{\"version\": 4}\n",
            "{\"width\": 80}\n",
            "{\"version\": 1}\n",
            "{\"version\": 1, \"stdout\": [[0, \"a\"], [1]]}",
            "{\"version\": 2}\nx\n",
            "{\"version\": 2}\n# a comment\n",
            "{\"version\": 3}\n\n[-1, \"o\", \"a\"]\n",
            "{\"version\": 3}\n[1e308, \"o\", \"a\"]\n[1e308, \"o\", \"a\"]\n",
        ]
        .iter()
        .map(|text| Cast::parse(text).unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(all.join("\n"), @r"
        line 1 of the recording is not there: the file is empty
        line 1 of the recording is no header of asciicast: expected value at line 1 column 1
        line 1 of the recording is the header of asciicast version 4; versions 1, 2 and 3 are read: write it anew with `asciinema convert --output-format asciicast-v3`
        line 1 of the recording is no header of asciicast: it names no `version`
        line 1 of the recording is of asciicast version 1 and has no list `stdout`
        line 1 of the recording is of asciicast version 1, and frame 2 of `stdout` is not [delay, text]
        line 2 of the recording is no event of asciicast: [seconds, kind, text]
        line 2 of the recording is no event of asciicast: [seconds, kind, text]
        line 3 of the recording comes -1 seconds after the one before it, which is less than none
        line 3 of the recording is beyond the end of time
        ");
    }
}
