//! A recording as a device: it says what was said, as long as it is sent what was sent.
//!
//! Echoes are in the recording, so nothing is echoed, but for lines that a person typed key by key. Where a test departs from it, the device says at which command, and hangs up.
//! An empty line is no command: it asks for the prompt, and whether one was sent at a place depends on the way to the device.
//! A recording without typed keys, as asciinema writes it unasked, says all that it has, and refuses the first command with the reason.

use std::{future::poll_fn, io};

use crate::{
    channel::{Channel, read},
    limits::SIMULATED_LINE_BYTES_MAX,
    record::{cast::Cast, redact::STARS},
};
use pieces::{Piece, pieces};

mod pieces;

/// Why a recording answers no command, and what to do about it.
pub const WITHOUT_KEYS: &str = "the recording holds no typed keys, so nothing can be typed: record it with `jackfield session record`, or with \
    `asciinema rec --capture-input`";

/// A recording in turns.
#[derive(Debug, Default)]
pub(super) struct Script {
    turns: Vec<Turn>,
}

/// What the device says, and what it is then sent.
#[derive(Debug, Default, PartialEq, Eq)]
struct Turn {
    says: String,
    /// None at the end.
    hears: Option<String>,
    /// A person typed it: each key is echoed.
    typed: bool,
}

impl Script {
    pub(super) fn new(cast: &Cast) -> Self {
        let mut turns = vec![Turn::default()];
        for piece in pieces(cast) {
            let (hears, typed) = match piece {
                Piece::Says(text) => {
                    if let Some(last) = turns.last_mut() {
                        last.says.push_str(&text);
                    }
                    continue;
                }
                Piece::Hears(text) => (text, false),
                Piece::Typed(line) => (line, true),
            };
            if let Some(last) = turns.last_mut() {
                (last.hears, last.typed) = (Some(hears), typed);
            }
            turns.push(Turn::default());
        }
        Self { turns }
    }

    /// Plays the device's part to its end.
    pub(super) async fn play(&self, channel: &mut dyn Channel) -> io::Result<()> {
        let mut line = Vec::new();
        let commands = self.turns.iter().filter(|turn| turn.hears.is_some()).count();
        if let ([only], 0) = (self.turns.as_slice(), commands) {
            return play_without_keys(channel, &only.says).await;
        }
        // What was sent where the recording has an empty line.
        let mut early = None;
        for (number, turn) in (1_usize..).zip(&self.turns) {
            if early.is_none() {
                send(channel, turn.says.as_bytes()).await?;
            }
            let Some(wanted) = &turn.hears else { break };
            let heard = match early.take() {
                Some(heard) => Some(heard),
                None => hear_command(channel, &mut line, turn, wanted).await?,
            };
            let Some(heard) = heard else { return Ok(()) };
            if is_empty_line(wanted.as_bytes()) && !is_empty_line(&heard) {
                early = Some(heard);
                continue;
            }
            // The empty line that went out with it is answered in what the recording says next.
            if wanted.ends_with("\r\r") && line.first() == Some(&b'\r') {
                line.remove(0);
            }
            if !is_same(&heard, wanted) {
                let told = format!(
                    "\r\n% departed from the recording at command {number} of {commands}: it has `{}`, not `{}`\r\n",
                    wanted.trim().escape_debug(),
                    String::from_utf8_lossy(&heard).trim().escape_debug(),
                );
                tracing::warn!("{}", told.trim());
                send(channel, told.as_bytes()).await?;
                break;
            }
        }
        channel.close().await;
        Ok(())
    }
}

/// Says it all. Who asks for the prompt gets it; who types anything is told that nothing can be typed.
async fn play_without_keys(channel: &mut dyn Channel, says: &str) -> io::Result<()> {
    send(channel, says.as_bytes()).await?;
    let mut line = Vec::new();
    while let Some(heard) = hear(channel, &mut line, "\r").await? {
        if is_empty_line(&heard) {
            send(channel, format!("\r\n{}", prompt_of(says)).as_bytes()).await?;
            continue;
        }
        let told = format!("\r\n% {WITHOUT_KEYS}\r\n");
        tracing::warn!("{}", told.trim());
        send(channel, told.as_bytes()).await?;
        break;
    }
    channel.close().await;
    Ok(())
}

