//! A recording in pieces: what was said, and what was sent. A line that a person typed key by key is one piece, as it stood when they
//! pressed Enter: a test sends it at once, and nobody makes the same slips again.

use crate::record::{
    cast::{Cast, Happened},
    redact::STARS,
};

/// A piece of a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The device said this.
    Says(String),
    /// It was sent this.
    Hears(String),
    /// Somebody typed this line, and saw each key.
    Typed(String),
}

pub(super) fn pieces(cast: &Cast) -> Vec<Piece> {
    let what = cast.events.iter().map(|event| &event.what);
    let events: Vec<&Happened> =
        what.filter(|what| matches!(what, Happened::Output(_) | Happened::Input(_))).collect();
    let mut pieces = Vec::new();
    let mut rest = events.as_slice();
    while let Some((first, mut after)) = rest.split_first() {
        match first {
            Happened::Output(text) => pieces.push(Piece::Says(text.clone())),
            Happened::Input(text) => match typed(rest) {
                Some((line, taken)) => {
                    pieces.push(Piece::Typed(line));
                    after = rest.get(taken..).unwrap_or_default();
                }
                None => pieces.push(Piece::Hears(text.clone())),
            },
            Happened::Resize(_) | Happened::Mark(_) => {}
        }
        rest = after;
    }
    pieces
}

/// A line that was typed key by key and echoed, if these events begin with one, and how many of them it took.
fn typed(events: &[&Happened]) -> Option<(String, usize)> {
    let (mut line, mut echoed, mut corrected) = (String::new(), String::new(), false);
    for (count, event) in (1..).zip(events) {
        let keys = match event {
            Happened::Output(text) => {
                echoed.push_str(text);
                continue;
            }
            Happened::Input(keys) if keys.as_bytes() == STARS => return None,
            Happened::Input(keys) => keys,
            Happened::Resize(_) | Happened::Mark(_) => continue,
        };
        let ends = keys.ends_with(['\r', '\n']);
        for key in keys.trim_end_matches(['\r', '\n']).chars() {
            match key {
                '\u{8}' | '\u{7f}' => {
                    corrected = true;
                    line.pop();
                }
                '\u{15}' => {
                    corrected = true;
                    line.clear();
                }
                // What other keys mean only the device knows.
                key if key.is_control() => return None,
                key => line.push(key),
            }
        }
        if ends {
            let seen = corrected || echoed == line;
            return (count > 1 && !echoed.is_empty() && seen).then(|| (format!("{line}\r"), count));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(events: &[(&str, &str)]) -> Vec<Piece> {
        let lines = events.iter().map(|(kind, text)| serde_json::json!([0, kind, text]).to_string());
        let text: Vec<String> = std::iter::once("{\"version\": 2}".to_owned()).chain(lines).collect();
        pieces(&Cast::parse(&format!("{}\n", text.join("\n"))).unwrap())
    }

    #[test]
    fn a_line_typed_key_by_key_is_one_piece() {
        use Piece::{Hears, Says, Typed};
        let typed = |line: &str| Typed(line.to_owned());
        let says = |text: &str| Says(text.to_owned());
        let hears = |text: &str| Hears(text.to_owned());
        for (events, expect) in [
            (
                vec![
                    ("o", "r1# "),
                    ("i", "u"),
                    ("o", "u"),
                    ("i", "p"),
                    ("o", "p"),
                    ("i", "\r"),
                    ("o", "\r\nok\r\nr1# "),
                ],
                vec![says("r1# "), typed("up\r"), says("\r\nok\r\nr1# ")],
            ),
            (
                vec![
                    ("i", "ux"),
                    ("o", "ux"),
                    ("i", "\u{7f}"),
                    ("o", "\u{8} \u{8}"),
                    ("i", "p"),
                    ("o", "p"),
                    ("i", "\r"),
                ],
                vec![typed("up\r")],
            ),
            (vec![("i", "up\r"), ("o", "up\r\nok")], vec![hears("up\r"), says("up\r\nok")]),
            // Not echoed, or a key of its own, or a secret: as it was.
            (vec![("i", "u"), ("i", "\r")], vec![hears("u"), hears("\r")]),
            (
                vec![("i", "u"), ("o", "u"), ("i", "\t"), ("o", "ptime"), ("i", "\r")],
                vec![hears("u"), says("u"), hears("\t"), says("ptime"), hears("\r")],
            ),
            (
                vec![("i", "********"), ("o", "\r\n"), ("i", "\r")],
                vec![hears("********"), says("\r\n"), hears("\r")],
            ),
        ] {
            assert_eq!(read(&events), expect, "{events:?}");
        }
    }
}
