//! Reads JUnit files as pytest, Robot Framework, Surefire and others write them: each case becomes a part.

use std::{io::BufRead, path::Path};

use jackfield_protocol::{
    link::Part,
    verdict::{Cause, Outcome, Verdict},
};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

/// More parts than this are counted but not kept.
const PARTS_MAX: usize = 20_000;
/// Of a message, what a table can show.
const REASON_CHARS_MAX: usize = 500;

/// What a JUnit file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cases {
    /// The cases, in order.
    pub(crate) parts: Vec<Part>,
    /// How many there were.
    pub(crate) total: usize,
    failed: usize,
    skipped: usize,
    first_failed: Vec<String>,
}

impl Cases {
    /// What the cases together make of the test; none where there are no cases.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        if self.total == 0 {
            return None;
        }
        if self.failed > 0 {
            let more = if self.failed > self.first_failed.len() { ", …" } else { "" };
            let names = self.first_failed.join(", ");
            let reason = format!("{} of {} tests failed: {names}{more}", self.failed, self.total);
            return Some(Outcome::not_pass(Verdict::Fail, Cause::Product, reason));
        }
        if self.skipped == self.total {
            return Some(Outcome::not_pass(Verdict::Skipped, Cause::Test, "every test in it was skipped"));
        }
        Some(Outcome::pass())
    }

    fn add(&mut self, part: Part) {
        self.total = self.total.saturating_add(1);
        match part.verdict {
            Verdict::Pass => {}
            Verdict::Skipped => self.skipped = self.skipped.saturating_add(1),
            Verdict::Fail | Verdict::Aborted | Verdict::NotExecuted | Verdict::Timeout | Verdict::Invalid => {
                self.failed = self.failed.saturating_add(1);
                if self.first_failed.len() < 3 {
                    self.first_failed.push(part.name.clone());
                }
            }
        }
        if self.parts.len() < PARTS_MAX {
            self.parts.push(part);
        }
    }
}

/// Reads a file; none where there is no such file.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn read_file(path: &Path) -> Result<Option<Cases>, String> {
    match std::fs::File::open(path) {
        Ok(file) => read(std::io::BufReader::new(file)).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn read(source: impl BufRead) -> Result<Cases, String> {
    let mut reader = Reader::from_reader(source);
    let mut cases = Cases::default();
    let mut open: Option<Part> = None;
    let mut buffer = Vec::new();
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event_into(&mut buffer).map_err(|error| format!("at byte {at}: {error}"))?;
        match event {
            Event::Start(element) => match element.local_name().as_ref() {
                "testcase" => open = Some(case(&element)),
                _ => judge(open.as_mut(), &element),
            },
            Event::Empty(element) => match element.local_name().as_ref() {
                "testcase" => cases.add(case(&element)),
                _ => judge(open.as_mut(), &element),
            },
            Event::End(element) if element.local_name().as_ref() == "testcase" => {
                open.take().into_iter().for_each(|part| cases.add(part));
            }
            Event::Eof => break,
            Event::DocType(_) => return Err(format!("at byte {at}: a document type is not read")),
            Event::End(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::GeneralRef(_) => {}
        }
        buffer.clear();
    }
    if open.is_some() {
        return Err("it ends in the middle of a test case".to_owned());
    }
    Ok(cases)
}

fn case(element: &BytesStart<'_>) -> Part {
    let name = attribute(element, "name");
    let class = attribute(element, "classname");
    let name = if class.is_empty() { name } else { format!("{class}.{name}") };
    let seconds = attribute(element, "time").replace(',', "");
    let seconds = seconds.parse::<f64>().ok().filter(|seconds| (0.0..1e9).contains(seconds)).unwrap_or(0.0);
    let elapsed = std::time::Duration::from_secs_f64(seconds).as_millis();
    let elapsed_millis = u64::try_from(elapsed).unwrap_or(u64::MAX);
    Part { name, verdict: Verdict::Pass, reason: String::new(), elapsed_millis, checks: Vec::new() }
}

/// An element inside a case may say that it did not pass.
fn judge(open: Option<&mut Part>, element: &BytesStart<'_>) {
    let Some(part) = open else { return };
    let verdict = match element.local_name().as_ref() {
        "failure" | "error" => Verdict::Fail,
        "skipped" => Verdict::Skipped,
        _ => return,
    };
    part.verdict = verdict;
    let message = attribute(element, "message");
    part.reason = message.chars().take(REASON_CHARS_MAX).collect();
}

fn attribute(element: &BytesStart<'_>, name: &str) -> String {
    let found = element.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == name);
    let Some(attribute) = found else { return String::new() };
    let raw = attribute.value.into_owned();
    quick_xml::escape::unescape(&raw).map(|text| text.into_owned()).unwrap_or(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_is_a_part_and_the_worst_speaks() {
        let text = r#"<?xml version="1.0"?><testsuites><testsuite name="s" tests="4">
            <testcase classname="test_x" name="one" time="0.250"/>
            <testcase name="two" time="1,000.5"><failure message="a &lt; b&#10;no">trace</failure></testcase>
            <testcase name="three"><skipped/></testcase>
            <testcase name="four"><system-out><![CDATA[<failure/>]]></system-out></testcase>
        </testsuite></testsuites>"#;
        let cases = read(text.as_bytes()).unwrap();
        let shown: Vec<_> = cases
            .parts
            .iter()
            .map(|part| (part.name.as_str(), part.verdict, part.reason.as_str(), part.elapsed_millis))
            .collect();
        assert_eq!(
            shown,
            [
                ("test_x.one", Verdict::Pass, "", 250),
                ("two", Verdict::Fail, "a < b\nno", 1_000_500),
                ("three", Verdict::Skipped, "", 0),
                ("four", Verdict::Pass, "", 0)
            ]
        );
        assert_eq!(cases.outcome().unwrap().reason, "1 of 4 tests failed: two");
    }

    #[test]
    fn a_file_that_was_cut_off_or_is_hostile_is_refused() {
        for bad in
            ["<testsuite><testcase name='x'>", "<!DOCTYPE x []><testsuite/>", "<testcase name='x'></y>"]
        {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(read(&b"<testsuite/>"[..]).unwrap().outcome(), None);
    }
}
