//! Keys by their names, as the bytes that a terminal sends for them.

use jackfield_config::problem::nearest;

/// A key that no keyboard has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no key `{name}`: {remedy}")]
pub struct UnknownKey {
    name: String,
    remedy: String,
}

/// Keys whose bytes are always the same.
const PLAIN: [(&str, &str); 38] = [
    ("enter", "\r"),
    ("return", "\r"),
    ("tab", "\t"),
    ("shift-tab", "\x1b[Z"),
    ("escape", "\x1b"),
    ("esc", "\x1b"),
    ("space", " "),
    ("backspace", "\x7f"),
    ("insert", "\x1b[2~"),
    ("delete", "\x1b[3~"),
    ("page-up", "\x1b[5~"),
    ("page-down", "\x1b[6~"),
    ("f1", "\x1bOP"),
    ("f2", "\x1bOQ"),
    ("f3", "\x1bOR"),
    ("f4", "\x1bOS"),
    ("f5", "\x1b[15~"),
    ("f6", "\x1b[17~"),
    ("f7", "\x1b[18~"),
    ("f8", "\x1b[19~"),
    ("f9", "\x1b[20~"),
    ("f10", "\x1b[21~"),
    ("f11", "\x1b[23~"),
    ("f12", "\x1b[24~"),
    ("ctrl-space", "\0"),
    ("ctrl-@", "\0"),
    ("ctrl-[", "\x1b"),
    ("ctrl-\\", "\x1c"),
    ("ctrl-]", "\x1d"),
    ("ctrl-^", "\x1e"),
    ("ctrl-_", "\x1f"),
    ("ctrl-up", "\x1b[1;5A"),
    ("ctrl-down", "\x1b[1;5B"),
    ("ctrl-right", "\x1b[1;5C"),
    ("ctrl-left", "\x1b[1;5D"),
    ("pageup", "\x1b[5~"),
    ("pagedown", "\x1b[6~"),
    ("del", "\x1b[3~"),
];

/// Keys that have two forms: the letter after `ESC [`, or after `ESC O` for an application that has asked for it.
const CURSOR: [(&str, char); 6] =
    [("up", 'A'), ("down", 'B'), ("right", 'C'), ("left", 'D'), ("home", 'H'), ("end", 'F')];

/// The bytes of a key: a name such as `up`, `F5`, `ctrl-c`, `alt-x` or `tab`, or one character as it stands.
///
/// # Errors
/// No key has this name; the error names the nearest.
pub fn bytes(name: &str, application: bool) -> Result<Vec<u8>, UnknownKey> {
    let mut letters = name.chars();
    if let (Some(_), None) = (letters.next(), letters.next()) {
        return Ok(name.as_bytes().to_vec());
    }
    let wanted = name.trim().to_ascii_lowercase().replace(['_', ' ', '+'], "-");
    if let Some((_, bytes)) = PLAIN.iter().find(|(known, _)| *known == wanted) {
        return Ok(bytes.as_bytes().to_vec());
    }
    if let Some((_, letter)) = CURSOR.iter().find(|(known, _)| *known == wanted) {
        let form = if application { 'O' } else { '[' };
        return Ok(format!("\x1b{form}{letter}").into_bytes());
    }
    if let Some(letter) = single(&wanted, "ctrl-").filter(char::is_ascii_lowercase) {
        let place = u32::from(letter).saturating_sub(u32::from('a')).saturating_add(1);
        return Ok(char::from_u32(place).unwrap_or_default().to_string().into_bytes());
    }
    // Its case counts: alt-x is not alt-X.
    if let Some(letter) = single(name.trim(), "alt-").or_else(|| single(name.trim(), "Alt-")) {
        return Ok(format!("\x1b{letter}").into_bytes());
    }
    let names = PLAIN.iter().map(|(name, _)| *name).chain(CURSOR.iter().map(|(name, _)| *name));
    let remedy = nearest(&wanted, names).map_or_else(
        || "use up, down, enter, tab, escape, f1 to f12, page-up, ctrl-c, alt-x, or one character".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(UnknownKey { name: name.to_owned(), remedy })
}

fn single(name: &str, prefix: &str) -> Option<char> {
    let mut letters = name.strip_prefix(prefix)?.chars();
    letters.next().filter(|_| letters.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_names() {
        for (name, application, expect) in [
            ("up", false, "\x1b[A"),
            ("Up", true, "\x1bOA"),
            ("F5", true, "\x1b[15~"),
            ("ctrl-c", false, "\x03"),
            ("Ctrl+C", false, "\x03"),
            ("ctrl-z", false, "\x1a"),
            ("page_down", false, "\x1b[6~"),
            ("alt-X", false, "\x1bX"),
            ("Enter", false, "\r"),
            ("q", false, "q"),
            ("+", false, "+"),
            ("é", false, "é"),
        ] {
            assert_eq!(bytes(name, application).unwrap(), expect.as_bytes(), "{name}");
        }
        insta::assert_snapshot!(bytes("entr", false).unwrap_err(), @"there is no key `entr`: did you mean `enter`?");
        insta::assert_snapshot!(bytes("ctrl-ä", false).unwrap_err(), @"there is no key `ctrl-ä`: did you mean `ctrl-@`?");
        insta::assert_snapshot!(bytes("hello world", false).unwrap_err(), @"there is no key `hello world`: use up, down, enter, tab, escape, f1 to f12, page-up, ctrl-c, alt-x, or one character");
    }
}
