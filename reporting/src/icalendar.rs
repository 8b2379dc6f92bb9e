//! Leases as calendars read them: iCalendar (RFC 5545), for feeds and for what is sent by mail.
//!
//! Each lease is an event of its own, in UTC: who reads it shows it by their own clocks, and nothing is left to their knowledge of
//! zones and of days that have an hour more. What people wrote is text to it: whatever could begin another line, property or
//! component is escaped.

use std::io::{self, Write};

use jackfield_protocol::time::Time;

/// Octets of a line, without its end (3.1).
const LINE_OCTETS_MAX: usize = 75;

/// A calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// What it is called.
    pub name: String,
    /// What becomes of it.
    pub method: Method,
    /// What is in it.
    pub events: Vec<Event>,
}

/// What a calendar is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// It says what there is.
    Publish,
    /// Its events do not take place.
    Cancel,
}

/// Something that takes its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The same whenever it is told again, and no other's.
    pub uid: String,
    /// When this was written.
    pub stamp: Time,
    /// The higher, the newer what is told of it.
    pub sequence: u64,
    /// Its beginning.
    pub begin: Time,
    /// Its end.
    pub end: Time,
    /// What it is.
    pub summary: String,
    /// What else there is to say.
    pub description: String,
    /// Where.
    pub location: String,
    /// What kind of thing.
    pub category: Option<&'static str>,
    /// Whether it will take place.
    pub certain: bool,
    /// Whether it takes the time of whoever reads the calendar.
    pub busy: bool,
    /// How long before it the reader is reminded, in milliseconds.
    pub alarm_millis: Option<u64>,
}

/// Writes a calendar.
///
/// # Errors
/// Those of `out`.
pub fn write(calendar: &Calendar, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Lines { out };
    let method = match calendar.method {
        Method::Publish => "PUBLISH",
        Method::Cancel => "CANCEL",
    };
    lines.plain("BEGIN:VCALENDAR")?;
    lines.plain("VERSION:2.0")?;
    lines.plain("PRODID:-//Jackfield//Leases//EN")?;
    lines.plain("CALSCALE:GREGORIAN")?;
    lines.plain(&format!("METHOD:{method}"))?;
    lines.text("NAME", &calendar.name)?;
    lines.text("X-WR-CALNAME", &calendar.name)?;
    lines.plain("REFRESH-INTERVAL;VALUE=DURATION:PT15M")?;
    lines.plain("X-PUBLISHED-TTL:PT15M")?;
    for event in &calendar.events {
        write_event(event, calendar.method, &mut lines)?;
    }
    lines.plain("END:VCALENDAR")
}

fn write_event(event: &Event, method: Method, lines: &mut Lines<'_>) -> io::Result<()> {
    let status = match (method, event.certain) {
        (Method::Cancel, _) => "CANCELLED",
        (Method::Publish, true) => "CONFIRMED",
        (Method::Publish, false) => "TENTATIVE",
    };
    // An event of no length is shown by some calendars as one of a whole day.
    let begin = seconds(event.begin);
    let end = seconds(Time(event.end.0.saturating_add(999))).max(begin.saturating_add(1));
    lines.plain("BEGIN:VEVENT")?;
    lines.text("UID", &event.uid)?;
    lines.plain(&format!("DTSTAMP:{}", instant(seconds(event.stamp))))?;
    lines.plain(&format!("DTSTART:{}", instant(begin)))?;
    lines.plain(&format!("DTEND:{}", instant(end)))?;
    lines.plain(&format!("SEQUENCE:{}", event.sequence))?;
    lines.text("SUMMARY", &event.summary)?;
    if !event.description.is_empty() {
        lines.text("DESCRIPTION", &event.description)?;
    }
    if !event.location.is_empty() {
        lines.text("LOCATION", &event.location)?;
    }
    if let Some(category) = event.category {
        lines.text("CATEGORIES", category)?;
    }
    lines.plain(&format!("STATUS:{status}"))?;
    lines.plain(if event.busy { "TRANSP:OPAQUE" } else { "TRANSP:TRANSPARENT" })?;
    if let Some(millis) = event.alarm_millis {
        lines.plain("BEGIN:VALARM")?;
        lines.plain("ACTION:DISPLAY")?;
        lines.text("DESCRIPTION", &event.summary)?;
        lines.plain(&format!("TRIGGER:-PT{}M", millis.div_ceil(60_000)))?;
        lines.plain("END:VALARM")?;
    }
    lines.plain("END:VEVENT")
}

fn seconds(time: Time) -> i64 {
    time.0.div_euclid(1_000)
}

