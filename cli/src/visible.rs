//! What others wrote, made safe for a terminal: names and reasons come from tests, EPs and devices, and a terminal obeys control characters.
//!
//! They become the signs that stand for them (`␛`), so that nothing is hidden and nothing is obeyed. Scripts, which ask for JSON, get the texts as
//! they are; so does whoever asks for a log.

use std::borrow::Cow;

use serde_json::Value;

/// Of the control pictures, the one for NUL; the others follow in order.
const PICTURES: u32 = 0x2400;
/// The picture for DEL.
const DELETE: char = '␡';

/// A text whose control characters are signs. Line ends and tabs stay: they only move on.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|letter| if acts(letter) { sign(letter) } else { letter }).collect())
}

/// All texts in a value, names of fields too.
pub(crate) fn visible_value(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(shown) = visible(text) {
                *text = shown;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(visible_value),
        Value::Object(fields) => {
            if fields.keys().any(|name| name.chars().any(acts)) {
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(name, value)| (visible(&name).into_owned(), value))
                    .collect();
            }
            fields.values_mut().for_each(visible_value);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a terminal does something else with it than show it: control characters, and those that turn the direction of writing.
fn acts(letter: char) -> bool {
    let turns = matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
    turns || (letter.is_control() && letter != '\n' && letter != '\t')
}

fn sign(letter: char) -> char {
    match u32::from(letter) {
        code @ 0..=0x1F => {
            char::from_u32(PICTURES.saturating_add(code)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        0x7F => DELETE,
        _ => char::REPLACEMENT_CHARACTER,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        for (text, expect) in [
            ("plain Ünïcödé\n\tx", "plain Ünïcödé\n\tx"),
            ("a\u{1b}]0;owned\u{7}b", "a␛]0;owned␇b"),
            ("PASS\rFAIL\u{8}\u{7f}", "PASS␍FAIL␈␡"),
            ("\u{9b}31m\u{202e}evil", "\u{fffd}31m\u{fffd}evil"),
            ("\0", "␀"),
        ] {
            assert_eq!(visible(text), expect);
        }
        let mut value = json!({"a\u{1b}": ["\u{1b}[2J", 1, null], "b": {"c": "\r"}});
        visible_value(&mut value);
        assert_eq!(value, json!({"a␛": ["␛[2J", 1, null], "b": {"c": "␍"}}));
    }
}
