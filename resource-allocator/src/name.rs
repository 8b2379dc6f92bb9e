//! What a node or a property may be called: names that say one thing to everybody who reads them.

use crate::{error::ResourceError, node::Node};

/// Longest name of a node or property, in bytes.
const NAME_MAX: usize = 255;
/// Of a name that is refused, nobody reads more.
const TOLD_MAX: usize = 80;

/// A name as a node may bear it.
pub(crate) fn name_of(name: &str) -> Result<String, ResourceError> {
    let name = name.trim();
    let problem = match name {
        "." | ".." => "it would look like a way up",
        name if name.contains(['/', ':']) => "`/` and `:` have a meaning in queries",
        name => return check(name).map(|()| name.to_owned()),
    };
    Err(bad(name, problem))
}

/// Whether a property may be called so.
pub(crate) fn check_key(key: &str) -> Result<(), ResourceError> {
    check(key)
}

fn check(name: &str) -> Result<(), ResourceError> {
    let problem = match name {
        "" => "it is empty",
        name if name.len() > NAME_MAX => "it is longer than 255 bytes",
        name if name.chars().any(char::is_control) => "it contains a control character",
        name if name.chars().any(is_unseen) => "it contains a character that is not seen",
        name if is_mixed(name) => {
            "it mixes Latin, Greek or Cyrillic letters, which look alike; write it in one alphabet"
        }
        _ => return Ok(()),
    };
    Err(bad(name, problem))
}

fn bad(name: &str, problem: &'static str) -> ResourceError {
    ResourceError::BadName { name: short(name), problem }
}

/// A name or path as it stands in a message, which is for people.
pub(crate) fn short(name: &str) -> String {
    let told: String = name.chars().take(TOLD_MAX).collect();
    if told.len() < name.len() { format!("{told}…") } else { told }
}

/// A sibling that a new name could be taken for, other than by its letters. What is all ASCII is taken as it is.
pub(crate) fn look_alike<'n>(parent: &'n Node, name: &str) -> Option<&'n str> {
    if name.is_ascii() {
        return None;
    }
    let looks = skeleton(name);
    parent.children.keys().map(String::as_str).find(|other| *other != name && skeleton(other) == looks)
}

/// Blanks of other widths, marks of direction, and what joins or parts letters without being seen.
fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{3000}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    Latin,
    Greek,
    Cyrillic,
}

fn alphabet(letter: char) -> Option<Alphabet> {
    if !letter.is_alphabetic() {
        return None;
    }
    match letter {
        'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{ff21}'..='\u{ff5a}' => {
            Some(Alphabet::Latin)
        }
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(Alphabet::Greek),
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{2de0}'..='\u{2dff}' => Some(Alphabet::Cyrillic),
        _ => None,
    }
}

/// One Greek letter beside Latin ones is a unit or a constant (`10µF`, `Δt`); one that looks Latin is a trap.
fn is_mixed(name: &str) -> bool {
    let mut first = None;
    name.chars().filter_map(|letter| Some((letter, alphabet(letter)?))).any(|(letter, alphabet)| {
        let is_plain = alphabet == Alphabet::Greek && latin(letter) == letter;
        !is_plain && *first.get_or_insert(alphabet) != alphabet
    })
}

/// What a name looks like.
fn skeleton(name: &str) -> String {
    name.chars().map(latin).collect()
}

/// The Latin letter that one looks like; itself where it looks like none.
fn latin(letter: char) -> char {
    const ALIKE: [(&str, &str); 3] = [
        ("АВЕЅІЈКМНОРСТХУаеѕіјорсухһԁԛԝ", "ABESIJKMHOPCTXYaesijopcyxhdqw"),
        ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοινϲϳ", "ABEZHIKMNOPTYXoivcj"),
        ("·ˑ‐‑‒–—―−", "··-------"),
    ];
    if let '\u{ff01}'..='\u{ff5e}' = letter {
        return u32::from(letter).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(letter);
    }
    let find = |(from, to): &(&str, &str)| {
        let at = from.chars().position(|other| other == letter)?;
        to.chars().nth(at)
    };
    ALIKE.iter().find_map(find).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_they_look_like() {
        for good in ["r1", "Router 1", "коммутатор", "διακόπτης", "10µF", "Δt", "机架 3", "Ștefan", "r_1-a.b"]
        {
            assert_eq!(name_of(good).as_deref(), Ok(good));
        }
        let long = "x".repeat(256);
        for (name, problem) in [
            ("", "it is empty"),
            ("..", "it would look like a way up"),
            ("a/b", "`/` and `:` have a meaning in queries"),
            ("a:b", "`/` and `:` have a meaning in queries"),
            ("a\u{1b}[31m", "it contains a control character"),
            ("r1\u{200b}", "it contains a character that is not seen"),
            ("r\u{202e}1", "it contains a character that is not seen"),
            (
                "rоuter",
                "it mixes Latin, Greek or Cyrillic letters, which look alike; write it in one alphabet",
            ),
            (&long, "it is longer than 255 bytes"),
        ] {
            let Err(ResourceError::BadName { problem: said, name: told }) = name_of(name) else {
                panic!("{name:?} is taken")
            };
            assert_eq!((said, told.len() < 100), (problem, true), "{name:?}");
        }
        assert_eq!(check_key("snmp:community"), Ok(()));
        assert!(check_key("").is_err());
    }

    #[test]
    fn what_looks_alike_is_found() {
        assert_eq!(skeleton("сор"), "cop");
        assert_eq!(skeleton("ｒ１"), "r1");
        assert_eq!(skeleton("r–1"), "r-1");
    }
}