/// `20261201T060000Z`. What no calendar has is the end of calendars.
fn instant(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| "99991231T235959Z".to_owned(),
        |instant| instant.strftime("%Y%m%dT%H%M%SZ").to_string(),
    )
}

struct Lines<'a> {
    out: &'a mut dyn Write,
}

impl Lines<'_> {
    /// A property whose value people wrote (3.3.11).
    fn text(&mut self, name: &str, value: &str) -> io::Result<()> {
        let mut line = format!("{name}:");
        for letter in value.replace("\r\n", "\n").chars() {
            match letter {
                '\\' | ';' | ',' => line.extend(['\\', letter]),
                '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => line.push_str("\\n"),
                '\t' => line.push(' '),
                control if control.is_control() => {}
                other => line.push(other),
            }
        }
        self.plain(&line)
    }

    /// A line, folded between letters (3.1).
    fn plain(&mut self, line: &str) -> io::Result<()> {
        let mut octets = 0_usize;
        for letter in line.chars() {
            if octets.saturating_add(letter.len_utf8()) > LINE_OCTETS_MAX {
                self.out.write_all(b"\r\n ")?;
                octets = 1;
            }
            let mut bytes = [0; 4];
            self.out.write_all(letter.encode_utf8(&mut bytes).as_bytes())?;
            octets = octets.saturating_add(letter.len_utf8());
        }
        self.out.write_all(b"\r\n")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(summary: &str) -> Event {
        Event {
            uid: "lease-7@lab.example".to_owned(),
            stamp: Time(1_796_052_600_123),
            sequence: 2,
            begin: Time(1_796_104_800_000),
            end: Time(1_796_112_000_001),
            summary: summary.to_owned(),
            description: "each Monday at 06:00; booked by ana\nport 3 is loose".to_owned(),
            location: "/tb1/router1".to_owned(),
            category: Some("maintenance"),
            certain: true,
            busy: false,
            alarm_millis: Some(900_000),
        }
    }

    fn written(calendar: &Calendar) -> String {
        let mut out = Vec::new();
        write(calendar, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn of(events: Vec<Event>) -> Calendar {
        Calendar { name: "ana, Jackfield".to_owned(), method: Method::Publish, events }
    }

    #[test]
    fn a_calendar_reads_as_rfc_5545_has_it() {
        let summary =
            "nächtlicher Lauf, der Router; \\ und ein Titel, der länger ist als eine Zeile sein darf 🛠 Ende";
        insta::assert_snapshot!(written(&of(vec![event(summary)])).replace('\r', ""));
    }

    #[test]
    fn what_is_over_before_it_begins_still_has_a_second() {
        let none = Event { end: Time(0), begin: Time(1_500), ..event("x") };
        let text = written(&of(vec![none]));
        assert!(text.contains("DTSTART:19700101T000001Z\r\nDTEND:19700101T000002Z"), "{text}");
        let far = Event { end: Time(i64::MAX), ..event("x") };
        assert!(written(&of(vec![far])).contains("DTEND:99991231T235959Z"));
    }

    proptest! {
        /// Whatever people write, there is one event, each line fits, and the text comes back.
        #[test]
        fn no_text_gets_out_of_its_line(summary in "\\PC{0,120}|([;,:\\\\\n\r\"]|BEGIN:VEVENT|[a-zé🛠]){0,40}") {
            let text = written(&of(vec![event(&summary)]));
            prop_assert!(text.ends_with("\r\n"));
            prop_assert!(text.split("\r\n").all(|line| line.len() <= LINE_OCTETS_MAX && !line.contains(['\n', '\r'])));
            let lines = text.replace("\r\n ", "");
            prop_assert_eq!(lines.matches("\r\nBEGIN:VEVENT\r\n").count(), 1);
            let found = lines.split("\r\n").find_map(|line| line.strip_prefix("SUMMARY:")).unwrap();
            let mut back = String::new();
            let mut letters = found.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '\\' => match letters.next() {
                        Some('n') => back.push('\n'),
                        Some(other) => back.push(other),
                        None => prop_assert!(false, "a stray backslash"),
                    },
                    other => back.push(other),
                }
            }
            let ends = ['\u{2028}', '\u{2029}', '\u{85}', '\r'];
            let wanted = summary.replace("\r\n", "\n").replace(ends, "\n").replace('\t', " ");
            let wanted: String = wanted.chars().filter(|letter| *letter == '\n' || !letter.is_control()).collect();
            prop_assert_eq!(back, wanted);
        }
    }
}
