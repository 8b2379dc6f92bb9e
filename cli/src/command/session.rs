//! `jackfield session …`: what was said to a device, and by it.

use std::{collections::BTreeMap, io::Write, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use jackfield_device::record::cast::{Cast, CastEvent, Happened};
use serde_json::json;

use super::artifacts::{self, Kept};
use crate::{
    Context,
    exit::Exit,
    output::{say, talk},
};

mod profiles;
mod reach;
mod record;
mod trial;

/// The ending of a recording's name.
const ENDING: &str = ".cast";
/// That of asciicast's first version, in which old collections are kept.
const OLD_ENDING: &str = ".json";

/// The recorded dialogues of tests with devices.
#[derive(Subcommand)]
pub(crate) enum Session {
    /// The recordings that a test left.
    List {
        /// Run and test, such as 41.17, or an attempt, such as 41.17.1.
        test: String,
    },
    /// Talk to a device by hand, and write it down.
    Record(record::Record),
    /// Log in to a device with a profile, and show what is taken for what.
    Try(trial::Trial),
    /// A recording as text: what the device said, and what it was sent.
    Show {
        /// Run and test, an attempt, or a file that ends with .cast or .json.
        test: String,
        /// Which of its recordings, where it left several.
        name: Option<String>,
    },
    /// Play a recording on this terminal, in the time it took.
    Play {
        /// Run and test, an attempt, or a file that ends with .cast or .json.
        test: String,
        /// Which of its recordings, where it left several.
        name: Option<String>,
        /// So many times as fast.
        #[arg(long, default_value_t = 1.0)]
        speed: f64,
        /// Wait no longer than so many seconds for anything.
        #[arg(long, default_value_t = 2.0)]
        idle: f64,
    },
}

impl Session {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        match self {
            Self::Record(record) => record.run(context),
            Self::Try(trial) => trial.run(),
            Self::List { test } => artifacts::print(context, &recordings(context, test)?),
            Self::Show { test, name } => {
                let cast = recording(context, test, name.as_deref())?;
                let events: Vec<_> = cast.events.iter().map(described).collect();
                context.output.print(
                    &json!({"title": cast.title, "timestamp": cast.timestamp, "events": events}),
                    |_| told(&cast),
                )?;
                Ok(Exit::Done)
            }
            Self::Play { test, name, speed, idle } => {
                if !(*speed > 0.0 && *idle >= 0.0) {
                    bail!("--speed and --idle must be numbers above 0");
                }
                play(&recording(context, test, name.as_deref())?, *speed, *idle)?;
                Ok(Exit::Done)
            }
        }
    }
}

fn recordings(context: &Context, test: &str) -> Result<BTreeMap<String, Kept>> {
    let files = artifacts::of(context, test)?;
    Ok(files.into_iter().filter(|(name, _)| name.ends_with(ENDING)).collect())
}

fn recording(context: &Context, test: &str, name: Option<&str>) -> Result<Cast> {
    if is_file(Path::new(test)) && name.is_none() {
        let text = std::fs::read_to_string(Path::new(test)).with_context(|| format!("reading {test}"))?;
        return read(test, &text);
    }
    let recordings = recordings(context, test)?;
    let (name, Kept { hash, .. }) =
        artifacts::one(&recordings, name.unwrap_or_default(), test, "recording of a session")?;
    let text = context.client.text(&format!("/blobs/{hash}"))?;
    read(name, &text)
}

/// Whether this is the name of a file with a recording.
pub(crate) fn is_file(path: &Path) -> bool {
    let name = path.to_string_lossy();
    [ENDING, OLD_ENDING].iter().any(|ending| name.ends_with(ending))
}

/// A recording from its text; says where it lacks its end.
pub(crate) fn read(name: &str, text: &str) -> Result<Cast> {
    let cast = Cast::parse(text).with_context(|| name.to_owned())?;
    if cast.cut {
        talk(&format!("{name}: the last line is cut off; what is before it is used"));
    }
    Ok(cast)
}

fn described(event: &CastEvent) -> serde_json::Value {
    let (kind, text) = match &event.what {
        Happened::Output(text) => ("output", text),
        Happened::Input(text) => ("input", text),
        Happened::Resize(text) => ("resize", text),
        Happened::Mark(text) => ("mark", text),
    };
    json!({"at": event.at, "kind": kind, "text": text})
}

/// The dialogue as lines: `>` before what was sent, `##` before a mark, everything else is the device's.
fn told(cast: &Cast) -> String {
    let mut text = String::new();
    let mut at_start = true;
    for event in &cast.events {
        let line = match &event.what {
            Happened::Output(said) => {
                let said = said.replace("\r\n", "\n").replace('\r', "");
                at_start = said.ends_with('\n');
                text.push_str(&said);
                continue;
            }
            Happened::Input(sent) => format!("> {}\n", sent.trim_end().escape_debug()),
            Happened::Mark(label) => format!("## {label}\n"),
            Happened::Resize(size) => format!("## the terminal has {size} characters\n"),
        };
        if !at_start {
            text.push('\n');
        }
        text.push_str(&line);
        at_start = true;
    }
    text
}

fn play(cast: &Cast, speed: f64, idle: f64) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let mut before = 0.0;
    for event in &cast.events {
        let wait = ((event.at - before) / speed).clamp(0.0, idle);
        before = event.at;
        std::thread::sleep(Duration::from_secs_f64(wait));
        if let Happened::Output(said) = &event.what {
            match out.write_all(said.as_bytes()).and_then(|()| out.flush()) {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                done => done?,
            }
        }
    }
    drop(out);
    say("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialogue_is_told_line_by_line() {
        let text = "{\"version\": 2}\n[0, \"o\", \"r1# \"]\n[1, \"m\", \"step 1\"]\n[1, \"i\", \"show\\r\"]\n[2, \"o\", \"show\\r\\nok\\r\\nr1# \"]\n";
        assert_eq!(told(&Cast::parse(text).unwrap()), "r1# \n## step 1\n> show\nshow\nok\nr1# ");
    }
}
