//! Reports have a size, whatever a test put into them: pure.
//!
//! What a test says is refused where it says it, if it is too large by itself. The sum of it all, and what its tools wrote, is only known at its
//! end. A report that came out too large is cut, and says so in its reason: one that the link does not take would stop all that comes after it.

use jackfield_protocol::link::{Check, Ended, Part, Report, SAID_BYTES_MAX, ScriptEnded};
use jackfield_protocol::verdict::Verdict;
use serde::Serialize;

use crate::limits::{NAME_BYTES_MAX, REASON_BYTES_MAX};

/// What is kept of a value where the whole was too much.
const VALUE_BYTES_KEPT: usize = 4 * 1024;
/// What a report may be long: the link's limit, without the words around it.
const REPORT_BYTES: usize = SAID_BYTES_MAX - 1024;
/// What all but variables and parts may take: reasons, names of files, lengths of logs.
const REST_BYTES: usize = SAID_BYTES_MAX / 4;

/// Makes it a report that the link takes.
pub(crate) fn fit(report: &mut Report) {
    match report {
        Report::Started { .. } => {}
        Report::Ended(ended) => drop(fit_ended(ended)),
        Report::ScriptEnded(ended) => {
            if json_bytes(ended) > REPORT_BYTES {
                cut_script(ended);
            }
        }
    }
}

/// The same for the end of a test, with what was left out of it.
pub(crate) fn fit_ended(ended: &mut Ended) -> Option<String> {
    (json_bytes(ended) > REPORT_BYTES).then(|| cut(ended))
}

fn cut_script(ended: &mut ScriptEnded) {
    shorten(&mut ended.outcome.reason, REASON_BYTES_MAX);
    // A byte becomes six where it is written as JSON.
    shorten(&mut ended.output, REST_BYTES / 6);
    let told = too_large("most of its output is left out");
    append(&mut ended.outcome.reason, &told);
}

fn cut(ended: &mut Ended) -> String {
    shorten(&mut ended.end.outcome.reason, REASON_BYTES_MAX);
    ended.end.parts.iter_mut().chain(&mut ended.end.cleanups).for_each(shorten_part);
    let mut left_out = Vec::new();
    let mut cut = 0_usize;
    for value in ended.end.variables.values_mut().filter(|value| value.len() > VALUE_BYTES_KEPT) {
        let mut kept = value.to_string();
        shorten(&mut kept, VALUE_BYTES_KEPT);
        *value = kept.into();
        cut = cut.saturating_add(1);
    }
    if cut > 0 {
        left_out.push(format!("{cut} variables were cut to {VALUE_BYTES_KEPT} bytes"));
    }
    let mut tell = |what: &str, count: usize| {
        if count > 0 {
            left_out.push(format!("{count} {what} are left out"));
        }
    };
    tell("clean-ups", keep_first(&mut ended.end.cleanups, REST_BYTES / 4, json_bytes));
    tell("parts", keep_worst(&mut ended.end.parts));
    let mut artifacts: Vec<_> = std::mem::take(&mut ended.artifacts).into_iter().collect();
    tell("files", keep_first(&mut artifacts, REST_BYTES / 4, json_bytes));
    ended.artifacts = artifacts.into_iter().collect();
    let mut variables: Vec<_> = std::mem::take(&mut ended.end.variables).into_iter().collect();
    tell("variables", keep_first(&mut variables, SAID_BYTES_MAX / 4, json_bytes));
    ended.end.variables = variables.into_iter().collect();
    let told = too_large(&left_out.join(", "));
    append(&mut ended.end.outcome.reason, &told);
    told
}

fn too_large(what: &str) -> String {
    format!("its report was larger than {} MB: {what}", SAID_BYTES_MAX >> 20)
}

/// Parts that did not pass first, as many as there is room for; the order stays. The answer is how many are left out.
fn keep_worst(parts: &mut Vec<Part>) -> usize {
    let mut room = SAID_BYTES_MAX / 2;
    let mut kept = vec![false; parts.len()];
    for wants_passed in [false, true] {
        for (part, kept) in parts.iter().zip(&mut kept) {
            let bytes = json_bytes(part).saturating_add(1);
            if (part.verdict == Verdict::Pass) == wants_passed && bytes <= room {
                room = room.saturating_sub(bytes);
                *kept = true;
            }
        }
    }
    let before = parts.len();
    let mut kept = kept.into_iter();
    parts.retain(|_| kept.next().unwrap_or(false));
    before.saturating_sub(parts.len())
}

fn keep_first<T>(all: &mut Vec<T>, room: usize, bytes: impl Fn(&T) -> usize) -> usize {
    let mut left = room;
    let fits = all.iter().take_while(|one| {
        let bytes = bytes(one).saturating_add(1);
        let fits = bytes <= left;
        left = left.saturating_sub(bytes);
        fits
    });
    let count = fits.count();
    let before = all.len();
    all.truncate(count);
    before.saturating_sub(count)
}