/// The last line of what was said.
fn prompt_of(says: &str) -> &str {
    says.rsplit(['\r', '\n']).next().unwrap_or_default()
}

/// Takes as much as was sent then; an empty line that was not sent then is answered with the prompt.
async fn hear_command(
    channel: &mut dyn Channel,
    line: &mut Vec<u8>,
    turn: &Turn,
    wanted: &str,
) -> io::Result<Option<Vec<u8>>> {
    loop {
        let heard = match turn.typed {
            true => hear_typed(channel, line).await?,
            false => hear(channel, line, wanted).await?,
        };
        let asks_for_prompt = heard.as_deref().is_some_and(is_empty_line);
        if !asks_for_prompt || is_empty_line(wanted.as_bytes()) || is_secret(wanted) {
            return Ok(heard);
        }
        send(channel, format!("\r\n{}", prompt_of(&turn.says)).as_bytes()).await?;
    }
}

fn is_empty_line(sent: &[u8]) -> bool {
    matches!(sent, b"\r" | b"\n" | b"\r\n")
}

/// Takes as much as was sent then: a line, or so many bytes; none when the other side is gone.
async fn hear(channel: &mut dyn Channel, line: &mut Vec<u8>, wanted: &str) -> io::Result<Option<Vec<u8>>> {
    let is_line = wanted.ends_with(['\r', '\n']) || is_secret(wanted);
    loop {
        let end = if is_line {
            line.iter().position(|byte| matches!(byte, b'\r' | b'\n')).map(|at| at.saturating_add(1))
        } else {
            Some(wanted.len()).filter(|wanted| line.len() >= *wanted)
        };
        if let Some(end) = end.or((line.len() > SIMULATED_LINE_BYTES_MAX).then_some(line.len())) {
            let rest = line.split_off(end.min(line.len()));
            let mut heard = std::mem::replace(line, rest);
            // The other half of a line end.
            if heard.ends_with(b"\r") && line.first() == Some(&b'\n') {
                heard.push(line.remove(0));
            }
            return Ok(Some(heard));
        }
        if read(channel, line).await? == 0 {
            return Ok(None);
        }
    }
}

/// Takes a line key by key, shows each, and lets them be corrected.
async fn hear_typed(channel: &mut dyn Channel, line: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    const RUBOUT: &[u8] = b"\x08 \x08";
    let mut text = Vec::new();
    loop {
        let mut echo = Vec::new();
        let mut keys = std::mem::take(line).into_iter().peekable();
        while let Some(key) = keys.next() {
            match key {
                b'\r' | b'\n' => {
                    if key == b'\r' {
                        keys.next_if_eq(&b'\n');
                    }
                    line.extend(keys);
                    send(channel, &echo).await?;
                    text.push(b'\r');
                    return Ok(Some(text));
                }
                0x08 | 0x7f => echo.extend(text.pop().map_or(b"".as_slice(), |_| RUBOUT)),
                0x15 => echo.extend(RUBOUT.repeat(std::mem::take(&mut text).len())),
                _ if text.len() < SIMULATED_LINE_BYTES_MAX => {
                    text.push(key);
                    echo.push(key);
                }
                _ => {}
            }
        }
        send(channel, &echo).await?;
        if read(channel, line).await? == 0 {
            return Ok(None);
        }
    }
}

fn is_secret(wanted: &str) -> bool {
    wanted.trim_end().as_bytes() == STARS
}

/// The same but for the line end; any text where a secret was.
fn is_same(heard: &[u8], wanted: &str) -> bool {
    let ends: &[char] = &['\r', '\n'];
    is_secret(wanted)
        || String::from_utf8_lossy(heard).trim_end_matches(ends) == wanted.trim_end_matches(ends)
}

async fn send(channel: &mut dyn Channel, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let taken = poll_fn(|cx| channel.poll_write(cx, bytes)).await?;
        if taken == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(taken..).unwrap_or_default();
    }
    poll_fn(|cx| channel.poll_flush(cx)).await
}
