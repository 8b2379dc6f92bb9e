//! The inside of a text of a statement: what stays as it is, and what is filled in.

use std::collections::BTreeSet;

use super::{
    Piece,
    lexer::{continues_name, starts_name},
};

/// A text cut into what stays and what is filled in. `$$` is a dollar sign; a dollar sign before anything but a name, and an
/// `@` that belongs to no field, stay.
pub(super) fn pieces(text: &str, fields: &BTreeSet<String>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    let mut before = None;
    while let Some(character) = rest.chars().next() {
        let (piece, length) = match character {
            '$' => dollar(rest),
            '@' => field(rest, before, fields),
            _ => (None, character.len_utf8()),
        };
        let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match piece {
            Some(Piece::Text(text)) => plain.push_str(&text),
            Some(filled) => {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(filled);
            }
            None => plain.push_str(taken),
        }
        before = taken.chars().next_back();
        rest = after;
    }
    if !plain.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

/// `$name`, `${name}`, `$$`, or a dollar sign; and how many bytes of the text that is.
pub(crate) fn dollar(text: &str) -> (Option<Piece>, usize) {
    let after = text.get(1..).unwrap_or_default();
    if after.starts_with('$') {
        return (Some(Piece::Text("$".to_owned())), 2);
    }
    let braced = after.strip_prefix('{');
    let name: String = braced.unwrap_or(after).chars().take_while(|c| continues_name(*c)).collect();
    if !name.chars().next().is_some_and(starts_name) {
        return (None, 1);
    }
    let length = name.len();
    match braced {
        None => (Some(Piece::Variable(name)), length.saturating_add(1)),
        Some(inside) if inside.get(length..).is_some_and(|rest| rest.starts_with('}')) => {
            (Some(Piece::Variable(name)), length.saturating_add(3))
        }
        Some(_) => (None, 1),
    }
}

/// `@name@`. A known field counts anywhere; an unknown one only where it does not look like the inside of an address, so that
/// a misspelt field is found and `a@b@c` stays.
fn field(text: &str, before: Option<char>, fields: &BTreeSet<String>) -> (Option<Piece>, usize) {
    let after = text.get(1..).unwrap_or_default();
    let Some((name, _)) = after.split_once('@') else { return (None, 1) };
    let length = name.len().saturating_add(2);
    if fields.contains(name) {
        return (Some(Piece::Field(name.to_owned())), length);
    }
    let is_name = name.chars().next().is_some_and(starts_name) && name.chars().all(continues_name);
    if is_name && !before.is_some_and(continues_name) {
        return (Some(Piece::Field(name.to_owned())), length);
    }
    (None, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_pieces() {
        let fields = BTreeSet::from(["Release".to_owned(), "Run Number".to_owned()]);
        let show = |text: &str| {
            pieces(text, &fields)
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => format!("[{text}]"),
                    Piece::Variable(name) => format!("${name}"),
                    Piece::Field(name) => format!("@{name}"),
                })
                .collect::<String>()
        };
        for (text, expected) in [
            ("", "[]"),
            ("plain", "[plain]"),
            ("$release.$build", "$release[.]$build"),
            ("it's ${x}y", "[it's ]$x[y]"),
            ("@Release@%", "@Release[%]"),
            ("a@Release@b@Run Number@", "[a]@Release[b]@Run Number"),
            ("ana@lab.com", "[ana@lab.com]"),
            ("a@b@c", "[a@b@c]"),
            ("of @relase@", "[of ]@relase"),
            ("costs $5, $$x, $ and ${", "[costs $5, $x, $ and ${]"),
            ("100% grün $größe", "[100% grün ]$größe"),
        ] {
            assert_eq!(show(text), expected, "{text}");
        }
    }
}