fn shorten_part(part: &mut Part) {
    shorten(&mut part.name, NAME_BYTES_MAX);
    shorten(&mut part.reason, VALUE_BYTES_KEPT);
    for check in &mut part.checks {
        let Check { name, value, unit, limits, verdict: _ } = check;
        shorten(name, NAME_BYTES_MAX);
        shorten(value, VALUE_BYTES_KEPT);
        shorten(unit, NAME_BYTES_MAX);
        limits.values_mut().for_each(|limit| shorten(limit, VALUE_BYTES_KEPT));
    }
}

/// The beginning of a text, as much as fits, with a sign that there was more.
pub(crate) fn shorten(text: &mut String, most: usize) {
    if text.len() <= most {
        return;
    }
    let mut end = most.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.truncate(end);
    text.push('…');
}

fn append(reason: &mut String, told: &str) {
    if !reason.is_empty() {
        reason.push_str("; ");
    }
    reason.push_str(told);
}

/// How long something is as JSON.
pub(crate) fn json_bytes<T: Serialize + ?Sized>(value: &T) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.saturating_add(bytes.len());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What cannot be written as JSON is not sent either, and whoever sends it says so.
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jackfield_protocol::{
        attempt::AttemptEnd,
        id::{AttemptId, BlobHash, RunId, TestIndex},
        time::Time,
        verdict::{DecidedBy, Outcome},
    };
    use proptest::prelude::*;

    use super::*;

    fn ended() -> Ended {
        Ended {
            attempt: AttemptId { run: RunId(1), test: TestIndex(0), attempt: 1 },
            at: Time(0),
            end: AttemptEnd {
                elapsed_millis: 1,
                exit_code: Some(0),
                ..AttemptEnd::of(Outcome::pass(DecidedBy::ExitStatus { status: 0 }))
            },
            artifacts: BTreeMap::new(),
        }
    }

    fn part(name: String, verdict: Verdict, reason: String) -> Part {
        Part { name, verdict, reason, elapsed_millis: 1, checks: Vec::new() }
    }

    #[test]
    fn a_report_of_the_usual_size_is_left_as_it_is() {
        let mut usual = ended();
        usual.end.variables.insert("log".into(), "x".repeat(1_000_000).into());
        let before = usual.clone();
        assert_eq!((fit_ended(&mut usual), usual), (None, before));
    }

    #[test]
    fn what_is_left_out_is_told_and_failures_stay() {
        let mut large = ended();
        large.end.variables.insert("log".into(), "\u{1}".repeat(2_000_000).into());
        large.end.parts =
            (0..40_000).map(|n| part(format!("p{n}"), Verdict::Pass, "y".repeat(200))).collect();
        large.end.parts.push(part("the one".to_owned(), Verdict::Fail, "why".to_owned()));
        let told = fit_ended(&mut large).unwrap();
        assert!(
            told.starts_with("its report was larger than 4 MB: 1 variables were cut to 4096 bytes, "),
            "{told}"
        );
        assert!(told.ends_with(" parts are left out"), "{told}");
        assert_eq!(large.end.outcome.reason, told);
        assert!(large.end.parts.iter().any(|part| part.name == "the one"));
        assert!(large.end.parts.len() > 5_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

        #[test]
        fn whatever_a_test_says_its_report_fits(
            letter in prop_oneof![Just('a'), Just('\u{0}'), Just('"'), Just('\u{1F512}')],
            (parts, cleanups, variables, files) in (0_usize..3_000, 0_usize..1_000, 0_usize..2_000, 0_usize..1_000),
            length in 0_usize..4_000,
        ) {
            let text = |n: usize| std::iter::repeat_n(letter, length).collect::<String>() + &n.to_string();
            let check = |n| Check { name: text(n), value: text(n), unit: text(n), limits: BTreeMap::new(), verdict: Verdict::Fail };
            let mut large = ended();
            large.end.outcome.reason = text(0);
            large.end.parts = (0..parts.min(300)).map(|n| Part { checks: vec![check(n); 3], ..part(text(n), Verdict::Fail, text(n)) }).collect();
            large.end.cleanups = (0..cleanups.min(300)).map(|n| part(text(n), Verdict::Pass, text(n))).collect();
            large.end.variables = (0..variables.min(300)).map(|n| (text(n).into(), text(n).into())).collect();
            large.artifacts = (0..files.min(300)).map(|n| (text(n).into(), BlobHash([0; 32]))).collect();
            let mut report = Report::Ended(Box::new(large));
            fit(&mut report);
            prop_assert!(json_bytes(&report) <= SAID_BYTES_MAX, "{}", json_bytes(&report));
        }
    }
}
