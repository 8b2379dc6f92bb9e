//! Text on its way into a document: escaped for XML and HTML, spans and instants as people read them.

use std::{
    fmt::{self, Display, Formatter, Write},
    iter::Peekable,
    str::Chars,
};

use jackfield_protocol::time::Time;
use jiff::{Timestamp, tz::Offset};

/// Character data of XML or HTML. Terminal styles are left out; other control characters, which strict parsers refuse, become
/// the signs that picture them.
pub(crate) fn escaped(text: &str) -> impl Display {
    Escaped { text, attribute: false }
}

/// The value of an attribute between double quotes; line ends and tabs survive.
pub(crate) fn attribute(text: &str) -> impl Display {
    Escaped { text, attribute: true }
}

struct Escaped<'a> {
    text: &'a str,
    attribute: bool,
}

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut characters = self.text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\x1b' if characters.next_if_eq(&'[').is_some() => skip_style(&mut characters),
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' if self.attribute => f.write_str("&#10;")?,
                '\t' if self.attribute => f.write_str("&#9;")?,
                '\r' if characters.peek() == Some(&'\n') => {}
                other => f.write_char(visible(other))?,
            }
        }
        Ok(())
    }
}

/// Reads on to the end of a control sequence whose `ESC [` was read.
fn skip_style(characters: &mut Peekable<Chars<'_>>) {
    for character in characters.by_ref() {
        if ('@'..='~').contains(&character) {
            return;
        }
    }
}

/// The character itself, or the sign that pictures a control character: `␛` for escape.
pub(crate) fn visible(character: char) -> char {
    match character {
        '\n' | '\t' => character,
        '\0'..='\x1f' => char::from_u32(u32::from(character).saturating_add(0x2400)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        _ => character,
    }
}

/// One line: terminal styles are left out, line ends and control characters become spaces, runs of spaces one.
pub(crate) fn one_line(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' if characters.next_if_eq(&'[').is_some() => skip_style(&mut characters),
            control if control.is_control() => spaced.push(' '),
            other => spaced.push(other),
        }
    }
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters, with an ellipsis where something was cut.
pub(crate) fn shortened(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(characters_max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// `0.012`: seconds for machines, with a point and three places.
pub(crate) fn seconds(millis: u64) -> impl Display {
    Seconds(millis)
}

struct Seconds(u64);

impl Display for Seconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// `1.23s`, `2m 05s`, `3h 02m 05s`: a span for people.
pub(crate) fn span(millis: u64) -> String {
    let seconds = millis / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{}.{:02}s", seconds, millis % 1000 / 10),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, seconds) => format!("{hours}h {minutes:02}m {seconds:02}s"),
    }
}

/// An instant by the clocks of a place, in a pattern of `strftime`; our own text where it is beyond the calendar.
pub(crate) fn local(time: Time, offset_secs: i32, pattern: &str) -> String {
    let offset = Offset::from_seconds(offset_secs).unwrap_or(Offset::UTC);
    match Timestamp::from_millisecond(time.0) {
        Ok(instant) => instant.to_zoned(offset.to_time_zone()).strftime(pattern).to_string(),
        Err(_) => time.to_string(),
    }
}

/// `12,345`: a number for people.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len().saturating_add(digits.len() / 3));
    for (left, digit) in (1..=digits.len()).rev().zip(digits.chars()) {
        text.push(digit);
        if left > 1 && left % 3 == 1 {
            text.push(',');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_parsers_refuse_becomes_visible() {
        assert_eq!(
            escaped("a<b>&\"'\x1b[31m\r\n\tx\0\u{ffff}").to_string(),
            "a&lt;b&gt;&amp;&quot;&#39;\n\tx␀\u{fffd}"
        );
        assert_eq!(attribute("a\nb\tc\r\x1b").to_string(), "a&#10;b&#9;c␍␛");
    }

    #[test]
    fn spans_and_numbers_read_well() {
        for (millis, text) in [
            (0, "0.00s"),
            (1_239, "1.23s"),
            (59_999, "59.99s"),
            (125_000, "2m 05s"),
            (10_925_000, "3h 02m 05s"),
        ] {
            assert_eq!(span(millis), text);
        }
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (100_000, "100,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(seconds(12).to_string(), "0.012");
        assert_eq!(shortened("grün", 4), "grün");
        assert_eq!(shortened("grüner", 4), "grü…");
        assert_eq!(one_line(" a\r\n b\x1b[1;31mb\x1b[0m\tc\x07 "), "a bb c");
    }

    #[test]
    fn local_time_follows_the_offset() {
        let time: Time = "2026-11-20T23:53:00.123Z".parse().unwrap();
        assert_eq!(local(time, 7200, "%Y-%m-%dT%H:%M:%S"), "2026-11-21T01:53:00");
        assert_eq!(local(Time(i64::MAX), 0, "%Y"), "9223372036854775807 ms since 1970");
    }
}
