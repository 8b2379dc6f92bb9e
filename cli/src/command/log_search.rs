//! `jackfield runs search`: the lines of a test's logs that fit a pattern, found by the engine, so that gigabytes stay where
//! they are.

use std::io::{BufRead, BufReader};

use anyhow::{Context as _, Result, bail};
use jackfield_protocol::{error::Problem, id::AttemptId, log::Stream};
use serde::{Deserialize, Serialize};

use crate::{
    Context,
    client::encoded,
    command::logs,
    exit::Exit,
    output::{say, talk},
};

/// What the engine says while it searches, a line each.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Word {
    Hit { line: u64, text: String },
    Progress {},
    End { hits: u64 },
    Failed { problem: Problem },
}

/// A line that fits.
#[derive(Serialize)]
struct Hit {
    stream: Stream,
    line: u64,
    text: String,
}

/// Prints the lines of one log, or of all that have bytes, that fit a regular expression.
pub(crate) fn print(
    context: &Context,
    attempt: AttemptId,
    stream: Option<Stream>,
    pattern: &str,
    case: bool,
) -> Result<Exit> {
    let streams = match stream {
        Some(stream) => vec![stream],
        None => logs::streams(context, attempt)?,
    };
    let mut found = Vec::new();
    let mut fit = 0;
    for stream in streams {
        fit += search(context, (attempt, stream), (pattern, case), &mut found)?;
    }
    if context.output.json() {
        context.output.list(&found, |_| String::new())?;
    }
    if fit == 0 {
        talk(&format!("no line of {attempt} fits `{pattern}`"));
    } else if u64::try_from(found.len()).is_ok_and(|listed| listed < fit && context.output.json()) {
        talk(&format!("{fit} lines fit; the first of each log are listed"));
    }
    Ok(Exit::Done)
}

/// Searches one log; how many of its lines fit. Those that are listed are printed as they are found, or kept for JSON.
fn search(
    context: &Context,
    (attempt, stream): (AttemptId, Stream),
    (pattern, case): (&str, bool),
    found: &mut Vec<Hit>,
) -> Result<u64> {
    let log = format!("/attempts/{attempt}/logs/{}", stream.as_str());
    let body = context.client.bytes(&format!("{log}/search?pattern={}&case={case}", encoded(pattern)))?;
    for line in BufReader::new(body).lines() {
        let line = line.map_err(|error| context.client.lost(error))?;
        match serde_json::from_str(&line).with_context(|| format!("reading what was found: {line}"))? {
            Word::Hit { line, text } if context.output.json() => found.push(Hit { stream, line, text }),
            Word::Hit { line, text } => say(&format!("{}:{line}: {text}", stream.as_str()))?,
            Word::Progress {} => {}
            Word::End { hits } => return Ok(hits),
            Word::Failed { problem } => return Err(problem.into()),
        }
    }
    bail!("the {} log of {attempt} was not searched to its end; ask again", stream.as_str())
}
