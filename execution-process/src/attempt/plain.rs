//! What a program wrote for a terminal, as a person reads it in a sentence: a reason stands in lists, mails and reports, where a colour is
//! only noise.

/// A text without its escape sequences (colours, titles, what moves a cursor); of a line that was drawn anew after carriage returns, what it
/// said in the end.
pub(super) fn plain(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character == '\u{1b}' {
            skip(&mut rest);
        } else {
            bare.push(character);
        }
    }
    let ends = bare.split('\n').map(|line| {
        let line = line.trim_end_matches('\r');
        line.rsplit('\r').next().unwrap_or(line)
    });
    ends.collect::<Vec<_>>().join("\n")
}

/// Goes to the end of an escape sequence. One that is cut off ends with the text.
fn skip(rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        // Parameters up to a letter.
        Some('[') => {
            rest.find(|end| ('\u{40}'..='\u{7e}').contains(end));
        }
        // A text of its own, up to a bell or a string terminator.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(end) = rest.next() {
                if end == '\u{7}' || (end == '\u{1b}' && rest.next().is_some()) {
                    break;
                }
            }
        }
        // A character set: one more follows.
        Some('(' | ')' | '*' | '+' | '#' | '%') => {
            rest.next();
        }
        Some(_) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_reason_has_no_colours() {
        for (text, expected) in [
            ("\u{1b}[31mERROR\u{1b}[0m the port is down", "ERROR the port is down"),
            ("\u{1b}[1;38;5;196mred\u{1b}[m", "red"),
            ("\u{1b}]0;title\u{7}said\u{1b}]8;;http://x\u{1b}\\ so", "said so"),
            ("\u{1b}(Bplain\u{1b}7", "plain"),
            ("one\r\ntwo\r\n", "one\ntwo\n"),
            ("10 %\r50 %\r100 %\r\nno route", "100 %\nno route"),
            ("cut \u{1b}[3", "cut "),
            ("cut \u{1b}]0;tit", "cut "),
            ("no [31m escape", "no [31m escape"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }
}
